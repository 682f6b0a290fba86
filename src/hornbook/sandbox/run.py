"""The door: judge programs, execute code blocks.

A verdict cannot be forged by the program it judges: the candidate lives in a child process, its tests in another, and
only plain data crosses. Trusted tests run in a worker beside the judge; untrusted ones in a contained child. The judge
itself runs no foreign code. This needs containment, or the program would reach into those processes: every level has
it, is proven by probes before the first program runs, and without one nothing is run (`Sandbox.unsafe` apart).

What differs from running tests beside the program: a named tuple arrives as a tuple and other subclasses as their plain
base; an object of the program's own class is a handle, whose attributes and methods can be used and whose equality,
order and arithmetic are never asked; so tests that compare such objects directly fail. The declared fallback that runs
tests beside the candidate (`Verdict.forgeable`) does not exist yet: no verdict made here is forgeable.

What is not stopped: a program may guess, or read what the tests pass to it; helper names that the tests take from the
program answer as it likes (what the problem's prompt defines is added to the tests: `tasks.helpers.self_contained`);
two programs may tell by the clock what else runs; a bug in the kernel is stopped by nothing here. `probe` tells what
holds on this machine, docs/sandbox.md what each level stops.
"""

from __future__ import annotations

import ast
import os
import sys
import sysconfig
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field

from hornbook.config import Config, operational
from hornbook.errors import InfrastructureError
from hornbook.records import Verdict
from hornbook.sandbox.bare.codec import Unfit, encode
from hornbook.sandbox.launch import Setting
from hornbook.sandbox.pool import BROKEN, LATE, Crew
from hornbook.sandbox.probe import Isolation
from hornbook.sandbox.probe import probe as proven

# How much more time a program gets that ran out of it, when it is run again alone. Some published solutions take three
# seconds of a slow processor, and more where another program shares it.
WALL_PATIENCE, CPU_PATIENCE = 4, 3


@dataclass(frozen=True)
class Program:
    """A candidate and the tests that judge it.

    `source` is the whole program; `tests` a program text that defines `check(candidate)`. `trusted` tests run in the
    judge's worker: published benchmarks and hornbook's own. Tests from a teacher or a user's file are not trusted.
    """

    task_id: str
    sample: int
    source: str
    tests: str
    entry_point: str
    trusted: bool = False


@dataclass(frozen=True)
class BlockResult:
    """What a block printed, and how it failed: one line, None when it did not."""

    stdout: str
    error: str | None


class Sandbox(Config):
    """Limits per program, and how the work is done."""

    cpu_seconds: int = Field(
        default=3, ge=1, description="CPU time of a program; one that needs more is run again alone with three times it"
    )
    wall_seconds: float = Field(
        default=15.0,
        gt=0,
        description="time on the clock; loose, since other work may slow a program, and four times it when run again",
    )
    memory_mb: int = Field(default=512, ge=64, description="address space of a program")
    file_mb: int = Field(default=16, ge=0, description="size of any file that a program writes")
    output_chars: int = Field(
        default=1 << 20, ge=0, description="what a program may print; more is an error in the program"
    )
    packages: bool = Field(
        default=False, description="let programs and tests import this interpreter's installed packages"
    )
    level: Literal["strongest", "bubblewrap", "namespaces", "landlock", "none"] = operational("strongest")
    unsafe: bool = operational(False, description="run programs even where no level of isolation holds")
    workers: int = operational(0, ge=0, description="0: one per core")


def judge(
    config: Sandbox,
    programs: Iterable[Program],
    on_verdict: Callable[[Verdict], object] | None = None,
    cpu_patience: int = CPU_PATIENCE,
) -> list[Verdict]:
    """Judge programs; verdicts sorted by (task_id, sample), the same whatever the number of workers.

    `on_verdict` sees each verdict once it is final, in the order in which they become so. Programs that ran out of time
    are run again at the end, one alone at a time and with more of it, of CPU time `cpu_patience` times as much, before
    that counts. What the machinery failed to judge twice is an `infrastructure` verdict, never a failed program. Raises
    InfrastructureError where no isolation holds.
    """
    with Crew[Program](setting_of(config), worker_count(config)) as crew:
        return judge_on(crew, programs, on_verdict, cpu_patience)


