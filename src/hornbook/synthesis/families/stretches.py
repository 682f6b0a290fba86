"""Families over stretches of a list: windows, chunks, runs, pairs, two lists side by side."""

from __future__ import annotations

from itertools import product

from hornbook.synthesis.families.base import Choice, Family, Part, gather, lines
from hornbook.synthesis.families.ints import MAPS, PREDICATES
from hornbook.synthesis.families.literals import about, numbers
from hornbook.synthesis.families.pairs import ADDED, GAP, LARGER, MULTIPLIED, SMALLER, TAKEN
from hornbook.synthesis.families.results import COUNT, DETAILED, MEASURES, RESULTS, returned

FOUND = about(MAPS, "the finding")
PAIRED = (ADDED, TAKEN, MULTIPLIED, LARGER, SMALLER, GAP)

WINDOWS = Family(
    name="windows",
    slots={"size": numbers(range(2, 6)), "measure": MEASURES, "map": FOUND, "pred": PREDICATES, "fold": RESULTS},
    args="values: list[int]",
    kind="long_ints",
    title="{fold}_of_windows_{size}_{measure}_{map}_if_{pred}",
    sayings=(
        "Slide a window of {size} numbers over values, one place at a time, and find {measure} for each window. "
        "Of the findings keep those that {preds}; each gives {map} as a result. Return {fold}.",
        "For every {size} consecutive numbers in values, taken as a window, find {measure}. If this finding {pred}, "
        "the result is {map}. Return {fold}.",
        "Every {size} neighbours in values make a window, and each window has a finding: {measure}. A finding that "
        "{pred} has as its result {map}; the others have none. Return {fold}.",
    ),
    body=lambda p: lines(
        f"windows = [values[i : i + {p.size.code}] for i in range(len(values) - {p.size.value - 1})]",
        f"findings = [{p.measure.code.format(v='window')} for window in windows]",
        returned(p.fold, p.map.code, f"for x in findings if {p.pred.code}"),
    ),
    reference=lambda p: (
        lambda values: p.fold.fn(
            [
                p.map.fn(x)
                for stop in range(p.size.value, len(values) + 1)
                if p.pred.fn(x := p.measure.fn(values[:stop][-p.size.value :]))
            ]
        )
    ),
    returns=lambda p: p.fold.returns,
)


