"""The examination: every figure by hand, and a run that was cut off ends in the bytes of one that was not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from hornbook.artifacts import Ledger, digest_folder, read_json, read_jsonl
from hornbook.errors import InfrastructureError, RequestError
from hornbook.evaluation import evaluate as door
from hornbook.evaluation import sampling
from hornbook.evaluation.alone import Examinee, check_k, evaluate_alone, judge_file
from hornbook.evaluation.baseline import answers, baseline, copy_answer
from hornbook.evaluation.evaluate import Evaluate, evaluate, judge_samples, program_of, summarize
from hornbook.evaluation.sampling import generate
from hornbook.model.generate import Decoding
from hornbook.model.likelihood import likelihoods
from hornbook.model.load import LanguageModel
from hornbook.records import Exercise, Problem, Provenance, Sample, Verdict, write_dataset
from hornbook.sandbox.run import Program, Sandbox

SANDBOX = Sandbox(workers=1)
STORE = Path("no-store")  # nobody grades here


def problem(task: str, name: str, solution: str, family: str = "", prompt: str = "") -> Problem:
    prompt = prompt or f'def {name}(x):\n    """{name.title()} of x."""\n'
    return Problem(
        task, prompt, name, solution, f"def check(candidate):\n    assert candidate(3) == {3 + len(task)}\n", "", family
    )


PROBLEMS = [  # each must add the length of its task id
    problem("T/1", "three", "    return x + 3\n", "sums"),
    problem("T/22", "four", "    return x + 4\n", "sums"),
    problem("T/333", "five", "    return x + 5\n", "others"),
]


@pytest.fixture
def benchmark_file(tmp_path: Path) -> Path:
    """The problems in HumanEval's format."""
    return write_lines(tmp_path / "problems.jsonl", [p.row() for p in PROBLEMS])


def write_lines(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def config(**values: Any) -> Evaluate:
    settings = {"benchmarks": [], "bootstrap": 100, "decoding": Decoding(max_new_tokens=6), "sandbox": SANDBOX}
    return Evaluate(**{**settings, **values})


def test_a_model_is_examined_from_problem_file_to_results(student: Path, benchmark_file: Path, tmp_path: Path) -> None:
    out, ledger, name = tmp_path / "out", Ledger(), str(benchmark_file)
    out.mkdir()
    evaluate(config(benchmarks=[name]), model=student, problems={}, responses=STORE, out=out, ledger=ledger)
    found = read_json(out / "results.json")["benchmarks"][name]
    assert (found["problems"], found["missing"], found["samples"]) == (3, 0, 3)
    assert found["pass_at_k"] == {"1": {"value": 0.0, "low": 0.0, "high": 0.0}}
    assert found["families"] == {"others": {"problems": 1, "pass_at_1": 0.0}, "sums": {"problems": 2, "pass_at_1": 0.0}}
    verdicts = list(read_jsonl(out / "verdicts.jsonl"))
    assert [v["task_id"] for v in verdicts] == ["T/1", "T/22", "T/333"]
    assert {v["benchmark"] for v in verdicts} == {name}
    rows = pq.read_table(out / "likelihood.parquet").to_pylist()
    assert [(row["task_id"], row["bytes"]) for row in rows] == [(p.task_id, 17) for p in PROBLEMS]
    total = sum(row["bits"] for row in rows)
    assert found["bits_per_byte"]["value"] == pytest.approx(total / 51, abs=1e-4)
    assert ledger.figures[name]["bits_per_byte"] == found["bits_per_byte"]["value"]


def test_likelihood_is_that_of_the_gold_solution_after_its_prompt(opened: LanguageModel) -> None:
    rows = door.score(config(mutants=0), opened, {"b": PROBLEMS})["b"]
    alone = [likelihoods(opened, [(p.prompt, p.canonical_solution)])[0].bits for p in PROBLEMS]
    assert [row["bits"] for row in rows] == pytest.approx(alone, rel=1e-3)


def test_more_draws_than_samples_are_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="k 10 needs as many samples a problem; there are 9"):
        evaluate(
            config(k=[1, 10], samples=9), model=tmp_path, problems={}, responses=STORE, out=tmp_path, ledger=Ledger()
        )


