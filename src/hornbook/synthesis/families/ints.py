"""Parts on integers: predicates and maps of a number `x`, and folds of the results."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from operator import xor

from hornbook.synthesis.families.base import Fold, Part


def above(k: int) -> Part:
    """Greater than k."""
    return Part(f"above:{k}", lambda x: x > k, f"x > {k}", (f"is greater than {k}", f"is above {k}"), f"above_{k}")


def below(k: int) -> Part:
    """Less than k."""
    return Part(f"below:{k}", lambda x: x < k, f"x < {k}", (f"is less than {k}", f"is below {k}"), f"below_{k}")


def divisible(k: int) -> Part:
    """A multiple of k."""
    words = (f"is divisible by {k}", f"is a multiple of {k}")
    return Part(f"divisible:{k}", lambda x: not x % k, f"x % {k} == 0", words, f"multiple_of_{k}")


def indivisible(k: int) -> Part:
    """Not a multiple of k."""
    words = (f"is not divisible by {k}",)
    return Part(f"indivisible:{k}", lambda x: bool(x % k), f"x % {k} != 0", words, f"not_multiple_of_{k}")


def remainder(k: int, r: int) -> Part:
    """Leaves remainder r when divided by k."""
    words = (f"leaves remainder {r} when divided by {k}",)
    return Part(f"remainder:{k}:{r}", lambda x: (x - r) % k == 0, f"x % {k} == {r}", words, f"{r}_mod_{k}")


def between(low: int, high: int) -> Part:
    """From low to high, both included."""
    words = (f"is between {low} and {high}", f"is from {low} to {high}")
    slug = f"{low}_to_{high}"
    return Part(f"between:{low}:{high}", lambda x: x in range(low, high + 1), f"{low} <= x <= {high}", words, slug)


def outside(low: int, high: int) -> Part:
    """Below low or above high."""
    words = (f"is below {low} or above {high}",)
    code = f"x < {low} or x > {high}"
    return Part(f"outside:{low}:{high}", lambda x: not low <= x <= high, code, words, f"outside_{low}_{high}")


def ending(d: int) -> Part:
    """With d as the last decimal digit."""
    words = (f"ends in {d}", f"has last digit {d}")
    return Part(f"ending:{d}", lambda x: str(x).endswith(str(d)), f"abs(x) % 10 == {d}", words, f"ending_{d}")


def unequal(k: int) -> Part:
    """Other than k."""
    return Part(f"unequal:{k}", lambda x: x != k, f"x != {k}", (f"is not {k}", f"is not equal to {k}"), f"not_{k}")


def far(k: int) -> Part:
    """More than k away from zero."""
    words = (f"has an absolute value above {k}",)
    return Part(f"far:{k}", lambda x: x > k or -x > k, f"abs(x) > {k}", words, f"abs_above_{k}")


EVEN = Part("even", lambda x: x & 1 == 0, "x % 2 == 0", ("is even",), "even")
ODD = Part("odd", lambda x: x & 1 == 1, "x % 2 == 1", ("is odd",), "odd")
POSITIVE = Part("positive", lambda x: x > 0, "x > 0", ("is positive",), "positive")
NEGATIVE = Part("negative", lambda x: x < 0, "x < 0", ("is negative",), "negative")

# what can be said of any number, and of a digit or other small number that is never negative
PREDICATES: tuple[Part, ...] = (
    EVEN,
    ODD,
    POSITIVE,
    NEGATIVE,
    *map(divisible, (3, 4, 5, 6, 7)),
    *map(indivisible, (3, 4, 5)),
    *(remainder(k, r) for k, r in ((3, 1), (3, 2), (4, 1), (4, 3), (5, 2), (5, 4))),
    *map(above, (2, 3, 4, 5, 6, 8, 10, 12, 15)),
    *map(below, (2, 3, 4, 5, 7, 9, 11, 14)),
    *(between(a, b) for a, b in ((1, 5), (2, 8), (3, 9), (4, 12), (6, 15), (10, 20))),
    *(outside(a, b) for a, b in ((0, 6), (2, 7), (3, 10), (5, 12))),
    *map(ending, (1, 2, 3, 5, 7)),
    *map(unequal, (2, 4, 5, 7)),
    *map(far, (3, 5, 8)),
)
DIGIT_PREDICATES: tuple[Part, ...] = (
    EVEN,
    ODD,
    POSITIVE,
    *map(divisible, (3, 4)),
    *map(indivisible, (3, 4)),
    *(remainder(k, r) for k, r in ((3, 1), (3, 2), (4, 1), (4, 3), (5, 2), (5, 4))),
    *map(above, (2, 3, 4, 5, 6)),
    *map(below, (3, 4, 5, 7)),
    *(between(a, b) for a, b in ((1, 5), (2, 8), (3, 9))),
    *(outside(a, b) for a, b in ((2, 7),)),
    *map(unequal, (2, 4, 5, 7)),
)


def number_map(name: str, fn: Callable[[int], int], code: str, *words: str, slug: str = "") -> Part:
    """A map of a number."""
    return Part(name, fn, code, words, slug or name.replace(":", "_"))


def times(k: int) -> Part:
    """k times it."""
    return number_map(f"times:{k}", lambda x: sum([x] * k), f"x * {k}", f"it times {k}")


def plus(k: int) -> Part:
    """It plus k."""
    return number_map(f"plus:{k}", lambda x: x + k, f"x + {k}", f"it plus {k}")


def minus(k: int) -> Part:
    """It minus k."""
    return number_map(f"minus:{k}", lambda x: x - k, f"x - {k}", f"it minus {k}")


def away(k: int) -> Part:
    """k minus it."""
    return number_map(f"from:{k}", lambda x: -(x - k), f"{k} - x", f"{k} minus it", slug=f"{k}_minus")


def modulo(k: int) -> Part:
    """Its remainder by k."""
    return number_map(f"modulo:{k}", lambda x: divmod(x, k)[1], f"x % {k}", f"its remainder by {k}", slug=f"mod_{k}")


def quotient(k: int, word: str) -> Part:
    """It divided by k, rounded down."""
    words = f"its {word} rounded down"
    return number_map(f"quotient:{k}", lambda x: math.floor(x / k), f"x // {k}", words, slug=word)


def divided(k: int) -> Part:
    """It divided by k, rounded down, for any k."""
    words = f"it divided by {k}, rounded down"
    return number_map(f"divided:{k}", lambda x: math.floor(x / k), f"x // {k}", words, slug=f"over_{k}")


def capped(k: int) -> Part:
    """It, but k where it is larger."""
    return number_map(
        f"capped:{k}", lambda x: k if x > k else x, f"min(x, {k})", f"the smaller of it and {k}", slug=f"at_most_{k}"
    )


def raised(k: int) -> Part:
    """It, but k where it is smaller."""
    return number_map(
        f"raised:{k}", lambda x: k if x < k else x, f"max(x, {k})", f"the larger of it and {k}", slug=f"at_least_{k}"
    )


SELF = number_map("self", lambda x: x, "x", "it as it is", slug="plain")
SQUARE = number_map("square", lambda x: x**2, "x * x", "its square")
CUBE = number_map("cube", lambda x: x * x * x, "x ** 3", "its cube")
DOUBLE = number_map("double", lambda x: x + x, "x * 2", "its double", "twice it")
NEGATED = number_map("negated", lambda x: 0 - x, "-x", "its negative")
ABSOLUTE = number_map("absolute", lambda x: x if x > 0 else -x, "abs(x)", "its absolute value")
LAST_DIGIT = number_map("last_digit", lambda x: int(str(x)[-1]), "abs(x) % 10", "its last digit")

MAPS: tuple[Part, ...] = (
    SELF,
    SQUARE,
    CUBE,
    DOUBLE,
    NEGATED,
    ABSOLUTE,
    LAST_DIGIT,
    *map(times, (3, 4, 5)),
    *map(plus, (1, 2, 3, 5, 10)),
    *map(minus, (1, 2, 4)),
    *map(away, (10, 20)),
    *map(modulo, (3, 4, 5, 7)),
    *(quotient(k, word) for k, word in ((2, "half"), (3, "third"))),
    *map(capped, (5, 8)),
    *map(raised, (3, 6)),
)

DIGIT_MAPS = tuple(part for part in MAPS if part not in (ABSOLUTE, LAST_DIGIT))  # of a digit both are the digit itself

FOLDS: tuple[Fold, ...] = (
    Fold("sum", sum, "total", ("the sum",), "sum", "total = 0", "total += {e}", over="sum(found)"),
    Fold(
        "product",
        math.prod,
        "total",
        ("the product",),
        "product",
        "total = 1",
        "total *= {e}",
        over="math.prod(found)",
    ),
    Fold(
        "xor",
        lambda found: reduce(xor, found, 0),
        "total",
        ("the xor",),
        "xor",
        "total = 0",
        "total ^= {e}",
        over="reduce(lambda a, b: a ^ b, found, 0)",
    ),
    Fold(
        "largest",
        lambda found: sorted(found)[-1] if found else 0,
        "max(found, default=0)",
        ("the largest result or 0",),
        "largest",
    ),
    Fold(
        "smallest",
        lambda found: sorted(found)[0] if found else 0,
        "min(found, default=0)",
        ("the smallest result or 0",),
        "smallest",
    ),
    Fold(
        "distinct",
        lambda found: len(dict.fromkeys(found)),
        "len(found)",
        ("the number of different results",),
        "distinct",
        "found = set()",
        "found.add({e})",
        over="len(set(found))",
    ),
    Fold("first", lambda found: [*found, 0][0], "found[0] if found else 0", ("the first result or 0",), "first"),
    Fold(
        "last",
        lambda found: [0, *found][-1],
        "last",
        ("the last result or 0",),
        "last",
        "last = 0",
        "last = {e}",
        over="found[-1] if found else 0",
    ),
)
LISTS: tuple[Fold, ...] = (
    Fold("list", list, "found", ("a list of the results",), "list", returns="list[int]"),
    Fold("sorted", sorted, "sorted(found)", ("the results sorted",), "sorted", returns="list[int]"),
    Fold(
        "reversed",
        lambda f: [*reversed(f)],
        "found[::-1]",
        ("the results in reverse",),
        "reversed",
        returns="list[int]",
    ),
    Fold(
        "unique",
        lambda f: sorted(dict.fromkeys(f)),
        "sorted(set(found))",
        ("the different results sorted",),
        "unique",
        returns="list[int]",
    ),
)
SUMMARIES: tuple[Fold, ...] = (*FOLDS, *LISTS)
