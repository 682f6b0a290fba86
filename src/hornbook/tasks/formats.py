"""Problem files in their own formats: HumanEval's, MBPP's and sanitized MBPP's, plain or gzipped, told by content.

    HumanEval   {"task_id", "prompt", "entry_point", "canonical_solution", "test"}  (+ optional "rubric", "family")
    MBPP        {"task_id", "text",   "code", "test_list", "test_setup_code", "challenge_test_list"}
    sanitized   {"task_id", "prompt", "code", "test_list", "test_imports"}

One JSON object a line or one JSON array: either container may hold any of the three.
"""

from __future__ import annotations

import ast
import gzip
import json
import re
import warnings
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hornbook.errors import InputError
from hornbook.records import Problem

Row = Mapping[str, Any]
HUMANEVAL = ("prompt", "entry_point", "canonical_solution", "test")
NOT_PYTHON = (
    SyntaxError,
    ValueError,
    RecursionError,
    MemoryError,
)  # what parsing raises, the last two for deep nesting
NUMBERED = re.compile(r"(?:mbpp/)?(\d+)", re.IGNORECASE)


def normal_id(task_id: str | int) -> str:
    """One spelling for the ways a task is named: MBPP's tasks go by number, with or without the benchmark's name.

    >>> normal_id(11), normal_id("11"), normal_id("mbpp/11"), normal_id("HumanEval/11")
    ('MBPP/11', 'MBPP/11', 'MBPP/11', 'HumanEval/11')
    """
    numbered = NUMBERED.fullmatch(str(task_id).strip())
    return f"MBPP/{int(numbered[1])}" if numbered else str(task_id).strip()


def problems_in(path: Path) -> list[Problem]:
    """The problems of a file, in file order. Raises InputError with file, line and field for what cannot be used."""
    problems: dict[str, Problem] = {}
    for line, row in rows_in(path):
        problem = problem_of(row, f"{path}:{line}")
        if normal_id(problem.task_id) in problems:
            raise InputError(f"{path}:{line}: task_id {problem.task_id!r} stands there twice; give each task once")
        problems[normal_id(problem.task_id)] = problem
    if not problems:
        raise InputError(f"{path}: holds no problems; give a file in HumanEval's or MBPP's format")
    return list(problems.values())


def problem_of(row: Row, where: str) -> Problem:
    """One row of either format; `where` begins every complaint."""
    if "test_list" in row or "code" in row:
        return from_mbpp(row, where)
    if "test" in row or "entry_point" in row:
        return from_humaneval(row, where)
    raise InputError(
        f"{where}: neither HumanEval's fields (task_id, {', '.join(HUMANEVAL)}) nor MBPP's "
        f"(task_id, text or prompt, code, test_list); found {', '.join(map(str, row)) or 'no field at all'}"
    )


def from_humaneval(row: Row, where: str) -> Problem:
    """A row whose `prompt + canonical_solution` is a program and whose `test` defines `check(candidate)`."""
    prompt, entry_point, solution, test = (text_field(row, name, where) for name in HUMANEVAL)
    if not entry_point.isidentifier():
        raise InputError(f"{where}: field 'entry_point' is {entry_point!r}; it must be the name of a function")
    if not re.search(r"\bdef\s+check\s*\(", test):
        raise InputError(f"{where}: field 'test' does not define check(candidate)")
    rubric, family = (text_field(row, name, where, default="") for name in ("rubric", "family"))
    return Problem(id_field(row, where), prompt, entry_point, solution, test, rubric, family)


def from_mbpp(row: Row, where: str) -> Problem:
    r"""A row whose `code` is a whole program and whose asserts call its function by name.

    The prompt is the zero-shot docstring with the first test (bigcode-evaluation-harness). `challenge_test_list` is
    left out, as in every harness. Windows line ends, which some rows have, become "\n".
    """
    number = normal_id(id_field(row, where))
    if not number.startswith("MBPP/"):
        raise InputError(f"{where}: field 'task_id' is {row['task_id']!r}; MBPP's tasks go by number")
    text = text_field(row, "text" if "text" in row else "prompt", where)
    code = text_field(row, "code", where).replace("\r\n", "\n")
    tests = [test.replace("\r\n", "\n") for test in texts_field(row, "test_list", where)]
    if not tests:
        raise InputError(f"{where}: field 'test_list' is empty; a problem needs at least one test")
    setup = [text_field(row, "test_setup_code", where, default=""), *texts_field(row, "test_imports", where, [])]
    prompt = f'"""\n{text}\n{tests[0]}\n"""\n'
    entry_point = called_function(tests, code, where)
    if entry_point == "check":  # four of MBPP's functions bear the name of what tests must define
        tests = [re.sub(r"\bcheck\(", "candidate(", test) for test in tests]
    test = check_of(tests, [part.replace("\r\n", "\n") for part in setup if part.strip()], where)
    return Problem(number, prompt, entry_point, code, test, completes=False)


