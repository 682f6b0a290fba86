"""Counting in bounded memory: exact where it says so, right by hand, the same whatever the order."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.synthesis.sketches import (
    BANDS,
    CHUNK,
    Directions,
    Histogram,
    Recent,
    ngram_hashes,
    shingle_hashes,
    word_hashes,
)


def histogram(labels: str | list[str], capacity: int = 4096) -> Histogram:
    found = Histogram(capacity)
    found.add(labels)
    return found


@pytest.mark.parametrize(
    ("labels", "bits"), [("aabb", 1.0), ("aaaa", 0.0), ("abcd", 2.0), ("aaab", 0.8112781), ("", 0)]
)
def test_entropy_by_hand(labels: str, bits: float) -> None:
    assert histogram(labels).bits == pytest.approx(bits)


def test_effective_number_is_that_of_equal_labels_and_none_of_none() -> None:
    assert histogram("aabbccddee").effective == pytest.approx(5)
    assert histogram("").effective == 0


def test_top_puts_equals_in_the_order_of_the_alphabet() -> None:
    assert histogram("zyxzyxw").top(3) == [("x", 2), ("y", 2), ("z", 2)]


@given(st.lists(st.sampled_from("abcdefghij")), st.randoms())
def test_a_histogram_does_not_depend_on_the_order(labels: list[str], chance: random.Random) -> None:
    shuffled = list(labels)
    chance.shuffle(shuffled)
    one, other = histogram(labels), histogram(shuffled)
    assert (one.top(10), one.distinct) == (other.top(10), other.distinct)
    assert one.bits == pytest.approx(other.bits)


def test_a_histogram_forgets_the_rare_and_keeps_the_common_exactly() -> None:
    found = Histogram(capacity=50)
    for number in range(1000):
        found.add([f"rare {number}", "common", f"rare {number}", "common"])
    assert len(found.counts) <= 100
    assert found.top(1) == [("common", 2000)]
    assert found.distinct == 1001
    assert found.bits == pytest.approx(0.5 * 1 + 0.5 * math.log2(2000))


def test_directions_of_equal_texts_are_one_and_of_orthogonal_ones_as_many() -> None:
    one, four, uneven = Directions(8), Directions(8), Directions(8)
    for place in range(12):
        one.add(np.eye(8, dtype=np.float32)[0])
        four.add(np.eye(8, dtype=np.float32)[place % 4])
        uneven.add(np.eye(8, dtype=np.float32)[int(place % 4 == 0)])
    assert one.effective == pytest.approx(1)
    assert four.effective == pytest.approx(4)
    assert uneven.effective == pytest.approx(1.7547654)  # exp(-(.25 ln .25 + .75 ln .75))


def test_a_text_without_words_has_no_direction() -> None:
    found = Directions(8)
    found.add(np.zeros(8, np.float32))
    assert (found.rows, found.effective) == (0, 0)


def test_ngrams_are_runs_of_words_in_order() -> None:
    hashes = word_hashes(["a", "b", "a", "b"])
    assert [len(set(ngram_hashes(hashes, n).tolist())) for n in (1, 2, 3)] == [2, 2, 2]
    assert [len(ngram_hashes(hashes, n)) for n in (1, 2, 3, 4, 5)] == [4, 3, 2, 1, 0]
    ab, ba, other_ab = ngram_hashes(hashes, 2)
    assert ab == other_ab != ba


def test_shingles_of_a_short_text_are_the_text() -> None:
    assert len(shingle_hashes(word_hashes(["a", "b"]))) == len(shingle_hashes(word_hashes([]))) == 1
    assert len(shingle_hashes(word_hashes(["a", "b", "c", "d", "e", "f"]))) == 2


def test_hashes_are_the_same_in_every_process() -> None:
    program = (
        "from hornbook.synthesis.sketches import *; h = word_hashes('one two three four five six'.split())\n"
        "print(ngram_hashes(h, 3).tolist(), Recent(8).signature(shingle_hashes(h)).tolist())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def words(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [f"w{chance.randrange(10**6)}" for _ in range(count)]


@pytest.mark.parametrize("length", [1, 4, 5, 40, 2 * CHUNK])
def test_an_equal_text_is_found_whatever_its_length_and_says_what_it_answers(length: int) -> None:
    recent = Recent()
    text = word_hashes(words(length, 1))
    assert recent.add(text, asked=7) is None
    assert recent.add(word_hashes(words(length, 2)), asked=8) is None
    assert recent.add(text, asked=9) == 7


def test_one_word_in_two_hundred_is_near_and_one_in_ten_is_not() -> None:
    """200 words have 196 shingles. One word changed: 191 shared of 201, 0.95. Twenty changed: 96 of 296, 0.32."""
    near = far = 0
    for seed in range(60):
        recent, text = Recent(64), words(200, seed)
        recent.add(word_hashes(text))
        far += recent.add(word_hashes([f"x{p}" if p % 10 == 5 else word for p, word in enumerate(text)])) is not None
        near += recent.add(word_hashes([*text[:100], "x", *text[101:]])) is not None
    assert near == 60
    assert far == 0


def test_all_of_a_long_text_counts() -> None:
    """Alike in the first chunk of shingles, and in nothing after it: a third at most."""
    recent, start = Recent(64), words(CHUNK, 0)
    recent.add(word_hashes([*start, *words(CHUNK, 1)]))
    assert recent.add(word_hashes([*start, *words(CHUNK, 2)])) is None


def test_pairs_well_below_the_threshold_are_proposed_and_refused() -> None:
    """At 0.6 one pair in five is proposed by a band; the estimate from the signatures must refuse it."""
    found = 0
    for seed in range(300):
        recent, text = Recent(64), words(100, seed)
        recent.add(word_hashes(text))
        found += recent.add(word_hashes([*text[:78], *words(22, seed + 1000)])) is not None  # 74 of 118: 0.63
    assert found <= 3


def test_a_text_is_forgotten_after_many_others_and_memory_stays() -> None:
    recent, first = Recent(rows=16), word_hashes(words(50, 0))
    recent.add(first)
    before = [array.nbytes for array in (recent._slots, recent._signatures, recent._asked)]
    for seed in range(1, 400):
        assert recent.add(word_hashes(words(50, seed))) is None
    assert recent.add(first) is None
    assert [array.nbytes for array in (recent._slots, recent._signatures, recent._asked)] == before
    assert recent._slots.shape == (BANDS, 16)


@given(st.lists(st.sampled_from(["one", "two", "three", "four"]), max_size=60), st.randoms())
def test_repeats_of_texts_are_counted_alike_in_any_order(texts: list[str], chance: random.Random) -> None:
    shuffled = list(texts)
    chance.shuffle(shuffled)
    for order in (texts, shuffled):
        recent = Recent(256)
        found = sum(recent.add(word_hashes(text.split())) is not None for text in order)
        assert found == sum(count - 1 for count in Counter(texts).values())
