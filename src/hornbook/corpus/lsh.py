"""Locality-sensitive hashing: which texts may be near duplicates. Daft makes MinHash signatures, on all processors or a
cluster; texts that agree in all rows of one band are proposed.

A pair of similarity s is found with probability 1 - (1 - s^rows)^bands: 0.92 at 0.8 and 0.99 at 0.85, for 14 bands of 8
rows (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, §3.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, groupby
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from hornbook.corpus.engine import daft, on_ray, processors
from hornbook.progress import track

SEED = 1
PART_BYTES = 16 << 20  # of Parquet files, for each processor

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Lsh:
    """How near duplicates are proposed and what makes them so."""

    threshold: float
    shingle_words: int
    bands: int
    rows: int

    def recall(self, jaccard: float) -> float:
        """The share of pairs of this similarity that are proposed.

        >>> round(Lsh(0.8, 5, 14, 8).recall(0.8), 3)
        0.924
        """
        return float(1 - (1 - jaccard**self.rows) ** self.bands)


def buckets(paths: Sequence[Path], lsh: Lsh) -> list[tuple[str, ...]]:
    """Groups of two or more ids whose texts agree in a band, from Parquet files with `id` and `text`."""
    parts = [paths] if on_ray() else list(parts_of(paths))
    tracked = track(parts, "signed", len(parts), "parts")
    return grouped(chain.from_iterable(hashed_bands(part, lsh) for part in tracked), lsh.bands)


def grouped(batches: Iterable[pa.RecordBatch], bands: int) -> list[tuple[str, ...]]:
    """The groups among texts of which `id` and `keys`, the hashes of their bands, are given. An id counts once."""
    ids, keys = collected(batches, bands)
    groups = sorted({group for band in range(bands) for group in agreeing(keys[:, band])})
    del keys
    candidates = sorted({text for group in groups for text in group})
    named = dict(zip(candidates, ids.take(pa.array(candidates, pa.int64())).to_pylist(), strict=True))
    return [tuple(named[text] for text in group) for group in groups]


def collected(batches: Iterable[pa.RecordBatch], bands: int) -> tuple[pa.Array, Keys]:
    """The ids of all batches, sorted, each once; and their keys, of shape (texts, bands)."""
    names, parts = [], [np.empty(0, np.uint64)]
    for batch in batches:
        names.append(batch["id"])
        parts.append(batch["keys"].flatten().to_numpy())
    ids, keys = pa.chunked_array(names, pa.large_string()).combine_chunks(), np.concatenate(parts).reshape(-1, bands)
    names, parts = [], []  # not held beside their copies
    rows = first_of_each(ids)
    return ids.take(pa.array(rows)), keys[rows]


def parts_of(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Files in parts of bounded size: Daft reads as fast as the disk gives, and would hold them all."""
    full = PART_BYTES * processors()
    ends = accumulate(path.stat().st_size for path in paths)
    for _, part in groupby(zip(ends, paths, strict=True), lambda pair: pair[0] // full):
        yield [path for _, path in part]


def hashed_bands(paths: Sequence[Path], lsh: Lsh) -> Iterator[pa.RecordBatch]:
    """`id` and `keys`, the hashes of the bands of a text's MinHash signature, made by Daft."""
    col, functions = daft().col, daft().functions
    plain = functions.normalize(col("text"), white_space=True)
    signature = functions.minhash(
        plain, num_hashes=lsh.bands * lsh.rows, ngram_size=lsh.shingle_words, seed=SEED, hash_function="xxhash3_64"
    )
    frame = daft().read_parquet([str(path.resolve()) for path in paths]).select("id", signature.alias("signature"))
    cuts = [functions.slice(col("signature"), band * lsh.rows, (band + 1) * lsh.rows) for band in range(lsh.bands)]
    keys = functions.to_list(*[functions.hash(cut, seed=band) for band, cut in enumerate(cuts)])
    batches: Iterator[pa.RecordBatch] = frame.select("id", keys.alias("keys")).to_arrow_iter()
    return batches


def first_of_each(values: pa.Array) -> npt.NDArray[np.uint64]:
    """The position of one of each value, in the order of the values."""
    order: npt.NDArray[np.uint64] = pc.sort_indices(values).to_numpy()
    ordered = values.take(pa.array(order))
    changes = pc.not_equal(ordered[1:], ordered[:-1]).to_numpy(zero_copy_only=False)
    return order[np.concatenate(([True], changes))] if len(order) else order


def agreeing(keys: Keys) -> Iterator[tuple[int, ...]]:
    """Where a value stands twice or more: the positions, ascending."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    ends = np.flatnonzero(np.concatenate((ordered[1:] != ordered[:-1], [True]))) + 1
    starts = ends - np.diff(ends, prepend=0)
    many = ends - starts > 1
    for start, end in zip(starts[many].tolist(), ends[many].tolist(), strict=True):
        yield tuple(order[start:end].tolist())
