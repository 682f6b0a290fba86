"""A person's own documents as a dataset, whatever holds them.

| what is named | what is read |
|---|---|
| a folder that `curate` wrote, or its documents | as it is |
| Parquet or JSON lines, or a folder of them | every row's `text` or `content`; `id`, `source`, `path`, `license` |
| a file of Python, or a folder of them | each file, cleaned as `curate` would; its source is the first folder inside |
"""

from __future__ import annotations

import gzip
import itertools
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.corpus.reading import read_document
from hornbook.corpus.tables import USUAL, claims
from hornbook.errors import InputError
from hornbook.quality.files import python_files
from hornbook.quality.sample import BLOCK, parts_of
from hornbook.records import Document, Record, Rejected, content_id, dataset_in, read_table

TABLES = (".parquet", ".jsonl", ".jsonl.gz")
Row = Mapping[str, Any]


def is_dataset(folder: Path) -> bool:
    """Whether a folder holds documents with all the columns that hornbook writes, so that they are read as they are."""
    parts = sorted(folder.glob("*.parquet")) if folder.is_dir() else []
    try:
        schemas = [pq.read_schema(part) for part in parts]
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{folder}: not readable as Parquet ({str(error).splitlines()[0]})") from None
    return bool(schemas) and all(set(Document.schema.names) <= set(schema.names) for schema in schemas)


def bring_in(path: Path, folder: Path) -> list[Rejected]:
    """Write a person's documents as a dataset in their order, each once; returns what could not be used.

    Raises InputError when nothing is there, or nothing that can be used.
    """
    refused: list[Rejected] = []
    folder.mkdir(parents=True)
    rows = each_once(documents_at(path), refused)
    with pq.ParquetWriter(folder / "part-00000.parquet", Document.schema, compression="zstd") as writer:
        while block := list(itertools.islice(rows, BLOCK)):
            writer.write_table(pa.Table.from_pylist([row.row() for row in block], schema=Document.schema))
    if not read_table(folder, ["id"]).num_rows:
        first = f" ({refused[0].detail})" if refused else ""
        raise InputError(f"{path}: no document there can be used{first}; give rows with 'text', or files of Python")
    return refused


def each_once(rows: Iterator[Document | Rejected], refused: list[Rejected]) -> Iterator[Document]:
    """The documents, those whose id was there before left out; what is left out is put into `refused`."""
    seen: dict[str, str] = {}
    for row in rows:
        if isinstance(row, Document) and row.id in seen:
            place = f"{row.source}:{row.path}"
            row = Rejected(
                row.id, "import", "duplicate-id", f"{place}: its id is that of {seen[row.id]}", row.text[:200]
            )
        if isinstance(row, Rejected):
            refused.append(row)
        else:
            seen[row.id] = f"{row.source}:{row.path}"
            yield row


def documents_at(path: Path) -> Iterator[Document | Rejected]:
    """The documents in what a person names, and what there is none. Raises InputError when nothing is there."""
    folder = dataset_in(path)
    if not folder.exists():
        raise InputError(f"{path}: no such file or folder")
    tables = [
        file for file in (sorted(folder.iterdir()) if folder.is_dir() else [folder]) if file.name.endswith(TABLES)
    ]
    for table in tables:
        for number, row in enumerate(rows_of(table), 1):
            yield document_of(f"{table.name}:{number}", table.name.split(".")[0], row)
    for file in python_files([path]) if not tables else ():
        yield named_as_it_stands(read_document(file), file, path)


def named_as_it_stands(found: Document | Rejected, file: Path, root: Path) -> Document | Rejected:
    """A file's document under its place below the folder that was named; its source is the first folder there."""
    if isinstance(found, Rejected) or not root.is_dir():
        return found
    inside = file.relative_to(root)
    source = inside.parts[0] if len(inside.parts) > 1 else root.resolve().name
    return Document(found.id, found.text, source, inside.as_posix())


def rows_of(table: Path) -> Iterator[Row | str]:
    """The rows of a Parquet or JSON lines file; for a line that is none, what is wrong with it."""
    if table.suffix == ".parquet":
        for part in parts_of(table, None):
            yield from part.to_pylist()
        return
    try:
        with gzip.open(table) if table.suffix == ".gz" else table.open("rb") as stream:
            yield from (json_row(line) for line in stream if line.strip())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{table}: cannot be read ({error})") from None


def json_row(line: bytes) -> Row | str:
    """The object on a line, or what is wrong with it."""
    try:
        found = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return f"not JSON ({type(error).__name__})"
    return found if isinstance(found, dict) else f"a JSON {type(found).__name__}, not an object"


def document_of(place: str, table: str, row: Row | str) -> Document | Rejected:
    """A row as a document. One without an id has its content's; without source or path, the table's name and place."""
    if isinstance(row, str):
        return malformed(place, row)
    found = {name: next((row[c] for c in columns if row.get(c) is not None), None) for name, columns in USUAL.items()}
    text, given = found["text"], row.get("id")
    if not isinstance(text, str) or not text.strip():
        return malformed(place, "no text in it")
    made = Document(
        str(given) if isinstance(given, (str, int)) and str(given) else content_id(text),
        text,
        found["source"] if isinstance(found["source"], str) else table,
        found["path"] if isinstance(found["path"], str) else place,
        list(claims(found["license"])),
    )
    return made if writable(made) else malformed(place, "holds half of a surrogate pair, which is no character")


def writable(record: Record) -> bool:
    """Whether UTF-8 can carry a record."""
    try:
        json.dumps(record.row(), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def malformed(place: str, why: str) -> Rejected:
    """A row that cannot be used, called after its place."""
    return Rejected(content_id(place), "import", "malformed", f"{place}: {why}")
