"""What is done with a list of results, spelled for loops and for comprehensions, and what is measured of a list."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from hornbook.synthesis.families.base import Fold, Part, lines, named


@dataclass(frozen=True, slots=True)
class Result(Fold):
    """A fold of a list called `found`; `inline` spells it around a generator `{g}`, where that is the better Python."""

    inline: str = ""


def result(
    name: str, fn: Callable[[list[Any]], Any], code: str, words: str, inline: str = "", returns: str = "int"
) -> Result:
    """A result of that name; synonyms in `words` are parted by a bar."""
    return Result(name, fn, code, tuple(words.split(" | ")), name, returns=returns, inline=inline)


def lowest(found: list[Any]) -> Any:
    """The smallest, or 0 if there is none."""
    return sorted(found)[0] if found else 0


def highest(found: list[Any]) -> Any:
    """The largest, or 0 if there is none."""
    return sorted(found)[-1] if found else 0


def unlike(found: list[Any]) -> list[Any]:
    """The different ones, sorted."""
    return sorted(dict.fromkeys(found))


SUM = result(
    "sum", lambda f: reduce(add, f, 0), "sum(found)", "the sum of the results | the total of all results", "sum({g})"
)
LARGEST = result(
    "largest",
    highest,
    "max(found, default=0)",
    "the largest result, or 0 if there is none | the largest of the results (0 without any)",
    "max(({g}), default=0)",
)
SMALLEST = result(
    "smallest",
    lowest,
    "min(found, default=0)",
    "the smallest result, or 0 if there is none | the smallest of the results (0 without any)",
    "min(({g}), default=0)",
)
DISTINCT = result(
    "distinct",
    lambda f: len(unlike(f)),
    "len(set(found))",
    "the number of different results | how many different results there are",
    "len({{{g}}})",
)
SORTED = result(
    "sorted",
    sorted,
    "sorted(found)",
    "the results in rising order | a sorted list of the results",
    "sorted({g})",
    "list[int]",
)
FALLING = result(
    "falling",
    lambda f: sorted(f)[::-1],
    "sorted(found, reverse=True)",
    "the results in falling order | a list of the results, the largest first",
    "sorted(({g}), reverse=True)",
    "list[int]",
)
UNIQUE = result(
    "unique",
    unlike,
    "sorted(set(found))",
    "the different results in rising order | a sorted list of the results without repeats",
    "sorted({{{g}}})",
    "list[int]",
)
LIST = result("list", list, "found", "the list of results | a list of all results", "[{g}]", "list[int]")
REVERSED = result(
    "reversed",
    lambda f: [*reversed(f)],
    "found[::-1]",
    "the list of results, reversed | a list of the results, the last one first",
    "[{g}][::-1]",
    "list[int]",
)
COUNTED = result(
    "counted",
    lambda f: (sum(1 for _ in f), reduce(add, f, 0)),
    "len(found), sum(found)",
    "the number of results and their sum, as a tuple | a tuple of how many results there are and their sum",
    returns="tuple[int, int]",
)
UNORDERED: tuple[Result, ...] = (SUM, SORTED, FALLING, COUNTED)  # for results that come in no order
RESULTS: tuple[Result, ...] = (
    SUM,
    LARGEST,
    SMALLEST,
    SORTED,
    FALLING,
    DISTINCT,
    UNIQUE,
    LIST,
    REVERSED,
    result(
        "first",
        lambda f: [*f, 0][0],
        "found[0] if found else 0",
        "the first result, or 0 if there is none | the first of the results (0 without any)",
        "next(({g}), 0)",
    ),
    result(
        "last",
        lambda f: [0, *f][-1],
        "found[-1] if found else 0",
        "the last result, or 0 if there is none | the last of the results (0 without any)",
    ),
    result(
        "mean",
        lambda f: (sum(f) - sum(f) % len(f)) // len(f) if f else 0,
        "sum(found) // len(found) if found else 0",
        "the mean of the results rounded down, or 0 if there are none",
    ),
)


def joined(slug: str, separator: str, words: str) -> Result:
    """The results as one text."""
    return result(
        slug,
        lambda f: f"{separator}".join([*map(repr, f)]),
        f'"{separator}".join(str(x) for x in found)',
        f"the results as one text, joined by {words} | one text of all the results, with {words} between them",
        returns="str",
    )


def in_turn(found: list[int]) -> int:
    """The first result, minus the second, plus the third, and so on."""
    return found[0] - in_turn(found[1:]) if found else 0


DETAILED: tuple[Result, ...] = (  # those that every result shows in
    SUM,
    SORTED,
    FALLING,
    LIST,
    REVERSED,
    joined("commas", ",", "commas"),
    joined("dashes", "-", "dashes"),
    joined("spaces", " ", "single spaces"),
    joined("arrows", " > ", 'the three characters " > "'),
    result(
        "weighted",
        lambda f: sum(sum(f[i:]) for i in range(len(f))),
        "sum(i * x for i, x in enumerate(found, 1))",
        "the sum of the results, the first taken once, the second twice, and so on",
    ),
    result(
        "swinging",
        in_turn,
        "sum(found[::2]) - sum(found[1::2])",
        "the first result minus the second plus the third, and so on (0 without results)",
    ),
    COUNTED,
)


def operand(code: str) -> str:
    """The expression as it can stand beside an arithmetic operator.

    >>> operand("x * 2"), operand("-x"), operand("min(x, 5)")
    ('(x * 2)', '(-x)', 'min(x, 5)')
    """
    whole = isinstance(ast.parse(code, mode="eval").body, ast.Name | ast.Call | ast.Constant | ast.Subscript)
    return code if whole else f"({code})"


def conjunct(test: str) -> str:
    """The test as it can stand beside `and`.

    >>> conjunct("x < 2 or x > 7"), conjunct("x > 7")
    ('(x < 2 or x > 7)', 'x > 7')
    """
    return f"({test})" if " or " in test else test


def returned(fold: Any, item: str, *clauses: str) -> str:
    """The return of `fold` over `item` under the clauses of a comprehension: in one line where that reads well."""
    generator = " ".join((item, *clauses))
    if fold.inline:
        return f"return {fold.inline.format(g=generator)}"
    return lines(f"found = [{generator}]", f"return {fold.code}")


# a number found for a list; its spelling speaks of `{v}`
MEASURES: tuple[Part, ...] = (  # of a list that is not empty
    named("sum", lambda v: reduce(add, v), "sum({v})", "its sum", "the sum of its numbers"),
    named("max", highest, "max({v})", "its largest number", "the largest number in it"),
    named("min", lowest, "min({v})", "its smallest number", "the smallest number in it"),
    named("first", lambda v: next(iter(v)), "{v}[0]", "its first number", "the number it starts with"),
    named("last", lambda v: next(reversed(v)), "{v}[-1]", "its last number", "the number it ends with"),
    named("spread", lambda v: highest(v) - lowest(v), "max({v}) - min({v})", "its largest number minus its smallest"),
    named(
        "ends",
        lambda v: v[0] + [*v].pop(),
        "{v}[0] + {v}[-1]",
        "the sum of its first and last number",
        "its first number plus its last",
    ),
)
COUNT = named("count", lambda v: sum(1 for _ in v), "len({v})", "its length", "how many numbers it has")
