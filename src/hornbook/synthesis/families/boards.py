"""Families that make boards: tables by a formula, grids changed in shape, walks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbook.synthesis.families.base import Choice, Family, Part, lines, named
from hornbook.synthesis.families.ints import DIGIT_PREDICATES, MAPS, PREDICATES, SELF
from hornbook.synthesis.families.literals import about, numbers
from hornbook.synthesis.families.results import DETAILED

# a number made of row i and column j
FORMULAS: tuple[Part, ...] = (
    named("sum", lambda i, j: -(-i - j), "i + j", "i + j"),
    named("product", lambda i, j: sum([i] * j), "i * j", "i times j"),
    named("difference", lambda i, j: -(j - i), "i - j", "i - j"),
    named("gap", lambda i, j: max(i, j) - min(i, j), "abs(i - j)", "the distance between i and j"),
    named("larger", lambda i, j: sorted((i, j))[1], "max(i, j)", "the larger of i and j"),
    named("smaller", lambda i, j: sorted((i, j))[0], "min(i, j)", "the smaller of i and j"),
    named("squares", lambda i, j: i**2 + j**2, "i * i + j * j", "the sum of the squares of i and j"),
    named("rising", lambda i, j: i + i + i + j, "3 * i + j", "3 times i, plus j"),
    named("falling", lambda i, j: 10 - i - j - j, "10 - i - 2 * j", "10 - i - 2 times j"),
    named("mixed", lambda i, j: i * (j + 1), "i * j + i", "i times j, plus i"),
)


FILLERS: tuple[Part, ...] = (*numbers((0, 1, 50, 100)), Part("minus_x", lambda x: 0 - x, "-x", ("-x",), "minus_x"))


FORMULA_TABLE = Family(
    name="formula_table",
    slots={
        "start": numbers((0, 1, 2)),
        "formula": FORMULAS,
        "pred": DIGIT_PREDICATES,
        "map": about(MAPS, "x"),
        "other": FILLERS,
    },
    args="rows: int, columns: int",
    kind="shape",
    title="table_{formula}_from_{start}_{map}_if_{pred}_else_{other}",
    sayings=(
        "Return a table as a list of rows. Rows i and columns j are both counted from {start}. For each cell let x be "
        "{formula}; the cell holds {map} if x {pred}, and {other} otherwise.",
        "Make a list of rows, with the given numbers of rows and columns. Count rows as i and columns as j, starting "
        "at "
        "{start}, and put into each cell, with x = {p.formula.code}: {map} if x {pred}, else {other}.",
    ),
    body=lambda p: lines(
        "table = []",
        f"for i in range({counted('rows', p.start.value)}):",
        "    row = []",
        f"    for j in range({counted('columns', p.start.value)}):",
        f"        x = {p.formula.code}",
        f"        row.append({p.map.code} if {p.pred.code} else {p.other.code})",
        "    table.append(row)",
        "return table",
    ),
    reference=lambda p: lambda rows, columns: [tabled(p, i, columns) for i in range(rows)],
    returns=lambda _: "list[list[int]]",
    allowed=lambda p: p.map.code != p.other.code,
)


def counted(name: str, start: int) -> str:
    """The bounds of a range over so many numbers."""
    return f"{start}, {name} + {start}" if start else name


def tabled(p: Choice, i: int, columns: int) -> list[int]:
    """A row of the table."""
    found = [p.formula.fn(i + p.start.value, j + p.start.value) for j in range(columns)]
    return [p.map.fn(x) if p.pred.fn(x) else filler(p.other, x) for x in found]


def filler(other: Any, x: int) -> int:
    """What a cell holds otherwise."""
    value: int = other.fn(x) if other.id == "minus_x" else other.value
    return value


# a change of a grid's shape
CHANGES: tuple[Part, ...] = (
    named("turned", lambda g: [[row[j] for row in g] for j in range(len(g[0]) if g else 0)],
          "[list(column) for column in zip(*grid)]", "turn its columns into rows"),
    named("flipped", lambda g: [*reversed(g)], "grid[::-1]", "put its rows in reverse order"),
    named("mirrored", lambda g: [[*reversed(row)] for row in g], "[row[::-1] for row in grid]", "reverse every row"),
    named("ordered", lambda g: [*map(sorted, g)], "[sorted(row) for row in grid]",
          "sort the numbers of every row in rising order"),
    named("headless", lambda g: [row for i, row in enumerate(g) if i], "grid[1:]", "remove the first row"),
    named("rolled", lambda g: [*g[1:], *g[:1]], "grid[1:] + grid[:1]", "move the first row to the end"),
    named("shifted", lambda g: [[*row[1:], *row[:1]] for row in g], "[row[1:] + row[:1] for row in grid]",
          "move the first number of every row to the end of that row"),
    named("totalled", lambda g: [[*row, sum(row)] for row in g], "[row + [sum(row)] for row in grid]",
          "add to every row, at its end, the sum of the row"),
    named("topped", lambda g: [[max(row, default=0), *row] for row in g],
          "[[max(row, default=0)] + row for row in grid]",
          "put in front of every row its largest number (0 if it is empty)"),
    named("clipped", lambda g: [[x for j, x in enumerate(row) if j] for row in g], "[row[1:] for row in grid]",
          "remove the first number of every row"),
    named("doubled", lambda g: [row for row in g for _ in "ab"], "[row for row in grid for _ in range(2)]",
          "write every row twice, one copy below the other"),
)  # fmt: skip


RESHAPED = Family(
    name="reshaped",
    slots={
        "first": CHANGES,
        "second": CHANGES,
        "pred": PREDICATES,
        "map": about((part for part in MAPS if part is not SELF), "the number"),
    },
    args="grid: list[list[int]]",
    kind="wide_grid",
    title="{first}_then_{second}_and_{map}_if_{pred}",
    sayings=(
        "Change grid in three steps and return it: {first}; then {second}; then replace each number that {pred} by "
        "{map}.",
        "From grid, a list of equally long rows, make a new one. First {first}. Then {second}. At last replace each "
        "number that {pred} by {map}. Return the new grid.",
    ),
    body=lambda p: lines(
        f"grid = {p.first.code}",
        f"grid = {p.second.code}",
        f"return [[{p.map.code} if {p.pred.code} else x for x in row] for row in grid]",
    ),
    reference=lambda p: (
        lambda grid: [[p.map.fn(x) if p.pred.fn(x) else x for x in row] for row in p.second.fn(p.first.fn(grid))]
    ),
    returns=lambda _: "list[list[int]]",
    allowed=lambda p: p.first.id != p.second.id or p.first.id in ("totalled", "topped"),
)

# what happens at the edge of the board
EDGES: tuple[Part, ...] = (
    named("round", lambda x, size: x if 0 <= x < size else (size - 1 if x < 0 else 0), "({v}) % {size}",
          "a step over an edge comes in again at the opposite edge"),
    named("stop", lambda x, size: sorted((0, x, size - 1))[1], "min(max({v}, 0), {last})",
          "a step over an edge leaves the walker where it is"),
)  # fmt: skip


def walked(p: Choice) -> Callable[[str], Any]:
    """What a walk means."""

    def function(moves: str) -> Any:
        column = row = 0
        found = []
        for move in moves:
            column = p.edge.fn(column + (move == "R") - (move == "L"), p.width.value)
            row = p.edge.fn(row + (move == "D") - (move == "U"), p.height.value)
            found.append(p.across.value * column + p.down.value * row)
        return p.fold.fn(found)

    return function


WALK = Family(
    name="walk",
    slots={
        "width": numbers(range(2, 7)),
        "height": numbers(range(2, 7)),
        "edge": EDGES,
        "across": numbers(range(1, 10)),
        "down": numbers(range(11, 20)),
        "fold": DETAILED,
    },
    args="moves: str",
    kind="moves",
    title="{fold}_of_walk_{edge}_{width}_by_{height}_at_{across}_and_{down}",
    sayings=(
        "A walker starts at column 0, row 0 of a board with {width} columns and {height} rows. The letters of moves "
        "are "
        "L, R, U and D: one step to the left, right, up (to a smaller row number) or down; {edge}. After each move the "
        "result is {across} times the column plus {down} times the row. Return {fold}.",
        "On a board {width} columns wide and {height} rows high, begin in column x = 0 and row y = 0. In moves, L "
        "and R "
        "change x by -1 and 1, U and D change y by -1 and 1; {edge}. Every move gives the result {across}x + {down}y, "
        "taken after it. Return {fold}.",
    ),
    body=lambda p: lines(
        "x = y = 0",
        'steps = {"L": (-1, 0), "R": (1, 0), "U": (0, -1), "D": (0, 1)}',
        "found = []",
        "for move in moves:",
        "    a, b = steps[move]",
        f"    x = {p.edge.code.format(v='x + a', size=p.width.code, last=p.width.value - 1)}",
        f"    y = {p.edge.code.format(v='y + b', size=p.height.code, last=p.height.value - 1)}",
        f"    found.append({p.across.code} * x + {p.down.code} * y)",
        f"return {p.fold.code}",
    ),
    reference=walked,
    returns=lambda p: p.fold.returns,
)
