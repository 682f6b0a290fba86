"""The n-gram tier: overlaps counted by hand, and the property that no shared n-gram is ever missed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.decontamination import ngrams
from hornbook.decontamination.ngrams import Hit, Item, NgramIndex, located, overlapping, words_of

# twenty words, so eight 13-grams
ITEM = Item(
    "T/1", "the quick brown fox jumps over one lazy dog while seven wizards quietly brew their strong green tea at dawn"
)
WORDS = ITEM.text.split()
OTHER = "nothing of this is known"


def found(text: str, index: NgramIndex | None = None) -> Hit | None:
    return (index or NgramIndex([ITEM], 13)).find([text])[0]


def test_thirteen_words_in_a_row_are_found_and_twelve_are_not() -> None:
    assert len(WORDS) == 20
    assert found(f"{OTHER} {' '.join(WORDS[3:16])} {OTHER}") == Hit("T/1", tuple(WORDS[3:16]))
    assert found(f"{OTHER} {' '.join(WORDS[3:15])} {OTHER}") is None


def test_the_first_shared_ngram_is_the_evidence() -> None:
    assert found(" ".join(WORDS)) == Hit("T/1", tuple(WORDS[:13]))
    assert found(" ".join(WORDS[5:])) == Hit("T/1", tuple(WORDS[5:18]))


def test_words_known_but_in_another_order_are_not_found() -> None:
    assert found(" ".join(WORDS[1:13] + WORDS[:1])) is None
    assert found(" ".join(WORDS[:6] + WORDS[7:14])) is None


def test_an_unknown_word_between_breaks_the_run() -> None:
    assert found(" ".join([*WORDS[:6], "very", *WORDS[6:13]])) is None


def test_a_run_does_not_reach_from_one_text_into_the_next() -> None:
    assert NgramIndex([ITEM], 13).find([" ".join(WORDS[:10]), " ".join(WORDS[10:])]) == [None, None]
    two_items = NgramIndex([Item("a", " ".join(WORDS[:6])), Item("b", " ".join(WORDS[6:]))], 13)
    assert found(" ".join(WORDS[:13]), two_items) is None


def test_case_and_punctuation_make_no_difference_and_underscores_do() -> None:
    assert found('"THE (quick)\tbrown-fox, jumps;\nover ONE lazy: dog... while/seven [wizards]') is None  # 12 words
    assert found('"THE (quick)\tbrown-fox, jumps;\nover ONE lazy: dog... while/seven [wizards] quietly!') is not None
    assert found(" ".join(WORDS[:13]).replace(" ", "_", 1)) is None
    assert words_of("def f_1(x): # Ünïcode 3.5") == ["def", "f_1", "x", "ünïcode", "3", "5"]


def test_the_first_of_two_items_that_hold_the_ngram_is_named() -> None:
    index = NgramIndex([Item("x", OTHER), ITEM, Item("T/2", ITEM.text)], 13)
    assert found(ITEM.text, index) == Hit("T/1", tuple(WORDS[:13]))


def test_an_allowed_text_takes_away_its_own_ngrams_only() -> None:
    index = NgramIndex([ITEM], 13, allow=[" ".join(WORDS[:14]).upper() + "!"])  # the 13-grams from 0 and from 1
    assert len(index) == 6
    assert found(" ".join(WORDS[:14]), index) is None
    assert found(" ".join(WORDS[:15]), index) == Hit("T/1", tuple(WORDS[2:15]))


def test_numbers_alone_count_only_when_asked() -> None:
    item = Item("n", " ".join(map(str, range(1, 14))) + " end")
    assert found("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]", NgramIndex([item], 13)) is None
    assert found("[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13] end", NgramIndex([item], 13)) is not None
    counted = NgramIndex([item], 13, count_numbers=True)
    assert found("[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]", counted) is not None


def test_items_too_short_to_be_found_are_counted() -> None:
    assert NgramIndex([ITEM, Item("s", " ".join(WORDS[:12])), Item("e", "")], 13).too_short == 2


@pytest.mark.parametrize("items", [[], [Item("e", "")], [Item("s", "too short")]])
def test_references_without_ngrams_find_nothing(items: list[Item]) -> None:
    assert NgramIndex(items, 13).find([ITEM.text, "", "x"]) == [None, None, None]
    assert NgramIndex([ITEM], 13).find([]) == []


WORD = st.text(st.characters(categories=["L", "N"], include_characters="_"), min_size=1, max_size=6)
GAP = st.sampled_from([" ", ", ", "\n", " -- ", "(", "): "])
TEXT = st.lists(st.one_of(WORD, st.sampled_from(WORDS)), max_size=40).map(" ".join)


@given(TEXT, TEXT, st.integers(0, 7), st.lists(GAP, min_size=12, max_size=12), st.booleans())
def test_a_span_of_an_item_is_found_wherever_it_stands(
    before: str, after: str, start: int, gaps: list[str], shout: bool
) -> None:
    span = "".join(word + gap for word, gap in zip(WORDS[start : start + 13], [*gaps, ""], strict=True))
    hit = found(f"{before} {span.upper() if shout else span} {after}")
    assert hit is not None
    assert " ".join(hit.words) in " ".join(WORDS)


@given(st.lists(st.text("bcdf", min_size=1, max_size=3), max_size=60))
def test_words_of_another_vocabulary_are_never_found(words: list[str]) -> None:
    index = NgramIndex([Item("a", " ".join(["aeiou", "oa", "ea"] * 20))], 2)
    assert found(" ".join(words), index) is None


@settings(max_examples=50)
@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=60), st.integers(2, 4))
def test_it_agrees_with_comparing_every_window(words: list[str], n: int) -> None:
    item = ["a", "b", "c", "c", "b", "a", "a"]
    held = {tuple(item[i : i + n]) for i in range(len(item) - n + 1)}
    expected = next((w for i in range(len(words) - n + 1) if (w := tuple(words[i : i + n])) in held), None)
    hit = found(" ".join(words), NgramIndex([Item("i", " ".join(item))], n))
    assert (hit and hit.words) == expected


@pytest.mark.parametrize("place", [0, 15, 16, 17, 500, 983, 987])
def test_pieces_of_a_long_text_hold_every_ngram(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    monkeypatch.setattr(ngrams, "overlapping", lambda text, n: overlapping(text, n, size=100))
    words = [f"x{i}" for i in range(1000)]
    words[place : place + 13] = WORDS[:13]
    assert found(", ".join(words)) == Hit("T/1", tuple(WORDS[:13]))


def test_pieces_end_and_stay_few_whatever_the_words() -> None:
    rng = random.Random(1)
    for size, n in [(10, 2), (50, 13), (200, 5)]:
        text = " ".join("y" * rng.choice([1, 2, 3, 90]) for _ in range(400))
        pieces = list(overlapping(text, n, size))
        words = text.split()
        grams = {tuple(words[i : i + n]) for i in range(len(words) - n + 1)}
        found = {tuple(p[i : i + n]) for piece in pieces for p in [piece.split()] for i in range(len(p) - n + 1)}
        assert found == grams
        assert sum(map(len, pieces)) < 4 * len(text)
    assert list(overlapping("z" * 1000, 13, 100)) == ["z" * 1000]


def test_the_excerpt_shows_the_place() -> None:
    assert located("head " * 50 + "Foo,\n Bar! tail", ["foo", "bar"], context=5) == "head Foo, Bar! tai"
    assert located("xfoo bar foo bar", ["foo", "bar"], context=0) == "foo bar"
    assert located("İ foo bar", ["foo", "bar"], context=0) in ("foo bar", "oo bar")  # İ is two characters in lower case
