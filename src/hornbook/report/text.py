"""Numbers and texts for people: how a figure, an interval or an excerpt is written down."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from hornbook.progress import duration

MINUS = "−"
NONE = "–"
LONGEST_LINE = 160
BITS_DIGITS = 3
KNOWN_WORDS = {"ngram": "shared n-gram", "syntax": "alike syntax tree", "invalid-utf8": "invalid UTF-8"}

Estimate = Mapping[str, float]  # value, low, high


def count(value: float | None) -> str:
    """A whole number with thousands separated.

    >>> count(12345)
    '12,345'
    """
    return NONE if value is None else f"{value:,.0f}"


def minus(text: str) -> str:
    """A formatted number with a real minus sign, and none before zero."""
    bare = text.removeprefix("-")
    return bare if not re.search("[1-9]", bare) else text.replace("-", MINUS)


def decimal(value: float | None, digits: int = BITS_DIGITS) -> str:
    """A number to so many digits; a dash where there is none."""
    return NONE if value is None else minus(f"{value:.{digits}f}")


def percent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage, with a no-break space.

    >>> percent(0.3667)
    '36.7\\xa0%'
    """
    return NONE if share is None else f"{minus(f'{100 * share:.{digits}f}')}\u00a0%"


def size(count_bytes: float | None) -> str:
    """Bytes for people, in powers of ten."""
    if count_bytes is None:
        return NONE
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count_bytes >= scale:
            return f"{count_bytes / scale:,.1f} {unit}"
    return f"{count_bytes:.0f} bytes"


def seconds(value: float | None) -> str:
    """A duration for people; a dash where there is none."""
    return NONE if value is None else duration(value)


def tokens(value: float | None) -> str:
    """A number of tokens, short.

    >>> tokens(1_250_000), tokens(87_000), tokens(912)
    ('1.25 M', '87 k', '912')
    """
    if value is None:
        return NONE
    for unit, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value:.0f}"


def measure_value(measure: str, value: float | None) -> str:
    """A value of a measure: bits per byte as a number, every other as a percentage."""
    return decimal(value) if measure == "bits_per_byte" else percent(value)


def measure_interval(measure: str, estimate: Estimate) -> str:
    """The interval of an estimate: `1.201 to 1.266`, or `25.0 to 48.3` in percent."""
    scale, digits = (1, BITS_DIGITS) if measure == "bits_per_byte" else (100, 1)
    return " to ".join(decimal(scale * estimate[end], digits) for end in ("low", "high"))


def visible(text: str) -> str:
    """The text with control and direction-changing characters spelled out, so that nothing reads as what it is not.

    >>> visible("a\\u202eb\\tc")
    'a⟨U+202E⟩b\\tc'
    """
    return "".join(
        f"⟨U+{ord(char):04X}⟩" if char not in "\n\t" and unicodedata.category(char) in ("Cc", "Cf", "Cs") else char
        for char in text
    )


def excerpt(text: str, lines: int = 12) -> str:
    """The first lines of a text, long ones cut, for showing."""
    rows = text.expandtabs(4).splitlines()
    shown = [row if len(row) <= LONGEST_LINE else row[:LONGEST_LINE] + " …" for row in rows[:lines]]
    if len(rows) > lines:
        shown.append(f"… {count(len(rows) - lines)} more line{'s' if len(rows) > lines + 1 else ''}")
    return visible("\n".join(shown)).strip("\n")


def shortened(path: str, most: int = 80) -> str:
    """A path of at most so many characters: the end of a longer one."""
    return path if len(path) <= most else f"…{path[1 - most :]}"


def license_of(row: Mapping[str, Any]) -> str:
    """The licences of a row; `licence unknown` when it claims none."""
    return ", ".join(row.get("license") or []) or "licence unknown"


def words(name: str) -> str:
    """A fixed word as people write it.

    >>> words("near-duplicate"), words("fold_list")
    ('near duplicate', 'fold list')
    """
    return KNOWN_WORDS.get(name) or re.sub("[-_]+", " ", name).strip() or name
