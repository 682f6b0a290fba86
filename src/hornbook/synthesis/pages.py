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
OF_THE_LANGUAGE = {"Python", "True", "False", "None"}

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
    if "text" in row:
        text = str(row["text"])
        opening = HEADING.sub("", FENCED.sub("", text))
        names = set(PROPER.findall(opening)) - OF_THE_LANGUAGE
    else:
        prompt = str(row["prompt"])
        text = prompt + str(row.get("solution") or "")
        opening = DOCSTRING.split(prompt, maxsplit=1)[-1]
        names = {part for part in str(row.get("name") or "").split("_") if part and not part.isdigit()}
    made = found if isinstance(found := row.get("provenance"), dict) else {}
    of_the_writer = (None, "", made.get("writer"))  # a topic that only says who wrote the row is none
    labels = {f"{name}s": [] if row.get(name) in of_the_writer else [str(row[name])] for name in ("topic", "audience")}
    digest = str(made.get("prompt_digest") or "")
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

    def refused(self) -> None:
        """Count a row that its writer refused as written before."""
        self.rows += 1
        self.near_duplicates += 1

    def figures(self) -> Figures:
        """The measures of the page; None for what its rows do not have."""
        openers = self.facets["openers"].top(1)
        return {
            **{name: self.variety(name) for name in ("topics", "audiences", "names")},
            "repeats": self.repeats / self.rows,
            "near_duplicates": self.near_duplicates / self.rows,
            "opener": openers[0][1] / len(self.texts) if openers else None,
            "coverage": self.coverage(),
            **{f"distinct_{n}": self.distinct(n) for n in (1, 2, 3)},
            "compression": self.compression(),
        }

    def variety(self, facet: str) -> float | None:
        """The effective number of a facet's labels; None where there are fewer than one for every two rows."""
        found = self.facets[facet]
        return found.effective if 2 * found.total >= self.rows else None

    def distinct(self, n: int) -> float | None:
        """Distinct n-grams over all n-grams; None when no text has n words."""
        found = np.concatenate([np.zeros(0, np.uint64), *(ngram_hashes(hashes, n) for hashes in self.hashes)])
        return len(np.unique(found)) / len(found) if len(found) else None

    def compression(self) -> float | None:
        """Bytes over compressed bytes (zlib); None without text."""
        raw = "\n".join(self.texts).encode("utf-8", "surrogatepass")
        return len(raw) / len(zlib.compress(raw)) if raw else None

    def coverage(self) -> float | None:
        """The directions that the embeddings take up; None where most texts hold no word that the embedder knows."""
        found = Directions()
        for embedding in self.embeddings:
            found.add(embedding)
        return found.effective if found.rows and 2 * found.rows >= len(self.texts) else None
