"""The licence gate: which rows may go out, by their own licences and those of the rows they were made from.

An id is allowed when it is on the allow-list, exception or not: an SPDX exception only ever permits more. Every id of a
row must be allowed, since `A OR B` and `A AND B` are not told apart once they are a list.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hornbook.corpus.licenses import allowed_ids, comparable, from_expression
from hornbook.errors import RequestError
from hornbook.export.lineage import Link
from hornbook.records import dataset_in
from hornbook.report.run import parts

PERMISSIVE = "permissive"
NO_CLAIM = frozenset({"", "noassertion", "none", "unknown", "no_license"})
UNKNOWN = "unknown"
HORNBOOK = "hornbook"
COLUMNS = ("id", "license", "parents", "source", "metadata", "provenance")  # all but the texts
Origin = tuple[str, str]  # source, version
BATCH = 4096  # rows


def licenses_of(claim: Any) -> frozenset[str]:
    """The SPDX ids in a licence column's cell: a list, or one expression. Empty: unknown.

    >>> sorted(licenses_of(["MIT OR Apache-2.0", "NOASSERTION"])), sorted(licenses_of(None))
    (['Apache-2.0', 'MIT'], [])
    """
    texts = [claim] if isinstance(claim, str) else list(claim or ())
    return frozenset(x for text in texts for x in from_expression(str(text or "")) if x.lower() not in NO_CLAIM)


@dataclass(frozen=True)
class AllowList:
    """Which SPDX ids may go out, in the form of `licenses.comparable`."""

    ids: frozenset[str]

    @classmethod
    def of(cls, names: Sequence[str]) -> AllowList:
        """From names and groups. Raises RequestError for an empty one, or one that SPDX does not know."""
        asked = [part.strip() for name in names for part in name.split(",")]
        if not all(asked) or not asked:
            raise RequestError(f"--allow {','.join(names)!r}: name SPDX ids, or {PERMISSIVE}, with commas between them")
        try:
            return cls(allowed_ids(asked))
        except ValueError as error:
            raise RequestError(f"--allow: {error}") from None

    def refused(self, ids: Iterable[str]) -> list[str]:
        """The ids that are not allowed."""
        return sorted(name for name in ids if comparable(name) not in self.ids)


@dataclass
class Census:
    """What the gate counted, in rows. `sources`: (source, version) → licence → rows; `of_source`: rows, each once.

    `refused`: by id that is not allowed, of `refused_rows`. `stopped`: rows that are refused, unknown or both.
    `orphans`: rows with a parent that is nowhere behind them. `lost`: datasets behind a model that cannot be read any
    more.
    """

    rows: int = 0
    dropped: int = 0
    unknown: int = 0
    refused_rows: int = 0
    stopped: int = 0
    orphans: int = 0
    licenses: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    sources: dict[Origin, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    of_source: Counter[Origin] = field(default_factory=Counter)
    writers: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The SPDX ids of what goes out, sorted; `unknown` last, where there is any."""
        return [*sorted(self.licenses), *([UNKNOWN] if self.unknown or self.lost else [])]


@dataclass(frozen=True)
class Ancestor:
    """A row that another was made from, with all that it was made from itself.

    `claims`: the licences of each of them, empty where unknown. `sources`: (source, version) → their licences.
    """

    claims: list[frozenset[str]]
    sources: Mapping[Origin, frozenset[str]]


