"""Corpora that come as tables: Parquet and JSONL with one text a row. They are unpacked, row by row, into one form.

Columns are found by name, those of The Stack (both versions), datatrove and hornbook's own documents included; the
first that is there is taken. A person's map of columns goes before.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field

from hornbook.config import Config
from hornbook.corpus.licenses import from_name
from hornbook.corpus.rules import Cleaning, Refusal, excerpt, oversize
from hornbook.corpus.sources import JSON_ENDINGS, PLANTED, Item, readable, size_of
from hornbook.corpus.spool import PASSING
from hornbook.corpus.streams import DAMAGE, Swollen, check_swelling, limited_memory, opened, place
from hornbook.errors import InputError
from hornbook.records import STRINGS

USUAL = {
    "text": ("text", "content"),
    "path": ("path", "max_stars_repo_path"),
    "source": ("source", "max_stars_repo_name", "repo_name"),
    "license": ("license", "licenses", "max_stars_repo_licenses", "detected_licenses"),
    "stars": ("stars", "max_stars_count", "star_events_count"),
    "metadata": ("metadata",),
}
BATCH_ROWS = 64
BATCH_BYTES = 8 << 20
# Of unpacked rows a file, which Daft reads as fast as it can, however slowly it is judged:
ALONE_BYTES = 32 << 20  # for a worker in this process
WORKER_BYTES = 128 << 20  # for each of several, which are processes and start anew for each file
LINE_FACTOR = 4  # a JSON line may be this many times as long as the text may be: escapes, and the other columns
PEEKED_ROWS = 100  # of a JSONL file, that tell which columns there are
SHOWN_COLUMNS = 50
NAME_CHARACTERS = 1000  # of a path, source or licence: rows may hold anything

UNPACKED = pa.schema(
    [
        ("source", pa.string()),
        ("path", pa.string()),
        ("license", STRINGS),
        ("metadata", pa.string()),
        ("data", pa.large_binary()),
    ]
)
Row = dict[str, Any]
FAILURES = 1000  # in a row, after which the rest of a table is not read
HOPELESS = Refusal("unreadable", f"the last {FAILURES} rows are none that could hold a text; the rest is not read", "")
NO_ROWS = Refusal("empty", "a table without rows", "")


class Columns(Config):
    """Which column of a table holds what; what is not named is found by its usual names.

    `metadata` is a struct or a JSON object; its fields join those of the document's metadata, and so do `stars` and the
    further columns that `keep` names.

    >>> Columns(text="body", keep=["lang"]).named()
    ['body', 'lang']
    """

    text: str | None = None
    path: str | None = None
    source: str | None = None
    license: str | None = None
    stars: str | None = None
    metadata: str | None = None
    keep: list[str] = Field(default_factory=list)

    def named(self) -> list[str]:
        """The columns that a person asked for by name."""
        return [name for field in USUAL if (name := getattr(self, field)) is not None] + self.keep

    def names(self, field: str) -> tuple[str, ...]:
        """The columns that may hold this, in order."""
        named = getattr(self, field)
        return USUAL[field] if named is None else (named,)

    def wanted(self) -> set[str]:
        """All columns that are looked at."""
        return {name for field in USUAL for name in self.names(field)} | set(self.keep)


class NoColumn(InputError):
    """A table that can be read lacks the column that should hold its texts, or another that was asked for. `why` says
    so without the place of the file."""

    def __init__(self, item: Item, why: str) -> None:
        super().__init__(f"{item.url}: {why}")
        self.why = why


def unpack(item: Item, limits: Cleaning, columns: Columns | None = None) -> Iterator[tuple[Item, bytes | Refusal]]:
    """Yield each row of a table as the file it would have been, with its bytes or the reason it has none.

    A damaged file yields the rows before the damage, then one refusal; one without rows, a refusal. Raises NoColumn,
    before any row, when the table can be read and has no text column, or lacks one that `columns` names.
    """
    columns = columns or Columns()
    check_columns(item, table_columns(item, limits), columns)
    number, patience = 0, Patience()
    for number, row in enumerate(table_rows(item, limits, columns), 1):
        if isinstance(row, Refusal):
            yield replace(item, path=f"{item.path}:{number}"), row
        else:
            yield from_row(item, number, row, columns)
        if patience.ends(isinstance(row, Refusal) or row.keys().isdisjoint(columns.names("text"))):
            yield replace(item, path=f"{item.path}:{number + 1}"), HOPELESS
            return
    if not number:
        yield item, NO_ROWS


class Patience:
    """Counts failures in a row. So many mean that a file is something else than its name says; reading on, each of its
    lines would become a reject."""

    def __init__(self) -> None:
        self._failures = 0

    def ends(self, failed: bool) -> bool:
        """Take note of a row; whether it is enough."""
        self._failures = self._failures + 1 if failed else 0
        return self._failures >= FAILURES


def table_rows(item: Item, limits: Cleaning, columns: Columns) -> Iterator[Row | Refusal]:
    """The rows of a table of either kind."""
    return json_rows(item, limits) if item.url.endswith(JSON_ENDINGS) else parquet_rows(item, limits, columns)


def table_columns(item: Item, limits: Cleaning) -> list[str]:
    """The columns of a Parquet file, or of the first rows of a JSONL file; none where it cannot be read."""
    if item.url.endswith(JSON_ENDINGS):
        rows = islice(json_rows(item, limits), PEEKED_ROWS)
        return list(dict.fromkeys(name for row in rows if isinstance(row, dict) for name in row))
    try:
        with place(item) as where, pq.ParquetFile(where) as file:
            return list(file.schema_arrow.names)
    except DAMAGE:
        return []


def from_row(item: Item, number: int, row: Row, columns: Columns) -> tuple[Item, bytes | Refusal]:
    """One row as a file. A row without a path of its own is called after its table and number."""

    def first(field: str) -> Any:
        return next((row[name] for name in columns.names(field) if row.get(name) is not None), None)

    text, source, path = first("text"), name_in(first("source")), name_in(first("path"))
    made = Item(
        item.url,
        source if source and source != PLANTED else item.source,
        path or f"{item.path}:{number}",
        claims(first("license")),
        metadata_of(first("metadata"), first("stars"), {name: row.get(name) for name in columns.keep}),
    )
    if isinstance(text, Refusal):
        return made, text
    if isinstance(text, str):
        return made, text.encode("utf-8", "surrogatepass")
    return made, text if isinstance(text, bytes) else Refusal("unreadable", f"row {number} has no text", "")


def name_in(value: Any) -> str | None:
    """A source or path out of a row, if it is one."""
    return readable(value[:NAME_CHARACTERS]) if isinstance(value, str) else None


def claims(value: Any) -> tuple[str, ...]:
    """The licences a row claims: SPDX ids where the names are known, else the names as they stand."""
    names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    short = [readable(str(name)[:NAME_CHARACTERS]) for name in names if name]
    return tuple(sorted({id for name in short for id in from_name(name) or [name]}))


def metadata_of(metadata: Any, stars: Any, kept: Mapping[str, Any]) -> str:
    """What a row says of itself, as a JSON object."""
    try:
        given = json.loads(metadata) if isinstance(metadata, str) else metadata
        known = {**(given if isinstance(given, dict) else {}), "stars": stars, **kept}
        told = {str(name): plain(value) for name, value in known.items() if name != "bytes"}
        return json.dumps({name: value for name, value in told.items() if value is not None})
    except (ValueError, RecursionError):
        return "{}"


def plain(value: Any) -> Any:
    """A value as JSON can hold it; times and numbers of other kinds become text, bytes nothing."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if isinstance(value, bytes) else str(value)


