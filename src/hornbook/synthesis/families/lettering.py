"""More maps of words and characters: longer and shorter pieces, repeats, marks, and a second map of the result."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from hornbook.synthesis.families.base import Part, named


def head(k: int) -> Part:
    """Its first k letters."""
    return named(f"start{k}", lambda w: "".join([*w][:k]), f"w[:{k}]", f"its first {k} letters")


def rest(k: int) -> Part:
    """All but its first k letters."""
    return named(f"from{k}", lambda w: "".join([*w][k:]), f"w[{k}:]", f"it without its first {k} letters")


def ends(k: int) -> Part:
    """Its last k letters."""
    return named(f"last{k}", lambda w: w[max(len(w) - k, 0) :], f"w[-{k}:]", f"its last {k} letters")


def written(k: int) -> Part:
    """k times in a row."""
    return named(f"times{k}", lambda w: "".join([w] * k), f"w * {k}", f"it written {k} times")


MARK_NAMES = {
    "?": "ask",
    ".": "dot",
    "*": "star",
    "#": "hash",
    "+": "cross",
    "=": "equals",
    "/": "slash",
    ":": "colon",
    "_": "line",
    "!": "shout",
}


def followed(c: str) -> Part:
    """It with that mark after it."""
    return named(f"before_{MARK_NAMES[c]}", lambda w: f"{w}{c}", f'w + "{c}"', f'it followed by "{c}"')


def led(c: str) -> Part:
    """It with that mark before it."""
    return named(f"after_{MARK_NAMES[c]}", lambda w: f"{c}{w}", f'"{c}" + w', f'it after "{c}"')


def swapped(a: str, b: str) -> Part:
    """It with one letter in place of another."""
    words = f'it with "{b}" in place of each "{a}"'
    slug = f"{MARK_NAMES.get(b, b)}_for_{a}"
    return named(slug, lambda w: b.join(w.split(a)), f'w.replace("{a}", "{b}")', words)


Restyling = tuple[str, Callable[[str], str], str, str]  # slug, meaning, what is put after the code, after the words


def repeated(k: int) -> Restyling:
    """k times in a row."""
    return f"times{k}", lambda t: "".join([t] * k), f" * {k}", f"written {k} times"


def marked(c: str) -> Restyling:
    """With that mark after it."""
    return f"and_{MARK_NAMES[c]}", lambda t: f"{t}{c}", f' + "{c}"', f'followed by "{c}"'


RESTYLINGS: tuple[Restyling, ...] = (
    ("upper", lambda t: "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in t), ".upper()", "in upper case"),
    ("capital", lambda t: t[:1].upper() + t[1:].lower(), ".capitalize()", "capitalized"),
    ("mirror", lambda t: "".join(reversed(t)), "[::-1]", "reversed"),
    *map(repeated, (2, 3)),
    *map(marked, MARK_NAMES),
)


def restyled(parts: Sequence[Part]) -> Iterator[Part]:
    """Every map of a word, and then a second one of its result."""
    for part in parts:
        if part.id != "plain":
            yield from (again(part, restyling) for restyling in RESTYLINGS)


def again(part: Part, restyling: Restyling) -> Part:
    """The map's result, mapped once more."""
    name, fn, suffix, words = restyling
    code = part.code if re.fullmatch(r"w(\[.*\])?(\.\w+\(.*\))?", part.code) else f"({part.code})"
    slug, told = f"{part.id}_{name}", f"{part.words[0]}, {words}"
    return named(slug, lambda w: fn(part.fn(w)), f"{code}{suffix}", told)


def times(k: int) -> Part:
    """Written k times."""
    return named(f"times{k}", lambda c: "".join([c] * k), f"c * {k}", f"it written {k} times")


def char_followed(mark: str) -> Part:
    """It with that mark after it."""
    return named(f"before_{MARK_NAMES[mark]}", lambda c: f"{c}{mark}", f'c + "{mark}"', f'it followed by "{mark}"')


def char_led(mark: str) -> Part:
    """It with that mark before it."""
    return named(f"after_{MARK_NAMES[mark]}", lambda c: f"{mark}{c}", f'"{mark}" + c', f'it after "{mark}"')


def char_between(mark: str) -> Part:
    """It between two of that mark."""
    words = f'it between two "{mark}"'
    return named(f"in_{MARK_NAMES[mark]}", lambda c: mark.join(["", c, ""]), f'"{mark}" + c + "{mark}"', words)


def later(k: int) -> Part:
    """The character k places on."""
    words = f"the character {k} places after it in Unicode"
    return named(f"later{k}", lambda c: chr(ord(c) + k), f"chr(ord(c) + {k})", words)
