"""The decision between cut-offs, with costs and packs made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.artifacts import Ledger
from hornbook.evaluation.proxy import Decide, Proxy, decide
from hornbook.evaluation.target import SCHEMA
from hornbook.records import write_table

SELECTIONS = {"top50": {"share": 0.5}, "top25": {"share": 0.25}, "good": {"at_least": 3}}
KEPT = {"raw": 8, "top50": 4, "top25": 2, "good": 3}
TEXTS = 12


def wave(size: float) -> list[float]:
    """Differences between texts that add up to nothing."""
    return [size * (-1) ** n for n in range(TEXTS)]


class Experiment:
    """Folders for `decide`: bits per byte of each cut-off and seed, text by text."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inputs: dict[str, dict[str, Path]] = {"datasets": {}, "packs": {}, "students": {}}
        for name, documents in KEPT.items():
            ids = [f"{name}{n}" for n in range(documents)]
            write_table(root / "datasets" / name, pa.table({"id": ids, "text": ids}))
            self.inputs["datasets"][name] = root / "datasets" / name

    def add(self, name: str, seed: int, bits: list[float], beside: list[float] | None = None) -> None:
        """A student: what each text of the target costs it, a byte each; it read two documents of ten tokens."""
        at = f"{name}@{seed}"
        targets = {"held-out": bits} | ({"mine": beside} if beside else {})
        rows = [
            {"target": target, "id": f"{n:02}", "bits": value, "bytes": 1}
            for target, values in targets.items()
            for n, value in enumerate(values)
        ]
        for kind in ("students", "packs"):
            (self.root / kind / at).mkdir(parents=True)
            self.inputs[kind][at] = self.root / kind / at
        pq.write_table(pa.Table.from_pylist(rows, SCHEMA), self.root / "students" / at / "likelihood.parquet")
        index = {"id": ["x", "y", "x", "y"], "start": [0, 10, 20, 30], "length": [10, 10, 10, 5], "part": [name] * 4}
        pq.write_table(pa.table(index), self.root / "packs" / at / "index.parquet")

    def decide(
        self, seeds: list[int], targets: tuple[str, ...] = ("held-out",)
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """`proxy.json` and `decision.json`."""
        out = self.root / "out"
        out.mkdir()
        config = Decide.model_validate({"targets": list(targets), "seeds": seeds, "selections": SELECTIONS})
        decide(config, **self.inputs, out=out, ledger=Ledger())
        return json.loads((out / "proxy.json").read_text()), json.loads((out / "decision/decision.json").read_text())


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    return Experiment(tmp_path)


def level(rate: float, luck: float = 0.0, size: float = 0.0) -> list[float]:
    return [rate + luck + item for item in wave(size)]


def test_the_loosest_that_cannot_be_told_from_the_best_is_chosen(experiment: Experiment) -> None:
    for seed, luck in enumerate((0.0, 0.3)):  # the luck of a seed is the same for all, and leaves differences alone
        experiment.add("raw", seed, level(2.0, luck))
        experiment.add("top50", seed, level(1.51, luck, size=0.2))  # worse by 0.01, and by 0.2 up and down
        experiment.add("good", seed, level(1.6, luck))
        experiment.add("top25", seed, level(1.5, luck))
    found, decision = experiment.decide([0, 1])
    (target,) = found["targets"]
    assert [(row["name"], row["against_best"]["claims"]) for row in target["cuts"]] == [
        ("raw", True),
        ("top50", False),
        ("good", True),
        ("top25", False),
    ]
    assert (target["best"], target["chosen"]) == ("top25", "top50")
    assert decision == {"name": "top50", "select": {"share": 0.5}}
    assert [row["value"] for row in target["cuts"]] == pytest.approx([2.15, 1.66, 1.75, 1.65])
    assert [row["against_raw"]["value"] for row in target["cuts"]] == pytest.approx([0, -0.49, -0.4, -0.5])


def test_a_difference_within_the_luck_of_seeds_is_no_reason_to_cut(experiment: Experiment) -> None:
    for seed, luck in enumerate((-0.2, 0.0, 0.2)):
        experiment.add("raw", seed, level(1.6, luck))
        for name in SELECTIONS:
            experiment.add(name, seed, level(1.5))
    found, decision = experiment.decide([0, 1, 2])
    assert (found["targets"][0]["best"], decision["name"]) == ("top50", "raw")
    assert decision["select"] == {"share": 1.0}


def test_the_same_with_one_seed_is_told_apart(experiment: Experiment) -> None:
    experiment.add("raw", 7, level(1.6))
    for name in SELECTIONS:
        experiment.add(name, 7, level(1.5))
    _, decision = experiment.decide([7])
    assert decision["name"] == "top50"  # of three that are alike the loosest


def test_a_cut_by_score_is_chosen_as_a_score(experiment: Experiment) -> None:
    for name in KEPT:
        experiment.add(name, 0, level(1.0 if name == "good" else 2.0))
    _, decision = experiment.decide([0])
    assert decision == {"name": "good", "select": {"at_least": 3.0}}


def test_the_first_target_decides_and_the_others_are_told(experiment: Experiment) -> None:
    for name in KEPT:
        experiment.add(name, 0, level(1.0 if name == "top25" else 2.0), beside=level(1.0 if name == "raw" else 2.0))
    found, decision = experiment.decide([0], ("held-out", "mine"))
    assert [(t["target"], t["best"], t["chosen"]) for t in found["targets"]] == [
        ("held-out", "top25", "top25"),
        ("mine", "raw", "raw"),
    ]
    assert decision["name"] == "top25"


def test_cuts_stand_from_loose_to_strict_with_what_they_hold(experiment: Experiment) -> None:
    for name in KEPT:
        experiment.add(name, 0, level(1.0))
    found, _ = experiment.decide([0])
    # A pack of 35 tokens has 20 of two documents: a cut of 8 documents has about 80, read 0.4375 times.
    assert [(c["name"], c["documents"], c["tokens"], c["trained"], c["epochs"]) for c in found["cuts"]] == [
        ("raw", 8, 80, 35, 0.438),
        ("top50", 4, 40, 35, 0.875),
        ("good", 3, 30, 35, 1.167),
        ("top25", 2, 20, 35, 1.75),
    ]


def test_a_target_of_ones_own_leaves_the_corpus_and_a_benchmark_does_not() -> None:
    proxy = Proxy(target="mine.jsonl", beside=["unconventional", "held-out", "mine.jsonl"])
    assert proxy.targets() == ["mine.jsonl", "unconventional", "held-out"]
    assert proxy.holding_out().without == ["mine.jsonl"]
    assert proxy.hold_out.without == []