def check_columns(item: Item, there: list[str], columns: Columns) -> None:
    """Raise NoColumn where a table that can be read lacks a column that was named, or any that could hold the text. The
    latter is not asked of JSONL, whose rows may each have columns of their own."""
    missing = [name for name in columns.named() if name not in there]
    textless = not set(there) & set(columns.names("text")) and not item.url.endswith(JSON_ENDINGS)
    if there and (missing or textless):
        shown = ", ".join(readable(name)[:100] for name in there[:SHOWN_COLUMNS])
        raise NoColumn(item, f"no column named {' or '.join(missing or columns.names('text'))}; it has {shown}")


def parquet_rows(item: Item, limits: Cleaning, columns: Columns) -> Iterator[Row | Refusal]:
    """The rows of a Parquet file, a few at a time; damage ends them with a refusal.

    What pyarrow tells of row groups and columns is not asked for: where those figures are damaged, it aborts.
    """
    done = grown = 0
    try:
        with limited_memory(), place(item) as where, pq.ParquetFile(where, buffer_size=1 << 20) as file:
            wanted = [name for name in file.schema_arrow.names if name in columns.wanted()]
            for batch in file.iter_batches(rows_at_once(item, file.metadata.num_rows), columns=wanted):
                grown += batch.nbytes
                check_swelling(grown, size_of(item) or grown)
                yield from batch_rows(batch, limits, columns)
                done += len(batch)
    except DAMAGE as error:
        reason = "too-large" if isinstance(error, (Swollen, MemoryError)) else "unreadable"
        yield Refusal(reason, f"not readable as Parquet after row {done}: {type(error).__name__}", "")


