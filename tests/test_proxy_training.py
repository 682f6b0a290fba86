"""A whole proxy training, as small as it can be and still be real, and what a changed threshold redoes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hornbook.pipeline import STAGES, graph
from hornbook.recipe import load_recipe
from hornbook.records import content_id, read_table
from runs import Command, Result, Smoke, recipe_file, spawn

RECIPE = """\
extends: proxy
recipe: tiny
curate: {packages: [python], limit: 150}
classify: {min_labels: 1000}
selections: {top50: {share: 0.5}, top30: null, top20: {share: 0.2}, top10: null, top5: null, score3: null}
proxy: {seeds: [0, 1], bootstrap: 200, hold_out: {share: 0.2, best: 0.5}}
tokenizer: {vocab_size: 512, characters: 100000}
pack: {context: 128}
pretrain: {tokens: 2048, model: {preset: phi-smoke}, compile: false}
"""
ARMS = [f"proxy-{cut}-{seed}" for cut in ("raw", "top50", "top20") for seed in (0, 1)]


@dataclass(frozen=True)
class Trained:
    """A finished proxy training."""

    workdir: Path
    recipe: Path
    done: Result

    def folder(self, node: str) -> Path:
        (found,) = self.workdir.glob(f"artifacts/{node}-????????")
        return found

    def ids(self, inside: str) -> set[str]:
        node, _, folder = inside.partition("/")
        return set(read_table(self.folder(node) / folder, ["id"])["id"].to_pylist())

    def read(self, node: str, name: str) -> Any:
        return json.loads((self.folder(node) / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root = tmp_path_factory.mktemp("proxy")
    recipe = recipe_file(root / "tiny.yaml", RECIPE)
    done = spawn("run", recipe, "--workdir", root / "work", "--json", cwd=root)
    assert done.code == 0, done.err
    return Trained(root / "work", recipe, done)


def test_each_cut_has_a_student_for_each_seed_and_nothing_is_written_or_examined(trained: Trained) -> None:
    stages = trained.done.json["stages"]
    assert [stage["name"] for stage in stages if stage["stage"] == "pretrain"] == ARMS
    assert [stage["name"] for stage in stages if stage["stage"] == "target_bits"] == ARMS
    kinds = {stage["stage"] for stage in stages}
    assert kinds == set(STAGES) - {
        *("write_textbooks", "write_exercises", "finetune", "evaluate", "baseline", "compare")
    }


def test_no_student_reads_what_it_is_judged_on(trained: Trained) -> None:
    target, rejected = trained.ids("hold_out-corpus/target"), trained.ids("hold_out-corpus/rejected")
    assert target
    assert target < rejected
    clean = trained.ids("decontaminate-corpus/documents")
    left = trained.ids("hold_out-corpus/documents")
    assert left | rejected == clean
    assert not left & rejected
    for cut in ("top50", "top20"):
        assert trained.ids(f"select-{cut}/documents") < left
    for arm in ARMS:
        assert set(read_table(trained.folder(f"pack-{arm}") / "index.parquet", ["id"])["id"].to_pylist()) <= left


def test_the_target_is_the_better_half_of_what_is_held_out(trained: Trained) -> None:
    table = read_table(trained.folder("score-corpus") / "scores")
    scores = dict(zip(table["id"].to_pylist(), table["score"].to_pylist(), strict=True))
    target, held = trained.ids("hold_out-corpus/target"), trained.ids("hold_out-corpus/rejected")
    assert min(scores[i] for i in target) >= max(scores[i] for i in held - target)
    assert len(target) == pytest.approx(len(held) / 2, abs=1)


def test_students_differ_in_their_cut_and_seed_alone(trained: Trained) -> None:
    nodes = {node.id: node for node in graph(load_recipe(str(trained.recipe)))}
    settings = [nodes[f"pretrain-{arm}"].config.semantic() for arm in ARMS]
    assert [s.pop("seed", 0) for s in settings] == [0, 1] * 3
    assert settings == [settings[0]] * 6
    packs = [nodes[f"pack-{arm}"].config.semantic() for arm in ARMS]
    assert [p.pop("weights") for p in packs] == [{cut: 1.0} for cut in ("raw", "top50", "top20") for _ in (0, 1)]
    assert [p.pop("seed", 0) for p in packs] == [0, 1] * 3
    assert packs == [packs[0]] * 6


def test_the_decision_follows_from_the_students_costs(trained: Trained) -> None:
    found, decision = trained.read("decide-proxy", "proxy.json"), trained.read("decide-proxy", "decision/decision.json")
    target, beside = found["targets"]
    assert (target["target"], beside["target"]) == ("held-out", "unconventional")
    assert (target["texts"], beside["texts"]) == (len(trained.ids("hold_out-corpus/target")), 50)
    values = {row["name"]: row["value"] for row in target["cuts"]}
    for cut, value in values.items():
        rates = []
        for seed in (0, 1):
            table = read_table(trained.folder(f"target_bits-proxy-{cut}-{seed}") / "likelihood.parquet")
            rows = [row for row in table.to_pylist() if row["target"] == "held-out"]
            rates.append(sum(row["bits"] for row in rows) / sum(row["bytes"] for row in rows))
        assert value == pytest.approx(sum(rates) / 2, abs=1e-5)
    assert target["best"] == min(values, key=lambda name: values[name])
    loosest = next(row["name"] for row in target["cuts"] if not row["against_best"]["claims"])
    assert decision["name"] == target["chosen"] == loosest
    assert decision["select"] == {"raw": {"share": 1.0}, "top50": {"share": 0.5}, "top20": {"share": 0.2}}[loosest]


def test_the_report_and_the_terminal_say_what_to_use(trained: Trained, hornbook: Command) -> None:
    share = trained.read("decide-proxy", "decision/decision.json")["select"]["share"]
    page = Path(trained.done.json["report"]).read_text("utf-8")
    assert f"Use “select: {{share: {share:g}}}”" in page
    assert "proxy × 6" in page
    printed = hornbook("report", "tiny", "--workdir", trained.workdir)
    assert printed.code == 0, printed.err
    assert f"Use “select: {{share: {share:g}}}”" in printed.out
    assert [line.split()[0] for line in printed.out.splitlines()[2:5]] == ["raw", "top50", "top20"]


def states(hornbook: Command, trained: Trained, *settings: str) -> dict[str, bool]:
    """Whether each node of a changed recipe is there already."""
    given = [part for setting in settings for part in ("--set", setting)]
    done = hornbook("plan", trained.recipe, "--workdir", trained.workdir, "--json", *given)
    assert done.code == 0, done.err
    return {f"{stage['stage']}-{stage['name']}": stage["cached"] for stage in done.json["stages"]}


def test_a_further_cut_trains_its_own_students_and_no_other(trained: Trained, hornbook: Command) -> None:
    found = states(hornbook, trained, "selections.top15.share=0.15")
    new = {f"{stage}-proxy-top15-{seed}" for stage in ("pack", "pretrain", "target_bits") for seed in (0, 1)}
    assert {node for node, cached in found.items() if not cached} == {"select-top15", *new, "decide-proxy"}


def test_a_further_seed_trains_its_own_students_and_no_other(trained: Trained, hornbook: Command) -> None:
    found = states(hornbook, trained, "proxy.seeds=[0, 1, 5]")
    new = {
        f"{stage}-proxy-{cut}-5" for stage in ("pack", "pretrain", "target_bits") for cut in ("raw", "top50", "top20")
    }
    assert {node for node, cached in found.items() if not cached} == {*new, "decide-proxy"}


def test_another_target_trains_nothing(trained: Trained, hornbook: Command) -> None:
    found = states(hornbook, trained, "proxy.target=unconventional", "proxy.beside=[held-out]")
    assert {node for node, cached in found.items() if not cached} == {f"target_bits-{arm}" for arm in ARMS} | {
        "decide-proxy"
    }


def test_a_target_that_is_not_there_is_named_before_anything_runs(trained: Trained, hornbook: Command) -> None:
    done = hornbook("plan", trained.recipe, "--workdir", trained.workdir, "--set", "proxy.target=mine.jsonl")
    assert done.complaint(2).startswith("mine.jsonl: no such file, and no benchmark of that name")


def test_a_recipe_can_train_on_what_its_proxies_decide(trained: Trained) -> None:
    more = ["select.proxy=true", "mixtures.filtered.selected=1", "models.filtered.pretrain=filtered"]
    nodes = {node.id: node for node in graph(load_recipe(str(trained.recipe), more))}
    assert nodes["select-filtered"].inputs["decision"] == "decide-proxy/decision"
    assert nodes["select-filtered"].inputs["documents"] == "hold_out-corpus/documents"
    assert nodes["pack-filtered"].inputs["datasets.selected"] == "select-filtered"


@pytest.mark.parametrize("setting", ["select.share=0.3", "select.at_least=2.5"])
def test_a_changed_threshold_rescores_nothing(smoke: Smoke, hornbook: Command, setting: str) -> None:
    done = hornbook("plan", "smoke", "--workdir", smoke.workdir, "--json", "--set", setting)
    assert done.code == 0, done.err
    cached = {f"{stage['stage']}-{stage['name']}" for stage in done.json["stages"] if stage["cached"]}
    assert cached == {
        *(f"{stage}-corpus" for stage in ("curate", "annotate", "classify", "score", "decontaminate")),
        *("write_textbooks-textbooks", "decontaminate-textbooks", "write_exercises-exercises"),
        *("decontaminate-exercises", "train_tokenizer-shared", "pack-raw", "pretrain-raw", "evaluate-raw"),
        *("pack-raw+exercises", "finetune-raw+exercises", "evaluate-raw+exercises", "baseline-nearest"),
    }


def test_a_threshold_goes_back_and_forth_without_a_trace(smoke: Smoke, hornbook: Command) -> None:
    done = hornbook("plan", "smoke", "--workdir", smoke.workdir, "--json", "--set", "select.share=0.2")
    assert all(stage["cached"] for stage in done.json["stages"])


def test_ids_are_hashes_of_texts(trained: Trained) -> None:
    """Else holding out by id would not hold out by content."""
    rows = read_table(trained.folder("hold_out-corpus") / "target").to_pylist()
    assert all(row["id"] == content_id(row["text"]) for row in rows)
