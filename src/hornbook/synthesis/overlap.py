"""How much the sections of a shelf repeat one another: shared runs of words, near duplicates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from hornbook.corpus.shingles import jaccard, shingles

SHARED = 13  # words in a row that two sections should not share: the measure of decontamination (phi-1 §5)
NEAR, SHINGLE_WORDS = 0.8, 5  # Jaccard similarity of a near duplicate, as the corpus is deduplicated
IMPORT = re.compile(r"^(?:from [\w.]+ )?import .*$", re.MULTILINE)
WORD = re.compile(r"\w+")

Place = tuple[str, int]  # the name of a text, and the number of a word in it


def words_of(text: str) -> list[str]:
    """The words that are compared, without imports, which everybody writes alike.

    >>> words_of("import re\\nCheck, if_any (two) numbers!")
    ['check', 'if_any', 'two', 'numbers']
    """
    return WORD.findall(IMPORT.sub("", text).lower())


def ngrams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    """The runs of n words, in order."""
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]


def shared_runs(words: Mapping[str, Sequence[str]]) -> Iterator[list[list[Place]]]:
    """For n = 1, 2, 3 …: the places at which equal runs of n words begin, one list a run that two texts share."""
    runs = [[(name, at) for name, spoken in words.items() for at in range(len(spoken))]]
    length = 0
    while runs := [run for shorter in runs for run in grown(shorter, words, length) if len({n for n, _ in run}) > 1]:
        yield runs
        length += 1


def grown(places: Sequence[Place], words: Mapping[str, Sequence[str]], length: int) -> Iterator[list[Place]]:
    """Places that share a run of `length` words, split by the word that comes next."""
    by_next: dict[str, list[Place]] = {}
    for name, at in places:
        if at + length < len(words[name]):
            by_next.setdefault(words[name][at + length], []).append((name, at))
    yield from by_next.values()


def near_duplicates(texts: Mapping[str, str]) -> list[list[str]]:
    """The pairs of names whose texts are near duplicates, every pair compared."""
    sets = {name: shingles(text, SHINGLE_WORDS) for name, text in texts.items()}
    return [[one, other] for one, other in combinations(sets, 2) if jaccard(sets[one], sets[other]) >= NEAR]


def overlap(texts: Mapping[str, str]) -> dict[str, Any]:
    """The figures of a shelf, by names of its texts: the longest run of words that two of them share, how many
    different runs of thirteen they share, and the pairs that are near duplicates."""
    words = {name: words_of(text) for name, text in texts.items()}
    counts, runs = [], list[list[Place]]()
    for runs in shared_runs(words):
        counts.append(len(runs))
    places = min(runs, default=[])
    name, at = places[0] if places else ("", 0)
    return {
        "longest_shared_run": {
            "words": len(counts),
            "text": " ".join(words.get(name, [])[at : at + len(counts)]),
            "between": sorted({found for found, _ in places}),
        },
        "shared_13_grams": counts[SHARED - 1] if len(counts) >= SHARED else 0,
        "near_duplicates": near_duplicates(texts),
    }
