"""Does anything leak? Judges a great many programs in one go and watches processes, descriptors, files and memory.

    python benchmarks/endurance.py --programs 100000 --workers 1

Nine programs in ten are canonical solutions of whatever benchmarks are at hand; the tenth leaves something behind or
dies: a file, a thread, a big list, an open descriptor, an object that the tests hold on to, an exit, a crash, a
forbidden call. Exits with 1 when something is left at the end, or memory grew after the first tenth.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from hornbook.evaluation.evaluate import program_of
from hornbook.records import Problem, Verdict
from hornbook.sandbox.run import Program, Sandbox, judge, probe
from hornbook.tasks.helpers import self_contained
from hornbook.tasks.load import load

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
GROWTH_MIB = 8.0  # what a process may grow by after the first tenth, beside the list of verdicts
PROGRAM_MIB = 64.0  # what the largest program here takes
VERDICT_BYTES = 400  # what one verdict takes in the list that `judge` returns
WALL_SECONDS = 60.0  # loose: the slowest of MBPP needs a second of a processor, which others may be using
NASTY = {
    "file": ("open('left', 'w').write('x' * 100000)\ndef f(): return 1\n", "passed"),
    "folders": ("import os\nos.makedirs('a/b/c')\ndef f(): return 1\n", "passed"),
    "thread": ("import threading as t\nt.Thread(target=t.Event().wait).start()\ndef f(): return 1\n", "passed"),
    "memory": ("big = [0] * 3000000\ndef f(): return 1\n", "passed"),
    "descriptors": ("import os\nkept = [os.open('/dev/null', 0) for _ in range(20)]\ndef f(): return 1\n", "passed"),
    "object": ("class E: pass\ndef f(): return [E() for _ in range(20)]\n", "failed"),
    "large answer": ("def f(): return 'x' * 3000000\n", "failed"),
    "error": ("def f(): return 1 / 0\n", "failed"),
    "exit": ("import os\ndef f(): os._exit(0)\n", "crashed"),
    "crash": ("import ctypes\ndef f(): ctypes.string_at(0)\n", "crashed"),
    "forbidden": ("import os\ndef f(): os.fork()\n", None),  # what becomes of it depends on the level
}  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What stands at one moment; memory in MiB, the largest process of a kind."""

    programs: int
    seconds: float
    processes: int
    descriptors: int
    files: int
    judge: float
    worker: float
    zygote: float


def canonical() -> list[Problem]:
    """All problems at hand."""
    folder = Path(os.environ.get("HORNBOOK_BENCHMARK_DATA", SHARED))
    paths = [folder / name for name in ("HumanEval.jsonl.gz", "mbpp.jsonl")]
    return [*load("unconventional"), *(problem for path in paths if path.exists() for problem in load(path))]


def programs(count: int) -> Iterator[tuple[Program, str | None]]:
    """Programs as they are needed, each with the status that it should get."""
    good = [(program_of(p, p.canonical_solution), self_contained(p), p.entry_point, "passed") for p in canonical()]
    bad = [(text, "def check(c): assert c() == 1\n", "f", status) for text, status in NASTY.values()]
    cycles = itertools.cycle(good), itertools.cycle(bad)
    for n in range(count):
        source, tests, entry_point, status = next(cycles[n % 10 == 9])
        yield Program("endurance", n, source, tests, entry_point, trusted=n % 3 > 0), status


def mebibytes(processes: list[psutil.Process], role: str) -> float:
    """The memory of the largest of the processes that bear a role."""
    found = [0.0]
    for process in processes:
        try:
            if role in " ".join(process.cmdline()):
                found.append(process.memory_info().rss / 2**20)
        except psutil.Error:
            continue
    return round(max(found), 1)


