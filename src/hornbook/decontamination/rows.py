"""Rows to be decontaminated, from a dataset folder, a Parquet file or a JSONL file, with every column they came with.

| kind | told by the columns | text compared |
|---|---|---|
| exercises | `prompt`, `solution` | prompt + solution |
| sections | `text`, `topic`, `audience` | text |
| documents | `text` | text |
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from hornbook.errors import InputError
from hornbook.records import Document, Exercise, Rejected, Section, read_table

STAGE = "decontaminate"
EXCERPT_CHARS = 200
COMPARED = {"exercises": ("prompt", "solution"), "sections": ("text",), "documents": ("text",)}
SCHEMAS = {"exercises": Exercise.schema, "sections": Section.schema, "documents": Document.schema}


@dataclass
class Rows:
    """The well-formed rows of an input as one table, and the others as rejects."""

    kind: str
    table: pa.Table
    malformed: list[Rejected] = field(default_factory=list)

    def ids(self) -> list[str]:
        """The ids as text, in row order."""
        return [str(value) for value in self.table.column("id").to_pylist()]

    def texts(self) -> Iterator[str]:
        """The text of each row that is compared, in row order; only a part of them in memory at a time."""
        for batch in self.table.select(list(COMPARED[self.kind])).to_batches(max_chunksize=1024):
            for parts in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield "".join(parts)


def read_rows(path: Path) -> Rows:
    """The rows at a path. A row that cannot be used is rejected as `malformed`, never fatal.

    Raises InputError when nothing is there, or no row at all can be used.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; give Parquet or JSONL rows with 'id' and 'text'")
    return rows_of_parquet(path) if path.is_dir() or is_parquet(path) else rows_of_jsonl(path)


def is_parquet(path: Path) -> bool:
    """Whether a file is, or claims to be, Parquet."""
    with path.open("rb") as stream:
        return path.suffix == ".parquet" or stream.read(4) == b"PAR1"


def kind_of(columns: Sequence[str]) -> str | None:
    """Which kind of rows has these columns."""
    if {"prompt", "solution"} <= set(columns):
        return "exercises"
    if "text" not in columns:
        return None
    return "sections" if {"topic", "audience"} <= set(columns) else "documents"


def rows_of_parquet(path: Path) -> Rows:
    """The rows of a dataset folder or Parquet file; those with an empty id or text are malformed."""
    table = read_table(path)
    kind = kind_of(table.schema.names)
    if kind is None or "id" not in table.schema.names:
        raise InputError(
            f"{path}: rows need 'id' and either 'text' or 'prompt' and 'solution'; found {table.schema.names}"
        )
    for name in COMPARED[kind]:
        if str(table.schema.field(name).type) not in ("string", "large_string", "string_view"):
            raise InputError(f"{path}: column {name!r} holds {table.schema.field(name).type}; it must hold text")
    needed = ("id", *COMPARED[kind])
    empty = [table.column(name).is_null().to_pylist() for name in needed]
    complaints = [
        [name for name, cell in zip(needed, cells, strict=True) if cell] for cells in zip(*empty, strict=True)
    ]
    ids = table.column("id").to_pylist()
    malformed = [
        rejected(ids[row], f"row {row + 1}", f"column {names[0]!r} is empty")
        for row, names in enumerate(complaints)
        if names
    ]
    return Rows(kind, table.filter(pa.array([not names for names in complaints], pa.bool_())), malformed)


def rejected(row_id: Any, place: str, complaint: str, excerpt: str = "") -> Rejected:
    """A malformed row; where it has no id, its place stands in for one."""
    usable = isinstance(row_id, (str, int)) and not isinstance(row_id, bool) and str(row_id)
    return Rejected(
        str(row_id) if usable else place.replace(" ", "-"), STAGE, "malformed", f"{place}: {complaint}", excerpt
    )


def rows_of_jsonl(path: Path) -> Rows:
    """The rows of a JSONL file, plain or gzipped; the first usable row says of which kind they are."""
    kind, good, malformed = "", [], []
    for number, line in lines_of(path):
        row, complaint = parse(line)
        if not complaint:
            kind = kind or kind_of(list(row)) or "documents"
            complaint = complaint_about(row, kind)
        if complaint:
            excerpt = line[:EXCERPT_CHARS].decode("utf-8", "replace")
            malformed.append(rejected(encodable(row.get("id")), f"line {number}", complaint, excerpt))
        else:
            good.append(row | {"id": str(row["id"])})
    if not good:
        first = malformed[0].detail if malformed else "it is empty"
        raise InputError(f"{path}: no usable row ({first}); give JSON lines with 'id' and 'text'")
    return Rows(kind, table_of(good, SCHEMAS[kind]), malformed)


def lines_of(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, numbered from 1; gzip is told by the first bytes."""
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as stream:
            yield from ((number, line) for number, line in enumerate(stream, 1) if line.strip())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None


def parse(line: bytes) -> tuple[dict[str, Any], str]:
    """The object on a line, and what is wrong with it ("" when nothing is)."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return {}, "not UTF-8"
    except (ValueError, RecursionError) as error:
        return {}, f"not JSON ({getattr(error, 'msg', error)})"
    if not isinstance(row, dict):
        return {}, f"expected a JSON object, found {type(row).__name__}"
    lone = b"\\ud" in line.lower() and encodable(json.dumps(row, ensure_ascii=False)) is None
    return row, "holds half of a surrogate pair, which is no character" if lone else ""


def encodable(value: Any) -> Any:
    """The value, or None for text that UTF-8 cannot carry."""
    try:
        return value if not isinstance(value, str) or value.encode() is not None else None
    except UnicodeEncodeError:
        return None


def complaint_about(row: dict[str, Any], kind: str) -> str:
    """What keeps a row from being used as one of its kind; "" when nothing does."""
    row_id = row.get("id")
    if isinstance(row_id, bool) or not isinstance(row_id, (str, int)) or row_id == "":
        return "field 'id' must be text or a whole number"
    bad = [name for name in COMPARED[kind] if not isinstance(row.get(name), str)]
    return f"field {bad[0]!r} must be text" if bad else ""


def table_of(rows: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as a table with every field that any of them has, in the order they are met.

    A field that hornbook knows takes its own type if its values fit; another takes the type that they have in common;
    where they have none it becomes JSON text.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    known = {name: schema.field(name).type for name in names if name in schema.names}
    return pa.table({name: column_of(values, known.get(name)) for name, values in columns.items()})


def column_of(values: list[Any], kind: pa.DataType | None) -> pa.Array:
    """One column: of the given type, else of the values' own type, else JSON text."""
    for wanted in (kind, None) if kind is not None else (None,):
        try:
            return pa.array(values, wanted)
        except (ValueError, TypeError, OverflowError):
            continue
    return pa.array([json.dumps(value, ensure_ascii=False, sort_keys=True) for value in values], pa.string())
