"""What execution decides about exercises: whether a solution passes, whether tests find mistakes, how answers vote.

Tests and solutions are a language model's: all run contained, and none is trusted. Exercises come and go in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hornbook.errors import InfrastructureError
from hornbook.records import Exercise, Rejected
from hornbook.sandbox.run import Program, Sandbox, judge
from hornbook.synthesis.kill import count_kills, weakness
from hornbook.synthesis.llm.asking import Round


@dataclass(frozen=True)
class Ballot:
    """One answer to an exercise: a program and its own tests."""

    program: str
    tests: str


@dataclass(frozen=True)
class Bench:
    """Where exercises are tried. Tests must kill at least `min_killed` of a solution's `mutants`; none: no rule."""

    sandbox: Sandbox
    mutants: int
    min_killed: float

    def run(self, runs: Sequence[tuple[str, str, str]]) -> list[str]:
        """(program, tests, function's name) each → "" when it passes, else the verdict in words; in the order given.

        Raises InfrastructureError when the sandbox fails: that is no verdict.
        """
        programs = [Program(f"{n:09d}", 0, source, tests, name) for n, (source, tests, name) in enumerate(runs)]
        found = judge(self.sandbox, programs) if programs else []
        for verdict in found:
            if verdict.status == "infrastructure":
                raise InfrastructureError(f"running a teacher's program: {verdict.detail}; run again, answers are kept")
        return ["" if verdict.status == "passed" else f"{verdict.status}: {verdict.detail}" for verdict in found]

    def passing(self, exercises: Sequence[Exercise]) -> Round[Exercise]:
        """The exercises whose solution passes their own tests; the others are `not-verified`."""
        faults = self.run([(e.prompt + e.solution, e.tests, e.name) for e in exercises])
        pairs = list(zip(exercises, faults, strict=True))
        return Round([e for e, fault in pairs if not fault], [reject(e, "not-verified", f) for e, f in pairs if f])

    def telling(self, exercises: Sequence[Exercise]) -> Round[Exercise]:
        """The exercises whose tests notice a changed solution; the others are `weak-tests`."""
        if not self.mutants or not exercises:
            return Round(list(exercises), [])
        counted = [(e, weakness(e, self.min_killed)) for e in self.counted(exercises)]
        return Round([e for e, fault in counted if not fault], [reject(e, "weak-tests", f) for e, f in counted if f])

    def counted(self, exercises: Sequence[Exercise]) -> list[Exercise]:
        """The exercises with their mutants."""
        return count_kills(exercises, self.sandbox, self.mutants, trusted=False)

    def agreement(self, elections: Sequence[tuple[str, Sequence[Ballot]]]) -> list[list[set[int]]]:
        """For each (function's name, ballots): with which ballots each agrees, itself included.

        Two agree when each passes the other's tests. A ballot that fails its own tests agrees with nobody, itself
        included.
        """
        runs = [(one.program, other.tests, name) for name, ballots in elections for one in ballots for other in ballots]
        outcomes = iter(self.run(runs))
        found = []
        for _, ballots in elections:
            size = range(len(ballots))
            passed = [[not next(outcomes) for _ in size] for _ in size]
            sound = {n for n in size if passed[n][n]}
            found.append([{m for m in sound if n in sound and passed[n][m] and passed[m][n]} for n in size])
        return found


def reject(exercise: Exercise, reason: str, detail: str) -> Rejected:
    """An exercise as a counted refusal."""
    return Rejected(exercise.id, "write", reason, detail, exercise.prompt[:200])
