"""The shape of a file: finite for any text, worked out by hand for a small one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hornbook.quality.features import SHAPE, TREE, shape

PROGRAM = '''# two words
import os


def double(x):
    """Twice x."""
    return x * 2
'''


def named(text: str) -> dict[str, float]:
    return dict(zip(SHAPE, shape(text).tolist(), strict=True))


@given(st.text(st.characters(), max_size=200))
@example("")
@example("\0")
@example("x = '\ud800'")
@example("(" * 3000)
@example("\n\n\n")
@example("\x0c\u2028\x85")
def test_any_text_has_finite_features(text: str) -> None:
    found = shape(text)
    assert found.shape == (len(SHAPE),)
    assert np.isfinite(found).all()


def test_the_text_features_of_a_small_program_by_hand() -> None:
    found = named(PROGRAM)
    lines = PROGRAM.splitlines()
    assert len(lines) == 7
    expected = {
        "log characters": math.log(1 + len(PROGRAM)),
        "characters a line": len(PROGRAM) / 7,
        "blank lines": 2 / 7,
        "comment lines": 1 / 5,
        "words a comment": 3,
        "digits": 1 / len(PROGRAM),
        "quotes": 6 / len(PROGRAM),
        "repeated lines": 0,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-5)


def test_the_tree_features_of_a_small_program_by_hand() -> None:
    found = named(PROGRAM)
    # Module Import alias FunctionDef arguments arg Expr Constant Return BinOp Name Load Mult Constant (Load is one object)
    nodes = 14
    expected = {
        "parses": 1,
        "arithmetic": 100 / nodes,
        "returns": 100 / nodes,
        "log imports": math.log(2),
        "functions": 100 / nodes,
        "log lines a function": math.log(4),
        "documented": 1 / 2,
        "docstring share": 8 / len(PROGRAM),
        "one-letter names": 1,
        "loops": 0,
        "methods": 0,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("text", ["def f(:\n", "x = '\0'\n", "x = '\ud800'\n", "(" * 3000])
def test_what_does_not_parse_has_text_features_and_no_tree(text: str) -> None:
    found = named(text)
    assert found["parses"] == 0
    assert all(found[name] == 0 for name in TREE)
    assert found["log characters"] > 0


LESSON = '''"""Two words."""
import math
from elsewhere import ready, other as renamed


def first(values):
    """Three words here."""
    for value in values:
        print(value)


def second(values):
    return [renamed(value) for value in values]


def third():
    return "quoted"


class Kept:
    def fourth(self):
        """One."""
        for value in self.values:
            value()
'''


def test_what_functions_do_with_their_surroundings_by_hand() -> None:
    found = named(LESSON)
    loads = ["values", "print", "value", "renamed", "value", "values", "self", "value"]
    expected = {
        "log foreign names": math.log(1 + 2),  # ready and renamed; math is the library's
        "use of foreign names": 1 / len(loads),
        "functions with loops": 3 / 4,  # first, second (a comprehension) and fourth
        "explained loops": 2 / 4,  # first and fourth have docstrings
        "log explained loops": math.log(1 + 2),
        "log independent loops": math.log(1 + 1),  # first: second leans on renamed, fourth on self
        "one-line functions": 4 / 4,  # each, beside its docstring
        "log docstring words": math.log(1 + 6),
        "docstring words a line": 6 / LESSON.count("\n"),
        "words a docstring": math.log(1 + 6 / 3),
        "quoted": sum(map(len, ("Two words.", "Three words here.", "quoted", "One."))) / len(LESSON),
        "long texts": 0,
        "deepest indent": math.log(1 + 12),
        "says return": math.log(1 + 2) / math.log(1 + 16),  # in sixteen lines that hold something
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-5)


def test_a_long_text_and_a_relative_import_are_noticed() -> None:
    found = named(f"from . import near\nx = {'a' * 201!r}\ny = 'b'\n")
    assert found["long texts"] == pytest.approx(1 / 2)
    assert found["log foreign names"] == pytest.approx(math.log(2))
    assert found["one-line functions"] == found["functions with loops"] == 0
