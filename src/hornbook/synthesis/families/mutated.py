"""A solution's mutants as functions of this process, for the choice of tests.

Only what the families themselves wrote is run here; what is counted in a row's `mutants_killed` comes from the sandbox.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from hornbook.tasks.mutate import changes

MOST = 20  # mutants tried of one solution
MOST_ROUNDS = 2000  # of one `while` loop and call; a mutant that goes on longer counts as never ending
ENDLESS = ("count", "cycle", "iter")  # what may give results for ever; these are counted too


class Endless(Exception):
    """A mutant went on and on."""


def mutated(program: str, name: str) -> list[Callable[..., Any]]:
    """The function `name` of each of at most 20 mutants."""
    tree = ast.parse(program)
    codes = [compile(limited(tree) if "while " in program else tree, "<mutant>", "exec") for _ in changes(tree)]
    step = max(1, len(codes) // MOST)
    found = []
    for code in codes[::step]:
        space: dict[str, Any] = {"rounds": Rounds}
        exec(code, space)
        space |= {endless: counted(space.get(endless, iter)) for endless in ENDLESS}
        found.append(space[name])
    return found


def counted(endless: Callable[..., Iterable[Any]]) -> Callable[..., Iterator[Any]]:
    """The same iterator, which goes on only so long."""

    def limited(*arguments: Any) -> Iterator[Any]:
        for rounds, item in enumerate(endless(*arguments)):
            if rounds > MOST_ROUNDS:
                raise Endless
            yield item

    return limited


class Rounds:
    """Counts the rounds of a loop."""

    def __init__(self) -> None:
        self.left = MOST_ROUNDS

    def __bool__(self) -> bool:
        self.left -= 1
        if self.left < 0:
            raise Endless
        return True


class Limit(ast.NodeTransformer):
    """Puts a counter before every `while` loop and into its condition."""

    def visit_While(self, node: ast.While) -> list[ast.stmt]:
        self.generic_visit(node)
        counter = f"rounds_{node.lineno}_{node.col_offset}"
        start = ast.parse(f"{counter} = rounds()").body
        node.test = ast.BoolOp(ast.And(), [ast.Name(counter, ast.Load()), node.test])
        return [*start, node]


def limited(tree: ast.Module) -> ast.Module:
    """A copy of the program with limited loops."""
    copy = ast.parse(ast.unparse(tree))
    Limit().visit(copy)
    return ast.fix_missing_locations(copy)
