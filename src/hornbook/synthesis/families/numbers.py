"""Families over one number: its digits, its label."""

from __future__ import annotations

from dataclasses import dataclass

from hornbook.synthesis.families.base import Family, Part, each, each_more, gather, lines
from hornbook.synthesis.families.ints import DIGIT_MAPS, DIGIT_PREDICATES, FOLDS, PREDICATES

DIGITS = Family(
    name="digits",
    slots={"fold": FOLDS, "map": DIGIT_MAPS, "pred": DIGIT_PREDICATES},
    args="n: int",
    kind="natural",
    title="digit_{fold}_{map}_if_{pred}",
    sayings=each("digit of n"),
    more=each_more("digit of n"),
    body=lambda p: gather(p.fold, "for x in map(int, str(n)):", p.pred.code, p.map.code),
    reference=lambda p: lambda n: p.fold.fn([p.map.fn(x) for x in (ord(c) - 48 for c in str(n)) if p.pred.fn(x)]),
)


@dataclass(frozen=True, slots=True)
class Labels(Part):
    """Three labels: for what passes the first test, the second, or neither."""

    names: tuple[str, ...] = ()


def labels(*names: str) -> Labels:
    """The part made of these labels."""
    return Labels("/".join(names), lambda: names, "", ("",), "_".join(names), names)


LABELS = (
    labels("red", "green", "blue"),
    labels("low", "high", "other"),
    labels("yes", "maybe", "no"),
    labels("keep", "check", "drop"),
    labels("left", "right", "stay"),
)

CLASSIFY = Family(
    name="classify",
    slots={"first": PREDICATES, "second": PREDICATES, "tags": LABELS},
    args="x: int",
    kind="number",
    title="{tags}_by_{first}_{second}",
    sayings=(
        "Return '{p.tags.names[0]}' if x {first}, else '{p.tags.names[1]}' if x {second}, else '{p.tags.names[2]}'.",
        "Label x '{p.tags.names[0]}' when it {first}, '{p.tags.names[1]}' when it {second}, "
        "and '{p.tags.names[2]}' otherwise.",
    ),
    body=lambda p: lines(
        f"if {p.first.code}:",
        f'    return "{p.tags.names[0]}"',
        f"if {p.second.code}:",
        f'    return "{p.tags.names[1]}"',
        f'return "{p.tags.names[2]}"',
    ),
    also={
        "expression": lambda p: (
            f'return "{p.tags.names[0]}" if {p.first.code} else "{p.tags.names[1]}" if {p.second.code} '
            f'else "{p.tags.names[2]}"'
        )
    },
    reference=lambda p: lambda x: p.tags.names[0 if p.first.fn(x) else 1 if p.second.fn(x) else 2],
    returns=lambda _: "str",
    allowed=lambda p: p.first.id != p.second.id,
)
