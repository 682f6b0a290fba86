"""Canonical solutions of the published benchmarks pass: the compatibility check of the split verdict."""

from __future__ import annotations

import ast
import gzip
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hornbook.sandbox.run import Program, Sandbox, judge

FOLDERS = [
    Path(__file__).parents[3] / "shared" / "data",
    Path(os.environ.get("HORNBOOK_BENCHMARK_DATA", "/nonexistent")),
]
FORGEABLE_ONLY: set[str] = set()  # what would need tests beside the candidate


def rows(name: str) -> Iterator[dict]:
    path = next((folder / name for folder in FOLDERS if (folder / name).exists()), None)
    if path is None:
        pytest.skip(f"{name} is neither in ../shared/data nor in $HORNBOOK_BENCHMARK_DATA")
    data = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    rows = json.loads(data) if data.lstrip().startswith(b"[") else [json.loads(line) for line in data.splitlines()]
    yield from rows


def failures(programs: list[Program]) -> dict[str, str]:
    verdicts = judge(Sandbox(workers=2), programs)
    assert len(verdicts) == len(programs)
    return {v.task_id: f"{v.status}: {v.detail}" for v in verdicts if v.status != "passed"}


@pytest.mark.parametrize("trusted", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["trusted", "contained"])
def test_every_humaneval_solution_passes(trusted):
    programs = [
        Program(row["task_id"], 0, row["prompt"] + row["canonical_solution"], row["test"], row["entry_point"], trusted)
        for row in rows("HumanEval.jsonl.gz")
    ]
    assert len(programs) == 164
    assert failures(programs) == {}


def mbpp_program(row: dict, setup: str) -> Program:
    asserts = row["test_list"]
    defined = {n.name for n in ast.parse(row["code"]).body if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    called = [
        n.func.id for n in ast.walk(ast.parse(asserts[0])) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    ]
    entry = next(name for name in called if name in defined)
    if entry == "check":  # four functions bear the name of what tests must define
        asserts = [re.sub(r"\bcheck\(", "candidate(", line) for line in asserts]
    tests = setup + "\ndef check(candidate):\n" + "".join(f"    {line}\n" for line in asserts)
    return Program(str(row["task_id"]), 0, row["code"], tests, entry, trusted=True)


def test_every_mbpp_solution_passes():
    programs = [mbpp_program(row, row["test_setup_code"]) for row in rows("mbpp.jsonl")]
    assert len(programs) == 974
    failed = failures(programs)
    assert set(failed) <= FORGEABLE_ONLY, failed


@pytest.mark.slow
def test_every_sanitized_mbpp_solution_passes():
    programs = [mbpp_program(row, "\n".join(row["test_imports"])) for row in rows("sanitized-mbpp.json")]
    assert len(programs) == 427
    failed = failures(programs)
    assert set(failed) <= FORGEABLE_ONLY, failed
