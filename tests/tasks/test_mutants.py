"""Mutants: each operator by hand, and what must never happen."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.errors import InputError
from hornbook.tasks.mutate import mutants


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a + b", ["a - b"]),
        ("a - b", ["a + b"]),
        ("a * b", ["a + b"]),
        ("a // b", ["a * b"]),
        ("a % b", ["a * b"]),
        ("a ** b", ["a * b"]),
        ("a & b", ["a | b"]),
        ("a << b", ["a >> b"]),
        ("a < b", ["a <= b", "a > b"]),
        ("a >= b", ["a > b", "a <= b"]),
        ("a == b", ["a != b"]),
        ("a is not b", ["a is b"]),
        ("a in b", ["a not in b"]),
        ("a < b == c", ["a <= b == c", "a > b == c", "a < b != c"]),
        ("a and b", ["a or b"]),
        ("not a", ["a"]),
        ("-a", ["a"]),
        ("x = 3", ["x = 4", "x = 2"]),
        ("x = 0", ["x = 1"]),
        ("x = 1.5", ["x = 2.5"]),
        ("x = True", ["x = False"]),
        ("x = None", []),
        ("x = 'ab'", ["x = ''"]),
        ("x = ''", ["x = 'x'"]),
        ("x = b'ab'", ["x = b''"]),
        ("x += y", ["x -= y"]),
        ("a if c else b", ["a if not c else b"]),
        ("if c:\n    pass", ["if not c:\n    pass"]),
        ("while c:\n    break", ["while not c:\n    break", "while c:\n    continue"]),
        ("def f(x):\n    return x", ["def f(x):\n    return None"]),
        ("def f(x):\n    return None", []),
        ("def f(x: 'text'=1) -> 'text':\n    '''Doc 1.'''", ["def f(x: 'text'=2) -> 'text':\n    \"\"\"Doc 1.\"\"\"",
                                                          "def f(x: 'text'=0) -> 'text':\n    \"\"\"Doc 1.\"\"\""]),
        ("f'{x:>10}'", []),
        ("import a.b", []),
    ],
)  # fmt: skip
def test_each_change(source: str, expected: list[str]) -> None:
    assert mutants(source) == expected


def test_a_constant_below_zero_keeps_its_precedence() -> None:
    assert "x = 0 ** 2" in mutants("x = 1 ** 2")
    assert not any("-1" in mutant for mutant in mutants("x = 0 ** 2"))


def test_a_limit_spreads_over_the_program() -> None:
    source = "\n".join(f"x{i} = a{i} + b{i}" for i in range(100))
    everything = mutants(source, limit=1000)
    assert len(everything) == 100
    assert mutants(source, limit=4) == [everything[0], everything[25], everything[50], everything[75]]
    assert mutants(source, limit=0) == []


def test_a_program_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="not Python"):
        mutants("def f(:")
    with pytest.raises(InputError, match="not Python"):
        mutants("x = '\0'")
    with pytest.raises(InputError, match="nested too deeply"):
        mutants("x = " + "+".join(["1"] * 3000))


NAMES = st.sampled_from(["a", "b", "1", "0", "'s'", "True", "2.5"])
BINARY = st.sampled_from(["+", "-", "*", "/", "%", "<", "==", "and", "or", "in", "is"])
EXPRESSIONS = st.recursive(
    NAMES, lambda inner: st.builds(lambda left, op, right: f"({left} {op} {right})", inner, BINARY, inner), max_leaves=8
)


@given(EXPRESSIONS, st.sampled_from(["x = {}", "def f():\n    return {}", "if {}:\n    f()"]))
def test_mutants_are_programs_unlike_the_original_and_one_another(expression: str, form: str) -> None:
    source = form.format(expression)
    found = mutants(source)
    assert ast.unparse(ast.parse(source)) not in found
    assert len(set(found)) == len(found) <= 20
    assert found == mutants(source)
    for mutant in found:
        ast.parse(mutant)
