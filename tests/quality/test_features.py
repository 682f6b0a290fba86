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
