"""When a page of 64 rows has collapsed, and which dial to turn then."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from hornbook.config import Config
from hornbook.synthesis.pages import PAGE_ROWS, Figures


class Limits(Config):
    """How far a page of 64 rows may go before it has collapsed; 0 switches a measure off.

    A language-model writer stops at the first collapsed page when `halt` is set; other writers only report. Each limit
    stands between pages of good rows and pages made to be bad, as `python benchmarks/diversity.py` measures them.
    """

    halt: bool = True
    topics: float = Field(4.0, ge=0)
    audiences: float = Field(1.5, ge=0)
    repeats: float = Field(0.1, ge=0)
    near_duplicates: float = Field(0.1, ge=0)
    distinct_3: float = Field(0.45, ge=0)
    compression: float = Field(5.5, ge=0)
    coverage: float = Field(2.3, ge=0)
    opener: float = Field(0.4, ge=0)
    names: float = Field(8.0, ge=0)


@dataclass(frozen=True)
class Measure:
    """What a page is judged by: in words, whether much of it is bad, and the dial to turn when it has collapsed."""

    words: str
    most: bool
    dial: str

    def beyond(self, value: float, limit: float) -> bool:
        """Whether a value is on the bad side of a limit; a limit of 0 has none."""
        return limit > 0 and (value > limit if self.most else value < limit)


MEASURES = {  # causes before effects: the dial of the first that collapsed is the one to turn
    "topics": Measure("effective number of topics", False, "topics: give a wider tree, or expand this one"),
    "audiences": Measure("effective number of audiences", False, "audiences: name more of them"),
    "repeats": Measure(
        "near duplicates that answer the same prompt",
        True,
        "seeds: draw more distinct prompts (topics, audiences, passages) or fewer rows; or raise the temperature",
    ),
    "near_duplicates": Measure("near duplicates", True, "temperature: raise it; other prompts get the same rows"),
    "distinct_3": Measure("distinct 3-grams", False, "temperature: raise it"),
    "compression": Measure("compression ratio", True, "temperature: raise it"),
    "coverage": Measure(
        "directions of the embedding", False, "temperature: raise it; rows are alike whatever they are on"
    ),
    "opener": Measure("share of the commonest opener", True, "audiences: more of them, and of styles"),
    "names": Measure("effective number of names", False, "names: draw from more of them"),
}


@dataclass(frozen=True)
class Collapse:
    """A measure of a page that is beyond its limit. Rows are numbered from 1."""

    first_row: int
    last_row: int
    measure: str
    value: float
    limit: float

    def __str__(self) -> str:
        bound = "most" if MEASURES[self.measure].most else "least"
        return f"{MEASURES[self.measure].words} {self.value:.3g} (at {bound} {self.limit:g})"


def collapsed(figures: Figures, limits: Limits, last_row: int) -> list[Collapse]:
    """The measures of a page that are beyond their limits, causes first. A measure the page does not have is not."""
    found = []
    for name, measure in MEASURES.items():
        value, limit = figures.get(name), getattr(limits, name)
        if value is not None and measure.beyond(value, limit):
            found.append(Collapse(last_row - PAGE_ROWS + 1, last_row, name, value, limit))
    return found


def told(collapses: list[Collapse]) -> str:
    """The first collapsed page in one line, with the dial to turn."""
    first = [one for one in collapses if one.last_row == collapses[0].last_row]
    return (
        f"diversity: rows {first[0].first_row}-{first[0].last_row} have collapsed: {', '.join(map(str, first))}. "
        f"Turn {MEASURES[first[0].measure].dial}. Every answer is kept; diversity.halt=false (--no-halt) goes on as is"
    )
