"""Canonical solutions pass: the compatibility check of the split verdict. In CI it fails where the data is absent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hornbook.evaluation.evaluate import judge_samples, program_of
from hornbook.records import Problem, Sample
from hornbook.sandbox.bare.examine import compiled
from hornbook.sandbox.run import Program, Sandbox, judge
from hornbook.tasks.helpers import self_contained
from hornbook.tasks.load import load
from published import FILES, REQUIRED, benchmark

TWO = Sandbox(workers=2)


def program(problem: Problem, trusted: bool) -> Program:
    source = program_of(problem, problem.canonical_solution)
    return Program(problem.task_id, 0, source, self_contained(problem), problem.entry_point, trusted)


def failures(problems: list[Problem], trusted: bool = True) -> dict[str, str]:
    verdicts = judge(TWO, [program(problem, trusted) for problem in problems])
    assert len(verdicts) == len(problems)
    return {v.task_id: f"{v.status}: {v.detail}" for v in verdicts if v.status != "passed" or v.forgeable}


@pytest.mark.parametrize(("name", "count"), FILES.items())
def test_every_published_solution_passes(name: str, count: int) -> None:
    problems = load(benchmark(name))
    assert len(problems) == count
    assert failures(problems) == {}


def test_every_humaneval_solution_passes_contained_tests() -> None:
    assert failures(load(benchmark("HumanEval.jsonl.gz")), trusted=False) == {}


def test_every_solution_of_our_own_passes() -> None:
    problems = load("unconventional")
    assert len(problems) == 50
    assert failures(problems) == {}


def test_absent_data_fails_where_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HORNBOOK_BENCHMARK_DATA", "/nonexistent")
    monkeypatch.setenv(REQUIRED, "1")
    with pytest.raises(pytest.fail.Exception, match=r"absent\.jsonl is neither in .*REQUIRE"):
        benchmark("absent.jsonl")
    monkeypatch.delenv(REQUIRED)
    with pytest.raises(pytest.skip.Exception, match=r"absent\.jsonl is neither in "):
        benchmark("absent.jsonl")
    assert f"export {REQUIRED}=1" in (Path(__file__).parents[2] / ".ci" / "run").read_text()


# Problems whose tests call a helper that the prompt defines.
TRIPLE = Problem(
    "triple",
    "def triple(x: int) -> int:\n    return 3 * x\n\n\ndef third(x: int) -> int:\n    '''Undo triple.'''\n",
    "third",
    "    return x // 3\n",
    "def check(candidate):\n    for x in range(9):\n        assert candidate(triple(x)) == x\n",
)
ROOT = Problem(
    "root",
    "import math\n\n\ndef line(a: float, b: float, x: float) -> float:\n    return a * math.pow(x, 0) + b * math.pow(x, 1)\n"
    "\n\ndef root(a: float, b: float) -> float:\n    '''Where the line is zero.'''\n",
    "root",
    "    return -a / b\n",
    "def check(candidate):\n    assert abs(line(6.0, 3.0, candidate(6.0, 3.0))) < 1e-9\n",
)
FORGED = {
    "the helper": (TRIPLE, "    return x\n\n\ndef triple(x):\n    return x\n"),
    "a helper that remembers": (TRIPLE, "    return last[0]\n\n\nlast = [0]\n\n\ndef triple(x):\n    last[0] = x\n    return x\n"),
    "the answer's sign": (ROOT, "    return 0.0\n\n\ndef line(a, b, x):\n    return 0.0\n"),
    "an object": (ROOT, "    return E()\n\n\nclass E:\n    pass\n\n\ndef line(a, b, x):\n    return 0.0\n"),
    # 6 + 3 * x is zero for nobody who says 0 to one question and -2 to the next; the helper may ask either
    "a number that changes": (ROOT, "    return E()\n\n\nclass E:\n    n = 0\n    def __float__(self):\n        self.n += 1\n        return [0.0, -2.0][self.n > 1]\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_redefined_helper_forges_nothing(name: str) -> None:
    problem, completion = FORGED[name]
    honest = Sample(problem.task_id, 0, problem.canonical_solution)
    verdicts = judge_samples(TWO, "held-out", [problem], [honest, Sample(problem.task_id, 1, completion)])
    assert [v.status for v in verdicts] == ["passed", "failed"]


@pytest.mark.parametrize("place", [32, 38, 50])
def test_humaneval_s_own_helpers_come_from_the_prompt(place: int) -> None:
    """Each helper answers as it likes: what passes is the solution's only if the tests brought their own."""
    problem = load(benchmark("HumanEval.jsonl.gz"))[place]
    forged = {
        32: "    return 0.0\ndef poly(xs, x): return 0.0\n",
        38: "    return s\ndef encode_cyclic(s): return s\n",
        50: "    return s\ndef encode_shift(s): return s\n",
    }[place]
    beside = replace(program(problem, True), source=problem.prompt + forged, tests=problem.test)
    apart = replace(beside, sample=1, tests=self_contained(problem))
    assert [v.status for v in judge(TWO, [beside, apart])] == ["passed", "failed"]


def test_no_other_test_of_humaneval_takes_a_function_from_the_candidate() -> None:
    problems = load(benchmark("HumanEval.jsonl.gz"))
    assert [p.task_id for p in problems if self_contained(p) != p.test] == [f"HumanEval/{n}" for n in (32, 38, 50)]
    for problem in problems:
        code, wanted, _ = compiled(self_contained(problem))
        check = next(part for part in code.co_consts if getattr(part, "co_name", "") == "check")
        assert not {name for name in wanted if name in check.co_names} - {problem.entry_point}, problem.task_id
