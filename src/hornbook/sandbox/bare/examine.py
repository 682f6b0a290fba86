"""Runs a program text that defines `check(candidate)` against a candidate that lives elsewhere.

Trusted tests run here in the judge's worker; others run here in a contained child of their own. Names that the tests
use and neither they nor the builtins define are taken from the candidate as handles (a helper, a class); standard
modules are imported on this side instead. A candidate never replaces a builtin or a name that the tests define.
"""

from __future__ import annotations

import builtins
import importlib
import io
import re
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from symtable import SymbolTable, symtable
from types import BuiltinFunctionType, CodeType, FunctionType, GeneratorType, MethodType
from typing import Any

from .handles import Handle
from .peer import Peer
from .stream import Gone, Stream, TooLate

FILE, MODULE = "<tests>", "tests"
FORBIDDEN = frozenset({eval, exec, compile, open, input, getattr, setattr, delattr, vars, globals, locals, __import__})
FUNCTIONS = (FunctionType, MethodType, BuiltinFunctionType)
Outcome = tuple[str, str]  # status and detail; "gone" and "late" are for the referee to explain


@lru_cache(maxsize=2048)
def compiled(text: str) -> tuple[CodeType, tuple[str, ...], frozenset[str]]:
    """A test text as code, the names it expects from elsewhere, and which of these it uses as standard modules."""
    table = symtable(text, FILE, "exec")
    here = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    wanted = set(global_names(table)) - here - set(dir(builtins))
    modules = wanted & sys.stdlib_module_names
    return compile(text, FILE, "exec"), tuple(sorted(wanted)), frozenset(modules and modules & dotted_names(text))


def global_names(table: SymbolTable) -> Iterator[str]:
    """The names that a scope and those within it look up in the module."""
    top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (top or symbol.is_global()):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from global_names(inner)


def dotted_names(text: str) -> set[str]:
    """The names before a dot. Few tests need it, so that few children load `ast`."""
    import ast

    nodes = ast.walk(ast.parse(text, FILE))
    return {n.value.id for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)}


def examination(stream: Stream) -> Peer:
    """The tests' side of a conversation with a candidate; object 0 there is its `load`."""
    return Peer(stream, guard, printed=lambda: "", hear=lambda text: sys.stdout.write(text) if text else None)


def post_source(peer: Peer, source: str, wanted: tuple[str, ...]) -> None:
    """Send the candidate its program, and the names that the tests want from it."""
    peer.post("call", (Handle(peer, 0, False), source, list(wanted)), {})


def examine(peer: Peer, tests: str, entry_point: str) -> Outcome:
    """Run the tests of a candidate that was sent its program: passed only when `check` came back and all is whole."""
    sys.stdout = io.StringIO()
    try:
        run_check(peer, tests, entry_point)
    except TooLate:
        return "late", ""
    except Gone:
        return "gone", ""
    except BaseException as error:
        return ("gone", "") if peer.broken else ("failed", describe(error, tests))
    return ("gone", "") if peer.broken else ("passed", "")


def run_check(peer: Peer, tests: str, entry_point: str) -> None:
    """Load the candidate's names, define the tests beside them and call `check`."""
    found = peer.settle(1, ())
    if type(found) is not dict or entry_point not in found:
        raise NameError(f"the program defines no {entry_point}")
    code, _, modules = compiled(tests)
    space: dict[str, Any] = {"__name__": MODULE}
    for name in wanted_names(tests, entry_point):
        if name in found:
            module = name in modules and name != entry_point
            space[name] = importlib.import_module(name) if module else named(name, found[name])
    candidate = space[entry_point]
    exec(code, space)
    check: Callable[[Any], object] | None = space.get("check")
    if not callable(check) or type(check) is Handle:
        raise NameError("the tests define no check(candidate)")
    check(candidate)


def wanted_names(tests: str, entry_point: str) -> tuple[str, ...]:
    """What the tests need from the candidate; just the entry point when they do not even parse."""
    try:
        return (*(name for name in compiled(tests)[1] if name != "check"), entry_point)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return (entry_point,)


def named(name: str, value: Any) -> Any:
    """A value by its name in the tests: what is capitalised is a class, whose instances have methods of their own."""
    if type(value) is Handle and name[:1].isupper():
        object.__setattr__(value, "_hornbook_free", True)
    return value


def guard(operation: str, target: Any, args: tuple[Any, ...]) -> None:
    """What a candidate may ask of objects that tests handed to it. Raises PermissionError for the rest."""
    if operation == "call" and isinstance(target, FUNCTIONS) and target not in FORBIDDEN:
        return
    if operation in ("next", "iter") and isinstance(target, (GeneratorType, map, filter, zip, enumerate)):
        return
    if operation == "call" and isinstance(target, type) and target.__module__ == MODULE:
        return
    kind = type(target)
    if kind.__module__ == MODULE and operation not in ("get", "set"):
        return
    if kind.__module__ != MODULE or type(args[0]) is not str or args[0].startswith("_"):
        raise PermissionError("the tests did not offer that")
    if operation == "set" and hasattr(kind, args[0]):
        raise PermissionError("the tests did not offer that")


def describe(error: BaseException, text: str = "") -> str:
    """An error in one short line without paths or addresses; a bare assertion shows its source line."""
    try:
        message = str(error)
    except Exception:
        message = ""
    if not message and text:
        message = failing_line(error, text)
    return scrub(f"{type(error).__name__}: {message}" if message else type(error).__name__)


def failing_line(error: BaseException, text: str) -> str:
    """The last line of the tests that the error went through."""
    number, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            number = trace.tb_lineno
        trace = trace.tb_next
    lines = text.splitlines()
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""


def scrub(message: str) -> str:
    """One printable line of at most 160 characters, addresses and paths replaced."""
    message = re.sub(r"0x[0-9a-fA-F]+", "0x…", message[:2000])
    message = re.sub(r"(?<![\w.])/(?:[\w.\-+]+/)*[\w.\-+]+", "…", message)
    message = "".join(c if c.isprintable() else " " for c in message.encode("utf-8", "replace").decode())
    return message if len(message) <= 160 else message[:159] + "…"
