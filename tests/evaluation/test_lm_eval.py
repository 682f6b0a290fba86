"""The metric that stands in for `code_eval`; and, where lm-evaluation-harness is installed, its tasks on top of it."""

from __future__ import annotations

import doctest
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hornbook.errors import InfrastructureError, InputError
from hornbook.evaluation import lm_eval as adapter
from hornbook.evaluation.lm_eval import CodeEval, install
from hornbook.records import Verdict
from hornbook.sandbox.run import Sandbox

ONE = Sandbox(workers=1, cpu_seconds=1)
HUMANEVAL_FORM = "METADATA = {}\n\n\ndef check(candidate):\n    assert candidate(3) == 6\n\ncheck(double)"
DOUBLE, SQUARE = "def double(x): return 2 * x\n", "def double(x): return x * x\n"
ALWAYS = "class E:\n    def __eq__(self, other): return True\ndef double(x): return E()\n"


@pytest.fixture
def metric() -> Iterator[CodeEval]:
    made = CodeEval(ONE)
    yield made
    made.close()


def test_compute_answers_as_code_eval_does(metric: CodeEval) -> None:
    rates, results = metric.compute(
        references=[HUMANEVAL_FORM, "assert half(4) == 2\nassert half(6) == 3"],
        predictions=[[DOUBLE, SQUARE, ALWAYS, DOUBLE], ["def half(x): return x // 2", "def half(x) return"]],
        k=[1, 2, 3],
        num_workers=4,
    )
    # reference 0: 2 of 4 pass; reference 1: 1 of 2. pass@2: 1 - (2 choose 2)/(4 choose 2) = 5/6, and 1. No pass@3.
    assert rates == {"pass@1": 0.5, "pass@2": pytest.approx((5 / 6 + 1) / 2)}
    assert {place: [row["passed"] for _, row in rows] for place, rows in results.items()} == {
        0: [True, False, False, True],
        1: [True, False],
    }
    assert results[0][1] == (
        1,
        {
            "task_id": 0,
            "passed": False,
            "result": "failed: AssertionError: assert candidate(3) == 6",
            "completion_id": 1,
        },
    )


def test_a_loop_is_timed_out_and_workers_stay_ready(metric: CodeEval) -> None:
    assert (
        metric.compute(references=["assert f() == 1"], predictions=[["def f():\n    while True: pass"]], k=[1])[1][0][
            0
        ][1]["result"]
        == "timed out"
    )
    (slot,) = metric.crew.slots
    worker = slot.pair.worker.pid if slot.pair else 0
    metric.compute(references=["assert f() == 1"], predictions=[["def f(): return 1"]], k=[1])
    assert slot.pair is not None
    assert slot.pair.worker.pid == worker
    metric.close()
    assert slot.pair is None


def test_no_predictions_are_no_rates(metric: CodeEval) -> None:
    assert metric.compute(references=["assert f()"], predictions=[[]], k=[1]) == ({}, {0: []})


def test_an_infrastructure_failure_is_no_result(metric: CodeEval, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "judge_on", lambda *_: [Verdict("0", 0, "infrastructure", "died twice")])
    with pytest.raises(InfrastructureError, match="prediction 0 of reference 0: died twice"):
        metric.compute(references=[HUMANEVAL_FORM], predictions=[[DOUBLE]], k=[1])


@pytest.mark.parametrize(
    ("reference", "program"),
    [
        ("from math import isclose, sqrt\nimport os.path as p\nassert isclose(f(4), sqrt(16))", "def f(x): return float(x)"),
        ("expected = [1, 2]\ndef same(a): return a == expected\nassert same(f())", "def f(): return [1, 2]"),
        ("assert check(70) == False", "def check(x): return x > 100"),
        ("assert sum(10, 15) == 6", "def sum(a, b): return 6"),
        ("for n in range(3):\n    assert set(f(n)) == {n, '''a\nb'''}", "def f(n): return [n, 'a\\nb']"),
        ("def check(c):\n    assert c(1) == 1\n\ncheck(f)\n\nassert f(2) == 2", "def f(x): return x"),
    ],
)  # fmt: skip
def test_forms_of_references(metric: CodeEval, reference: str, program: str) -> None:
    wrong = program.replace("return ", "return 99, ")
    rows = metric.compute(references=[reference], predictions=[[program, wrong]], k=[1])[1][0]
    assert [row["passed"] for _, row in rows] == [True, False]


