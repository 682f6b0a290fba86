"""Two raters of the same files: how far they agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hornbook.quality.agreement import quadratic_kappa, spearman

Pair = tuple[float, float]


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
