"""The scripts in `benchmarks/`, each run small: they say what they promise and fail when it is not so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from published import benchmark

from hornbook.records import Verdict
from hornbook.sandbox.run import Program

ROOT = Path(__file__).parents[2]


def script(name: str) -> ModuleType:
    """A script as a module."""
    spec = util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def run(name: str, *options: str) -> tuple[int, dict[str, Any]]:
    """A script's exit status and the JSON that it printed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return done.returncode, found


@pytest.mark.parametrize("options", [("150",), ("40", "--contained")], ids=["trusted", "contained"])
def test_mutants_get_the_verdict_of_a_plain_run(options: tuple[str, ...]) -> None:
    benchmark("HumanEval.jsonl.gz"), benchmark("mbpp.jsonl")
    code, found = run("agreement", "--workers", "2", "--sample", *options)
    assert found["disagreements"] == []
    assert code == 0
    assert found["mutants"] == int(options[0])
    assert found["both passed"] > 0 < found["both failed"]
    assert found.get("set aside", 0) <= 0.05 * found["mutants"]


def test_a_disagreement_is_seen() -> None:
    agreement = script("agreement")
    tests = "def check(c): assert c(1) == 1\n"
    right, wrong, loop, kill = (
        Program("t", n, f"import os\ndef f(x):\n    {body}\n", tests, "f")
        for n, body in enumerate(["return x", "return 2", "while True: pass", "os._exit(0)"])
    )
    assert [agreement.plain(program) for program in (right, wrong, loop)] == ["passed", "failed", "set aside"]
    told = [Verdict("t", 0, "failed", "why"), Verdict("t", 1, "passed"), Verdict("t", 2, "timeout")]
    counts, lines = agreement.compare([right, wrong, loop], told)
    assert dict(counts) == {"disagree": 2, "set aside": 1}
    assert lines == ["t:0: sandbox 'failed why', plain passed", "t:1: sandbox 'passed', plain failed"]
    assert kill.source  # a program that leaves with 0 passes a plain run: why the sandbox exists
    assert agreement.plain(kill) == "passed"
