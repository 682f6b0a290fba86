"""Classifiers over any embedding: which is chosen, what its file remembers, and where it is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from model2vec import StaticModel
from pydantic import ValidationError
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel

from hornbook.artifacts import Ledger
from hornbook.errors import InputError, RecipeError
from hornbook.facts import embedder_facts
from hornbook.pipeline import graph
from hornbook.quality import classify as room
from hornbook.quality.classifier import FILE, Classifier, load, save
from hornbook.quality.classify import Classify, classify, cross_validate, train
from hornbook.quality.embed import NAMES, Embed, digest_of, open_embedder
from hornbook.quality.files import score_files
from hornbook.quality.machines import KINDS, Single, sound
from hornbook.quality.score import Score, score
from hornbook.quality.why import parts, why_parts
from hornbook.recipe import load_recipe
from hornbook.records import Annotation, Document, read_table, write_dataset
from hornbook.runner import Run
from runs import Command, recipe_file

WORDS = ["<unk>", "lesson", "table", "other"]
SMALL: dict[str, Any] = {"trees": 20, "min_labels": 24, "folds": 3}
LESSON, TABLE = "lesson + other\n", "table + other\n"  # the model does not know +


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model2vec model in which `lesson` and `table` point to two sides of `other`."""
    made = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    folder = tmp_path_factory.mktemp("static")
    vectors = np.array([[0, 0, 0], [1, 0, 0.5], [-1, 0, 0.5], [0, 1, 0]], np.float32)
    StaticModel(vectors, made).save_pretrained(folder)
    return folder


def settings(static: Path, **more: Any) -> Classify:
    return Classify(embedder=Embed(kind="model2vec", model=str(static)), **{**SMALL, **more})


def corpus(folder: Path, count: int = 24) -> dict[str, Path]:
    """Lessons, worth 5, and tables, worth 0, of four packages."""
    texts = [(LESSON if n % 2 else TABLE) + "other\n" * (n % 5) for n in range(count)]
    rows = [Document(f"{n:03}", text, f"package{n % 4}", f"{n}.py") for n, text in enumerate(texts)]
    labels = [Annotation(row.id, n % 2 * 5.0, "", "me", "random", row.source, row.path) for n, row in enumerate(rows)]
    write_dataset(folder / "documents", rows, Document)
    write_dataset(folder / "annotations", labels, Annotation)
    return {"documents": folder / "documents", "annotations": folder / "annotations"}


def trained(folder: Path, config: Classify) -> Ledger:
    ledger = Ledger()
    classify(config, **corpus(folder), out=folder, ledger=ledger)
    return ledger


