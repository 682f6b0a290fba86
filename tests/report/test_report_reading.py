"""Loading a run, reading few rows, and the pieces of charts."""

from __future__ import annotations

import doctest
import importlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fake_run import build

from hornbook.errors import InputError
from hornbook.report import plots
from hornbook.report.charts import Dot, Scale, dots_with_intervals, funnel, tag, ticks
from hornbook.report.run import by_id, column, head, load_run
from hornbook.report.students import arms, comparison
from hornbook.report.text import excerpt, seconds, size, tokens


@pytest.mark.parametrize("name", ["charts", "plots", "students", "text", "wording", "written"])
def test_examples_in_docstrings(name: str):
    result = doctest.testmod(importlib.import_module(f"hornbook.report.{name}"))
    assert result.attempted
    assert not result.failed


def test_a_stage_without_manifest_is_missing(tmp_path: Path):
    folder = build(tmp_path, finished=False)
    next((tmp_path / "artifacts").glob("score-*/manifest.json")).unlink()
    run = load_run(folder)
    assert run.missing == ("score-corpus",)
    assert run.get("score-corpus") is None
    assert not run.finished


@pytest.mark.parametrize("text", ["{", "[]", '{"recipe": "r"}', '{"recipe": "r", "stages": [3]}'])
def test_a_broken_summary_is_one_clear_error(tmp_path: Path, text: str):
    folder = build(tmp_path)
    (folder / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run\.json"):
        load_run(folder)


def test_no_summary_is_one_clear_error(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        load_run(tmp_path)


def test_rows_are_found_by_id_over_groups_and_files(tmp_path: Path):
    for part, first in (("part-00000", 0), ("part-00001", 100)):
        rows = {
            "id": [f"{n:04}" for n in range(first, first + 100)],
            "text": [f"text {n}" for n in range(first, first + 100)],
        }
        pq.write_table(pa.table(rows), tmp_path / f"{part}.parquet", row_group_size=7)
    found = by_id(tmp_path, ["text"], {"0003", "0150", "nowhere"})
    assert {row_id: row["text"] for row_id, row in found.items()} == {"0003": "text 3", "0150": "text 150"}
    assert [row["id"] for row in head(tmp_path, ["id"], 103)][-1] == "0102"
    assert len(column(tmp_path, "id")) == 200
    assert column(tmp_path / "nowhere", "id") == []


def test_a_file_that_is_not_parquet_is_one_clear_error(tmp_path: Path):
    (tmp_path / "part-00000.parquet").write_text("no")
    with pytest.raises(InputError, match="not readable as Parquet"):
        head(tmp_path, ["id"], 1)


def test_arms_stand_in_order_of_training_with_the_baseline_last(tmp_path: Path):
    run = load_run(build(tmp_path))
    found = arms(run, comparison(run))
    assert [arm.name for arm in found] == [
        "raw", "filtered", "filtered_textbooks", "raw_exercises", "filtered_textbooks_exercises", "nearest exercise",
    ]  # fmt: skip
    assert [arm.colour for arm in found][-2:] == ["arm-4", "arm-base"]
    assert json.dumps([arm.baseline for arm in found]) == "[false, false, false, false, false, true]"


def test_excerpts_are_cut_and_spelled_out():
    assert excerpt("a\nb\nc", 2) == "a\nb\n… 1 more line"
    assert excerpt("x" * 300) == "x" * 160 + " …"
    assert excerpt("\tif x:\r\n\x00", 5) == "    if x:\n⟨U+0000⟩"
    assert excerpt("") == ""


def test_units_for_people():
    assert (size(1_340_000_000), size(250), size(None)) == ("1.3 GB", "250 bytes", "–")
    assert (tokens(None), seconds(None)) == ("–", "–")


def test_places_stay_within_the_picture():
    scale = Scale(1.0, 3.0)
    assert (scale.at(2), scale.at(9), scale.at(-9)) == ("50.00%", "100.00%", "0.00%")
    assert Scale(2.0, 2.0).at(2.0) == "0.00%"
    assert ticks(1.0, 1.0)[0] <= 1.0 <= ticks(1.0, 1.0)[-1]
    assert ticks(-0.42, 0.01, 3) == [-0.6, -0.4, -0.2, 0.0, 0.2]


def test_charts_escape_what_they_are_given():
    evil = '"><script>'
    assert "<script" not in tag("text", evil, x=evil)
    assert "<script" not in dots_with_intervals([Dot(evil, 1, 0.5, 2, evil, evil, evil)], evil.format, evil)
    assert "<script" not in funnel([(evil, 3, 1, evil, evil)], evil)
    assert "<script" not in plots.lines([(evil, evil, [(1.0, 2.0), (2.0, 1.0)], evil)], evil.format, evil.format, evil)


def test_a_curve_of_one_point_and_a_flat_one_are_drawn():
    for curve in ([(1.0, 2.0)], [(1.0, 2.0), (2.0, 2.0)]):
        assert "polyline" in plots.lines([("one", "arm-0", curve, "2.0")], str, str, "loss")
