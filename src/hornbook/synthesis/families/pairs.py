"""Families that measure pairs and rows of numbers: two lists, neighbours, spans, grids."""

from __future__ import annotations

from hornbook.synthesis.families.base import Family, Part, gather, lines, measured, measured_more
from hornbook.synthesis.families.ints import FOLDS, MAPS, PREDICATES, SUMMARIES
from hornbook.synthesis.families.lists import OTHERWISE

ADDED = Part("added", lambda a, b: sum((a, b)), "a + b", ("the sum",), "sum")
TAKEN = Part("taken", lambda a, b: -(b - a), "a - b", ("a minus b",), "a_minus_b")
RISE = Part("rise", lambda a, b: -(a - b), "b - a", ("b minus a",), "b_minus_a")
MULTIPLIED = Part("multiplied", lambda a, b: b * a, "a * b", ("the product",), "product")
LARGER = Part("larger", lambda a, b: a if a > b else b, "max(a, b)", ("the larger",), "larger")
SMALLER = Part("smaller", lambda a, b: a if a < b else b, "min(a, b)", ("the smaller",), "smaller")
GAP = Part("gap", lambda a, b: max(a, b) - min(a, b), "abs(a - b)", ("the distance",), "distance")

ZIP_MEASURES = (ADDED, TAKEN, MULTIPLIED, LARGER, SMALLER, GAP)
NEXT_MEASURES = (ADDED, RISE, MULTIPLIED, LARGER, SMALLER, GAP)

ZIPPED = Family(
    name="zipped",
    slots={"fold": FOLDS, "measure": ZIP_MEASURES, "pred": PREDICATES},
    args="left: list[int], right: list[int]",
    kind="two_lists",
    title="{fold}_zip_{measure}_if_{pred}",
    sayings=measured("pair a, b from left and right"),
    more=measured_more("pair a, b from left and right"),
    body=lambda p: gather(p.fold, "for a, b in zip(left, right):", p.pred.code, "x", f"x = {p.measure.code}"),
    reference=lambda p: lambda left, right: p.fold.fn([x for x in map(p.measure.fn, left, right) if p.pred.fn(x)]),
)

ADJACENT = Family(
    name="adjacent",
    slots={"fold": FOLDS, "measure": NEXT_MEASURES, "pred": PREDICATES},
    args="values: list[int]",
    kind="ints",
    title="{fold}_next_{measure}_if_{pred}",
    sayings=measured("pair of neighbours a, b in values"),
    more=measured_more("pair of neighbours a, b in values"),
    body=lambda p: gather(p.fold, "for a, b in zip(values, values[1:]):", p.pred.code, "x", f"x = {p.measure.code}"),
    reference=lambda p: (
        lambda values: p.fold.fn(
            [x for i in range(1, len(values)) if p.pred.fn(x := p.measure.fn(values[i - 1], values[i]))]
        )
    ),
)

SPAN_MEASURES: tuple[Part, ...] = (
    Part("length", lambda a, b: len(range(a, b)), "b - a", ("the length",), "length"),
    Part("start", lambda a, b: min(a, b), "a", ("the start",), "start"),
    Part("end", lambda a, b: max(a, b), "b", ("the end",), "end"),
    Part("middle", lambda a, b: a + (b - a) // 2, "(a + b) // 2", ("the middle",), "middle"),
)

SPANS = Family(
    name="spans",
    slots={"fold": SUMMARIES, "measure": SPAN_MEASURES, "pred": PREDICATES},
    args="spans: list[tuple[int, int]]",
    kind="spans",
    title="{fold}_span_{measure}_if_{pred}",
    sayings=measured("span from a to b in spans"),
    more=measured_more("span from a to b in spans"),
    body=lambda p: gather(p.fold, "for a, b in spans:", p.pred.code, "x", f"x = {p.measure.code}"),
    reference=lambda p: lambda spans: p.fold.fn([x for x in (p.measure.fn(*s) for s in spans) if p.pred.fn(x)]),
    returns=lambda p: p.fold.returns,
)

ROW_MEASURES: tuple[Part, ...] = (
    Part("row_sum", lambda row: row[0] + sum(row[1:]), "sum(row)", ("the sum",), "sum"),
    Part("row_max", lambda row: sorted(row)[-1], "max(row)", ("the largest value",), "max"),
    Part("row_min", lambda row: sorted(row)[0], "min(row)", ("the smallest value",), "min"),
    Part("row_first", lambda row: next(iter(row)), "row[0]", ("the first value",), "first"),
    Part("row_last", lambda row: next(reversed(row)), "row[-1]", ("the last value",), "last"),
)

GRID_ROWS = Family(
    name="grid_rows",
    slots={"fold": SUMMARIES, "measure": ROW_MEASURES, "pred": PREDICATES},
    args="grid: list[list[int]]",
    kind="grid",
    title="{fold}_row_{measure}_if_{pred}",
    sayings=measured("row of grid"),
    more=measured_more("row of grid"),
    body=lambda p: gather(p.fold, "for row in grid:", p.pred.code, "x", f"x = {p.measure.code}"),
    reference=lambda p: lambda grid: p.fold.fn([x for x in map(p.measure.fn, grid) if p.pred.fn(x)]),
    returns=lambda p: p.fold.returns,
)

GRID_CELLS = Family(
    name="grid_cells",
    slots={"map": MAPS, "pred": PREDICATES, "other": OTHERWISE},
    args="grid: list[list[int]]",
    kind="grid",
    title="cells_{map}_if_{pred}_else_{other}",
    sayings=(
        "Replace each number in grid that {pred} by {map}, and any other number by {other}.",
        "Turn each number in grid into {map} if it {pred}, and into {other} if not.",
    ),
    also={
        "loop": lambda p: lines(
            "found = []",
            "for row in grid:",
            "    changed = []",
            "    for x in row:",
            f"        changed.append({p.map.code} if {p.pred.code} else {p.other.code})",
            "    found.append(changed)",
            "return found",
        ),
    },
    body=lambda p: f"return [[{p.map.code} if {p.pred.code} else {p.other.code} for x in row] for row in grid]",
    reference=lambda p: lambda grid: [[(p.map if p.pred.fn(x) else p.other).fn(x) for x in row] for row in grid],
    returns=lambda _: "list[list[int]]",
    allowed=lambda p: p.map.code != p.other.code,
)
