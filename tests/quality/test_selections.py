"""Selections on a person's own dataset, what follows a decision, and thresholds that rescore nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from hornbook.artifacts import Ledger
from hornbook.errors import CanaryError
from hornbook.pipeline import graph
from hornbook.quality import select as room
from hornbook.quality.classifier import packaged
from hornbook.quality.embed import embed
from hornbook.quality.select import Select, select
from hornbook.recipe import load_recipe
from hornbook.records import Document, read_table, write_dataset, write_table
from runs import Command

TEXTS = {
    "a": 'def double(x):\n    """Twice x.\n\n    >>> double(2)\n    4\n    """\n    return 2 * x\n',
    "b": "from .x import *\n_r = reg()\n_r.add(1)\n",
    "c": "T = [1, 2, 3]\n",
    "d": 'def add(a, b):\n    """The sum of a and b."""\n    return a + b\n',
}
SCORES = {"a": 4.0, "b": 1.0, "c": 0.5, "d": 3.0}


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    """Four documents and their scores."""
    write_dataset(tmp_path / "documents", [Document(i, text, "s", f"{i}.py") for i, text in TEXTS.items()], Document)
    write_table(tmp_path / "scores", pa.table({"id": list(SCORES), "score": list(SCORES.values())}))
    return {"documents": tmp_path / "documents", "scores": tmp_path / "scores"}


def kept(folder: Path) -> list[str]:
    ids: list[str] = read_table(folder / "documents")["id"].to_pylist()
    return ids


@pytest.mark.parametrize(
    ("decided", "expected"),
    [({"share": 0.25}, ["a"]), ({"share": 1.0}, ["a", "b", "c", "d"]), ({"at_least": 3}, ["a", "d"])],
)
def test_a_decision_goes_before_the_settings(
    inputs: dict[str, Path], tmp_path: Path, decided: dict[str, float], expected: list[str]
) -> None:
    (tmp_path / "decision").mkdir()
    (tmp_path / "decision" / "decision.json").write_text(json.dumps({"name": "x", "select": decided}))
    config = Select(share=0.5, proxy=True)
    select(config, **inputs, out=tmp_path / "out", ledger=Ledger(), decision=tmp_path / "decision")
    assert kept(tmp_path / "out") == expected


@pytest.mark.parametrize("config", [Select(share=0.5), Select(share=1.0), Select(at_least=3), Select(at_least=0.7)])
def test_every_cut_has_a_canary_on_either_side(inputs: dict[str, Path], tmp_path: Path, config: Select) -> None:
    ledger = Ledger()
    select(config, **inputs, out=tmp_path / "out", ledger=ledger)
    assert {row["threshold"] for row in ledger.canaries} == {ledger.figures["cut"]}
    assert [(row["expected"], row["caught"]) for row in ledger.canaries] == [(True, True), (False, False)]


@pytest.mark.parametrize(("wrong", "canary"), [(1e-3, "select/above-cut"), (-1e-3, "select/below-cut")])
@pytest.mark.parametrize("config", [Select(share=0.5), Select(at_least=3)])
def test_a_cut_applied_a_little_beside_itself_fails_the_run(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Select, wrong: float, canary: str
) -> None:
    class Beside(float):
        """A cut that is compared as another, a little beside it."""

        __array_priority__ = 1000

        def __add__(self, other: float) -> float:
            return float(self) + other

        def __array_ufunc__(self, ufunc: object, method: str, *given: object, **more: object) -> object:
            moved = [float(item) + wrong if isinstance(item, Beside) else item for item in given]
            return getattr(ufunc, method)(*moved, **more)

    real = room.keep
    monkeypatch.setattr(room, "keep", lambda values, cut, ledger: real(values, Beside(cut), ledger))
    with pytest.raises(CanaryError, match=canary):
        select(config, **inputs, out=tmp_path / "out", ledger=Ledger())


def test_each_selection_is_an_artifact_with_its_own_canaries_and_all_share_the_scores() -> None:
    nodes = graph(load_recipe("smoke", ["selections.top.share=0.1", "selections.good.at_least=3"]))
    cuts = [node for node in nodes if node.stage == "select"]
    assert [(node.name, node.config.semantic()) for node in cuts] == [
        ("top", {"share": 0.1}),
        ("good", {"at_least": 3.0}),
        ("filtered", {}),
    ]
    assert {tuple(sorted(node.inputs.values())) for node in cuts} == {
        ("decontaminate-corpus/documents", "score-corpus/scores")
    }


def test_a_selection_can_be_trained_on() -> None:
    more = ["selections.top.share=0.1", "mixtures.m.top=1", "models.m.pretrain=m"]
    (pack,) = [node for node in graph(load_recipe("smoke", more)) if node.id == "pack-m"]
    assert pack.inputs["datasets.top"] == "select-top/documents"


def test_selections_change_nothing_of_what_was_there() -> None:
    plain, more = (
        {node.id: (node.config.semantic(), node.inputs) for node in graph(load_recipe("smoke", settings))}
        for settings in ([], ["selections.top.share=0.1"])
    )
    assert more.pop("select-top")
    assert more == plain


def test_a_dataset_is_scored_apart_from_its_documents(
    hornbook: Command, inputs: dict[str, Path], tmp_path: Path
) -> None:
    done = hornbook("score", inputs["documents"], "--out", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    found = read_table(tmp_path / "out" / "scores")
    assert found["id"].to_pylist() == list(TEXTS)
    values = [round(float(value), 4) for value in packaged().predict(embed(list(TEXTS.values())))]
    assert found["score"].to_pylist() == pytest.approx(values, abs=1e-4)
    assert (done.json["documents"], done.json["out"]) == (4, str(tmp_path / "out"))
    assert done.json["at_least_3"] == sum(value >= 3 for value in values)


def test_what_score_wrote_is_what_select_reads(hornbook: Command, inputs: dict[str, Path], tmp_path: Path) -> None:
    hornbook("score", inputs["documents"], "--out", tmp_path / "scored")
    done = hornbook(
        "select", inputs["documents"], tmp_path / "scored", "--share", 0.5, "--out", tmp_path / "half", "--json"
    )
    assert done.code == 0, done.err
    scores = read_table(tmp_path / "scored" / "scores")["score"].to_pylist()
    best = sorted(sorted(TEXTS, key=lambda i: -scores[list(TEXTS).index(i)])[:2])
    assert kept(tmp_path / "half") == best
    assert (done.json["rows"], done.json["kept"], done.json["rejected"]) == (4, 2, {"below-cut": 2})


def test_rows_of_a_persons_own_are_scored_and_selected(hornbook: Command, tmp_path: Path) -> None:
    rows = [json.dumps({"id": id, "text": text}) for id, text in TEXTS.items()] + ["no JSON"]
    (tmp_path / "mine.jsonl").write_text("\n".join(rows))
    scored = hornbook("score", tmp_path / "mine.jsonl", "--out", tmp_path / "scored", "--json")
    assert (scored.code, scored.json["documents"]) == (0, 4), scored.err
    assert json.loads((tmp_path / "scored" / "manifest.json").read_text())["stage"] == "score"
    best = tmp_path / "best"
    done = hornbook("select", tmp_path / "mine.jsonl", tmp_path / "scored", "--share", 0.5, "--out", best, "--json")
    assert (done.code, done.json["rows"], done.json["kept"]) == (0, 4, 2), done.err
    assert done.json["rejected"] == {"below-cut": 2, "malformed": 1}


def test_a_dataset_is_selected_by_score(hornbook: Command, inputs: dict[str, Path], tmp_path: Path) -> None:
    done = hornbook("select", inputs["documents"], inputs["scores"], "--at-least", 3, "--out", tmp_path / "good")
    assert done.code == 0, done.err
    assert kept(tmp_path / "good") == ["a", "d"]
    assert done.out == f"2 of 4 documents kept in {tmp_path / 'good'}: those scored 3 or more\n"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([], "give either --share, as in --share 0.2, or --at-least, as in --at-least 3"),
        (
            ["--share", 0.2, "--at-least", 3],
            "give either --share, as in --share 0.2, or --at-least, as in --at-least 3",
        ),
        (["--share", 1.5], "--share 1.5: Input should be less than or equal to 1"),
    ],
)
def test_a_selection_that_cannot_be_meant_is_refused(
    hornbook: Command, inputs: dict[str, Path], tmp_path: Path, options: list[object], complaint: str
) -> None:
    done = hornbook("select", inputs["documents"], inputs["scores"], *options, "--out", tmp_path / "out")
    assert done.complaint(2) == complaint


def test_several_datasets_are_not_scored_into_one_folder(hornbook: Command, tmp_path: Path) -> None:
    complaint = hornbook("score", tmp_path, tmp_path, "--out", tmp_path / "out").complaint(2)
    assert complaint.startswith("--out: scores one dataset")
