"""Families of text as data: durations, rows with errors, settings, numbers in a note."""

from __future__ import annotations

from collections.abc import Callable

from hornbook.synthesis.families.base import Choice, Family, Part, gather, lines
from hornbook.synthesis.families.ints import MAPS, PREDICATES
from hornbook.synthesis.families.literals import about, numbers
from hornbook.synthesis.families.results import DETAILED

DIGITS = "0123456789"


def spelled(text: str) -> list[tuple[int, str]]:
    """The numbers of a text, each with the character after it."""
    found, number = [], ""
    for c in f"{text} ":
        if c in DIGITS:
            number += c
        elif number:
            found.append((int(number), c))
            number = ""
    return found


ROUNDINGS: tuple[Part, ...] = (
    Part("up", lambda x, k: x + -x % k, "-(-minutes // {k}) * {k}", ("up",), "up"),
    Part("down", lambda x, k: x - x % k, "minutes // {k} * {k}", ("down",), "down"),
)


def worked(p: Choice) -> Callable[[str], int]:
    """What the pay for a duration means."""
    minutes = {"d": 60 * p.day.value, "h": 60, "m": 1}

    def function(text: str) -> int:
        total = p.rounding.fn(sum(n * minutes[unit] for n, unit in spelled(text)), p.block.value)
        pay: int = p.fee.value + total * p.rate.value
        return pay

    return function


