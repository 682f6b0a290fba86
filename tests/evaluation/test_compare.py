"""Arms side by side: the similarity split, differences and completions, on two arms written by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.artifacts import Ledger, read_json, write_json
from hornbook.evaluation.compare import Compare, compare, similar_tasks, spread
from hornbook.records import Exercise, Problem, Provenance, write_dataset
from runs import Command

FAMILIES = {"T/1": "a", "T/2": "a", "T/3": "b"}
BODIES = {
    "T/1": "    return x + 1\n",
    "T/2": "    return x - 1\n",
    "T/3": "    while x:\n        x -= 2\n    return [x]\n",
}
PROBLEMS = [Problem(t, "def f(x):\n", "f", BODIES[t], "def check(c): pass\n", "", FAMILIES[t]) for t in FAMILIES]


@pytest.fixture
def exercises(tmp_path: Path) -> Path:
    """One exercise: the shape of T/1, and of T/2 but for one of eight nodes (FunctionDef … BinOp Name Add int)."""
    row = Exercise("e", "g", "def g(n):\n", "    return n + 7\n", "", "t", [], [], Provenance("hand"))
    write_dataset(tmp_path / "exercises", [row], Exercise)
    return tmp_path / "exercises"


def arm(folder: Path, benchmark: str, passed: str, bits: list[float]) -> Path:
    """An arm whose tasks pass (p) or fail (f), two samples each where two letters stand, with 10 bytes a solution."""
    folder.mkdir()
    verdicts, samples = [], []
    for task, letters in zip(FAMILIES, passed.split(), strict=True):
        for number, letter in enumerate(letters):
            row = {"benchmark": benchmark, "task_id": task, "sample": number}
            verdicts.append({**row, "status": "passed" if letter == "p" else "failed"})
            samples.append({**row, "completion": f"{folder.name} {task} {number}"})
    for name, rows in (("verdicts", verdicts), ("samples", samples)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = {"benchmark": [benchmark] * 3, "task_id": list(FAMILIES), "bits": bits, "bytes": [10, 10, 10]}
    pq.write_table(pa.table(table), folder / "likelihood.parquet")
    write_json(folder / "results.json", {"benchmarks": {benchmark: {"problems": 3}}})
    return folder


def compared(tmp_path: Path, exercises: Path, benchmark: str | None = None, **values: Any) -> dict[str, Any]:
    path = tmp_path / "problems.jsonl"
    path.write_text("".join(json.dumps(problem.row()) + "\n" for problem in PROBLEMS))
    name = benchmark or str(path)
    arms = {
        "base": arm(tmp_path / "base", name, "pf f f", [20.0, 20.0, 20.0]),
        "better": arm(tmp_path / "better", name, "pp p p", [10.0, 15.0, 20.0]),
    }
    settings = {"benchmarks": [str(path)], "pairs": [("base", "better")], "bootstrap": 200, **values}
    compare(Compare(**settings), arms=arms, exercises=exercises, problems={}, out=tmp_path, ledger=Ledger())
    return dict(read_json(tmp_path / "comparison.json"))


@pytest.mark.parametrize(("tau", "similar"), [(1.0, {"T/1"}), (0.88, {"T/1"}), (0.875, {"T/1", "T/2"})])
def test_a_problem_is_similar_from_the_match_rate_on(exercises: Path, tau: float, similar: set[str]) -> None:
    assert similar_tasks(PROBLEMS, exercises, tau) == similar


def test_no_exercise_makes_nothing_similar(tmp_path: Path) -> None:
    write_dataset(tmp_path / "none", [], Exercise)
    assert similar_tasks(PROBLEMS, tmp_path / "none", 0.1) == set()


def test_each_side_of_the_split_has_its_own_figures(tmp_path: Path, exercises: Path) -> None:
    found = compared(tmp_path, exercises, tau=0.875)
    rows = {(r["measure"], r["split"]): (r["problems"], r["value"]) for r in found["arms"][1]["splits"]}
    assert found["arms"][1]["name"] == "better"
    assert rows == {
        ("bits_per_byte", "similar"): (2, 1.25),
        ("bits_per_byte", "not similar"): (1, 2.0),
        ("pass_at_1", "similar"): (2, 1.0),
        ("pass_at_1", "not similar"): (1, 1.0),
    }
    base = {(r["measure"], r["split"]): r["value"] for r in found["arms"][0]["splits"]}
    assert base["pass_at_1", "similar"] == pytest.approx(1 / 3, abs=1e-6)  # one of three samples of two problems


def test_an_empty_side_of_the_split_is_left_out(tmp_path: Path, exercises: Path) -> None:
    write_dataset(exercises, [], Exercise)
    found = compared(tmp_path, exercises)
    assert {row["split"] for part in found["arms"] for row in part["splits"]} == {"not similar"}


def test_differences_are_second_less_first_and_say_which_way_is_better(tmp_path: Path, exercises: Path) -> None:
    bits, passes = compared(tmp_path, exercises)["differences"]
    assert (bits["a"], bits["b"], bits["measure"], bits["better"]) == ("base", "better", "bits_per_byte", "lower")
    assert bits["value"] == -0.5  # 45 of 30 less 60 of 30
    assert (passes["measure"], passes["better"], passes["value"]) == ("pass_at_1", "higher", 0.75)
    assert passes["claims"] is True


def test_a_benchmark_that_was_examined_and_is_not_compared_has_no_split(tmp_path: Path, exercises: Path) -> None:
    found = compared(tmp_path, exercises, benchmark="another")
    assert [part["splits"] for part in found["arms"]] == [[], []]


def test_the_first_sample_of_every_arm_stands_beside_the_others(tmp_path: Path, exercises: Path) -> None:
    rows = compared(tmp_path, exercises, shown=2)["completions"]
    assert [row["task_id"] for row in rows] == ["T/1", "T/3"]
    assert rows[1]["arms"] == {
        "base": {"completion": "base T/3 0", "status": "failed"},
        "better": {"completion": "better T/3 0", "status": "passed"},
    }
    assert rows[0]["solution"] == BODIES["T/1"]


def test_what_is_shown_takes_one_of_each_family_before_a_second() -> None:
    problems = [Problem(f"{n}", "", "", "", "", "", family) for n, family in enumerate("aaabbc")]
    assert [p.task_id for p in spread(problems, 5)] == ["0", "3", "5", "1", "4"]


def test_two_evaluations_are_compared_at_the_command_line(hornbook: Command, tmp_path: Path) -> None:
    arm(tmp_path / "a", "x", "pf f f", [20.0, 20.0, 20.0])
    arm(tmp_path / "b", "x", "pp p p", [10.0, 15.0, 20.0])
    found = hornbook("compare", tmp_path / "a", tmp_path / "b", "--json").json["differences"]
    values = {row["measure"]: (row["value"], row["problems"], row["better"]) for row in found}
    assert values == {"bits_per_byte": (-0.5, 3, "lower"), "pass_at_1": (0.75, 3, "higher")}
    assert "x bits_per_byte: -0.5000" in hornbook("compare", tmp_path / "a", tmp_path / "b").out


def test_evaluations_that_share_no_problem_are_refused(hornbook: Command, tmp_path: Path) -> None:
    arm(tmp_path / "a", "x", "p p p", [1.0, 1.0, 1.0])
    arm(tmp_path / "b", "y", "p p p", [1.0, 1.0, 1.0])
    assert "no problem in common" in hornbook("compare", tmp_path / "a", tmp_path / "b").complaint(2)
    assert "no verdicts.jsonl there" in hornbook("compare", tmp_path / "a", tmp_path).complaint(2)
