"""Bits that target texts cost a student."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hornbook.artifacts import Ledger
from hornbook.errors import InputError
from hornbook.evaluation.target import HELD_OUT, TargetBits, costs, pieces, target_bits
from hornbook.model.likelihood import likelihoods
from hornbook.model.load import LanguageModel
from hornbook.records import Document, write_dataset
from hornbook.tasks.load import load as load_problems


@pytest.mark.parametrize(
    ("text", "count", "width", "expected"),
    [
        ("", 3, 2, []),
        ("abc", 3, 5, [("", "abc")]),
        ("abcde", 3, 2, [("", "ab"), ("ab", "cd"), ("abcd", "e")]),
        ("abcdefghijkl", 2, 2, [("", "ab"), ("cdef", "gh")]),
        ("abcdefghijkl", 3, 2, [("", "ab"), ("abcd", "ef"), ("efgh", "ij")]),
        ("abcdefghijkl", 1, 2, [("", "ab")]),
    ],
)
def test_stretches_are_spread_over_a_text(text: str, count: int, width: int, expected: list[tuple[str, str]]) -> None:
    assert list(pieces(text, count, width)) == expected


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    """Two documents: one of a single stretch, one of three."""
    texts = {"a": "return x + 1\n", "b": "def add(x, y):\n" + "    return x + y\n" * 16}
    folder = tmp_path / "target"
    write_dataset(folder, [Document(i, text, "s", "p") for i, text in texts.items()], Document)
    return folder


def measured(student: Path, held_out: Path, out: Path, **values: object) -> Ledger:
    out.mkdir()
    ledger = Ledger()
    config = TargetBits.model_validate({"targets": [HELD_OUT], "device": "cpu", **values})
    target_bits(config, student=student, held_out=held_out, out=out, ledger=ledger)
    return ledger


def test_a_documents_bits_are_those_of_its_stretches(
    student: Path, opened: LanguageModel, held_out: Path, tmp_path: Path
) -> None:
    ledger = measured(student, held_out, tmp_path / "out")
    long = "def add(x, y):\n" + "    return x + y\n" * 16  # 287 characters: stretches of 96 at 0, 96 and 192
    pairs = [("", long[:96]), (long[:96], long[96:192]), (long[:192], long[192:])]
    scored = likelihoods(opened, [("", "return x + 1\n"), *pairs])
    found = costs(tmp_path / "out")[HELD_OUT]
    assert found["a"] == (pytest.approx(scored[0].bits, abs=1e-3), 13)
    assert found["b"] == (pytest.approx(sum(s.bits for s in scored[1:]), abs=1e-3), 287)
    everything = sum(bits for bits, _ in found.values()) / 300
    assert ledger.figures == {HELD_OUT: pytest.approx(everything, abs=1e-4)}


def test_fewer_stretches_are_paid_for_where_so_many_are_asked(student: Path, held_out: Path, tmp_path: Path) -> None:
    measured(student, held_out, tmp_path / "out", pieces=2)
    assert costs(tmp_path / "out")[HELD_OUT]["b"][1] == 192


def test_gold_solutions_follow_their_prompts(
    student: Path, opened: LanguageModel, held_out: Path, tmp_path: Path
) -> None:
    measured(student, held_out, tmp_path / "out", targets=["unconventional", HELD_OUT])
    found = costs(tmp_path / "out")
    problems = load_problems("unconventional")
    (first,) = likelihoods(opened, [(problems[0].prompt, problems[0].canonical_solution)])
    assert len(found["unconventional"]) == 50
    assert found["unconventional"][problems[0].task_id] == (pytest.approx(first.bits, abs=1e-3), first.bytes)
    assert found.keys() == {"unconventional", HELD_OUT}


def test_rows_of_a_persons_own_are_a_target(student: Path, held_out: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.jsonl"
    texts = {"a": "return x + 1\n", "b": "y\n"}
    mine.write_text("".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in texts.items()))
    measured(student, held_out, tmp_path / "out", targets=[str(mine), HELD_OUT])
    found = costs(tmp_path / "out")
    assert found[str(mine)].keys() == {"a", "b"}
    assert found[str(mine)]["a"] == (pytest.approx(found[HELD_OUT]["a"][0], abs=1e-3), 13)


@pytest.mark.parametrize("count", [0, 1])
def test_a_target_too_small_for_an_interval_is_refused(student: Path, tmp_path: Path, count: int) -> None:
    write_dataset(tmp_path / "few", [Document("a", "x = 1\n", "s", "p")][:count], Document)
    with pytest.raises(InputError, match="target 'held-out' has fewer than 2 texts; give more, or hold out more"):
        measured(student, tmp_path / "few", tmp_path / "out")


def test_rows_are_sorted_and_say_which_target_they_are_of(student: Path, held_out: Path, tmp_path: Path) -> None:
    measured(student, held_out, tmp_path / "out")
    table = pq.read_table(tmp_path / "out" / "likelihood.parquet")
    assert table.column_names == ["target", "id", "bits", "bytes"]
    assert table["id"].to_pylist() == ["a", "b"]
