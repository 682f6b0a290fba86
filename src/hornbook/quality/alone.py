"""Scoring and selecting on a person's own dataset, with the packaged classifier or one of theirs."""

from __future__ import annotations

from pathlib import Path

from hornbook.artifacts import Ledger
from hornbook.quality.files import judge_for
from hornbook.quality.score import Score, write_scores
from hornbook.quality.select import Select, select
from hornbook.records import dataset_in


def score_alone(
    config: Score, *, dataset: Path, classifier: Path | None, model: str | None, out: Path, ledger: Ledger
) -> None:
    """Write `scores/` (id, score) of the documents in a dataset folder or Parquet file, row-aligned with them.

    `classifier`: its file or folder; None takes the packaged one. `model`: where the model of its embedder now is.
    """
    judge, embedder = judge_for(classifier, model)
    write_scores(judge, embedder, config.workers, dataset_in(dataset), out, ledger)


def select_alone(config: Select, *, documents: Path, scores: Path, out: Path, ledger: Ledger) -> None:
    """Write what `select` writes; both inputs may be folders that a command wrote."""
    inner = scores / "scores"
    known = inner if inner.is_dir() else scores
    select(config, documents=dataset_in(documents), scores=known, out=out, ledger=ledger)
