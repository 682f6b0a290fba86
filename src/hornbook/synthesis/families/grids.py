"""Families that read grids: cells by place, columns, neighbours."""

from __future__ import annotations

from itertools import product

from hornbook.synthesis.families.base import Family, Part, lines, named
from hornbook.synthesis.families.ints import MAPS, PREDICATES
from hornbook.synthesis.families.literals import about
from hornbook.synthesis.families.results import DETAILED, MEASURES, RESULTS, conjunct, returned

Grid = list[list[int]]

# a test of the row i and the column j of a cell
PLACES: tuple[Part, ...] = (
    named("even_row", lambda i, _: not i & 1, "i % 2 == 0", "in rows with an even number"),
    named("odd_row", lambda i, _: bool(i & 1), "i % 2 == 1", "in rows with an odd number"),
    named("even_column", lambda _, j: not j & 1, "j % 2 == 0", "in columns with an even number"),
    named("odd_column", lambda _, j: bool(j & 1), "j % 2 == 1", "in columns with an odd number"),
    named("diagonal", lambda i, j: not i - j, "i == j", "whose row and column have the same number"),
    named("off_diagonal", lambda i, j: bool(i - j), "i != j", "whose row and column have different numbers"),
    named("upper", lambda i, j: j - i > 0, "i < j", "whose row number is smaller than the column number"),
    named("lower", lambda i, j: i - j > 0, "i > j", "whose row number is larger than the column number"),
    named("light", lambda i, j: not (i ^ j) & 1, "(i + j) % 2 == 0", "whose row and column numbers have an even sum"),
    named("dark", lambda i, j: bool((i ^ j) & 1), "(i + j) % 2 == 1", "whose row and column numbers have an odd sum"),
    named("near", lambda i, j: i + j in (0, 1, 2), "i + j <= 2", "whose row and column numbers add up to 2 or less"),
    named(
        "far", lambda i, j: i + j not in (0, 1, 2), "i + j > 2", "whose row and column numbers add up to more than 2"
    ),
    named(
        "thirds",
        lambda i, j: (i + j) in range(0, 99, 3),
        "(i + j) % 3 == 0",
        "whose row plus column is a multiple of 3",
    ),
    named("not_first_row", lambda i, _: bool(i), "i > 0", "below the first row"),
    named("not_first_column", lambda _, j: bool(j), "j > 0", "right of the first column"),
)


BY_PLACE = Family(
    name="by_place",
    slots={"place": PLACES, "pred": PREDICATES, "map": about(MAPS, "the number"), "fold": DETAILED},
    args="grid: list[list[int]]",
    kind="wide_grid",
    title="{fold}_{map}_of_{place}_if_{pred}",
    sayings=(
        "Rows and columns of grid are numbered from 0. Go through grid row by row and take the cells {place}. For each "
        "number among them that {pred}, the result is {map}. Return {fold}.",
        "Of all the numbers in grid {place} (counting rows and columns from 0), keep those that {preds}. Row by row, "
        "from left to right, the result of each is {map}. Return {fold}.",
    ),
    body=lambda p: lines(
        "found = []",
        "for i, row in enumerate(grid):",
        "    for j, x in enumerate(row):",
        f"        if {p.place.code} and {conjunct(p.pred.code)}:",
        f"            found.append({p.map.code})",
        f"return {p.fold.code}",
    ),
    reference=lambda p: (
        lambda grid: p.fold.fn([p.map.fn(x) for (i, j), x in cells(grid).items() if p.place.fn(i, j) and p.pred.fn(x)])
    ),
    returns=lambda p: p.fold.returns,
)


def cells(grid: Grid) -> dict[tuple[int, int], int]:
    """The numbers by row and column."""
    width = len(grid[0]) if grid else 0
    return {(i, j): grid[i][j] for i, j in product(range(len(grid)), range(width))}


COLUMNS = Family(
    name="columns",
    slots={"measure": MEASURES, "pred": PREDICATES, "map": about(MAPS, "the finding"), "fold": RESULTS},
    args="grid: list[list[int]]",
    kind="wide_grid",
    title="{fold}_of_columns_{measure}_{map}_if_{pred}",
    sayings=(
        "The rows of grid are equally long. For each column, from left to right, find {measure}, reading downwards. If "
        "this finding {pred}, the result is {map}. Return {fold}.",
        "Read the columns of grid from top to bottom, the leftmost column first, and find {measure} for each. If this "
        "finding {pred}, the result is {map}. Return {fold}.",
    ),
    body=lambda p: lines(
        f"findings = [{p.measure.code.format(v='column')} for column in zip(*grid)]",
        returned(p.fold, p.map.code, f"for x in findings if {p.pred.code}"),
    ),
    reference=lambda p: (
        lambda grid: p.fold.fn(
            [
                p.map.fn(x)
                for j in range(len(grid[0]) if grid else 0)
                if p.pred.fn(x := p.measure.fn([row[j] for row in grid]))
            ]
        )
    ),
    returns=lambda p: p.fold.returns,
)


def beside(name: str, words: str, *steps: tuple[int, int]) -> Part:
    """The places beside a cell."""
    return Part(name, lambda: steps, f"({', '.join(map(str, steps))})", (words,), name)


LEFT, RIGHT, UP, DOWN = (0, -1), (0, 1), (-1, 0), (1, 0)


SIDES: tuple[Part, ...] = (
    beside("across", "directly left and right of it", LEFT, RIGHT),
    beside("upright", "directly above and below it", UP, DOWN),
    beside("corner", "directly left of and above it", LEFT, UP),
    beside("ahead", "directly right of and below it", RIGHT, DOWN),
    beside("cross", "directly left, right, above and below it", LEFT, RIGHT, UP, DOWN),
    beside("slant", "diagonally next to it, above left and below right", (-1, -1), (1, 1)),
    beside("counter", "diagonally next to it, above right and below left", (-1, 1), (1, -1)),
    beside("roof", "above it: left, middle and right", (-1, -1), UP, (-1, 1)),
)


NEIGHBOURS = Family(
    name="neighbours",
    slots={"pred": PREDICATES, "side": SIDES, "map": about(MAPS, "that sum"), "fold": DETAILED},
    args="grid: list[list[int]]",
    kind="wide_grid",
    title="{fold}_{map}_of_neighbours_{side}_if_{pred}",
    sayings=(
        "For each number in grid that {pred}, row by row, add up the numbers {side}, as far as grid has them. The "
        "result is {map}. Return {fold}.",
        "Go through grid row by row. Where the number {pred}, find the sum of the numbers {side}; places outside grid "
        "count 0. The result is {map}. Return {fold}.",
    ),
    body=lambda p: lines(
        "cells = {(i, j): x for i, row in enumerate(grid) for j, x in enumerate(row)}",
        "found = []",
        "for (i, j), x in cells.items():",
        f"    if {p.pred.code}:",
        f"        x = sum(cells.get((i + a, j + b), 0) for a, b in {p.side.code})",
        f"        found.append({p.map.code})",
        f"return {p.fold.code}",
    ),
    reference=lambda p: (
        lambda grid: p.fold.fn(
            [
                p.map.fn(sum(x for (a, b), x in cells(grid).items() if (a - i, b - j) in p.side.fn()))
                for (i, j), here in cells(grid).items()
                if p.pred.fn(here)
            ]
        )
    ),
    returns=lambda p: p.fold.returns,
)
