"""Shingles: the runs of words by which two texts are compared, as sorted sets of 64-bit hashes.

Words are hashed by Daft's xxHash and runs of them by a polynomial modulo 2^64, over whole batches at once: neither is
salted, so a set is the same in every process. Two texts of 2,000 words are taken for more alike than they are once in
10^12 pairs, where two different shingles have one hash.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hornbook.corpus.engine import daft, processors

Shingles = npt.NDArray[np.uint64]
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no word is lost to the modulus
ITEM_BYTES = 8


def shingles(text: str, words: int) -> Shingles:
    """The set of a text's shingles of so many words. A shorter text is one shingle."""
    return shingle_sets(pa.array([text], pa.string()), words)[0]


def shingle_sets(texts: Any, words: int) -> list[Shingles]:
    """The sets of many texts, an Arrow array of strings. Words are what stands between white space, as `str.split`
    has it."""
    split = pc.utf8_split_whitespace(pc.utf8_trim_whitespace(texts))
    hashes = daft().Series.from_arrow(split.flatten()).hash().to_arrow().to_numpy().astype(np.uint64, copy=False)
    ends = np.cumsum(pc.list_value_length(split).to_numpy())
    return [distinct(runs(part, words)) for part in np.split(hashes, ends[:-1])] if len(ends) else []


def runs(hashes: Shingles, words: int) -> Shingles:
    """The hashes of all runs of so many words, in order, from the hashes of the words."""
    words = min(words, len(hashes))
    count = len(hashes) - words + 1
    made = hashes[:count].copy()
    for start in range(1, words):
        made *= MULTIPLIER
        made += hashes[start : start + count]
    return made


def distinct(hashes: Shingles) -> Shingles:
    """Sorted, each once. Sorts in place."""
    hashes.sort()
    return hashes[np.concatenate(([True], hashes[1:] != hashes[:-1]))] if len(hashes) else hashes


def jaccard(one: Shingles, other: Shingles) -> float:
    """The similarity of two sets: what they share, over what they hold together. Two empty sets are alike."""
    both = np.concatenate((one, other))
    both.sort(kind="stable")  # merges two sorted runs, six times as fast as sorting anew
    shared = int(np.count_nonzero(both[1:] == both[:-1]))
    together = len(both) - shared
    return shared / together if together else 1.0


class ShingleFile:
    """Sets by id, on disk: memory holds only where each begins. Use as a context manager: the file is removed at the
    end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, tuple[int, int]] = {}
        self._stream = path.open("w+b")
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stream.close()
        self.path.unlink(missing_ok=True)

    def fill(self, batches: Iterable[Any], words: int) -> Self:
        """Put in the texts of record batches with `id` and `text`, hashed by one thread for each processor."""
        for ids, sets in ahead(batches, words):
            for id, found in zip(ids, sets, strict=True):
                self._places[id] = self._end, len(found)
                self._end += self._stream.write(found.data)
        self._stream.flush()
        return self

    def __getitem__(self, id: str) -> Shingles:
        start, count = self._places[id]
        return np.frombuffer(os.pread(self._stream.fileno(), count * ITEM_BYTES, start), np.uint64)


def ahead(batches: Iterable[Any], words: int) -> Iterator[tuple[list[str], list[Shingles]]]:
    """Ids and sets of batches, in order, a few batches ahead of the reader. Arrow and NumPy let go of the
    interpreter's lock while they split and sort."""
    waiting: deque[tuple[list[str], Future[list[Shingles]]]] = deque()
    with ThreadPoolExecutor(processors()) as pool:
        for batch in batches:
            waiting.append((batch["id"].to_pylist(), pool.submit(shingle_sets, batch["text"], words)))
            if len(waiting) > 2 * processors():
                ids, sets = waiting.popleft()
                yield ids, sets.result()
        for ids, sets in waiting:
            yield ids, sets.result()
