"""How much of a corpus to keep, decided by proxy training: small students on several cut-offs, for equal tokens.

Every cut-off has a student for each of the same seeds. What decides is how few bits per byte a target costs them that
none has read. The rule: **the loosest cut-off whose paired interval against the best does not exclude zero.** Text that
cannot be shown to hurt is kept, because a longer training than the proxies' reads a narrow cut again and again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field, field_validator

from hornbook.artifacts import Ledger, write_json
from hornbook.config import Config
from hornbook.decontamination.hold_out import HoldOut
from hornbook.evaluation.metrics import Parts, over_seeds
from hornbook.evaluation.target import HELD_OUT, TargetBits, costs
from hornbook.quality.select import DECISION, Select
from hornbook.records import read_table
from hornbook.tasks.load import BENCHMARKS, UNCONVENTIONAL
from hornbook.training.pretrain import Pretrain

RAW = "raw"  # the corpus as it is, beside every selection
ARM = "proxy-"  # what the names of its students begin with
RULE = "the loosest cut-off whose interval against the best does not exclude zero"


class Decide(Config):
    """`targets`: the first decides, the others are shown. `selections`: cut-off → its settings, all but `raw`."""

    targets: list[str] = Field(min_length=1)
    seeds: list[int] = Field(min_length=1)
    selections: dict[str, Select] = Field(min_length=1)
    bootstrap: int = Field(2000, ge=100)
    seed: int = Field(0, ge=0)


class Proxy(Config):
    """`seeds`: each cut-off has a student for each. `pretrain`: how they are trained; else as the recipe's students.

    `target`: what decides, `held-out` (the best-scored of the documents that `hold_out` keeps back), a benchmark's
    name, or a path of rows with `id` and `text`. `beside`: targets that are shown and do not decide.
    """

    seeds: list[Annotated[int, Field(ge=0)]] = Field([0, 1, 2], min_length=1)
    pretrain: Pretrain | None = None
    target: str = HELD_OUT
    beside: list[str] = [UNCONVENTIONAL]
    hold_out: HoldOut = HoldOut()
    pieces: int = Field(4, ge=1)
    bootstrap: int = Field(2000, ge=100)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(2, gt=0)

    @field_validator("seeds")
    @classmethod
    def distinct(cls, seeds: list[int]) -> list[int]:
        """A seed that stands twice would be one student counted twice."""
        if len(set(seeds)) < len(seeds):
            raise ValueError("a seed stands there twice")
        return seeds

    def targets(self) -> list[str]:
        """What decides, then what is shown beside it."""
        return list(dict.fromkeys([self.target, *self.beside]))

    def named(self) -> list[str]:
        """The targets, and what else leaves the corpus, that are files."""
        return [name for name in (*self.targets(), *self.hold_out.without) if name != HELD_OUT]

    def holding_out(self) -> HoldOut:
        """What is held out: the texts of targets that a person brings leave the corpus too."""
        brought = {name for name in self.named() if name not in (UNCONVENTIONAL, *BENCHMARKS)}
        return self.hold_out.model_copy(update={"without": sorted(brought)})

    def measuring(self) -> TargetBits:
        """How each student is measured."""
        return TargetBits(targets=self.targets(), pieces=self.pieces, device=self.device, threads=self.threads)

    def deciding(self, selections: Mapping[str, Select]) -> Decide:
        """How their figures are weighed."""
        about: dict[str, Any] = {"seeds": self.seeds, "selections": dict(selections), "bootstrap": self.bootstrap}
        return Decide(targets=self.targets(), **about)


def arm_name(cut: str, seed: int) -> str:
    """The name of a proxy's student, of its pack and of its costs."""
    return f"{ARM}{cut}-{seed}"


def decide(
    config: Decide,
    *,
    datasets: Mapping[str, Path],
    packs: Mapping[str, Path],
    students: Mapping[str, Path],
    out: Path,
    ledger: Ledger,
) -> None:
    """Write `proxy.json`, every cut-off beside the others, and `decision/decision.json`, what `select` may follow.

    `datasets`: cut-off → documents; `packs` and `students` (their costs): `cut-off@seed` → folder.
    """
    cuts = [about(name, config, datasets, packs) for name in (RAW, *config.selections)]
    cuts.sort(key=lambda cut: (-cut["documents"], cut["name"] != RAW, cut["name"]))
    bits = {name: [costs(students[f"{name}@{seed}"]) for seed in config.seeds] for name in (RAW, *config.selections)}
    results = [weigh(config, target, [cut["name"] for cut in cuts], bits) for target in config.targets]
    chosen = next(cut for cut in cuts if cut["name"] == results[0]["chosen"])
    (out / "decision").mkdir(exist_ok=True)
    write_json(out / "decision" / DECISION, {"name": chosen["name"], "select": chosen["select"]})
    found = {"rule": RULE, "seeds": config.seeds, "cuts": cuts, "targets": results}
    write_json(out / "proxy.json", found)
    ledger.rows_in, ledger.rows_out = len(bits) * len(config.seeds), len(cuts)
    ledger.figures = {result["target"]: {key: result[key] for key in ("best", "chosen")} for result in results}


def about(name: str, config: Decide, datasets: Mapping[str, Path], packs: Mapping[str, Path]) -> dict[str, Any]:
    """A cut-off: its documents, about how many tokens these hold, and how often a student read them (seeds' means)."""
    documents = read_table(datasets[name], ["id"]).num_rows
    read = [reading(packs[f"{name}@{seed}"], documents) for seed in config.seeds]
    trained, available = (sum(column) / len(read) for column in zip(*read, strict=True))
    counts = {"documents": documents, "tokens": round(available), "trained": round(trained)}
    return {"name": name, "select": settings(config, name), **counts, "epochs": round(trained / available, 3)}


def settings(config: Decide, name: str) -> dict[str, float]:
    """What a recipe's `select` says to have this cut-off."""
    if name == RAW:
        return {"share": 1.0}
    cut = config.selections[name]
    return {"share": cut.share} if cut.at_least is None else {"at_least": cut.at_least}


def reading(pack: Path, documents: int) -> tuple[int, float]:
    """Tokens in a pack, and in all the documents that it draws from, were those not drawn as long as those drawn."""
    longest = pq.read_table(pack / "index.parquet").group_by("id").aggregate([("length", "max"), ("length", "sum")])
    taken, unique = pc.sum(longest["length_sum"]).as_py(), pc.sum(longest["length_max"]).as_py()
    return taken, unique * documents / longest.num_rows


def weigh(
    config: Decide, target: str, loosest_first: Sequence[str], bits: Mapping[str, Sequence[Mapping[str, Parts]]]
) -> dict[str, Any]:
    """Each cut-off's bits per byte on a target, against the best and against `raw`; which is best, and chosen."""
    parts = {name: [seed[target] for seed in bits[name]] for name in loosest_first}

    def over(second: str, first: str | None = None) -> dict[str, Any]:
        return over_seeds(parts[first] if first else (), parts[second], config.bootstrap, config.seed)

    values = {name: over(name) for name in loosest_first}
    best = min(loosest_first, key=lambda name: values[name]["value"])
    rows = [
        {"name": name, **values[name], "against_best": over(name, best), "against_raw": over(name, RAW)}
        for name in loosest_first
    ]
    chosen = next(row["name"] for row in rows if not row["against_best"]["claims"])
    return {"target": target, "texts": rows[0]["tasks"], "best": best, "chosen": chosen, "cuts": rows}
