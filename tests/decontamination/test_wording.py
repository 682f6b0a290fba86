"""A writer's own sentences do not count against its held-out rows; everything rarer does, and real exams count whole."""

from __future__ import annotations

from hornbook.decontamination.wording import ROWS, grams, wording

SENTENCE = "for each number in values that is even take it squared and return the sum of all"  # 17 words


def test_a_sentence_of_three_rows_is_wording_and_of_two_is_not() -> None:
    assert ROWS == 3
    rows = [f"{SENTENCE} {extra}" for extra in ("alpha", "beta", "gamma")]
    assert wording(rows, [SENTENCE], [], 13) == sorted(" ".join(gram) for gram in grams(SENTENCE, 13))
    assert wording(rows[:2], [SENTENCE], [], 13) == []


def test_a_sentence_that_one_row_repeats_counts_once() -> None:
    assert wording([f"{SENTENCE} {SENTENCE} {SENTENCE}"], [SENTENCE], [], 13) == []


def test_what_a_real_examination_says_is_never_wording() -> None:
    assert wording([SENTENCE] * 5, [SENTENCE], [f"prefix {SENTENCE} suffix"], 13) == []


def test_only_what_the_siblings_say_matters() -> None:
    assert wording([SENTENCE] * 5, ["something else altogether"], [], 13) == []


def test_grams_by_hand() -> None:
    assert list(grams("A b, c d", 3)) == [("a", "b", "c"), ("b", "c", "d")]
    assert list(grams("a b", 3)) == []
