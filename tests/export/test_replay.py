"""The replay bundle: a recipe and the answers that it needs make the same digests again, with no key and no server."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from endpoint import Server
from hornbook.artifacts import digest_folder
from hornbook.errors import InputError, MissingResponse
from hornbook.export.bundle import shown, without_places
from hornbook.export.export import Export, export
from hornbook.pipeline import needed
from hornbook.recipe import load_recipe
from hornbook.runner import run_recipe
from hornbook.teacher.ask import Request
from hornbook.teacher.store import ResponseStore
from runs import Command, recipe_file, spawn

Serve = Callable[..., Server]
RECIPE = """
recipe: taught
only: [decontaminate-exercises]
exercises:
  writer: llm
  n: 3
  held_out: 1
  drills: {{answers: 1}}
  sandbox: {{workers: 1}}
  teacher: {{provider: endpoint, model: m, url: "{url}", pilot: 0}}
mixtures: {{}}
models: {{}}
pretrain: {{tokens: 1}}
"""
TESTS = """def check(candidate):
    assert candidate(3) == 6
    assert candidate(0) == 0
    assert candidate(-2) == -4
"""


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """An exercise with the word that is asked for in its name; the server tells where its model stands."""
    found = re.search(r'name contains the word "([^"]+)"', body["messages"][-1]["content"])
    assert found
    code = f'def {found[1]}_twice(x: int) -> int:\n    """Twice x, for {found[1]}."""\n    return x * 2\n'
    said = {"role": "assistant", "content": json.dumps({"code": code, "tests": TESTS})}
    usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    choices = [{"index": 0, "message": said, "finish_reason": "stop"}]
    return {"id": f"chat-{found[1]}", "object": "chat.completion", "created": 1, "model": "/home/me/m.gguf", "choices": choices, "usage": usage}  # fmt: skip


@pytest.fixture
def taught(tmp_path: Path, serve: Serve) -> Path:
    """The workdir of a recipe whose exercises a server wrote; the server is still there, and nobody may ask it again."""
    server = serve(answer)
    recipe = recipe_file(tmp_path / "taught.yaml", RECIPE.format(url=server.url))
    run_recipe(load_recipe(str(recipe)), tmp_path / "work")
    assert len(server.asked) == 3
    store = ResponseStore(tmp_path / "work" / "responses")
    store.put("f" * 64, {"choices": []}, request={"model": "another"})
    server.http.shutdown()
    return tmp_path / "work"


def stored(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "responses" / "responses.jsonl").read_text().splitlines()]


def test_a_bundle_makes_the_same_digests_without_a_key(taught: Path, tmp_path: Path) -> None:
    found = export(Export(unknown="keep"), "exercises", out=tmp_path / "out", workdir=taught)
    assert (found["rows"], found["replayable"], found["license"]) == (2, True, ["unknown"])
    (tmp_path / "elsewhere").mkdir()
    done = spawn("run", tmp_path / "out" / "recipe.yaml", "--workdir", "again", "--json", cwd=tmp_path / "elsewhere")
    assert done.code == 0, done.err
    assert [stage["stage"] for stage in done.json["stages"]] == ["write_exercises", "decontaminate"]
    expected = json.loads((tmp_path / "out" / "expected.json").read_text())
    again = tmp_path / "elsewhere" / "again" / "artifacts"
    made = {path.parent.name[:-9]: json.loads(path.read_text()) for path in again.glob("*/manifest.json")}
    assert {name: {"digest": m["digest"], "folders": m["folders"]} for name, m in made.items()} == expected
    keys = {path.parent.name for path in again.glob("*/manifest.json")}
    assert keys == {path.parent.name for path in taught.glob("artifacts/*/manifest.json")}


def test_a_bundle_holds_the_answers_that_were_read_and_nothing_else_of_the_store(taught: Path, tmp_path: Path) -> None:
    export(Export(unknown="keep"), "exercises", out=tmp_path / "out", workdir=taught)
    rows, all_rows = stored(tmp_path / "out"), stored(taught)
    assert {row["key"] for row in rows} == {row["key"] for row in all_rows} - {"f" * 64}
    assert len(rows) == 3
    for row in rows:
        assert row.keys() == {"v", "key", "response"}
        assert row["response"].keys() == {"id", "choices", "usage"}
    assert "/home/me" not in (tmp_path / "out" / "responses" / "responses.jsonl").read_text()


def test_the_recipe_of_a_bundle_asks_the_store_and_names_no_server(taught: Path, tmp_path: Path) -> None:
    export(Export(unknown="keep"), "exercises", out=tmp_path / "out", workdir=taught)
    text = (tmp_path / "out" / "recipe.yaml").read_text()
    recipe = yaml.safe_load(text)
    assert "127.0.0.1" not in text
    assert recipe["exercises"]["teacher"] == {"provider": "replay", "model": "m", "pilot": 0}
    assert (recipe["only"], recipe["responses"]) == (["decontaminate-exercises"], "responses")


def test_a_store_that_lacks_an_answer_is_named_with_the_way_out(
    taught: Path, tmp_path: Path, hornbook: Command
) -> None:
    rows = stored(taught)
    path = taught / "responses" / "responses.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows[1:]))
    where = ("--workdir", taught, "--out", tmp_path / "out", "--unknown", "keep")
    complaint = hornbook("export", "exercises", *where).complaint(1)
    assert f"lacks 1 of the 3 answers that this was made with (the first is {rows[0]['key'][:12]})" in complaint
    assert not (tmp_path / "out").exists()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "responses.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert hornbook("export", "exercises", *where, "--responses", tmp_path / "kept", "--json").json["rows"] == 2


def test_no_store_at_all_is_the_same_complaint(taught: Path, tmp_path: Path) -> None:
    (taught / "responses" / "responses.jsonl").unlink()
    with pytest.raises(MissingResponse, match="lacks 3 of the 3 answers"):
        export(Export(unknown="keep"), "exercises", out=tmp_path / "out", workdir=taught)


def test_an_artifact_that_did_not_note_its_answers_is_named(taught: Path, tmp_path: Path) -> None:
    (noted,) = taught.glob("artifacts/*/asked.txt")
    noted.unlink()
    with pytest.raises(InputError, match="an earlier hornbook made it"):
        export(Export(unknown="keep"), "exercises", out=tmp_path / "out", workdir=taught)


def test_what_was_mended_or_never_answered_is_in_the_bundle(taught: Path, tmp_path: Path) -> None:
    """An empty answer is asked for once more; the second try is a request of its own."""
    (noted,) = taught.glob("artifacts/*/asked.txt")
    store = ResponseStore(taught / "responses")
    empty, silent = Request("m", (("user", "say"),)), Request("m", (("user", "speak"),))
    repair = Request("m", (("user", "say"),), repair=1)
    asked = {"model": "m", "messages": [["user", "say"]], "temperature": 0.0, "top_p": 1.0, "max_tokens": 2048}
    store.put(empty.key, {"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}, request=asked)
    store.put(repair.key, {"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}, request=asked | {"repair": 1})  # fmt: skip
    store.put_unanswered(silent.key, "timeout")
    noted.write_text(noted.read_text() + f"{empty.key}\n{silent.key}\n")
    export(Export(unknown="keep"), "exercises", out=tmp_path / "out", workdir=taught)
    rows = {row["key"]: row for row in stored(tmp_path / "out")}
    assert rows.keys() >= {empty.key, repair.key, silent.key}
    assert rows[silent.key]["unanswered"] == "timeout"


def test_a_command_of_its_own_is_made_again_by_a_recipe(tmp_path: Path, serve: Serve, hornbook: Command) -> None:
    server = serve(answer)
    drills, store = tmp_path / "drills", tmp_path / "store"
    settings = ("--set", "drills.answers=1", "--set", "sandbox.workers=1")
    who = ("--writer", "llm", "--teacher", f"m@{server.url}", "--responses", store)
    assert hornbook("write", "exercises", "-n", "3", *who, *settings, "--out", drills).code == 0
    server.http.shutdown()
    found = hornbook("export", drills, "--unknown", "keep", "--out", tmp_path / "out", "--json").json
    assert (found["rows"], found["replayable"]) == (3, True)
    done = spawn("run", tmp_path / "out" / "recipe.yaml", "--workdir", tmp_path / "again", "--json")
    assert done.code == 0, done.err
    (again,) = (tmp_path / "again").glob("artifacts/write_exercises-exercises-*")
    assert digest_folder(again / "exercises") == digest_folder(drills / "exercises")
    expected = json.loads((tmp_path / "out" / "expected.json").read_text())["write_exercises-exercises"]
    assert expected["digest"] == json.loads((again / "manifest.json").read_text())["digest"]


def test_a_composed_dataset_needs_no_answers(tmp_path: Path, hornbook: Command) -> None:
    assert hornbook("write", "exercises", "-n", "5", "--mutants", "0", "--out", tmp_path / "drills").code == 0
    assert hornbook("export", tmp_path / "drills", "--out", tmp_path / "out").code == 0
    assert not (tmp_path / "out" / "responses").exists()
    done = hornbook("run", tmp_path / "out" / "recipe.yaml", "--workdir", tmp_path / "again", "--json")
    (again,) = (tmp_path / "again").glob("artifacts/*")
    assert [stage["stage"] for stage in done.json["stages"]] == ["write_exercises"]
    assert digest_folder(again / "exercises") == digest_folder(tmp_path / "drills" / "exercises")


def test_a_recipe_can_ask_for_a_part_of_its_graph_only(tmp_path: Path, hornbook: Command) -> None:
    from hornbook.pipeline import graph

    nodes = graph(load_recipe("smoke"))
    assert needed(nodes, []) == nodes
    found = [node.id for node in needed(nodes, ["select-filtered"])]
    assert found == [
        "curate-corpus", "annotate-corpus", "classify-corpus", "score-corpus", "write_exercises-exercises",
        "decontaminate-corpus", "select-filtered",
    ]  # fmt: skip
    complaint = hornbook("run", "smoke", "--set", "only=[select-filterd]", "--workdir", tmp_path / "w").complaint(2)
    assert complaint == "only: no artifact 'select-filterd'; did you mean 'select-filtered'?"


def test_a_recipe_whose_responses_are_not_there_is_refused(tmp_path: Path, hornbook: Command) -> None:
    text = RECIPE.format(url="http://127.0.0.1:9/v1") + "responses: nowhere\n"
    complaint = hornbook("run", recipe_file(tmp_path / "r.yaml", text), "--workdir", tmp_path / "w").complaint(2)
    assert complaint.startswith(f"responses: {tmp_path / 'nowhere'} holds no responses.jsonl")


def test_the_responses_of_a_recipe_that_is_extended_stand_beside_that_recipe(tmp_path: Path) -> None:
    base = recipe_file(tmp_path / "base" / "r.yaml", "extends: smoke\nresponses: stored\n")
    derived = recipe_file(tmp_path / "mine.yaml", f"extends: {base}\n")
    assert load_recipe(str(derived)).responses == str(tmp_path / "base" / "stored")


def test_a_store_takes_over_what_it_lacks_and_keeps_its_own(tmp_path: Path) -> None:
    mine, theirs = ResponseStore(tmp_path / "mine"), ResponseStore(tmp_path / "theirs")
    mine.put("a", {"n": 1})
    theirs.put("a", {"n": 2})
    theirs.put("b", {"n": 3}, mode="batch")
    theirs.put_unanswered("c", "timeout")
    for _ in range(2):
        mine.adopt(tmp_path / "theirs")
    again = ResponseStore(tmp_path / "mine")
    assert (again.get("a"), again.get("b"), again.unanswered("c")) == ({"n": 1}, {"n": 3}, "timeout")
    assert (again.row("b") or {})["mode"] == "batch"
    assert len((tmp_path / "mine" / "responses.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("/home/me/code/**/*.py", "inputs/code/**/*.py"),
        ("/home/me/code", "inputs/code"),
        ("/data/web/code", "inputs/code"),
        ("/data/web/rows.jsonl", "inputs/web/rows.jsonl"),
        ("/home/me/**/*.py", "inputs/**/*.py"),
        ("/home/me", "inputs"),
        ("~/rows.jsonl", "inputs/rows.jsonl"),
        ("/rows.jsonl", "inputs/rows.jsonl"),
        ("/home/me/my code/rows.jsonl", "inputs/my code/rows.jsonl"),
        ("file:///home/me/code/x.parquet", "inputs/code/x.parquet"),
        ("C:\\Users\\me\\code\\x.py", "inputs/code/x.py"),
    ],
)
def test_a_path_keeps_what_names_it(given: str, told: str) -> None:
    assert shown(given) == told


def test_settings_lose_places_addresses_and_leave_to_run_anything() -> None:
    given = {
        "paths": ["/home/me/a.py", "data/b.py"],
        "teacher": {"url": "http://10.0.0.7/v1", "model": "m"},
        "sandbox": {"unsafe": True, "level": "strongest"},
        "facts": {"benchmark /home/me/mine.jsonl": "d", "benchmark mbpp": "e", "/home/me/tree.yaml": "f"},
        "stop": ["\nclass"],
    }
    assert without_places(given) == {
        "paths": ["inputs/a.py", "data/b.py"],
        "teacher": {"model": "m"},
        "sandbox": {"level": "strongest"},
        "facts": {"benchmark inputs/mine.jsonl": "d", "benchmark mbpp": "e", "inputs/tree.yaml": "f"},
        "stop": ["\nclass"],
    }
