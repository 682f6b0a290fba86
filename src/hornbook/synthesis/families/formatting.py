"""Families that lay out text: aligned rows, wrapped lines, numbered lists, underlined headings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbook.synthesis.families.base import Choice, Family, Part, lines
from hornbook.synthesis.families.ints import PREDICATES
from hornbook.synthesis.families.literals import SEPARATORS, about, numbers, texts
from hornbook.synthesis.families.texts import WORD_MAPS, WORD_PREDICATES


def filled(text: str, width: int, fill: str, side: str) -> str:
    """The text made so wide, one filling at a time."""
    while len(text) < width:
        text = text + fill if side == "left" else fill + text
    return text


FILLS = texts(dot=".", line="_", dash="-", star="*", hash="#", equal="=", colon=":", tilde="~")
NAME_SIDES: tuple[Part, ...] = (
    Part("left", lambda: "left", "ljust", ("left",), "left"),
    Part("right", lambda: "right", "rjust", ("right",), "right"),
)


def aligned(p: Choice) -> Callable[[list[tuple[str, int]]], str]:
    """What laying out rows means."""

    def row(name: str, score: int) -> str:
        left = filled(name, p.width.value, p.fill.value, p.side.fn())
        return f"{left}{p.sep.value}" + filled(f"{score}", p.places.value, " ", "right")

    return lambda scores: "\n".join(row(name, x) for name, x in scores if p.pred.fn(x))


ALIGNED = Family(
    name="aligned",
    slots={
        "pred": PREDICATES,
        "width": numbers(range(7, 13)),
        "side": NAME_SIDES,
        "fill": FILLS,
        "sep": SEPARATORS,
        "places": numbers((3, 4, 5)),
    },
    args="scores: list[tuple[str, int]]",
    kind="records",
    title="rows_{side}_{width}_{fill}_{sep}_{places}_if_{pred}",
    sayings=(
        "Make one line for each name and score, if the score {pred}: the name, aligned to the {side} in {width} "
        "characters and filled up with {fill}; then {sep}; then the score, aligned to the right in {places} characters "
        "and filled up with spaces. Return the lines joined by newlines.",
        "Write the pairs in scores whose score {pred} as a table, one line each, joined by newlines. A line is the "
        "name, "
        "padded with {fill} to {width} characters so that it stands on the {side}, followed by {sep} and by the score, "
        "padded on its left with spaces to {places} characters.",
    ),
    body=lambda p: lines(
        "rows = []",
        "for name, x in scores:",
        f"    if {p.pred.code}:",
        f"        left = name.{p.side.code}({p.width.code}, {p.fill.code})",
        f"        rows.append(left + {p.sep.code} + str(x).rjust({p.places.code}))",
        r'return "\n".join(rows)',
    ),
    reference=aligned,
    returns=lambda _: "str",
)


def wrapped(p: Choice) -> Callable[[list[str]], list[str]]:
    """What wrapping means: the longest start of the words that fits, then the rest."""

    def split(words: list[str]) -> list[str]:
        if not words:
            return []
        fits = [n for n in range(1, len(words) + 1) if len(p.sep.value.join(words[:n])) <= p.width.value]
        n = max([1, *fits])
        return [p.sep.value.join(words[:n]), *split(words[n:])]

    return lambda words: [p.mark.value + line for line in split([p.map.fn(w) for w in words if p.pred.fn(w)])]


WRAPPED = Family(
    name="wrapped",
    slots={
        "width": numbers(range(8, 19)),
        "sep": texts(space=" ", dash="-", slash="/", comma=",", comma_space=", ", spaced_bar=" | "),
        "mark": texts(quote="> ", star="* ", dash="- ", hash="# ", bar="| ", dots=".. "),
        "map": about(
            (part for part in WORD_MAPS if part.id in ("plain", "upper", "capital", "mirror", "shout", "twice")),
            "the word",
        ),
        "pred": WORD_PREDICATES,
    },
    args="words: list[str]",
    kind="many_words",
    title="wrap_{map}_{width}_{sep}_{mark}_if_{pred}",
    sayings=(
        "Put together lines from the words that {preds}, taking for each {map}. A line holds as many words, joined by "
        "{sep}, as fit into {width} characters, and at least one. At the end put {mark} in front of every line; this "
        "does not count for the width. Return the list of lines.",
        "Wrap words into lines of at most {width} characters (a longer word gets its own line). Use only words that "
        "{preds} and write {map}; between words of a line stands {sep}. Fill each line before the next. Return the "
        "lines as a list, each with {mark} added at its front, which the {width} characters do not include.",
    ),
    body=lambda p: lines(
        "rows = []",
        "for w in words:",
        f"    if {p.pred.code}:",
        *([f"        w = {p.map.code}"] if p.map.id != "plain" else []),
        f"        if rows and len(rows[-1] + {p.sep.code} + w) <= {p.width.code}:",
        f"            rows[-1] += {p.sep.code} + w",
        "        else:",
        "            rows.append(w)",
        f"return [{p.mark.code} + row for row in rows]",
    ),
    reference=wrapped,
    returns=lambda _: "list[str]",
)

STYLES: tuple[Part, ...] = (
    Part("plain", lambda n: f"{n}", "str(n)", ("as it is",), "plain"),
    Part("two", lambda n: filled(f"{n}", 2, "0", "right"), "str(n).zfill(2)", ("with zeros in front, to 2 digits",),
         "2"),
    Part("three", lambda n: filled(f"{n}", 3, "0", "right"), "str(n).zfill(3)", ("with zeros in front, to 3 digits",),
         "3"),
    Part("hex", lambda n: "".join("0123456789abcdef"[n >> s & 15] for s in (8, 4, 0)).lstrip("0") or "0",
         'f"{n:x}"', ("in hexadecimal, in lower case",), "hex"),
    Part("binary", lambda n: "".join(str(n >> s & 1) for s in range(11, -1, -1)).lstrip("0") or "0", 'f"{n:b}"',
         ("in binary",), "binary"),
    Part("paren", lambda n: "(" + str(n) + ")", 'f"({n})"', ("in parentheses",), "paren"),
    Part("hash", lambda n: "#" + str(n), 'f"#{n}"', ("after a #",), "hash"),
)  # fmt: skip


def listed(p: Choice) -> Callable[[list[str]], Any]:
    """What numbering means."""

    def function(words: list[str]) -> Any:
        chosen = [p.map.fn(w) for w in words if p.pred.fn(w)]
        marks = [p.style.fn(p.start.value + p.step.value * i) for i in range(len(chosen))]
        return [marks[i] + p.sep.value + chosen[i] for i in range(len(chosen))]

    return function


NUMBERED = Family(
    name="numbered",
    slots={
        "style": STYLES,
        "start": numbers(range(1, 10)),
        "step": numbers(range(1, 6)),
        "sep": SEPARATORS,
        "map": about((part for part in WORD_MAPS if part.id not in ("twice", "start2", "trimmed")), "the word"),
        "pred": WORD_PREDICATES,
    },
    args="words: list[str]",
    kind="many_words",
    title="number_{style}_{start}_by_{step}_{sep}_{map}_if_{pred}",
    sayings=(
        "Give numbers to the words that {preds}: {start} to the first, and to each next one {step} more. Return a list "
        "with one text for each: the number {style}, then {sep}, then {map}.",
        "Of all words, take those that {preds} and number them from {start} upwards in steps of {step}. In the list to "
        "return each is a text made of the number, written {style}, of {sep}, and of {map}.",
    ),
    body=lambda p: lines(
        f"n = {p.start.code}",
        "found = []",
        "for w in words:",
        f"    if {p.pred.code}:",
        f"        found.append({p.style.code} + {p.sep.code} + {p.map.code})",
        f"        n += {p.step.code}",
        "return found",
    ),
    reference=listed,
    returns=lambda _: "list[str]",
)
