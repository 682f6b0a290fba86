"""Reading and judging through Daft: files are read where they are cleaned by `rules`, a few dozen at a time, in worker
processes. The same plan runs on a Ray cluster. (Daft's own reader of files takes ten times as long, and imports torch.)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from hornbook.collector import collector_off
from hornbook.corpus.compiled import compiled
from hornbook.corpus.engine import daft, spread
from hornbook.corpus.redact import suspects
from hornbook.corpus.rules import Cleaning, Refusal, clean
from hornbook.corpus.sources import Item, weigh
from hornbook.errors import InfrastructureError, InputError
from hornbook.records import STRINGS, Document, Rejected, content_id

STAGE = "curate"
BATCH_ROWS = 64  # at 1 MB a file, what a worker holds stays below 200 MB

LISTED = pa.schema(
    [
        ("url", pa.string()),
        ("source", pa.string()),
        ("path", pa.string()),
        ("license", STRINGS),
        ("metadata", pa.string()),
    ]
)


def files_frame(items: Sequence[Item]) -> Any:
    """A Daft frame over files that are still to be read: the columns of `tables.UNPACKED`, `data` null, and `url`."""
    columns = {name: [getattr(item, name) for item in items] for name in LISTED.names}
    listed = pa.Table.from_pydict(columns, schema=LISTED).append_column("data", pa.nulls(len(items), pa.large_binary()))
    return spread(daft().from_arrow(listed), len(items)).into_batches(BATCH_ROWS)


def tables_frame(path: Path) -> Any:
    """A Daft frame over rows unpacked by `tables`, which have no `url` of their own."""
    return daft().read_parquet(str(path.resolve())).into_batches(BATCH_ROWS).with_column("url", daft().lit(""))


def judged(frame: Any, limits: Cleaning, workers: int) -> Iterator[pa.Table]:
    """Clean every row of a frame; yield tables with the verdict's columns (`id`, `text`, `bytes`, `claims`, `notes`,
    `reason`, `detail`, `excerpt`) in place of `data`. `claims` are the licences that the text itself names, `notes`
    what cleaning did to it (JSON). `reason` is null where the row is kept, `text` where it is refused.

    Raises InfrastructureError when a worker process dies.
    """
    col = daft().col
    verdict = judge(limits, workers)(col("data"), col("source"), col("path"), col("url"))
    frame = frame.with_column("verdict", verdict).select(
        "source", "path", "license", "metadata", *[col("verdict")[name].alias(name) for name in Judged]
    )
    try:
        for batch in frame.to_arrow_iter():
            yield pa.Table.from_batches([batch])
    except (RuntimeError, daft().exceptions.DaftCoreException) as error:
        reason = str(error).strip().splitlines()[0]
        raise InfrastructureError(f"curate: reading stopped: {reason}; rerun, with workers=1 if it repeats") from error


Judged = ("id", "text", "bytes", "claims", "notes", "reason", "detail", "excerpt")


def judge(limits: Cleaning, workers: int) -> Any:
    """The cleaning rules as a Daft function. One worker runs in this process, several in processes of their own."""
    kinds = {name: pa.string() for name in Judged} | {"bytes": pa.int64(), "claims": STRINGS}
    verdict = pa.struct(list(kinds.items()))
    where = {"max_concurrency": workers} if workers > 1 else {"use_process": False}  # the former implies processes

    @daft().cls(**where)
    class Judge:
        @daft().method.batch(return_dtype=daft().DataType.from_arrow_type(verdict))  # type: ignore[untyped-decorator]
        def __call__(self, data: Any, source: Any, path: Any, url: Any) -> Any:
            files = zip(data.to_arrow(), source.to_pylist(), path.to_pylist(), url.to_pylist(), strict=True)
            read = [(read_bytes(Path(u)) if u else cell.as_py(), s, p, u) for cell, s, p, u in files]
            doubts = suspects(pa.array([row[0] for row in read], pa.large_binary()))
            with collector_off():
                rows = [verdict_row(*row, limits, suspect) for row, suspect in zip(read, doubts, strict=True)]
            return pa.array(rows, verdict)

    return Judge()


def verdict_row(
    data: bytes | None, source: str, path: str, url: str, limits: Cleaning, suspect: bool
) -> dict[str, Any]:
    """The verdict on one file. A kept text's id is that of its content; a refused file's, that of its name."""
    row: dict[str, Any] = dict.fromkeys(Judged) | {"bytes": len(data or b"")}
    made = clean(data, path, limits, suspect, compiled(url, data))
    if isinstance(made, Refusal):
        refusal = {"reason": made.reason, "detail": made.detail, "excerpt": made.excerpt}
        return row | {"id": content_id(source, path), **refusal}
    noted = {"claims": list(made.licenses), "notes": json.dumps(made.notes)}
    return row | {"id": content_id(made.text), "text": made.text, **noted}


def refused(source: str, path: str, why: Refusal, id: str | None = None) -> Rejected:
    """The row of a refusal. Its detail begins with the file's name."""
    return Rejected(id or content_id(source, path), STAGE, why.reason, f"{source}:{path}: {why.detail}", why.excerpt)


def read_document(path: Path, limits: Cleaning | None = None) -> Document | Rejected:
    """Read and judge one file of a person's own, exactly as `curate` would.

    Raises InputError when there is no such file.
    """
    limits = limits or Cleaning()
    item = Item(str(path), "file", path.name)
    if not path.exists() and not path.is_symlink():
        raise InputError(f"{path}: no such file")
    if why := weigh(item, limits):
        return refused(item.source, item.path, why)
    made = clean(read_bytes(path), item.path, limits)
    if isinstance(made, Refusal):
        return refused(item.source, item.path, made)
    licenses, notes = list(made.licenses), json.dumps(made.notes)
    return Document(content_id(made.text), made.text, item.source, item.path, licenses, metadata=notes)


def read_bytes(path: Path) -> bytes | None:
    """A file's bytes, or None where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None
