"""A solution's mutants as functions of this process, for the choice of tests.

Only what the families themselves wrote is run here; what is counted in a row's `mutants_killed` comes from the sandbox.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from hornbook.tasks.mutate import changes

MOST = 20  # mutants tried of one solution
MOST_ROUNDS = 2000  # of one `while` loop and call; a mutant that goes on longer counts as never ending
ENDLESS = ("count", "cycle", "iter")  # what may give results for ever; these are counted too


class Endless(Exception):
    """A mutant went on and on."""


def mutated(program: str, name: str) -> Iterator[Callable[..., Any]]:
    """The function `name` of each of about 20 mutants, made one by one."""
    tree = ast.parse(program)
    step = max(1, sum(1 for _ in changes(tree)) // MOST)
    for _ in islice(changes(tree), 0, None, step):
        space: dict[str, Any] = {"rounds": Rounds}
        exec(compile(limited(tree) if "while " in program else tree, "<mutant>", "exec"), space)
        space |= {endless: counted(space.get(endless, iter)) for endless in ENDLESS}
        yield space[name]


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


def limited(tree: ast.Module) -> ast.Module:
    """The program with a counter before every `while` loop and in its condition. What holds no loop is shared."""
    return ast.Module(limited_block(tree.body), tree.type_ignores)


def limited_block(block: list[ast.stmt]) -> list[ast.stmt]:
    """Statements with limited loops."""
    found: list[ast.stmt] = []
    for statement in block:
        inner = {name: limited_block(held) for name in ("body", "orelse") if (held := getattr(statement, name, None))}
        made = type(statement)(**{**vars(statement), **inner}) if inner else statement
        if isinstance(made, ast.While):
            found.append(limit(made))
        found.append(made)
    return found


def limit(loop: ast.While) -> ast.stmt:
    """Put a counter into a loop's condition; returns the statement that sets it."""
    counter = f"rounds_{loop.lineno}_{loop.col_offset}"
    reads = ast.copy_location(ast.Name(counter, ast.Load()), loop)
    loop.test = ast.copy_location(ast.BoolOp(ast.And(), [reads, loop.test]), loop)
    return ast.parse(f"{counter} = rounds()").body[0]
