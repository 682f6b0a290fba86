"""Textbooks and exercises: only what runs is kept, whoever wrote it, and everything else is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.artifacts import Ledger
from hornbook.errors import CanaryError, InfrastructureError, InputError
from hornbook.records import Exercise, Provenance, Rejected, Section, Verdict, read_dataset, write_dataset
from hornbook.sandbox.run import BlockResult, Program, Sandbox
from hornbook.synthesis import write as door
from hornbook.synthesis.kill import count_kills
from hornbook.synthesis.reverify import reverify
from hornbook.synthesis.textbooks import Block, blocks, first_fault, read_section, shelf, verify
from hornbook.synthesis.write import WriteExercises, WriteTextbooks, verify_exercises, write_exercises, write_textbooks

SANDBOX = Sandbox(workers=1)


def fenced(language: str, content: str) -> str:
    return f"```{language}\n{content}```\n"


def section(*parts: str, name: str = "s") -> Section:
    return Section(name, "# Title\n\n" + "\nThen:\n\n".join(parts), "t", "a", "s", [], [], Provenance("hand"))


def test_blocks_are_read_with_the_output_that_follows_each() -> None:
    text = "\n".join(
        [
            "Prose with ```ticks``` inside.",
            fenced("output", "nobody printed this\n"),
            fenced("python", "x = 1\n"),
            fenced("python", "print(x)\n"),
            "which prints",
            fenced("output", "1\n"),
            fenced("output", "an example of something else\n"),
            fenced("text", "print('not code')\n"),
            fenced("", "nor this\n"),
        ]
    )
    assert blocks(text) == [Block("x = 1\n", None), Block("print(x)\n", "1\n")]


@pytest.mark.parametrize("info", ["python", "py", "python3", "Python", " python", "python title=example", "python  "])
def test_a_block_of_python_is_run_however_its_fence_is_written(info: str) -> None:
    assert blocks(f"```{info}\nx = 1\n```\n\nprose\n\n```python\ny = 2\n```\n") == [
        Block("x = 1\n", None),
        Block("y = 2\n", None),
    ]


def test_a_block_that_nobody_closed_is_run_too() -> None:
    assert blocks("```python\nx = 1\n```\n```python\nprint(x") == [Block("x = 1\n", None), Block("print(x", None)]


@given(st.lists(st.tuples(st.text("abc =1\n#"), st.none() | st.text("abc 1\n")), max_size=5))
def test_blocks_come_back_as_they_were_written(parts: list[tuple[str, str | None]]) -> None:
    made = [Block(f"{code}\n", None if output is None else f"{output}\n") for code, output in parts]
    text = "".join(fenced("python", b.code) + ("" if b.output is None else fenced("output", b.output)) for b in made)
    assert blocks(text) == made


def ran(stdout: str = "", error: str | None = None) -> BlockResult:
    return BlockResult(stdout, error)


@pytest.mark.parametrize(
    ("expected", "results", "fault"),
    [
        ([], [], "no python block to verify"),
        ([Block("", None)], [ran("anything")], ""),
        ([Block("", "1\n2\n")], [ran("1  \n2\n\n")], ""),
        ([Block("", " 1\n")], [ran("1\n")], "block 1 printed '1', the text says '1'"),
        ([Block("", "1\n")], [ran("1\n1\n")], "block 1 printed '1\\n1', the text says '1'"),
        ([Block("", None), Block("", "1")], [ran(), ran("2")], "block 2 printed '2', the text says '1'"),
        ([Block("", None), Block("", None)], [ran()], "block 2 did not run"),
        ([Block("", "1")], [ran("1", "ValueError: no")], "block 1 failed: ValueError: no"),
    ],
)
def test_the_first_fault_is_named(expected: list[Block], results: list[BlockResult], fault: str) -> None:
    assert first_fault(expected, results) == fault


def test_sections_are_verified_by_running_them() -> None:
    given = {
        "right": section(fenced("python", "x = 2\n"), fenced("python", "print(x * 2)\n"), fenced("output", "4\n")),
        "wrong output": section(fenced("python", "print(4)\n"), fenced("output", "5\n")),
        "raises": section(fenced("python", "x = 1\n"), fenced("python", "[][0]\n")),
        "not python": section(fenced("python", "x = = 1\n")),
        "no code": section("Nothing to run."),
        "of another section": section(fenced("python", "print(x)\n")),
    }
    found = dict(zip(given, verify(list(given.values()), SANDBOX), strict=True))
    assert {name: made.verified for name, (made, _) in found.items()} == {name: name == "right" for name in given}
    faults = {name: fault for name, (_, fault) in found.items()}
    assert faults["right"] == ""
    assert faults["wrong output"] == "block 1 printed '4', the text says '5'"
    assert faults["raises"].startswith("block 2 failed: IndexError")
    assert "SyntaxError" in faults["not python"]
    assert faults["no code"] == "no python block to verify"
    assert "NameError" in faults["of another section"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# No front matter\n", "x.md: no front matter"),
        ("---\njust words\n---\ntext\n", "x.md: no front matter"),
        ("---\ntopic: t\nstyle: ''\n---\ntext\n", "x.md: front matter lacks audience, style"),
    ],
)
def test_a_section_without_its_front_matter_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_section(text, "x.md")


def test_a_section_is_the_text_below_its_front_matter() -> None:
    found = read_section("---\ntopic: t\naudience: a\nstyle: s\n---\n\n# Title\n---\nmore\n\n", "x.md")
    assert (found.text, found.topic, found.audience, found.style) == ("# Title\n---\nmore\n", "t", "a", "s")
    assert not found.verified


def test_every_section_of_the_shelf_holds() -> None:
    sections = shelf()
    assert len(sections) >= 20
    assert len({s.id for s in sections}) == len({s.topic for s in sections}) == len(sections)
    assert {s.provenance.recipe: fault for s, fault in verify(sections, Sandbox()) if fault} == {}


def written_textbooks(folder: Path, **values: Any) -> tuple[list[Section], list[Rejected], Ledger]:
    ledger = Ledger()
    config = WriteTextbooks(**{"sandbox": SANDBOX, **values})
    write_textbooks(config, responses=folder / "responses", out=folder, ledger=ledger)
    return list(read_dataset(folder / "sections", Section)), list(read_dataset(folder / "rejected", Rejected)), ledger


def test_no_two_sections_of_the_shelf_tell_the_same() -> None:
    words = [section.text.split() for section in shelf()]
    shingles = [{tuple(part[k : k + 5]) for k in range(len(part) - 4)} for part in words]
    alike = [len(a & b) / len(a | b) for number, a in enumerate(shingles) for b in shingles[:number]]
    assert max(alike) < 0.1
    assert sum(map(len, words)) > 100_000


def test_the_first_sections_of_the_shelf_are_written_and_the_planted_one_is_not(tmp_path: Path) -> None:
    kept, rejected, ledger = written_textbooks(tmp_path, n=2)
    assert sorted(s.provenance.recipe for s in kept) == [s.provenance.recipe for s in shelf()[:2]]
    assert all(s.verified for s in kept)
    assert (rejected, ledger.rows_in, ledger.rows_out) == ([], 2, 2)
    assert [(c["name"], c["expected"], c["caught"]) for c in ledger.canaries] == [("write/wrong-output", True, True)]


def test_output_that_is_not_compared_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hornbook.synthesis.textbooks.stripped", lambda _: [])
    with pytest.raises(CanaryError, match="write/wrong-output"):
        written_textbooks(tmp_path, n=1)


def task(name: str, body: str, tests: str = "", **more: str) -> dict[str, str]:
    tests = tests or "def check(candidate):\n    assert candidate(3) == 6\n"
    return {"prompt": f'def {name}(x):\n    """Twice x."""\n', "solution": body, "tests": tests} | more


def written_exercises(folder: Path, **values: Any) -> tuple[list[Exercise], list[Rejected], Ledger]:
    ledger = Ledger()
    config = WriteExercises(**{"sandbox": SANDBOX, **values})
    write_exercises(config, responses=folder / "responses", out=folder, ledger=ledger)
    return list(read_dataset(folder / "exercises", Exercise)), list(read_dataset(folder / "rejected", Rejected)), ledger


def test_no_mutants_asked_for_none_counted(tmp_path: Path) -> None:
    kept, _, _ = written_exercises(tmp_path, n=2, held_out=0, families=["digits"], mutants=0)
    assert [(row.mutants, row.mutants_killed) for row in kept] == [(0, 0), (0, 0)]


def test_a_mutant_that_never_ends_is_killed_and_one_that_passes_is_not() -> None:
    """For 2: `not`, >= 0, < 0 and > 1 return 2, -1, 2, 1; x + 1 and x - 0 never end; x - 2 is 0 too; the last is None."""
    loop = Exercise(
        id="loop",
        name="f",
        prompt="def f(x):\n",
        solution="    while x > 0:\n        x = x - 1\n    return x\n",
        tests="def check(candidate):\n    assert candidate(2) == 0\n",
        topic="t",
    )
    (counted,) = count_kills([loop], SANDBOX, 20, trusted=True)
    assert (counted.mutants, counted.mutants_killed) == (8, 7)


def test_our_own_tests_are_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Program] = []

    def judge(_: Sandbox, programs: Sequence[Program]) -> list[Verdict]:
        seen.extend(programs)
        return [Verdict(p.task_id, 0, "failed" if p.task_id == "canary" else "passed") for p in programs]

    monkeypatch.setattr(door, "judge", judge)
    written_exercises(tmp_path, n=1, held_out=0)
    assert [p.trusted for p in seen] == [True, True]


def test_procedural_exercises_are_verified_and_held_out_ones_stand_apart(tmp_path: Path) -> None:
    kept, rejected, ledger = written_exercises(tmp_path, n=12, held_out=4, seed=1, families=["digits", "words"])
    held_out = list(read_dataset(tmp_path / "held_out", Exercise))
    assert (len(kept), len(held_out), rejected) == (12, 4, [])
    assert all(row.verified for row in [*kept, *held_out])
    assert {row.id for row in kept}.isdisjoint(row.id for row in held_out)
    assert ledger.figures.pop("diversity")["rows"] == 12
    assert (ledger.rows_in, ledger.rows_out, ledger.figures) == (16, 16, {"training": 12, "held_out": 4})
    assert [c["caught"] for c in ledger.canaries] == [True]


def exercise(name: str, body: str) -> Exercise:
    return Exercise(name, name, **task(name, body), topic="t", license=[], parents=[], provenance=Provenance("hand"))


def judged(monkeypatch: pytest.MonkeyPatch, status: str, of_the_canary: str = "") -> None:
    def judge(_: Sandbox, programs: Sequence[Program]) -> list[Verdict]:
        canary = of_the_canary or status
        return [Verdict(p.task_id, 0, canary if p.task_id == "canary" else status, "why") for p in programs]

    monkeypatch.setattr(door, "judge", judge)


def test_a_judge_that_passes_everything_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    judged(monkeypatch, "passed")
    with pytest.raises(CanaryError, match="write/wrong-solution"):
        verify_exercises([exercise("f", "    return 6\n")], SANDBOX, True, Ledger())


def test_what_the_sandbox_could_not_judge_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    judged(monkeypatch, "infrastructure")
    with pytest.raises(InfrastructureError, match="verifying f: why; rerun to go on"):
        verify_exercises([exercise("f", "    return 6\n")], SANDBOX, True, Ledger())


def test_nothing_to_verify_is_nothing_kept() -> None:
    assert verify_exercises([], SANDBOX, True, Ledger()) == ([], [])


def test_exercises_are_run_again_and_counted(tmp_path: Path) -> None:
    rows = [exercise("right", "    return x * 2\n"), replace(exercise("wrong", "    return x\n"), verified=True)]
    write_dataset(tmp_path / "exercises", rows, Exercise)
    found = reverify(tmp_path)
    assert (found["rows"], found["verified"], found["rejected"]) == (2, 1, {"not-verified": 1})
    assert [(row["id"], row["fault"].partition(":")[0]) for row in found["faults"]] == [("wrong", "failed")]


def test_sections_are_run_again_and_counted(tmp_path: Path) -> None:
    rows = [section(fenced("python", "1 / 0\n"), name="bad"), section(fenced("python", "x = 1\n"), name="good")]
    write_dataset(tmp_path, rows, Section)
    found = reverify(tmp_path)
    assert (found["rows"], found["verified"], found["rejected"]) == (2, 1, {"not-verified": 1})
    assert [row["id"] for row in found["faults"]] == ["bad"]


def test_other_rows_cannot_be_verified(tmp_path: Path) -> None:
    write_dataset(tmp_path, [Rejected("i", "s", "r")], Rejected)
    with pytest.raises(InputError, match=r"neither exercises nor sections; found columns \['detail'"):
        reverify(tmp_path)


def test_the_sandbox_failing_while_rows_are_run_again_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(tmp_path, [exercise("f", "    pass\n")], Exercise)
    monkeypatch.setattr("hornbook.synthesis.reverify.judge", lambda *_: [Verdict("f", 0, "infrastructure", "died")])
    with pytest.raises(InfrastructureError, match="f: died; run again"):
        reverify(tmp_path)
