"""What a file speaks of: bags by hand, directions that tell subjects apart, any text has a finite place."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hornbook.quality import meaning as room
from hornbook.quality.embed import NAMES, embed
from hornbook.quality.features import SHAPE, shape
from hornbook.quality.meaning import BUCKETS, DIRECTIONS, Directions, bag, learn, meaning, packaged, save, word_buckets


@given(st.text(st.characters(), max_size=200))
@example("")
@example("\0")
@example("x = '\ud800'")
@example("a")
def test_any_text_has_a_place_of_length_one_or_none(text: str) -> None:
    place = meaning(text)
    assert place.shape == (DIRECTIONS,)
    assert np.isfinite(place).all()
    assert math.isclose(float(np.linalg.norm(place)), 1.0, rel_tol=1e-5) or not place.any()


def test_words_are_the_parts_of_names_digits_and_marks_in_any_case() -> None:
    words, single, pairs = word_buckets("getValue2(GET_value)")
    assert words == ["get", "Value", "2", "(", "GET", "value", ")"]
    assert single[0] == single[4]
    assert single[1] == single[5]
    assert pairs[0] == pairs[4]  # get value, twice
    assert len(pairs) == len(words) - 1


def test_a_pair_is_not_its_reverse() -> None:
    assert word_buckets("one two")[2].tolist() != word_buckets("two one")[2].tolist()


def test_a_bag_counts_on_a_logarithmic_scale() -> None:
    buckets, weights = bag("spam spam spam")
    _, single, pairs = word_buckets("spam spam spam")
    by_bucket = dict(zip(buckets.tolist(), weights.tolist(), strict=True))
    assert by_bucket == pytest.approx({single[0]: 1 + math.log(3), pairs[0]: 1 + math.log(2)})


def test_only_the_beginning_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "READ", 8)
    assert np.array_equal(meaning("one two three four"), meaning("one two different words"))


def test_a_place_by_hand() -> None:
    axes = np.zeros((BUCKETS, DIRECTIONS), np.float32)
    _, single, pairs = word_buckets("ink jar")
    axes[single[0], 0] = 3.0
    axes[single[1], 1] = 4.0
    rarity = np.ones(BUCKETS, np.float32)
    place = meaning("ink jar", Directions(rarity, axes))
    assert place[:3].tolist() == pytest.approx([0.6, 0.8, 0.0])
    rarity[single[0]] = 0.0
    assert meaning("ink jar", Directions(rarity, axes))[:2].tolist() == pytest.approx([0.0, 1.0])
    assert len(set(single.tolist() + pairs.tolist())) == 3


def test_learnt_directions_put_like_subjects_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "DIRECTIONS", 2)
    rng = np.random.default_rng(0)
    sea, farm = ["wave", "tide", "harbour", "sail", "gull"], ["barn", "plough", "hay", "field", "crow"]
    texts = [" ".join(rng.choice(words, 12)) for words in (sea, farm) * 20]
    known = learn(texts)
    tide, sail, hay = (meaning(text, known) for text in ("tide gull net", "sail wave harbour", "hay barn crow"))
    assert tide @ sail > 0.9
    assert abs(tide @ hay) < 0.5


def test_packed_directions_point_where_they_did(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    known = Directions(
        rng.random(BUCKETS).astype(np.float32) + 1, rng.normal(size=(BUCKETS, DIRECTIONS)).astype(np.float32)
    )
    save(known, tmp_path / "a.npz")
    save(known, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz") as stored:
        back = Directions(stored["rarity"].astype(np.float32), stored["axes"] * stored["scale"])
    text = "def area(side):\n    return side * side\n"
    assert float(meaning(text, back) @ meaning(text, known)) > 0.999


def test_the_packaged_directions_tell_a_test_from_a_table() -> None:
    tests = [f"def test_{n}(self):\n    self.assertEqual(f({n}), {n})\n" * 20 for n in (1, 2)]
    table = "CODES = {" + ", ".join(f"'{n}': 0x{n:04x}" for n in range(300)) + "}"
    first, second, other = (meaning(text, packaged()) for text in (*tests, table))
    assert first @ second > 0.95
    assert first @ other < 0.7


def test_an_embedding_is_shape_and_meaning_side_by_side() -> None:
    assert embed([]).shape == (0, len(NAMES))
    texts = ["x = 1", "def f(a):\n    return a\n"]
    rows = embed(texts)
    assert rows.dtype == np.float32
    for row, text in zip(rows, texts, strict=True):
        assert np.array_equal(row[: len(SHAPE)], shape(text))
        assert np.array_equal(row[len(SHAPE) :], meaning(text))


def test_a_word_begins_with_its_own_capital() -> None:
    assert word_buckets("OSError HTTPServer x")[0] == ["OS", "Error", "HTTP", "Server"]
