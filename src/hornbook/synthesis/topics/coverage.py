"""The ledger of what has been covered: rows by topic, pair of topics, audience and so on.

It is filled from briefs (what was asked for) or from the rows of datasets (what was kept). The next round is planned
from it: `draw` deals the least covered first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from hornbook.errors import InputError
from hornbook.records import Record, read_dataset, read_table, write_dataset
from hornbook.synthesis.topics.tree import AND

if TYPE_CHECKING:
    from hornbook.synthesis.topics.draw import Brief

DIMENSIONS = ("topic", "pair", "audience", "profession", "style", "word", "passage")
ALIKE = 0.5  # a topic in other words is counted for the leaf that it shares half its words with


@dataclass(frozen=True, slots=True)
class Covered(Record):
    """How many rows an item of a dimension has."""

    dimension: str
    item: str
    rows: int

    schema = pa.schema([("dimension", pa.string()), ("item", pa.string()), ("rows", pa.int64())])


@dataclass
class Coverage:
    """Rows by dimension and item. `rows` counts what was added."""

    rows: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in DIMENSIONS})

    def add(self, brief: Brief) -> None:
        """Count a brief."""
        self.count({name: getattr(brief, name) for name in DIMENSIONS[2:]}, brief.topics)

    def count(self, items: Mapping[str, str | None], topics: Sequence[str]) -> None:
        """Count a row with these topics, in any order, and these items by dimension; what is empty is left out."""
        self.rows += 1
        self.counts["topic"].update(topics)
        if len(topics) > 1:
            self.counts["pair"][pair(topics)] += 1
        for name, item in items.items():
            if item:
                self.counts[name][item] += 1

    def write(self, folder: Path) -> None:
        """Write the ledger as a dataset folder; equal ledgers, equal bytes."""
        found = [Covered(name, item, n) for name, items in self.counts.items() for item, n in items.items()]
        write_dataset(folder, [*found, Covered("rows", "", self.rows)], Covered)


def read_coverage(folder: Path) -> Coverage:
    """A ledger from its folder. Raises InputError when there is none."""
    columns = read_table(folder).column_names
    if columns != Covered.schema.names:
        raise InputError(
            f"{folder}: not a ledger of coverage, its columns are {columns}; make one with: topics coverage"
        )
    ledger = Coverage()
    for row in read_dataset(folder, Covered):
        if row.dimension == "rows":
            ledger.rows = row.rows
        else:
            ledger.counts.setdefault(row.dimension, Counter())[row.item] = row.rows
    return ledger


def pair(topics: Iterable[str]) -> str:
    """Topics as one item, in an order of their own."""
    return AND.join(sorted(topics))
