"""Rows on their way through the stage: on disk, in buckets by a number of their own.

Sorting, grouping and removing copies can then be done a bucket at a time, so memory need not hold the corpus.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.records import STRINGS, Document, Record, Rejected

# What may wait over all buckets before it is written: the larger of these, the second times the number of buckets. A
# writer remembers some kilobytes of each row group, however small.
WAITING_BYTES, EACH_BYTES = 16 << 20, 256 << 10
GROUP_ROWS = 4096  # as in records.write_table
BUCKET_BYTES = 8 << 20  # at most, until 256 buckets do not suffice; the fewer there are, the less writing costs
REJECTED_ROWS = 1024  # that wait to become a table
BATCH_ROWS = 256

PASSING: dict[str, Any] = {"compression": "lz4", "use_dictionary": False, "write_statistics": False}  # read once

SPOOLED = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("source", pa.string()),
        ("path", pa.string()),
        ("license", STRINGS),
        ("metadata", pa.string()),
        ("bytes", pa.int64()),
        ("notes", pa.string()),
    ]
)


def release() -> None:
    """Have Arrow give back memory that nothing uses any more. By itself it keeps several times what it last held."""
    pa.default_memory_pool().release_unused()


class Buckets:
    """So many files in a folder, of which each row is given the number. What waits in memory is bounded."""

    def __init__(self, folder: Path, name: str, schema: pa.Schema, count: int) -> None:
        self.folder, self.name, self.schema = folder, name, schema
        self._full = max(WAITING_BYTES, count * EACH_BYTES)
        self._writers: dict[int, pq.ParquetWriter] = {}
        self._waiting: dict[int, list[pa.Table]] = {}
        self._bytes = 0

    def add(self, rows: pa.Table, numbers: Sequence[int]) -> None:
        """Append rows, each to the bucket of its number."""
        if not len(rows):
            return
        order = np.argsort(numbers, kind="stable")
        rows = rows.select(self.schema.names).cast(self.schema).take(pa.array(order)).combine_chunks()
        ordered = np.asarray(numbers)[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))
        for start, end in pairwise([*starts.tolist(), len(ordered)]):
            self._waiting.setdefault(int(ordered[start]), []).append(rows.slice(start, end - start))
        self._bytes += rows.nbytes
        if self._bytes > self._full:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        for number, tables in self._waiting.items():
            if number not in self._writers:
                path = self.folder / f"{self.name}-{number:03}.parquet"
                self._writers[number] = pq.ParquetWriter(path, self.schema, **PASSING)
            self._writers[number].write_table(pa.concat_tables(tables))
        self._waiting, self._bytes = {}, 0
        release()

    def close(self) -> None:
        """End the files, so that they can be read."""
        self.flush()
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def paths(self) -> list[Path]:
        """The buckets that hold anything, in order."""
        return sorted(self.folder.glob(f"{self.name}-*.parquet"))

    def tables(self) -> Iterator[pa.Table]:
        """The rows of one bucket after the other."""
        for path in self.paths():
            with pq.ParquetFile(path) as file:
                yield file.read()
            release()


class Spool:
    """The texts that were kept, in buckets by the first bits of their id. Use as a context manager: the folder starts
    empty and is removed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._bits = 8
        self._texts = Buckets(folder, "bucket", SPOOLED, 1 << self._bits)

    def __enter__(self) -> Self:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def expect(self, corpus_bytes: int) -> None:
        """Say how much will come at most, before any does. The number of buckets shapes no bytes of what comes out, but
        how long writing takes and how much memory a bucket."""
        self._bits = min(8, (corpus_bytes // BUCKET_BYTES).bit_length())
        self._texts = Buckets(self.folder, "bucket", SPOOLED, 1 << self._bits)

    def add(self, rows: pa.Table) -> None:
        """Append rows, each to its bucket."""
        self._texts.add(rows, [int(id[:2], 16) >> 8 - self._bits for id in rows["id"].to_pylist()])

    def close(self) -> None:
        """End the files, so that they can be read."""
        self._texts.close()

    def paths(self) -> list[Path]:
        """The buckets that hold anything, in order."""
        return self._texts.paths()

    def buckets(self) -> Iterator[pa.Table]:
        """The rows of one bucket after the other."""
        return self._texts.tables()

    def texts(self, wanted: Iterable[str]) -> Iterator[pa.RecordBatch]:
        """The id and text of the rows whose id is wanted, a batch at a time; copies may be left out."""
        left = set(wanted)
        for path in self.paths():
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=["id", "text"]):
                    ids = batch["id"].to_pylist()
                    yield batch.filter(pa.array([id in left for id in ids], pa.bool_()))
                    left.difference_update(ids)
            release()


class Refused:
    """The refusals of a run: counted by reason, and on disk until they are written."""

    def __init__(self, folder: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._rows: list[Rejected] = []
        self._buckets = Buckets(folder, "rejected", Rejected.schema, 16)

    def append(self, row: Rejected) -> None:
        """Record a refusal."""
        self.counts[row.reason] += 1
        self._rows.append(row)
        if len(self._rows) >= REJECTED_ROWS:
            self.spool()

    def spool(self) -> None:
        """Put what waits into its buckets."""
        rows = pa.Table.from_pylist([row.row() for row in self._rows], schema=Rejected.schema)
        self._buckets.add(rows, [int(row.id[0], 16) for row in self._rows])
        self._rows = []

    def tables(self) -> Iterator[pa.Table]:
        """All refusals, sorted, a bucket at a time."""
        self.spool()
        self._buckets.close()
        for rows in self._buckets.tables():
            yield rows.sort_by([(name, "ascending") for name in Rejected.schema.names])
            del rows


def write_tables(folder: Path, tables: Iterable[pa.Table], kind: type[Record] = Document) -> int:
    """Write tables of records, each sorted and all in order, as `records.write_dataset` would write the whole: the same
    bytes, without holding it. Returns how many rows there were."""
    folder.mkdir(parents=True, exist_ok=True)
    schema, rows = kind.schema, 0
    waiting: list[pa.Table] = []
    with pq.ParquetWriter(folder / "part-00000.parquet", schema, compression="zstd") as writer:
        for table in tables:
            rows += len(table)
            waiting.append(table)
            if full := sum(map(len, waiting)) // GROUP_ROWS * GROUP_ROWS:
                joined = pa.concat_tables(waiting)
                writer.write_table(joined.slice(0, full).combine_chunks(), row_group_size=GROUP_ROWS)
                waiting = [joined.slice(full)]
        if rows % GROUP_ROWS:
            writer.write_table(pa.concat_tables(waiting).combine_chunks(), row_group_size=GROUP_ROWS)
    return rows
