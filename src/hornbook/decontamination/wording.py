"""A writer's own wording: what many of its rows say alike says nothing about any one of them.

A procedural writer phrases thousands of tasks with the same sentences, so its training rows and its held-out rows share
n-grams by construction ("for each number in values that is …"). What must not leak is a held-out *composition*; the
sentences that recur over many compositions are not counted against it. An n-gram that fewer rows hold still is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from hornbook.decontamination.ngrams import words_of

ROWS = 3  # an n-gram in at least this many rows is wording: it cannot point at one composition


def wording(texts: Iterable[str], siblings: Iterable[str], others: Iterable[str], n: int) -> list[str]:
    """The n-grams of `siblings` that at least ROWS of `texts` hold and that none of `others` (real examinations) does.

    In order, each as n words with spaces between, ready for `allow`.
    """
    strict = {gram for text in others for gram in grams(text, n)}
    wanted = {gram for text in siblings for gram in grams(text, n)} - strict
    counts = Counter(gram for text in texts for gram in set(grams(text, n)) & wanted)
    return sorted(" ".join(gram) for gram, count in counts.items() if count >= ROWS)


def grams(text: str, n: int) -> Iterator[tuple[str, ...]]:
    """The n-grams of a text, as the n-gram tier reads words."""
    words = words_of(text)
    return zip(*(words[start:] for start in range(n)), strict=False)
