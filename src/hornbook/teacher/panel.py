"""How a job of requests stands: a live panel on a terminal, plain log lines elsewhere; standard error only."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from hornbook.progress import LOG_INTERVAL_SECONDS, duration, say
from hornbook.teacher.money import Bill, Forecast, dollars

if TYPE_CHECKING:
    from rich.live import Live
    from rich.panel import Panel as Box

REFRESHES_PER_SECOND = 4


class Panel:
    """Done, failed, tokens, spent, projected, time left. A context manager; call `update` when something happened.

    `total`: requests of the job. What `bill` holds when the panel is made counts as done before, not towards the rate.
    """

    def __init__(self, label: str, total: int, done: int, bill: Bill) -> None:
        self.label, self.total, self.done, self.bill = label, total, done, bill
        self.forecast: Forecast | None = None
        self.note = ""
        self._before = done
        self._began = self._shown = time.monotonic()
        self._live = self._screen() if sys.stderr.isatty() else None

    def _screen(self) -> Live:
        from rich.console import Console
        from rich.live import Live

        console = Console(stderr=True)
        return Live(
            get_renderable=self.box,
            console=console,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=False,  # which belongs to --json
        )

    def __enter__(self) -> Panel:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
        if self.done > self._before or self.bill.failed:
            say(f"  {self.label} · {self.bill.say()}{self.failures()}")

    def update(self, done: int = 0, note: str | None = None) -> None:
        """Count what is done, and write a log line if it is time to; the live panel shows itself."""
        self.done += done
        self.note = self.note if note is None else note
        now = time.monotonic()
        if self._live is None and now - self._shown >= LOG_INTERVAL_SECONDS:
            self._shown = now
            say("  " + " · ".join([self.label, *(f"{name} {value}" for name, value in self.rows(now - self._began))]))

    def rows(self, elapsed_seconds: float) -> list[tuple[str, str]]:
        """What the panel says after so long, as (name, value)."""
        rows = [("done", f"{self.done:,} of {self.total:,}"), ("failed", f"{self.bill.failed.total():,}")]
        rows += [("tokens", f"{self.bill.tokens:,}"), ("spent", self.spent()), ("projected", self.projected())]
        rate = (self.done - self._before) / max(elapsed_seconds, 1e-9)
        left = self.total - self.done - self.bill.failed.total()
        rows += [("left", duration(max(0, left) / rate) if rate else "not known yet")]
        return rows + ([("now", self.note)] if self.note else [])

    def spent(self) -> str:
        """Dollars so far."""
        return dollars(self.bill.dollars) if self.bill.price else "no price known"

    def projected(self) -> str:
        """Dollars for the whole job: the pilot's interval, else as if the rest cost what the others did."""
        if self.bill.price is None:
            return f"{self.whole(self.bill.tokens):,.0f} tokens" if self.bill.answers else "not known yet"
        if self.forecast is not None:
            return f"{dollars(self.forecast.low)} to {dollars(self.forecast.high)}"
        return dollars(self.whole(self.bill.dollars)) if self.bill.answers else "not known yet"

    def whole(self, so_far: float) -> float:
        """A sum over what is done, carried on to all requests."""
        return so_far * self.total / max(self.done, 1)

    def failures(self) -> str:
        """What ended without an answer, by reason, for the last line."""
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in self.bill.failed.most_common())
        return f" · {self.bill.failed.total():,} requests without an answer ({reasons})" if reasons else ""

    def box(self) -> Box:
        """The live panel."""
        from rich.panel import Panel as Box
        from rich.table import Table

        grid = Table.grid(padding=(0, 2))
        for name, value in self.rows(time.monotonic() - self._began):
            grid.add_row(name, value)
        return Box(grid, title=self.label, expand=False)
