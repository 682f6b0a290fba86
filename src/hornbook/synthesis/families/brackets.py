"""A family of characters inside of parentheses."""

from __future__ import annotations

from collections.abc import Callable

from hornbook.synthesis.families.base import Choice, Family, Part, lines, named
from hornbook.synthesis.families.literals import SEPARATORS, about
from hornbook.synthesis.families.results import conjunct
from hornbook.synthesis.families.texts import CHAR_MAPS, CHAR_PREDICATES


# how many pairs a character stands in
def at_least(k: int) -> Part:
    """In so many pairs or more."""
    return named(f"least_{k}", lambda n: n in range(k, 99), f"depth >= {k}", f"at least {k}")


def exactly(k: int) -> Part:
    """In so many pairs."""
    return named(f"just_{k}", lambda n: not n - k, f"depth == {k}", f"exactly {k}")


DEPTHS: tuple[Part, ...] = (
    *map(at_least, (1, 2)),
    *map(exactly, (0, 1, 2)),
    named("even", lambda n: n in (0, 2, 4, 6, 8), "depth % 2 == 0", "an even number (0 included)"),
    named("most_1", lambda n: n in (0, 1), "depth <= 1", "at most 1"),
)


def inside(p: Choice) -> Callable[[str], str]:
    """What standing in parentheses means, counted from the left for each character."""

    def depths(text: str, i: int) -> int:
        return text[:i].count("(") - text[: i + 1].count(")")

    return lambda text: str(p.sep.value).join(
        p.map.fn(c) for i, c in enumerate(text) if p.depth.fn(depths(text, i)) and p.pred.fn(c)
    )


INSIDE = Family(
    name="inside",
    slots={"depth": DEPTHS, "pred": CHAR_PREDICATES, "map": about(CHAR_MAPS, "the character"), "sep": SEPARATORS},
    args="text: str",
    kind="parentheses",
    title="inside_{depth}_{map}_if_{pred}_with_{sep}",
    sayings=(
        "The parentheses in text are balanced. Take the characters that stand inside {depth} of the pairs; a "
        "parenthesis itself does not count as inside of its own pair. For each one that {pred}, the result is {map}. "
        "Return the results in order, joined by {sep}.",
        "For every character of text count the pairs of parentheses around it, where a parenthesis is not inside the "
        "pair it belongs to; all pairs are complete. If their number is {depth}, a character that {pred} gives "
        "{map}, others give nothing. Join these with {sep}, in their order.",
    ),
    body=lambda p: lines(
        "depth = 0",
        "found = []",
        "for c in text:",
        '    if c == ")":',
        "        depth -= 1",
        f"    if {p.depth.code} and {conjunct(p.pred.code)}:",
        f"        found.append({p.map.code})",
        '    if c == "(":',
        "        depth += 1",
        f"return {p.sep.code}.join(found)",
    ),
    reference=inside,
    returns=lambda _: "str",
)
