"""The diversity meter: is what is being written still varied, and if not, which dial is to be turned?

It reads rows as they are written, in memory that does not grow, and judges every page of 64 rows. Of a text it takes
the first and the last 80 words, where a model's habits show: so a page of exercises can be compared with a page of
textbook sections. Near duplicates are looked for in whole texts. docs/diversity.md has the measurements.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from hornbook.artifacts import Ledger
from hornbook.errors import CollapseError
from hornbook.progress import Meter, say
from hornbook.records import Record, Rejected
from hornbook.synthesis.limits import MEASURES, Collapse, Limits, collapsed, told
from hornbook.synthesis.pages import FACETS, PAGE_ROWS, Figures, Page, seen
from hornbook.synthesis.sketches import Directions, Histogram, Recent, word_hashes

MOST_COLLAPSES = 20  # told one by one
SHOWN = 5  # commonest labels of a facet
DIGITS = 4

R = TypeVar("R", bound=Record)


class Pages:
    """Mean and worst value of a measure over pages."""

    def __init__(self, most: bool) -> None:
        self.count, self.total = 0, 0.0
        self.worst: float | None = None
        self._pick = max if most else min

    def add(self, value: float) -> None:
        """Count a page."""
        self.count += 1
        self.total += value
        self.worst = value if self.worst is None else self._pick(self.worst, value)

    def figures(self) -> dict[str, float | None]:
        """Mean and worst; None without a page."""
        mean = self.total / self.count if self.count else None
        return {"mean": rounded(mean), "worst": rounded(self.worst)}


class Diversity:
    """The meter. `add` rows in the order they are written; read `figures`, `line` and `collapses` at any time.

    Means and worsts are over full pages; where there is none, over the unfinished one, which is never judged. What is
    said of the whole stream does not depend on the order of its rows, but for near duplicates: of those, and of chains
    of them, the first counts as the original.
    """

    def __init__(self, limits: Limits = Limits()) -> None:
        self.limits = limits
        self.rows = self.words = self.near_duplicates = self.collapsed_pages = 0
        self.collapses: list[Collapse] = []
        self.last: Figures = {}
        self._page = Page()
        self._pages: dict[str, Pages] = {}
        self._recent = Recent()
        self._directions = Directions()
        self._facets = {name: Histogram() for name in FACETS}

    def add(self, row: Mapping[str, Any]) -> None:
        """Measure a row: `text`, or `prompt` and `solution`; besides `name`, `topic`, `audience`, `provenance`."""
        view = seen(row)
        words = view.text.split()
        hashes = word_hashes(words)
        like = self._recent.add(hashes, view.asked)
        self.rows += 1
        self.words += len(words)
        self.near_duplicates += like is not None
        self._page.add(view, words, hashes, like)
        self._directions.add(self._page.embeddings[-1])
        for name, labels in view.labels.items():
            self._facets[name].add(labels)
        self._turn()

    def refused(self) -> None:
        """Count a row that its writer refused because it had been written before."""
        self.rows += 1
        self.near_duplicates += 1
        self._page.refused()
        self._turn()

    def _turn(self) -> None:
        """Judge a full page and begin another."""
        if self._page.rows < PAGE_ROWS:
            return
        self.last = self._page.figures()
        count(self.last, self._pages)
        found = collapsed(self.last, self.limits, self.rows)
        self.collapsed_pages += bool(found)
        self.collapses += found[: MOST_COLLAPSES - len(self.collapses)]
        self._page = Page()

    def halt(self) -> None:
        """Raise CollapseError when a page has collapsed and the limits say so."""
        if self.limits.halt and self.collapses:
            raise CollapseError(told(self.collapses))

    @property
    def line(self) -> str:
        """The last full page in a few words; "" before there is one."""
        shown = ((name, self.last.get(name)) for name in ("distinct_3", "compression", "near_duplicates", "opener"))
        return " · ".join(f"{MEASURES[name].words} {value:.2g}" for name, value in shown if value is not None)

    def figures(self) -> dict[str, Any]:
        """What the meter found, as plain data."""
        pages = dict(self._pages)
        if not pages and self._page.rows:
            count(self._page.figures(), pages)
        limits = self.limits.model_dump(exclude={"halt"})
        return {
            "rows": self.rows,
            "words": self.words,
            "pages": self.rows // PAGE_ROWS,
            "near_duplicates": rounded(self.near_duplicates / self.rows) if self.rows else None,
            "coverage": rounded(self._directions.effective),
            "measures": {name: {**found.figures(), "limit": limits.get(name)} for name, found in pages.items()},
            "facets": {name: facet(found) for name, found in self._facets.items() if found.total},
            "collapsed_pages": self.collapsed_pages,
            "collapses": [{**asdict(one), "value": rounded(one.value)} for one in self.collapses],
        }


def count(figures: Figures, pages: dict[str, Pages]) -> None:
    """Add a page's figures to those of the pages before."""
    for name, value in figures.items():
        if value is not None:
            measure = MEASURES.get(name)
            pages.setdefault(name, Pages(measure is not None and measure.most)).add(value)


def facet(found: Histogram) -> dict[str, Any]:
    """A facet of the whole stream: how many labels, their entropy, and the commonest with their shares."""
    top = [[label, rounded(count / found.total)] for label, count in found.top(SHOWN)]
    return {"distinct": found.distinct, "bits": rounded(found.bits), "top": top}


def rounded(value: float | None) -> float | None:
    """So that the last bits of floating-point sums do not show."""
    return None if value is None else round(value, DIGITS)


def watched(rows: Iterable[R], meter: Diversity, label: str, total: float | None = None) -> Iterator[R]:
    """Pass on what a writer gives, exercises, sections or rejects, while the meter reads it; show progress.

    Of rejects only those count that are duplicates. Raises CollapseError after a collapsed page, if the limits say so.
    """
    with Meter(label, total) as progress:
        for row in rows:
            if not isinstance(row, Rejected):
                meter.add(row.row())
            elif row.reason == "duplicate":
                meter.refused()
            progress.advance(note=meter.line)
            meter.halt()
            yield row


def report(rows: Sequence[Record], limits: Limits, ledger: Ledger) -> None:
    """Measure finished rows into the ledger's figures, under `diversity`, and say a line of it. Never halts."""
    meter = Diversity(limits.model_copy(update={"halt": False}))
    for _ in watched(rows, meter, "diversity", len(rows)):
        pass
    ledger.figures["diversity"] = meter.figures()
    if meter.line:
        say(f"  {meter.line}")


def plant(limits: Limits, ledger: Ledger) -> None:
    """Canaries: 64 equal rows collapse, and every limit decides between a value just above and one just below it."""
    meter = Diversity()
    for _ in range(PAGE_ROWS):
        meter.add({"text": "canary"})
    ledger.canary("write/equal-rows", threshold="diversity", expected=True, caught=bool(meter.collapses))
    for name, measure in MEASURES.items():
        limit = getattr(limits, name)
        for side, value in (("above", 1.01 * limit), ("below", 0.99 * limit)):
            caught = bool(collapsed({name: value}, limits, PAGE_ROWS))
            expected = limit > 0 and measure.most == (side == "above")
            ledger.canary(f"write/diversity-{name}-{side}", threshold=limit, expected=expected, caught=caught)
