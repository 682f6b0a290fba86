"""Families of sequences: recurrences of one and of two terms, countdowns."""

from __future__ import annotations

from hornbook.synthesis.families.base import Choice, Family, Part, lines, named
from hornbook.synthesis.families.ints import MAPS
from hornbook.synthesis.families.literals import about, numbers
from hornbook.synthesis.families.results import DETAILED, returned

PLACED: tuple[Part, ...] = (
    Part("all", lambda _: True, "", ("every number",), "all"),
    Part("even", lambda x: not x & 1, "x % 2 == 0", ("every even number",), "even"),
    Part("odd", lambda x: bool(x & 1), "x % 2 == 1", ("every odd number",), "odd"),
    *(
        Part(f"rest:{k}", lambda x, k=k: bool(x % k), f"x % {k} != 0", (f"every number that is not a multiple of {k}",),
             f"not_multiple_of_{k}")
        for k in (3, 4, 5)
    ),
    *(
        Part(f"above:{k}", lambda x, k=k: x > k, f"x > {k}", (f"every number above {k}",), f"above_{k}")
        for k in (3, 6)
    ),
)  # fmt: skip


def sequence(p: Choice, n: int) -> list[int]:
    """The first n numbers, each from the one before."""
    if n == 0:
        return []
    before = sequence(p, n - 1)
    step = p.factor.value * (before or [0])[-1] + p.plus.value
    return [*before, step % p.modulus.value if before else p.start.value]


REMAINDERS = Family(
    name="remainders",
    slots={
        "start": numbers(range(1, 8)),
        "factor": numbers(range(2, 10)),
        "plus": numbers(range(1, 9)),
        "modulus": numbers((11, 13, 17, 19, 23, 29, 31, 37)),
        "kept": PLACED,
        "fold": DETAILED,
    },
    args="n: int",
    kind="count",
    title="{fold}_of_{kept}_from_{start}_times_{factor}_plus_{plus}_mod_{modulus}",
    sayings=(
        "A sequence starts with {start}. Each next number is {factor} times the one before, plus {plus}, and of that "
        "the remainder by {modulus}. Of its first n numbers, {kept} is a result. Return {fold}.",
        "Make n numbers: first {start}, and after any x the remainder of {factor}x + {plus} by {modulus}. Among "
        "these n, "
        "{kept} is a result. Return {fold}.",
    ),
    body=lambda p: lines(
        "found = []",
        f"x = {p.start.code}",
        "for _ in range(n):",
        *([f"    if {p.kept.code}:", "        found.append(x)"] if p.kept.code else ["    found.append(x)"]),
        f"    x = ({p.factor.code} * x + {p.plus.code}) % {p.modulus.code}",
        f"return {p.fold.code}",
    ),
    reference=lambda p: lambda n: p.fold.fn([x for x in sequence(p, n) if p.kept.fn(x)]),
    returns=lambda p: p.fold.returns,
)

# the next number from the last two, a and b
RULES: tuple[Part, ...] = (
    named("sum", lambda a, b: -(-a - b), "a + b", "their sum"),
    named("doubled", lambda a, b: sum((a, a, b)), "2 * a + b", "twice the earlier plus the later"),
    named("later", lambda a, b: sum((a, b, b)), "a + 2 * b", "the earlier plus twice the later"),
    named("next", lambda a, b: sum((a, b, 1)), "a + b + 1", "their sum plus 1"),
    named("back", lambda a, b: -(b - a - a), "2 * a - b", "twice the earlier minus the later"),
    named("gap", lambda a, b: max(a, b) - min(a, b) + a, "abs(a - b) + a", "their distance plus the earlier"),
    named("larger", lambda a, b: a + sorted((a, b))[1], "a + max(a, b)", "the earlier plus the larger of the two"),
    named("product", lambda a, b: sum([a] * (b % 5)), "a * (b % 5)", "the earlier times the later's remainder by 5"),
    named("swing", lambda a, b: -(a - b) + 3, "b - a + 3", "the later minus the earlier, plus 3"),
    named("half", lambda a, b: a // 2 + b, "a // 2 + b", "half of the earlier, rounded down, plus the later"),
)


def two_term(p: Choice, n: int) -> list[int]:
    """The first n numbers, each from the two before."""
    found = [p.first.value, p.second.value]
    for i in range(n):
        found.append(p.rule.fn(found[i], found[i + 1]))
    return [divmod(x, p.modulus.value)[1] for x in found[:n]]


TWO_BEFORE = Family(
    name="two_before",
    slots={
        "first": numbers(range(1, 10)),
        "second": numbers(range(1, 10)),
        "rule": RULES,
        "modulus": numbers(range(5, 35)),
        "fold": DETAILED,
    },
    args="n: int",
    kind="count",
    title="{fold}_of_{rule}_from_{first}_{second}_mod_{modulus}",
    sayings=(
        "A sequence begins with {first} and {second}. After any two neighbours comes {rule}. For each of the first n "
        "numbers the result is its remainder by {modulus}. Return {fold}.",
        "Start with the numbers {first}, {second}. From then on each number is made of the two before it: {rule}. "
        "The results are the remainders by {modulus} of the first n numbers of the sequence. Return {fold}.",
    ),
    body=lambda p: lines(
        "def sequence():",
        f"    a, b = {p.first.code}, {p.second.code}",
        "    while True:",
        "        yield a",
        f"        a, b = b, {p.rule.code}",
        returned(p.fold, f"x % {p.modulus.code}", "for x in islice(sequence(), n)"),
    ),
    reference=lambda p: lambda n: p.fold.fn(two_term(p, n)),
    returns=lambda p: p.fold.returns,
    imports="from itertools import islice\n\n\n",
)


def path(p: Choice, x: int) -> list[int]:
    """The numbers of a countdown."""
    if x <= p.stop.value:
        return []
    smaller = x // p.divisor.value if x % p.divisor.value == 0 else x - p.minus.value
    return [x, *path(p, smaller)]


COUNTDOWN = Family(
    name="countdown",
    slots={
        "stop": numbers(range(6)),
        "divisor": numbers(range(2, 8)),
        "minus": numbers(range(1, 7)),
        "map": about(MAPS, "the number"),
        "fold": DETAILED,
    },
    args="n: int",
    kind="small",
    title="{fold}_{map}_down_to_{stop}_by_{divisor}_or_{minus}",
    sayings=(
        "As long as n is greater than {stop}, do this: note n, then divide it by {divisor} if that leaves no "
        "remainder, "
        "else take {minus} away. Each number noted gives as its result {map}. Return {fold}.",
        "Count down from n. A number that is a multiple of {divisor} is followed by itself divided by {divisor}, any "
        "other by one that is {minus} less; at the first number that is {stop} or less stop. For each number before "
        "that one, n "
        "itself included, the result is {map}. Return {fold}.",
    ),
    body=lambda p: lines(
        "found = []",
        "x = n",
        f"while x > {p.stop.code}:",
        f"    found.append({p.map.code})",
        f"    x = x // {p.divisor.code} if x % {p.divisor.code} == 0 else x - {p.minus.code}",
        f"return {p.fold.code}",
    ),
    reference=lambda p: lambda n: p.fold.fn([*map(p.map.fn, path(p, n))]),
    returns=lambda p: p.fold.returns,
)
