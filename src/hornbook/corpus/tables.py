"""Corpora that come as tables: Parquet and JSONL with one text a row. They are unpacked, row by row, into one form.

Columns are found by name, The Stack's included; the first that is there is taken.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.corpus.rules import Cleaning, Refusal, excerpt
from hornbook.corpus.sources import Item
from hornbook.errors import InputError
from hornbook.records import STRINGS

TEXT = ("text", "content")
PATH = ("path", "max_stars_repo_path")
SOURCE = ("source", "max_stars_repo_name", "repo_name")
LICENSE = ("license", "licenses", "max_stars_repo_licenses")
BATCH_ROWS = 64
BATCH_BYTES = 8 << 20
LINE_FACTOR = 4  # a JSON line may be this many times as long as the text may be: escapes, and the other columns

UNPACKED = pa.schema(
    [
        ("source", pa.string()),
        ("path", pa.string()),
        ("license", STRINGS),
        ("version", pa.string()),
        ("data", pa.large_binary()),
    ]
)
Row = dict[str, Any]


def unpack(item: Item, limits: Cleaning) -> Iterator[tuple[Item, bytes | Refusal]]:
    """Yield each row of a table as the file it would have been, with its bytes or the reason it has none.

    A damaged file yields the rows before the damage, then one refusal. Raises InputError when the table can be read
    and has no text column.
    """
    rows = parquet_rows(item) if item.url.endswith(".parquet") else json_rows(item, limits)
    for number, row in enumerate(rows, 1):
        if isinstance(row, Refusal):
            yield Item(item.url, item.source, f"{item.path}:{number}"), row
        else:
            yield from_row(item, number, row)


def from_row(item: Item, number: int, row: Row) -> tuple[Item, bytes | Refusal]:
    """One row as a file. A row without a path of its own is called after its table and number."""
    text, license = first(row, TEXT), first(row, LICENSE)
    claims = [license] if isinstance(license, str) else license if isinstance(license, list) else []
    source, path = first(row, SOURCE), first(row, PATH)
    made = Item(
        item.url,
        source if isinstance(source, str) else item.source,
        path if isinstance(path, str) else f"{item.path}:{number}",
        tuple(sorted({str(claim) for claim in claims if claim})),
    )
    if isinstance(text, str):
        return made, text.encode("utf-8", "surrogatepass")
    return made, text if isinstance(text, bytes) else Refusal("unreadable", f"row {number} has no text", "")


def first(row: Row, names: tuple[str, ...]) -> Any:
    """The value of the first of these columns that has one."""
    return next((row[name] for name in names if row.get(name) is not None), None)


def parquet_rows(item: Item) -> Iterator[Row | Refusal]:
    """The rows of a Parquet file, a few at a time; damage ends them with a refusal."""
    try:
        with pq.ParquetFile(item.url) as file:
            columns = file.schema_arrow.names
            if not set(columns) & set(TEXT):
                raise InputError(f"{item.url}: no column named {' or '.join(TEXT)}; it has {', '.join(columns)}")
            wanted = [name for name in columns if name in TEXT + PATH + SOURCE + LICENSE]
            for batch in file.iter_batches(BATCH_ROWS, columns=wanted):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        yield Refusal("unreadable", f"not readable as Parquet: {type(error).__name__}", "")


def json_rows(item: Item, limits: Cleaning) -> Iterator[Row | Refusal]:
    """The rows of a JSONL file. A line is read only as far as an allowed text could make it long."""
    try:
        with open(item.url, "rb") as stream:
            while line := stream.readline(LINE_FACTOR * limits.max_bytes):
                if not line.endswith(b"\n") and skip_line(stream):
                    yield Refusal(
                        "too-large",
                        "a line longer than any allowed text",
                        excerpt(line[:800].decode("utf-8", "replace")),
                    )
                elif line.strip():
                    yield json_row(line)
    except OSError as error:
        yield Refusal("unreadable", str(error.strerror), "")


def skip_line(stream: Any) -> bool:
    """Read on to the end of the line; whether there was anything left of it."""
    skipped = False
    while rest := stream.readline(1 << 20):
        skipped = True
        if rest.endswith(b"\n"):
            break
    return skipped


def json_row(line: bytes) -> Row | Refusal:
    """One line of JSON, which must be an object."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Refusal(
            "unreadable", f"not JSON: {type(error).__name__}", excerpt(line[:800].decode("utf-8", "replace"))
        )
    return row if isinstance(row, dict) else Refusal("unreadable", f"a JSON {type(row).__name__}, not an object", "")


class Unpacked:
    """Unpacked rows on disk, as one Parquet file in the form that `reading` takes."""

    def __init__(self, path: Path) -> None:
        self.path, self.rows = path, 0
        self._writer = pq.ParquetWriter(path, UNPACKED, compression="lz4")
        self._waiting: list[Row] = []
        self._bytes = 0

    def add(self, item: Item, data: bytes) -> None:
        """Append a row; batches are written as they fill."""
        row = {"source": item.source, "path": item.path, "license": list(item.license), "version": item.version}
        self._waiting.append({**row, "data": data})
        self._bytes += len(data)
        self.rows += 1
        if self._bytes > BATCH_BYTES or len(self._waiting) >= BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if self._waiting:
            self._writer.write_table(pa.Table.from_pylist(self._waiting, schema=UNPACKED))
        self._waiting, self._bytes = [], 0

    def close(self) -> None:
        """Write what waits and end the file."""
        self.flush()
        self._writer.close()
