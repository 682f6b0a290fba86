"""The rows that cross rooms, and how they are written: Parquet, zstd, one folder per dataset, sorted by `id`.

Each record is a frozen dataclass; its Arrow schema stands beside it in `SCHEMAS`. Everything written here loads with
`datasets.load_dataset("parquet", data_files=...)`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.errors import InputError

STRINGS = pa.list_(pa.string())
PROVENANCE = pa.struct(
    [
        ("writer", pa.string()),
        ("teacher", pa.string()),
        ("prompt_digest", pa.string()),
        ("responses", STRINGS),
        ("attempt", pa.int32()),
        ("recipe", pa.string()),
    ]
)


def content_id(*parts: str) -> str:
    """The id of a row: the first 16 hex digits of the sha256 of its parts, joined by NUL.

    >>> content_id("print(1)")
    'd287bb7f9d15abdc'
    """
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def scatter(seed: object, row_id: str) -> bytes:
    """A sort key that shuffles rows by `seed`, the same on every machine and whatever else is in the dataset."""
    return hashlib.sha256(f"{seed}\0{row_id}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Record:
    """A row. Subclasses name their columns in order; the first column is the sort key."""

    schema: ClassVar[pa.Schema]

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Build the record from a Parquet row; columns that the record does not know are ignored."""
        names = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in row.items() if name in names})

    def row(self) -> dict[str, Any]:
        """The record as a plain dictionary, ready for Arrow."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Document(Record):
    """A text of the corpus. `license` lists SPDX ids (empty = unknown); `parents` are ids it was made from."""

    id: str
    text: str
    source: str
    path: str
    license: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    metadata: str = "{}"  # JSON object

    schema = pa.schema(
        [
            ("id", pa.string()),
            ("text", pa.string()),
            ("source", pa.string()),
            ("path", pa.string()),
            ("license", STRINGS),
            ("parents", STRINGS),
            ("metadata", pa.string()),
        ]
    )


@dataclass(frozen=True, slots=True)
class Rejected(Record):
    """A row that was refused: by which stage, for which reason (a fixed word), with detail and an excerpt."""

    id: str
    stage: str
    reason: str
    detail: str = ""
    excerpt: str = ""

    schema = pa.schema([(n, pa.string()) for n in ("id", "stage", "reason", "detail", "excerpt")])


@dataclass(frozen=True, slots=True)
class Annotation(Record):
    """A label given by reading: educational value 0-5 with the reader's reason.

    `stratum` says how the file came to be read: `random` (an unbiased sample) or `sought` (looked for on purpose).
    """

    id: str
    score: float
    reason: str
    annotator: str
    stratum: str
    source: str
    path: str

    schema = pa.schema(
        [
            ("id", pa.string()),
            ("score", pa.float64()),
            ("reason", pa.string()),
            ("annotator", pa.string()),
            ("stratum", pa.string()),
            ("source", pa.string()),
            ("path", pa.string()),
        ]
    )


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a written row came from. `recipe` is what a procedural writer composed or a teacher was told, as JSON, or
    the shelf's file, with `prose/` before it where its kind is prose; else empty."""

    writer: str
    teacher: str = ""
    prompt_digest: str = ""
    responses: list[str] = field(default_factory=list)
    attempt: int = 0
    recipe: str = ""


@dataclass(frozen=True, slots=True)
class Section(Record):
    """A textbook section in Markdown; every ```python block of it runs when `verified`."""

    id: str
    text: str
    topic: str
    audience: str
    style: str
    license: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    provenance: Provenance = field(default_factory=lambda: Provenance("unknown"))
    verified: bool = False

    schema = pa.schema(
        [
            ("id", pa.string()),
            ("text", pa.string()),
            ("topic", pa.string()),
            ("audience", pa.string()),
            ("style", pa.string()),
            ("license", STRINGS),
            ("parents", STRINGS),
            ("provenance", PROVENANCE),
            ("verified", pa.bool_()),
        ]
    )


