"""What a file speaks of: latent semantic analysis of its words and pairs of words (Deerwester et al. 1990), offline.

A text is the bag of its words (names split into their parts), digits and marks, and of pairs of neighbours: `for item`,
`isinstance (`, `returns the`. They are hashed into buckets, weighted (1 + log count) × log rarity, and projected onto
the directions in which installed Python differs most from file to file. Directions and rarities are packaged; `make
classifier` makes them anew. A thousand labels cannot teach what each word is worth, but what a hundred directions are.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np

FILE = "meaning.npz"
WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]{2,}(?![a-z])|[0-9]+|[^\sA-Za-z0-9_]")
BUCKETS = 1 << 15
DIRECTIONS = 100
READ = 20_000  # characters of a text: what it is about is plain by then
STEP = np.uint64(0x9E3779B1)  # keeps the pair (a, b) apart from (b, a)


class Hashes(dict[str, int]):
    """Word → checksum in lower case, remembered."""

    def __missing__(self, word: str) -> int:
        self[word] = value = zlib.crc32(word.lower().encode("utf-8", "surrogatepass"))
        return value


@dataclass(frozen=True)
class Directions:
    """`rarity`: float32 [bucket]. `axes`: float32 [bucket, direction]."""

    rarity: np.ndarray
    axes: np.ndarray


def word_buckets(text: str) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The words of a text, the bucket of each, and the bucket of each with the word after it (one fewer)."""
    words = WORD.findall(text[:READ])
    hashes = Hashes()
    single = np.fromiter(map(hashes.__getitem__, words), np.uint64, len(words))
    pairs = (single[:-1] * STEP + single[1:]) * STEP
    mask = np.uint64(BUCKETS - 1)
    return words, (single & mask).astype(np.int64), ((pairs >> np.uint64(13)) & mask).astype(np.int64)


def bag(text: str) -> tuple[np.ndarray, np.ndarray]:
    """The buckets that a text fills, in order: int64 [n]; and 1 + log of how often: float32 [n]."""
    _, single, pairs = word_buckets(text)
    buckets, counts = np.unique(np.concatenate([single, pairs]), return_counts=True)
    return buckets, (1 + np.log(counts)).astype(np.float32)


def meaning(text: str, directions: Directions | None = None) -> np.ndarray:
    """Where a text points: float32 [DIRECTIONS] of length one; all zero for a text without words."""
    known = directions or packaged()
    buckets, weights = bag(text)
    return unit((unit(weights * known.rarity[buckets])[:, None] * known.axes[buckets]).sum(axis=0))


def unit(vector: np.ndarray) -> np.ndarray:
    """A vector brought to length one; zero stays zero."""
    length = np.sqrt((vector * vector).sum())
    scaled: np.ndarray = vector / length if length > 0 else vector
    return scaled


def learn(texts: Sequence[str], seed: int = 0) -> Directions:
    """Rarities and directions from many texts: truncated singular value decomposition of their weighted bags."""
    import scipy.sparse
    from sklearn.decomposition import TruncatedSVD

    bags = [bag(text) for text in texts]
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in bags)])
    seen = np.bincount(np.concatenate([buckets for buckets, _ in bags]), minlength=BUCKETS)
    rarity = (np.log((1 + len(texts)) / (1 + seen)) + 1).astype(np.float32)
    values = np.concatenate([unit(weights * rarity[buckets]) for buckets, weights in bags])
    columns = np.concatenate([buckets for buckets, _ in bags])
    table = scipy.sparse.csr_matrix((values, columns, ends), (len(texts), BUCKETS))
    found = TruncatedSVD(DIRECTIONS, n_iter=8, n_oversamples=40, random_state=seed)  # exact to the last direction
    return Directions(rarity, found.fit(table).components_.T.astype(np.float32))


def save(directions: Directions, path: Path) -> None:
    """Write directions as bytes, with a scale for each: a quarter of the size, and the same place to three digits."""
    scale = np.abs(directions.axes).max(axis=0) / 127
    axes = np.round(directions.axes / scale).astype(np.int8)
    np.savez_compressed(path, rarity=directions.rarity.astype(np.float16), axes=axes, scale=scale)


@cache
def packaged() -> Directions:
    """The directions that ship with hornbook."""
    with resources.as_file(resources.files("hornbook.quality").joinpath(FILE)) as path, np.load(path) as stored:
        axes = stored["axes"].astype(np.float32) * stored["scale"].astype(np.float32)
        return Directions(stored["rarity"].astype(np.float32), axes)
