"""The syntax tier's similarity: shapes and match rates worked by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.decontamination import syntax
from hornbook.decontamination.syntax import KINDS, encode, nearest, nearest_shapes, syntax_similarity, units


def shape(*kinds: str) -> str:
    return "".join(KINDS[kind] for kind in kinds)


def test_a_shape_is_the_nodes_in_pre_order() -> None:
    assert encode("y = x + 1") == shape("Assign", "Name", "BinOp", "Name", "Add", "int")
    assert encode("if a < 'b': pass") == shape("If", "Compare", "Name", "Lt", "str", "Pass")


def test_what_plays_no_part() -> None:
    plain = "def f(x):\n    return x"
    dressed = (
        'import os\nfrom typing import Any\n@cache\ndef other(value: Any) -> Any:\n    """Doc."""\n    return value'
    )
    assert encode(dressed) == encode(plain) == shape("FunctionDef", "arguments", "arg", "Return", "Name")


@pytest.mark.parametrize(
    ("a", "b", "rate"),
    [
        ("x = 1", "y = 2", 1.0),
        ("x = 1", "x = 'a'", 1 - 1 / 3),  # Assign Name int, Assign Name str
        ("y = x + 1", "y = x - 1", 1 - 1 / 6),
        ("y = x + 1", "y = x", 1 - 3 / 6),  # BinOp, Add and int are gone
        ("pass", "x = 1", 0.0),
        ("x = 1\ny = 2", "x = 1", 0.5),
    ],
)
def test_match_rates(a: str, b: str, rate: float) -> None:
    assert syntax_similarity(a, b) == pytest.approx(rate)
    assert syntax_similarity(b, a) == pytest.approx(rate)


@pytest.mark.parametrize("text", ["def f(:", "x = '\0'", "", '"""Only a text."""', "import os", "(" * 5000])
def test_a_text_without_shape_is_alike_to_nothing(text: str) -> None:
    assert syntax_similarity(text, text) == 0.0
    assert nearest([text, "x = 1"], [text], cutoff=0.0) == [(-1, 0.0), (-1, 0.0)]


def test_a_deep_program_and_a_long_one_are_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    assert syntax_similarity("x = " + "-" * 60 + "1", "x = " + "-" * 60 + "1") == 1.0
    encode("x = " + "+".join(["1"] * 3000))  # a tree three thousand deep
    monkeypatch.setattr(syntax, "LARGEST_CHARS", 4)
    assert encode("x = 1") == ""


def test_nearest_takes_the_best_and_of_equals_the_first() -> None:
    choices = ["pass", "y = x - 1", "a = b + 1", "c = d + 2"]
    assert nearest(["y = x + 1", "pass", "f()"], choices, cutoff=0.8) == [(2, 1.0), (0, 1.0), (-1, 0.0)]


def test_the_cutoff_is_reached_by_being_equal() -> None:
    query, choice = shape(*["Pass"] * 20), shape(*["Pass"] * 19, "Break")
    assert nearest_shapes([query], [choice], cutoff=0.95) == [(0, 0.95)]
    assert nearest_shapes([query], [choice], cutoff=0.951) == [(-1, 0.0)]
    far = shape(*["Pass"] * 140, *["Break"] * 860)
    assert nearest_shapes([shape(*["Pass"] * 1000)], [far], cutoff=0.14) == [(0, 1 - 860 / 1000)]


@pytest.mark.parametrize("pairs", [1, 3, 7, 100])
def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch, pairs: int) -> None:
    choices = ["x = 1", "y = x + 1", "pass", "y = x * z", "x = 'a'", "f(x)"]
    whole = nearest(choices, choices[::-1], cutoff=0.3, workers=2)
    monkeypatch.setattr(syntax, "BLOCK_PAIRS", pairs)
    assert nearest(choices, choices[::-1], cutoff=0.3) == whole == [(5 - i, 1.0) for i in range(6)]
    assert nearest([], choices, cutoff=0.5) == []
    assert nearest(["x = 1"], [], cutoff=0.5) == [(-1, 0.0)]


CODE = st.sampled_from(["x = 1", "y = x + 1", "f(x)", "if a:\n    b = 2", "for i in a:\n    f(i)", "del x"])
PROGRAM = st.lists(CODE, min_size=1, max_size=5).map("\n".join)


@given(PROGRAM, st.lists(PROGRAM, min_size=1, max_size=6), st.floats(0.1, 1))
def test_nearest_agrees_with_comparing_each_pair(query: str, choices: list[str], cutoff: float) -> None:
    rates = [syntax_similarity(query, choice) for choice in choices]
    expected = (rates.index(max(rates)), max(rates)) if max(rates) >= cutoff else (-1, 0.0)
    assert nearest([query], choices, cutoff) == [expected]


def test_units_are_the_whole_and_each_function_by_name() -> None:
    text = "x = 1\ndef f(a):\n    return a\nclass C:\n    def g(self):\n        self.y = 2\n"
    assert units(text) == {
        encode("def f(a):\n    return a"): "f",
        encode("def g(self):\n    self.y = 2"): "g",
        encode(text): "",
    }


def test_units_of_markdown_are_its_python_blocks() -> None:
    text = (
        "# Title\n\nSome prose.\n\n```python\ndef f(a):\n    return a\n```\n\n```text\nx = 1\n```\n```py\ny = 2\n```\n"
    )
    assert units(text) == {encode("def f(a):\n    return a"): "f", encode("y = 2"): ""}
    assert units("no code here at all") == {}
