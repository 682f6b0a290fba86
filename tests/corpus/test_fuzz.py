"""A thousand fuzzed and corrupted inputs: none crashes the stage, all are counted."""

import json
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import fuzz
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.corpus.rules import Cleaning, Refusal
from hornbook.corpus.sources import Item
from hornbook.corpus.tables import NoColumn, unpack
from hornbook.records import Document, Rejected, read_dataset

PEAK_BYTES = 1 << 30


@pytest.mark.timeout(600)
def test_a_thousand_inputs_are_all_counted(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    made = fuzz.make(tmp_path / "in", 1000, seed=4)
    command = [sys.executable, fuzz.__file__, str(tmp_path / "in"), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=570)
    assert done.returncode == 0, done.stderr[-2000:]
    counts = json.loads(done.stdout)
    names = [f"{row.source}:{row.path}" for row in read_dataset(tmp_path / "out" / "documents", Document)]
    names += [row.detail for row in read_dataset(tmp_path / "out" / "rejected", Rejected)]
    owners = Counter(map(owner, names))
    assert counts["rows_in"] == len(names) == counts["rows_out"] + sum(counts["rejected"].values())
    assert set(owners) == set(made), "inputs that vanished or came from nowhere"
    wrong = {n: (*made[n], owners[n]) for n in made if made[n][1] not in (None, owners[n])}
    assert not wrong
    assert counts["peak_bytes"] < PEAK_BYTES


def owner(name: str) -> int:
    """The number of the input that a row came from: in its file's name, or a thousandth of its post's."""
    if post := re.match(r"in:(?:questions|answers)/(\d+)", name):
        return int(post[1]) // 1000
    found = re.search(r":(\d{4})-[a-z]", name)
    assert found, name
    return int(found[1])


RNG = random.Random(0)
GOOD = {
    ".parquet": fuzz.parquet(RNG, {"text": [fuzz.program(RNG) for _ in range(30)], "license": [["MIT"]] * 30}),
    ".jsonl": fuzz.json_lines(RNG)[0] + b'\n{"text": "x"}',
}
CHANGES = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=12)


@given(st.sampled_from(sorted(GOOD)), CHANGES, st.integers(0, 1 << 16), st.booleans())
def test_no_change_of_a_table_is_more_than_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, ending: str, changes: list[tuple[int, int]], length: int, whole: bool
) -> None:
    data = bytearray(GOOD[ending])
    for at, byte in changes:
        data[-(at % len(data)) - 1] = byte
    path = tmp_path_factory.mktemp("table") / f"t{ending}"
    path.write_bytes(data if whole else data[:length])
    try:
        rows = list(unpack(Item(str(path), "t", path.name), Cleaning()))
    except NoColumn:  # the change was one of a column's name
        assert ending == ".parquet"
        return
    assert rows
    assert all(isinstance(made, (bytes, Refusal)) for _, made in rows)