@pytest.mark.parametrize("k", [[], [0], [-1]])
def test_draws_that_make_no_sense_are_refused(k: list[int]) -> None:
    with pytest.raises(ValidationError):
        Evaluate(k=k)


def made(opened: LanguageModel, path: Path, **values: Any) -> bytes:
    """samples.jsonl of seven completions in batches of three."""
    settings = {"samples": 7, "batch_sequences": 3, "decoding": Decoding(max_new_tokens=6, temperature=1.5)}
    generate(config(**{**settings, **values}), opened, {"b": PROBLEMS[:1]}, path)
    return path.read_bytes()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.55, 0.9, 0.999])
def test_samples_cut_off_anywhere_are_completed_to_the_same_bytes(
    opened: LanguageModel, tmp_path: Path, share: float
) -> None:
    whole = made(opened, tmp_path / "whole.jsonl")
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(whole[: int(len(whole) * share)])
    assert made(opened, cut) == whole


def test_only_batches_that_are_not_there_are_generated(
    opened: LanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, sizes = tmp_path / "samples.jsonl", []
    lines = made(opened, path).splitlines(keepends=True)
    real = sampling.complete
    monkeypatch.setattr(sampling, "complete", lambda m, prompts, *c: sizes.append(len(prompts)) or real(m, prompts, *c))
    for kept, expected in ((7, []), (6, [1]), (5, [3, 1]), (3, [3, 1]), (0, [3, 3, 1])):
        sizes.clear()
        path.write_bytes(b"".join(lines[:kept]))
        made(opened, path)
        assert sizes == expected, kept


def test_samples_of_one_problem_are_drawn_apart(opened: LanguageModel, tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    made(opened, path, batch_sequences=1)
    assert len({row["completion"] for row in read_jsonl(path)}) > 1


def test_every_problem_gets_its_samples_whatever_the_batch(opened: LanguageModel, tmp_path: Path) -> None:
    found = generate(
        config(samples=2, batch_sequences=4), opened, {"a": PROBLEMS[:2], "b": PROBLEMS[2:]}, tmp_path / "samples.jsonl"
    )
    assert {name: sorted((s.task_id, s.sample) for s in part) for name, part in found.items()} == {
        "a": [("T/1", 0), ("T/1", 1), ("T/22", 0), ("T/22", 1)],
        "b": [("T/333", 0), ("T/333", 1)],
    }


def verdicts(**statuses: str) -> list[Verdict]:
    """Verdicts by task: p passed, f failed."""
    words = {"p": "passed", "f": "failed"}
    tasks = {"one": "T/1", "two": "T/22", "three": "T/333"}
    return [Verdict(tasks[task], n, words[s]) for task, line in statuses.items() for n, s in enumerate(line)]


def test_results_are_those_worked_out_by_hand() -> None:
    judged = verdicts(one="pfff", two="ppff")
    samples = [Sample(v.task_id, v.sample, "    return (\n" if v.sample == 0 else "    return 1\n") for v in judged]
    found = summarize(config(k=[1, 2, 4, 5]), PROBLEMS, samples, judged, [])
    values = {k: estimate["value"] for k, estimate in found["pass_at_k"].items()}
    # pass@2: 1 - 3/6 and 1 - 1/6; five samples are not there
    assert values == {"1": 0.375, "2": pytest.approx((0.5 + 5 / 6) / 2, abs=1e-6), "4": 1.0}
    assert (found["problems"], found["missing"], found["samples"]) == (3, 1, 8)
    assert found["statuses"] == {"failed": 5, "passed": 3}
    assert found["families"] == {"sums": {"problems": 2, "pass_at_1": 0.375}}
    assert found["parse_rate"]["value"] == 0.75
    assert "bits_per_byte" not in found


def test_rates_have_their_intervals_over_problems() -> None:
    judged = [Verdict("T/1", n, "failed", "NameError: x") for n in range(50)]
    judged += [Verdict("T/22", n, "failed", "AssertionError: no") for n in range(50)]
    texts = {"T/1": "    return (\n", "T/22": "    return 1\n"}
    found = summarize(config(), PROBLEMS, [Sample(v.task_id, v.sample, texts[v.task_id]) for v in judged], judged, [])
    for name in ("parse_rate", "execute_rate"):  # two problems, each wholly good or bad: a resample may hold one only
        assert found[name] == {"value": 0.5, "low": 0.0, "high": 1.0}


@pytest.mark.parametrize(
    ("status", "detail", "ran"),
    [
        ("passed", "", True),
        ("failed", "AssertionError: assert f(1) == 2", True),
        ("failed", "NameError: name 'x' is not defined", False),
        ("failed", "SyntaxError: invalid syntax", False),
        ("timeout", "the program used up its CPU time", False),
        ("crashed", "", False),
    ],
)
def test_a_program_executes_when_its_tests_had_the_last_word(status: str, detail: str, ran: bool) -> None:
    assert door.executes(Verdict("T", 0, status, detail)) is ran


def test_a_gold_solution_without_a_byte_has_no_part_in_bits_per_byte() -> None:
    rows = [{"task_id": "T/1", "bits": 8.0, "bytes": 4}, {"task_id": "T/22", "bits": 0.0, "bytes": 0}]
    found = summarize(config(), PROBLEMS, [], [], rows)
    assert found["bits_per_byte"] == {"value": 2.0, "low": 2.0, "high": 2.0}
    assert "bits_per_byte" not in summarize(config(), PROBLEMS, [], [], rows[1:])


def test_where_completions_are_whole_programs_the_prompt_is_left_out() -> None:
    whole = Problem("MBPP/1", '"""text"""\n', "f", "", "", completes=False)
    assert program_of(whole, "def f(): pass\n") == "def f(): pass\n"
    assert program_of(PROBLEMS[0], "    pass\n") == PROBLEMS[0].prompt + "    pass\n"


def judged_file(tmp_path: Path, benchmark_file: Path, rows: list[dict[str, Any]], **values: Any) -> Path:
    out = tmp_path / "out"
    out.mkdir()
    samples = write_lines(tmp_path / "samples.jsonl", rows)
    judge_file(
        config(benchmarks=[str(benchmark_file)], **values), samples=samples, responses=STORE, out=out, ledger=Ledger()
    )
    return out


def test_a_file_of_samples_is_judged(tmp_path: Path, benchmark_file: Path) -> None:
    answers = [
        ("T/1", "    return x + 3\n"),
        ("T/1", "    return x\n"),
        ("T/22", "    return (\n"),
        ("T/22", "    1/0\n"),
    ]
    rows = [{"task_id": task, "completion": text} for task, text in answers]
    out = judged_file(tmp_path, benchmark_file, rows, k=[1, 2])
    found = read_json(out / "results.json")["benchmarks"][str(benchmark_file)]
    assert {k: estimate["value"] for k, estimate in found["pass_at_k"].items()} == {"1": 0.25, "2": 0.5}
    assert (found["problems"], found["missing"], found["samples"]) == (3, 1, 4)
    assert found["parse_rate"]["value"] == 0.75
    assert found["families"] == {"sums": {"problems": 2, "pass_at_1": 0.25}}
    assert [v["status"] for v in read_jsonl(out / "verdicts.jsonl")][:2] == ["passed", "failed"]


def test_what_the_sandbox_could_not_judge_is_an_error_and_not_a_zero(
    tmp_path: Path, benchmark_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [Verdict("T/1", 0, "infrastructure", "the worker died")]
    monkeypatch.setattr("hornbook.evaluation.evaluate.judge_samples", lambda *_: broken)
    with pytest.raises(InfrastructureError, match="1 programs were not judged"):
        judged_file(tmp_path, benchmark_file, [{"task_id": "T/1", "completion": ""}])


def test_an_examination_that_the_sandbox_broke_off_fails_and_keeps_its_samples(
    student: Path, benchmark_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "judge_samples", lambda *_: [Verdict("T/1", 0, "infrastructure")])
    settings = config(benchmarks=[str(benchmark_file)], likelihood=False)
    with pytest.raises(InfrastructureError, match="run again to go on"):
        evaluate(settings, model=student, problems={}, responses=STORE, out=tmp_path, ledger=Ledger())
    assert len(list(read_jsonl(tmp_path / "samples.jsonl"))) == 3


def test_judging_twice_in_one_folder_writes_the_same_bytes(
    student: Path, benchmark_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "judge_samples", lambda *_: verdicts(one="p", two="f", three="f"))
    settings, out = config(benchmarks=[str(benchmark_file)]), tmp_path / "out"
    out.mkdir()
    digests = []
    for _ in range(2):
        evaluate(settings, model=student, problems={}, responses=STORE, out=out, ledger=Ledger())
        digests.append(digest_folder(out))
    assert digests[0] == digests[1]


def test_tests_of_a_persons_own_file_are_not_trusted(benchmark_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Program] = []
    monkeypatch.setattr(door, "judge", lambda _, programs: seen.extend(programs) or [])
    for benchmark in (str(benchmark_file), "unconventional"):
        judge_samples(SANDBOX, benchmark, PROBLEMS, [Sample("T/1", 0, "    pass\n")])
    assert [program.trusted for program in seen] == [False, True]
    assert seen[0].source == PROBLEMS[0].prompt + "    pass\n"


@pytest.mark.parametrize(
    ("ks", "counts", "message"),
    [
        ([3], {"a": 4, "b": 2}, "task b has 2 samples; pass@k needs 1 ≤ k ≤ 2"),
        ([0, 1], {"a": 4}, "pass@k needs 1 ≤ k ≤ 4"),
        ([1], {}, "holds no samples"),
    ],
)
def test_a_k_that_some_problem_cannot_answer_is_refused(ks: list[int], counts: dict[str, int], message: str) -> None:
    samples = [Sample(task, n, "") for task, count in counts.items() for n in range(count)]
    with pytest.raises(RequestError, match=message):
        check_k(ks, samples)


def test_a_k_that_every_problem_can_answer_is_taken() -> None:
    check_k([1, 2], [Sample("a", 0, ""), Sample("a", 1, "")])


@pytest.mark.parametrize(("model", "samples"), [(None, None), ("folder", Path("file"))])
def test_alone_either_a_model_or_samples_are_examined(model: str | None, samples: Path | None, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="either a MODEL folder or --samples FILE"):
        evaluate_alone(config(), Examinee(model, samples), tmp_path, STORE)


def test_alone_more_draws_than_samples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"--k 5: needs .* raise --n \(2\)"):
        evaluate_alone(config(k=[5], samples=2), Examinee("model"), tmp_path, STORE)


def test_alone_the_answer_holds_what_the_design_promises(benchmark_file: Path, tmp_path: Path) -> None:
    samples = write_lines(tmp_path / "s.jsonl", [{"task_id": "T/1", "completion": PROBLEMS[0].canonical_solution}])
    found = evaluate_alone(config(benchmarks=[str(benchmark_file)]), Examinee(samples=samples), tmp_path / "out", STORE)
    assert found["pass_at_k"] == {"1": 1.0}
    assert (found["benchmark"], found["problems"], found["missing"], found["samples"]) == (str(benchmark_file), 3, 2, 1)
    assert Path(found["verdicts"]).exists()
    assert {"programs_per_second", "isolation"} <= found.keys()
    out = tmp_path / "out"
    assert read_json(out / "isolation.json") == {"level": found["isolation"], "probes": found["probes"]}
    assert found["probes"]["network"] is True
    before = digest_folder(out)
    (out / "isolation.json").write_text("another machine")
    assert digest_folder(out) == before
    assert found["isolation"] not in (out / "results.json").read_text()


def test_alone_a_model_is_examined(student: Path, benchmark_file: Path, tmp_path: Path) -> None:
    settings = config(benchmarks=[str(benchmark_file)], samples=2, k=[1, 2], likelihood=False)
    found = evaluate_alone(settings, Examinee(str(student)), tmp_path / "out", STORE)
    assert (found["samples"], found["pass_at_k"]) == (6, {"1": 0.0, "2": 0.0})


def exercise(name: str, doc: str, body: str, parameters: str = "x") -> Exercise:
    prompt = f'def {name}({parameters}):\n    """{doc}"""\n'
    return Exercise(name, name, prompt, body, "", "t", [], [], Provenance("hand"))


def result_of(problem: Problem, completion: str, *given: Any) -> Any:
    space: dict[str, Any] = {}
    exec(program_of(problem, completion), space)
    return space[problem.entry_point](*given)


def test_the_nearest_exercise_by_wording_answers() -> None:
    known = [
        exercise("far", "Something else altogether.", "    return 0\n"),
        exercise("near", "Five of x.", "    return 5\n"),
    ]
    (answer,) = answers(PROBLEMS[2:], known)
    assert (answer.task_id, answer.completion) == ("T/333", "    return 5\n")


def test_a_copied_body_sees_its_own_parameters() -> None:
    two = Problem("T", 'def minus(a, b):\n    """a - b"""\n', "minus", "", "")
    assert result_of(two, copy_answer(two, exercise("f", "", "    return m - n\n", "m, n")), 7, 2) == 5


def test_parameters_that_change_places_are_bound_all_at_once() -> None:
    two = Problem("T", 'def minus(a, b):\n    """a - b"""\n', "minus", "", "")
    assert result_of(two, copy_answer(two, exercise("f", "", "    return b - a\n", "b, a")), 7, 2) == 5


def test_a_copied_body_that_calls_itself_calls_the_problem() -> None:
    one = Problem("T", 'def total(n):\n    """Sum to n."""\n', "total", "", "")
    body = "    return k + add(k - 1) if k else 0\n"
    assert result_of(one, copy_answer(one, exercise("add", "", body, "k")), 4) == 10


def test_where_a_signature_cannot_be_read_the_body_is_copied_as_it_is() -> None:
    odd = Problem("T", "def f(x:\n", "f", "", "")
    assert copy_answer(odd, exercise("g", "", "    return y\n", "y")) == "    return y\n"


def test_a_copied_answer_is_a_whole_program_where_one_is_asked_for() -> None:
    whole = Problem("MBPP/1", '"""Sum to n."""\n', "total", "", "", completes=False)
    body = "    return k + add(k - 1) if k else 0\n"
    assert result_of(whole, copy_answer(whole, exercise("add", "", body, "k")), 4) == 10


def test_the_baseline_writes_what_an_examination_writes(benchmark_file: Path, tmp_path: Path) -> None:
    known = [exercise(p.entry_point, f"{p.entry_point.title()} of x.", p.canonical_solution) for p in PROBLEMS[:2]]
    write_dataset(tmp_path / "exercises", known, Exercise)
    out, name = tmp_path / "out", str(benchmark_file)
    out.mkdir()
    baseline(config(benchmarks=[name]), exercises=tmp_path / "exercises", problems={}, out=out, ledger=Ledger())
    found = read_json(out / "results.json")["benchmarks"][name]
    assert found["pass_at_k"]["1"]["value"] == pytest.approx(2 / 3, abs=1e-6)
    assert [row["status"] for row in read_jsonl(out / "verdicts.jsonl")] == ["passed", "passed", "failed"]
    assert len(list(read_jsonl(out / "samples.jsonl"))) == 3


def test_without_exercises_the_baseline_answers_nothing(benchmark_file: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path / "exercises", [], Exercise)
    out, name = tmp_path / "out", str(benchmark_file)
    out.mkdir()
    baseline(config(benchmarks=[name]), exercises=tmp_path / "exercises", problems={}, out=out, ledger=Ledger())
    assert read_json(out / "results.json")["benchmarks"][name]["missing"] == 3
    assert (out / "samples.jsonl").read_text() == (out / "verdicts.jsonl").read_text() == ""
