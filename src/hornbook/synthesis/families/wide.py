"""The wider choice for slots: numbers, letters and words from whole ranges, and conditions and maps in two steps.

The families name *basic* parts, few and plain. `editions` puts wider ones in their place, wherever a slot holds one of
the tuples known here: first parts with other numbers, then chains of two. No two parts of a wide slot mean the same on
that slot's domain, so that what is counted are different tasks and not different spellings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from hornbook.synthesis.families import ints, pairs, tables, texts, times
from hornbook.synthesis.families.base import Family, Part
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


def distinct(parts: Sequence[Part], domain: Domain, known: Sequence[Part] = ()) -> tuple[Part, ...]:
    """The parts of which none means on the domain what an earlier one means, or one of `known`."""
    seen = {meaning(part, domain) for part in known}
    found = []
    for part in parts:
        told = meaning(part, domain)
        if told not in seen:
            seen.add(told)
            found.append(part)
    return tuple(found)


def meaning(part: Part, domain: Domain) -> str:
    """What the part returns all over the domain."""
    return repr([part.fn(*arguments) for arguments in domain])


def wider(basic: tuple[Part, ...], more: Sequence[Part], domain: Domain) -> tuple[Part, ...]:
    """All basic parts, and more that mean something else, the always true and the always false left out."""
    return (*basic, *(part for part in distinct(more, domain, basic) if tells(part, domain)))


def tells(part: Part, domain: Domain) -> bool:
    """Whether the part does not return the same for everything."""
    return len({repr(part.fn(*arguments)) for arguments in domain}) > 1


class Chains(Sequence[Part]):
    """Every pair of conditions joined by `and` or `or` that says something which no single one of them says."""

    def __init__(self, parts: Sequence[Part], domain: Domain) -> None:
        self.parts = [part for part in parts if " or " not in part.code]
        self.domain = domain

    @property
    def table(self) -> list[tuple[int, int, str]]:
        """The pairs by number, each with its joint."""
        return chain_table(self)

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: Any) -> Any:
        first, second, joint = self.table[index]
        return joined(self.parts[first], self.parts[second], joint)


@cache
def chain_table(chains: Chains) -> list[tuple[int, int, str]]:
    """The pairs whose truth on the domain is nothing that came before; a condition alone comes before all pairs."""
    truth = np.array([[bool(part.fn(*arguments)) for arguments in chains.domain] for part in chains.parts])
    seen = {row.tobytes() for row in truth} | {np.zeros_like(truth[0]).tobytes(), np.ones_like(truth[0]).tobytes()}
    found = []
    for i, j in combinations(range(len(truth)), 2):
        for joint, both in (("and", truth[i] & truth[j]), ("or", truth[i] | truth[j])):
            if (key := both.tobytes()) not in seen:
                seen.add(key)
                found.append((i, j, joint))
    return found


def joined(a: Part, b: Part, joint: str) -> Part:
    """Both conditions, or either."""
    if joint == "and":
        fn: Callable[..., bool] = lambda *x: bool(a.fn(*x)) and bool(b.fn(*x))  # noqa: E731
    else:
        fn = lambda *x: bool(a.fn(*x)) or bool(b.fn(*x))  # noqa: E731
    words = tuple(f"{one} {joint} {two}" for one, two in zip(a.words[:2], b.words[-2:], strict=False))
    return Part(f"{a.id} {joint} {b.id}", fn, f"{a.code} {joint} {b.code}", words, f"{a.slug}_{joint}_{b.slug}")


@cache
def conditions(basic: tuple[Part, ...]) -> tuple[tuple[Part, ...], Chains] | None:
    """The wider conditions for a slot of basic ones, and their chains; None where the slot is not known."""
    if basic not in CONDITIONS:
        return None
    more, domain = CONDITIONS[basic]
    wide = wider(basic, more(), domain)
    return wide, Chains(wide, domain)


@cache
def results(basic: tuple[Part, ...]) -> tuple[tuple[Part, ...], tuple[Part, ...]] | None:
    """The wider maps or measures for a slot of basic ones, and those in two steps; None where it is not known."""
    if basic not in RESULTS:
        return None
    more, two_steps, domain = RESULTS[basic]
    wide = wider(basic, more(), domain)
    return wide, tuple(p for p in distinct([*two_steps(wide)], domain, wide) if tells(p, domain))


def editions(family: Family) -> list[Family]:
    """The family with wider slots, then with chains in one of its slots; only itself where no slot is known."""
    found: dict[str, tuple[tuple[Part, ...], Sequence[Part]]] = {}
    for slot, parts in family.slots.items():
        if choice := conditions(tuple(parts)) or results(tuple(parts)):
            found[slot] = choice
    slots = {**family.slots, **{slot: choice[0] for slot, choice in found.items()}}
    chained = [{**slots, slot: choice[1]} for slot, choice in found.items() if len(choice[1])]
    return [replace(family, slots=some) for some in (slots, *chained)]


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
    yield from map(texts.head, range(1, 6))
    yield from map(texts.rest, range(2, 5))
    yield from map(texts.ends, range(2, 5))
    yield from map(texts.written, range(3, 7))
    yield from (kind(c) for c in "?.*#+=/:" for kind in (texts.followed, texts.led))
    yield from (texts.swapped(a, b) for a in "aeiornt" for b in "aeioxz*_" if a != b)


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
    yield from map(texts.times, range(4, 8))
    yield from (kind(c) for c in "?.*#+=/:_" for kind in (texts.char_followed, texts.char_led, texts.char_between))
    yield from map(texts.later, range(2, 6))


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
    tables.TALLY_MAPS: (more_maps, stepped, NUMBERS),
    pairs.ZIP_MEASURES: (weighted, stepped, TERMS),
    pairs.NEXT_MEASURES: (weighted, stepped, TERMS),
    pairs.SPAN_MEASURES: (no_more, stepped, ORDERED),
    pairs.ROW_MEASURES: (no_more, stepped, ROWS),
    times.DATE_MEASURES: (no_more, stepped, DATES),
    texts.WORD_MAPS: (more_word_maps, texts.restyled, VOCABULARY),
    texts.CHAR_MAPS: (more_char_maps, lambda _: (), CHARACTERS),
}
