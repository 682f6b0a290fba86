"""The shape of a file of Python: how it is built, as numbers that have names.

Prose against code, functions, control flow, dependence on its surroundings: each a ratio or a logarithm, so that size
alone decides nothing. `score --why` shows a person the names.
"""

from __future__ import annotations

import ast
import math
import sys
import warnings
import zlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LOOPS = (ast.For, ast.While, ast.AsyncFor)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def parse(text: str) -> ast.Module | None:
    """The syntax tree, or None for what Python cannot parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def shape(text: str) -> np.ndarray:
    """The shape of one text: float32 [len(SHAPE)]."""
    found = text_shape(text) | tree_shape(parse(text), text)
    return np.array([found[name] for name in SHAPE], np.float32)


def text_shape(text: str) -> dict[str, float]:
    """Features of the text as lines and characters."""
    lines = text.splitlines() or [""]
    filled = [line.strip() for line in lines if line.strip()]
    count = max(1, len(filled))
    size = max(1, len(text))
    comments = [line for line in filled if line.startswith("#")]
    body = text[:40_000].encode("utf-8", "replace")
    return {
        "log characters": math.log1p(size),
        "characters a line": size / max(1, len(lines)),
        "blank lines": 1 - len(filled) / max(1, len(lines)),
        "comment lines": len(comments) / count,
        "words a comment": sum(len(line.split()) for line in comments) / max(1, len(comments)),
        "doctest prompts": math.log1p(text.count(">>>")) / math.log1p(count),
        "digits": sum(map(text.count, "0123456789")) / size,
        "quotes": (text.count('"') + text.count("'")) / size,
        "underscores": text.count("_") / size,
        "compressed size": len(zlib.compress(body, 1)) / max(1, len(body)),
        "repeated lines": 1 - len(set(filled)) / count,
        "says return": math.log1p(text.count("return")) / math.log1p(count),
        "deepest indent": math.log1p(max(len(line) - len(line.lstrip()) for line in lines)),
    }


Nodes = Mapping[type[ast.AST], list[Any]]  # a tree's nodes by their type
Function = ast.FunctionDef | ast.AsyncFunctionDef


def nodes_of(tree: ast.Module) -> Nodes:
    """Every node, by type. Twice as fast as `ast.walk`, which asks each field for its name as well."""
    found: dict[type[ast.AST], list[Any]] = defaultdict(list)
    waiting: list[ast.AST] = [tree]
    for node in waiting:
        found[node.__class__].append(node)
        for field in node._fields:
            value = getattr(node, field, None)
            if value.__class__ is list:
                waiting.extend(item for item in value if isinstance(item, ast.AST))
            elif isinstance(value, ast.AST):
                waiting.append(value)
    return found


def of(nodes: Nodes, *kinds: type[ast.AST]) -> list[Any]:
    """The nodes of some types."""
    return [node for kind in kinds for node in nodes.get(kind, ())]


def tree_shape(tree: ast.Module | None, text: str) -> dict[str, float]:
    """Features of the syntax tree; all zero but `parses` for what does not parse."""
    if tree is None:
        return dict.fromkeys(TREE, 0.0)
    nodes = nodes_of(tree)
    total = sum(map(len, nodes.values()))
    functions, foreign = of(nodes, *FUNCTIONS), foreign_names(nodes)

    def percent(*kinds: type[ast.AST]) -> float:
        return 100 * sum(len(nodes.get(kind, ())) for kind in kinds) / total

    return {
        "parses": 1.0,
        "nodes a character": total / max(1, len(text)),
        "loops": percent(*LOOPS),
        "while loops": percent(ast.While),
        "branches": percent(ast.If),
        "comprehensions": percent(*COMPREHENSIONS),
        "arithmetic": percent(ast.BinOp, ast.AugAssign),
        "comparisons": percent(ast.Compare),
        "logic": percent(*LOOPS, ast.If, *COMPREHENSIONS, ast.BoolOp, ast.Compare, ast.BinOp, ast.AugAssign),
        "subscripts": percent(ast.Subscript),
        "returns": percent(ast.Return),
        "yields": percent(ast.Yield, ast.YieldFrom),
        "raises": percent(ast.Raise),
        "tries": percent(ast.Try),
        "asserts": percent(ast.Assert),
        "passes": percent(ast.Pass),
        "attributes": percent(ast.Attribute),
        "calls": percent(ast.Call),
        "constants": percent(ast.Constant),
        "classes": percent(ast.ClassDef),
        **import_shape(nodes, foreign, total),
        **prose_shape(tree, nodes, text),
        **function_shape(functions, nodes, total),
        **logic_shape(functions, nodes, foreign),
        **name_shape(nodes),
    }


def import_shape(nodes: Nodes, foreign: set[str], total: int) -> dict[str, float]:
    """How much the file leans on others: imports, relative imports, re-exported names, what is not the library's."""
    plain, from_ = of(nodes, ast.Import), of(nodes, ast.ImportFrom)
    names = sum(len(node.names) for node in (*plain, *from_))
    loads = [node.id for node in of(nodes, ast.Name) if node.ctx.__class__ is ast.Load]
    return {
        "log imports": math.log1p(len(plain) + len(from_)),
        "imported names": 100 * names / total,
        "relative imports": sum(bool(node.level) for node in from_) / max(1, len(from_)),
        "log foreign names": math.log1p(len(foreign)),
        "use of foreign names": sum(name in foreign for name in loads) / max(1, len(loads)),
    }