def judge_on(
    crew: Crew[Program],
    programs: Iterable[Program],
    on_verdict: Callable[[Verdict], object] | None = None,
    cpu_patience: int = CPU_PATIENCE,
) -> list[Verdict]:
    """`judge` with workers that stand ready, for whoever judges again and again."""
    verdicts: list[Verdict] = []
    late: list[Program] = []

    def settle(verdict: Verdict) -> None:
        verdicts.append(verdict)
        if on_verdict:
            on_verdict(verdict)

    for program, answer in crew.work(jobs_of(programs, settle)):
        verdict = verdict_on(program, answer)
        late.append(program) if verdict.status == "timeout" else settle(verdict)
    if late:
        with Crew[Program](patient(crew.setting, cpu_patience), 1) as alone:
            for program, answer in alone.work(jobs_of(late, settle)):
                settle(verdict_on(program, answer))
    return sorted(verdicts, key=lambda verdict: (verdict.task_id, verdict.sample))


def patient(setting: Setting, cpu_patience: int = CPU_PATIENCE) -> Setting:
    """The setting in which time-outs are tried again: on a starved machine the clock runs and the program does not, and
    on a shared processor a second of it does less."""
    cpu_seconds, memory, file, output = setting.limits
    limits = (cpu_patience * cpu_seconds, memory, file, output)
    return replace(setting, limits=limits, wall_seconds=WALL_PATIENCE * setting.wall_seconds)


def jobs_of(
    programs: Iterable[Program], settle: Callable[[Verdict], None]
) -> Iterator[tuple[Program, tuple[str, str, str, str]]]:
    """The workers' jobs; a program that is too large to send is settled here."""
    for program in programs:
        kind = "trusted" if program.trusted else "tests"
        job = (kind, program.source, program.tests, program.entry_point)
        try:
            encode(job)
        except Unfit:
            settle(Verdict(program.task_id, program.sample, "failed", "the program is too large"))
            continue
        yield program, job


def verdict_on(program: Program, answer: Any) -> Verdict:
    """A worker's answer as a verdict."""
    status, detail = "infrastructure", "the sandbox's worker died twice"
    if answer is LATE:
        status, detail = "timeout", "the tests ran out of wall time"
    elif answer is not BROKEN:
        status, detail = answer
    return Verdict(program.task_id, program.sample, status, detail)


def execute(config: Sandbox, blocks: list[str]) -> list[BlockResult]:
    """Run code blocks in order in one contained child that they share; what each printed and how it failed.

    The limits hold for all blocks together. Raises InfrastructureError when the machinery fails twice.
    """
    return execute_many(config, [blocks])[0]


def execute_many(config: Sandbox, sections: Iterable[list[str]]) -> list[list[BlockResult]]:
    """`execute` for many lists of blocks, each in a child of its own; results in the order given."""
    results: dict[int, list[BlockResult]] = {}
    late: list[tuple[int, tuple[str, list[str]]]] = []
    jobs = [(index, ("blocks", list(blocks))) for index, blocks in enumerate(sections)]
    with Crew[int](setting_of(config), worker_count(config)) as crew:
        for index, answer in crew.work(jobs):
            results[index] = block_results(answer, len(jobs[index][1][1]))
            if any(result.error and result.error.startswith("timeout") for result in results[index]):
                late.append(jobs[index])
        if late:
            with Crew[int](patient(crew.setting), 1) as alone:
                for index, answer in alone.work(late):
                    results[index] = block_results(answer, len(jobs[index][1][1]))
    return [results[index] for index in range(len(jobs))]


def block_results(answer: Any, count: int) -> list[BlockResult]:
    """A worker's answer as block results."""
    if answer is BROKEN:
        raise InfrastructureError(
            "a sandbox worker died twice on the same blocks; run again, and see `hornbook doctor`"
        )
    if answer is LATE:
        return [BlockResult("", "timeout: the block ran out of wall time")] * count
    return [BlockResult(stdout, error or None) for stdout, error in answer]


def parses(source: str) -> bool:
    """Whether a text is Python. It is parsed, never run.

    >>> parses("x = 1"), parses("x =")
    (True, False)
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def probe(config: Sandbox = Sandbox()) -> Isolation:
    """The isolation that programs get under this config here, proven by trying to break it from the inside.

    Raises InfrastructureError when none holds, or not the one that the config names.
    """
    return proven(config.level, config.unsafe)


def setting_of(config: Sandbox) -> Setting:
    """What workers are started with."""
    level = probe(config).level
    limits = (config.cpu_seconds, config.memory_mb << 20, config.file_mb << 20, config.output_chars)
    installed = [sysconfig.get_path(name) for name in ("purelib", "platlib")] if config.packages else []
    packages = tuple(dict.fromkeys(path for path in installed if path in sys.path))
    return Setting(level, limits, config.wall_seconds, packages)


def worker_count(config: Sandbox) -> int:
    """How many workers to run."""
    return config.workers or len(os.sched_getaffinity(0))
