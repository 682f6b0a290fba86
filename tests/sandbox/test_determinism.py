"""The verdicts file has the same bytes however many workers, however busy the machine; a broken machine is no verdict."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from hornbook.evaluation import evaluate as room
from hornbook.evaluation.alone import judge_file
from hornbook.evaluation.evaluate import Evaluate
from hornbook.sandbox import launch, pool
from hornbook.sandbox.launch import Pair, Setting
from hornbook.sandbox.probe import probe
from hornbook.sandbox.run import Sandbox
from hornbook.standalone import run_alone
from runs import Command

BODIES = [
    "    return x + x\n",
    "    return x * x\n",
    "    raise KeyError({'a', 'b', 'c'})\n",
    "    import random\n    return random.random()\n",
    "    return hash(str(x))\n",
    "    return {str(n) for n in range(x + 9)}\n",
    "    import os\n    os._exit(x)\n",
    "    return object()\n",
    "    import os\n    return os.fork()\n",
]
LOOP = "    while True: pass\n"
TEST = "def check(candidate):\n    assert candidate(3) == 6, str(candidate(3))\n"
PROBLEM = {"prompt": "def double(x):\n", "entry_point": "double", "canonical_solution": "", "test": TEST}


@pytest.fixture(autouse=True)
def probed() -> None:
    """The level is probed once a process: before a test breaks what it would be probed with."""
    probe()


def exam(folder: Path, samples: int, loops: int = 1) -> tuple[Path, Path]:
    """A problem file, and a file of samples of every kind, `loops` that run out of time in their midst."""
    rows = [{"task_id": f"t/{n}", **PROBLEM} for n in range(3)]
    answers = [{"task_id": f"t/{n % 3}", "completion": BODIES[n % len(BODIES)]} for n in range(samples)]
    answers[samples // 2 : samples // 2] = [{"task_id": "t/1", "completion": LOOP}] * loops
    for name, part in (("problems", rows), ("samples", answers)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    return folder / "problems.jsonl", folder / "samples.jsonl"


def verdicts(folder: Path, name: str, workers: int, samples: int = 100) -> bytes:
    """The bytes of the verdicts file that so many workers write."""
    problems, answers = exam(folder, samples)
    config = Evaluate(benchmarks=[str(problems)], sandbox=Sandbox(workers=workers, cpu_seconds=1, wall_seconds=60))
    run_alone(partial(judge_file, responses=folder), config, folder / name, samples=answers)
    return (folder / name / "verdicts.jsonl").read_bytes()


def statuses(data: bytes) -> Counter[str]:
    return Counter(json.loads(line)["status"] for line in data.splitlines())


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that do nothing but keep the machine busy."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=spin, daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def spin() -> None:
    while True:
        pass


@contextmanager
def watched_starts(monkeypatch: pytest.MonkeyPatch, seen: Callable[[list[Pair]], object]) -> Iterator[list[Pair]]:
    """`seen` is told of each pair of processes, after it started."""
    pairs: list[Pair] = []

    def start(setting: Setting) -> Pair:
        pairs.append(launch.start(setting))
        seen(pairs)
        return pairs[-1]

    monkeypatch.setattr(pool, "start", start)
    yield pairs


def kill_in(seconds: float, pair: Pair) -> None:
    timer = threading.Timer(seconds, pair.worker.kill)
    timer.daemon = True
    timer.start()


def test_one_worker_and_two_write_the_same_bytes_though_workers_die(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = verdicts(tmp_path, "one", 1)
    assert set(statuses(one)) == {"passed", "failed", "crashed", "blocked", "timeout"}
    # each of the first two is killed, so no job can be hit twice
    with watched_starts(monkeypatch, lambda pairs: len(pairs) <= 2 and kill_in(0.4 * len(pairs), pairs[-1])) as pairs:
        assert verdicts(tmp_path, "two", 2) == one
    assert len(pairs) >= 4


@pytest.mark.slow
def test_a_load_of_four_changes_no_byte(tmp_path: Path) -> None:
    idle = [verdicts(tmp_path, f"idle-{n}", n, samples=400) for n in (1, 2)]
    with busy(4):
        loaded = [verdicts(tmp_path, f"loaded-{n}", n, samples=400) for n in (1, 2)]
    assert len({*idle, *loaded}) == 1


def judged(hornbook: Command, folder: Path) -> tuple[str, Counter[str]]:
    """The complaint of `hornbook evaluate --samples` that failed with 1, and the statuses it wrote."""
    problems, answers = exam(folder, 20)
    done = hornbook("evaluate", "--benchmark", problems, "--samples", answers, "--out", folder / "out")
    return done.complaint(code=1), statuses((folder / "out" / "verdicts.jsonl").read_bytes())


def test_workers_killed_again_and_again_are_infrastructure_and_exit_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hornbook: Command
) -> None:
    with watched_starts(monkeypatch, lambda pairs: pairs[-1].worker.kill()):
        said, found = judged(hornbook, tmp_path)
    assert found == {"infrastructure": 21}
    assert said == "21 programs were not judged because the sandbox failed; run again to go on"


def test_a_disk_that_fills_while_workers_are_replaced_fails_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hornbook: Command
) -> None:
    """Workers start, work for a while and die; there is no room to start others."""
    open_pair = launch.open_pair
    cores = len(os.sched_getaffinity(0))

    def full(setting: Setting) -> Pair:
        if len(pairs) >= cores:
            raise OSError(errno.ENOSPC, "No space left on device")
        return open_pair(setting)

    monkeypatch.setattr(launch, "open_pair", full)
    with watched_starts(monkeypatch, lambda pairs: kill_in(0.6, pairs[-1])) as pairs:
        said, found = judged(hornbook, tmp_path)
    assert set(found) <= {"passed", "failed", "crashed", "blocked", "infrastructure"}
    assert found["infrastructure"] > 0
    assert found.total() == 21
    assert said.startswith(f"{found['infrastructure']} programs were not judged")


def test_a_sandbox_that_never_starts_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hornbook: Command
) -> None:
    problems, answers = exam(tmp_path, 2, loops=0)

    def full(setting: Setting) -> Pair:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(launch, "open_pair", full)
    done = hornbook("evaluate", "--benchmark", problems, "--samples", answers, "--out", tmp_path / "out")
    assert "(No space left on device)" in done.complaint(code=1)


def test_results_that_cannot_be_written_are_no_verdicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hornbook: Command
) -> None:
    def full(path: Path, row: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(room, "append_jsonl", full)
    problems, answers = exam(tmp_path, 2, loops=0)
    done = hornbook("evaluate", "--benchmark", problems, "--samples", answers, "--out", tmp_path / "out")
    assert done.complaint(code=1).endswith("No space left on device")
