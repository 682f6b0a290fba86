"""Why a file scored as it did: the named features that pushed its score, and the words that did."""

from __future__ import annotations

import numpy as np

from hornbook.quality.classifier import Classifier
from hornbook.quality.embed import embed
from hornbook.quality.features import SHAPE
from hornbook.quality.meaning import packaged, word_buckets

WORDS = 3  # shown in each direction


def why(classifier: Classifier, text: str, most: int = 5) -> list[tuple[str, float]]:
    """What moved a text's score most, each with its push in points; pushes and the labels' mean add up to the score.

    The shape's pushes are the trees' (Saabas): each split's change of mean is credited to its feature. The words' push
    is what the other expert says beyond the mean, with the words that lean that way most. (A score that was cut off
    at 0 or 5 lies short of the sum.)
    """
    row = embed([text])
    pushes, mean = shape_pushes(classifier, row[:, : len(SHAPE)])
    _, meaning = classifier.opinions(row)
    half = classifier.slope / 2
    beyond = float(meaning[0]) - mean
    named = [(name, half * float(push)) for name, push in zip(SHAPE, pushes, strict=True)]
    said = ", ".join(leaning_words(classifier, text, row[0, len(SHAPE) :], beyond > 0))
    named.append((f"words: {said}" if said else "words", half * beyond))
    return sorted(named, key=lambda item: -abs(item[1]))[:most]


def base(classifier: Classifier) -> float:
    """The score of a file that nothing pushes: the labels' mean, calibrated."""
    mean = float(np.mean([tree.tree_.value[0, 0, 0] for tree in classifier.shape.estimators_]))
    return classifier.slope * mean + classifier.offset


def shape_pushes(classifier: Classifier, row: np.ndarray) -> tuple[np.ndarray, float]:
    """The trees' credits: float64 [feature], and the mean that they start from."""
    pushes, mean = np.zeros(len(SHAPE)), 0.0
    for tree in (estimator.tree_ for estimator in classifier.shape.estimators_):
        path = tree.decision_path(row).indices
        means = tree.value[path, 0, 0]
        np.add.at(pushes, tree.feature[path[:-1]], np.diff(means))
        mean += means[0]
    count = len(classifier.shape.estimators_)
    return pushes / count, mean / count


def leaning_words(classifier: Classifier, text: str, place: np.ndarray, upward: bool) -> list[str]:
    """The words that lean most toward a higher, or a lower, score from where the text stands."""
    slope = gradient(classifier, place)
    words, buckets, _ = word_buckets(text)
    known = packaged()
    leaning = {word.lower(): 0.0 for word in words if len(word) > 1}
    for word, bucket in zip(words, buckets, strict=True):
        if len(word) > 1:
            leaning[word.lower()] = float(known.rarity[bucket] * (known.axes[bucket] @ slope))
    ranked = sorted(leaning, key=lambda word: (-leaning[word] if upward else leaning[word], word))
    return [word for word in ranked[:WORDS] if (leaning[word] > 0) == upward]


def gradient(classifier: Classifier, place: np.ndarray) -> np.ndarray:
    """How the machine's score changes along each direction at a place: float64 [direction]."""
    machine = classifier.meaning
    apart = machine.support_vectors_ - place
    near = np.exp(-machine.gamma * (apart * apart).sum(axis=1))
    slope: np.ndarray = 2 * machine.gamma * (machine.dual_coef_[0] * near) @ apart
    return slope
