"""A person's own corpus through the whole stage: whatever holds it, from labels to the part worth teaching with."""

from __future__ import annotations

import gzip
import json
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from endpoint import Server
from hornbook.errors import InputError
from hornbook.quality.documents import bring_in, documents_at, is_dataset
from hornbook.quality.own import on_own
from hornbook.quality.score import Score, score
from hornbook.quality.select import Select, select
from hornbook.records import Annotation, Document, Rejected, content_id, read_dataset, write_dataset
from hornbook.standalone import run_alone
from runs import COMMAND, Command, Result, write_sources

Serve = Callable[..., Server]
TEXT = "def double(x):\n    return 2 * x\n"


def told(path: Path) -> list[tuple[Any, ...]]:
    return [
        (row.id, row.text, row.source, row.path, row.license) if isinstance(row, Document) else (row.reason, row.detail)
        for row in documents_at(path)
    ]


def json_lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8")
    return path


def test_rows_keep_what_they_say_of_themselves(tmp_path: Path) -> None:
    rows = [
        {"id": 7, "text": TEXT, "source": "repo", "path": "a.py", "license": "MIT"},
        {"content": TEXT, "max_stars_repo_name": "r", "max_stars_repo_path": "b.py", "max_stars_repo_licenses": ["X"]},
        {"content": TEXT + "# 2\n", "path": "d.py", "detected_licenses": ["Apache License 2.0"]},
        {"text": TEXT},
    ]
    assert told(json_lines(tmp_path / "mine.jsonl", *rows)) == [
        ("7", TEXT, "repo", "a.py", ["MIT"]),
        (content_id(TEXT), TEXT, "r", "b.py", ["X"]),
        (content_id(TEXT + "# 2\n"), TEXT + "# 2\n", "mine", "d.py", ["Apache-2.0"]),
        (content_id(TEXT), TEXT, "mine", "mine.jsonl:4", []),
    ]


def test_a_table_is_read_alike_as_parquet_jsonl_and_gzip(tmp_path: Path) -> None:
    rows = [{"id": "a", "text": TEXT, "path": "a.py"}, {"id": "b", "text": TEXT * 2, "path": "b.py"}]
    jsonl = json_lines(tmp_path / "t.jsonl", *rows)
    (tmp_path / "t.jsonl.gz").write_bytes(gzip.compress(jsonl.read_bytes()))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    assert told(jsonl) == told(tmp_path / "t.jsonl.gz") == told(tmp_path / "t.parquet")
    assert len(told(tmp_path)) == 6


def test_files_below_one_folder_are_one_source(tmp_path: Path) -> None:
    root = tmp_path / "code"
    for name in ("one/a.py", "one/deep/b.py", "two/c.py", "d.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n" + TEXT * 5)
    (root / "e.py").write_text("x\n")
    assert sorted((*row[2:4],) if len(row) == 5 else row[:1] for row in told(root)) == [
        ("code", "d.py"), ("one", "one/a.py"), ("one", "one/deep/b.py"), ("too-short",), ("two", "two/c.py")
    ]  # fmt: skip


def test_rows_that_cannot_be_used_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    rows = ["{", "[1]", {"text": 5}, {"text": " "}, {"no": "text"}, '{"text": "\\ud800"}', {"text": TEXT, "id": "x"}]
    rows += [{"text": TEXT * 2, "id": "x"}, {"text": TEXT}]
    refused = bring_in(json_lines(tmp_path / "m.jsonl", *rows), tmp_path / "made")
    assert Counter(row.reason for row in refused) == {"malformed": 6, "duplicate-id": 1}
    assert [row.detail.split(":")[1] for row in refused[:6]] == ["1", "2", "3", "4", "5", "6"]
    assert refused[6].detail == "m:m.jsonl:8: its id is that of m:m.jsonl:7"
    kept = list(read_dataset(tmp_path / "made", Document))
    assert [(row.id, row.text) for row in kept] == [("x", TEXT), (content_id(TEXT), TEXT)]


def test_a_dataset_is_told_from_other_parquet(tmp_path: Path) -> None:
    write_dataset(tmp_path / "ours", [Document("a", TEXT, "s", "p")], Document)
    (tmp_path / "other").mkdir()
    columns = {"id": ["a", None], "text": [TEXT, None], "source": ["s", "s"], "path": ["p", "q"]}
    pq.write_table(pa.table(columns), tmp_path / "other" / "t.parquet")
    assert [is_dataset(tmp_path / name) for name in ("ours", "other", "none")] == [True, False, False]


