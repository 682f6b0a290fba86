"""Kept rows on their way to the corpus: on disk, in sixteen buckets by the first hex digit of their id.

Sorting and removing copies can then be done a bucket at a time, so memory need not hold the corpus.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hornbook.records import STRINGS, Document

DIGITS = "0123456789abcdef"
WAITING_ROWS = 128  # of a bucket, before they are written
GROUP_ROWS = 4096  # as in records.write_table

SPOOLED = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("source", pa.string()),
        ("path", pa.string()),
        ("license", STRINGS),
        ("version", pa.string()),
        ("bytes", pa.int64()),
        ("notes", pa.string()),
    ]
)


class Spool:
    """A folder of buckets. Use as a context manager: it starts empty and is removed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.Table]] = {digit: [] for digit in DIGITS}

    def __enter__(self) -> Self:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def bucket(self, digit: str) -> Path:
        """The file of one bucket."""
        return self.folder / f"bucket-{digit}.parquet"

    def add(self, rows: pa.Table) -> None:
        """Append rows, each to its bucket."""
        digits = pc.utf8_slice_codeunits(rows["id"], 0, 1)
        for digit in DIGITS:
            if len(mine := rows.filter(pc.equal(digits, digit))):
                self._waiting[digit].append(mine.select(SPOOLED.names).cast(SPOOLED))
                if sum(map(len, self._waiting[digit])) >= WAITING_ROWS:
                    self.flush(digit)

    def flush(self, digit: str) -> None:
        """Write what waits for a bucket."""
        rows, self._waiting[digit] = self._waiting[digit], []
        if digit not in self._writers:
            path = self.bucket(digit)
            self._writers[digit] = pq.ParquetWriter(path, SPOOLED, compression="lz4", use_dictionary=False)
        self._writers[digit].write_table(pa.concat_tables(rows))

    def close(self) -> None:
        """End the files, so that they can be read."""
        for digit in DIGITS:
            if self._waiting[digit]:
                self.flush(digit)
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def paths(self) -> list[Path]:
        """The buckets that hold anything, in order."""
        return [path for digit in DIGITS if (path := self.bucket(digit)).exists()]

    def buckets(self) -> Iterator[pa.Table]:
        """The rows of one bucket after the other."""
        for path in self.paths():
            yield pq.read_table(path)

    def texts(self, wanted: Container[str]) -> Iterator[tuple[str, str]]:
        """The id and text of the rows whose id is wanted."""
        for path in self.paths():
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(256, columns=["id", "text"]):
                    for id, text in zip(batch["id"].to_pylist(), batch["text"], strict=True):
                        if id in wanted:
                            yield id, text.as_py()


def write_documents(folder: Path, buckets: Iterable[pa.Table]) -> int:
    """Write buckets of documents, each sorted and all in order, as `records.write_dataset` would write the whole: the
    same bytes, without holding it. Returns how many rows there were."""
    folder.mkdir(parents=True, exist_ok=True)
    schema, waiting, rows = Document.schema, Document.schema.empty_table(), 0
    with pq.ParquetWriter(folder / "part-00000.parquet", schema, compression="zstd") as writer:
        for bucket in buckets:
            rows += len(bucket)
            waiting = pa.concat_tables([waiting, bucket])
            waiting = write_groups(writer.write_table, waiting)
        if len(waiting) or not rows:
            writer.write_table(waiting, row_group_size=GROUP_ROWS)
    return rows


def write_groups(write: Callable[..., None], rows: pa.Table) -> pa.Table:
    """Write as many full row groups as there are; return the rows left over."""
    full = len(rows) - len(rows) % GROUP_ROWS
    if full:
        write(rows.slice(0, full).combine_chunks(), row_group_size=GROUP_ROWS)
    return rows.slice(full).combine_chunks()
