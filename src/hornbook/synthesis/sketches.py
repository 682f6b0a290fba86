"""Counting what a stream of texts is made of, in memory that does not grow with the stream.

Histogram    how often each of many labels came: shares, entropy
Directions   how many directions of the embedding space the texts take up
Recent       whether a text nearly repeats one of the last 65,536
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from hornbook.quality.features import WORD_BUCKETS

Hashes = npt.NDArray[np.uint64]

BANDS, BAND_ROWS = 14, 8  # as in the corpus: a pair of Jaccard similarity 0.8 is proposed with probability 0.92
SHINGLE_WORDS = 5
NEAR = 0.8
REMEMBERED_ROWS = 65_536
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
HALF = np.uint64(32)
CHUNK = 4096  # shingles hashed at a time


class Histogram:
    """Counts of labels. Exact up to twice `capacity` distinct ones.

    Beyond that the rarest are forgotten one by one: shares of common labels stay exact, `bits` comes out a little high
    because a forgotten label that returns counts as a new one.
    """

    def __init__(self, capacity: int = 4096) -> None:
        self.capacity = capacity
        self.counts: Counter[str] = Counter()
        self.total = 0
        self._forgotten, self._forgotten_logs = 0, 0.0

    def add(self, labels: Iterable[str]) -> None:
        """Count some labels."""
        for label in labels:
            self.counts[label] += 1
            self.total += 1
        if len(self.counts) > 2 * self.capacity:
            self._forget()

    def _forget(self) -> None:
        """Keep the commonest `capacity`, and of the others what the entropy needs."""
        ordered = self.top(len(self.counts))
        for _, count in ordered[self.capacity :]:
            self._forgotten += 1
            self._forgotten_logs += count * math.log2(count)
        self.counts = Counter(dict(ordered[: self.capacity]))

    def top(self, most: int) -> list[tuple[str, int]]:
        """The commonest labels with their counts; of equals the first in the alphabet."""
        return sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))[:most]

    @property
    def distinct(self) -> int:
        """How many labels there were."""
        return len(self.counts) + self._forgotten

    @property
    def bits(self) -> float:
        """The entropy in bits; 0 when nothing was counted."""
        logs = sum(count * math.log2(count) for count in self.counts.values()) + self._forgotten_logs
        return max(0.0, math.log2(self.total) - logs / self.total) if self.total else 0.0

    @property
    def effective(self) -> float:
        """So many equally common labels would have this entropy; 0 when nothing was counted.

        >>> found = Histogram()
        >>> found.add("abcd")
        >>> found.effective
        4.0
        """
        return 2**self.bits if self.total else 0.0


class Directions:
    """The Vendi score (Friedman & Dieng 2022) of embeddings under the cosine: the exponential of the entropy of the
    eigenvalues of their mean outer product. 1 when all texts are alike, at most the number of dimensions.
    """

    def __init__(self, dimensions: int = WORD_BUCKETS) -> None:
        self.rows = 0
        self._moments = np.zeros((dimensions, dimensions))

    def add(self, embedding: npt.NDArray[np.float32]) -> None:
        """Count an embedding of length 1: float32 [dimension]. One of length 0 counts for nothing."""
        wide = embedding.astype(np.float64)
        self.rows += bool(wide.any())
        self._moments += np.outer(wide, wide)

    @property
    def effective(self) -> float:
        """How many directions the embeddings take up; 0 when there were none."""
        if not self.rows:
            return 0.0
        shares = np.linalg.eigvalsh(self._moments / np.trace(self._moments))
        shares = shares[shares > 1e-12]
        return float(np.exp(-(shares * np.log(shares)).sum()))


def word_hashes(words: Sequence[str]) -> Hashes:
    """A hash for every word, the same in every process."""
    return np.fromiter((zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in words), np.uint64, len(words))


def ngram_hashes(hashes: Hashes, n: int) -> Hashes:
    """A hash for every run of `n` words; none when there are fewer words."""
    found = hashes[: max(0, len(hashes) - n + 1)]
    for place in range(1, n):
        found = found * MULTIPLIER + hashes[place : place + len(found)]
    return found


def shingle_hashes(hashes: Hashes) -> Hashes:
    """A hash for every run of five words. A shorter text is one run."""
    return ngram_hashes(hashes, min(SHINGLE_WORDS, len(hashes))) if len(hashes) else np.zeros(1, np.uint64)


class Recent:
    """Remembers MinHash signatures of about the last 65,536 texts, in 11 MB.

    Locality-sensitive hashing proposes pairs; the Jaccard similarity of their word 5-grams is then estimated from the
    low bytes of 112 hashes (standard error 0.04 at 0.8). A text proposed by no band is never compared, and a slot that
    a later text has taken is lost: older texts are forgotten gradually, none is held by all 14 bands for long.
    """

    def __init__(self, rows: int = REMEMBERED_ROWS) -> None:
        draw = np.random.default_rng(1)
        self._factors = draw.integers(1, 2**64, (BANDS * BAND_ROWS, 1), np.uint64) | np.uint64(1)
        self._offsets = draw.integers(0, 2**64, (BANDS * BAND_ROWS, 1), np.uint64)
        self._mixers = draw.integers(1, 2**64, BAND_ROWS, np.uint64) | np.uint64(1)
        self._slots = np.full((BANDS, rows), -1, np.int32)
        self._signatures = np.zeros((rows, BANDS * BAND_ROWS), np.uint8)
        self._asked = np.zeros(rows, np.int64)
        self._rows, self._count = rows, 0

    def add(self, hashes: Hashes, asked: int = 0) -> int | None:
        """Remember a text by the hashes of its words, and `asked`, which says what it answers.

        Returns the `asked` of the earlier text that is most like it, None when none reaches a similarity of 0.8.
        """
        signature = self.signature(shingle_hashes(hashes))
        keys = (signature.reshape(BANDS, BAND_ROWS) * self._mixers).sum(axis=1, dtype=np.uint64) >> HALF
        slots = (keys % np.uint64(self._rows)).astype(np.intp)
        small, bands = signature.astype(np.uint8), np.arange(BANDS)
        found = self._most_like(small, np.unique(self._slots[bands, slots]))
        place = self._count % self._rows
        self._slots[bands, slots] = place
        self._signatures[place], self._asked[place] = small, asked
        self._count += 1
        return found

    def signature(self, shingles: Hashes) -> Hashes:
        """The least value of 112 hash functions over the shingles: 32 bits each."""
        parts = [shingles[start : start + CHUNK] for start in range(0, len(shingles), CHUNK)]
        least = [((self._factors * part + self._offsets) >> HALF).min(axis=1) for part in parts]
        signature: Hashes = np.minimum.reduce(least)
        return signature

    def _most_like(self, small: npt.NDArray[np.uint8], places: npt.NDArray[np.int32]) -> int | None:
        """The `asked` of the most similar of some remembered texts, if it is near. One byte in 256 agrees by chance."""
        places = places[places >= 0]
        if not places.size:
            return None
        alike = (self._signatures[places] == small).mean(axis=1)
        best = int(alike.argmax())
        return int(self._asked[places[best]]) if (alike[best] - 1 / 256) / (1 - 1 / 256) >= NEAR else None
