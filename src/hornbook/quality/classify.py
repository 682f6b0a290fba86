"""From labels to a classifier, with its agreement measured on packages it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from hornbook.artifacts import Ledger
from hornbook.config import Config
from hornbook.progress import say
from hornbook.quality.agreement import auc, quadratic_kappa, reliability, spearman
from hornbook.quality.classifier import FILE, Classifier, Experts, fit, forest, line, packaged, save
from hornbook.quality.embed import embed
from hornbook.records import Annotation, Document, read_dataset


class Classify(Config):
    """`min_labels`: with fewer the packaged classifier is used, and the manifest says so.

    `folds`: cross-validation folds; a package is never split between two of them.
    """

    experts: Experts = Experts()
    folds: int = Field(8, ge=2)
    min_labels: int = Field(100, ge=2)


def classify(config: Classify, *, documents: Path, annotations: Path, out: Path, ledger: Ledger) -> None:
    """Write `classifier.skops` and `cross_validation.parquet` (id, source, path, stratum, label, predicted)."""
    labels = list(read_dataset(annotations, Annotation))
    texts = {document.id: document.text for document in read_dataset(documents, Document)}
    ledger.rows_in = ledger.rows_out = len(labels)
    if len(labels) < config.min_labels:
        say(f"  {len(labels)} labels are fewer than {config.min_labels}: the packaged classifier is used")
        save(packaged(), out / FILE)
        write_validation(out, [], np.zeros(0))
        ledger.figures = {"classifier": "packaged", "labels": len(labels)}
        return
    classifier, predicted, figures = train(config, embed([texts[label.id] for label in labels]), labels)
    save(classifier, out / FILE)
    write_validation(out, labels, predicted)
    ledger.figures = {"classifier": "trained", **figures}


def train(
    config: Classify, embeddings: np.ndarray, labels: Sequence[Annotation]
) -> tuple[Classifier, np.ndarray, dict[str, Any]]:
    """A calibrated classifier, what it predicts for packages that it did not see, and how well that agrees."""
    scores = [label.score for label in labels]
    unseen = cross_validate(config, embeddings, labels)
    means = (unseen["shape"] + unseen["meaning"]) / 2
    slope, offset = line(means, scores)
    classifier = replace(fit(config.experts, embeddings, scores), slope=slope, offset=offset)
    predicted = classifier.calibrate(means)
    others = {name: values.tolist() for name, values in unseen.items()}
    figures = {
        **agreement(labels, predicted),
        "kappa": quadratic_kappa(scores, predicted.tolist()),
        "reliability": reliability(scores, predicted.tolist()),
        "alternatives": {n: {"spearman": spearman(scores, v), "auc_at_3": auc(scores, v)} for n, v in others.items()},
    }
    return classifier, predicted, figures


def cross_validate(config: Classify, embeddings: np.ndarray, labels: Sequence[Annotation]) -> dict[str, np.ndarray]:
    """What each expert, and the paper's forest, predict for each label having seen nothing of its package."""
    from sklearn.model_selection import GroupKFold

    scores = np.array([label.score for label in labels])
    groups = [package(label) for label in labels]
    found = {name: np.full(len(labels), scores.mean()) for name in ("shape", "meaning", "forest")}
    folds = min(config.folds, len(set(groups)))
    if folds >= 2:
        for seen, held_out in GroupKFold(folds).split(embeddings, scores, groups):
            experts = fit(config.experts, embeddings[seen], scores[seen])
            found["shape"][held_out], found["meaning"][held_out] = experts.opinions(embeddings[held_out])
            trees = forest(config.experts, embeddings[seen], scores[seen])
            found["forest"][held_out] = trees.predict(embeddings[held_out])
    return found


def package(label: Annotation) -> str:
    """What is not split: a distribution; within the standard library, each of its packages and modules."""
    return f"python {label.path.split('/')[0]}" if label.source == "python" else label.source


def agreement(labels: Sequence[Annotation], predicted: np.ndarray) -> dict[str, Any]:
    """Spearman and AUC at ≥3, over all labels and over the random stratum alone."""

    def measure(rows: Sequence[int]) -> dict[str, Any]:
        truth, guess = [labels[row].score for row in rows], [float(predicted[row]) for row in rows]
        return {"labels": len(rows), "spearman": spearman(truth, guess), "auc_at_3": auc(truth, guess)}

    everything = range(len(labels))
    return {**measure(everything), "random": measure([r for r in everything if labels[r].stratum == "random"])}


def write_validation(out: Path, labels: Sequence[Annotation], predicted: np.ndarray) -> None:
    """One row a label: what was read, and what a forest that had not seen its package predicted."""
    table = {
        "id": [label.id for label in labels],
        "source": [label.source for label in labels],
        "path": [label.path for label in labels],
        "stratum": [label.stratum for label in labels],
        "label": pa.array([label.score for label in labels], pa.float64()),
        "predicted": pa.array([round(float(value), 4) for value in predicted], pa.float64()),
    }
    pq.write_table(pa.table(table), out / "cross_validation.parquet", compression="zstd")
