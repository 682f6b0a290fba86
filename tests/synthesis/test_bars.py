"""The benchmark of the procedural writer sees what it should: `benchmarks/procedural.py`, which believes no row."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hornbook.records import Exercise

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "procedural.py"


@pytest.fixture(scope="module")
def bench() -> Any:
    spec = importlib.util.spec_from_file_location("bench_procedural", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(name: str, words: str, body: str, tests: str = "    assert candidate(3) == 6\n") -> Exercise:
    prompt = f'def {name}(x):\n    """{words}"""\n'
    return Exercise(name, name, prompt, body, f"def check(candidate):\n{tests}", "t")


def test_what_passes_fails_hangs_or_ends_the_process_is_told_apart(bench: Any) -> None:
    def f(body: str) -> str:
        return f"def f(x):\n    {body}\n"

    mutants = [
        *(f("return x * 3"), f("return x + x"), f("while True: pass"), f("import os; os._exit(0)")),
        *(f("raise SystemExit"), f("return [0] * 10 ** 12"), f("return 6"), "def f(x) return"),
    ]
    tests = row("f", "", "").tests
    jobs = [(f("return x * 2"), tests, "f", mutants), (f("return x"), tests, "f", [])]
    assert bench.run_apart(jobs) == ["101000010", "0"]


def test_names_do_not_count_in_shapes_and_everything_else_does(bench: Any) -> None:
    one = "def f(x):\n    '''Doc.'''\n    total = 0\n    for y in x:\n        total += y\n    return total\n"
    other = one.replace("total", "s").replace("y", "item").replace("f(x)", "g(values)").replace("in x", "in values")
    assert bench.shape(one) == bench.shape(other.replace("Doc", "Other"))
    assert bench.shape(one) != bench.shape(one.replace("+=", "-="))
    assert bench.shape(one) != bench.shape(one.replace("return total", "return x"))


def test_rows_alike_are_counted_in_pairs_and_rows(bench: Any) -> None:
    """17 words and `return 1` make 15 5-grams. Another first word leaves 14 of 16, 0.875; a middle one 10 of 20, 0.5."""
    words = "abcdefghijklmnopq"
    told = {"p": words, "first": "z" + words[1:], "middle": words[:8] + "z" + words[9:], "same": words}
    rows = {name: row(name, " ".join(some), "    return 1\n") for name, some in told.items()}
    assert bench.alike([rows["p"], rows["middle"]]) == (0, 0)
    assert bench.alike([rows["p"], rows["first"]]) == (1, 2)
    assert bench.alike([*rows.values()]) == (3, 3)


@pytest.mark.parametrize(
    ("changed", "figure"),
    [
        ({}, ""),
        ({"solution": "    return x\n"}, "pass their tests"),
        ({"tests": "def check(candidate):\n    candidate(1)\n"}, "mutants killed"),
        ({"solution": "    return abs\n", "tests": "def check(candidate):\n    candidate(1)\n"}, "fewest mutants"),
    ],
)
def test_a_bar_that_is_missed_is_marked(bench: Any, capsys: Any, changed: dict[str, str], figure: str) -> None:
    tests = "    assert [candidate(x) for x in (3, 0, 8)] == [7, 1, 17]\n"
    good = replace(row("p", "Twice x and one more.", "    return x * 2 + 1\n", tests), **changed)
    board = bench.Board()
    bench.check_rows(
        board,
        [
            good,
            row(
                "q",
                "Another thing.",
                "    return (x + 3) * 2 - x\n",
                "    assert [candidate(3), candidate(4)] == [9, 10]\n",
            ),
        ],
    )
    missed = [line[2:] for line in capsys.readouterr().out.splitlines() if line.startswith("✗")]
    assert board.failed == len(missed)
    assert bool(missed) == bool(figure)
    assert not figure or missed[0].startswith(figure)


def test_repeats_are_seen(bench: Any, capsys: Any) -> None:
    tests = "    assert [candidate(x) for x in (3, 0, 8)] == [7, 1, 17]\n"
    one = row("p", "Twice x and one more.", "    return x * 2 + 1\n", tests)
    bench.check_rows(bench.Board(), [one, one])
    lines = {line[2:60].strip(): line[60:75].strip() for line in capsys.readouterr().out.splitlines()}
    assert [lines[f"repeated {what}"] for what in ("names", "docstrings", "(normalised solution, tests)")] == ["1"] * 3
    assert lines["rows in such a pair, of all rows"] == "100.00%"
