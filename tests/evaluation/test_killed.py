"""`hornbook evaluate MODEL`, killed while it generates and run again: the bytes of a try that nobody killed."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from runs import COMMAND, spawn

PROBLEM = {"prompt": "def f(x):\n", "entry_point": "f", "canonical_solution": "    return x\n"}
RESULTS = ("samples.jsonl", "verdicts.jsonl", "likelihood.parquet", "results.json")


def test_an_examination_killed_while_it_generates_goes_on(student: Path, tmp_path: Path) -> None:
    rows = [{**PROBLEM, "task_id": f"T/{n}", "test": f"def check(f):\n    assert f({n}) == {n}\n"} for n in range(9)]
    (tmp_path / "exam.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = (
        "--n",
        "8",
        "--batch",
        "4",
        "--temperature",
        "1",
        "--max-new-tokens",
        "16",
        "--mutants",
        "0",
        "--threads",
        "1",
    )
    request = ["evaluate", str(student), "--benchmark", str(tmp_path / "exam.jsonl"), *settings]
    samples = tmp_path / "killed" / "samples.jsonl"
    with subprocess.Popen([*COMMAND, *request, "--out", str(samples.parent)], stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not (samples.exists() and samples.stat().st_size):
            time.sleep(0.002)
        process.kill()
    kept = samples.read_bytes()
    assert 0 < kept.count(b"\n") < 72
    for out in ("killed", "unbroken"):
        done = spawn(*request, "--out", tmp_path / out)
        assert done.code == 0, done.err
    killed, unbroken = (
        {name: (tmp_path / out / name).read_bytes() for name in RESULTS} for out in ("killed", "unbroken")
    )
    assert killed == unbroken
    whole = kept[: kept.rindex(b"\n") + 1]
    assert killed["samples.jsonl"].startswith(b"".join(whole.splitlines(keepends=True)[: whole.count(b"\n") // 4 * 4]))
