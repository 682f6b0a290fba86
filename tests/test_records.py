"""Rows: ids, order, bytes and what comes back."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.errors import InputError
from hornbook.records import (
    Annotation,
    Document,
    Exercise,
    Problem,
    Provenance,
    Record,
    Rejected,
    Sample,
    Section,
    Verdict,
    content_id,
    read_dataset,
    read_table,
    scatter,
    write_dataset,
)

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
TEXTS = st.lists(TEXT, max_size=2)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
SMALL = st.integers(-(2**31), 2**31 - 1)
PROVENANCE = st.builds(Provenance, TEXT, TEXT, TEXT, TEXTS, SMALL, TEXT)
STRATEGIES: dict[type[Record], st.SearchStrategy[Any]] = {
    Document: st.builds(Document, TEXT, TEXT, TEXT, TEXT, TEXTS, TEXTS, TEXT),
    Rejected: st.builds(Rejected, TEXT, TEXT, TEXT, TEXT, TEXT),
    Annotation: st.builds(Annotation, TEXT, FINITE, TEXT, TEXT, TEXT, TEXT, TEXT),
    Section: st.builds(Section, TEXT, TEXT, TEXT, TEXT, TEXT, TEXTS, TEXTS, PROVENANCE, st.booleans()),
    Exercise: st.builds(
        Exercise, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXTS, TEXTS, PROVENANCE, st.booleans(), SMALL, SMALL
    ),
    Problem: st.builds(Problem, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, st.booleans()),
    Sample: st.builds(Sample, TEXT, SMALL, TEXT, TEXT),
    Verdict: st.builds(Verdict, TEXT, SMALL, TEXT, TEXT, st.booleans()),
}
KINDS = pytest.mark.parametrize("kind", STRATEGIES, ids=lambda kind: kind.__name__)


@KINDS
def test_the_columns_of_a_record_are_its_fields_in_order(kind: type[Record]) -> None:
    assert kind.schema.names == [field.name for field in fields(kind)]


@KINDS
@given(data=st.data())
def test_rows_come_back_as_written_in_order(
    kind: type[Record], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = data.draw(st.lists(STRATEGIES[kind], max_size=4))
    folder = tmp_path_factory.mktemp("rows") / "dataset"
    assert write_dataset(folder, rows, kind) == len(rows)
    found = list(read_dataset(folder, kind))
    key = kind.schema.names[0]
    assert [getattr(row, key) for row in found] == sorted(getattr(row, key) for row in rows)
    assert sorted(map(repr, found)) == sorted(map(repr, rows))


@given(rows=st.lists(STRATEGIES[Document], max_size=5), chance=st.randoms())
def test_the_bytes_depend_on_the_rows_alone(
    rows: list[Document], chance: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("bytes")
    write_dataset(root / "one", rows, Document)
    shuffled = list(rows)
    chance.shuffle(shuffled)
    write_dataset(root / "two", shuffled, Document)
    (one,), (two,) = (root / "one").iterdir(), (root / "two").iterdir()
    assert one.name == two.name == "part-00000.parquet"
    assert one.read_bytes() == two.read_bytes()


def test_a_dataset_without_rows_does_not_keep_others_from_loading(tmp_path: Path) -> None:
    """Alone, `datasets` can only stream it: it has no notion of a split without rows."""
    from datasets import load_dataset

    write_dataset(tmp_path / "none", [], Rejected)
    write_dataset(tmp_path / "one", [Rejected("a", "s", "r")], Rejected)
    files = [str(tmp_path / name / "part-00000.parquet") for name in ("none", "one")]
    loaded = load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"), split="train")
    assert loaded["id"][:] == ["a"]
    assert list(load_dataset("parquet", data_files=files[:1], split="train", streaming=True)) == []


@KINDS
def test_a_dataset_without_rows_keeps_its_columns(kind: type[Record], tmp_path: Path) -> None:
    write_dataset(tmp_path, [], kind)
    assert pq.read_schema(tmp_path / "part-00000.parquet") == kind.schema
    assert list(read_dataset(tmp_path, kind)) == []


def test_columns_that_a_record_does_not_know_are_left_out(tmp_path: Path) -> None:
    row = {"id": "a", "text": "t", "source": "s", "path": "p", "license": [], "parents": [], "stars": 5}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "rows.parquet")
    assert list(read_dataset(tmp_path, Document)) == [Document("a", "t", "s", "p")]


def test_parts_of_a_folder_are_read_in_name_order(tmp_path: Path) -> None:
    for name, id in (("b", "2"), ("a", "1")):
        pq.write_table(pa.table({"id": [id]}), tmp_path / f"{name}.parquet")
    assert read_table(tmp_path)["id"].to_pylist() == ["1", "2"]


def test_one_file_is_read_too(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["1"], "x": [2]}), tmp_path / "rows.parquet")
    assert read_table(tmp_path / "rows.parquet", ["x"]).to_pydict() == {"x": [2]}


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none: no Parquet file there"):
        read_table(tmp_path / "none")


def test_a_folder_without_parquet_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no Parquet file there"):
        read_table(tmp_path)


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    write_dataset(tmp_path, [Document("a", "t", "s", "p")], Document)
    part = tmp_path / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(InputError, match="not readable as Parquet"):
        read_table(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    write_dataset(tmp_path, [Document("a", "t", "s", "p")], Document)
    with pytest.raises(InputError, match="stars"):
        read_table(tmp_path, ["id", "stars"])


def test_an_id_is_the_head_of_a_sha256() -> None:
    assert content_id("a", "b") == hashlib.sha256(b"a\0b").hexdigest()[:16]


def test_a_text_that_is_not_unicode_has_an_id_too() -> None:
    assert content_id("\ud800") == hashlib.sha256(b"\xed\xa0\x80").hexdigest()[:16]


@given(st.lists(st.text(st.characters(codec="utf-8")), unique=True), st.text(st.characters(codec="utf-8")))
def test_scattering_keeps_the_order_of_the_others_when_a_row_joins(ids: list[str], late: str) -> None:
    before = sorted(ids, key=lambda id: scatter(7, id))
    after = sorted([*ids, late], key=lambda id: scatter(7, id))
    after.remove(late)
    assert sorted(after) == sorted(before)
    assert [id for id in after if id != late] == [id for id in before if id != late]


def test_another_seed_scatters_otherwise() -> None:
    ids = [str(number) for number in range(20)]
    assert sorted(ids, key=lambda id: scatter(1, id)) != sorted(ids, key=lambda id: scatter(2, id))
