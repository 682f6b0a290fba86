"""How far the packaged classifier can be trusted, and whether isotonic regression would make its scores truer.

Held-out predictions for every reading that is installed here: with whole packages held out, as the shipped figures are,
and with files held out whose neighbours were seen, as in a corpus of which one has labelled a part. Then a line and an
isotonic regression are fitted to seven eighths of the packages and tried on the last. A minute on one core.

    python benchmarks/calibration.py

Prints a table of either, the difference in squared error with its 95 % interval over packages, and what two readers of
one file agree to: the ceiling.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import GroupKFold

from hornbook.corpus.sources import STANDARD
from hornbook.quality.agreement import auc, quadratic_kappa, spearman
from hornbook.quality.classifier import line
from hornbook.quality.classify import Classify, cross_validate, package, train
from hornbook.quality.embed import embed
from hornbook.quality.package import read_here
from hornbook.records import Annotation
from hornbook.teacher.readings import twice_read

FOLDS, DRAWS = 8, 2000


def main() -> None:
    """Measure and print."""
    texts, labels = read_here()
    read = np.array([label.score for label in labels])
    groups = np.array([package(label) for label in labels])
    embeddings = embed(texts)
    _, predicted, _ = train(Classify(trees=1), embeddings, labels)
    alone = [replace(label, source=f"file {number}") for number, label in enumerate(labels)]
    by_file = cross_validate(Classify(trees=1), embeddings, alone)["levelled"]
    show_parts(labels, read, {"packages": predicted, "files": by_file})
    by_line, by_steps = np.zeros(len(read)), np.zeros(len(read))
    for seen, held_out in GroupKFold(FOLDS).split(predicted, read, groups):
        slope, offset = line(predicted[seen], read[seen])
        by_line[held_out] = np.clip(slope * predicted[held_out] + offset, 0, 5)
        steps = IsotonicRegression(y_min=0, y_max=5, out_of_bounds="clip").fit(predicted[seen], read[seen])
        by_steps[held_out] = steps.predict(predicted[held_out])
    print(f"{len(read)} labels of {len(set(groups))} packages\n")
    print("| calibrated by | squared error | off by | Spearman | AUC at ≥ 3 | kappa |\n|---|--:|--:|--:|--:|--:|")
    for name, found in (("line", by_line), ("isotonic regression", by_steps)):
        errors = found - read
        print(f"| {name} | {(errors**2).mean():.4f} | {abs(errors).mean():.4f} | {agreement(read, found)} |")
    low, high = over_packages((by_steps - read) ** 2 - (by_line - read) ** 2, groups)
    print(f"\nsquared error of isotonic regression beyond the line's: {low:+.4f} to {high:+.4f} (95 %, over packages)")
    first, second = (np.array(side) for side in zip(*twice_read(), strict=True))
    print(f"two readers of {len(first)} files: {agreement(first, second)}")


def show_parts(labels: list[Annotation], read: np.ndarray, ways: dict[str, np.ndarray]) -> None:
    """Spearman and AUC at ≥ 3 over all labels, the random sample, and the standard library."""
    parts = {
        "all": np.ones(len(read), bool),
        "random sample": np.array([label.stratum == "random" for label in labels]),
        "standard library": np.array([label.source == STANDARD for label in labels]),
    }
    print(
        "| held out | " + " | ".join(f"{name} ({rows.sum()})" for name, rows in parts.items()) + " |\n|---|--:|--:|--:|"
    )
    for way, found in ways.items():
        sides = [(read[rows].tolist(), found[rows].tolist()) for rows in parts.values()]
        print(f"| {way} | " + " | ".join(f"{spearman(*both)} / {auc(*both)}" for both in sides) + " |")
    print()


def agreement(truth: np.ndarray, found: np.ndarray) -> str:
    """Spearman, AUC at ≥ 3 and kappa as cells."""
    sides = truth.tolist(), found.tolist()
    return " | ".join(str(measure(*sides)) for measure in (spearman, auc, quadratic_kappa))


def over_packages(values: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Bootstrap interval of a mean, whole packages drawn."""
    rows = [np.flatnonzero(groups == name) for name in sorted(set(groups))]
    draw = np.random.default_rng(0)
    means = [
        values[np.concatenate([rows[place] for place in draw.integers(len(rows), size=len(rows))])].mean()
        for _ in range(DRAWS)
    ]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


if __name__ == "__main__":
    main()
