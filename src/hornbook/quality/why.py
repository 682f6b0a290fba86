"""Why a file scored as it did: the features and words that pushed its score, or else the parts of the file that did."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hornbook.quality.classifier import Classifier
from hornbook.quality.embed import NAMES, Embedder, embed
from hornbook.quality.features import SHAPE
from hornbook.quality.machines import Single
from hornbook.quality.meaning import packaged, word_buckets

WORDS = 3  # shown in each direction
TRIED = 12  # parts of a file that are left out in turn, the longest


def why(classifier: Classifier, text: str, most: int = 5) -> list[tuple[str, float]]:
    """What moved a text's score most, each with its push in points.

    A feature's push is what the score would lose if the file were middling in it: at the median of the files that were
    read. The words' push is what it would lose if they pointed where the words of those files point on average; shown
    with it are the words that lean that way most. Pushes are asked one at a time and need not add up.
    """
    place, middle, numbers = classifier.levelled(embed([text]))[0], classifier.middle, np.arange(len(NAMES))
    middled = [np.where(numbers == number, middle, place) for number in range(len(SHAPE))]
    said = classifier.machine.predict(np.vstack([place, np.where(numbers < len(SHAPE), place, middle), *middled]))
    words_push, *pushes = (classifier.slope * (said[0] - said[1:])).tolist()
    words = ", ".join(leaning_words(classifier, text, place, words_push > 0))
    named = [*zip(SHAPE, pushes, strict=True), (f"words: {words}" if words else "words", words_push)]
    return sorted(named, key=lambda item: -abs(item[1]))[:most]


def leaning_words(classifier: Classifier, text: str, place: np.ndarray, upward: bool) -> list[str]:
    """The words that lean most toward a higher, or a lower, score from where the text stands (levelled)."""
    slope = meaning_slope(classifier, place)
    words, buckets, _ = word_buckets(text)
    known = packaged()
    leaning = {
        word.lower(): float(known.rarity[bucket] * (known.axes[bucket] @ slope))
        for word, bucket in zip(words, buckets, strict=True)
        if len(word) > 1  # no marks and digits
    }
    ranked = sorted(leaning, key=lambda word: (-leaning[word] if upward else leaning[word], word))
    return [word for word in ranked[:WORDS] if (leaning[word] > 0) == upward]


def meaning_slope(classifier: Classifier, place: np.ndarray) -> np.ndarray:
    """How a prediction changes along each direction of meaning, from a levelled place: float64 [direction]."""
    machine = classifier.machine
    apart = machine.support_vectors_ - place
    near = np.exp(-machine.gamma * (apart * apart).sum(axis=1))
    slope = 2 * machine.gamma * (machine.dual_coef_[0] * near) @ apart
    found: np.ndarray = slope[len(SHAPE) :] * classifier.weight / classifier.scale.scale_
    return found


def why_parts(judge: Single, embedder: Embedder, text: str, most: int = 5) -> list[tuple[str, float]]:
    """What moved a text's score most, where an embedding's numbers have no names: its parts, with a push in points.

    A part is what stands between blank lines at the margin, as a function does. Its push is what the score would lose
    without it. Parts are left out one at a time and their pushes need not add up.
    """
    tried = sorted(parts(text), key=lambda part: part[0] - part[1])[:TRIED]
    without = [text[:start] + text[end:] for start, end in tried]
    score, *others = judge.predict(embedder.embed([text, *without])).tolist()
    named = [(label(text, *place), score - other) for place, other in zip(tried, others, strict=True)]
    return sorted(named, key=lambda item: -abs(item[1]))[:most]


def parts(text: str) -> list[tuple[int, int]]:
    """Where each part of a text begins and ends.

    >>> [(text := "import os\\n\\n\\ndef f():\\n\\n    return 1\\n")[start:end] for start, end in parts(text)]
    ['import os\\n\\n\\n', 'def f():\\n\\n    return 1\\n']
    """
    starts: list[int] = []
    place, blank = 0, True
    for line in text.splitlines(keepends=True):
        if line.strip() and (not starts or (blank and not line[0].isspace())):
            starts.append(place)
        place, blank = place + len(line), not line.strip()
    return list(pairwise([*starts, len(text)]))


def label(text: str, start: int, end: int) -> str:
    """A part for people: its lines, and how it begins."""
    first, last = text.count("\n", 0, start) + 1, text.count("\n", 0, start + len(text[start:end].rstrip())) + 1
    begins = text[start:end].strip().splitlines()[0].strip()
    return f"lines {first}-{last}: {begins if len(begins) <= 60 else begins[:59] + '…'}"
