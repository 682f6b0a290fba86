"""Does isotonic regression make scores truer than the line that calibrates the classifier?

Held-out predictions for every reading that is installed here, by the classifier's own cross-validation. A line and an
isotonic regression are fitted to seven eighths of the packages and tried on the last. A minute on one core.

    python benchmarks/calibration.py

Prints a row each, the difference in squared error with its 95 % interval over packages, and what two readers of one
file agree to: the ceiling.
"""

from __future__ import annotations

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import GroupKFold

from hornbook.quality.agreement import auc, quadratic_kappa, spearman
from hornbook.quality.classifier import line
from hornbook.quality.classify import Classify, package, train
from hornbook.quality.embed import embed
from hornbook.quality.package import read_here
from hornbook.teacher.readings import twice_read

FOLDS, DRAWS = 8, 2000


def main() -> None:
    """Measure and print."""
    texts, labels = read_here()
    read = np.array([label.score for label in labels])
    groups = np.array([package(label) for label in labels])
    _, predicted, _ = train(Classify(), embed(texts), labels)
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
