"""The byte promise: killed anywhere or spread over any number of workers, a run comes to the same bytes."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from hornbook.artifacts import Ledger
from hornbook.corpus.engine import processors
from hornbook.quality import score
from runs import COMMAND, Result, Smoke, bytes_of, spawn

Ready = Callable[[Path], bool]
POLL_SECONDS = 0.002
TRIES = 8


def at_once(_: Path) -> bool:
    return True


@dataclass(frozen=True)
class Moment:
    """When to kill: after the stage has begun and `ready`, at a chance share of the time it took in the unbroken run.

    What makes it ready must still be there after the kill; else the stage had ended, and is tried again from its start.
    """

    node: str  # "stage name"
    share: float
    ready: Ready = at_once


def checkpointed(workdir: Path) -> bool:
    return any(workdir.glob("work/*/checkpoint.pt"))


def sampled(workdir: Path) -> bool:
    return any(path.stat().st_size for path in workdir.glob("work/*/samples.jsonl"))


def killed(workdir: Path, moment: Moment, seconds: float, settings: Sequence[str]) -> None:
    """Run `smoke` until the moment, then SIGKILL the main process and nothing else."""
    command = [*COMMAND, "run", "smoke", "--workdir", str(workdir), *settings]
    log = workdir.with_name("killed.log")
    with log.open("w") as stderr, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr) as process:
        mark = f"▸ {moment.node}\n"
        while process.poll() is None and not (mark in log.read_text("utf-8") and moment.ready(workdir)):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(POLL_SECONDS)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moment.share * seconds)
        process.kill()
    assert process.returncode == -signal.SIGKILL, f"finished before {moment}: {log.read_text('utf-8')}"


def wall_seconds(smoke: Smoke, node: str) -> float:
    return float(smoke.manifest(node.replace(" ", "-"))["wall_seconds"])


def copy_without(smoke: Smoke, folder: Path, *nodes: str) -> Path:
    """A copy of the unbroken run in which some artifacts are not there yet."""
    workdir = folder / "work"
    shutil.copytree(smoke.workdir, workdir)
    for node in nodes:
        for found in workdir.glob(f"artifacts/{node}-????????"):
            shutil.rmtree(found)
    return workdir


def comes_to_the_same(smoke: Smoke, workdir: Path, moments: Sequence[Moment], settings: Sequence[str] = ()) -> None:
    for moment in moments:
        for _ in range(TRIES):
            killed(workdir, moment, wall_seconds(smoke, moment.node), settings)
            if moment.ready(workdir):
                break
            for ended in workdir.glob(f"artifacts/{moment.node.replace(' ', '-')}-????????"):
                shutil.rmtree(ended)
        else:
            pytest.fail(f"{TRIES} kills came too late for {moment}")
    done = spawn("run", "smoke", "--workdir", workdir, "--json", *settings)
    assert done.code == 0, (moments, done.err)
    expected, found = bytes_of(smoke.workdir), bytes_of(workdir)
    assert found.keys() == expected.keys(), moments
    assert [path for path in expected if found[path] != expected[path]] == [], moments
    keys = [(stage["stage"], stage["name"], stage["key"]) for stage in done.json["stages"]]
    assert keys == [(stage["stage"], stage["name"], stage["key"]) for stage in smoke.answer["stages"]]


EVERY_STEP = ("--set", "pretrain.checkpoint_seconds=0", "--set", "finetune.checkpoint_seconds=0")


def test_killed_in_training_and_in_evaluation(smoke: Smoke, tmp_path: Path) -> None:
    workdir = copy_without(smoke, tmp_path, "pretrain-raw", "evaluate-raw", "compare-arms")
    chance = random.Random()
    moments = [
        Moment("pretrain raw", chance.random() * 0.02, checkpointed),
        Moment("evaluate raw", chance.random() * 0.8),
    ]
    comes_to_the_same(smoke, workdir, moments, EVERY_STEP)


@pytest.mark.slow
def test_killed_at_ten_moments(smoke: Smoke, tmp_path: Path) -> None:
    chance = random.Random()
    places: list[tuple[str, Ready]] = [
        ("curate corpus", at_once),
        ("score corpus", at_once),
        ("write_textbooks textbooks", at_once),
        ("write_exercises exercises", at_once),
        ("pretrain raw", checkpointed),
        ("pretrain filtered+textbooks", checkpointed),
        ("finetune raw+exercises", checkpointed),
        ("evaluate raw", at_once),
        ("evaluate raw", sampled),
        ("evaluate filtered", at_once),
    ]
    moments = [Moment(node, chance.random() * (0.7 if ready is at_once else 0.02), ready) for node, ready in places]
    comes_to_the_same(smoke, tmp_path / "work", moments, EVERY_STEP)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("node", "free_kb"), [("pretrain raw", 100), ("write_exercises exercises", 12), ("evaluate raw", 12)]
)
def test_no_space_left_for_real(smoke: Smoke, tmp_path: Path, node: str, free_kb: int) -> None:
    """On a small file system, all but filled up; skipped where a process may not mount one."""
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("may not mount a file system here")
    room_kb = sum(path.stat().st_blocks for path in smoke.workdir.rglob("*")) // 2 + 20_000
    script = (
        f"mount -t tmpfs -o size={room_kb}k tmpfs {tmp_path} && cp -r {smoke.workdir} {tmp_path}/work"
        f" && rm -r {tmp_path}/work/artifacts/{node.replace(' ', '-')}-* && dd if=/dev/zero of={tmp_path}/fill 2>&1"
        f" | true; truncate -s -{free_kb}K {tmp_path}/fill; {' '.join(COMMAND)} run smoke --workdir {tmp_path}/work"
    )
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, check=False)
    assert Result(done.returncode, done.stdout, done.stderr).complaint(1) == (
        f"{node}: no space left on the device; free some, then run again: what is finished is kept"
    )


def test_one_worker_and_two_come_to_the_same(smoke: Smoke, tmp_path: Path) -> None:
    """The unbroken run took a worker for every processor, and one for decontamination; here it is the other way."""
    few = 1 if processors() > 1 else 2
    workers = {
        "curate-corpus": ("curate.workers", few),
        "decontaminate-corpus": ("decontaminate.workers", 2),
        "write_textbooks-textbooks": ("textbooks.sandbox.workers", few),
        "write_exercises-exercises": ("exercises.sandbox.workers", few),
        "evaluate-raw": ("evaluate.sandbox.workers", few),
    }
    others = {"annotate-corpus", "classify-corpus", "select-filtered", "train_tokenizer-shared", "pack-raw"}
    workdir = copy_without(smoke, tmp_path, *workers, *others)
    settings = [part for field, count in workers.values() for part in ("--set", f"{field}={count}")]
    done = spawn("run", "smoke", "--workdir", workdir, "--json", *settings)
    assert done.code == 0, done.err
    made = {f"{stage['stage']}-{stage['name']}" for stage in done.json["stages"] if not stage["cached"]}
    assert made == others | set(workers)
    assert bytes_of(workdir) == bytes_of(smoke.workdir)


def test_scores_are_the_same_from_one_process_and_from_two(
    smoke: Smoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "WORTH_SPREADING", 1)
    monkeypatch.setattr(score, "CHUNK", 7)
    documents = smoke.folder("select-filtered") / "documents"
    for workers in (0, 2):
        config = score.Score(workers=workers)
        forest = smoke.folder("classify-corpus")
        score.score(config, documents=documents, classifier=forest, out=tmp_path / str(workers), ledger=Ledger())
    one, two = (tmp_path / workers / "scores" / "part-00000.parquet" for workers in "02")
    assert one.read_bytes() == two.read_bytes()


def test_a_second_run_is_all_cached_and_reports_the_same(smoke: Smoke, tmp_path: Path) -> None:
    workdir = copy_without(smoke, tmp_path)
    report = workdir / "runs" / "smoke" / "report.html"
    before = report.read_bytes()
    done = spawn("run", "smoke", "--workdir", workdir, "--json")
    assert done.code == 0, done.err
    assert [stage["cached"] for stage in done.json["stages"]] == [True] * len(smoke.answer["stages"])
    assert report.read_bytes() == before
    assert bytes_of(workdir) == bytes_of(smoke.workdir)


def test_a_cached_run_imports_nothing_heavy(smoke: Smoke, tmp_path: Path) -> None:
    workdir = copy_without(smoke, tmp_path)
    code = (
        "import sys, json; from hornbook.cli import main; sys.argv = sys.argv[:1] + sys.argv[2:]\n"
        "try: main()\n"
        "finally: print(json.dumps([n for n in ('torch', 'transformers', 'daft', 'sklearn') if n in sys.modules]))"
    )
    arguments = ["-", "run", "smoke", "--workdir", str(workdir), "--json"]
    done = subprocess.run([COMMAND[0], "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout.splitlines()[-1]) == []
