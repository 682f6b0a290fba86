"""The progress line, and what a stage is said to have cost."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

from hornbook import measure, progress
from hornbook.measure import Gauge
from hornbook.progress import Meter, duration, say, track


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (90_061, "25 h 1 min"),
    ],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_line_has_rate_and_time_left() -> None:
    meter = Meter("pretrain", 1000, "tokens")
    meter.done, meter.note = 250, "loss 2.5"
    assert meter.line(10) == "  pretrain · 250 of 1,000 tokens · 25/s · 30.0 s left · loss 2.5"


def test_work_done_earlier_does_not_count_towards_the_rate() -> None:
    meter = Meter("pretrain", 1000, "tokens")
    meter.start_at(500)
    meter.advance(20)
    assert meter.line(10) == "  pretrain · 520 of 1,000 tokens · 2.00/s · 4 min 0 s left"


def test_without_a_total_there_is_no_time_left() -> None:
    meter = Meter("read", unit="files")
    meter.advance(30)
    assert meter.line(2) == "  read · 30 files · 15/s"


class Clock:
    """Stands in for the time module."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def test_a_log_is_quiet_at_first_and_then_every_fifteen_seconds(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Meter("count", 100) as meter:
        for clock.now in (1, 14, 15, 16, 29, 30):
            meter.advance()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "  count · 3 of 100 rows · 0.20/s · 8 min 5 s left",
        "  count · 6 of 100 rows · 0.20/s · 7 min 50 s left",
    ]


def test_a_terminal_sees_one_line_that_is_wiped_at_the_end(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with Meter("count", 4) as meter:
        clock.now = 1
        meter.advance()
        clock.now = 2
        meter.advance(note="half")
    assert capsys.readouterr().err == "\r\x1b[K  count · 2 of 4 rows · 1.00/s · 2.0 s left · half\r\x1b[K"


def test_tracking_yields_everything_and_counts_it(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    seen = []
    for item in track("abc", "letters", 3):
        seen.append(item)
        clock.now += 20
    assert seen == ["a", "b", "c"]
    assert capsys.readouterr().err.splitlines()[-1].startswith("  letters · 3 of 3 rows")


def test_what_is_said_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    say("hello")
    assert capsys.readouterr() == ("", "hello\n")


def test_cpu_time_of_a_child_is_counted() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    with Gauge() as gauge:
        subprocess.run([sys.executable, "-c", burn], check=True)
    assert gauge.figures()["cpu_seconds"] >= 0.3


def test_wall_time_is_that_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100.0, 107.25])

    class Fake:
        monotonic = staticmethod(lambda: next(times))

    monkeypatch.setattr(measure, "time", Fake)
    with Gauge() as gauge:
        pass
    assert gauge.figures()["wall_seconds"] == 7.25


def test_memory_held_by_a_child_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "SAMPLE_SECONDS", 0.001)
    hold = "import sys; x = bytearray(80_000_000); print('held', flush=True); sys.stdin.read()"
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with Gauge() as gauge:
        before = gauge.peak_memory_bytes
        with subprocess.Popen([sys.executable, "-c", hold], **pipes) as child:
            assert child.stdout is not None
            child.stdout.readline()
            until = time.monotonic() + 60
            while gauge.peak_memory_bytes < before + 80_000_000 and time.monotonic() < until:
                pass
            child.communicate()
    assert gauge.figures()["peak_memory_bytes"] >= before + 80_000_000
