"""From labels to a classifier, with its agreement measured on packages it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field, model_validator

from hornbook.artifacts import Ledger
from hornbook.config import Config
from hornbook.errors import InputError
from hornbook.progress import say
from hornbook.quality.agreement import auc, quadratic_kappa, reliability, spearman
from hornbook.quality.classifier import FILE, Classifier, Levelled, fit, line, packaged, save
from hornbook.quality.embed import Embed, digest_of, name_of, open_embedder
from hornbook.quality.machines import KINDS, Machine, Single, forest, ridge, svr
from hornbook.records import Annotation, Document, read_dataset


class Classify(Config):
    """`min_labels`: with fewer the packaged classifier is used, and the manifest says so.

    `kind`: `auto` takes `levelled` for the packaged embedder, and for another the machine whose predictions for
    packages not seen rank best. `trees`: of the forest. `folds`: cross-validation folds; a package is never split
    between two of them (where there is but one, a folder).
    """

    embedder: Embed = Embed()
    kind: Literal["auto", "levelled", "forest", "svr", "ridge"] = "auto"
    levelled: Levelled = Levelled()
    svr: Machine = Machine()
    trees: int = Field(200, ge=1)
    folds: int = Field(8, ge=2)
    min_labels: int = Field(100, ge=2)

    @model_validator(mode="after")
    def levelled_reads_the_packaged_embedder(self) -> Classify:
        """It knows what the packaged numbers mean, and nothing of others."""
        check_kind(self.kind, self.embedder)
        return self


def check_kind(kind: str, embedder: Embed) -> None:
    """Raise ValueError when a kind of classifier cannot read an embedder."""
    if kind == "levelled" and embedder.kind != "packaged":
        way_out = f"take {', '.join(KINDS)} or auto"
        raise ValueError(f"kind: levelled reads the packaged embedder and not {name_of(embedder)!r}; {way_out}")


def classify(config: Classify, *, documents: Path, annotations: Path, out: Path, ledger: Ledger) -> None:
    """Write `classifier.skops` and `cross_validation.parquet` (id, source, path, stratum, label, predicted).

    Raises InputError when the labels are too few to train a classifier for an embedder of a person's own.
    """
    labels = list(read_dataset(annotations, Annotation))
    texts = {document.id: document.text for document in read_dataset(documents, Document)}
    ledger.rows_in = ledger.rows_out = len(labels)
    if len(labels) < config.min_labels:
        few = f"{len(labels)} labels are fewer than {config.min_labels}"
        if config.embedder.kind != "packaged":
            way_out = "annotate more, lower classify.min_labels, or leave the embedder packaged"
            raise InputError(f"{few}: too few to train a classifier for {name_of(config.embedder)!r}; {way_out}")
        say(f"  {few}: the packaged classifier is used")
        save(packaged(), out / FILE)
        write_validation(out, [], np.zeros(0))
        ledger.figures = {"classifier": "packaged", "labels": len(labels)}
        return
    embeddings = open_embedder(config.embedder).embed([texts[label.id] for label in labels])
    classifier, predicted, figures = train(config, embeddings, labels)
    save(classifier, out / FILE)
    write_validation(out, labels, predicted)
    ledger.figures = {"classifier": "trained", **figures}


def train(
    config: Classify, embeddings: np.ndarray, labels: Sequence[Annotation]
) -> tuple[Classifier | Single, np.ndarray, dict[str, Any]]:
    """A calibrated classifier, what it predicts for packages that it did not see, and how well that agrees.

    Every alternative is measured as it would be if it were chosen: calibrated on the same labels.
    """
    scores = [label.score for label in labels]
    unseen = cross_validate(config, embeddings, labels)
    lines = {name: line(values, scores) for name, values in unseen.items()}
    predicted = {name: np.clip(slope * unseen[name] + offset, 0.0, 5.0) for name, (slope, offset) in lines.items()}
    measured = {name: agreement(labels, values) for name, values in predicted.items()}
    kind = chosen(config, measured)
    slope, offset = lines[kind]
    classifier = replace(made(config, kind, embeddings, scores), slope=slope, offset=offset)
    if isinstance(classifier, Single):
        classifier = replace(classifier, embedder=config.embedder.shaping(), digest=digest_of(config.embedder))
    figures = {
        "kind": kind,
        "embedder": f"{config.embedder.kind} {Path(config.embedder.named).name}".strip(),
        **measured.pop(kind),
        "reliability": reliability(scores, predicted[kind].tolist()),
        "alternatives": measured,
    }
    return classifier, predicted[kind], figures


def chosen(config: Classify, measured: dict[str, dict[str, Any]]) -> str:
    """The kind asked for, or for `auto` the one whose predictions rank best; of equals the first of `KINDS`."""
    if config.kind != "auto":
        return config.kind
    if config.embedder.kind == "packaged":
        return "levelled"
    return max(KINDS, key=lambda kind: measured[kind]["spearman"] or -1.0)


def made(config: Classify, kind: str, embeddings: np.ndarray, scores: Sequence[float]) -> Classifier | Single:
    """A classifier of a kind, trained on these labels and not yet calibrated, nor told of its embedder."""
    if kind == "levelled":
        return fit(config.levelled, embeddings, scores)
    if kind == "forest":
        return Single(kind, forest(config.trees, embeddings, scores))
    if kind == "ridge":
        return Single(kind, ridge(embeddings, scores))
    return Single(kind, svr(config.svr, embeddings, scores))


def cross_validate(config: Classify, embeddings: np.ndarray, labels: Sequence[Annotation]) -> dict[str, np.ndarray]:
    """What each kind of classifier that can read the embedder predicts, having seen nothing of the package."""
    from sklearn.model_selection import GroupKFold

    scores = np.array([label.score for label in labels])
    groups = groups_of(labels)
    kinds = ("levelled", *KINDS) if config.embedder.kind == "packaged" else KINDS
    found = {kind: np.full(len(labels), scores.mean()) for kind in kinds}
    folds = min(config.folds, len(set(groups)))
    if folds >= 2:
        for seen, held_out in GroupKFold(folds).split(embeddings, scores, groups):
            for kind in kinds:
                found[kind][held_out] = made(config, kind, embeddings[seen], scores[seen]).raw(embeddings[held_out])
    return found


def groups_of(labels: Sequence[Annotation]) -> list[str]:
    """What is not split between folds: packages; in a corpus of one package its folders, in one folder its files."""
    ways: Sequence[Callable[[Annotation], str]] = (package, lambda label: str(Path(label.path).parent))
    found = ([way(label) for label in labels] for way in ways)
    return next((groups for groups in found if len(set(groups)) > 1), [label.id for label in labels])


def package(label: Annotation) -> str:
    """What is not split: a distribution; within the standard library, each of its packages and modules."""
    return f"python {label.path.split('/')[0]}" if label.source == "python" else label.source


def agreement(labels: Sequence[Annotation], predicted: np.ndarray) -> dict[str, Any]:
    """Spearman, AUC at ≥3 and quadratic kappa, over all labels and over the random stratum alone."""

    def measure(rows: Sequence[int]) -> dict[str, Any]:
        truth, guess = [labels[row].score for row in rows], [float(predicted[row]) for row in rows]
        ranks = {"spearman": spearman(truth, guess), "auc_at_3": auc(truth, guess)}
        return {"labels": len(rows), **ranks, "kappa": quadratic_kappa(truth, guess)}

    everything = range(len(labels))
    return {**measure(everything), "random": measure([r for r in everything if labels[r].stratum == "random"])}


def write_validation(out: Path, labels: Sequence[Annotation], predicted: np.ndarray) -> None:
    """One row a label: what was read, and what a classifier that had not seen its package predicted."""
    table = {
        "id": [label.id for label in labels],
        "source": [label.source for label in labels],
        "path": [label.path for label in labels],
        "stratum": [label.stratum for label in labels],
        "label": pa.array([label.score for label in labels], pa.float64()),
        "predicted": pa.array([round(float(value), 4) for value in predicted], pa.float64()),
    }
    pq.write_table(pa.table(table), out / "cross_validation.parquet", compression="zstd")
