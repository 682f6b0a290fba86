"""hornbook in a notebook: `from hornbook import Program, judge`.

Nothing here is loaded before it is used: `import hornbook` alone costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hornbook.errors import InfrastructureError
from hornbook.evaluation.metrics import pass_at_k
from hornbook.records import Verdict
from hornbook.sandbox import run
from hornbook.sandbox.run import Program, Sandbox

__all__ = ["Program", "Sandbox", "Verdict", "Verdicts", "judge"]

SHOWN = 20  # verdicts that a printed list shows


class Verdicts(list[Verdict]):
    """Verdicts sorted by task and sample, which print as a table. `isolation`: the level they were judged at."""

    def __init__(self, verdicts: Iterable[Verdict], isolation: str) -> None:
        super().__init__(verdicts)
        self.isolation = isolation

    def pass_at_k(self, k: int = 1) -> float:
        """The chance that one of k samples passes, unbiased, as a mean over tasks.

        Raises ValueError where there are no verdicts or a task has fewer than k samples, and InfrastructureError where
        the sandbox failed to judge one: that is no verdict on it.
        """
        if not self:
            raise ValueError(f"pass@{k} of no verdicts")
        tasks: dict[str, list[bool]] = {}
        for verdict in self:
            if verdict.status == "infrastructure":
                raise InfrastructureError(f"{verdict.task_id}:{verdict.sample} was not judged ({verdict.detail})")
            tasks.setdefault(verdict.task_id, []).append(verdict.status == "passed")
        return sum(pass_at_k(len(passed), sum(passed), k) for passed in tasks.values()) / len(tasks)

    def __repr__(self) -> str:
        passed = sum(verdict.status == "passed" for verdict in self)
        head = f"{passed} of {len(self)} programs passed (isolation: {self.isolation})"
        wide = max((len(verdict.task_id) for verdict in self[:SHOWN]), default=0)
        lines = [f"{v.task_id:<{wide}} {v.sample:>3}  {v.status:<8} {v.detail}".rstrip() for v in self[:SHOWN]]
        more = [f"… and {len(self) - SHOWN} more"] if len(self) > SHOWN else []
        return "\n".join([head, *lines, *more])


def judge(
    programs: Iterable[Program], sandbox: Sandbox = Sandbox(), on_verdict: Callable[[Verdict], object] | None = None
) -> Verdicts:
    """Judge programs, each by its own tests, with the limits and at the level that `sandbox` says.

    Works in a notebook, a script or a thread; `programs` may be a generator. Raises InfrastructureError when no worker
    can be started.

    >>> answers = ["def double(x): return 2 * x", "def double(x): return x ** 2"]
    >>> tests = "def check(candidate): assert candidate(3) == 6"
    >>> verdicts = judge(Program("double", n, answer, tests, "double") for n, answer in enumerate(answers))
    >>> [verdict.status for verdict in verdicts], verdicts.pass_at_k(1)
    (['passed', 'failed'], 0.5)
    """
    verdicts = run.judge(sandbox, programs, on_verdict)
    return Verdicts(verdicts, run.probe(sandbox).level)
