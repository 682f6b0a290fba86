"""Programs without their names: what is left of a function when only its shape counts."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def canonical(program: str) -> str:
    """The program's tree with its functions, arguments and variables numbered in order, and without docstrings.

    >>> canonical("def f(x): return x + 1") == canonical("def g(y): return y + 1")
    True
    >>> canonical("def f(x): return x + 1") == canonical("def f(x): return x + 2")
    False
    """
    tree = ast.parse(program)
    return ast.dump(Renamed({*bound(tree)}).visit(tree))


def bound(tree: ast.Module) -> Iterator[str]:
    """The names that the program gives to functions, arguments and variables."""
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.FunctionDef(name=name):
                yield name


class Renamed(ast.NodeTransformer):
    """Gives each bound name its number."""

    def __init__(self, bound: set[str]) -> None:
        self.bound = bound
        self.numbers: dict[str, str] = {}

    def number(self, name: str) -> str:
        """The name's stand-in; a name from elsewhere stays."""
        return self.numbers.setdefault(name, f"v{len(self.numbers)}") if name in self.bound else name

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.name = self.number(node.name)
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:]
        self.generic_visit(node)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self.number(node.arg)
        self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.number(node.id)
        return node