def cut(values: list[int], size: int) -> list[list[int]]:
    """The list in chunks, the last one perhaps shorter."""
    return [[x for i, x in enumerate(values) if i // size == part] for part in range(-(-len(values) // size))]


RESTS: tuple[Part, ...] = (
    Part("kept", lambda chunks, _: chunks, "values", ("the last one may be shorter",), "all"),
    Part(
        "dropped",
        lambda chunks, size: [chunk for chunk in chunks if len(chunk) == size],
        "len(values) >= {size}",
        ("leaving out a shorter one at the end",),
        "whole",
    ),
)

CHUNKS = Family(
    name="chunks",
    slots={
        "size": numbers(range(2, 7)),
        "rest": RESTS,
        "measure": MEASURES,
        "map": FOUND,
        "pred": PREDICATES,
        "fold": DETAILED,
    },
    args="values: list[int]",
    kind="long_ints",
    title="{fold}_of_{rest}_chunks_{size}_{measure}_{map}_if_{pred}",
    sayings=(
        "Cut values into chunks of {size} numbers from the front, {rest}. Find {measure} for each chunk. "
        "Of the findings keep those that {preds}; each gives {map} as a result. Return {fold}.",
        "Take {size} numbers at a time off the front of values, {rest}. For each such chunk find {measure}. If this "
        "finding {pred}, the result is {map}. Return {fold}.",
    ),
    body=lambda p: gather(
        p.fold,
        f"while {p.rest.code.format(size=p.size.code)}:",
        p.pred.code,
        p.map.code,
        f"chunk, values = values[:{p.size.code}], values[{p.size.code}:]",
        f"x = {p.measure.code.format(v='chunk')}",
    ),
    reference=lambda p: (
        lambda values: p.fold.fn(
            [
                p.map.fn(x)
                for chunk in p.rest.fn(cut(values, p.size.value), p.size.value)
                if p.pred.fn(x := p.measure.fn(chunk))
            ]
        )
    ),
    returns=lambda p: p.fold.returns,
)


def runs(values: list[int], p: Choice) -> list[list[int]]:
    """The longest stretches of numbers that pass."""
    found: list[list[int]] = [[]]
    for x in values:
        if p.pred.fn(x):
            found[-1].append(x)
        else:
            found.append([])
    return [run for run in found if len(run) >= p.least.value]


STREAKS = Family(
    name="streaks",
    slots={
        "pred": PREDICATES,
        "least": numbers((1, 2, 3)),
        "measure": (*MEASURES, COUNT),
        "map": FOUND,
        "fold": DETAILED,
    },
    args="values: list[int]",
    kind="long_ints",
    title="{fold}_of_streaks_{measure}_{map}_if_{pred}_at_least_{least}",
    sayings=(
        "A streak is a stretch of consecutive numbers in values that {preds}, as long as possible. For each streak of "
        "{least} or more numbers let the finding be {measure}; the result is {map}. Return {fold}.",
        "Split values into the longest possible stretches of neighbours that all {preds}, and leave out the numbers "
        "between. For each stretch of {least} or more numbers let the finding be {measure}; the result is {map}. "
        "Return {fold}.",
    ),
    body=lambda p: lines(
        "found = []",
        f"for good, group in groupby(values, key=lambda x: {p.pred.code}):",
        "    run = list(group)",
        f"    if good and len(run) >= {p.least.code}:" if p.least.value > 1 else "    if good:",
        f"        x = {p.measure.code.format(v='run')}",
        f"        found.append({p.map.code})",
        f"return {p.fold.code}",
    ),
    reference=lambda p: lambda values: p.fold.fn([p.map.fn(p.measure.fn(run)) for run in runs(values, p)]),
    returns=lambda p: p.fold.returns,
    imports="from itertools import groupby\n\n\n",
)

ALL_PAIRS = Family(
    name="all_pairs",
    slots={"measure": PAIRED, "pred": PREDICATES, "map": FOUND, "fold": RESULTS},
    args="values: list[int]",
    kind="ints",
    title="{fold}_of_pairs_{measure}_{map}_if_{pred}",
    sayings=(
        "For every two numbers a and b in values, a before b, find {measure}. If this finding {pred}, the result is "
        "{map}. Return {fold}; the pairs come in the order of a, then of b.",
        "Pair each number a in values with each later number b, and find {measure} for every pair. A finding that "
        "{pred} has as its result {map}. Taking the pairs in the order of a, then of b, return {fold}.",
    ),
    body=lambda p: lines(
        f"findings = [{p.measure.code} for a, b in combinations(values, 2)]",
        returned(p.fold, p.map.code, f"for x in findings if {p.pred.code}"),
    ),
    reference=lambda p: (
        lambda values: p.fold.fn(
            [
                p.map.fn(x)
                for i, j in product(range(len(values)), repeat=2)
                if i < j and p.pred.fn(x := p.measure.fn(values[i], values[j]))
            ]
        )
    ),
    returns=lambda p: p.fold.returns,
    imports="from itertools import combinations\n\n\n",
)


def padded(values: list[int], length: int, fill: int) -> list[int]:
    """The values with as many fillings as they lack."""
    return values + [fill] * (length - len(values))


SIDE_BY_SIDE = Family(
    name="side_by_side",
    slots={"fill": numbers(range(9)), "measure": PAIRED, "pred": PREDICATES, "fold": RESULTS},
    args="left: list[int], right: list[int]",
    kind="uneven_lists",
    title="{fold}_beside_{measure}_filled_{fill}_if_{pred}",
    sayings=(
        "Walk through left and right together, taking a from left and b from right, and {fill} in place of a number "
        "where one list has ended. Find {measure} for each pair. The results are the ones that {preds}. Return {fold}.",
        "Let the shorter of left and right be filled up with {fill}. For each pair of a in left and b in right at the "
        "same place, find {measure}, and keep it as a result if it {pred}. Return {fold}.",
    ),
    body=lambda p: gather(
        p.fold,
        f"for a, b in zip_longest(left, right, fillvalue={p.fill.code}):",
        p.pred.code,
        "x",
        f"x = {p.measure.code}",
    ),
    reference=lambda p: (
        lambda left, right: p.fold.fn(
            [
                x
                for i in range(max(len(left), len(right)))
                if p.pred.fn(
                    x := p.measure.fn(
                        padded(left, len(right), p.fill.value)[i], padded(right, len(left), p.fill.value)[i]
                    )
                )
            ]
        )
    ),
    returns=lambda p: p.fold.returns,
    imports="from itertools import zip_longest\n\n\n",
)
