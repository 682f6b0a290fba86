"""One row, followed through a run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hornbook.artifacts import write_json
from hornbook.errors import InputError, RequestError
from hornbook.explain import explain
from hornbook.records import Document, Rejected, write_dataset
from runs import Command, Smoke


def rows(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder).to_pylist()
    return found


def test_explain_prints_its_contract(hornbook: Command, smoke: Smoke) -> None:
    kept = rows(smoke.folder("select-filtered") / "documents")[0]
    done = hornbook("explain", kept["id"], "--workdir", smoke.workdir, "--json")
    assert done.json.keys() == {"id", "found"}
    assert done.json["id"] == kept["id"]
    assert all(fact.keys() == {"stage", "name", "table", "row"} for fact in done.json["found"])


def test_a_kept_document_is_found_at_every_step_in_order(smoke: Smoke) -> None:
    pack = pq.read_table(smoke.folder("pack-filtered") / "index.parquet").to_pylist()[0]
    found = explain(smoke.workdir, pack["id"])["found"]
    steps = [(fact["stage"], fact["name"], fact["table"]) for fact in found]
    expected = [
        ("curate", "corpus", "documents"),
        ("score", "corpus", "scores"),
        ("decontaminate", "corpus", "documents"),
        ("select", "filtered", "documents"),
        ("pack", "filtered", "index"),
    ]
    assert [step for step in steps if step in expected] == expected
    place = next(fact["row"] for fact in found if fact["stage"] == "pack" and fact["name"] == "filtered")
    assert {name: place[name] for name in ("start", "length", "part")} == {
        name: pack[name] for name in ("start", "length", "part")
    }


def test_a_dropped_document_comes_with_its_reason(smoke: Smoke) -> None:
    dropped = rows(smoke.folder("select-filtered") / "rejected")[0]
    found = explain(smoke.workdir, dropped["id"])["found"]
    reasons = [fact["row"]["reason"] for fact in found if fact["table"] == "rejected"]
    assert reasons == ["below-cut"]


def test_a_held_out_exercise_is_found_in_its_examination(smoke: Smoke) -> None:
    exercise = rows(smoke.folder("write_exercises-exercises") / "held_out")[0]
    found = explain(smoke.workdir, exercise["id"])["found"]
    assert {fact["stage"] for fact in found} >= {"write_exercises", "evaluate"}


def test_an_explanation_for_people_names_the_tables(hornbook: Command, smoke: Smoke) -> None:
    kept = rows(smoke.folder("select-filtered") / "documents")[0]
    done = hornbook("explain", kept["id"], "--workdir", smoke.workdir)
    assert "curate corpus · documents" in done.out
    assert f"path: {kept['path']}" in done.out


def test_an_unknown_id_is_exit_code_2(hornbook: Command, smoke: Smoke) -> None:
    complaint = hornbook("explain", "nobody", "--workdir", smoke.workdir).complaint(2)
    assert "knows a row 'nobody'" in complaint


@pytest.fixture
def workdir(tmp_path: Path) -> Callable[..., Path]:
    """A run of one artifact, made by hand."""

    def make(text: str = "text") -> Path:
        folder = tmp_path / "artifacts" / "curate-corpus-00000000"
        write_dataset(folder / "documents", [Document("a", text, "s", "p"), Document("b", "t", "s", "p")], Document)
        write_dataset(folder / "rejected", [Rejected("c", "curate", "empty")], Rejected)
        stage = {"stage": "curate", "name": "corpus", "folder": f"artifacts/{folder.name}"}
        for recipe in ("one", "two"):
            (tmp_path / "runs" / recipe).mkdir(parents=True)
            write_json(tmp_path / "runs" / recipe / "run.json", {"stages": [stage]})
        return tmp_path

    return make


Workdir = Callable[..., Path]


def test_an_artifact_that_two_runs_share_is_told_once(workdir: Workdir) -> None:
    assert explain(workdir(), "c")["found"] == [
        {
            "stage": "curate",
            "name": "corpus",
            "table": "rejected",
            "row": {"id": "c", "stage": "curate", "reason": "empty", "detail": "", "excerpt": ""},
        }
    ]


def test_a_long_text_is_cut_and_its_length_said(workdir: Workdir) -> None:
    (fact,) = explain(workdir("x" * 1401), "a")["found"]
    assert fact["row"]["text"] == "x" * 400 + "… (1,401 characters)"


def test_a_text_of_400_characters_is_whole(workdir: Workdir) -> None:
    (fact,) = explain(workdir("x" * 400), "a")["found"]
    assert fact["row"]["text"] == "x" * 400


def test_a_torn_table_is_named(workdir: Workdir) -> None:
    root = workdir()
    part = root / "artifacts" / "curate-corpus-00000000" / "documents" / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-5])
    with pytest.raises(InputError, match=r"part-00000\.parquet: not readable as Parquet"):
        explain(root, "a")


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"stages": [{}]}'])
def test_a_torn_run_is_named(workdir: Workdir, text: str) -> None:
    root = workdir()
    (root / "runs" / "one" / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run\.json"):
        explain(root, "a")


def test_an_artifact_that_is_gone_is_passed_over(workdir: Workdir) -> None:
    root = workdir()
    shutil.rmtree(root / "artifacts")
    with pytest.raises(RequestError, match="knows a row 'a'"):
        explain(root, "a")


def test_json_of_an_explanation_is_one_object(hornbook: Command, workdir: Workdir) -> None:
    done = hornbook("explain", "a", "--workdir", workdir(), "--json")
    assert json.loads(done.out)["id"] == "a"
