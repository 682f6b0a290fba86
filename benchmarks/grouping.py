"""What LSH's grouping takes in the process that leads, on made-up signatures: time and memory for a million texts.

    python benchmarks/grouping.py --millions 3

Two texts in five are a pair that agrees in nine bands of fourteen.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from hornbook.corpus.lsh import grouped

BANDS = 14
BATCH_ROWS = 4096
ALIKE, AGREEING = 0.4, 9


def made_up(texts: int) -> Iterator[pa.RecordBatch]:
    """Ids and hashes of bands, as Daft would give them."""
    rng = np.random.default_rng(0)
    for start in range(0, texts, BATCH_ROWS):
        rows = min(BATCH_ROWS, texts - start)
        keys = rng.integers(0, 1 << 63, (rows, BANDS), np.uint64)
        pairs = int(rows * ALIKE) // 2
        keys[1 : 2 * pairs : 2, :AGREEING] = keys[0 : 2 * pairs : 2, :AGREEING]
        ids = [f"{id:016x}" for id in rng.integers(0, 1 << 63, rows, np.uint64)]
        starts = np.arange(0, keys.size + 1, BANDS)
        lists = pa.LargeListArray.from_arrays(starts, pa.array(keys.ravel()))
        yield pa.record_batch([pa.array(ids, pa.large_string()), lists], names=["id", "keys"])


def peak_bytes() -> int:
    """The most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Group made-up texts and print what it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--millions", type=float, default=3)
    texts = round(parser.parse_args().millions * 1e6)
    before, began = peak_bytes(), time.monotonic()
    for _ in made_up(texts):
        pass
    making, began = time.monotonic() - began, time.monotonic()
    groups = grouped(made_up(texts), BANDS)
    seconds = time.monotonic() - began - making
    print(f"{texts:,} texts, {len(groups):,} groups")
    print(f"{seconds / texts * 1e6:.1f} s for a million texts, {(peak_bytes() - before) / texts:.0f} bytes a text")


if __name__ == "__main__":
    main()
