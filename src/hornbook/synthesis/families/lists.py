"""Families over one list of numbers."""

from __future__ import annotations

from hornbook.synthesis.families.base import Family, Part, each, each_more, gather, lines
from hornbook.synthesis.families.ints import FOLDS, LISTS, MAPS, PREDICATES, SUMMARIES

FOLD_LIST = Family(
    name="fold_list",
    slots={"fold": FOLDS, "map": MAPS, "pred": PREDICATES},
    args="values: list[int]",
    kind="ints",
    title="{fold}_{map}_if_{pred}",
    sayings=each("number in values"),
    more=each_more("number in values"),
    body=lambda p: gather(p.fold, "for x in values:", p.pred.code, p.map.code),
    reference=lambda p: lambda values: p.fold.fn([p.map.fn(x) for x in filter(p.pred.fn, values)]),
)

MAKE_LIST = Family(
    name="make_list",
    slots={"fold": LISTS, "map": MAPS, "pred": PREDICATES},
    args="values: list[int]",
    kind="ints",
    title="{fold}_{map}_if_{pred}",
    sayings=each("number in values"),
    more=each_more("number in values"),
    body=lambda p: f"found = [{p.map.code} for x in values if {p.pred.code}]\nreturn {p.fold.code}",
    also={"loop": lambda p: gather(p.fold, "for x in values:", p.pred.code, p.map.code)},
    reference=lambda p: lambda values: p.fold.fn([p.map.fn(x) for x in filter(p.pred.fn, values)]),
    returns=lambda p: p.fold.returns,
)


def constant(k: int) -> Part:
    """Always k."""
    return Part(f"constant:{k}", lambda _: k, f"{k}", (f"{k}",), f"{k}".replace("-", "minus_"))


OTHERWISE: tuple[Part, ...] = (
    Part("same", lambda x: x, "x", ("itself",), "itself"),
    *map(constant, (0, 1, 100)),
    Part("opposite", lambda x: 0 - x, "-x", ("its negative",), "negative"),
)

SWAP_LIST = Family(
    name="swap_list",
    slots={"map": MAPS, "pred": PREDICATES, "other": OTHERWISE},
    args="values: list[int]",
    kind="ints",
    title="swap_{map}_if_{pred}_else_{other}",
    sayings=(
        "Replace each number in values that {pred} by {map}, and any other number by {other}.",
        "Turn each number in values into {map} if it {pred}, and into {other} if not.",
    ),
    body=lambda p: f"return [{p.map.code} if {p.pred.code} else {p.other.code} for x in values]",
    also={
        "loop": lambda p: lines(
            "found = []",
            "for x in values:",
            f"    if {p.pred.code}:",
            f"        found.append({p.map.code})",
            "    else:",
            f"        found.append({p.other.code})",
            "return found",
        ),
        "pipeline": lambda p: f"return list(map(lambda x: {p.map.code} if {p.pred.code} else {p.other.code}, values))",
    },
    reference=lambda p: lambda values: [(p.map if p.pred.fn(x) else p.other).fn(x) for x in values],
    returns=lambda _: "list[int]",
    allowed=lambda p: p.map.code != p.other.code,
)

ENDS: tuple[Part, ...] = (
    Part("first", lambda found: found[0], "values", ("first",), "first"),
    Part("last", lambda found: found[-1], "reversed(values)", ("last",), "last"),
)

SEARCH = Family(
    name="search",
    slots={"end": ENDS, "map": MAPS, "pred": PREDICATES, "other": tuple(map(constant, (0, 1, -1, 100)))},
    args="values: list[int]",
    kind="ints",
    title="{end}_{map}_if_{pred}_or_{other}",
    sayings=(
        "Find the {end} number in values that {pred} and return {map}, or {other} if there is none.",
        "For the {end} number in values that {pred}, return {map}. Return {other} if there is none.",
    ),
    body=lambda p: lines(
        f"for x in {p.end.code}:", f"    if {p.pred.code}:", f"        return {p.map.code}", f"return {p.other.code}"
    ),
    also={
        "comprehension": lambda p: (
            f"return next(({p.map.code} for x in {p.end.code} if {p.pred.code}), {p.other.code})"
        ),
        "recursion": lambda p: lines(
            "def search(rest):",
            "    if not rest:",
            f"        return {p.other.code}",
            "    x = rest[0]",
            f"    return {p.map.code} if {p.pred.code} else search(rest[1:])",
            f"return search(list({p.end.code}))",
        ),
    },
    reference=lambda p: (
        lambda values: next(
            (p.map.fn(p.end.fn(found)) for found in [[*filter(p.pred.fn, values)]] if found), p.other.fn(0)
        )
    ),
)

STARTS: tuple[Part, ...] = (
    Part("zero", lambda i: i, "enumerate(values)", ("0",), "0"),
    Part("one", lambda i: i + 1, "enumerate(values, 1)", ("1",), "1"),
)

# positions come in rising order, so that first and smallest, or list and sorted, would be one and the same
RISING = tuple(fold for fold in SUMMARIES if fold.id not in ("first", "last", "sorted", "unique"))

POSITIONS = Family(
    name="positions",
    slots={"fold": RISING, "pred": PREDICATES, "start": STARTS},
    args="values: list[int]",
    kind="ints",
    title="{fold}_positions_from_{start}_if_{pred}",
    sayings=(
        "Take the position, counted from {start}, of each number in values that {pred}. Return {fold}.",
        "Count positions from {start}. Keep those where the number in values {pred} and return {fold}.",
    ),
    body=lambda p: gather(p.fold, f"for i, x in {p.start.code}:", p.pred.code, "i"),
    reference=lambda p: (
        lambda values: p.fold.fn(
            [p.start.fn(i) for i in range(len(values)) if p.pred.fn(values[i])],
        )
    ),
    returns=lambda p: p.fold.returns,
)
