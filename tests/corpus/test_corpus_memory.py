"""Memory does not follow the corpus: ten times the text, hardly more memory. Run by `make test-slow`."""

import json
import random
import subprocess
import sys
from pathlib import Path

import fuzz
import pytest

SMALL, LARGE = 30 << 20, 300 << 20
# A claim to each text stays in memory, and what proposes near duplicates; they come to less than this share of the text.
SHARE = 0.25


def peak(folder: Path, size_bytes: int) -> int:
    """The most memory that curating a JSONL file of this size takes, in bytes."""
    folder.mkdir()
    rng, left = random.Random(size_bytes), size_bytes
    with (folder / "t.jsonl").open("w") as stream:
        while left > 0:
            left -= stream.write(json.dumps({"text": "".join(fuzz.program(rng) for _ in range(6))}) + "\n")
    command = [sys.executable, fuzz.__file__, str(folder), str(folder / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(json.loads(done.stdout)["peak_bytes"])


@pytest.mark.slow
def test_memory_does_not_follow_the_corpus(tmp_path: Path) -> None:
    small, large = peak(tmp_path / "small", SMALL), peak(tmp_path / "large", LARGE)
    assert large - small < SHARE * (LARGE - SMALL), f"{small >> 20} MiB, then {large >> 20} MiB"