class Watch:
    """Takes a reading every so many verdicts, and counts verdicts that are not as they should be."""

    def __init__(self, folder: Path, every: int, workers: int = 1) -> None:
        self.folder, self.every, self.workers, self.began = folder, every, workers, time.monotonic()
        self.readings: list[Reading] = []
        self.expected: dict[int, str | None] = {}
        self.statuses: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.steady: int | None = None  # readings taken before the last program was handed out

    def feed(self, count: int) -> Iterator[Program]:
        """The programs, remembering what is expected of those in hand."""
        for program, status in programs(count):
            self.expected[program.sample] = status
            yield program
        self.steady = len(self.readings)

    def see(self, verdict: Verdict) -> None:
        """Note one verdict."""
        expected = self.expected.pop(verdict.sample)
        if expected not in (None, verdict.status):
            self.wrong.append(f"{verdict.sample}: {verdict.status} {verdict.detail}, expected {expected}")
        self.statuses[verdict.status] += 1
        if sum(self.statuses.values()) % self.every == 0:
            self.read()

    def read(self) -> None:
        """Take a reading."""
        here = psutil.Process()
        processes = here.children(recursive=True)
        files = sum(len(names) + len(folders) for _, folders, names in os.walk(self.folder))
        memory = [here.memory_info().rss / 2**20, *(mebibytes(processes, f"{r}.main") for r in ("worker", "zygote"))]
        seconds = time.monotonic() - self.began
        counts = sum(self.statuses.values()), round(seconds, 1), len(processes), len(os.listdir("/proc/self/fd")), files
        self.readings.append(Reading(*counts, *(round(m, 1) for m in memory)))

    def complaints(self, before: Reading) -> list[str]:
        """What leaked. The last reading was taken when all was over; those between the last program and that are left
        out, because one more pair of processes then tries again, alone, what ran out of time."""
        *during, after = self.readings
        during = during[: self.steady]
        found = list(self.wrong[:10])
        for name in ("processes", "descriptors", "files"):
            first, last = getattr(before, name), getattr(after, name)
            found += [f"{name}: {first} before, {last} at the end"] * (last > first)
        early, late = during[len(during) // 10 : len(during) // 2], during[len(during) // 2 :]
        for name, room in self.room(after.programs).items():
            first, last = (max(getattr(reading, name) for reading in part) for part in (early, late))
            found += [f"{name} grew from {first} to {last}"] * (last > first + room)
        return found

    def room(self, programs: int) -> dict[str, float]:
        """What each column may grow by from the first half, without its first tenth, to the second: other workers may
        have a candidate and its tests in hand when a reading is taken."""
        kept, others = programs * VERDICT_BYTES / 2**20, self.workers - 1
        memory = {"judge": GROWTH_MIB + kept, "worker": GROWTH_MIB, "zygote": GROWTH_MIB + PROGRAM_MIB * others}
        return {"processes": 2.0 * others, "descriptors": 0.0, "files": 0.0, **memory}


def main() -> int:
    """Judge, watch, print; 1 when something leaked."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--programs", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--level", default="strongest")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sandbox = Sandbox(workers=options.workers, level=options.level, wall_seconds=WALL_SECONDS)
    with tempfile.TemporaryDirectory(prefix="hornbook-endurance-") as folder:
        tempfile.tempdir = folder
        level = probe(sandbox).level
        watch = Watch(Path(folder), every=max(options.programs // 20, 1), workers=options.workers)
        watch.read()
        before = watch.readings.pop()
        verdicts = judge(sandbox, watch.feed(options.programs), watch.see)
        watch.read()
    complaints = watch.complaints(before)
    if len(verdicts) != options.programs:
        complaints.append(f"{len(verdicts)} verdicts on {options.programs} programs")
    if options.json:
        rows = [asdict(reading) for reading in (before, *watch.readings)]
        print(json.dumps({"level": level, "readings": rows, "statuses": watch.statuses, "complaints": complaints}))
    else:
        show(level, [before, *watch.readings], watch.statuses, complaints)
    return 1 if complaints else 0


def show(level: str, readings: list[Reading], statuses: Counter[str], complaints: list[str]) -> None:
    """The readings as a table in Markdown; the first and last were taken before and after."""
    names = list(asdict(readings[0]))
    print(f"isolation: {level}; memory in MiB\n\n| {' | '.join(names)} |\n|{'--:|' * len(names)}")
    for reading in readings:
        print(f"| {' | '.join(str(value) for value in asdict(reading).values())} |")
    print(f"\n{dict(sorted(statuses.items()))}\n" + "\n".join(complaints or ["nothing leaked"]))


if __name__ == "__main__":
    sys.exit(main())
