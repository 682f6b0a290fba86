"""A composition as text: name, prompt, solution and tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from textwrap import indent
from typing import Any

from hornbook.synthesis.families.base import Composition, plural
from hornbook.synthesis.families.pools import Arguments
from hornbook.synthesis.families.styles import Spelling

SUFFIXES = ("", "_again", "_too", "_anew", "_more", "_also", "_still", "_yet")
MOST_TELLINGS = len(SUFFIXES)
INDENT = "    "


def tellings(composition: Composition) -> int:
    """In how many ways the composition can be worded: its sayings times the synonyms of each part."""
    return len(composition.family.sayings) * prod(len(part.words) for part in vars(composition.choice).values())


def description(composition: Composition, telling: int) -> str:
    """What the function does, in words; `telling` is the saying's number and, in mixed radix, those of the synonyms."""
    choice, sayings = composition.choice, composition.family.sayings
    rest, saying = divmod(telling, len(sayings))
    plain = {}
    for slot, part in vars(choice).items():
        rest, synonym = divmod(rest, len(part.words))
        plain[slot] = part.words[synonym]
    said = {slot: words.format(**plain) for slot, words in plain.items()}  # words may speak of another part
    many = {f"{slot}s": plural(text) for slot, text in said.items()}
    text = sayings[saying].format(p=choice, **said, **many)
    return text[0].upper() + text[1:]


def title(composition: Composition) -> str:
    """The function's name, from the parts' slugs."""
    slugs = {slot: part.slug for slot, part in vars(composition.choice).items()}
    return composition.family.title.format(**slugs).replace("-", "minus_")


def call(arguments: Arguments) -> str:
    """The arguments as they stand between the parentheses of a call."""
    return ", ".join(map(show, arguments))


def show(value: Any) -> str:
    """A value as a literal; dates as calls of `date`."""
    return repr(value).replace("datetime.date(", "date(")


def imports(composition: Composition, needs: Sequence[str] = ()) -> str:
    """The import lines that the family and the solution's style call for, with the two empty lines that follow."""
    rows = sorted(
        {*composition.family.imports.split("\n"), *needs} - {""}, key=lambda row: (row.startswith("from"), row)
    )
    return "\n".join([*rows, "", "", ""]) if rows else ""


def prompt(
    composition: Composition,
    name: str,
    text: str,
    example: tuple[Arguments, Any] | None = None,
    needs: Sequence[str] = (),
) -> str:
    """Imports, signature and docstring, ending in a newline."""
    family = composition.family
    head = f"{imports(composition, needs)}def {name}({family.args}) -> {family.returns(composition.choice)}:\n"
    if example is None:
        return f'{head}{INDENT}"""{text}"""\n'
    arguments, value = example
    shown = f"{INDENT}>>> {name}({call(arguments)})\n{INDENT}{show(value)}\n"
    return f'{head}{INDENT}"""{text}\n\n{shown}{INDENT}"""\n'


def solution(composition: Composition, spelling: Spelling | None = None) -> str:
    """The indented body: the family's own, or in another style."""
    return indent(spelling.body if spelling else composition.family.body(composition.choice), INDENT) + "\n"


def tests(composition: Composition, cases: Iterable[tuple[Arguments, Any]]) -> str:
    """A program text that defines `check(candidate)`."""
    rows = [f"{INDENT}assert candidate({call(arguments)}) == {show(value)}" for arguments, value in cases]
    return "\n".join([f"{composition.family.imports}def check(candidate):", *rows, ""])


def shortest(cases: Sequence[tuple[Arguments, Any]], longest: int = 40) -> tuple[Arguments, Any] | None:
    """The shortest case that shows something: not an empty value, nor the one of the smallest input (cases[0])."""
    telling = [(len(call(given)) + len(show(value)), i) for i, (given, value) in enumerate(cases) if value]
    length, best = min((pair for pair in telling if cases[pair[1]][1] != cases[0][1]), default=(longest + 1, 0))
    return cases[best] if length <= longest else None
