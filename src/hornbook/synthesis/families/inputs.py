"""More pools of inputs, one maker for each kind: the first input is the smallest, the rest vary in length and shape."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hornbook.synthesis.families.pools import WORDS, Arguments, day, ints

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
HOURS = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 15, 30, 45)]
TEAMS = ("red", "blue", "green", "gold")


def uneven_lists(rng: random.Random, number: int) -> tuple[list[int], list[int]]:
    """Two lists of lengths that mostly differ."""
    return ints(rng, number), ints(rng, (number * 3) % 28)


def overlapping(rng: random.Random, number: int) -> tuple[list[int], list[int]]:
    """Two lists of which many numbers are in both."""
    low, high = ((-6, 12), (0, 20), (-10, 28))[number % 3]
    count = 0 if number == 0 else 5 + number % 8
    return [rng.randint(low, high) for _ in range(count)], [rng.randint(low, high) for _ in range(count + number % 2)]


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


def duration(rng: random.Random, number: int) -> str:
    """Days, hours and minutes, some of them missing."""
    parts = ((rng.randint(1, 3), "d"), (rng.randint(1, 9), "h"), (rng.randint(1, 59), "m"))
    return " ".join(f"{n}{unit}" for i, (n, unit) in enumerate(parts) if number and (1 + number % 7) >> i & 1)


def runs(rng: random.Random, number: int) -> str:
    """A text of which some characters come several times in a row."""
    count = number and 2 + number % 10
    return "".join(rng.choice("abcdeorstxyzABCST7!") * rng.choice((1, 1, 2, 3, 4)) for _ in range(count))


def run_code(rng: random.Random, number: int) -> str:
    """Numbers, each followed by a letter."""
    return "".join(f"{rng.randint(1, 12)}{rng.choice('abcdexyz')}" for _ in range(number and 1 + number % 6))


def expression(rng: random.Random, number: int) -> str:
    """Numbers with signs between them."""
    rest = [f"{rng.choice('+-*')} {rng.randint(1, 12)}" for _ in range(number % 6)]
    return " ".join((f"{rng.randint(1, 12)}", *rest))


def readings(rng: random.Random, number: int) -> list[str]:
    """Numbers as texts, some of which are none."""
    faults = ("", "x", "4x", "none", "1.5", "six", "- 3")
    return [
        rng.choice(faults) if rng.random() < 0.35 else str(rng.randint(-8, 25))
        for _ in range(0 if number == 0 else 3 + number % 9)
    ]


def settings(rng: random.Random, number: int) -> list[str]:
    """Rows of settings, comments and others."""
    names = ("size", "Size", "speed", "limit", "Lines", "mode")
    rows = [
        rng.choice(("{name}: {x}", "{name}:{x}", " {name} :  {x}", "{name}: {x}")).format(
            name=rng.choice(names), x=rng.randint(-6, 24)
        )
        for _ in range(0 if number == 0 else 2 + number % 6)
    ]
    others = ("", "# mode: 3", "#", "end", "no colon here")
    return [row if rng.random() < 0.85 else rng.choice(others) for row in rows]


def note(rng: random.Random, number: int) -> str:
    """A line with words and numbers of several kinds."""
    forms = ("{x}", "#{x}", "{w}={x}", "{x}%", "{w}", "{w}{x}", "#{w}", "={x}%")
    pieces = [
        rng.choice(forms).format(w=rng.choice(WORDS), x=rng.randint(0, (9, 30, 120)[number % 3]))
        for _ in range(0 if number == 0 else 5 + number % 10)
    ]
    return " ".join(pieces)


def time(rng: random.Random) -> str:
    """A time of day."""
    return f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"


def shifts(rng: random.Random, number: int) -> list[str]:
    """Spans of a day, from a time to a later one."""
    return ["-".join(sorted(rng.sample(HOURS, 2))) for _ in range(0 if number == 0 else 1 + number % 5)]


def many_dates(rng: random.Random, number: int) -> list[date]:
    """Dates of half a year."""
    start = day(rng)
    return [start + timedelta(days=rng.randint(0, 150)) for _ in range(0 if number == 0 else 6 + number % 9)]


def nested(rng: random.Random, size: int, depth: int = 1) -> list[Any]:
    """Numbers in lists in lists."""
    return [
        nested(rng, rng.randint(0, 4), depth + 1) if depth < 4 and rng.random() < 0.4 else rng.randint(-6, 20)
        for _ in range(size)
    ]


def tree(rng: random.Random, size: int) -> Any:
    """A binary tree with so many nodes."""
    if size == 0:
        return None
    left = rng.randint(0, size - 1)
    return rng.randint(-6, 20), tree(rng, left), tree(rng, size - 1 - left)


def nested_dict(rng: random.Random, size: int, depth: int = 1) -> dict[str, Any]:
    """Numbers in dicts in dicts."""
    return {
        name: nested_dict(rng, rng.randint(0, 3), depth + 1)
        if depth < 3 and rng.random() < 0.4
        else rng.randint(-6, 20)
        for name in rng.sample(WORDS, size)
    }


def amounts(rng: random.Random, number: int) -> list[int]:
    """Amounts paid in and out; some are 0 or round."""
    round_ones = (0, 10, 12, 15, 18, 20, -5, -10)
    return [
        rng.choice(round_ones) if rng.random() < 0.4 else rng.randint(-30, 25)
        for _ in range(0 if number == 0 else 3 + number % 7)
    ]


def visitor(rng: random.Random, number: int) -> tuple[int, str, int]:
    """An age, mostly near a limit of age, a day, and the size of a group."""
    age = rng.choice((5, 6, 9, 10, 13, 14, 30, 59, 60, 64, 65, 69, 70, 80)) if number else 0
    size = rng.choice((1, 2, 3, 5, 6, 9, 10, 12))
    return age, rng.choice(("mon", "tue", "wed", "thu", "fri", "sat", "sun", "sat", "sun")), size


def paid(rng: random.Random, number: int) -> dict[str, int]:
    """What each of some people has paid."""
    return {name: 5 * rng.randint(0, 12) + number % 3 for name in rng.sample(WORDS, 1 + number % 5)}


def parcels(rng: random.Random, number: int) -> list[tuple[int, str]]:
    """Weights with zones."""
    zones = ("home", "abroad", "island", "north")
    return [(rng.randint(1, 20), rng.choice(zones)) for _ in range(0 if number == 0 else 2 + number % 6)]


def stock_moves(rng: random.Random, number: int) -> list[tuple[str, int]]:
    """Items with changes of their numbers."""
    items = rng.sample(WORDS, 4)
    return [(rng.choice(items), rng.randint(-9, 9)) for _ in range(0 if number == 0 else 4 + number % 8)]


def arrivals(rng: random.Random, number: int) -> list[str]:
    """Names, and the word next between them."""
    names = rng.sample(WORDS, 0 if number == 0 else 7 + number % 10)
    return [event for name in names for event in (["next", name] if rng.random() < 0.35 else [name])]


def commands(rng: random.Random, number: int) -> list[str]:
    """Commands to a meter."""
    choices = ("add {n}", "add {n}", "step", "undo")
    return [rng.choice(choices).format(n=rng.randint(-5, 12)) for _ in range(0 if number == 0 else 1 + number % 7)]


def parentheses(rng: random.Random, size: int, depth: int = 0) -> str:
    """Letters, digits and marks, in balanced parentheses."""
    pieces = []
    for _ in range(size):
        if depth < 3 and rng.random() < 0.35:
            pieces.append(f"({parentheses(rng, rng.randint(0, 4), depth + 1)})")
        else:
            pieces.append(rng.choice("abcdeorstxyzbentABCST7 !-") + rng.choice("aeostdmhgrn"))
    return "".join(pieces)


MAKERS: dict[str, Callable[[random.Random, int], Arguments]] = {
    "long_ints": lambda rng, i: (ints(rng, i, 14),),
    "uneven_lists": uneven_lists,
    "overlapping": overlapping,
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
    "durations": lambda rng, i: (duration(rng, i),),
    "run_code": lambda rng, i: (run_code(rng, i),),
    "runs": lambda rng, i: (runs(rng, i),),
    "expression": lambda rng, i: (expression(rng, i),),
    "readings": lambda rng, i: (readings(rng, i),),
    "settings": lambda rng, i: (settings(rng, i),),
    "notes": lambda rng, i: (note(rng, i),),
    "lower_word": lambda rng, i: ("" if i == 0 else "".join(rng.choices("aeiou" + ALPHABET, k=2 + i % 7)),),
    "byte": lambda rng, i: (rng.randint(1, 255) if i else 0,),
    "digits": lambda rng, i: ("".join(rng.choices("0123456789", k=i and 2 + i % 7)),),
    "count": lambda _, i: (i,),
    "amount": lambda rng, i: (rng.randint(0, (60, 150, 400)[i % 3]) if i else 0,),
    "small": lambda rng, i: (rng.randint(1, (40, 60, 100)[i % 3]) if i else 0,),
    "divisible": lambda rng, i: (rng.choice((1, 2, 3, 4, 6)) * rng.randint(2, 30) if i else 1,),
    "times": lambda rng, i: ([time(rng) for _ in range(i and 2 + i % 8)],),
    "shifts": lambda rng, i: (shifts(rng, i),),
    "many_dates": lambda rng, i: (many_dates(rng, i),),
    "few_days": lambda rng, i: (day(rng), 0 if i == 0 else 3 + i % 9),
    "nested": lambda rng, i: (nested(rng, i and 2 + i % 5),),
    "tree": lambda rng, i: (tree(rng, i and 2 + i % 9),),
    "nested_dict": lambda rng, i: (nested_dict(rng, i and 1 + i % 5),),
    "visitor": visitor,
    "amounts": lambda rng, i: (amounts(rng, i),),
    "parcels": lambda rng, i: (parcels(rng, i),),
    "paid": lambda rng, i: (paid(rng, i),),
    "signals": lambda rng, i: ("".join(rng.choices("ab", k=i)),),
    "calls": lambda rng, i: ([rng.randint(-1, 13) for _ in range(i and 2 + i % 7)],),
    "temperatures": lambda rng, i: ([rng.randint(8, 26) for _ in range(i and 3 + i % 7)],),
    "stock_moves": lambda rng, i: (stock_moves(rng, i),),
    "arrivals": lambda rng, i: (arrivals(rng, i),),
    "commands": lambda rng, i: (commands(rng, i),),
    "parentheses": lambda rng, i: (parentheses(rng, i and 3 + i % 6),),
    "meetings": lambda rng, i: (meetings(rng, i),),
}
