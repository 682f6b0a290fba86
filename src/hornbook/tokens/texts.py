"""The training text of a row, whatever dataset it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hornbook.errors import InputError
from hornbook.records import read_table


def dataset_folder(artifact: Path) -> Path:
    """The one dataset of training rows inside an artifact folder, or the folder itself when it is a dataset."""
    for name in ("documents", "sections", "exercises"):
        if (artifact / name).is_dir():
            return artifact / name
    return artifact


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (id, training text) in file order: `text` of documents and sections, `prompt + solution` of exercises.

    Raises InputError when the rows have neither form.
    """
    table = read_table(dataset_folder(folder))
    columns = set(table.column_names)
    if {"id", "text"} <= columns:
        yield from zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True)
    elif {"id", "prompt", "solution"} <= columns:
        for row in table.select(["id", "prompt", "solution"]).to_pylist():
            yield row["id"], row["prompt"] + row["solution"]
    else:
        raise InputError(
            f"{folder}: rows need columns id and text, or id, prompt and solution; found {sorted(columns)}"
        )