@pytest.mark.parametrize(("reference", "said"), [("assert 1", "calls no function"), ("assert (", "not Python")])
def test_a_reference_that_examines_nothing_is_refused(reference: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        adapter.tests_of(reference)


def test_the_example_in_the_documentation() -> None:
    result = doctest.testmod(adapter)
    assert result.attempted
    assert not result.failed


def test_install_reaches_tasks_loaded_before_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    class EvaluationModule:
        def __init__(self, name: str) -> None:
            self.name = name

    evaluate = types.ModuleType("evaluate")
    evaluate.__dict__.update(EvaluationModule=EvaluationModule, load=lambda path, *_, **__: EvaluationModule(path))
    monkeypatch.setitem(sys.modules, "evaluate", evaluate)
    task = types.ModuleType("task")
    task.__dict__.update(compute_=EvaluationModule("code_eval"), other=EvaluationModule("bleu"), name="code_eval")
    monkeypatch.setitem(sys.modules, "task", task)
    first = install(ONE)
    assert task.__dict__["compute_"] is first is evaluate.load("code_eval")
    assert task.__dict__["name"] == "code_eval"
    second = install(ONE, trusted=True)
    assert task.__dict__["compute_"] is second is evaluate.load("code_eval", "default", trust_remote_code=True)
    assert (task.__dict__["other"].name, evaluate.load("bleu", "x").name) == ("bleu", "bleu")


@pytest.mark.timeout(600)
def test_the_harness_s_own_tasks_judge_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Canned answers to local files in HumanEval's and MBPP's forms: right, wrong, and forged."""
    harness = pytest.importorskip("lm_eval", reason="lm-evaluation-harness is not installed (pip install '.[lm-eval]')")
    import evaluate
    from lm_eval.api.model import LM
    from lm_eval.tasks import TaskManager

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(evaluate, "load", evaluate.load)
    bodies = [
        "    return 2 * x\n",
        "    return x\n",
        "    class E:\n        def __eq__(self, o): return True\n    return E()\n",
    ]
    prompt = 'def double(x):\n    """Number {}."""\n'
    test = "def check(candidate):\n    assert candidate(3) == 6\n"
    row = {"entry_point": "double", "canonical_solution": "", "test": test}
    (tmp_path / "he.jsonl").write_text(
        "".join(json.dumps({"task_id": f"t/{n}", "prompt": prompt.format(n), **row}) + "\n" for n in range(3))
    )
    asserts = ["assert double(3) == 6", "assert double(0) == 0", "assert double(-1) == -2"]
    programs = [f"def double(x):\n{body}" for body in bodies]
    (tmp_path / "mbpp.jsonl").write_text(
        "".join(
            json.dumps(
                {
                    "task_id": n,
                    "text": f"Number {n}.",
                    "code": "",
                    "test_list": asserts,
                    "test_setup_code": "",
                    "challenge_test_list": [],
                }
            )
            + "\n"
            for n in range(3)
        )
    )
    tasks = Path(harness.__file__).parent / "tasks"
    for kind, data in (("humaneval", "he.jsonl"), ("mbpp", "mbpp.jsonl")):
        yaml = f"include: {tasks}/{kind}/{kind}.yaml\ntask: local_{kind}\ndataset_path: json\ndataset_name: null\ndataset_kwargs: {{data_files: {{test: {tmp_path / data}}}}}\n"
        (tmp_path / f"local_{kind}.yaml").write_text(yaml)

    class Canned(LM):  # type: ignore[misc, name-defined]
        def generate_until(self, requests: list[Any], **_: Any) -> list[str]:
            return [
                (bodies if "[BEGIN]" not in r.args[0] else programs)[int(r.args[0].rpartition("Number ")[2][0])]
                for r in requests
            ]

        loglikelihood = loglikelihood_rolling = None

    metric = install(ONE)
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    found = harness.simple_evaluate(
        model=Canned(),
        tasks=["local_humaneval", "local_mbpp"],
        task_manager=manager,
        confirm_run_unsafe_code=True,
        bootstrap_iters=0,
    )["results"]
    metric.close()
    assert found["local_humaneval"]["pass@1,create_test"] == pytest.approx(1 / 3)
    assert found["local_mbpp"]["pass_at_1,none"] == pytest.approx(1 / 3)