def test_a_table_with_gaps_is_no_dataset_but_can_be_read(tmp_path: Path) -> None:
    columns = {"id": ["a", None, "c"], "text": [TEXT, TEXT * 2, None], "source": ["s", None, "s"], "path": ["p"] * 3}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    assert told(tmp_path) == [
        ("a", TEXT, "s", "p", []),
        (content_id(TEXT * 2), TEXT * 2, "t", "p", []),
        ("malformed", "t.parquet:3: no text in it"),
    ]


def test_nothing_usable_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no document there can be used \(m.jsonl:1: no text in it\)"):
        bring_in(json_lines(tmp_path / "m.jsonl", {"a": 1}), tmp_path / "made")


def graded_by_name(body: dict[str, Any]) -> dict[str, Any]:
    """A model that grades a file by the number in its name; see `lessons`."""
    score = int(re.findall(r"grade_(\d)", body["messages"][1]["content"])[0])
    content = json.dumps({"reason": "by its name", "score": score})
    message = {"role": "assistant", "content": content}
    return {"choices": [{"message": message, "finish_reason": "stop"}]}


def lessons(folder: Path, count: int) -> Path:
    """Rows of six sources whose better ones explain more."""
    rows = [
        {
            "id": f"d{n:03}",
            "source": f"repo{n % 7}",
            "text": f"import x{n}\n" * (6 - n % 6) + f"\ndef grade_{n % 6}(a, b):\n" + f'    """Add {n}."""\n' * (n % 6)
            + "    return a + b\n" * (1 + n % 6),
        }
        for n in range(count)
    ]  # fmt: skip
    return json_lines(folder / "lessons.jsonl", *rows)


def done(result: Result) -> dict[str, Any]:
    assert result.code == 0, result.err
    return result.json


