"""Functions of the corpus that stand on their own: what they need is builtins and a few modules that only compute.

They are chosen by reading, never by running: no decorators, no state of the module, nothing that reads the world or
prints. What is left is what somebody could write again from a description.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from symtable import SymbolTable, symtable

from hornbook.records import Document, scatter
from hornbook.synthesis.llm.reading import NOT_PYTHON, Unfit, parsed

PURE = frozenset(
    {"bisect", "calendar", "collections", "datetime", "decimal", "difflib", "fractions", "functools", "heapq"}
    | {"itertools", "json", "math", "operator", "re", "statistics", "string", "textwrap", "typing", "unicodedata"}
)
WORLDLY = frozenset(
    {"breakpoint", "compile", "eval", "exec", "exit", "globals", "hash", "help", "id", "input", "locals", "open"}
    | {"print", "quit", "super", "vars", "__import__"}
)
LINES = range(3, 41)  # of a body: fewer teach nothing, more cannot be told in a docstring
PARAMETERS = range(1, 5)
STATE = (ast.Yield, ast.YieldFrom, ast.Await, ast.Global, ast.Nonlocal)


@dataclass(frozen=True)
class Function:
    """A function of a document. `head`: imports that it needs and its signature; `body`: what follows a docstring."""

    name: str
    head: str
    body: str
    document: Document

    @property
    def code(self) -> str:
        """The program without any docstring."""
        return self.head + self.body


def choose(documents: Iterable[Document], n: int, seed: int, taken: Iterable[str] = ()) -> list[Function]:
    """`n` functions in the seed's order, fewer if there are fewer, no two of one name, none of a name that is taken."""
    found = [function for document in documents for function in functions_in(document)]
    found.sort(key=lambda function: scatter(seed, f"{function.document.id} {function.name}"))
    names = set(taken)
    chosen: list[Function] = []
    for function in found:
        if function.name not in names and len(chosen) < n:
            names.add(function.name)
            chosen.append(function)
    return chosen


def functions_in(document: Document) -> Iterator[Function]:
    """The functions of a document that stand on their own; none of one that is not Python."""
    try:
        text = document.text.replace("\r\n", "\n")
        tree = parsed(text)
    except Unfit:
        return
    imports = pure_imports(tree)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and plain(node) and (function := cut(node, text, imports, document)):
            yield function


def pure_imports(tree: ast.Module) -> dict[str, str]:
    """Name → the line that imports it, for imports at the top of the module from modules that only compute."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in PURE:
                    found[alias.asname or alias.name] = ast.unparse(ast.Import([alias]))
        elif isinstance(node, ast.ImportFrom) and node.module in PURE and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = ast.unparse(ast.ImportFrom(node.module, [alias], 0))
    return found


def plain(node: ast.FunctionDef) -> bool:
    """Whether a function has a few parameters, gives a value back, and no state beyond them."""
    arguments = node.args
    count = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    inside = list(ast.walk(node))
    return (
        not node.decorator_list
        and not arguments.vararg
        and not arguments.kwarg
        and count in PARAMETERS
        and not node.name.startswith("_")
        and any(isinstance(part, ast.Return) and part.value is not None for part in inside)
        and not any(isinstance(part, STATE) for part in inside)
    )


def cut(node: ast.FunctionDef, text: str, imports: dict[str, str], document: Document) -> Function | None:
    """The function's text with the imports that it needs; None when it needs anything else or is laid out oddly."""
    lines = text.split("\n")
    told = ast.get_docstring(node) is not None
    start, end = node.body[0].lineno - 1, node.end_lineno or 0
    after = (node.body[0].end_lineno or 0) if told else start
    body = "\n".join(lines[after:end]) + "\n"
    signature = "\n".join(lines[node.lineno - 1 : start]) + "\n"
    try:
        needed = free_names(signature + body)
        same = ast.unparse(parsed(signature + body)) == ast.unparse(without_docstring(node, told))
    except (Unfit, *NOT_PYTHON):
        return None  # code and docstring share a line, or nothing but a docstring
    needed -= {node.name}
    if not same or needed & WORLDLY or needed - set(dir(builtins)) - set(imports) or body.count("\n") not in LINES:
        return None
    lead = "".join(f"{imports[name]}\n" for name in sorted(needed & set(imports)))
    return Function(node.name, f"{lead}\n\n{signature}" if lead else signature, body, document)


def without_docstring(node: ast.FunctionDef, told: bool) -> ast.FunctionDef:
    """The function without its docstring."""
    fields = dict(ast.iter_fields(node))
    return ast.copy_location(ast.FunctionDef(**fields | {"body": node.body[told:]}), node)


def free_names(code: str) -> set[str]:
    """The names that a program looks up in its module or the builtins."""
    return set(looked_up(symtable(code, "<function>", "exec")))


def looked_up(table: SymbolTable) -> Iterator[str]:
    """The names that a scope and those within it look up outside all functions."""
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (top or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from looked_up(inner)
