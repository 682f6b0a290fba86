"""Families over named numbers: records, dictionaries, parsed text, tallies and groups."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from hornbook.synthesis.families.base import Choice, Family, Part, gather, lines, named
from hornbook.synthesis.families.ints import MAPS, PREDICATES, SELF, SUMMARIES
from hornbook.synthesis.families.texts import TEXT_FOLDS, WORD_MAPS, WORD_PREDICATES

RECORDS = Family(
    name="records",
    slots={"fold": TEXT_FOLDS, "map": WORD_MAPS, "pred": PREDICATES},
    args="scores: list[tuple[str, int]]",
    kind="records",
    title="{fold}_{map}_names_if_{pred}",
    sayings=(
        "For each name in scores whose score {pred}, take {map}. Return {fold}.",
        "Keep the names in scores whose score {pred}, turn each into {map} and return {fold}.",
    ),
    body=lambda p: gather(p.fold, "for w, x in scores:", p.pred.code, p.map.code),
    reference=lambda p: lambda scores: p.fold.fn([p.map.fn(s[0]) for s in scores if p.pred.fn(s[1])]),
    returns=lambda p: p.fold.returns,
)

# a key made of a name
KEYS: tuple[Part, ...] = (
    named("name", lambda w: w, "w", "the name"),
    named("upper", lambda w: "".join(chr(ord(c) - 32) for c in w), "w.upper()", "the name in upper case"),
    named("capital", lambda w: w[0].upper() + w[1:], "w.capitalize()", "the name capitalized"),
    named("mirror", lambda w: "".join(reversed(w)), "w[::-1]", "the name reversed"),
    named("shout", lambda w: f"{w}!", 'w + "!"', 'the name followed by "!"'),
)

DICTIONARY = Family(
    name="dictionary",
    slots={"map": MAPS, "pred": PREDICATES, "key": KEYS},
    args="scores: dict[str, int]",
    kind="dictionary",
    title="{key}_to_{map}_if_{pred}",
    sayings=(
        "Keep the scores that {preds}, turn each into {map} and return a dict with {key} as key.",
        "For each of the scores that {pred}, take {map}. Return a dict from {key} to this.",
    ),
    also={
        "loop": lambda p: lines(
            "found = {}",
            "for w, x in scores.items():",
            f"    if {p.pred.code}:",
            f"        found[{p.key.code}] = {p.map.code}",
            "return found",
        )
    },
    body=lambda p: f"return {{{p.key.code}: {p.map.code} for w, x in scores.items() if {p.pred.code}}}",
    reference=lambda p: lambda scores: {p.key.fn(w): p.map.fn(scores[w]) for w in scores if p.pred.fn(scores[w])},
    returns=lambda _: "dict[str, int]",
)


def parsed(text: str) -> list[tuple[str, int]]:
    """The pairs of a text such as "a=1,b=2"."""
    sides = [piece.partition("=") for piece in text.split(",")]
    return [(left, int(right)) for left, _, right in sides]


PARSE_VALUES = Family(
    name="parse_values",
    slots={"fold": SUMMARIES, "map": MAPS, "pred": PREDICATES},
    args="text: str",
    kind="assignments",
    title="{fold}_parsed_{map}_if_{pred}",
    sayings=(
        "The text is like a=1,b=2. For each number in it that {pred}, take {map}. Return {fold}.",
        "Read a text like a=1,b=2. Keep the numbers that {preds}, turn each into {map} and return {fold}.",
    ),
    body=lambda p: gather(
        p.fold, 'for part in text.split(","):', p.pred.code, p.map.code, 'x = int(part.split("=")[1])'
    ),
    reference=lambda p: lambda text: p.fold.fn([p.map.fn(x) for _, x in parsed(text) if p.pred.fn(x)]),
    returns=lambda p: p.fold.returns,
)

PARSE_DICT = Family(
    name="parse_dict",
    slots={"map": MAPS, "pred": PREDICATES},
    args="text: str",
    kind="assignments",
    title="parsed_{map}_if_{pred}",
    sayings=(
        "The text is like a=1,b=2. For each number in it that {pred}, take {map}. Return a dict.",
        "Read a text like a=1,b=2. Keep the numbers that {preds}, turn each into {map} and return a dict.",
    ),
    body=lambda p: lines(
        "found = {}",
        'for part in text.split(","):',
        '    key, value = part.split("=")',
        "    x = int(value)",
        f"    if {p.pred.code}:",
        f"        found[key] = {p.map.code}",
        "return found",
    ),
    also={
        "comprehension": lambda p: lines(
            'pairs = [part.split("=") for part in text.split(",")]',
            f"return {{key: {p.map.code} for key, value in pairs for x in [int(value)] if {p.pred.code}}}",
        )
    },
    reference=lambda p: lambda text: {w: p.map.fn(x) for w, x in parsed(text) if p.pred.fn(x)},
    returns=lambda _: "dict[str, int]",
)

# what a tally holds for each key
TALLIES: tuple[Part, ...] = (
    named("count", len, "found[k] = found.get(k, 0) + 1", "the number of them"),
    named("total", sum, "found[k] = found.get(k, 0) + x", "the sum of them"),
    named("group", list, "found.setdefault(k, []).append(x)", "a list of them"),
    named("final", lambda xs: xs[-1], "found[k] = x", "the last of them"),
)


def grouped(items: list[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    """The items by key, in their order."""
    return {k: [*group] for k, group in groupby(sorted(items, key=key), key)}


COLLECTORS = {
    "count": ("int", "found[{k}] += 1"),
    "total": ("int", "found[{k}] += x"),
    "group": ("list", "found[{k}].append(x)"),
}


def defaulted(p: Choice) -> str:
    """The tally with a dictionary that has a default; empty for the last of them, which takes none."""
    if p.tally.id not in COLLECTORS:
        return ""
    kind, step = COLLECTORS[p.tally.id]
    return lines(
        f"found = defaultdict({kind})",
        "for x in values:",
        f"    if {p.pred.code}:",
        f"        {step.format(k=p.map.code)}",
        "return dict(found)",
    )


TALLY_MAPS = tuple(part for part in MAPS if part is not SELF)

TALLY = Family(
    name="tally",
    slots={"tally": TALLIES, "map": TALLY_MAPS, "pred": PREDICATES},
    args="values: list[int]",
    kind="ints",
    title="{tally}_by_{map}_if_{pred}",
    sayings=(
        "Group each number in values that {pred} by {map}. Return a dict from this to {tally}.",
        "For each number in values that {pred}, take {map} as key. Return a dict from key to {tally}.",
    ),
    body=lambda p: lines(
        "found = {}",
        "for x in values:",
        f"    if {p.pred.code}:",
        f"        k = {p.map.code}",
        f"        {p.tally.code}",
        "return found",
    ),
    also={"library": defaulted},
    reference=lambda p: (
        lambda values: {k: p.tally.fn(xs) for k, xs in grouped([*filter(p.pred.fn, values)], p.map.fn).items()}
    ),
    returns=lambda p: "dict[int, list[int]]" if p.tally.id == "group" else "dict[int, int]",
)

WORD_KEYS: tuple[Part, ...] = (
    *(part for part in WORD_MAPS if part.id in ("initial", "final", "start2")),
    Part("length", len, "len(w)", ("its length",), "length"),
    Part(
        "vowels",
        lambda w: sum(map(w.count, "aeiou")),
        'sum(c in "aeiou" for c in w)',
        ("its number of vowels",),
        "vowels",
    ),
)


def word_groups(p: Choice) -> Callable[[list[str]], dict[Any, list[str]]]:
    """What a word grouping means."""
    return lambda words: {
        k: [p.map.fn(w) for w in ws] for k, ws in grouped([*filter(p.pred.fn, words)], p.key.fn).items()
    }


WORD_GROUPS = Family(
    name="word_groups",
    slots={"key": WORD_KEYS, "map": WORD_MAPS, "pred": WORD_PREDICATES},
    args="words: list[str]",
    kind="words",
    title="{map}_by_{key}_if_{pred}",
    sayings=(
        "Group each word in words that {pred} by {key}. In the groups, put {map}.",
        "For each word in words that {pred}, take {key} as key. Return a dict from key to a list with {map}.",
    ),
    body=lambda p: lines(
        "found = {}",
        "for w in words:",
        f"    if {p.pred.code}:",
        f"        found.setdefault({p.key.code}, []).append({p.map.code})",
        "return found",
    ),
    also={
        "library": lambda p: lines(
            "found = defaultdict(list)",
            "for w in words:",
            f"    if {p.pred.code}:",
            f"        found[{p.key.code}].append({p.map.code})",
            "return dict(found)",
        )
    },
    reference=word_groups,
    returns=lambda p: "dict[int, list[str]]" if p.key.id in ("length", "vowels") else "dict[str, list[str]]",
)