def test_a_corpus_walks_from_labels_to_its_best_part(hornbook: Command, serve: Serve, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    documents, server = lessons(tmp_path, 90), serve(graded_by_name)
    given = ["--teacher", f"m@{server.url}", "-n", 60, "--responses", tmp_path / "r", "--json"]
    labelled = done(hornbook("annotate", documents, "--out", tmp_path / "a", *given))
    assert labelled["documents"] == labelled["labels"] == 60
    assert (labelled["rejected"], labelled["out"]) == ({}, str(tmp_path / "a"))
    assert {name: about["documents"] for name, about in labelled["strata"].items()} == {"random": 30, "sought": 30}
    assert labelled["readers_agreement"]["files"] == 6
    assert all(row.score == int(row.id[1:]) % 6 for row in read_dataset(tmp_path / "a" / "annotations", Annotation))

    few = ["--set", "min_labels=30", "--json"]
    trained = done(hornbook("classify", documents, tmp_path / "a", "--out", tmp_path / "c", *few))
    assert (trained["labels"], trained["classifier"]) == (60, "trained")
    assert trained["spearman"] > 0.8
    assert trained["readers_agreement"]["spearman"] == 1.0

    run_alone(on_own(score), Score(workers=0), tmp_path / "s", documents=documents, classifier=tmp_path / "c")
    share = Select(share=1 / 6)
    best = run_alone(on_own(select), share, tmp_path / "best", documents=documents, scores=tmp_path / "s" / "scores")
    assert (best.rows_in, best.rows_out) == (90, 15)
    chosen = [row.id for row in read_dataset(tmp_path / "best" / "documents", Document)]
    assert sum(int(name[1:]) % 6 >= 4 for name in chosen) >= 13
    for folder in ("a", "c", "s", "best"):
        assert not (tmp_path / folder / "imported").exists()


def test_people_read_strata_and_agreement(hornbook: Command, serve: Serve, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    documents, server = lessons(tmp_path, 30), serve(graded_by_name)
    given = ["--teacher", f"m@{server.url}", "-n", 12, "--responses", tmp_path / "r", "--set", "second=1"]
    lines = hornbook("annotate", documents, "--out", tmp_path / "a", *given).out.splitlines()
    assert lines[0] == f"12 of 12 documents labelled in {tmp_path / 'a'}"
    assert [line.split()[0] for line in lines[1:]] == ["random", "sought", "agrees"]
    assert lines[3] == "  agrees with itself, 12 files: Spearman 1.00, kappa 1.00"
    few = ["--set", "min_labels=12"]
    lines = hornbook("classify", documents, tmp_path / "a", "--out", tmp_path / "c", *few).out.splitlines()
    assert lines[0] == f"classifier.skops in {tmp_path / 'c'}, from 12 labels"
    assert lines[3].split() == ["ceiling,", "the", "model", "with", "itself", "Spearman", "1.00"]


def test_without_a_teacher_the_packaged_readers_answer(hornbook: Command, tmp_path: Path) -> None:
    """Nobody has read these files, which is no fault."""
    write_sources(tmp_path / "in", 3)
    found = done(
        hornbook("annotate", tmp_path / "in", "--out", tmp_path / "a", "--json", "--responses", tmp_path / "r")
    )
    assert (found["documents"], found["labels"]) == (0, 0)
    assert found["readers_agreement"]["files"] > 100


def test_what_cannot_be_read_joins_the_rejected(hornbook: Command, serve: Serve, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    documents = lessons(tmp_path, 6)
    documents.write_text(documents.read_text() + "{\n")
    server = serve(graded_by_name)
    given = ["--teacher", f"m@{server.url}", "--responses", tmp_path / "r", "--json"]
    found = done(hornbook("annotate", documents, "--out", tmp_path / "a", *given))
    assert (found["labels"], found["rejected"]) == (6, {"malformed": 1})
    assert [row.reason for row in read_dataset(tmp_path / "a" / "rejected", Rejected)] == ["malformed"]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("annotate none.jsonl --out o", "none.jsonl: no such file or folder"),
        ("annotate lessons.jsonl --out o --teacher m", "--teacher 'm': write MODEL@URL"),
        ("annotate lessons.jsonl --out o --rubric best", "rubric: Input should be 'phi1' or 'additive'"),
        ("annotate empty --out o", "empty: no .py file in this folder"),
        ("classify lessons.jsonl none --out o", "none: no Parquet file there"),
        ("classify lessons.jsonl labels --out o", "1 of 1 labels are of other documents; name the documents"),
    ],
)
def test_a_wrong_request_is_one_clear_line(
    hornbook: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    lessons(tmp_path, 6)
    (tmp_path / "empty").mkdir()
    label = Annotation("elsewhere", 3.0, "x", "m", "random", "s", "p")
    write_dataset(tmp_path / "labels" / "annotations", [label], Annotation)
    assert told in hornbook(*command.split()).complaint(2)
    assert not (tmp_path / "o").exists() or not any((tmp_path / "o").iterdir())


def test_a_replay_of_nothing_says_so_and_leaves_the_folder_alone(hornbook: Command, tmp_path: Path) -> None:
    given = ["--teacher", "m@replay", "--responses", tmp_path / "r"]
    failed = hornbook("annotate", lessons(tmp_path, 6), "--out", tmp_path / "a", *given)
    assert "the store holds no response" in failed.complaint(1)
    assert not any((tmp_path / "a").iterdir())


def test_killed_outright_and_run_again_it_pays_for_nothing_twice(serve: Serve, tmp_path: Path) -> None:
    """SIGKILL while the eighth answer is under way: that one alone is asked for again."""
    pytest.importorskip("openai")
    numbers: list[str] = []
    hold = True

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        numbers.append(body["messages"][1]["content"].splitlines()[0])
        while hold and len(numbers) > 7:
            time.sleep(0.05)
        return graded_by_name(body)

    server = serve(answer)
    teacher = ["--teacher", f"m@{server.url}", "--set", "teacher.concurrency=1", "--set", "second=0"]
    command = [*COMMAND, "annotate", lessons(tmp_path, 20), "--out", tmp_path / "a", "--responses", tmp_path / "r"]
    command = [str(part) for part in [*command, *teacher, "--json"]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while len(numbers) < 8 and process.poll() is None:
            time.sleep(0.05)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    hold = False
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(again.stdout)["labels"] == 20
    assert Counter(Counter(numbers).values()) == {1: 19, 2: 1}
