"""Whether tests notice a changed solution: its mutants, judged in the sandbox like the solution itself.

A mutant counts as killed when it does not pass: tests may fail it, or it may crash or run for ever. The operators are
those of `hornbook.tasks.mutate`; a mutant may be equivalent to the solution, so that no tests could kill it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hornbook.errors import InfrastructureError
from hornbook.progress import Meter
from hornbook.records import Exercise
from hornbook.sandbox.run import Program, Sandbox, judge
from hornbook.tasks.mutate import mutants

CPU_SECONDS = 1  # of a mutant: the solution takes a few milliseconds, and some mutants run for ever

# canaries: tests that every mutant passes, tests that none passes
TOOTHLESS = Exercise(
    id="canary-toothless",
    name="toothless",
    prompt="def toothless(x):\n",
    solution="    return x * 2 + 1\n",
    tests="def check(candidate):\n    candidate(3)\n",
    topic="canary",
)
SHARP = Exercise(
    id="canary-sharp",
    name="sharp",
    prompt="def sharp(x):\n",
    solution="    return x * 2 + 1\n",
    tests="def check(candidate):\n    assert [candidate(x) for x in (0, 3, 5)] == [1, 7, 11]\n",
    topic="canary",
)


def program(exercise: Exercise, solution: str, trusted: bool) -> Program:
    """An exercise as a program to judge."""
    return Program(exercise.id, 0, exercise.prompt + solution, exercise.tests, exercise.name, trusted)


def count_kills(exercises: Sequence[Exercise], sandbox: Sandbox, limit: int, *, trusted: bool) -> list[Exercise]:
    """The rows with `mutants` (at most `limit` each, spread over the program) and how many of them do not pass.

    Ids must differ. Raises InfrastructureError when the sandbox itself fails.
    """
    tried: Counter[str] = Counter()
    killed: Counter[str] = Counter()

    def programs() -> Iterator[Program]:
        for exercise in exercises:
            for changed in mutants(exercise.prompt + exercise.solution, limit):
                tried[exercise.id] += 1
                yield Program(exercise.id, tried[exercise.id], changed, exercise.tests, exercise.name, trusted)

    limits = sandbox.model_copy(update={"cpu_seconds": min(CPU_SECONDS, sandbox.cpu_seconds)})
    with Meter("mutants", None, "programs") as meter:
        for verdict in judge(limits, programs(), lambda _: meter.advance(), cpu_patience=1):
            if verdict.status == "infrastructure":
                raise InfrastructureError(f"a mutant of {verdict.task_id}: {verdict.detail}; rerun to go on")
            killed[verdict.task_id] += verdict.status != "passed"
    return [replace(e, mutants=tried[e.id], mutants_killed=killed[e.id]) for e in exercises]


def weakness(exercise: Exercise, least: float) -> str:
    """What is wrong with tests that kill a smaller share of the mutants than `least`; empty when nothing is."""
    if exercise.mutants_killed >= least * exercise.mutants:
        return ""
    return f"the tests kill {exercise.mutants_killed} of {exercise.mutants} mutants"
