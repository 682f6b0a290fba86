"""Every attack of `attacks.py` at every level that works here; that the attacks are real; that the document is true.

All attacks are judged in one go; each test then looks at its own adversary.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import attacks
import pytest
from attacks import ATTACKS, CHECK, Attack, outcomes, plant, stopped

import hornbook
from hornbook.sandbox.launch import LEVELS
from hornbook.sandbox.probe import probe, probe_level
from hornbook.sandbox.run import Program, Sandbox, judge

LONG = ("bomb", "hostile-tests")  # these wait for their limits


@functools.cache
def works(level: str) -> bool:
    """Whether a level works here; then its probes must all hold."""
    found = probe_level(level)
    assert found is None or all(found.probes.values())
    return found is not None


@functools.cache
def answers(level: str, long: bool) -> tuple[dict, bool]:
    """The answers on the long or the other attacks, by name, and whether what was planted outside is untouched."""
    if not works(level):
        pytest.skip(f"isolation level {level} does not work on this machine")
    return outcomes(level, [attack for attack in ATTACKS if (attack.group in LONG) == long])


def chosen(long: bool) -> list:
    """(level, attack): the long groups at the strongest level only, or at all the others."""
    return [
        pytest.param(level, attack, id=f"{level}-{attack.group}-{attack.name}")
        for level in LEVELS
        for attack in ATTACKS
        if long == (attack.group in LONG and level != LEVELS[0])
    ]


@pytest.mark.parametrize(("level", "attack"), chosen(long=False))
def test_the_attack_is_stopped(level: str, attack: Attack) -> None:
    answer = answers(level, attack.group in LONG)[0][attack.name]
    assert stopped(attack, answer), answer


@pytest.mark.slow
@pytest.mark.parametrize(("level", "attack"), chosen(long=True))
def test_the_long_attack_is_stopped(level: str, attack: Attack) -> None:
    test_the_attack_is_stopped(level, attack)


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_outside_was_reached(level: str) -> None:
    assert answers(level, False)[1]
    assert level != LEVELS[0] or answers(level, True)[1]


@pytest.mark.parametrize("level", [LEVELS[0], *(pytest.param(level, marks=pytest.mark.slow) for level in LEVELS[1:])])
def test_contained_tests_are_not_fooled_either(level: str) -> None:
    if not works(level):
        pytest.skip(f"isolation level {level} does not work on this machine")
    forgers = [attack for attack in ATTACKS if attack.group == "forge"]
    programs = [Program(attack.name, 0, attack.source, attack.tests, "f", False) for attack in forgers]
    verdicts = judge(Sandbox(level=level, **attacks.LIMITS), programs)
    assert {v.task_id: v.status for v in verdicts if v.status not in ("failed", "crashed", "blocked", "timeout")} == {}


# What public harnesses do: the program and its tests in one interpreter, which also decides.
NAIVE = """
import sys
def verdict(error):
    return 'failed' if error else 'passed'
def examine(source, tests):
    space = {}
    try:
        exec(source, space)
        exec(tests, space)
        space['check'](space['f'])
    except Exception as error:
        return verdict(error)
    return verdict(None)
outcome = examine(*map(eval, sys.stdin.read().split('\\0')))
print(outcome)
sys.exit(outcome != 'passed')
"""


def scores(source: str, tests: str) -> bool:
    """Whether a naive harness lets a program pass: by its word or by its exit status."""
    done = subprocess.run(
        [sys.executable, "-c", NAIVE],
        input=f"{source!r}\0{tests!r}",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode == 0 or "passed" in done.stdout


REAL = [attack for attack in ATTACKS if attack.naive]


@pytest.mark.parametrize("attack", REAL, ids=lambda attack: attack.name)
def test_the_attack_fools_a_naive_harness(attack: Attack) -> None:
    assert scores(attack.source, attack.tests)


def test_the_naive_harness_tells_right_from_wrong() -> None:
    assert scores(attacks.SQUARE, CHECK)
    assert not scores("def f(x): return 0\n", CHECK)


def test_an_honest_program_passes_all_tests_of_the_forgers() -> None:
    """Or the forgers might fail for want of a sound test."""
    sound = [attack for attack in REAL if attack.group == "forge" and attack.tests == CHECK]
    programs = [Program(attack.name, 0, attacks.SQUARE, attack.tests, "f", True) for attack in sound[:3]]
    assert {v.status for v in judge(Sandbox(), programs)} == {"passed"}


def test_there_are_many_attacks_and_the_document_lists_each() -> None:
    assert len(ATTACKS) >= 60
    text = attacks.DOCUMENT.read_text("utf-8").partition(attacks.BEGIN)[2].partition(attacks.END)[0]
    rows = re.findall(r"^\| ([^*|][^|]*) \| (.*) \|$", text, re.MULTILINE)[1:]
    assert [name for name, _ in rows] == [attack.name for attack in ATTACKS]
    assert {cells for _, cells in rows} == {" | ".join("✓" * len(LEVELS))}
    assert f"| attack | {' | '.join(LEVELS)} |" in text


def test_a_planted_thing_that_is_reached_is_noticed() -> None:
    for harm in (
        lambda marks: os.chmod(marks["canary"], 0o600),
        lambda marks: Path(marks["canary"]).write_text("x"),
        lambda marks: os.kill(marks["victim"], 9),
        lambda marks: Path(marks["folder"], "x").touch(),
    ):
        with plant() as planted:
            assert planted.untouched()
            harm(planted.marks)
            time.sleep(0.05)
            assert not planted.untouched()


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("setpriv"), reason="needs root, to become somebody else")
def test_every_level_holds_without_root() -> None:
    """With any interpreter that another user may start; the packages come by path."""
    python = next((p for p in (sys.executable, "/usr/bin/python3") if others_may_run(p)), None)
    if python is None:
        pytest.skip("no interpreter that another user may run")
    code = (
        "from hornbook.sandbox.probe import *\n"
        "print([name for name in LEVELS if (p := probe_level(name)) and all(p.probes.values())])"
    )
    places = [str(Path(hornbook.__file__).parents[1]), *(p for p in sys.path if p.endswith("site-packages"))]
    command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", python, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd="/", env={"PYTHONPATH": ":".join(places)}
    )
    if "ImportError" in done.stderr or "ModuleNotFoundError" in done.stderr:
        pytest.skip("the other interpreter cannot use these packages")
    assert done.stdout.strip() == str([name for name in LEVELS if works(name)]), done.stderr


def others_may_run(path: str) -> bool:
    """Whether somebody who is not the owner may start a program."""
    target = Path(path).resolve()
    return target.exists() and all(part.stat().st_mode & 1 for part in (target, *target.parents))


def test_a_sleeper_does_not_delay_the_rest_by_more_than_its_limit() -> None:
    began = time.monotonic()
    programs = [Program("sleep", 0, "import time\ndef f(x): time.sleep(99)", CHECK, "f", True)]
    config = Sandbox(wall_seconds=0.5, workers=1)
    probe()
    assert judge(config, programs)[0].status == "timeout"
    assert time.monotonic() - began < 8