def rows_at_once(item: Item, rows: int) -> int:
    """How many rows of a Parquet file to decode together: fewer where they are big, supposing that they shrank to a
    tenth."""
    return max(1, min(BATCH_ROWS, 4 * BATCH_BYTES * max(rows, 1) // (10 * size_of(item) + 1)))


def batch_rows(batch: pa.RecordBatch, limits: Cleaning, columns: Columns) -> Iterator[Row | Refusal]:
    """The rows of a batch. Where one cannot be converted (text that is not UTF-8, a time that is none), that row alone
    is refused."""
    texts = {name: column_texts(batch[name], limits) for name in columns.names("text") if name in batch.schema.names}
    rest = batch.select([name for name in batch.schema.names if name not in texts])
    try:
        rows: list[Row | Refusal] = rest.to_pylist() or [{} for _ in range(len(batch))]
    except DAMAGE:
        rows = [one_row(rest.slice(number, 1)) for number in range(len(rest))]
    for number, row in enumerate(rows):
        yield row if isinstance(row, Refusal) else {**row, **{name: texts[name][number] for name in texts}}


def one_row(batch: pa.RecordBatch) -> Row | Refusal:
    """A batch of one row."""
    try:
        row: Row = batch.to_pylist()[0]
        return row
    except DAMAGE as error:
        return Refusal("unreadable", f"a row that cannot be converted: {type(error).__name__}", "")


def column_texts(column: pa.Array, limits: Cleaning) -> list[bytes | Refusal | None]:
    """The texts of a column as bytes, whether or not they are UTF-8. One that is too large is not copied; a column that
    holds something else has none."""
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        return (
            column.to_pylist() if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else [None] * len(column)
        )
    data = column.cast(pa.large_binary())
    faults = [oversize(size or 0, limits) for size in pc.binary_length(data).to_pylist()]
    return [
        Refusal("too-large", fault, "") if fault else cell.as_py() for cell, fault in zip(data, faults, strict=True)
    ]


def json_rows(item: Item, limits: Cleaning) -> Iterator[Row | Refusal]:
    """The rows of a JSONL file. A line is read only as far as an allowed text could make it long."""
    try:
        with opened(item) as stream:
            while line := stream.readline(LINE_FACTOR * limits.max_bytes):
                if not line.endswith(b"\n") and skip_line(stream):
                    yield Refusal("too-large", "a line longer than any allowed text", beginning(line))
                elif line.strip():
                    yield json_row(line)
    except DAMAGE as error:
        reason = "too-large" if isinstance(error, Swollen) else "unreadable"
        yield Refusal(reason, getattr(error, "strerror", None) or str(error) or type(error).__name__, "")


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
        return Refusal("unreadable", f"not JSON: {type(error).__name__}", beginning(line))
    return row if isinstance(row, dict) else Refusal("unreadable", f"a JSON {type(row).__name__}, not an object", "")


def beginning(line: bytes) -> str:
    """The beginning of a line, for an excerpt."""
    return excerpt(line[:800].decode("utf-8", "replace"))


class Unpacked:
    """Unpacked rows on disk, in the form that `reading` takes: `files` of bounded size, so that who takes a file whole
    never holds the corpus. Use as a context manager: at its end the files can be read."""

    def __init__(self, folder: Path, workers: int = 1) -> None:
        self.files: list[Path] = []
        self._full = WORKER_BYTES * workers if workers > 1 else ALONE_BYTES
        self.rows = self.bytes = 0
        self._folder = folder
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[Row] = []
        self._waiting_bytes = self._file_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()
        self.end_file()

    def add(self, item: Item, data: bytes) -> None:
        """Append a row; batches are written as they fill."""
        row = {"source": item.source, "path": item.path, "license": list(item.license), "metadata": item.metadata}
        self._waiting.append({**row, "data": data})
        self._waiting_bytes += len(data) + len(item.metadata)
        self.rows += 1
        if self._waiting_bytes > BATCH_BYTES or len(self._waiting) >= BATCH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what waits, and end the file where it is full."""
        if not self._waiting:
            return
        if self._writer is None:
            self.files.append(self._folder / f"rows-{len(self.files):05}.parquet")
            self._writer = pq.ParquetWriter(self.files[-1], UNPACKED, **PASSING)
        rows = pa.Table.from_pylist(self._waiting, schema=UNPACKED)
        self._writer.write_table(rows)
        self.bytes += rows.nbytes
        self._file_bytes += rows.nbytes
        self._waiting, self._waiting_bytes = [], 0
        if self._file_bytes >= self._full:
            self.end_file()

    def end_file(self) -> None:
        """End the file that is being written, if any."""
        if self._writer:
            self._writer.close()
        self._writer, self._file_bytes = None, 0
