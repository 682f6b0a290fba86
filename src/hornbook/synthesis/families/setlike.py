"""Families about membership: sets made of two lists, and lists without repeats."""

from __future__ import annotations

from collections.abc import Callable

from hornbook.synthesis.families.base import Choice, Family, Part, lines
from hornbook.synthesis.families.ints import ABSOLUTE, LAST_DIGIT, MAPS, PREDICATES, modulo, quotient
from hornbook.synthesis.families.literals import about, numbers
from hornbook.synthesis.families.results import DETAILED, UNORDERED, conjunct, returned

SHARES = ((2, "half"), (3, "third"), (4, "quarter"), (5, "fifth"))
OPERATIONS: tuple[Part, ...] = (
    Part("both", lambda x, a, b: x in a and x in b, "first & second", ("occur in both",), "common"),
    Part("any", lambda x, a, b: x in a or x in b, "first | second", ("occur in at least one of them",), "united"),
    Part(
        "only_first", lambda x, a, b: x in a and x not in b, "first - second", ("occur in A but not in B",), "in_first"
    ),
    Part("one", lambda x, a, b: (x in a) != (x in b), "first ^ second", ("occur in exactly one of them",), "in_one"),
)

TWO_SETS = Family(
    name="two_sets",
    slots={
        "left": about(MAPS, "the number"),
        "right": about(MAPS, "the number"),
        "operation": OPERATIONS,
        "pred": PREDICATES,
        "fold": UNORDERED,
    },
    args="left: list[int], right: list[int]",
    kind="overlapping",
    title="{fold}_{operation}_{left}_and_{right}_if_{pred}",
    sayings=(
        "Let A be the set that holds, for every number in left, {left}, and B the set that holds, for every number in "
        "right, {right}. Among the members that {operation}, the results are those that {preds}. Return {fold}.",
        "Make a set A from left, taking {left} each time, and a set B from right, taking {right}. Among the values "
        "that "
        "{operation}, the results are those that {preds}. Return {fold}.",
    ),
    body=lambda p: lines(
        f"first = {{{p.left.code} for x in left}}",
        f"second = {{{p.right.code} for x in right}}",
        returned(p.fold, "x", f"for x in {p.operation.code} if {p.pred.code}"),
    ),
    reference=lambda p: lambda left, right: p.fold.fn(chosen(p, left, right)),
    returns=lambda p: p.fold.returns,
)


def chosen(p: Choice, left: list[int], right: list[int]) -> list[int]:
    """The values that the operation keeps, each once."""
    a, b = [p.left.fn(x) for x in left], [p.right.fn(x) for x in right]
    return [x for x in dict.fromkeys(a + b) if p.operation.fn(x, a, b) and p.pred.fn(x)]


# keys that several numbers share
KEYS = about(
    (*map(modulo, (3, 4, 5, 6, 7, 8)), *(quotient(k, word) for k, word in SHARES), ABSOLUTE, LAST_DIGIT), "the number"
)

DIRECTIONS: tuple[Part, ...] = (
    Part("forward", lambda values: values, "values", ("from first to last",), "forward"),
    Part("backward", lambda values: values[::-1], "reversed(values)", ("from last to first",), "backward"),
)


def keyed(p: Choice) -> Callable[[list[int]], object]:
    """What keeping one number for each key means."""

    def function(values: list[int]) -> object:
        walked = [x for x in p.direction.fn(values) if p.pred.fn(x)]
        keys = [p.key.fn(x) for x in walked]
        return p.fold.fn([p.map.fn(x) for i, x in enumerate(walked) if keys[i] not in keys[:i]])

    return function


ONE_PER_KEY = Family(
    name="one_per_key",
    slots={
        "key": KEYS,
        "pred": PREDICATES,
        "direction": DIRECTIONS,
        "map": about(MAPS, "the number"),
        "fold": DETAILED,
    },
    args="values: list[int]",
    kind="long_ints",
    title="{fold}_{map}_one_per_{key}_{direction}_if_{pred}",
    sayings=(
        "Go through values {direction}, looking only at numbers that {preds}. Each of them has a key: {key}. Keep a "
        "number only if its key has not come up before. For each number kept the result is {map}. Return {fold}.",
        "Take the numbers in values that {preds}, {direction}, and let the key of each be {key}. Of the numbers with "
        "the same key only the one met first gives a result, {map}. Return {fold}.",
    ),
    body=lambda p: lines(
        "seen = set()",
        "found = []",
        f"for x in {p.direction.code}:",
        f"    key = {p.key.code}",
        f"    if {conjunct(p.pred.code)} and key not in seen:",
        "        seen.add(key)",
        f"        found.append({p.map.code})",
        f"return {p.fold.code}",
    ),
    reference=keyed,
    returns=lambda p: p.fold.returns,
)


ALLOWANCE = Family(
    name="allowance",
    slots={
        "most": numbers(range(1, 4)),
        "key": KEYS,
        "map": about(MAPS, "the number"),
        "fold": DETAILED,
        "pred": PREDICATES,
    },
    args="values: list[int], banned: list[int]",
    kind="values_banned",
    title="{fold}_{map}_at_most_{most}_per_{key}_if_{pred}",
    sayings=(
        "The key of a number is {key}. Go through values and let each number that {pred} pass, unless it is in banned "
        "or {most} of the same key have passed already. For each number that passes the result is {map}. Return "
        "{fold}.",
        "Of the numbers in values that {preds}, let through those that are not in banned, but no more than the first "
        "{most} for each key, where the key is {key}. The result of each is {map}. Return {fold}.",
    ),
    body=lambda p: lines(
        "passed = Counter()",
        "found = []",
        "for x in values:",
        f"    key = {p.key.code}",
        f"    if {conjunct(p.pred.code)} and x not in banned and passed[key] < {p.most.code}:",
        "        passed[key] += 1",
        f"        found.append({p.map.code})",
        f"return {p.fold.code}",
    ),
    reference=lambda p: lambda values, banned: p.fold.fn([p.map.fn(x) for x in passing(p, values, banned)]),
    returns=lambda p: p.fold.returns,
    imports="from collections import Counter\n\n\n",
)


def passing(p: Choice, values: list[int], banned: list[int]) -> list[int]:
    """The numbers that pass."""
    fit = [x for x in values if p.pred.fn(x) and banned.count(x) == 0]
    return [x for i, x in enumerate(fit) if [*map(p.key.fn, fit[:i])].count(p.key.fn(x)) < p.most.value]
