"""Rows planted to prove that the tiers work and that their thresholds are what decides.

Every planted word and shape is in a namespace of its own, so that planted rows can match planted items only: n-gram
words are made from digests, and the planted programs are made of `global` and `nonlocal` statements alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hornbook.artifacts import Ledger
from hornbook.decontamination.judge import Finding
from hornbook.decontamination.ngrams import Item
from hornbook.records import content_id

LENGTH = 1000  # statements in a planted program; match rates can be set to 1 / LENGTH


@dataclass(frozen=True, slots=True)
class Canary:
    """A planted row: should this tier catch it?"""

    name: str
    tier: str
    threshold: float
    text: str
    expected: bool


@dataclass(frozen=True, slots=True)
class Planted:
    """What is planted: among the references, on the allow-list, among the rows."""

    items: list[Item]
    allow: list[str]
    rows: list[Canary]


def plant(ngram: int | None, syntax_threshold: float | None, count_numbers: bool) -> Planted:
    """For each enabled tier, a row just at its threshold and one just below it."""
    of_ngram = plant_ngrams(ngram, count_numbers) if ngram else Planted([], [], [])
    of_syntax = plant_syntax(syntax_threshold) if syntax_threshold else Planted([], [], [])
    return Planted(of_ngram.items + of_syntax.items, of_ngram.allow, of_ngram.rows + of_syntax.rows)


def plant_ngrams(n: int, count_numbers: bool) -> Planted:
    """A row that shares n words with an item (in other case and punctuation) and one that shares n - 1; then one that
    shares n allowed words, and one that shares n numbers."""
    words, allowed = planted_words("ngram", n + 8), planted_words("allowed", n)
    numbers = " ".join(str(10**20 + int(word[2:], 16)) for word in planted_words("numbers", n))
    shared = "({}) -- the rest is its own.".format(", ".join(words[4 : 4 + n]).upper())
    fewer = "({}) -- the rest is its own.".format(", ".join(words[4 : 3 + n]).upper())
    items = [
        Item("canary/ngram", " ".join(words)),
        Item("canary/allowed", " ".join(allowed)),
        Item("canary/numbers", numbers),
    ]
    rows = [
        Canary(f"{n} words shared", "ngram", n, shared, True),
        Canary(f"{n - 1} words shared", "ngram", n, fewer, False),
        Canary(f"{n} words shared and allowed", "ngram", n, " ".join(allowed), False),
        Canary(f"{n} numbers shared", "ngram", n, numbers, count_numbers),
    ]
    return Planted(items, [" ".join(allowed)], rows)


def planted_words(purpose: str, count: int) -> list[str]:
    """Words that stand in no text."""
    return [f"zq{content_id('hornbook canary', purpose, str(i))}" for i in range(count)]


def plant_syntax(threshold: float) -> Planted:
    """A program that differs from an item in as many statements as the threshold lets pass, and one in one more."""
    edits = max(k for k in range(LENGTH) if 1 - k / LENGTH >= threshold)
    rows = [
        Canary(f"match rate {1 - edits / LENGTH:.3f}", "syntax", threshold, program("row", edits), True),
        Canary(f"match rate {1 - (edits + 1) / LENGTH:.3f}", "syntax", threshold, program("row", edits + 1), False),
    ]
    whole = program("item", 0)
    return Planted([Item("canary/syntax", whole, whole)], [], rows)


def program(names: str, edits: int) -> str:
    """`LENGTH` statements of which the first `edits` are of another type; no name is shared between `names`."""
    kinds = ["nonlocal"] * edits + ["global"] * (LENGTH - edits)
    return "\n".join(f"{kind} {names}{i}" for i, kind in enumerate(kinds))


def check(planted: Sequence[Canary], findings: Sequence[Finding | None], ledger: Ledger) -> None:
    """Record what became of the planted rows. Raises CanaryError for one missed or caught wrongly."""
    for row, finding in zip(planted, findings, strict=True):
        caught = finding is not None and finding.tier == row.tier
        ledger.canary(f"{row.tier}: {row.name}", threshold=row.threshold, expected=row.expected, caught=caught)