class Gate:
    """Decides row by row. `drop`: rows of unknown licence are left out; else they pass and are counted."""

    def __init__(self, allow: AllowList, drop: bool, ancestors: Mapping[str, Ancestor]) -> None:
        self.allow, self.drop, self.ancestors = allow, drop, ancestors

    def above(self, row: Mapping[str, Any]) -> list[Ancestor]:
        """The ancestors of a row that were found."""
        return [self.ancestors[name] for name in row.get("parents") or () if name in self.ancestors]

    def claims(self, row: Mapping[str, Any]) -> list[frozenset[str]]:
        """The licences of a row, and those of each that it was made from; empty where unknown."""
        return [licenses_of(row.get("license")), *(claim for one in self.above(row) for claim in one.claims)]

    def passes(self, row: Mapping[str, Any]) -> bool:
        """Whether a row goes out, as far as unknown licences decide it."""
        return not self.drop or all(self.claims(row))

    def count(self, census: Census, row: Mapping[str, Any]) -> None:
        """Put a row into the census."""
        if not self.passes(row):
            census.dropped += 1
            return
        claims = self.claims(row)
        ids = frozenset().union(*claims)
        census.rows += 1
        census.unknown += not all(claims)
        census.licenses.update(ids)
        refused = self.allow.refused(ids)
        census.refused.update(refused)
        census.refused_rows += bool(refused)
        census.stopped += bool(refused) or not all(claims)
        census.orphans += len(self.above(row)) < len(row.get("parents") or ())
        made = row.get("provenance") or {}
        if made.get("writer"):
            census.writers[made["writer"], made.get("teacher") or ""] += 1
        census.of_source[origin_of(row)] += 1
        census.sources[origin_of(row)].update(licenses_of(row.get("license")) or {UNKNOWN})
        for ancestor in self.above(row):
            for origin, claim in ancestor.sources.items():
                census.sources[origin].update(claim or {UNKNOWN})


def origin_of(row: Mapping[str, Any]) -> Origin:
    """A row's source and its version; of a written row, who wrote it."""
    made = row.get("provenance") or {}
    if row.get("source") or not made.get("writer"):
        return str(row.get("source") or UNKNOWN), version_of(row)
    return f"{HORNBOOK}, {made['writer']} writer" + (f", {made['teacher']}" if made.get("teacher") else ""), ""


def version_of(row: Mapping[str, Any]) -> str:
    """The version of a row's source, where its metadata tells it."""
    try:
        return str(json.loads(row.get("metadata") or "{}").get("version") or "")
    except (ValueError, AttributeError, TypeError):
        return ""


def batches(folder: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a dataset folder, a few at a time; of `columns` those that are there."""
    for part in parts(folder):
        there = None if columns is None else [name for name in columns if name in part.schema_arrow.names]
        yield from part.iter_batches(BATCH, columns=there)


def ancestors(behind: Sequence[Link], wanted: set[str]) -> dict[str, Ancestor]:
    """What is known of the rows that `wanted` names, by id; the inputs of all stages behind are searched for them.

    What is not found is not in the result.
    """
    read = (given.path for link in behind for given in link.inputs.values())
    folders = list(dict.fromkeys(path for path in read if path is not None and path.is_dir()))
    known: dict[str, dict[Origin, frozenset[str]]] = {}
    above: dict[str, set[str]] = defaultdict(set)
    asked: set[str] = set()
    while wanted - asked:
        ids, asked = wanted - asked, asked | wanted
        for row in (row for folder in folders for row in rows_named(folder, ids)):
            claims, origin = known.setdefault(str(row["id"]), {}), origin_of(row)
            claims[origin] = claims.get(origin, frozenset()) | licenses_of(row.get("license"))
            above[str(row["id"])].update(row.get("parents") or ())
        wanted = set().union(*above.values())
    return {name: inherited(name, known, above) for name in known}


def rows_named(folder: Path, ids: set[str]) -> Iterator[dict[str, Any]]:
    """The rows with these ids in a dataset folder, or in the dataset inside it, without their texts."""
    names = pa.array(sorted(ids), pa.string())
    for batch in batches(dataset_in(folder), COLUMNS):
        if {"id", "license"} <= set(batch.schema.names):
            yield from batch.filter(pc.is_in(batch["id"].cast(pa.string()), value_set=names)).to_pylist()


def inherited(
    name: str, known: Mapping[str, Mapping[Origin, frozenset[str]]], above: Mapping[str, set[str]]
) -> Ancestor:
    """A row with all of its ancestors that were found, however long the line and whether or not it goes round."""
    seen, todo = set(), [name]
    while todo:
        at = todo.pop()
        if at not in seen and at in known:
            seen.add(at)
            todo += above.get(at, ())
    sources: dict[Origin, frozenset[str]] = {}
    for origin, claim in (item for at in sorted(seen) for item in known[at].items()):
        sources[origin] = sources.get(origin, frozenset()) | claim
    return Ancestor([frozenset().union(*known[at].values()) for at in sorted(seen)], sources)
