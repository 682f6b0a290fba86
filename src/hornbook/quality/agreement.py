"""How well two sets of scores agree."""

from __future__ import annotations

import math
from collections.abc import Sequence


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
