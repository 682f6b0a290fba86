"""pass@k against enumeration, intervals against what is known of them, differences by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.evaluation.metrics import mean, over_seeds, paired, pass_at_k, ratio

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


def alike(rate: float, tasks: int = 4) -> dict[str, tuple[float, float]]:
    """Tasks that all have the same ratio."""
    return {str(task): (rate * 2, 2.0) for task in range(tasks)}


def test_seeds_are_averaged_and_their_luck_is_in_the_interval() -> None:
    found = over_seeds([], [alike(1.0), alike(1.2)], 200, 0)  # sd 0.141421, / sqrt(2) = 0.1, t with 1 degree = 12.7062
    assert (found["value"], found["seeds"], found["tasks"]) == (1.1, 2, 4)
    assert [found["low"], found["high"]] == pytest.approx([1.1 - 1.27062, 1.1 + 1.27062], abs=1e-4)


def test_differences_are_taken_seed_by_seed() -> None:
    found = over_seeds([alike(1.0), alike(2.0)], [alike(0.9), alike(1.9)], 200, 0)
    assert (found["value"], found["low"], found["high"], found["claims"]) == (-0.1, -0.1, -0.1, True)


def test_a_cut_against_itself_claims_nothing() -> None:
    parts = [{"a": (1.0, 3.0), "b": (5.0, 4.0)}]
    found = over_seeds(parts, parts, 200, 0)
    assert (found["value"], found["low"], found["high"], found["claims"]) == (0.0, 0.0, 0.0, False)


def test_with_one_seed_the_interval_is_that_over_tasks() -> None:
    parts = {str(task): (float(task % 2), 1.0) for task in range(400)}
    found = over_seeds([], [parts], 4000, 0)  # 1.966 * 0.5 / sqrt(400)
    assert [found["value"] - found["low"], found["high"] - found["value"]] == pytest.approx([0.0492] * 2, abs=0.002)


def test_only_tasks_of_every_seed_and_side_count() -> None:
    found = over_seeds([{"a": (1.0, 1.0), "b": (9.0, 1.0)}], [{"a": (3.0, 1.0), "c": (9.0, 1.0)}], 100, 0)
    assert (found["value"], found["tasks"]) == (2.0, 1)


def test_the_interval_over_three_seeds_holds_the_truth_about_as_often_as_it_says() -> None:
    """Luck of the seed as large as that of the tasks: intervals over tasks alone hold it in 7 of 10."""
    rng, held = np.random.default_rng(0), 0
    for trial in range(200):
        tasks = rng.normal(0, 0.1, 60)
        seeds = [{str(n): (v + luck, 1.0) for n, v in enumerate(tasks)} for luck in rng.normal(0, 0.013, 3)]
        found = over_seeds([], seeds, 100, trial)
        held += found["low"] <= 0 <= found["high"]
    assert 180 <= held <= 199
