"""Parts that are a plain value: a number from a range, a word, a separator; and parts said of another thing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from hornbook.synthesis.families.base import Part


@dataclass(frozen=True, slots=True)
class Literal(Part):
    """A part whose meaning is `value` and whose spelling is the literal of it."""

    value: Any = None


def numbers(values: Iterable[int]) -> tuple[Literal, ...]:
    """One part for each number."""
    return tuple(Literal(f"{k}", lambda k=k: k, f"{k}", (f"{k}",), f"{k}".replace("-", "minus_"), k) for k in values)


def texts(**values: str) -> tuple[Literal, ...]:
    """One part for each text, by slug."""
    return tuple(
        Literal(slug, lambda text=text: text, f'"{text}"', (f'"{text}"',), slug, text) for slug, text in values.items()
    )


def about(parts: Iterable[Part], noun: str) -> tuple[Any, ...]:
    """The same parts, said of `noun`: its first "it" or "its" gives way.

    >>> from hornbook.synthesis.families.ints import SQUARE, away
    >>> [part.words for part in about([SQUARE, away(10)], "the price")]
    [("the price's square",), ('10 minus the price',)]
    """
    return tuple(replace(part, words=tuple(said_of(noun, text) for text in part.words)) for part in parts)


def said_of(noun: str, text: str) -> str:
    """The text with `noun` in place of its first pronoun."""
    return re.sub(r"\bits?\b", lambda found: noun + "'s" * (found[0] == "its"), text, count=1)


SEPARATORS = texts(
    comma=",", dash="-", space=" ", slash="/", colon=":", bar="|", dot=".", plus="+", arrow="->", comma_space=", "
)
