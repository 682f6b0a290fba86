"""The training text of a row, whatever dataset it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hornbook.decontamination.rows import read_rows
from hornbook.errors import InputError


def dataset_folder(artifact: Path) -> Path:
    """The one dataset of training rows inside an artifact folder, or the folder itself when it is a dataset."""
    for name in ("documents", "sections", "exercises"):
        if (artifact / name).is_dir():
            return artifact / name
    return artifact


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (id, training text) in file order: `text` of documents and sections, `prompt + solution` of exercises.

    `path` is an artifact, a dataset folder, a Parquet or a JSONL file. Raises InputError for a row of neither form.
    """
    rows = read_rows(dataset_folder(path))
    if rows.malformed:
        raise InputError(f"{path}: {rows.malformed[0].detail}; {len(rows.malformed)} rows are malformed, mend them")
    yield from zip(rows.ids(), rows.texts(), strict=True)
