"""What execution decides about exercises: whether a solution passes, whether tests find mistakes, how answers vote.

Tests and solutions are a language model's: all run contained, and none is trusted. Exercises come and go in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hornbook.errors import InfrastructureError, InputError
from hornbook.records import Exercise, Rejected
from hornbook.sandbox.run import Program, Sandbox, judge
from hornbook.synthesis.llm.asking import Round
from hornbook.tasks.mutate import mutants

CPU_SECONDS = 1  # for a mutant that runs for ever


def run(sandbox: Sandbox, runs: Sequence[tuple[str, str, str]]) -> list[str]:
    """(program, tests, function's name) each → "" when it passes, else the verdict in words; in the order given.

    Raises InfrastructureError when the sandbox fails: that is no verdict.
    """
    programs = [Program(f"{n:09d}", 0, source, tests, name) for n, (source, tests, name) in enumerate(runs)]
    found = judge(sandbox, programs)
    for verdict in found:
        if verdict.status == "infrastructure":
            raise InfrastructureError(f"running a teacher's program: {verdict.detail}; run again, answers are kept")
    return ["" if verdict.status == "passed" else f"{verdict.status}: {verdict.detail}" for verdict in found]


def reject(exercise: Exercise, reason: str, detail: str) -> Rejected:
    """An exercise as a counted refusal."""
    return Rejected(exercise.id, "write", reason, detail, exercise.prompt[:200])


def passing(sandbox: Sandbox, exercises: Sequence[Exercise]) -> Round[Exercise]:
    """The exercises whose solution passes their own tests; the others are `not-verified`."""
    faults = run(sandbox, [(e.prompt + e.solution, e.tests, e.name) for e in exercises])
    pairs = list(zip(exercises, faults, strict=True))
    return Round([e for e, fault in pairs if not fault], [reject(e, "not-verified", f) for e, f in pairs if f])


def telling(sandbox: Sandbox, exercises: Sequence[Exercise], limit: int, share: float) -> Round[Exercise]:
    """The exercises whose tests kill at least this share of the solution's mutants, `limit` at most; else `weak-tests`.

    A mutant is killed by any end but passing. A solution that cannot be mutated shows nothing of its tests.
    """
    made = [variants(exercise, limit) for exercise in exercises]
    limits = sandbox.model_copy(update={"cpu_seconds": min(CPU_SECONDS, sandbox.cpu_seconds)})
    outcomes = iter(
        run(limits, [(text, e.tests, e.name) for e, texts in zip(exercises, made, strict=True) for text in texts])
    )
    counted = []
    for exercise, texts in zip(exercises, made, strict=True):
        killed = sum(bool(next(outcomes)) for _ in texts)
        counted.append(replace(exercise, mutants=len(texts), mutants_killed=killed))
    weak = [e for e in counted if not e.mutants or e.mutants_killed < share * e.mutants]
    ids = {e.id for e in weak}
    told = [reject(e, "weak-tests", f"kill {e.mutants_killed} of {e.mutants} mutants") for e in weak]
    return Round([e for e in counted if e.id not in ids], told)


def variants(exercise: Exercise, limit: int) -> list[str]:
    """Mutants of the program that leave its prompt's meaning alone as far as tests can see; none if it has none."""
    try:
        return mutants(exercise.prompt + exercise.solution, limit)
    except InputError:
        return []


@dataclass(frozen=True)
class Ballot:
    """One answer to an exercise: a program and its own tests."""

    program: str
    tests: str


def agreement(sandbox: Sandbox, elections: Sequence[tuple[str, Sequence[Ballot]]]) -> list[list[set[int]]]:
    """For each (function's name, ballots): with which ballots each agrees, itself included.

    Two agree when each passes the other's tests. A ballot that fails its own tests agrees with nobody, itself included.
    """
    runs = [(one.program, other.tests, name) for name, ballots in elections for one in ballots for other in ballots]
    outcomes = iter(run(sandbox, runs))
    found = []
    for _, ballots in elections:
        size = range(len(ballots))
        passed = [[not next(outcomes) for _ in size] for _ in size]
        sound = [n for n in size if passed[n][n]]
        found.append([{m for m in sound if n in sound and passed[n][m] and passed[m][n]} for n in size])
    return found
