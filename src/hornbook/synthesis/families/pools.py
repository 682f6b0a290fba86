"""The inputs on which compositions are told apart: one fixed pool per kind of arguments, the same for every seed.

What a composition returns on its pool is its *fingerprint*: two compositions with equal fingerprints count as one
function, whichever family or words they come from, and stand on the same side of the training / held-out line.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Any

Arguments = tuple[Any, ...]
POOL = 28

VOCABULARY = """
apple bear cat dune eel fig gate hat ink jar kite lemon moss noon oak pear quill rope sun tent urn vine wolf yarn zoo
level radar otter banana pepper island summer ant bee cedar deed elm frog stats mango rivers ox tomato
"""
WORDS = VOCABULARY.split()


@cache
def pool(kind: str) -> tuple[Arguments, ...]:
    """The pool of a kind; its first entry is the smallest input."""
    rng = random.Random(f"hornbook pool {kind}")
    made: list[Arguments] = []
    while len(made) < POOL:
        arguments = MAKERS[kind](rng, len(made))
        if arguments not in made:
            made.append(arguments)
    return tuple(made)


def ints(rng: random.Random, number: int, longest: int = 8) -> list[int]:
    """A list of numbers: the empty one first, then narrow and wide ones by turns."""
    low, high = ((-4, 9), (0, 16), (-12, 24), (1, 7), (5, 30))[number % 5]
    return [rng.randint(low, high) for _ in range(0 if number == 0 else 2 + (number + rng.randint(0, 2)) % longest)]


def words(rng: random.Random, number: int) -> list[str]:
    """A list of words: the empty one first."""
    return [rng.choice(WORDS) for _ in range(0 if number == 0 else 2 + number % 5)]


def text(rng: random.Random, number: int) -> str:
    """A line of words, capitals, digits and marks: the empty one first."""
    pieces = [rng.choice(WORDS) for _ in range(0 if number == 0 else 1 + number % 3)]
    dressed = [w.upper() if rng.random() < 0.3 else w.capitalize() if rng.random() < 0.3 else w for w in pieces]
    return rng.choice(" -,").join(w + rng.choice(("", str(rng.randint(0, 99)), "xyz", "cba")) for w in dressed)


def scores(rng: random.Random, number: int) -> list[tuple[str, int]]:
    """Different names with numbers; at least one."""
    numbers = ints(rng, number + 1)
    return list(zip(rng.sample(WORDS, len(numbers)), numbers, strict=True))


def spans(rng: random.Random, number: int) -> list[tuple[int, int]]:
    """Pairs of a start and an end that is not earlier."""
    return [(start, start + rng.randint(0, 16)) for start in ints(rng, number)]


def two_lists(rng: random.Random, number: int) -> tuple[list[int], list[int]]:
    """Two lists of equal length."""
    left = ints(rng, number)
    return left, [rng.randint(-6, 12) for _ in left]


def grid(rng: random.Random, number: int) -> list[list[int]]:
    """Rows of equal length: the empty grid first."""
    high, width = (5, 9, 16)[number % 3], 1 + number % 3
    rows = 0 if number == 0 else 2 + number % 4
    return [[rng.randint(-4, high) for _ in range(width)] for _ in range(rows)]


def dates(rng: random.Random, number: int) -> list[date]:
    """Dates of five years: the empty list first."""
    return [day(rng) for _ in range(0 if number == 0 else 3 + number % 7)]


def day(rng: random.Random) -> date:
    """A day of five years."""
    return date(2021, 1, 1) + timedelta(days=rng.randint(0, 4 * 365))


MAKERS: dict[str, Callable[[random.Random, int], Arguments]] = {
    "ints": lambda rng, i: (ints(rng, i),),
    "number": lambda rng, i: (i - 6 if i < 26 else rng.randint(25, 60),),
    "natural": lambda rng, i: (rng.randint(0, 10 ** (1 + i % 8)),),
    "words": lambda rng, i: (words(rng, i),),
    "text": lambda rng, i: (text(rng, i),),
    "records": lambda rng, i: (scores(rng, i),),
    "dictionary": lambda rng, i: (dict(scores(rng, i)),),
    "assignments": lambda rng, i: (",".join(f"{w}={x}" for w, x in scores(rng, i)),),
    "two_lists": two_lists,
    "spans": lambda rng, i: (spans(rng, i),),
    "grid": lambda rng, i: (grid(rng, i),),
    "dates": lambda rng, i: (dates(rng, i),),
    "day_span": lambda rng, i: (day(rng), 0 if i == 0 else (5, 12, 21, 40)[i % 4]),
}