@dataclass(frozen=True, slots=True)
class Exercise(Record):
    """A function to complete. `prompt + solution` is a whole program; `tests` defines `check(candidate)`.

    `prompt`: imports, signature and docstring, ending in a newline. `solution`: the indented body only, as HumanEval's
    `canonical_solution`. `name`: the function's name. `topic`: the family, for procedural exercises.
    """

    id: str
    name: str
    prompt: str
    solution: str
    tests: str
    topic: str
    license: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    provenance: Provenance = field(default_factory=lambda: Provenance("unknown"))
    verified: bool = False
    mutants: int = 0
    mutants_killed: int = 0

    schema = pa.schema(
        [
            ("id", pa.string()),
            ("name", pa.string()),
            ("prompt", pa.string()),
            ("solution", pa.string()),
            ("tests", pa.string()),
            ("topic", pa.string()),
            ("license", STRINGS),
            ("parents", STRINGS),
            ("provenance", PROVENANCE),
            ("verified", pa.bool_()),
            ("mutants", pa.int32()),
            ("mutants_killed", pa.int32()),
        ]
    )


@dataclass(frozen=True, slots=True)
class Problem(Record):
    """An examination problem. `prompt + canonical_solution` is a whole program, `test` defines `check(candidate)`.

    `family` groups problems for per-family tables (empty when there is none). `completes` is False where a completion
    is a whole program of its own (MBPP) rather than a continuation of `prompt`.
    """

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    test: str
    rubric: str = ""
    family: str = ""
    completes: bool = True

    schema = pa.schema(
        [
            ("task_id", pa.string()),
            ("prompt", pa.string()),
            ("entry_point", pa.string()),
            ("canonical_solution", pa.string()),
            ("test", pa.string()),
            ("rubric", pa.string()),
            ("family", pa.string()),
            ("completes", pa.bool_()),
        ]
    )


@dataclass(frozen=True, slots=True)
class Sample(Record):
    """A model's answer. `sample` numbers answers within a task, in file order."""

    task_id: str
    sample: int
    completion: str
    model: str = ""

    schema = pa.schema(
        [("task_id", pa.string()), ("sample", pa.int32()), ("completion", pa.string()), ("model", pa.string())]
    )


@dataclass(frozen=True, slots=True)
class Verdict(Record):
    """What became of a sample. `detail` holds no paths, addresses or times, so that verdicts have the same bytes
    on every machine. `forgeable` is True only where the declared fallback ran the tests beside the candidate."""

    task_id: str
    sample: int
    status: str  # passed, failed, timeout, crashed, blocked, infrastructure
    detail: str = ""
    forgeable: bool = False

    schema = pa.schema(
        [
            ("task_id", pa.string()),
            ("sample", pa.int32()),
            ("status", pa.string()),
            ("detail", pa.string()),
            ("forgeable", pa.bool_()),
        ]
    )


def write_dataset(folder: Path, records: Iterable[Record], kind: type[Record]) -> int:
    """Write records to `folder/part-00000.parquet`, sorted by the first column; return how many.

    The bytes depend on the rows alone: rows are sorted, the file name is fixed and no time enters the file.
    """
    key = kind.schema.names[0]
    rows = sorted((record.row() for record in records), key=lambda row: tuple(str(row[n]) for n in (key, *row)))
    write_table(folder, pa.Table.from_pylist(rows, schema=kind.schema))
    return len(rows)


def write_table(folder: Path, table: pa.Table) -> None:
    """Write an Arrow table as the one part of a dataset folder, with settings that make equal rows equal bytes.

    Without rows there is no row group either: `datasets` refuses an empty one, and every other file named with it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(folder / "part-00000.parquet", table.schema, compression="zstd") as writer:
        if table.num_rows:
            writer.write_table(table, row_group_size=4096)


def dataset_in(folder: Path) -> Path:
    """The dataset in a folder that a command wrote: its exercises, sections or documents; else the folder itself."""
    inner = (folder / name for name in ("exercises", "sections", "documents"))
    return next((path for path in inner if path.is_dir()), folder)


def read_table(folder: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a dataset folder (or one Parquet file) as an Arrow table.

    Raises InputError when the folder is missing, holds no Parquet, or lacks one of the columns.
    """
    parts = sorted(folder.glob("*.parquet")) if folder.is_dir() else [folder]
    if not parts or not parts[0].exists():
        raise InputError(f"{folder}: no Parquet file there; give a dataset folder or a .parquet file")
    try:
        return pa.concat_tables([pq.read_table(part, columns=list(columns) if columns else None) for part in parts])
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{folder}: not readable as Parquet ({str(error).splitlines()[0]})") from None


R = TypeVar("R", bound="Record")


def read_dataset(folder: Path, kind: type[R]) -> Iterator[R]:
    """Yield the records of a dataset folder, in file order."""
    for row in read_table(folder).to_pylist():
        if "provenance" in row and row["provenance"] is not None:
            row["provenance"] = Provenance(**row["provenance"])
        yield kind.from_row(row)
