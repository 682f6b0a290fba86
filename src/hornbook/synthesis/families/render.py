"""A composition as text: name, prompt, solution and tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import indent
from typing import Any

from hornbook.synthesis.families.base import Composition, plural
from hornbook.synthesis.families.pools import Arguments

SUFFIXES = ("", "_again", "_too", "_anew", "_more", "_also", "_still", "_yet")
MOST_TELLINGS = len(SUFFIXES)
INDENT = "    "


def tellings(composition: Composition) -> int:
    """In how many ways the composition can be worded."""
    synonyms = max(len(part.words) for part in vars(composition.choice).values())
    return min(len(composition.family.sayings) * synonyms, MOST_TELLINGS)


def description(composition: Composition, telling: int) -> str:
    """What the function does, in words; `telling` picks the saying and, beyond the sayings, synonyms of the parts."""
    choice, sayings = composition.choice, composition.family.sayings
    turn, saying = divmod(telling, len(sayings))
    plain = {slot: part.words[(turn + saying) % len(part.words)] for slot, part in vars(choice).items()}
    said = {slot: words.format(**plain) for slot, words in plain.items()}  # words may speak of another part
    many = {f"{slot}s": plural(text) for slot, text in said.items()}
    text = sayings[saying].format(p=choice, **said, **many)
    return text[0].upper() + text[1:]


def title(composition: Composition) -> str:
    """The function's name, from the parts' slugs."""
    return composition.family.title.format(**{slot: part.slug for slot, part in vars(composition.choice).items()})


def call(arguments: Arguments) -> str:
    """The arguments as they stand between the parentheses of a call."""
    return ", ".join(map(show, arguments))


def show(value: Any) -> str:
    """A value as a literal; dates as calls of `date`."""
    return repr(value).replace("datetime.date(", "date(")


def prompt(composition: Composition, name: str, text: str, example: tuple[Arguments, Any] | None = None) -> str:
    """Imports, signature and docstring, ending in a newline."""
    family = composition.family
    head = f"{family.imports}def {name}({family.args}) -> {family.returns(composition.choice)}:\n"
    if example is None:
        return f'{head}{INDENT}"""{text}"""\n'
    arguments, value = example
    shown = f"{INDENT}>>> {name}({call(arguments)})\n{INDENT}{show(value)}\n"
    return f'{head}{INDENT}"""{text}\n\n{shown}{INDENT}"""\n'


def solution(composition: Composition) -> str:
    """The indented body."""
    return indent(composition.family.body(composition.choice), INDENT) + "\n"


def tests(composition: Composition, cases: Iterable[tuple[Arguments, Any]]) -> str:
    """A program text that defines `check(candidate)`."""
    rows = [f"{INDENT}assert candidate({call(arguments)}) == {show(value)}" for arguments, value in cases]
    return "\n".join([f"{composition.family.imports}def check(candidate):", *rows, ""])


def shortest(cases: Sequence[tuple[Arguments, Any]], longest: int = 40) -> tuple[Arguments, Any] | None:
    """The shortest case that shows something: not an empty value, nor the one of the smallest input (cases[0])."""
    telling = [(len(call(given)) + len(show(value)), i) for i, (given, value) in enumerate(cases) if value]
    length, best = min((pair for pair in telling if cases[pair[1]][1] != cases[0][1]), default=(longest + 1, 0))
    return cases[best] if length <= longest else None
