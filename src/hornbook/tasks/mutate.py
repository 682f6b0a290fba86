"""Mutants: programs that differ from a correct one in a single operator or constant, and that good tests should kill.

| was | becomes |
|---|---|
| `+` `-` `*` `/` `//` `%` `**` | `-` `+` `+` `*` `*` `*` `*` (augmented assignments too) |
| `&` `|` `^` `<<` `>>` | `|` `&` `|` `>>` `<<` |
| `<` `<=` `>` `>=` | `<=` `<` `>=` `>`, and turned round: `>` `>=` `<` `<=` |
| `==` `!=` `is` `is not` `in` `not in` | its negation |
| `and` `or` | `or` `and` |
| `not x`, `-x` | `x` |
| whole number n | n + 1, and n - 1 where n > 0 |
| other number x | x + 1 |
| `True` `False` | `False` `True` |
| text, bytes | empty, or "x" where it was empty |
| `break` `continue` | `continue` `break` |
| `return x` | `return None` |
| `if c`, `while c`, `… if c else …` | `not c` |

Docstrings, annotations and format specifications are left alone: changing them changes nothing a test could see.
A mutant may run for ever, and may happen to be equivalent; no claim is made that tests can kill all of them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from hornbook.errors import InputError
from hornbook.tasks.formats import NOT_PYTHON, parse

OPERATORS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitOr,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Break: (ast.Continue,),
    ast.Continue: (ast.Break,),
}
UNSEEN = frozenset({"annotation", "returns", "format_spec", "type_params"})  # fields of nodes that tests cannot see


def mutants(source: str, limit: int = 20) -> list[str]:
    """Programs that differ from `source` by one change each, at most `limit`, always the same ones in the same order.

    None equals the original (as `ast.unparse` writes it) or another mutant. Where there are more than `limit`, an even
    spread over the program is taken. Raises InputError when the source is not Python.

    >>> mutants("y = x + 1")
    ['y = x - 1', 'y = x + 2', 'y = x + 0']
    """
    try:
        tree = parse(source)
        original = ast.unparse(tree)
        found = [text for text in dict.fromkeys(changed(tree)) if text != original]
    except NOT_PYTHON as error:
        raise InputError(f"cannot mutate a program that is not Python, or nested too deeply ({error})") from None
    return found if len(found) <= limit else [found[i * len(found) // limit] for i in range(limit)]


def changed(tree: ast.Module) -> Iterator[str]:
    """The program's text under each single change, in the order of the source."""
    return (ast.unparse(tree) for _ in changes(tree))


def changes(tree: ast.Module) -> Iterator[None]:
    """Make each single change in the tree itself, one at a time, and undo it; the tree can be compiled meanwhile."""
    for holder, position, node in slots(tree):
        for other in alternatives(node):
            if isinstance(node, (ast.expr, ast.stmt)):
                ast.fix_missing_locations(ast.copy_location(other, node))
            put(holder, position, other)
            yield
        put(holder, position, node)


def slots(node: ast.AST) -> Iterator[tuple[Any, Any, ast.AST]]:
    """Every node below this one that a test could see, with its holder and its place there (an attribute, an index)."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    for name, value in list(ast.iter_fields(node)):
        held = [(value, i, item) for i, item in enumerate(value)] if isinstance(value, list) else [(node, name, value)]
        for holder, position, child in held:
            if name not in UNSEEN and isinstance(child, ast.AST):
                yield holder, position, child
                yield from slots(child)


def put(holder: Any, position: Any, node: ast.AST) -> None:
    """Put a node where another stood."""
    if isinstance(holder, list):
        holder[position] = node
    else:
        setattr(holder, position, node)


def alternatives(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that may stand in for this one."""
    yield from (kind() for kind in OPERATORS.get(type(node), ()))
    match node:
        case ast.Constant(value=value):
            yield from (ast.Constant(other) for other in other_values(value))
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.Return(value=ast.expr() as value) if not is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.If(test=test, body=body, orelse=orelse):
            yield ast.If(negated(test), body, orelse)
        case ast.While(test=test, body=body, orelse=orelse) if not isinstance(test, ast.Constant):
            yield ast.While(negated(test), body, orelse)
        case ast.IfExp(test=test, body=value, orelse=other):
            yield ast.IfExp(negated(test), value, other)


def other_values(value: object) -> list[Any]:
    """What a constant may become. Never negative, since a bare negative constant unparses with the wrong precedence."""
    match value:
        case bool():
            return [not value]
        case int():
            return [value + 1, value - 1] if value > 0 else [value + 1]
        case float() | complex():
            return [value + 1]
        case str():
            return [""] if value else ["x"]
        case bytes():
            return [b""] if value else [b"x"]
        case _:
            return []


def is_none(node: ast.expr) -> bool:
    """Whether an expression is the constant None."""
    return isinstance(node, ast.Constant) and node.value is None


def negated(test: ast.expr) -> ast.expr:
    """`not` of a condition."""
    return ast.UnaryOp(ast.Not(), test)
