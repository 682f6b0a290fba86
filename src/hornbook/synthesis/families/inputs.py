"""More pools of inputs, one maker for each kind: the first input is the smallest, the rest vary in length and shape."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from hornbook.synthesis.families.pools import WORDS, Arguments, ints

TEAMS = ("red", "blue", "green", "gold")


def uneven_lists(rng: random.Random, number: int) -> tuple[list[int], list[int]]:
    """Two lists of lengths that mostly differ."""
    return ints(rng, number), ints(rng, (number * 3) % 28)


def many_spans(rng: random.Random, number: int) -> list[tuple[int, int]]:
    """Spans far enough apart that some stay alone."""
    starts = rng.sample(range(-20, 90), 0 if number == 0 else 3 + number % 8)
    return [(start, start + rng.randint(0, 7)) for start in starts]


def values_banned(rng: random.Random, number: int) -> tuple[list[int], list[int]]:
    """A long list of numbers, and a few of them."""
    low, high = ((-6, 12), (0, 20), (-15, 30))[number % 3]
    values = [rng.randint(low, high) for _ in range(0 if number == 0 else 10 + number % 9)]
    return values, [rng.choice([*values, 7]) for _ in range(number % 4)]


def meetings(rng: random.Random, number: int) -> list[tuple[int, int]]:
    """Spans of hours, of which none is empty."""
    starts = [rng.randint(-4, 30) for _ in range(0 if number == 0 else 1 + number % 6)]
    return [(start, start + rng.randint(1, 7)) for start in starts]


def wide_grid(rng: random.Random, number: int) -> list[list[int]]:
    """Up to five rows of up to six numbers: the empty grid first."""
    high, width = (6, 12, 25)[number % 3], 1 + number % 6
    rows = 0 if number == 0 else 1 + (number + number // 6) % 5
    return [[rng.randint(-6, high) for _ in range(width)] for _ in range(rows)]


def shop(rng: random.Random, number: int) -> tuple[dict[str, int], list[tuple[str, int]]]:
    """Prices by name, and orders of which some name something else."""
    names = rng.sample(WORDS, 6)
    prices = {name: rng.randint(1, 12) for name in names[: number % 5]}
    return prices, [(rng.choice(names), rng.randint(1, 8)) for _ in range(0 if number == 0 else 2 + number % 5)]


def staff(rng: random.Random, number: int) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """People with teams, and the rooms of some teams."""
    people = [(name, rng.choice(TEAMS)) for name in rng.sample(WORDS, 0 if number == 0 else 2 + number % 5)]
    return people, {team: f"{rng.choice('ABC')}{rng.randint(1, 9)}" for team in rng.sample(TEAMS, number % 4)}


def players(rng: random.Random, number: int) -> list[dict[str, Any]]:
    """People with teams and scores."""
    high = (6, 14, 30)[number % 3]
    return [
        {"name": name, "team": rng.choice(TEAMS), "scores": [rng.randint(-3, high) for _ in range(rng.randint(1, 4))]}
        for name in rng.sample(WORDS, 0 if number == 0 else 1 + number % 6)
    ]


def groups(rng: random.Random, number: int) -> dict[str, list[int]]:
    """Lists of numbers by name, some of them empty."""
    names = rng.sample(WORDS, 0 if number == 0 else 1 + number % 4)
    return {name: ints(rng, rng.randint(0, 20), 6) for name in names}


def many_words(rng: random.Random, number: int) -> list[str]:
    """A list of words of which some come again."""
    few = rng.sample(WORDS, 6)
    return [rng.choice(few) for _ in range(0 if number == 0 else 3 + number % 9)]


MAKERS: dict[str, Callable[[random.Random, int], Arguments]] = {
    "long_ints": lambda rng, i: (ints(rng, i, 14),),
    "uneven_lists": uneven_lists,
    "many_spans": lambda rng, i: (many_spans(rng, i),),
    "values_banned": values_banned,
    "wide_grid": lambda rng, i: (wide_grid(rng, i),),
    "shape": lambda rng, i: (rng.randint(1, 6), rng.randint(1, 7)) if i else (0, 0),
    "moves": lambda rng, i: ("".join(rng.choices("LRUD", rng.sample((1, 2, 1, 2, 3), 4), k=i)),),
    "shop": shop,
    "staff": staff,
    "players": lambda rng, i: (players(rng, i),),
    "groups": lambda rng, i: (groups(rng, i),),
    "many_words": lambda rng, i: (many_words(rng, i),),
    "meetings": lambda rng, i: (meetings(rng, i),),
}
