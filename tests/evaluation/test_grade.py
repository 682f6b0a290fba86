"""The language-model grader: asked several times, kept raw, read strictly, and set beside execution's verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from endpoint import Server
from hornbook.artifacts import Ledger, append_jsonl, read_json, read_jsonl, write_json
from hornbook.errors import MissingResponse, RequestError
from hornbook.evaluation.alone import Examinee, evaluate_alone, read_grader
from hornbook.evaluation.evaluate import Evaluate
from hornbook.evaluation.grade import Grader, correlation, figures, grade, read_grade, request
from hornbook.records import Problem, Sample
from hornbook.teacher.store import ResponseStore

PROBLEMS = [Problem(f"U/{n}", f"def f{n}():\n", f"f{n}", "", "", rubric=f"rule {n}") for n in range(3)]
SAMPLES = [Sample(f"U/{n}", s, f"    return {n}{s}\n") for n in range(3) for s in range(2)]
GRADER = Grader(model="judge", repeats=2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is right. Grade: 8", 8.0),
        ("Fair.\n\n**Grade: 7**", 7.0),
        ("**Grade:** 6/10", 6.0),
        ("grade = 10", 10.0),
        ("Grade: 0", 0.0),
        ("A grade 3 student would err.\nGrade: 5", 5.0),
        ("Grade: 7.5", 7.5),
        ("Grade: 11", None),
        ("Grade: <0-10>", None),
        ("Grade: 0-10", None),
        ("I would give it eight.", None),
        ("8", None),
        ("", None),
    ],
)
def test_a_grade_is_read_strictly(text: str, expected: float | None) -> None:
    assert read_grade(text) == expected


def rows(grades: Mapping[str, list[float | None]], passed: set[str]) -> list[dict[str, Any]]:
    return [
        {"task_id": task, "grade": value, "status": "passed" if task in passed else "failed"}
        for task, values in grades.items()
        for value in values
    ]


def test_figures_are_those_worked_out_by_hand() -> None:
    found = figures(rows({"a": [8, 10], "b": [3, None], "c": [1, 1], "d": [None, None]}, {"a"}), 100, 0)
    assert (found["problems"], found["answers"], found["unreadable"]) == (3, 8, 3)
    assert found["grade"]["value"] == pytest.approx((9 + 3 + 1) / 3, abs=1e-6)
    assert found["spread"] == pytest.approx(2**0.5 / 2, abs=1e-4)  # sd of 8 and 10 is √2, of 1 and 1 is 0
    assert found["agreement"] == pytest.approx(7 / 52**0.5, abs=1e-4)  # of (9, 3, 1) and (1, 0, 0)


def test_what_cannot_be_read_is_never_a_zero() -> None:
    found = figures(rows({"a": [None]}, set()), 100, 0)
    assert found["grade"] is found["spread"] is found["agreement"] is None
    assert found["unreadable"] == 1


def test_agreement_needs_both_sides_to_vary() -> None:
    assert correlation([1, 2], [1, 1]) is correlation([3, 3], [0, 1]) is correlation([1], [1]) is None


def test_the_question_holds_task_rubric_and_program_and_asks_for_the_assessment_first() -> None:
    text = request(GRADER, PROBLEMS[1], SAMPLES[2], 0).messages[0][1]
    assert "rule 1" in text
    assert "def f1():\n    return 10\n" in text
    assert text.index("assess") < text.index("Grade:")


def judged(out: Path) -> Path:
    """What judging leaves: U/0 passed, the others not."""
    out.mkdir()
    for sample in SAMPLES:
        status = "passed" if sample.task_id == "U/0" else "failed"
        append_jsonl(
            out / "verdicts.jsonl",
            {"benchmark": "u", "task_id": sample.task_id, "sample": sample.sample, "status": status},
        )
    write_json(out / "results.json", {"benchmarks": {"u": {"problems": 3}, "other": {}}})
    return out


def chat(text: str) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": text}}]}


def run(grader: Grader, tmp_path: Path, out: Path) -> dict[str, Any]:
    problems = {"u": PROBLEMS, "other": [Problem("O/1", "", "f", "", "")]}  # the other has no rubric
    samples = {"u": SAMPLES, "other": [Sample("O/1", 0, "")]}
    grade(grader, problems, samples, tmp_path / "store", judged(out), 100, 0, Ledger())
    found = read_json(out / "results.json")["benchmarks"]
    assert found["other"] == {}
    return dict(found["u"]["grades"])


def test_an_endpoint_grades_once_and_the_store_grades_again(
    serve: Callable[..., Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(lambda body: chat("So so. Grade: 9" if "f0" in body["messages"][0]["content"] else "No idea."))
    asking = GRADER.model_copy(update={"url": server.url})
    found = run(asking, tmp_path, tmp_path / "a")
    assert (found["grade"]["value"], found["unreadable"], found["answers"]) == (9.0, 4, 6)
    assert len(server.asked) == 6  # three first samples, twice each
    assert server.asked[0][0] == "/v1/chat/completions"
    written = list(read_jsonl(tmp_path / "a" / "grades.jsonl"))
    assert [(r["task_id"], r["repeat"], r["grade"], r["status"]) for r in written[:3]] == [
        ("U/0", 0, 9.0, "passed"),
        ("U/0", 1, 9.0, "passed"),
        ("U/1", 0, None, "failed"),
    ]
    assert written[2]["assessment"] == "No idea."
    assert run(asking, tmp_path, tmp_path / "b") == run(GRADER, tmp_path, tmp_path / "c") == found
    assert len(server.asked) == 6
    assert (tmp_path / "a" / "grades.jsonl").read_bytes() == (tmp_path / "c" / "grades.jsonl").read_bytes()


def test_answers_are_stored_raw_before_anyone_reads_them(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve(lambda _: {"choices": "none of the usual", "more": 1})
    assert run(GRADER.model_copy(update={"url": server.url}), tmp_path, tmp_path / "a")["unreadable"] == 6
    store = ResponseStore(tmp_path / "store")
    assert store.get(request(GRADER, PROBLEMS[0], SAMPLES[0], 0).key) == {"choices": "none of the usual", "more": 1}


def test_without_an_endpoint_an_answer_that_was_never_given_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingResponse, match="from model 'judge'"):
        run(GRADER, tmp_path, tmp_path / "a")


def test_a_grader_is_named_with_its_place() -> None:
    there = read_grader("owner/judge@http://h:1/v1", 5, 4)
    assert (there.model, there.url, there.repeats, there.concurrency) == ("owner/judge", "http://h:1/v1", 5, 4)
    assert read_grader("judge@replay", 3, 4).url == ""


@pytest.mark.parametrize("named", ["judge", "@replay", "judge@", "judge@host", "judge@ftp://x"])
def test_a_grader_that_is_none_is_refused(named: str) -> None:
    with pytest.raises(RequestError, match="write MODEL@URL"):
        read_grader(named, 3, 4)


def test_how_often_to_grade_must_make_sense() -> None:
    with pytest.raises(RequestError, match="--grades 0"):
        read_grader("judge@replay", 0, 4)


def test_a_benchmark_without_rubrics_is_refused_before_any_work(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(
        '{"task_id": "a", "prompt": "", "entry_point": "f", "canonical_solution": "", "test": "def check(c): 0"}'
    )
    settings = Evaluate(benchmarks=[str(path)], grader=GRADER)
    with pytest.raises(RequestError, match="has a rubric to grade by"):
        evaluate_alone(settings, Examinee("no-model"), tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()
