"""Does the sandbox say of a program what a plain run says? Asked of thousands of mutants of canonical solutions.

Each mutant differs from a benchmark's own solution in one operator or constant (`hornbook.tasks.mutate`), so it is
neither hostile nor trivial. The plain side executes the program and then the same tests in one namespace, in a forked
child with limits of its own. A verdict agrees when both pass or both do not. Mutants that run out of time or memory on
either side are set aside and counted.

    python benchmarks/agreement.py                      at most 8 mutants a problem, about 8,000: some minutes
    python benchmarks/agreement.py --sample 300         an even spread over them
    python benchmarks/agreement.py --contained          tests in a contained child of their own

Exits with 1 when a verdict disagrees. HumanEval and MBPP are looked for in $HORNBOOK_BENCHMARK_DATA, then in
../shared/data; the packaged problems are always there.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import json
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from hornbook.evaluation.evaluate import program_of
from hornbook.records import Problem, Verdict
from hornbook.sandbox.run import Program, Sandbox, judge
from hornbook.tasks.formats import parse
from hornbook.tasks.helpers import self_contained
from hornbook.tasks.load import load
from hornbook.tasks.mutate import mutants

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
FILES = ("HumanEval.jsonl.gz", "mbpp.jsonl")
CPU_SECONDS, WALL_SECONDS, MEMORY = 1, 15, 2 << 30
PASSED, FAILED, ASIDE = "passed", "failed", "set aside"


def problems() -> list[Problem]:
    """All problems at hand."""
    folders = (Path(os.environ.get("HORNBOOK_BENCHMARK_DATA", "/nonexistent")), SHARED)
    paths = [next((f / name for f in folders if (f / name).exists()), None) for name in FILES]
    return [*load("unconventional"), *(problem for path in paths if path for problem in load(path))]


def helpers(text: str, entry_point: str) -> list[str]:
    """What a program defines at its top level beside the function under test."""
    return [ast.unparse(node) for node in parse(text).body if getattr(node, "name", "") != entry_point]


def programs(trusted: bool, limit: int) -> list[Program]:
    """Mutants as programs. Where the tests bring the prompt's helpers, those are not mutated: they are not the
    candidate's."""
    found = []
    for problem in problems():
        source, tests = program_of(problem, problem.canonical_solution), self_contained(problem)
        kept = helpers(source, problem.entry_point) if tests != problem.test else None
        texts = [t for t in mutants(source, limit) if kept is None or helpers(t, problem.entry_point) == kept]
        found += [
            Program(problem.task_id, n, text, tests, problem.entry_point, trusted) for n, text in enumerate(texts)
        ]
    return found


def plain(program: Program) -> str:
    """The outcome of running the program and its tests in one namespace, in a forked child."""
    pid = os.fork()
    if pid == 0:
        os._exit(run_here(program))
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return ASIDE if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM) else FAILED
    return {0: PASSED, 2: ASIDE}.get(os.WEXITSTATUS(status), FAILED)


def run_here(program: Program) -> int:
    """0 where the program passes, 2 where memory ran out, else 1. For a child: it limits and silences itself."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.alarm(WALL_SECONDS)
    random.seed(0)
    space: dict[str, object] = {"__name__": "candidate"}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(program.source, "<candidate>", "exec"), space)
            candidate = space[program.entry_point]
            random.seed(0)
            exec(compile(program.tests, "<tests>", "exec"), space)
            space["check"](candidate)  # type: ignore[operator]
    except MemoryError:
        return 2
    except BaseException:
        return 1
    return 0


def compare(programs: Iterable[Program], verdicts: Iterable[Verdict]) -> tuple[Counter[str], list[str]]:
    """How the two sides' outcomes fall together, and a line for each disagreement."""
    counts: Counter[str] = Counter()
    disagreements = []
    by_id = {(verdict.task_id, verdict.sample): verdict for verdict in verdicts}
    for program in programs:
        verdict = by_id[program.task_id, program.sample]
        late = verdict.status == "timeout" or "MemoryError" in verdict.detail
        expected = ASIDE if late else plain(program)
        if expected == ASIDE:
            counts[ASIDE] += 1
        elif (verdict.status == PASSED) == (expected == PASSED):
            counts[f"both {expected}"] += 1
        else:
            counts["disagree"] += 1
            told = f"{verdict.status} {verdict.detail}".strip()
            disagreements.append(f"{program.task_id}:{program.sample}: sandbox {told!r}, plain {expected}")
    return counts, disagreements


def main() -> int:
    """Judge, compare, print; 1 when any verdict disagrees."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--limit", type=int, default=8, help="mutants a problem, at most")
    parser.add_argument("--sample", type=int, default=0, help="how many of all mutants, evenly spread; 0: all")
    parser.add_argument("--contained", action="store_true", help="run tests contained, as untrusted ones are")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = programs(not options.contained, options.limit)
    if options.sample:
        found = [found[i * len(found) // options.sample] for i in range(min(options.sample, len(found)))]
    began = time.monotonic()
    verdicts = judge(Sandbox(workers=options.workers, cpu_seconds=CPU_SECONDS), found)
    judged = time.monotonic() - began
    counts, disagreements = compare(found, verdicts)
    report = {"mutants": len(found), **dict(sorted(counts.items())), "disagree": len(disagreements)}
    if options.json:
        print(json.dumps({**report, "disagreements": disagreements}))
    else:
        print("\n".join([*disagreements, ", ".join(f"{name}: {count}" for name, count in report.items())]))
        print(f"judged in {judged:.0f} s, compared in {time.monotonic() - began - judged:.0f} s")
    return 1 if disagreements else 0


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":  # as in the sandbox: the order of a set must not differ by chance
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    sys.exit(main())
