"""Instruction reversal: code of the corpus is described, written again from the description, and compared by running."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hornbook.artifacts import Ledger
from hornbook.errors import InputError, RequestError
from hornbook.records import Document, Exercise, Rejected, read_dataset, write_dataset
from hornbook.sandbox.run import Sandbox
from hornbook.synthesis.llm.commission import Subjects
from hornbook.synthesis.llm.functions import choose, functions_in
from hornbook.synthesis.llm.reversal import arguments_in, assertion
from hornbook.synthesis.write import WriteExercises, write_exercises
from scripted import TEACHER, Answer, Script

Scripted = Callable[[Answer], Script]
SANDBOX = Sandbox(workers=1, cpu_seconds=1, wall_seconds=3)

RATIO = '''"""A module."""

import os
import math as m
from collections import Counter


def ratio(parts: list[int], whole: int) -> int:
    """The author's words."""
    found = Counter(parts)
    total = sum(part * count for part, count in found.items())
    return m.floor(total / whole)


def leave(code):
    """Not one of them: it reads the world."""
    value = code + 1
    return os.getenv(value)
'''
DESCRIPTION = "How many times the parts together fill the whole, rounded down."
INPUTS = ["([3, 3, 4], 5)", "([], 2)", "([7], 2)", "([1, 1], 3)", "([5], 0)"]
SAME = "```python\ndef ratio(parts, whole):\n    return int(sum(parts) // whole)\n```"


def document(text: str = RATIO, name: str = "d1", license: Sequence[str] = ("MIT",)) -> Document:
    return Document(name, text, "s", "p.py", list(license))


def answering(described: Any, again: str | None = SAME) -> Answer:
    def answer(label: str, request: Any) -> str | None:
        if label == "reversal: write again":
            return again
        return described if isinstance(described, str | None) else json.dumps(described)

    return answer


def description(text: str = DESCRIPTION, inputs: Sequence[str] = INPUTS) -> dict[str, Any]:
    return {"docstring": text, "inputs": list(inputs)}


def written(
    folder: Path, documents: Sequence[Document] = (), n: int = 1, subjects: Subjects = Subjects(), **how: Any
) -> tuple[list[Exercise], list[Rejected], Ledger]:
    ledger = Ledger()
    write_dataset(folder / "corpus", documents or [document()], Document)
    config = WriteExercises(
        writer="reversal", n=n, teacher=TEACHER, subjects=subjects, sandbox=SANDBOX, **{"held_out": 0, **how}
    )
    write_exercises(config, responses=folder / "responses", out=folder, ledger=ledger, documents=folder / "corpus")
    kept, rejected = (
        list(read_dataset(folder / "exercises", Exercise)),
        list(read_dataset(folder / "rejected", Rejected)),
    )
    assert ledger.rows_in == len(kept) + len(rejected)
    return kept, rejected, ledger


def test_a_function_becomes_an_exercise_with_its_document_as_parent(tmp_path: Path, scripted: Scripted) -> None:
    script = scripted(answering(description()))
    (row,), rejected, _ = written(tmp_path)
    assert (row.name, rejected) == ("ratio", [])
    assert row.prompt == (
        "from collections import Counter\nimport math as m\n\n\n"
        f'def ratio(parts: list[int], whole: int) -> int:\n    """{DESCRIPTION}"""\n'
    )
    assert row.solution == RATIO[RATIO.index("    found") : RATIO.index("\n\ndef leave")]
    assert row.tests == (  # 10 // 5, 0, 3 and 0; the division by zero says nothing and is left out
        "def check(candidate):\n"
        "    assert candidate([3, 3, 4], 5) == 2\n"
        "    assert candidate([], 2) == 0\n"
        "    assert candidate([7], 2) == 3\n"
        "    assert candidate([1, 1], 3) == 0\n"
    )
    assert (row.parents, row.license, row.verified) == (["d1"], ["MIT"], True)
    keys = script.keys("reversal: describe") + script.keys("reversal: write again")
    assert (row.provenance.writer, row.provenance.responses) == ("reversal", keys)
    assert json.loads(row.provenance.recipe)["steps"] == ["describe", "write again"]
    assert 0 < row.mutants_killed <= row.mutants


def test_the_description_is_asked_of_code_without_docstring_and_the_code_of_the_description_alone(
    tmp_path: Path, scripted: Scripted
) -> None:
    script = scripted(answering(description()))
    written(tmp_path)
    described, again = script.texts("reversal: describe")[0], script.texts("reversal: write again")[0]
    assert "return m.floor(total / whole)" in described
    assert "The author's words" not in described
    assert DESCRIPTION in again
    assert "Counter(parts)" not in again


@pytest.mark.parametrize(
    ("described", "again", "reason"),
    [
        ("nothing", SAME, "unanswered-schema"),
        (None, SAME, "unanswered-timeout"),
        ({"docstring": DESCRIPTION}, SAME, "unanswered-schema"),
        ({"docstring": "  ", "inputs": INPUTS}, SAME, "no-docstring"),
        ({"docstring": DESCRIPTION, "inputs": "([], 2)"}, SAME, "unanswered-schema"),
        (description("Like this: return m.floor(total / whole)"), SAME, "gives-away"),
        (description(inputs=INPUTS[:3]), SAME, "no-inputs"),
        (description(inputs=INPUTS[:1] * 6), SAME, "no-inputs"),
        (description(inputs=["(open('/etc/passwd'), 1)", "3", "()()", "([", *INPUTS[:3]]), SAME, "no-inputs"),
        (description(inputs=["(1,)", "('a', 2)", "(None, None)", "([1], 0)", "([2], 0)"]), SAME, "no-inputs"),
        (description(inputs=["([], 1)", "([], 2)", "([], 3)", "([], 4)"]), SAME, "weak-tests"),
        (description(), SAME.replace("//", "%"), "behaves-otherwise"),
        (description(), SAME.replace("ratio", "ration"), "behaves-otherwise"),
        (description(), "I would rather not.", "behaves-otherwise"),
        (description(), "```python\ndef ratio(parts, whole):\n    while True: pass\n```", "behaves-otherwise"),
        (description(), None, "unanswered-timeout"),
        (description(), "", "unanswered-empty"),
    ],
)
def test_a_pair_that_does_not_hold_is_a_counted_refusal(
    tmp_path: Path, scripted: Scripted, described: Any, again: str | None, reason: str
) -> None:
    scripted(answering(described, again))
    kept, rejected, ledger = written(tmp_path)
    assert (kept, [row.reason for row in rejected]) == ([], [reason])
    assert ledger.rejected == {reason: 1}


def test_weak_inputs_are_found_before_the_code_is_asked_for_again(tmp_path: Path, scripted: Scripted) -> None:
    script = scripted(answering(description(inputs=["([], 1)", "([], 2)", "([], 3)", "([], 4)"])))
    written(tmp_path)
    assert script.labels() == ["reversal: describe"]


@pytest.mark.parametrize(
    "docstring",
    [
        'Ends with "quotes"',
        'Three """ in it.',
        "A \\n backslash.",
        "First.\n\n    Second, indented.\nThird.",
        '"Quoted."',
    ],
)
def test_any_docstring_reads_back_as_it_was_given(tmp_path: Path, scripted: Scripted, docstring: str) -> None:
    scripted(answering(description(docstring)))
    (row,), _, _ = written(tmp_path)
    (function,) = [node for node in ast.parse(row.prompt + row.solution).body if isinstance(node, ast.FunctionDef)]
    said = ast.get_docstring(function)
    assert said is not None
    assert said.split() == docstring.strip('"').split()


def test_a_float_may_differ_in_its_last_digits_and_in_no_others(tmp_path: Path, scripted: Scripted) -> None:
    text = "def mean(values):\n    total = 0.0\n    for value in values:\n        total += value / len(values)\n    return total\n"
    inputs = ["([0.1, 0.2, 0.4],)", "([1, 2],)", "([5.5],)", "([-3, 3, 7],)"]
    for name, body, count in (
        ("right", "sum(values) / len(values)", 1),
        ("wrong", "sum(values) / len(values) + 1e-6", 0),
    ):
        scripted(answering(description(inputs=inputs), f"def mean(values):\n    return {body}\n"))
        assert len(written(tmp_path / name, [document(text)])[0]) == count
    assert assertion("1", "2.5") == "    assert abs(candidate(1) - 2.5) <= 1e-09 * max(1.0, abs(2.5))\n"


def test_sets_are_written_down_in_one_order(tmp_path: Path, scripted: Scripted) -> None:
    text = "def common(one, two):\n    found = set(one)\n    found &= set(two)\n    return found\n"
    inputs = ["('pear', 'reap')", "('ab', 'c')", "({'q', 'b'}, 'bq')", "('xyz', 'zy')"]
    again = "def common(one, two):\n    return {c for c in one if c in two}\n"
    scripted(answering(description(inputs=inputs), again))
    (row,), _, _ = written(tmp_path, [document(text)])
    assert "candidate('pear', 'reap') == {'a', 'e', 'p', 'r'}" in row.tests
    assert "candidate({'b', 'q'}, 'bq') == {'b', 'q'}" in row.tests
    assert "candidate('ab', 'c') == set()" in row.tests


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(1, 2)", "1, 2"),
        (" ( [1,2], {'a': (3,)} ) ", "[1, 2], {'a': (3,)}"),
        ("('a  b',)", "'a  b'"),
        ("(-1.5, None, True)", "-1.5, None, True"),
        ("()", ""),
        ("[1, 2]", ""),
        ("(f(1),)", ""),
        ("({[]: 1},)", ""),
        ("(" * 500 + ")" * 500, ""),
        ("(" + "1," * 600 + ")", ""),
        ("('\0',)", ""),
    ],
)
def test_inputs_are_tuples_of_literals_alone(text: str, found: str) -> None:
    assert arguments_in(text) == found


def function(body: str = "y = x + 1\n    z = y * 2\n    return z", head: str = "def f(x):", before: str = "") -> str:
    return f"{before}{head}\n    {body}\n"


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (function(), True),
        (function(before="import math\n").replace("x + 1", "math.floor(x)"), True),
        (function(before="from os import path\n").replace("x + 1", "path.join(x)"), False),
        (function(before="from . import math\n").replace("x + 1", "math.floor(x)"), False),
        (function(before="LIMIT = 3\n").replace("x + 1", "x + LIMIT"), False),
        (function(before="def g(x): return x\n\n").replace("x + 1", "g(x)"), False),
        (function().replace("x + 1", "f(x - 1) if x else 0"), True),
        (function().replace("x + 1", "open(x)"), False),
        (function().replace("x + 1", "[eval(a) for a in x]"), False),
        (function().replace("x + 1", "print(x)"), False),
        (function("y = x\n    z = y\n    yield z"), False),
        (function("global w\n    w = x\n    return w"), False),
        (function("y = x\n    z = y\n    return"), False),
        (function(head="def _f(x):"), False),
        (function(head="def f():").replace("x + 1", "1"), False),
        (function(head="def f(*x):"), False),
        (function(head="def f(a, b, c, d, x):"), False),
        (function(head="async def f(x):"), False),
        (function(head="@staticmethod\ndef f(x):"), False),
        ("class C:\n    def f(self, x):\n        y = x\n        z = y\n        return z\n", False),
        (function("return x"), False),  # one line teaches nothing
        (function("y = x\n    " * 40 + "return y"), False),
        ("def f(x): y = x; z = y; return z\n", False),
        ('def f(x):\n    """D."""; y = x\n    z = y\n    w = z\n    return w\n', False),
        ("def f(x:\n", False),
        ("", False),
    ],
)
def test_only_functions_that_stand_on_their_own_are_taken(text: str, fits: bool) -> None:
    assert [found.name for found in functions_in(document(text))] == ["f"] * fits


def test_functions_are_drawn_by_the_seed_no_name_twice_and_none_that_is_taken() -> None:
    documents = [document(function(head=f"def {name}(x):"), f"{n}") for n, name in enumerate("abcdefgh" * 2)]
    drawn = [[found.name for found in choose(documents, 4, seed, taken=["a"])] for seed in range(6)]
    assert all(len(set(names)) == 4 and "a" not in names for names in drawn)
    assert len({tuple(names) for names in drawn}) > 1
    assert drawn[0] == [found.name for found in choose(documents[::-1], 4, 0, taken=["a"])]
    assert len(choose(documents, 100, 0)) == 8


def test_a_corpus_without_such_functions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no function there stands on its own"):
        written(tmp_path, [document("x = 1\n")])


def test_reversal_without_a_corpus_is_refused(tmp_path: Path) -> None:
    config = WriteExercises(writer="reversal", n=1, teacher=TEACHER, sandbox=SANDBOX)
    with pytest.raises(RequestError, match="writer reversal reads a corpus; name its folder with --documents DIR"):
        write_exercises(config, responses=tmp_path, out=tmp_path, ledger=Ledger())