WORKED_TIME = Family(
    name="worked_time",
    slots={
        "day": numbers(range(5, 13)),
        "block": numbers((2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
        "rounding": ROUNDINGS,
        "rate": numbers(range(2, 14)),
        "fee": numbers(range(0, 150, 5)),
    },
    args="text: str",
    kind="durations",
    title="pay_{day}_hour_days_{rounding}_to_{block}_at_{rate}_plus_{fee}",
    sayings=(
        "A duration such as 2d 3h 15m has parts for working days, hours and minutes, any of which may be missing; a "
        "working day has {day} hours. Find the minutes, round them {rounding} to a multiple of {block}, and return the "
        "pay: {fee} plus {rate} for each minute.",
        "Read a text like 1d 20m or 4h, in which d stands for a day of {day} hours, h for an hour and m for a minute. "
        "Turn it into minutes, rounded {rounding} to a multiple of {block}. Return {rate} times that, plus {fee}.",
    ),
    body=lambda p: lines(
        f'worth = {{"d": {60 * p.day.value}, "h": 60, "m": 1}}',
        "minutes = 0",
        "for part in text.split():",
        "    minutes += int(part[:-1]) * worth[part[-1]]",
        f"minutes = {p.rounding.code.format(k=p.block.code)}",
        f"return {p.fee.code} + {p.rate.code} * minutes" if p.fee.value else f"return {p.rate.code} * minutes",
    ),
    reference=worked,
)


FAULTS: tuple[Part, ...] = (
    Part("skip", lambda _: [], "continue", ("is skipped",), "skipped"),
    *(
        Part(
            f"as:{k}", lambda _, k=k: [k], f"x = {k}", (f"counts as the number {k}",), f"as_{k}".replace("-", "minus_")
        )
        for k in (0, 1, 2, 3, 5, 6, 7, 10, 20, 50)
    ),
    Part("length", lambda text: [len(text)], "x = len(text)", ("counts as its length in characters",), "as_length"),
)


def whole(text: str) -> list[int]:
    """The whole number that the text spells, if it does."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    return [sign * int(digits)] if digits and set(digits) <= set(DIGITS) else []


READINGS = Family(
    name="readings",
    slots={"fault": FAULTS, "pred": PREDICATES, "map": about(MAPS, "the number"), "fold": DETAILED},
    args="texts: list[str]",
    kind="readings",
    title="{fold}_of_readings_{map}_faults_{fault}_if_{pred}",
    sayings=(
        "Each text should spell a whole number. One that does not {fault}. Of the numbers thus had, only those that "
        "{preds} matter; the result of each is {map}. Return {fold}.",
        "Turn each of texts into a number with int; a text for which this fails {fault}. For each number that {pred}, "
        "in order, the result is {map}. Return {fold}.",
    ),
    body=lambda p: lines(
        "found = []",
        "for text in texts:",
        "    try:",
        "        x = int(text)",
        "    except ValueError:",
        f"        {p.fault.code}",
        f"    if {p.pred.code}:",
        f"        found.append({p.map.code})",
        f"return {p.fold.code}",
    ),
    reference=lambda p: (
        lambda texts: p.fold.fn(
            [p.map.fn(x) for text in texts for x in whole(text) or p.fault.fn(text) if p.pred.fn(x)]
        )
    ),
    returns=lambda p: p.fold.returns,
)


REPEATS: tuple[Part, ...] = (
    Part("latest", lambda v: [*v].pop(), "x", ("the latest replaces the earlier ones",), "latest"),
    Part("first", lambda v: next(iter(v)), "found.get(name, x)", ("the first stays",), "first"),
    Part("sum", lambda v: sum(v), "found.get(name, 0) + x", ("they are added up",), "sum"),
    Part("largest", lambda v: sorted(v)[-1], "max(found.get(name, x), x)", ("the largest stays",), "largest"),
    Part("smallest", lambda v: sorted(v)[0], "min(found.get(name, x), x)", ("the smallest stays",), "smallest"),
    Part("swing", lambda v: sum(x * (-1) ** i for i, x in enumerate(v[::-1])), "x - found.get(name, 0)",
         ("each later one becomes itself minus what was there",), "swing"),
)  # fmt: skip


CASES: tuple[Part, ...] = (
    Part("stripped", lambda name: name, "name.strip()", ("as it is",), "plain"),
    Part("lower", lambda name: "".join(chr(ord(c) | 32) for c in name), "name.strip().lower()", ("in lower case",),
         "lower"),
    Part("upper", lambda name: "".join(chr(ord(c) & ~32) for c in name), "name.strip().upper()", ("in upper case",),
         "upper"),
    Part("initial", lambda name: next(iter(name)), "name.strip()[0]", ("cut to its first letter",), "initial"),
    Part("mirror", lambda name: "".join(reversed(name)), "name.strip()[::-1]", ("read backwards",), "mirror"),
)  # fmt: skip


def settings(p: Choice) -> Callable[[list[str]], dict[str, int]]:
    """What reading settings means."""

    def function(rows: list[str]) -> dict[str, int]:
        pairs = [row.replace(" ", "").split(":") for row in rows if ":" in row and "#" not in row.split(":")[0]]
        entries = [(p.key.fn(name), p.map.fn(int(x))) for name, x in pairs if p.pred.fn(int(x))]
        return {name: p.again.fn([x for other, x in entries if other == name]) for name, _ in entries}

    return function


SETTINGS = Family(
    name="settings",
    slots={"key": CASES, "pred": PREDICATES, "map": about(MAPS, "the number"), "again": REPEATS},
    args="rows: list[str]",
    kind="settings",
    title="settings_{map}_if_{pred}_{key}_keep_{again}",
    sayings=(
        "A row is a setting like size: 12, perhaps with more spaces, or else to be ignored: a comment that starts with "
        "#, or a row without a colon. Of the settings whose number {pred}, return a dict from name, {key}, to value, "
        "which is {map}. If a name has several values, {again}.",
        "Read settings from rows of the form name: number. Spaces around name and number do not matter; rows that "
        "start "
        "with # or have no colon are passed over, and so are settings unless the number {pred}. The value is {map}, "
        "and "
        "the name is taken {key}. For a name that comes again, {again}. Return a dict.",
    ),
    body=lambda p: lines(
        "found = {}",
        "for row in rows:",
        '    if ":" not in row or row.startswith("#"):',
        "        continue",
        '    name, number = row.split(":")',
        f"    name, x = {p.key.code}, int(number)",
        f"    if {p.pred.code}:",
        *([f"        x = {p.map.code}"] if p.map.id != "self" else []),
        f"        found[name] = {p.again.code}",
        "return found",
    ),
    reference=settings,
    returns=lambda _: "dict[str, int]",
)


def pattern(name: str, fn: Callable[[str], list[int]], code: str, words: str) -> Part:
    """Which numbers are read from a text."""
    return Part(name, fn, f'r"{code}"', (words,), name)


def matched(text: str, before: str, after: str) -> list[int]:
    """The numbers of a text that stand between such characters."""
    found = []
    for start, c in enumerate(text):
        if c in DIGITS and (not start or text[start - 1] not in DIGITS):
            stop = next((i for i in range(start, len(text)) if text[i] not in DIGITS), len(text))
            if text[:start].endswith(before) and text[stop:].startswith(after):
                found.append(int(text[start:stop]))
    return found


PATTERNS: tuple[Part, ...] = (
    pattern("runs", lambda text: matched(text, "", ""), r"\d+", "every run of digits, as long as possible,"),
    pattern("digits", lambda text: [int(c) for c in text if c in DIGITS], r"\d", "every single digit"),
    pattern("hashed", lambda text: matched(text, "#", ""), r"#(\d+)", "every run of digits directly after a #"),
    pattern("equals", lambda text: matched(text, "=", ""), r"=(\d+)", "every run of digits directly after a ="),
    pattern("percent", lambda text: matched(text, "", "%"), r"(\d+)%", "every run of digits directly before a %"),
)


NUMBERS_IN_TEXT = Family(
    name="numbers_in_text",
    slots={"pattern": PATTERNS, "pred": PREDICATES, "map": about(MAPS, "the number"), "fold": DETAILED},
    args="text: str",
    kind="notes",
    title="{fold}_of_{pattern}_{map}_if_{pred}",
    sayings=(
        "In text, {pattern} spells a number. Go through them from left to right. For each number that {pred}, the "
        "result is {map}. Return {fold}.",
        "Read numbers from text: {pattern} is one. Of these, keep the ones that {preds}, in their order; the result of "
        "each is {map}. Return {fold}.",
    ),
    body=lambda p: gather(p.fold, f"for x in map(int, re.findall({p.pattern.code}, text)):", p.pred.code, p.map.code),
    reference=lambda p: lambda text: p.fold.fn([p.map.fn(x) for x in p.pattern.fn(text) if p.pred.fn(x)]),
    returns=lambda p: p.fold.returns,
    imports="import re\n\n\n",
)
