"""What the diversity meter looks at in a row, and what a page of 64 rows comes to."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hornbook.quality import features
from hornbook.synthesis.sketches import Directions, Hashes, Histogram, ngram_hashes

PAGE_ROWS = 64
END_WORDS = 80
OPENER_WORDS = 3
FACETS = ("openers", "topics", "audiences", "names")

FENCED = re.compile(r"^```.*?^```[ \t]*$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#.*$", re.MULTILINE)
DOCSTRING = re.compile(r'"""|\'\'\'')
WORD = re.compile(r"[^\W_]+(?:['’]\w+)?")
PROPER = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+\b")  # a capital within a sentence: people, places, whatever has a name

Figures = dict[str, float | None]


@dataclass(frozen=True)
class Seen:
    """A row as the meter sees it. `labels` holds a list for each facet; `asked` tells prompts apart, 0 is none."""

    text: str
    labels: Mapping[str, list[str]]
    asked: int


def seen(row: Mapping[str, Any]) -> Seen:
    """A row of exercises (`prompt`, perhaps `solution` and `name`) or of texts (`text`), however it came about.

    The opener of an exercise is that of its docstring; the names in it are the words of its function's name. In a text
    they are the words with a capital within a sentence, outside code.
    """
    if "prompt" in row:
        prompt = str(row["prompt"])
        text = prompt + str(row.get("solution") or "")
        opening = DOCSTRING.split(prompt, maxsplit=1)[-1]
        names = {part for part in str(row.get("name") or "").split("_") if part and not part.isdigit()}
    else:
        text = str(row["text"])
        opening = HEADING.sub("", FENCED.sub("", text))
        names = set(PROPER.findall(opening))
    labels = {f"{column}s": [str(row[column])] if row.get(column) else [] for column in ("topic", "audience")}
    digest = str((row.get("provenance") or {}).get("prompt_digest") or "")
    asked = zlib.crc32(digest.encode())  # 0 without a digest
    return Seen(text, {"openers": [opener(opening)], **labels, "names": sorted(names)}, asked)


def opener(text: str) -> str:
    """The first three words, in small letters.

    >>> opener("Once upon a time, there was")
    'once upon a'
    """
    found = (match[0].lower() for match in WORD.finditer(text))
    return " ".join(word for _, word in zip(range(OPENER_WORDS), found, strict=False))


class Page:
    """Up to 64 rows, each with the first and the last 80 words of its text."""

    def __init__(self) -> None:
        self.rows = self.near_duplicates = self.repeats = 0
        self.facets = {name: Histogram() for name in FACETS}
        self.texts: list[str] = []
        self.hashes: list[Hashes] = []
        self.embeddings: list[np.ndarray] = []

    def add(self, row: Seen, words: list[str], hashes: Hashes, like: int | None) -> None:
        """Count a row. `like` is the prompt of an earlier row that it nearly repeats, None when it repeats none."""
        self.rows += 1
        for name, labels in row.labels.items():
            self.facets[name].add(labels)
        same_prompt = like == row.asked != 0
        self.repeats += same_prompt
        self.near_duplicates += like is not None and not same_prompt
        whole = len(words) <= 2 * END_WORDS
        self.texts.append(" ".join(words if whole else words[:END_WORDS] + words[-END_WORDS:]))
        self.hashes.append(hashes if whole else np.concatenate([hashes[:END_WORDS], hashes[-END_WORDS:]]))
        self.embeddings.append(features.words(self.texts[-1]))

    def figures(self) -> Figures:
        """The measures of the page; None for what its rows do not have."""
        return {
            **{name: self.facets[name].effective or None for name in ("topics", "audiences")},
            "names": self.facets["names"].effective if self.facets["names"].total >= self.rows else None,
            "repeats": self.repeats / self.rows,
            "near_duplicates": self.near_duplicates / self.rows,
            "opener": self.facets["openers"].top(1)[0][1] / self.rows,
            "coverage": self.coverage(),
            **{f"distinct_{n}": self.distinct(n) for n in (1, 2, 3)},
            "compression": self.compression(),
        }

    def distinct(self, n: int) -> float | None:
        """Distinct n-grams over all n-grams; None when no text has n words."""
        found = np.concatenate([ngram_hashes(hashes, n) for hashes in self.hashes])
        return len(np.unique(found)) / len(found) if len(found) else None

    def compression(self) -> float:
        """Bytes over compressed bytes (zlib)."""
        raw = "\n".join(self.texts).encode("utf-8", "surrogatepass")
        return len(raw) / len(zlib.compress(raw)) if raw else 0.0

    def coverage(self) -> float | None:
        """The directions that the embeddings take up; None where most texts hold no word that the embedder knows."""
        found = Directions()
        found.add(np.stack(self.embeddings))
        return found.effective if 2 * found.rows >= self.rows else None
