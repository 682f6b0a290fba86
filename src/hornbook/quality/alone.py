"""Scoring and selecting on a person's own dataset, with the packaged classifier or one of theirs."""

from __future__ import annotations

from pathlib import Path

from hornbook.artifacts import Ledger
from hornbook.quality.classifier import load, packaged
from hornbook.quality.score import Score, score_with
from hornbook.quality.select import Select, select
from hornbook.records import dataset_in


def score_alone(config: Score, *, dataset: Path, classifier: Path | None, out: Path, ledger: Ledger) -> None:
    """Write `scores/` (id, score) of the documents in a dataset folder or Parquet file, row-aligned with them.

    `classifier`: a classifier.skops; None takes the packaged one.
    """
    judge = load(classifier) if classifier else packaged()
    score_with(judge, config, documents=dataset_in(dataset), out=out, ledger=ledger)


def select_alone(config: Select, *, documents: Path, scores: Path, out: Path, ledger: Ledger) -> None:
    """Write what `select` writes; both inputs may be folders that a command wrote."""
    inner = scores / "scores"
    known = inner if inner.is_dir() else scores
    select(config, documents=dataset_in(documents), scores=known, out=out, ledger=ledger)
