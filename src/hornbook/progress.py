"""Progress for people, on standard error: a live line with rate and time left on a terminal, plain log lines elsewhere.

Nothing here ever touches standard output, which belongs to `--json`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

LOG_INTERVAL_SECONDS = 15.0
QUIET_SECONDS = 2.0


def say(text: str) -> None:
    """Print one line to standard error."""
    print(text, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Seconds for people.

    >>> duration(8.04), duration(75), duration(7260)
    ('8.0 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"


class Meter:
    """Shows how far a piece of work is. Silent for the first two seconds.

    `advance(n)` adds to what is done; `note` is free text shown at the end (a loss, a cost). Use as a context manager.
    """

    def __init__(self, label: str, total: float | None = None, unit: str = "rows") -> None:
        self.label, self.total, self.unit = label, total, unit
        self.done = 0.0
        self.note = ""
        self._began = self._shown = time.monotonic()
        self._live = sys.stderr.isatty()
        self._skipped = 0.0

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live and self._shown > self._began:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def start_at(self, done: float) -> None:
        """Begin from work already done earlier, which does not count towards the rate."""
        self.done = self._skipped = done

    def advance(self, by: float = 1, note: str | None = None) -> None:
        """Count `by` more units as done, and show the line if it is time to."""
        self.done += by
        if note is not None:
            self.note = note
        now = time.monotonic()
        wait = 0.2 if self._live else LOG_INTERVAL_SECONDS
        if now - self._began >= QUIET_SECONDS and now - self._shown >= wait:
            self._shown = now
            line = self.line(now - self._began)
            sys.stderr.write(f"\r\x1b[K{line}" if self._live else f"{line}\n")
            sys.stderr.flush()

    def line(self, elapsed_seconds: float) -> str:
        """The text shown after `elapsed_seconds` of work."""
        rate = (self.done - self._skipped) / max(elapsed_seconds, 1e-9)
        of_total = f" of {self.total:,.0f}" if self.total else ""
        parts = [f"  {self.label}", f"{self.done:,.0f}{of_total} {self.unit}"]
        parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.2f}/s")
        if self.total and rate > 0:
            parts.append(f"{duration((self.total - self.done) / rate)} left")
        if self.note:
            parts.append(self.note)
        return " · ".join(parts)


def track(items: Iterable[T], label: str, total: float | None = None, unit: str = "rows") -> Iterator[T]:
    """Yield the items while a Meter counts them."""
    with Meter(label, total, unit) as meter:
        for item in items:
            yield item
            meter.advance()