def foreign_names(nodes: Nodes) -> set[str]:
    """The names that a file imports from elsewhere than the standard library."""
    found: set[str] = set()
    for node in of(nodes, ast.ImportFrom):
        if node.level or (node.module or "").split(".")[0] not in sys.stdlib_module_names:
            found.update(alias.asname or alias.name for alias in node.names)
    for node in of(nodes, ast.Import):
        roots = [(alias.asname, alias.name.split(".")[0]) for alias in node.names]
        found.update(name or root for name, root in roots if root not in sys.stdlib_module_names)
    return found


def prose_shape(tree: ast.Module, nodes: Nodes, text: str) -> dict[str, float]:
    """How much of the file explains."""
    owners = of(nodes, ast.Module, ast.ClassDef, *FUNCTIONS)
    docs = [doc for node in owners if (doc := ast.get_docstring(node, clean=False))]
    words = sum(len(doc.split()) for doc in docs)
    return {
        "docstring share": sum(map(len, docs)) / max(1, len(text)),
        "documented": len(docs) / len(owners),
        "module docstring": math.log1p(len(ast.get_docstring(tree, clean=False) or "")),
        "words a docstring": math.log1p(words / max(1, len(docs))),
        "log docstring words": math.log1p(words),
        "docstring words a line": words / max(1, text.count("\n")),
        **string_shape(nodes, text),
    }


def string_shape(nodes: Nodes, text: str) -> dict[str, float]:
    """How much of the file is text in quotes, and how much of that is long."""
    sizes = [len(node.value) for node in of(nodes, ast.Constant) if isinstance(node.value, str)]
    return {
        "quoted": sum(sizes) / max(1, len(text)),
        "long texts": sum(size > 200 for size in sizes) / max(1, len(sizes)),
    }


def function_shape(functions: Sequence[Function], nodes: Nodes, total: int) -> dict[str, float]:
    """Functions: how many, how long, methods or free, tests or not."""
    sizes = [(node.end_lineno or 0) - node.lineno + 1 for node in functions]
    names = [node.name for node in functions]
    count = max(1, len(functions))
    owned = sum(isinstance(item, FUNCTIONS) for node in of(nodes, ast.ClassDef) for item in node.body)
    return {
        "functions": 100 * len(functions) / total,
        "log functions": math.log1p(len(functions)),
        "log lines a function": math.log1p(sum(sizes) / max(1, len(sizes))),
        "longest function": math.log1p(max(sizes, default=0)),
        "methods": owned / count,
        "test functions": sum(name.startswith("test") for name in names) / count,
        "private functions": sum(name.startswith("_") and not name.endswith("__") for name in names) / count,
        "special methods": sum(name.endswith("__") for name in names) / count,
        "decorators": sum(len(node.decorator_list) for node in functions) / count,
        "annotated": sum(node.returns is not None for node in functions) / count,
    }


def logic_shape(functions: Sequence[Function], nodes: Nodes, foreign: set[str]) -> dict[str, float]:
    """Functions that go over things: their share, how many are explained, how many stand on their own."""
    repeats = sorted(node.lineno for node in of(nodes, *LOOPS, *COMPREHENSIONS))
    leaning = sorted(node.lineno for node in of(nodes, ast.Name) if node.id == "self" or node.id in foreign)
    documented = {id(node) for node in functions if ast.get_docstring(node, clean=False) is not None}
    logical = [node for node in functions if within(node, repeats)]
    explained = sum(id(node) in documented for node in logical)
    count = max(1, len(functions))
    return {
        "functions with loops": len(logical) / count,
        "explained loops": explained / count,
        "log explained loops": math.log1p(explained),
        "log independent loops": math.log1p(sum(not within(node, leaning) for node in logical)),
        "one-line functions": sum(len(node.body) - (id(node) in documented) <= 1 for node in functions) / count,
    }


def within(function: Function, lines: Sequence[int]) -> bool:
    """Whether one of the sorted line numbers is the function's."""
    place = bisect_left(lines, function.lineno)
    return place < len(lines) and lines[place] <= (function.end_lineno or 0)


def name_shape(nodes: Nodes) -> dict[str, float]:
    """Names: their length, how many are single letters, how often `self`, how varied."""
    names = [node.id for node in of(nodes, ast.Name)]
    count = max(1, len(names))
    own = [name for name in names if name != "self"]
    return {
        "name length": sum(map(len, own)) / max(1, len(own)),
        "one-letter names": sum(len(name) == 1 for name in names) / count,
        "self": 1 - len(own) / count,
        "distinct names": len(set(names)) / count,
        "constant names": sum(name.isupper() for name in names) / count,
    }


TEXT = tuple(text_shape(""))
TREE = tuple(tree_shape(ast.parse(""), ""))
SHAPE = TEXT + TREE
