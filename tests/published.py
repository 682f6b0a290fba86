"""Where tests find the published benchmarks, which are not ours to ship."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REQUIRED = "HORNBOOK_REQUIRE_BENCHMARKS"  # set in continuous integration, where absent data must not look like success
FILES = {"HumanEval.jsonl.gz": 164, "mbpp.jsonl": 974, "sanitized-mbpp.json": 427}  # name → problems


def benchmark(name: str) -> Path:
    """A real benchmark file; where it is absent a skip that says where it was looked for, or a failure if required."""
    shared = Path(__file__).resolve().parents[2] / "shared" / "data"
    for folder in (Path(os.environ.get("HORNBOOK_BENCHMARK_DATA", "/nonexistent")), shared):
        if (folder / name).exists():
            return folder / name
    reason = f"{name} is neither in $HORNBOOK_BENCHMARK_DATA nor in ../shared/data"
    if os.environ.get(REQUIRED):
        pytest.fail(f"{reason}, and ${REQUIRED} is set", pytrace=False)
    pytest.skip(reason)
