"""What a language model answered, into Markdown and functions; nothing here is run."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

NOT_PYTHON = (SyntaxError, ValueError, RecursionError, MemoryError)
FENCED = re.compile(r"^```[ \t]*(?:python3?|py)?[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL | re.IGNORECASE)
WRAPPED = re.compile(r"\A```[ \t]*(?:markdown|md)[ \t]*\n(.*)\n```[ \t]*\Z", re.DOTALL | re.IGNORECASE)
BLOCK = re.compile(r"^```.*?(?:^```[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#{1,3} \S", re.MULTILINE)
THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)  # aloud, where a server does not keep it apart
PREAMBLE = 400  # characters before the first heading that may be chatter


class Unfit(ValueError):
    """An answer that is not what was asked for. `reason` is a fixed word, counted; the message says what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def markdown_in(text: str) -> str:
    """A section without what models put around it: thoughts, a fence about the whole, a sentence before the heading."""
    text = THOUGHT.sub("", text.replace("\r\n", "\n")).strip()
    if wrapped := WRAPPED.match(text):
        text = wrapped[1].strip()
    heading = HEADING.search(text)
    if heading and heading.start() <= PREAMBLE and "```" not in text[: heading.start()]:
        text = text[heading.start() :]
    return text + "\n"


def python_in(text: str) -> str:
    """The longest fenced block behind the thoughts, else the whole text."""
    text = THOUGHT.sub("", text.replace("\r\n", "\n"))
    return max(FENCED.findall(text), key=len, default=text)


@dataclass(frozen=True)
class Parts:
    """A function that is the last thing of its program: `prompt` ends with the docstring, `solution` is the body."""

    name: str
    prompt: str
    solution: str
    docstring: str


def parts_of(code: str, word: str) -> Parts:
    """A program cut after a docstring: that of the last function whose name contains the word, else of the last one.

    What follows the function is dropped: it would run at every call of the tests. Raises Unfit naming what is lacking.
    """
    tree = parsed(code)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if not functions:
        raise Unfit("no-function", "defines no function")
    function = next((node for node in reversed(functions) if contains(node.name, word)), functions[-1])
    docstring = ast.get_docstring(function)
    if not docstring or len(function.body) < 2:
        raise Unfit("no-docstring", f"{function.name} has no {'body' if docstring else 'docstring'}")
    lines = code.replace("\r\n", "\n").split("\n")
    cut, end = function.body[0].end_lineno or 0, function.end_lineno or 0
    prompt, solution = "\n".join(lines[:cut]) + "\n", "\n".join(lines[cut:end]) + "\n"
    tree.body = tree.body[: tree.body.index(function) + 1]
    if function.body[1].lineno <= cut or not alike(parsed(prompt + solution), tree):
        raise Unfit("unreadable-answer", "code and docstring share a line")
    return Parts(function.name, prompt, solution, docstring)


def contains(name: str, word: str) -> bool:
    """Whether a function's name contains a word.

    >>> contains("count_Tea_chests", "tea"), contains("count_chests", "tea")
    (True, False)
    """
    return word.lower() in name.lower()


def alike(one: ast.Module, other: ast.Module) -> bool:
    """Whether two trees are the same; those nested too deeply to tell are not."""
    try:
        return ast.dump(one) == ast.dump(other)
    except RecursionError:
        return False


def parsed(code: str) -> ast.Module:
    """A program as a tree. Raises Unfit."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except NOT_PYTHON as error:
        said = str(error).splitlines()[0][:120] if str(error) else ""
        raise Unfit("unreadable-answer", f"not Python ({type(error).__name__}: {said})") from None


def defines_check(tests: str) -> None:
    """Raises Unfit when a text is no program that defines `check`."""
    if not any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in parsed(tests).body):
        raise Unfit("no-check", "the tests define no check(candidate)")


def words_besides_code(text: str) -> int:
    """How many words a Markdown text has outside its fenced blocks.

    >>> words_besides_code("Two words.\\n```python\\nx = 1\\n```\\nTwo more.\\n")
    4
    """
    return len(BLOCK.sub("", text).split())
