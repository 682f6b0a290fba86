"""The ledger of what has been covered: rows by topic, pair of topics, audience and so on.

It is filled from briefs (what was asked for) or from the rows of datasets (what was kept). The next round is planned
from it: `draw` deals the least covered first.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from hornbook.errors import InputError
from hornbook.records import Record, read_dataset, read_table, write_dataset
from hornbook.synthesis.topics.tree import AND, Leaf, Places, Tree

if TYPE_CHECKING:
    from hornbook.synthesis.topics.draw import Brief

DIMENSIONS = ("topic", "pair", "audience", "profession", "style", "word", "passage")
COLUMNS = ("audience", "style", "parents", "provenance")


@dataclass(frozen=True, slots=True)
class Covered(Record):
    """How many rows an item of a dimension has."""

    dimension: str
    item: str
    rows: int

    schema = pa.schema([("dimension", pa.string()), ("item", pa.string()), ("rows", pa.int64())])


def counters() -> dict[str, Counter[str]]:
    """An empty count for each dimension."""
    return {name: Counter() for name in DIMENSIONS}


@dataclass
class Coverage:
    """Rows by dimension and item. `rows` counts what was added; `unplaced` topics are not in the tree."""

    rows: int = 0
    counts: dict[str, Counter[str]] = field(default_factory=counters)
    unplaced: Counter[str] = field(default_factory=Counter)

    def add(self, brief: Brief) -> None:
        """Count a brief."""
        self.count({name: getattr(brief, name) for name in DIMENSIONS[2:]}, brief.topics)

    def count(self, items: Mapping[str, str | None], topics: Sequence[str]) -> None:
        """Count a row with these items by dimension, and these topics in any order; what is empty is left out."""
        self.rows += 1
        self.counts["topic"].update(topics)
        if len(topics) > 1:
            self.counts["pair"][pair(topics)] += 1
        for name, item in items.items():
            if item:
                self.counts[name][item] += 1

    def join(self, other: Coverage) -> None:
        """Count what another ledger counted."""
        self.rows += other.rows
        self.unplaced += other.unplaced
        for name, items in other.counts.items():
            self.counts[name] += items

    def write(self, folder: Path) -> None:
        """Write the ledger as a dataset folder; equal ledgers, equal bytes."""
        found = [Covered(name, item, rows) for name, items in self.counts.items() for item, rows in items.items()]
        found += [Covered("unplaced", topic, rows) for topic, rows in self.unplaced.items()]
        write_dataset(folder, [*found, Covered("rows", "", self.rows)], Covered)


def pair(topics: Iterable[str]) -> str:
    """Topics as one item, in an order of their own."""
    return AND.join(sorted(topics))


def read_coverage(folder: Path) -> Coverage:
    """A ledger from its folder. Raises InputError when there is none."""
    columns = read_table(folder).column_names
    if columns != Covered.schema.names:
        raise InputError(f"{folder}: no ledger of coverage, its columns are {columns}; make one with: topics coverage")
    ledger = Coverage()
    for row in read_dataset(folder, Covered):
        if row.dimension == "rows":
            ledger.rows = row.rows
        else:
            (ledger.unplaced if row.dimension == "unplaced" else ledger.counts[row.dimension])[row.item] = row.rows
    return ledger


def cover(folders: Sequence[Path], tree: Tree) -> Coverage:
    """What the rows of datasets cover of a tree. A folder is a dataset of sections or exercises, holds such, or is the
    ledger of an earlier count.

    Raises InputError where rows have no topic.
    """
    ledger, places = Coverage(), Places(tree)
    for folder in folders:
        inner = [folder / name for name in ("sections", "exercises") if (folder / name).is_dir()]
        for dataset in inner or [folder]:
            if read_table(dataset).column_names == Covered.schema.names:
                ledger.join(read_coverage(dataset))
                continue
            for row in topic_rows(dataset):
                place(row, places, ledger)
    return ledger


def topic_rows(dataset: Path) -> Iterator[dict[str, Any]]:
    """Rows with `topic`, and what they have of `audience`, `style`, `parents` and `provenance`; a few in memory."""
    table = read_table(dataset)
    if "topic" not in table.column_names:
        raise InputError(f"{dataset}: rows have no 'topic'; give a dataset of sections or exercises")
    wanted = [name for name in ("topic", *COLUMNS) if name in table.column_names]
    for batch in table.select(wanted).to_batches(max_chunksize=1024):
        yield from batch.to_pylist()


def place(row: Mapping[str, Any], places: Places, ledger: Coverage) -> None:
    """Count one row in the ledger under the paths of its topics."""
    topics = [topic for topic in (row["topic"] or "").split(AND) if topic]
    found = {topic: places.find(topic) for topic in topics}
    ledger.count(items(row), list(dict.fromkeys(path for paths in found.values() for path in paths)))
    ledger.unplaced.update(topic for topic, paths in found.items() if not paths)


def items(row: Mapping[str, Any]) -> dict[str, str]:
    """For whom and how a row was written: its columns, else what its provenance tells of the brief."""
    try:
        told = json.loads(row["provenance"]["recipe"])
    except (KeyError, TypeError, ValueError):
        told = {}
    told = told if isinstance(told, dict) else {}
    found = {name: row.get(name) or told.get(name) for name in DIMENSIONS[2:-1]}
    found["passage"] = next(iter(row.get("parents") or ()), "")
    return {name: item for name, item in found.items() if isinstance(item, str) and item}


def summary(ledger: Coverage, tree: Tree) -> dict[str, Any]:
    """What a ledger covers of a tree: by branch, with every leaf that has no row, and the lists beside the tree."""
    rows = ledger.counts["topic"]
    by_branch: dict[str, list[Leaf]] = defaultdict(list)
    for leaf in tree.leaves:
        by_branch[leaf.branch].append(leaf)
    lists = {"audience": tree.audiences, "profession": tree.professions, "style": tree.styles}
    return {
        "rows": ledger.rows,
        "leaves": len(tree.leaves),
        "covered": sum(rows[leaf.path] > 0 for leaf in tree.leaves),
        "branches": [branch_summary(name, leaves, rows) for name, leaves in by_branch.items()],
        "lists": {
            name: {"items": len(items), "covered": sum(ledger.counts[name][item] > 0 for item in items)}
            for name, items in lists.items()
        },
        "gaps": [leaf.path for leaf in tree.leaves if not rows[leaf.path]],
        "unplaced": dict(sorted(ledger.unplaced.items())),
    }


def branch_summary(name: str, leaves: Sequence[Leaf], rows: Mapping[str, int]) -> dict[str, Any]:
    """One branch: how many groups and leaves have rows, and the rows of both, one for each topic that a row has."""
    paths = [leaf.path for leaf in leaves]
    in_group = {leaf.parent: rows[leaf.parent] for leaf in leaves}
    for leaf in leaves:
        in_group[leaf.parent] += rows[leaf.path]
    return {
        "branch": name,
        "half": leaves[0].half,
        "groups": len(in_group),
        "groups_covered": sum(count > 0 for count in in_group.values()),
        "leaves": len(paths),
        "covered": sum(rows[path] > 0 for path in paths),
        "rows": sum(in_group.values()),
    }