def check_of(tests: list[str], setup: list[str], where: str) -> str:
    """A program text that defines `check(candidate)` from asserts that call the candidate's functions by name.

    The names stay global: whoever runs the text must let it see the candidate's functions. `setup` comes first, at
    module level, so that it too may use them.
    """
    try:
        one_liners = [test.strip() if "\n" not in test.strip() else ast.unparse(parse(test)) for test in tests]
    except NOT_PYTHON as error:
        raise InputError(f"{where}: field 'test_list' holds a test that is not Python ({error})") from None
    body = [f"    {line}" for test in one_liners for line in test.split("\n")]
    return "\n".join([*setup, "def check(candidate):", *body]) + "\n"


def called_function(tests: list[str], code: str, where: str) -> str:
    """The function under test: the outermost one called in the first assert that `code` defines."""
    try:
        defined = list(defined_names(parse(code)))
        for test in tests:
            for node in ast.walk(parse(test.strip())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in defined:
                    return node.func.id
    except NOT_PYTHON as error:
        raise InputError(f"{where}: field 'code' or 'test_list' is not Python ({error})") from None
    raise InputError(f"{where}: no test in 'test_list' calls a function that 'code' defines ({', '.join(defined)})")


def parse(text: str) -> ast.Module:
    """The syntax tree of a text, without Python's warnings about it (some of MBPP's have invalid escapes)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def defined_names(tree: ast.Module) -> Iterator[str]:
    """What a program defines at its top level and may be called: functions, classes, names assigned to."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def id_field(row: Row, where: str) -> str:
    """The task id as text; a whole number is as good."""
    value = row.get("task_id")
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
        raise InputError(f"{where}: field 'task_id' is {shown(value)}; it must be text or a whole number")
    return str(value)


def text_field(row: Row, name: str, where: str, default: str | None = None) -> str:
    """A field that must be text; `default` stands in when it is absent."""
    value = row.get(name, default)
    if not isinstance(value, str):
        raise InputError(f"{where}: field {name!r} is {shown(value)}; it must be text")
    return value


def texts_field(row: Row, name: str, where: str, default: list[str] | None = None) -> list[str]:
    """A field that must be a list of texts; `default` stands in when it is absent."""
    value = row.get(name, default)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InputError(f"{where}: field {name!r} is {shown(value)}; it must be a list of texts")
    return value


def shown(value: Any) -> str:
    """A bad value, short enough for one line.

    >>> shown(None), shown([1, 2])
    ('missing', 'list [1, 2]')
    """
    return "missing" if value is None else f"{type(value).__name__} {repr(value)[:60]}"


def rows_in(path: Path) -> Iterator[tuple[int, Row]]:
    """The JSON objects of a file (one a line, or one array of them), each with the line it begins on."""
    text = text_in(path)
    entries = array_entries(text, path) if text.lstrip()[:1] == "[" else line_entries(text, path)
    for line, row in entries:
        if not isinstance(row, dict):
            raise InputError(f"{path}:{line}: expected a JSON object, found {type(row).__name__}")
        yield line, row


def line_entries(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    """The JSON value of each line that is not blank. Only "\\n" ends a line, since JSON may hold other separators."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, decode(line, 0, path, number - 1)[0]


def array_entries(text: str, path: Path) -> Iterator[tuple[int, Any]]:
    """The values of one JSON array, read one by one so that each is known by its line."""
    at, closed = skip(text, text.index("[") + 1), False
    while not (closed := text[at : at + 1] == "]") and at < len(text):
        line = text.count("\n", 0, at) + 1
        value, at = decode(text, at, path, 0)
        yield line, value
        at = skip(text, at)
        if text[at : at + 1] == ",":
            at = skip(text, at + 1)
        elif text[at : at + 1] != "]":
            break
    if not closed or text[skip(text, at + 1) :]:
        line = text.count("\n", 0, at) + 1
        raise InputError(f"{path}:{line}: not a JSON array that ends where the file ends; is the file whole?")


def skip(text: str, at: int) -> int:
    """The next position that is not white space."""
    while text[at : at + 1].isspace():
        at += 1
    return at


def decode(text: str, at: int, path: Path, lines_before: int) -> tuple[Any, int]:
    """The JSON value at a position and where it ends; a whole text must end with it when `at` is 0."""
    try:
        return (json.loads(text), len(text)) if at == 0 else json.JSONDecoder().raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{lines_before + error.lineno}: not JSON ({error.msg})") from None
    except RecursionError:
        raise InputError(f"{path}:{lines_before + 1}: JSON nested too deeply to read") from None


def text_in(path: Path) -> str:
    """The text of a file, gunzipped if it is gzip (told by its first bytes). Raises InputError naming the file."""
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not text in UTF-8 (byte {error.start}); convert it to UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
