"""A second step after a map or a measure: its result plus 3, its remainder by 7, the smaller of it and 10."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hornbook.synthesis.families.base import Part


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to a result `{e}`, in code and words; in a `loose` step, a sum, it needs fewer brackets."""

    id: str
    fn: Callable[[int], int]
    code: str
    words: str
    slug: str
    loose: bool = False


def plus(k: int) -> Step:
    """k more."""
    return Step(f"plus:{k}", lambda x: x - -k, f"{{e}} + {k}", f"{{e}} plus {k}", f"plus_{k}", True)


def minus(k: int) -> Step:
    """k less."""
    return Step(f"minus:{k}", lambda x: -(k - x), f"{{e}} - {k}", f"{{e}} minus {k}", f"minus_{k}", True)


def away(k: int) -> Step:
    """What is missing to k."""
    return Step(f"from:{k}", lambda x: -(x - k), f"{k} - {{e}}", f"{k} minus {{e}}", f"from_{k}")


def modulo(k: int) -> Step:
    """The remainder by k."""
    return Step(f"mod:{k}", lambda x: divmod(x, k)[1], f"{{e}} % {k}", f"the remainder by {k} of {{e}}", f"mod_{k}")


def capped(k: int) -> Step:
    """At most k."""
    words = f"the smaller of {{e}} and {k}"
    return Step(f"capped:{k}", lambda x: k if x > k else x, f"min({{e}}, {k})", words, f"at_most_{k}")


def raised(k: int) -> Step:
    """At least k."""
    words = f"the larger of {{e}} and {k}"
    return Step(f"raised:{k}", lambda x: k if x < k else x, f"max({{e}}, {k})", words, f"at_least_{k}")


STEPS = (
    *(step for k in range(1, 13) for step in (plus(k), minus(k))),
    *map(away, (*range(5, 21), 30, 50, 100)),
    *map(modulo, range(2, 14)),
    *map(capped, range(2, 16)),
    *map(raised, range(-2, 11)),
)


SIMPLE = ("self", "plus", "minus", "from", "capped", "raised")  # a second step after these says little more


def stepped(parts: Sequence[Part]) -> Iterator[Part]:
    """Every part that is worth it with every second step after it."""
    for part in parts:
        if part.id.partition(":")[0] not in SIMPLE:
            yield from (after(part, step) for step in STEPS)


def after(part: Part, step: Step) -> Part:
    """The part's result, with the step done to it."""
    bare = step.code.startswith(("min(", "max("))
    code = part.code if bare or not needs_brackets(part.code, step.loose) else f"({part.code})"
    words = tuple(step.words.format(e=bracketed(text, step.loose)) for text in part.words)
    fn = lambda *x: step.fn(part.fn(*x))  # noqa: E731
    return Part(
        f"{part.id}>{step.id}", fn, step.code.format(e=code), words, f"{part.slug}_{step.slug}".replace("-", "minus_")
    )


def needs_brackets(code: str, loose: bool) -> bool:
    """Whether an expression must stand in brackets before another operator binds it.

    >>> needs_brackets("x + 1", True), needs_brackets("x + 1", False), needs_brackets("abs(x)", False)
    (False, True, False)
    """
    node = ast.parse(code, mode="eval").body
    if loose and isinstance(node, (ast.BinOp, ast.UnaryOp)):
        return False
    return not isinstance(node, (ast.Name, ast.Call, ast.Subscript, ast.Attribute, ast.Constant))


def bracketed(words: str, loose: bool) -> str:
    """The words, in brackets where what follows or precedes them could be taken for a part of them.

    >>> bracketed("it times 3", True), bracketed("it times 3", False), bracketed("10 minus it", True)
    ('it times 3', '(it times 3)', '(10 minus it)')
    """
    sums = re.search(r"\b(plus|minus|and)\b|,|rounded down", words)
    return f"({words})" if sums or (not loose and " times " in words) else words