def numbers(seed: int = 0, count: int = 60, width: int = 8) -> tuple[np.ndarray, list[float]]:
    rows = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    return rows, np.clip(2.5 + 1.5 * rows[:, 0], 0, 5).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_machine_comes_back_as_it_was_and_equal_ones_are_equal_bytes(kind: str, tmp_path: Path) -> None:
    rows, labels = numbers()
    embedder = Embed(kind="transformers", model="owner/name", revision="abc", windows=3)
    for name in ("a", "b"):
        fitted = room.made(Classify(**SMALL), kind, rows, labels)
        assert isinstance(fitted, Single)
        made = replace(fitted, embedder=embedder.shaping(), digest="d" * 64, slope=1.5, offset=-0.5)
        save(made, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    back = load(tmp_path / "a")
    assert isinstance(back, Single)
    assert np.array_equal(back.predict(rows), made.predict(rows))
    assert np.allclose(back.predict(rows), np.clip(1.5 * made.machine.predict(rows) - 0.5, 0, 5))
    assert (back.kind, back.made_for) == (kind, (embedder, "d" * 64))
    assert back.predict(rows[:0]).tolist() == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_machine_learns_what_can_be_learnt(kind: str) -> None:
    rows, labels = numbers(count=200)
    unseen, truth = numbers(1)
    found = room.made(Classify(), kind, rows, labels).raw(unseen)
    assert np.corrcoef(found, truth)[0, 1] > 0.8


@pytest.mark.parametrize("kind", ["svr", "ridge"])
def test_the_scale_of_an_embedding_does_not_matter(kind: str) -> None:
    rows, labels = numbers()
    stretched = rows.astype(np.float64) * 1024 + 64
    one, other = (room.made(Classify(), kind, x, labels).raw(x) for x in (rows.astype(np.float64), stretched))
    assert np.allclose(one, other, atol=1e-6)


def crafted(what: str) -> dict[str, Any]:
    """The content of a file that would have scikit-learn read where there is nothing, or run what is not a forest."""
    rows, labels = numbers()
    forest = RandomForestRegressor(3, random_state=0).fit(rows, labels)
    made = vars(Single("forest", forest, Embed(kind="model2vec").shaping(), "d"))
    tree = forest.estimators_[1].tree_
    state = tree.__getstate__()
    if what == "child":
        state["nodes"]["left_child"][0] = 1 << 40
    elif what == "loop":
        state["nodes"]["right_child"][0] = 0
    elif what == "feature":
        state["nodes"]["feature"][0] = 1 << 30
    elif what == "kind":
        made["kind"] = "ridge"
    elif what == "hidden":
        made["machine"] = make_pipeline(StandardScaler(), forest).fit(rows, labels)
    elif what == "dressed":  # a crafted tree that shows a sound one
        made["machine"] = forest.estimators_[1]
        made["machine"].estimators_ = [forest.estimators_[0]]
        state["nodes"]["right_child"][0] = 0
    elif what == "nested":  # a forest of crafted trees that shows a sound one, in a forest
        inner = RandomForestRegressor(1, random_state=0).fit(rows, labels)
        inner.estimators_, inner.tree_ = [forest.estimators_[1]], forest.estimators_[2].tree_
        forest.estimators_ = [inner]
        state["nodes"]["right_child"][0] = 0
    elif what == "levelled":
        made = vars(Classifier(forest, forest, forest, 1.0))  # type: ignore[arg-type]
    tree.__setstate__(state)
    return made


@pytest.mark.parametrize("what", ["child", "loop", "feature", "kind", "hidden", "dressed", "nested", "levelled"])
def test_a_crafted_forest_is_refused(what: str, tmp_path: Path) -> None:
    skops.io.dump(crafted(what), tmp_path / FILE)
    with pytest.raises(InputError, match="not a hornbook classifier"):
        load(tmp_path / FILE)


def test_an_honest_forest_is_not() -> None:
    made = crafted("nothing")["machine"]
    assert all(sound(one.tree_, 8) for one in made.estimators_)
    assert not sound(made.estimators_[0].tree_, 0)


def test_for_another_embedder_the_machine_that_ranks_best_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, _ = numbers(count=8)
    truth = [0.0, 2.0, 4.0, 2.0, 0.0, 2.0, 4.0, 2.0]
    given = [Annotation(f"{n}", score, "", "me", "random", f"p{n % 4}", "p") for n, score in enumerate(truth)]
    guesses = {"forest": truth[::-1], "svr": [0.0, 2.0, 4.0, 3.0, 0.0, 2.0, 4.0, 2.0], "ridge": [1.0] * 8}
    unseen = {name: np.array(values) for name, values in guesses.items()}
    monkeypatch.setattr(room, "cross_validate", lambda *_: unseen)
    config = Classify(embedder=Embed(kind="model2vec", model="owner/potion"), **SMALL)
    made, _, figures = train(config, rows, given)
    assert isinstance(made, Single)
    assert (made.kind, figures["kind"], figures["embedder"]) == ("svr", "svr", "model2vec potion")
    assert set(figures["alternatives"]) == {"forest", "ridge"}
    assert figures["alternatives"]["ridge"]["spearman"] is None
    equal = dict.fromkeys(KINDS, np.array(truth))
    monkeypatch.setattr(room, "cross_validate", lambda *_: equal)
    assert train(config, rows, given)[2]["kind"] == "forest"
    asked, _, figures = train(config.model_copy(update={"kind": "ridge"}), rows, given)
    assert isinstance(asked, Single)
    assert (asked.kind, figures["kind"]) == ("ridge", "ridge")


def test_the_machines_too_predict_for_packages_they_have_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [Annotation(f"{n}", n % 6, "", "me", "random", f"p{n % 4}", "p") for n in range(24)]
    seen_by: dict[int, set[str]] = {}

    class Spy:
        def __init__(self, rows: np.ndarray) -> None:
            self.seen = {given[int(row)].source for row in rows[:, 0]}

        def raw(self, rows: np.ndarray) -> np.ndarray:
            seen_by.update({int(row): self.seen for row in rows[:, 0]})
            return np.array(rows[:, 0])

    monkeypatch.setattr(room, "made", lambda _config, _kind, rows, _scores: Spy(rows))
    found = cross_validate(Classify(embedder=Embed(kind="model2vec")), np.arange(24.0)[:, None], given)
    assert {name: values.tolist() for name, values in found.items()} == {kind: list(range(24)) for kind in KINDS}
    assert all(given[row].source not in seen and len(seen) == 3 for row, seen in seen_by.items())


@pytest.mark.parametrize("kind", KINDS)
def test_of_the_packaged_embedder_too_any_kind_can_be_asked_for(kind: Any, tmp_path: Path) -> None:
    ledger = trained(tmp_path, Classify(kind=kind, **SMALL))
    back = load(tmp_path / FILE)
    assert isinstance(back, Single)
    assert (back.kind, back.made_for) == (kind, (Embed(), digest_of(Embed())))
    assert back.machine.n_features_in_ == len(NAMES)
    assert set(ledger.figures["alternatives"]) == {"levelled", *KINDS} - {kind}


def test_only_the_packaged_embedding_is_levelled() -> None:
    with pytest.raises(
        ValidationError, match=r"kind: levelled reads the packaged embedder and not 'model2vec minishlab/"
    ):
        Classify(kind="levelled", embedder=Embed(kind="model2vec"))


def test_too_few_labels_for_an_embedder_of_ones_own_are_refused(static: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="24 labels are fewer than 25: too few to train a classifier for 'model2vec"):
        trained(tmp_path, settings(static, min_labels=25))


def scored(folder: Path, config: Score) -> list[float]:
    score(config, documents=folder / "documents", classifier=folder, out=folder, ledger=Ledger())
    found: list[float] = read_table(folder / "scores")["score"].to_pylist()
    return found


def test_training_and_scoring_with_an_embedder_of_ones_own(static: Path, tmp_path: Path) -> None:
    config = settings(static)
    ledger = trained(tmp_path, config)
    assert ledger.figures["kind"] in KINDS
    assert ledger.figures["auc_at_3"] == 1.0
    values = scored(tmp_path, Score(embedder=config.embedder))
    assert max(values[0::2]) < 1 < 4 < min(values[1::2])


def test_a_classifier_of_another_embedder_is_refused_by_both_names(static: Path, tmp_path: Path) -> None:
    trained(tmp_path, settings(static))
    with pytest.raises(
        InputError, match=r"made for the embedder 'model2vec .*', and this is 'packaged'; train it again"
    ):
        scored(tmp_path, Score())
    trained(tmp_path / "own", Classify(kind="ridge", **SMALL))
    with pytest.raises(InputError, match="made for the embedder 'packaged', and this is 'model2vec"):
        scored(tmp_path / "own", Score(embedder=Embed(kind="model2vec", model=str(static))))


def test_files_are_scored_by_the_embedder_that_the_classifier_names(static: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    static_copy(static, model)
    (tmp_path / "judge").mkdir()
    trained(tmp_path / "judge", settings(model, kind="ridge"))
    program = tmp_path / "mine.py"
    program.write_text(LESSON * 8 + "\n\n" + TABLE * 10)
    found = score_files([program], tmp_path / "judge", reasons=True)
    assert found == score_files([program], tmp_path / "judge" / FILE, reasons=True)
    why = {row["feature"]: row["points"] for row in found["files"][0]["why"]}
    assert set(why) == {"lines 1-8: lesson + other", "lines 11-20: table + other"}
    assert why["lines 11-20: table + other"] < 0 < why["lines 1-8: lesson + other"]
    model.rename(tmp_path / "moved")
    with pytest.raises(InputError, match="no such model folder"):
        score_files([program], tmp_path / "judge", reasons=False)
    assert score_files([program], tmp_path / "judge", reasons=True, model=str(tmp_path / "moved")) == found


def static_copy(static: Path, folder: Path) -> None:
    StaticModel.from_pretrained(static).save_pretrained(folder)


def test_a_model_for_the_packaged_embedder_is_refused(tmp_path: Path, static: Path) -> None:
    with pytest.raises(InputError, match="made for the packaged embedder; leave it out"):
        score_files([tmp_path], None, reasons=False, model=str(static))


def test_the_command_finds_the_embedder_of_a_classifiers_folder(
    static: Path, tmp_path: Path, hornbook: Command
) -> None:
    (tmp_path / "judge").mkdir()
    trained(tmp_path / "judge", settings(static))
    program = tmp_path / "mine.py"
    program.write_text(LESSON * 20)
    result = hornbook("score", str(program), "--classifier", str(tmp_path / "judge"), "--json")
    assert result.json["files"][0]["score"] > 4


def test_the_push_of_a_part_is_what_the_score_loses_without_it(static: Path) -> None:
    class Sum:
        def predict(self, rows: np.ndarray) -> np.ndarray:
            return np.asarray(rows[:, 0])

    judge = Single("ridge", Sum(), slope=2.0, offset=2.0)
    embedder = open_embedder(Embed(kind="model2vec", model=str(static)))
    text = "lesson lesson lesson\n\n\ntable\n    table\n\nother\n"
    # lesson 1, table -1, other 0: the mean is 1/6, without lessons -2/3, without tables 3/4, without the other 1/5
    pushes = dict(why_parts(judge, embedder, text))
    assert list(pushes) == ["lines 1-1: lesson lesson lesson", "lines 4-5: table", "lines 7-7: other"]
    assert list(pushes.values()) == pytest.approx([5 / 3, -7 / 6, -1 / 15], abs=1e-6)


def test_parts_stand_between_blank_lines_at_the_margin() -> None:
    text = "import os\n\n\ndef f():\n\n    return 1\n\n  \nx = 1\n"
    assert [text[start:end] for start, end in parts(text)] == [
        "import os\n\n\n",
        "def f():\n\n    return 1\n\n  \n",
        "x = 1\n",
    ]
    assert parts("\n  x\n\n  y\n\nz") == [(1, 11), (11, 12)]
    assert parts("\n\n") == parts("") == []


RECIPE = "extends: smoke\nrecipe: own\nembedder: {{kind: model2vec, model: {model}}}\n{more}"


def test_one_setting_of_a_recipe_reaches_training_and_scoring(static: Path, tmp_path: Path) -> None:
    recipe = load_recipe(str(recipe_file(tmp_path / "own.yaml", RECIPE.format(model=static, more=""))))
    nodes = {node.stage: node for node in graph(recipe)}
    for stage in ("classify", "score"):
        assert nodes[stage].config.semantic()["embedder"] == {"kind": "model2vec", "model": str(static)}
    facts = embedder_facts("quality/meaning.npz")(nodes["score"].config, Run(recipe, tmp_path).store)
    assert facts == {"embedder": digest_of(recipe.embedder)}


def test_an_unchanged_recipe_has_unchanged_keys(tmp_path: Path) -> None:
    run = Run(load_recipe("laptop"), tmp_path)
    for node in run.nodes:
        if node.stage in ("classify", "score"):
            assert node.config.semantic() == {}
            assert set(run_facts(run, node.stage, node.config)) <= {"quality/classifier.skops", "quality/meaning.npz"}


def run_facts(run: Run, stage: str, config: Any) -> dict[str, str]:
    from hornbook.pipeline import STAGES

    return STAGES[stage].facts(config, run.store)


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ("score: {embedder: {kind: model2vec}}\n", r"own.yaml:4: score.embedder: name it once for both stages"),
        ("classify: {kind: levelled}\n", r"own.yaml:4: classify.kind: levelled reads the packaged embedder and not"),
        ("classify: {kind: tree}\n", r"own.yaml:4: classify.kind: Input should be 'auto'"),
    ],
)
def test_a_recipe_that_names_two_embedders_or_cannot_read_its_own_is_refused(
    more: str, complaint: str, static: Path, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=complaint):
        load_recipe(str(recipe_file(tmp_path / "own.yaml", RECIPE.format(model=static, more=more))))


def test_a_model_that_is_not_there_is_said_before_anything_is_run(tmp_path: Path) -> None:
    recipe = load_recipe(str(recipe_file(tmp_path / "own.yaml", RECIPE.format(model=tmp_path / "gone", more=""))))
    with pytest.raises(InputError, match="gone: no such model folder"):
        Run(recipe, tmp_path)
