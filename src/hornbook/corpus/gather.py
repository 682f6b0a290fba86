"""From a list of files to judged texts in the spool, with a record of who claims each text and of every refusal.

Files of this machine are read by Daft, where they are judged, a few dozen at a time. Tables, posts and files of stores
are read here, in order, and put on disk in one form first; of these rows Daft holds a file (`tables.Unpacked`).
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

import pyarrow as pa

from hornbook.corpus.engine import width
from hornbook.corpus.reading import files_frame, judged, refused, tables_frame
from hornbook.corpus.remote import fetched
from hornbook.corpus.rules import Cleaning, Refusal
from hornbook.corpus.sources import PLANTED, STANDARD, TABLE_ENDINGS, Item, size_of, weigh
from hornbook.corpus.spool import Refused, Spool
from hornbook.corpus.stackoverflow import Posts, StackOverflow, holds_posts
from hornbook.corpus.tables import Columns, NoColumn, Unpacked, unpack
from hornbook.progress import Meter, track

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
        return cls(not ids, source != STANDARD, path.count("/"), len(path), path, sys.intern(source), ids)

    @property
    def name(self) -> str:
        """What people call the file: `source:path`."""
        return f"{self.source}:{self.path}"


@dataclass
class Gathered:
    """What was read: claims by text id, refusals, what became of planted files (path → reason), and counts.

    Claims are what grows in memory with the corpus: some 400 bytes a text.
    """

    rejected: Refused
    claims: dict[str, list[Claim]] = field(default_factory=dict)
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

    def too_heavy(self, item: Item, limits: Cleaning) -> bool:
        """Whether a file is refused unread; if so, it is recorded."""
        if why := weigh(item, limits):
            self.refuse(item.source, item.path, why)
        return why is not None

    def receive(self, item: Item, data: bytes | Refusal, unpacked: Unpacked) -> None:
        """Record the refusal of a file or row that was read here; put the others where they will be judged."""
        if isinstance(data, Refusal):
            self.refuse(item.source, item.path, data)
        else:
            unpacked.add(item, data)

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


def gather(
    items: list[Item],
    spool: Spool,
    limits: Cleaning,
    workers: int,
    columns: Columns | None = None,
    stackoverflow: StackOverflow | None = None,
) -> Gathered:
    """Weigh, read and judge every file; unpack tables into rows, make pages of posts, and judge those; with so many
    workers, or (0) one for each processor, of the cluster where there is one.

    Raises InputError for a table without the column that is wanted, if a person named that one file or there is no
    table that has it.
    """
    gathered = Gathered(Refused(spool.folder))
    weighed = [item for item in items if not gathered.too_heavy(item, limits)]
    files = [item for item in weighed if not item.url.endswith(TABLE_ENDINGS)]
    tables = [item for item in weighed if item.url.endswith(TABLE_ENDINGS)]
    workers = workers or width()
    with Unpacked(spool.folder, workers) as unpacked:
        rows = unpack_all(tables, limits, columns or Columns(), stackoverflow or StackOverflow(), spool)
        for made in track(chain(rows, fetch_all([item for item in files if item.remote], limits)), "unpacked"):
            gathered.receive(*made, unpacked)
    local = [item for item in files if not item.remote]
    spool.expect(unpacked.bytes + sum(map(size_of, local)))
    with Meter("read and judged", len(local) + unpacked.rows, "files") as meter:
        for batch in judge_all(local, unpacked, limits, workers):
            gathered.take(batch, spool)
            meter.advance(len(batch))
    return gathered


def judge_all(local: list[Item], unpacked: Unpacked, limits: Cleaning, workers: int) -> Iterator[pa.Table]:
    """Verdicts on the files of this machine; then on unpacked rows, a file of them at a time."""
    if local:
        yield from judged(files_frame(local), limits, crew(workers, len(local)))
    for path in unpacked.files:
        yield from judged(tables_frame(path), limits, crew(workers, unpacked.rows))
        path.unlink()


def crew(workers: int, rows: int) -> int:
    """How many workers so many rows are worth, at most those that there may be."""
    return min(workers, -(-rows // ROWS_A_WORKER))


Made = tuple[Item, bytes | Refusal]


def fetch_all(items: list[Item], limits: Cleaning) -> Iterator[Made]:
    """The files of stores, with their bytes or why they cannot be read. One byte too many shows that there are more."""
    remotes = [item.remote for item in items if item.remote]
    for item, data in zip(items, fetched(remotes, limits.max_bytes + 1), strict=True):
        yield item, Refusal("unreadable", str(data), "") if isinstance(data, OSError) else data


def unpack_all(
    tables: list[Item], limits: Cleaning, columns: Columns, stackoverflow: StackOverflow, spool: Spool
) -> Iterator[Made]:
    """The rows of all tables; then, of all posts in them, the pages."""
    posts = Posts(spool.folder, stackoverflow, limits, sum(map(size_of, tables)))
    strangers: list[NoColumn] = []
    for item in tables:
        try:
            yield from posts.read(item) if holds_posts(item, limits, columns) else unpack(item, limits, columns)
        except NoColumn as error:
            if item.named:
                raise
            strangers.append(error)
            yield item, Refusal("unreadable", error.why, "")
    if strangers and columns.named() and len(strangers) == sum(item.source != PLANTED for item in tables):
        raise strangers[0]
    yield from posts.pages()
