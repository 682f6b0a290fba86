"""Exports of one real run: every dataset and a model, and a recipe in each that asks for the very artifacts behind it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runs import Command, Smoke

BEHIND = {
    "corpus": {"curate", "write_exercises", "decontaminate"},
    "selected": {"curate", "annotate", "classify", "score", "write_exercises", "decontaminate", "select"},
    "textbooks": {"write_textbooks", "write_exercises", "decontaminate"},
    "exercises": {"write_exercises", "decontaminate"},
}
MODEL = BEHIND["selected"] | {"write_textbooks", "train_tokenizer", "pack", "pretrain"}


@pytest.mark.parametrize(("what", "stages"), [*BEHIND.items(), ("filtered", MODEL), ("raw+exercises", {*MODEL, "finetune"} - {"select", "annotate", "classify", "score"})])  # fmt: skip
def test_what_a_run_made_goes_out_with_a_recipe_for_it(
    hornbook: Command, smoke: Smoke, tmp_path: Path, what: str, stages: set[str]
) -> None:
    out = tmp_path / "out"
    done = hornbook("export", what, "--workdir", smoke.workdir, "--out", out, "--json")
    assert done.code == 0, done.err
    assert done.json.keys() >= {"out", "license"}
    assert (done.json["out"], done.json["replayable"]) == (str(out), True)
    planned = hornbook("plan", out / "recipe.yaml", "--workdir", smoke.workdir, "--json").json["stages"]
    assert {stage["stage"] for stage in planned} == stages
    assert all(stage["cached"] for stage in planned)
    expected = json.loads((out / "expected.json").read_text())
    assert expected.keys() == {f"{stage['stage']}-{stage['name']}" for stage in planned}
    for path in out.rglob("*"):
        assert path.is_dir() or str(smoke.workdir.parent).encode() not in path.read_bytes(), path


def test_an_export_for_people_says_what_and_where(hornbook: Command, smoke: Smoke, tmp_path: Path) -> None:
    done = hornbook("export", "exercises", "--workdir", smoke.workdir, "--out", tmp_path / "out")
    rows = smoke.manifest("decontaminate-exercises")["rows_out"]
    assert done.out == f"{rows} exercises, under Apache-2.0; in {tmp_path / 'out'}\n"
