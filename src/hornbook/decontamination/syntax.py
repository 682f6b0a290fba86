"""The syntax tier: how alike two programs are in shape (phi-1 §5: edit distance between syntax trees as a match rate).

The paper does not publish its normalisation. Ours: a program becomes the sequence of its syntax tree's nodes in
pre-order, one token a node: node types, operators, and the types of constants. Names, values of constants, docstrings,
annotations, decorators, imports and whether a name is read or written play no part. The match rate of two programs is
1 - edit distance / length of the longer. The edit distance of the sequences never exceeds that of the trees (Guha et
al., SIGMOD 2002), so this rate is never below the one that a tree edit distance would give.

A text that is not Python, or holds nothing but what is left out, has no shape: it is alike to nothing, itself included.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

CONSTANTS = ("NoneType", "bool", "bytes", "complex", "ellipsis", "float", "int", "str")
DROPPED = (ast.expr_context, ast.Import, ast.ImportFrom, ast.type_ignore)
DROPPED_FIELDS = frozenset({"annotation", "decorator_list", "returns", "type_comment", "type_params"})
FENCED = re.compile(r"^```(?:python|py)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL | re.IGNORECASE)
LARGEST_CHARS = 1_000_000  # parsing takes about a hundred times a text's size in memory
BLOCK_PAIRS = 1 << 22


def node_kinds() -> dict[str, str]:
    """A character for each kind of node and constant; the same in every process of one Python version."""
    names = {name for name in dir(ast) if isinstance(kind := getattr(ast, name), type) and issubclass(kind, ast.AST)}
    return {name: chr(0x100 + i) for i, name in enumerate(sorted(names | set(CONSTANTS)))}


KINDS = node_kinds()


def encode(code: str) -> str:
    """A program's shape, one character a node; empty when the text is not Python or is over a million characters."""
    tree = parse(code)
    return "" if tree is None else encode_tree(tree)


def parse(code: str) -> ast.Module | None:
    """The syntax tree, or None when there is none to be had."""
    if len(code) > LARGEST_CHARS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def encode_tree(tree: ast.AST) -> str:
    """The shape of a tree, in pre-order; the module node itself is left out."""
    shape: list[str] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        if not isinstance(node, ast.Module):
            shape.append(KINDS[type(node.value).__name__ if isinstance(node, ast.Constant) else type(node).__name__])
        pending.extend(reversed(list(children(node))))
    return "".join(shape)


def children(node: ast.AST) -> Iterator[ast.AST]:
    """The child nodes that have a part in a program's shape."""
    for name in node._fields:
        if name in DROPPED_FIELDS:
            continue
        value = getattr(node, name, None)
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, ast.AST) and not isinstance(child, DROPPED) and not is_docstring(child):
                yield child


def is_docstring(node: ast.AST) -> bool:
    """Whether a statement is nothing but a text."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def units(text: str) -> dict[str, str]:
    """The shapes that a row offers for comparison, and the name each goes by: every whole program in the row (no name),
    and every function and method by itself.

    A text that is not Python is read as Markdown whose ```python blocks are programs.
    """
    tree = parse(text)
    blocks = [] if tree is not None else [parse(textwrap.dedent(block)) for block in FENCED.findall(text)]
    programs = [program for program in (tree, *blocks) if program is not None]
    shapes = {encode_tree(function): function.name for program in programs for function in functions(program)}
    shapes |= {encode_tree(program): "" for program in programs if encode_tree(program) not in shapes}
    return {shape: name for shape, name in shapes.items() if shape}


def functions(program: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a program and the methods of its classes."""
    for node in program.body:
        for inner in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield inner


def syntax_similarity(a: str, b: str) -> float:
    """The match rate of two programs, 0 to 1; 0 when either is not Python.

    >>> syntax_similarity("def f(x):\\n    return x + 1", "def add(number: int):\\n    return number + 20")
    1.0
    """
    left, right = encode(a), encode(b)
    return float(Levenshtein.normalized_similarity(left, right)) if left and right else 0.0


def nearest(queries: Sequence[str], choices: Sequence[str], cutoff: float, workers: int = 1) -> list[tuple[int, float]]:
    """For each program, the index of the most alike choice and their match rate; (-1, 0.0) where none reaches `cutoff`.

    Of equals the first is taken. Memory does not grow with the number of pairs.
    """
    return nearest_shapes([encode(q) for q in queries], [encode(c) for c in choices], cutoff, workers)


def nearest_shapes(
    queries: Sequence[str], choices: Sequence[str], cutoff: float, workers: int = 1
) -> list[tuple[int, float]]:
    """The same for programs that are encoded already, as when one side is compared many times."""
    best: list[tuple[int, float]] = [(-1, 0.0)] * len(queries)
    named = [shape or "\0" for shape in choices]  # no shape holds NUL, so a choice without shape matches nothing
    rows = max(1, min(len(queries), 256))
    step = max(1, BLOCK_PAIRS // rows)
    for first in range(0, len(queries), rows):
        for start in range(0, len(named), step):
            block = score(queries[first : first + rows], named[start : start + step], cutoff, workers)
            for row, column in enumerate(block.argmax(axis=1)):
                rate = float(block[row, column])
                if rate > 0 and rate >= cutoff and rate > best[first + row][1]:
                    best[first + row] = (start + int(column), rate)
    return best


def score(queries: Sequence[str], choices: Sequence[str], cutoff: float, workers: int) -> np.ndarray:
    """The match rates of all pairs; those below `cutoff` may be given as 0.

    rapidfuzz loses some pairs that stand exactly at its cutoff (860 edits in 1000 at 0.14), so it is given less.
    """
    similarity = Levenshtein.normalized_similarity
    cutoff = max(0.0, cutoff - 1e-6)
    return np.asarray(
        cdist(queries, choices, scorer=similarity, score_cutoff=cutoff, workers=workers, dtype=np.float64)
    )
