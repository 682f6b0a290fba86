"""The diversity meter on a person's own rows: a dataset folder, a Parquet file or JSON lines, read a part at a time."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.errors import InputError
from hornbook.records import dataset_in
from hornbook.synthesis.diversity import Diversity
from hornbook.synthesis.limits import Limits

COLUMNS = ("text", "prompt", "solution", "name", "topic", "audience", "provenance")
BATCH = 256  # rows


def diversity_of(path: Path) -> dict[str, Any]:
    """The meter's figures for the rows at a path, and how many were refused as malformed. Memory does not grow.

    Rows need `text`, or `prompt` and perhaps `solution`. Raises InputError when nothing there can be measured.
    """
    meter, refused = Diversity(Limits(halt=False)), Counter[str]()
    for row in rows_at(path):
        if isinstance(row.get("text", row.get("prompt")), str):
            meter.add(row)
        else:
            refused["malformed"] += 1
    if not meter.rows:
        raise InputError(f"{path}: no row with 'text' or 'prompt'; give a dataset folder, Parquet or JSON lines")
    return {**meter.figures(), "rejected": dict(refused)}


def rows_at(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a folder (or of the dataset in it), Parquet file or JSONL file."""
    path = dataset_in(path)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    parts = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not parts:
        raise InputError(f"{path}: no Parquet file in this folder")
    for part in parts:
        yield from rows_of_parquet(part) if part.suffix == ".parquet" else rows_of_jsonl(part)


def rows_of_parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a Parquet file, with the columns that the meter reads."""
    try:
        with pq.ParquetFile(path) as file:
            wanted = [name for name in COLUMNS if name in file.schema_arrow.names]
            for batch in file.iter_batches(BATCH, columns=wanted) if wanted else ():
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not readable as Parquet ({str(error).splitlines()[0]})") from None


def rows_of_jsonl(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of a JSONL file, plain or gzipped. A string is a text; a line that is neither has no columns."""
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as stream:
            yield from (row_of(line) for line in stream if line.strip())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None


def row_of(line: bytes) -> Mapping[str, Any]:
    """The row on a line; empty when it holds none."""
    try:
        found = json.loads(line.decode("utf-8-sig"))
        json.dumps(found, ensure_ascii=False).encode()  # fails on half of a surrogate pair, which is no character
    except (ValueError, RecursionError):
        return {}
    if isinstance(found, str):
        return {"text": found}
    return found if isinstance(found, dict) else {}
