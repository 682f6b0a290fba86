"""pass@k against enumeration, intervals against what is known of them, differences by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.evaluation.metrics import mean, paired, pass_at_k, ratio

SHARES = st.lists(st.integers(0, 4).map(lambda n: n / 4), min_size=1, max_size=12)


@given(st.integers(1, 7).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_share_of_draws_that_hold_a_pass(nck: tuple[int, int, int]) -> None:
    n, c, k = nck
    draws = list(combinations([True] * c + [False] * (n - c), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_pass_at_k_stays_exact_for_many_samples() -> None:
    assert pass_at_k(n=200, c=1, k=100) == pytest.approx(0.5)


def test_more_draws_than_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="pass@3 needs at least 3 samples a problem; there are 2"):
        pass_at_k(2, 2, 3)


@given(SHARES, st.integers(0, 5))
def test_an_interval_holds_the_mean_and_stays_within_the_values(values: list[float], seed: int) -> None:
    found = mean(values, 300, seed)
    assert found["value"] == pytest.approx(sum(values) / len(values), abs=1e-6)
    assert min(values) - 1e-6 <= found["low"] <= found["value"] <= found["high"] <= max(values) + 1e-6


def test_the_interval_of_a_coin_is_that_of_the_normal_law() -> None:
    found = mean([0.0, 1.0] * 200, 4000, 0)  # 1.96 * 0.5 / sqrt(400)
    assert [found["value"] - found["low"], found["high"] - found["value"]] == pytest.approx([0.049, 0.049], abs=0.004)


def test_equal_values_leave_no_doubt() -> None:
    assert mean([0.25] * 7, 100, 0) == {"value": 0.25, "low": 0.25, "high": 0.25}


def test_the_seed_decides_the_interval_alone() -> None:
    values = list(np.linspace(0, 1, 17))
    assert mean(values, 200, 3) == mean(values, 200, 3)
    assert mean(values, 200, 3)["value"] == mean(values, 200, 4)["value"]
    assert mean(values, 200, 3) != mean(values, 200, 4)


def test_a_ratio_is_of_sums_and_not_a_mean_of_ratios() -> None:
    assert ratio([3.0, 1.0], [2.0, 6.0], 100, 0)["value"] == 0.5


def test_a_difference_is_second_less_first_over_the_problems_of_both() -> None:
    first = {"a": (1.0, 1.0), "b": (1.0, 1.0), "only here": (0.0, 1.0)}
    second = {"a": (0.0, 1.0), "b": (0.0, 1.0), "only there": (9.0, 1.0)}
    assert paired(first, second, 100, 0) == {"value": -1.0, "low": -1.0, "high": -1.0, "problems": 2, "claims": True}


def test_a_gain_is_claimed_when_its_interval_is_above_zero() -> None:
    first, second = ({f"{n}": (value, 2.0) for n in range(4)} for value in (1.0, 2.0))
    found = paired(first, second, 100, 0)
    assert (found["value"], found["claims"]) == (0.5, True)


def test_nothing_is_claimed_when_the_interval_holds_zero() -> None:
    found = paired({"a": (0.0, 1.0), "b": (1.0, 1.0)}, {"a": (1.0, 1.0), "b": (0.0, 1.0)}, 200, 0)
    assert found == {"value": 0.0, "low": -1.0, "high": 1.0, "problems": 2, "claims": False}


def test_no_difference_at_all_is_no_claim() -> None:
    same = {"a": (1.0, 2.0), "b": (5.0, 7.0)}
    assert paired(same, same, 100, 0)["claims"] is False


def test_problems_are_drawn_together_for_both_arms() -> None:
    """Values differ wildly between problems and by the same amount between arms: drawn apart, the interval is wide."""
    first = {f"{n}": (float(n), 1.0) for n in range(10)}
    second = {task: (value + 0.5, 1.0) for task, (value, _) in first.items()}
    assert paired(first, second, 200, 0) == {"value": 0.5, "low": 0.5, "high": 0.5, "problems": 10, "claims": True}
