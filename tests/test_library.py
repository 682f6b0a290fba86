"""hornbook in a notebook: three lines, from wherever a notebook may call them."""

from __future__ import annotations

import asyncio
import doctest
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import hornbook
from hornbook import Program, Sandbox, Verdict, Verdicts, judge, library
from hornbook.errors import InfrastructureError

TESTS = "def check(candidate):\n    assert candidate(3) == 6\n"
ANSWERS = ["def double(x): return 2 * x", "def double(x): return x * x"]
ONE = Sandbox(workers=1)


def programs() -> list[Program]:
    return [Program("double", number, answer, TESTS, "double") for number, answer in enumerate(ANSWERS)]


def statuses(verdicts: Verdicts) -> list[str]:
    return [verdict.status for verdict in verdicts]


def test_a_list_of_verdicts_prints_as_a_table() -> None:
    verdicts = judge(iter(programs()), ONE)
    assert verdicts.isolation in ("bubblewrap", "namespaces", "landlock", "seccomp", "rlimits")
    assert repr(verdicts) == (
        f"1 of 2 programs passed (isolation: {verdicts.isolation})\n"
        "double   0  passed\n"
        "double   1  failed   AssertionError: assert candidate(3) == 6"
    )


def test_a_long_list_is_cut() -> None:
    lines = repr(Verdicts([Verdict("t", n, "passed") for n in range(25)], "rlimits")).splitlines()
    assert len(lines) == 22
    assert lines[-1] == "… and 5 more"


def test_pass_at_k_is_a_mean_over_tasks() -> None:
    a = [Verdict("a", n, status) for n, status in enumerate(["passed", "failed", "timeout", "failed"])]
    b = [Verdict("b", n, "passed") for n in range(2)]
    verdicts = Verdicts(a + b, "rlimits")
    assert verdicts.pass_at_k() == pytest.approx((1 / 4 + 1) / 2)
    assert verdicts.pass_at_k(2) == pytest.approx((1 / 2 + 1) / 2)  # 1 - (3 choose 2) / (4 choose 2)
    with pytest.raises(ValueError, match="at least 3 samples"):
        verdicts.pass_at_k(3)
    with pytest.raises(ValueError, match="no verdicts"):
        Verdicts([], "rlimits").pass_at_k()


def test_what_was_not_judged_has_no_rate() -> None:
    with pytest.raises(InfrastructureError, match="a:0 was not judged"):
        Verdicts([Verdict("a", 0, "infrastructure", "died twice")], "rlimits").pass_at_k()


def test_tests_are_not_trusted_unless_somebody_says_so() -> None:
    """Tests that end their process would end the judge's worker, were they trusted."""
    assert not programs()[0].trusted
    tests = "import os\ndef check(candidate): os._exit(0)\n"
    assert judge([Program("t", 0, ANSWERS[0], tests, "double")], ONE)[0].detail == "the tests left with exit status 0"


def test_inside_a_running_event_loop() -> None:
    async def cell() -> Verdicts:
        return judge(programs(), ONE)

    assert statuses(asyncio.run(cell())) == ["passed", "failed"]


def test_from_threads_at_once() -> None:
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append(statuses(judge(programs(), ONE)))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["passed", "failed"]] * 2


def test_importing_is_light_and_judging_needs_neither_torch_nor_daft() -> None:
    code = (
        "import sys, hornbook; assert not {'numpy', 'pyarrow', 'pydantic'} & set(sys.modules)\n"
        "from hornbook import Program, judge; assert not {'torch', 'daft', 'transformers'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names() -> None:
    assert set(hornbook.__all__) <= set(dir(hornbook))
    with pytest.raises(AttributeError, match="no attribute 'jugde'"):
        _ = hornbook.jugde  # type: ignore[attr-defined]


def test_the_examples_in_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    result = doctest.testmod(library)
    assert result.attempted
    assert not result.failed
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    (example,) = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "import Program" in block]
    exec(example, {"answers": ANSWERS, "tests": TESTS})
    shown = capsys.readouterr().out
    assert shown.startswith("1 of 2 programs passed")
    assert shown.endswith(" 0.5\n")
