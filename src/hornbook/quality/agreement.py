"""How well two sets of scores, or two raters of the same files, agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

Pair = tuple[float, float]


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Rank correlation; None where it is not defined (fewer than three rows, or a constant side)."""
    from scipy.stats import spearmanr

    if len(first) < 3 or len(set(first)) < 2 or len(set(second)) < 2:
        return None
    value = float(spearmanr(first, second).statistic)
    return None if math.isnan(value) else round(value, 4)


def auc(labels: Sequence[float], scores: Sequence[float], at: float = 3.0) -> float | None:
    """Area under the ROC curve for "label is at least `at`"; None when one class is absent."""
    from sklearn.metrics import roc_auc_score

    positive = [label >= at for label in labels]
    return round(float(roc_auc_score(positive, scores)), 4) if any(positive) and not all(positive) else None


def quadratic_kappa(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Cohen's kappa with quadratic weights over scores rounded to 0-5; None where it is not defined."""
    from sklearn.metrics import cohen_kappa_score

    rounded = [[min(5, max(0, round(value))) for value in side] for side in (first, second)]
    if not rounded[0] or len(set(rounded[0] + rounded[1])) < 2:
        return None
    return round(float(cohen_kappa_score(*rounded, weights="quadratic", labels=range(6))), 4)


def reliability(labels: Sequence[float], scores: Sequence[float]) -> list[dict[str, float | None]]:
    """How true scores are: for each whole score, the predictions that round to it, their mean and the mean label.

    `low` and `high` bound the mean label at 95 %, by its standard error; None where a single file says nothing of it.
    """
    found: list[dict[str, float | None]] = []
    for whole in range(6):
        rows = [row for row, score in enumerate(scores) if min(5, max(0, round(score))) == whole]
        if rows:
            said, true = (sum(side[row] for row in rows) / len(rows) for side in (scores, labels))
            low, high = interval([labels[row] for row in rows])
            means = {"predicted": round(said, 3), "read": round(true, 3)}
            found.append({"labels": len(rows), **means, "low": low, "high": high})
    return found


def interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Bounds of the mean of labels at 95 %, within 0-5."""
    if len(values) < 2:
        return None, None
    half = 1.96 * stdev(values) / math.sqrt(len(values))
    return round(max(0.0, mean(values) - half), 3), round(min(5.0, mean(values) + half), 3)


def compared(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Agreement of two raters, of whom each gave a score 0-5 to each file.

    `within_1`: the share of files on which they differ by one point at most. `mean_difference`: by how much the first
    rates higher. None where a figure is not defined.
    """
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    count = len(pairs)
    return {
        "files": count,
        "spearman": spearman(first, second),
        "kappa": quadratic_kappa(first, second),
        "within_1": round(sum(abs(a - b) <= 1 for a, b in pairs) / count, 4) if count else None,
        "mean_difference": round(sum(a - b for a, b in pairs) / count, 4) if count else None,
    }


def confusion(pairs: Sequence[Pair]) -> list[list[int]]:
    """How many files had each pair of scores, rounded to whole ones: [second rater's score][first rater's score]."""
    table = [[0] * 6 for _ in range(6)]
    for first, second in pairs:
        table[round(second)][round(first)] += 1
    return table
