"""Memory follows the number of texts and not their size, with files of unpacked rows that are small beside both corpora.
Run by `make test-slow`; `benchmarks/scale.py` measures what is shipped, on 5 GB."""

import json
import random
import subprocess
import sys
from pathlib import Path

import fuzz
import pytest

SMALL, LARGE = 120 << 20, 360 << 20  # what waits to be spooled is full in both
BYTES_A_TEXT = (
    4000  # its claim and, while near duplicates are proposed, its signature and keys: about 3,100 (docs/scale.md)
)


def peak(folder: Path, size_bytes: int) -> tuple[int, int]:
    """The most memory that curating a JSONL file of this size takes, in bytes; and how many texts are in it."""
    folder.mkdir()
    rng, left = random.Random(size_bytes), size_bytes
    with (folder / "t.jsonl").open("w") as stream:
        while left > 0:
            left -= stream.write(json.dumps({"text": "".join(fuzz.program(rng) for _ in range(6))}) + "\n")
    command = [sys.executable, fuzz.__file__, str(folder), str(folder / "out"), str(16 << 20)]
    done = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return int(done["peak_bytes"]), int(done["rows_in"])


@pytest.mark.slow
def test_memory_follows_the_number_of_texts_and_not_their_size(tmp_path: Path) -> None:
    (small, few), (large, many) = peak(tmp_path / "small", SMALL), peak(tmp_path / "large", LARGE)
    grown = f"{small >> 20} MiB for {few} texts, {large >> 20} MiB for {many}"
    assert large - small < (many - few) * BYTES_A_TEXT, grown
