"""Families that count: divisors, ways through a lane, coins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbook.synthesis.families.base import Choice, Family, Part, lines, named
from hornbook.synthesis.families.ints import MAPS, PREDICATES, divisible, remainder
from hornbook.synthesis.families.literals import about, numbers
from hornbook.synthesis.families.results import DETAILED, returned

# a number found for a divisor d and its partner e
PARTNERS: tuple[Part, ...] = (
    named("divisor", lambda d, _: d, "d", "d"),
    named("partner", lambda _, e: e, "n // d", "n / d"),
    named("sum", lambda d, e: -(-d - e), "d + n // d", "d + n / d"),
    named("gap", lambda d, e: max(d, e) - min(d, e), "abs(d - n // d)", "the distance between d and n / d"),
    named("larger", lambda d, e: sorted((d, e))[1], "max(d, n // d)", "the larger of d and n / d"),
    named("square", lambda d, _: d**2, "d * d", "d squared"),
)


DIVISORS = Family(
    name="divisors",
    slots={"measure": PARTNERS, "pred": PREDICATES, "map": about(MAPS, "the finding"), "fold": DETAILED},
    args="n: int",
    kind="divisible",
    title="{fold}_of_divisor_{measure}_{map}_if_{pred}",
    sayings=(
        "Let d be each divisor of n in turn, from 1 up to n, and let the finding be {measure}. If it {pred}, the "
        "result "
        "is {map}. Return {fold}. The number n is positive.",
        "A positive n has divisors d, 1 and n among them. For every d, by rising size, there is a finding, {measure}. "
        "Of the findings that {preds}, the result is {map}. Return {fold}.",
    ),
    body=lambda p: lines(
        f"findings = [{p.measure.code} for d in range(1, n + 1) if n % d == 0]",
        returned(p.fold, p.map.code, f"for x in findings if {p.pred.code}"),
    ),
    reference=lambda p: (
        lambda n: p.fold.fn(
            [
                p.map.fn(x)
                for d in range(1, n + 1)
                for e in range(1, n // d + 1)
                if d * e == n and p.pred.fn(x := p.measure.fn(d, e))
            ]
        )
    ),
    returns=lambda p: p.fold.returns,
)


def climbs(p: Choice) -> Callable[[int], int]:
    """How many ways there are, from the bottom up."""

    def function(n: int) -> int:
        ways = [1]
        for here in range(1, n + 1):
            below = [ways[here - k.value] for k in (p.short, p.long) if k.value <= here]
            ways.append(0 if p.pred.fn(here) and here < n else sum(below))
        return int(ways[n] * p.factor.value + p.plus.value)

    return function


BLOCKED: tuple[Part, ...] = (
    *map(divisible, range(4, 10)),
    *(remainder(k, r) for k in range(4, 10) for r in range(1, k)),
)


ROUTES = Family(
    name="routes",
    slots={
        "short": numbers((1, 2)),
        "long": numbers((3, 4, 5)),
        "pred": BLOCKED,
        "factor": numbers(range(2, 18)),
        "plus": numbers(range(1, 17)),
    },
    args="n: int",
    kind="count",
    title="routes_{short}_or_{long}_without_{pred}_times_{factor}_plus_{plus}",
    sayings=(
        "A token goes along a lane from field 0 to field n. Each move takes it {short} or {long} fields on, and it "
        "must "
        "not stop on a field between whose number {pred}. In how many ways can it go? For n = 0 there is 1 way. Return "
        "{factor} times the number of ways, plus {plus}.",
        "Count the different rows of moves that lead from field 0 exactly to field n, when a move goes {short} or "
        "{long} fields forward and no field on the way, other than the first and the last, may have a number that "
        "{pred}; no move at all counts as 1 way if n is 0. Return the count times {factor}, plus {plus}.",
    ),
    body=lambda p: lines(
        "@cache",
        "def ways(x):",
        "    if x == n:",
        "        return 1",
        f"    if x > n or {'x > 0 and ' if p.pred.fn(0) else ''}{p.pred.code}:",
        "        return 0",
        f"    return ways(x + {p.short.code}) + ways(x + {p.long.code})",
        f"return {p.factor.code} * ways(0) + {p.plus.code}",
    ),
    reference=climbs,
    imports="from functools import cache\n\n\n",
)


PAID: tuple[Part, ...] = (
    Part("counts", lambda counts, _: counts, "counts", ("a dict from coin to how many of it, without those not used",),
         "counts"),
    Part("number", lambda counts, _: sum(counts.values()), "sum(counts.values())", ("the number of coins",), "number"),
    Part("text", lambda counts, _: ", ".join(f"{n} x {coin}" for coin, n in counts.items()),
         '", ".join(f"{n} x {coin}" for coin, n in counts.items())',
         ('the coins used, the largest first, as a text like "2 x 20, 1 x 1"',), "text"),
    Part("list", lambda counts, _: [coin for coin in counts for _ in range(counts[coin])],
         "[coin for coin, n in counts.items() for _ in range(n)]",
         ("the list of all coins paid, the largest first",), "list"),
    Part("kinds", lambda counts, rest: ([*counts], rest), "list(counts), amount",
         ("a tuple: the list of the kinds of coin used, the largest first, and the amount left unpaid",), "kinds"),
)  # fmt: skip


def paid(p: Choice) -> Callable[[int], Any]:
    """What paying means, one coin at a time."""

    def function(amount: int) -> Any:
        counts: dict[int, int] = {}
        rest = amount + p.fee.value
        for coin in (p.big.value, p.middle.value, p.low.value):
            while rest >= coin:
                rest -= coin
                counts[coin] = counts.get(coin, 0) + 1
        return p.outcome.fn(counts, rest)

    return function


RETURNS = {
    "counts": "dict[int, int]",
    "number": "int",
    "text": "str",
    "list": "list[int]",
    "kinds": "tuple[list[int], int]",
}


COINS = Family(
    name="coins",
    slots={
        "big": numbers((20, 24, 25, 30, 36, 40, 45, 50)),
        "middle": numbers(range(8, 16)),
        "low": numbers(range(2, 7)),
        "fee": numbers(range(1, 41)),
        "outcome": PAID,
    },
    args="amount: int",
    kind="amount",
    title="pay_{outcome}_with_{big}_{middle}_{low}_plus_{fee}",
    sayings=(
        "A fee of {fee} is added to amount. The sum is paid with coins of {big}, {middle} and {low}, always with the "
        "largest coin that does not exceed what is still to pay, until none fits. Return {outcome}.",
        "There are coins of {big}, of {middle} and of {low}. Pay amount plus {fee}: first as many of the largest "
        "coin as "
        "possible, then of the middle one, then of the smallest. What is less than {low} stays unpaid. Return "
        "{outcome}.",
    ),
    body=lambda p: lines(
        f"amount += {p.fee.code}",
        "counts = {}",
        f"for coin in ({p.big.code}, {p.middle.code}, {p.low.code}):",
        "    n, amount = divmod(amount, coin)",
        "    if n:",
        "        counts[coin] = n",
        f"return {p.outcome.code}",
    ),
    reference=paid,
    returns=lambda p: RETURNS[p.outcome.id],
)
