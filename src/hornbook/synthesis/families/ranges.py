"""What wider slots draw from: parts with numbers and letters from whole ranges, and domains to tell them apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any

from hornbook.synthesis.families import ints, lettering, pairs, tables, texts, times
from hornbook.synthesis.families.base import Part
from hornbook.synthesis.families.pools import WORDS
from hornbook.synthesis.families.steps import stepped

NUMBERS = [(x,) for x in range(-12, 41)]
DIGITS = [(x,) for x in range(10)]
TERMS = [(a, b) for a in range(-6, 15, 2) for b in range(-5, 13, 3)]
ORDERED = [(a, b) for a, b in TERMS if a <= b]
ROWS = [([a, b, c],) for a in range(-4, 9, 3) for b in range(-3, 9, 4) for c in range(-4, 13, 5)]
CHARACTERS = [(c,) for c in "abcdefghijklmnopqrstuvwxyzABCDEMOTZ0123456789 -,"]
DATES = [(date(2021 + i % 4, 1 + i % 12, 1 + i % 28),) for i in range(84 * 4)]
Domain = Sequence[tuple[Any, ...]]
VOCABULARY: Domain = [(w,) for w in WORDS]


def more_predicates() -> Iterator[Part]:
    """Conditions on numbers, from ranges."""
    yield from map(ints.above, range(-5, 26))
    yield from map(ints.below, range(-3, 26))
    yield from map(ints.divisible, range(2, 13))
    yield from map(ints.indivisible, range(2, 13))
    yield from (ints.remainder(k, r) for k in range(3, 11) for r in range(1, k))
    yield from (ints.between(a, a + w) for a in range(-6, 21) for w in (2, 4, 6, 9, 12))
    yield from (ints.outside(a, a + w) for a in range(-4, 12) for w in (3, 5, 6, 8, 10))
    yield from map(ints.ending, range(10))
    yield from map(ints.unequal, range(-3, 16))
    yield from map(ints.far, range(2, 16))


def more_maps() -> Iterator[Part]:
    """Maps of numbers, from ranges."""
    yield from map(ints.times, range(3, 13))
    yield from map(ints.plus, range(1, 31))
    yield from map(ints.minus, range(1, 31))
    yield from map(ints.away, (*range(1, 31), 40, 50, 60, 100))
    yield from map(ints.modulo, range(2, 14))
    yield from map(ints.divided, range(4, 13))
    yield from map(ints.capped, range(-2, 21))
    yield from map(ints.raised, range(-4, 16))


def weighted() -> Iterator[Part]:
    """Measures of two numbers a and b, from ranges."""
    for k in range(2, 10):
        yield Part(f"a+{k}b", lambda a, b, k=k: a - -k * b, f"a + {k} * b", (f"a plus {k} times b",), f"a_plus_{k}b")
        yield Part(
            f"{k}a+b", lambda a, b, k=k: sum([a] * k, b), f"{k} * a + b", (f"{k} times a plus b",), f"{k}a_plus_b"
        )
        yield Part(
            f"{k}a-b", lambda a, b, k=k: -(b - k * a), f"{k} * a - b", (f"{k} times a minus b",), f"{k}a_minus_b"
        )


def lettered(*kinds: Callable[[str], Part]) -> Iterator[Part]:
    """A part of each kind for each letter."""
    for kind in kinds:
        yield from map(kind, "abcdefghijklmnopqrstuvwxyz")


def more_word_predicates() -> Iterator[Part]:
    """Conditions on words, for each letter and length."""
    yield from map(texts.longer, range(1, 7))
    yield from map(texts.shorter, range(3, 8))
    yield from map(texts.exactly, range(2, 8))
    yield from lettered(texts.starting, texts.finishing, texts.holding, texts.lacking)


def more_word_maps() -> Iterator[Part]:
    """Maps of words: longer and shorter pieces, repeats and marks."""
    yield from map(lettering.head, range(1, 6))
    yield from map(lettering.rest, range(2, 5))
    yield from map(lettering.ends, range(2, 5))
    yield from map(lettering.written, range(3, 7))
    yield from (kind(c) for c in "?.*#+=/:" for kind in (lettering.followed, lettering.led))
    yield from (lettering.swapped(a, b) for a in "aeiornt" for b in "aeioxz*_" if a != b)


def more_char_predicates() -> Iterator[Part]:
    """Conditions on characters, for each letter."""
    yield from lettered(texts.letter, texts.other_than, texts.before, texts.after)
    groups = (
        "abc",
        "xyz",
        "rst",
        "bed",
        "son",
        "tea",
        "pin",
        "cup",
        "log",
        "mud",
        "aei",
        "iou",
        "lmn",
        "stone",
        "water",
    )
    yield from (kind(group) for group in groups for kind in (texts.among, texts.not_among))


def more_char_maps() -> Iterator[Part]:
    """Maps of characters: repeats and marks."""
    yield from map(lettering.times, range(4, 8))
    yield from (
        kind(c) for c in "?.*#+=/:_" for kind in (lettering.char_followed, lettering.char_led, lettering.char_between)
    )
    yield from map(lettering.later, range(2, 6))


def more_date_predicates() -> Iterator[Part]:
    """Conditions on dates, for each day and month."""
    yield from map(times.day_above, range(1, 28))
    yield from map(times.day_below, range(3, 29))
    yield from map(times.month_above, range(2, 12))
    yield from map(times.month_below, range(3, 12))
    yield from (times.day_divisible(k) for k in range(2, 10))


def no_more() -> tuple[Part, ...]:
    """Nothing wider than the basic parts."""
    return ()


CONDITIONS: dict[tuple[Part, ...], tuple[Callable[[], Any], Domain]] = {
    ints.PREDICATES: (more_predicates, NUMBERS),
    ints.DIGIT_PREDICATES: (more_predicates, DIGITS),
    texts.WORD_PREDICATES: (more_word_predicates, VOCABULARY),
    texts.CHAR_PREDICATES: (more_char_predicates, CHARACTERS),
    times.DATE_PREDICATES: (more_date_predicates, DATES),
}
RESULTS: dict[tuple[Part, ...], tuple[Callable[[], Any], Callable[[Sequence[Part]], Any], Domain]] = {
    ints.MAPS: (more_maps, stepped, NUMBERS),
    ints.DIGIT_MAPS: (more_maps, stepped, DIGITS),
    tables.TALLY_MAPS: (more_maps, stepped, NUMBERS),
    pairs.ZIP_MEASURES: (weighted, stepped, TERMS),
    pairs.NEXT_MEASURES: (weighted, stepped, TERMS),
    pairs.SPAN_MEASURES: (no_more, stepped, ORDERED),
    pairs.ROW_MEASURES: (no_more, stepped, ROWS),
    times.DATE_MEASURES: (no_more, stepped, DATES),
    texts.WORD_MAPS: (more_word_maps, lettering.restyled, VOCABULARY),
    texts.CHAR_MAPS: (more_char_maps, lambda _: (), CHARACTERS),
}
