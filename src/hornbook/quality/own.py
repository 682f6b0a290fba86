"""The stages of this room on a person's own documents and labels."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from hornbook.artifacts import Ledger, read_manifest
from hornbook.config import Config
from hornbook.errors import InputError
from hornbook.quality.classify import Classify, classify
from hornbook.quality.documents import bring_in, is_dataset
from hornbook.records import Rejected, dataset_in, read_dataset, read_table, write_dataset


def on_own(stage: Callable[..., None], name: str = "documents") -> Callable[..., None]:
    """A stage that reads a dataset of documents, made to read whatever a person names as its input `name`.

    What cannot be used joins the stage's `rejected/`.
    """

    @wraps(stage)
    def run(config: Config, *, out: Path, ledger: Ledger, **inputs: Any) -> None:
        if is_dataset(folder := dataset_in(inputs[name])):
            stage(config, out=out, ledger=ledger, **{**inputs, name: folder})
            return
        made = out / "imported"
        shutil.rmtree(made, ignore_errors=True)  # of a try that was killed
        try:
            refused = bring_in(inputs[name], made)
            stage(config, out=out, ledger=ledger, **{**inputs, name: made})
        finally:
            shutil.rmtree(made, ignore_errors=True)
        if refused:
            theirs = list(read_dataset(out / "rejected", Rejected)) if (out / "rejected").is_dir() else []
            write_dataset(out / "rejected", [*theirs, *refused], Rejected)
            ledger.rejected.update(row.reason for row in refused)

    return run


def classify_own(config: Classify, *, documents: Path, annotations: Path, out: Path, ledger: Ledger) -> None:
    """Train on the labels in a folder that `annotate` wrote. Raises InputError when they are of other documents."""
    inside = annotations / "annotations" if (annotations / "annotations").is_dir() else annotations
    labels = read_table(inside, ["id", "score"])["id"].to_pylist()
    unknown = set(labels) - set(read_table(documents, ["id"])["id"].to_pylist())
    if unknown:
        told = f"{len(unknown):,} of {len(labels):,} labels are of other documents"
        raise InputError(f"{annotations}: {told}; name the documents that were annotated")
    classify(config, documents=documents, annotations=inside, out=out, ledger=ledger)


def ceiling_of(annotations: Path) -> dict[str, Any] | None:
    """What the manifest in a folder that `annotate` wrote says of how far the annotator agrees with itself."""
    manifest = read_manifest(annotations) or {}
    found: dict[str, Any] | None = manifest.get("figures", {}).get("readers_agreement")
    return found
