"""From a list of files to judged texts in the spool, with a record of who claims each text and of every refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa

from hornbook.corpus.engine import processors
from hornbook.corpus.reading import files_frame, judged, refused, tables_frame
from hornbook.corpus.rules import Cleaning, Refusal
from hornbook.corpus.sources import STANDARD, TABLE_ENDINGS, Item, weigh
from hornbook.corpus.spool import Spool
from hornbook.corpus.tables import Unpacked, unpack
from hornbook.progress import Meter
from hornbook.records import Rejected

PLANTED = "hornbook-planted"  # the source of canaries, which are counted nowhere and never written
ROWS_A_WORKER = 512  # fewer are not worth starting another process for


class Claim(NamedTuple):
    """A file that holds a text. Claims sort from the one that stays to the one that goes: a known licence before none,
    the standard library before others, then the path with the fewest folders (a library before a vendored copy of it),
    the shortest, the first by name."""

    unlicensed: bool
    foreign: bool
    depth: int
    length: int
    path: str
    source: str
    license: tuple[str, ...]

    @classmethod
    def of(cls, source: str, path: str, license: Iterable[str]) -> Claim:
        """The claim of a file."""
        ids = tuple(license)
        return cls(not ids, source != STANDARD, path.count("/"), len(path), path, source, ids)

    @property
    def name(self) -> str:
        """What people call the file: `source:path`."""
        return f"{self.source}:{self.path}"


@dataclass
class Gathered:
    """What was read: claims by text id, refusals, what became of planted files (path → reason), and counts."""

    claims: dict[str, list[Claim]] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    planted: dict[str, str] = field(default_factory=dict)
    planted_texts: dict[str, str] = field(default_factory=dict)  # of those that were not refused as pages
    rows: int = 0
    source_bytes: Counter[str] = field(default_factory=Counter)

    def refuse(self, source: str, path: str, why: Refusal) -> None:
        """Record a refusal."""
        if source == PLANTED:
            self.planted[path] = why.reason
        else:
            self.rows += 1
            self.rejected.append(refused(source, path, why))

    def keep(self, id: str, source: str, path: str, license: Iterable[str]) -> None:
        """Record that a file holds a text."""
        self.claims.setdefault(id, []).append(Claim.of(source, path, license))
        self.rows += source != PLANTED

    def take(self, rows: pa.Table, spool: Spool) -> None:
        """Record a batch of verdicts and spool the texts that passed."""
        for row in rows.drop_columns(["text"]).to_pylist():
            if row["source"] != PLANTED:
                self.source_bytes[row["source"]] += row["bytes"]
            if row["reason"] is None:
                self.keep(row["id"], row["source"], row["path"], sorted({*row["license"], *row["claims"]}))
            else:
                self.refuse(row["source"], row["path"], Refusal(row["reason"], row["detail"], row["excerpt"]))
        spool.add(rows.filter(rows["reason"].is_null()))

    def winner(self, id: str) -> Claim:
        """The claim under which a text stays."""
        return min(self.claims[id])

    def license(self, id: str) -> list[str]:
        """The licences of all claims to a text."""
        return sorted({name for claim in self.claims[id] for name in claim.license})


def gather(items: list[Item], spool: Spool, limits: Cleaning, workers: int) -> Gathered:
    """Weigh, read and judge every file; unpack tables into rows and judge those."""
    gathered = Gathered()
    files: list[Item] = []
    unpacked = Unpacked(spool.folder / "rows.parquet")
    for item in items:
        if why := weigh(item, limits):
            gathered.refuse(item.source, item.path, why)
        elif item.url.endswith(TABLE_ENDINGS):
            unpack_into(unpacked, item, limits, gathered)
        else:
            files.append(item)
    unpacked.close()
    frames = [(files_frame(files), len(files)), (tables_frame(unpacked.path), unpacked.rows)]
    with Meter("read and judged", len(files) + unpacked.rows, "files") as meter:
        for frame, rows in frames:
            for batch in verdicts(frame, rows, limits, workers):
                gathered.take(batch, spool)
                meter.advance(len(batch))
    return gathered


def verdicts(frame: Any, rows: int, limits: Cleaning, workers: int) -> Iterator[pa.Table]:
    """Judge a frame with as many workers as it is worth; 0 workers: one for each processor."""
    worth = -(-rows // ROWS_A_WORKER)
    return judged(frame, limits, min(workers or processors(), worth)) if rows else iter(())


def unpack_into(unpacked: Unpacked, item: Item, limits: Cleaning, gathered: Gathered) -> None:
    """Unpack one table; its damaged rows are refused."""
    for row, data in unpack(item, limits):
        if isinstance(data, Refusal):
            gathered.refuse(row.source, row.path, data)
        else:
            unpacked.add(row, data)
