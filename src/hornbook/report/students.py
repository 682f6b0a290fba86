"""The students of a run: their names, colours and results, as the comparison and evaluations wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hornbook.artifacts import read_json, read_jsonl
from hornbook.report.run import Run, Stage
from hornbook.report.text import Estimate, count, words

BASELINE = "baseline"
INGREDIENTS = frozenset({"raw", "filtered", "textbooks", "exercises", "corpus", "web"})
COLOURS = 8
POINTS = 160  # of a loss curve

MEASURES = {"bits_per_byte": "bits per byte", "pass_at_1": "pass@1", "parse_rate": "parses"}


@dataclass(frozen=True)
class Arm:
    """A student, or the baseline. `colour` is the CSS class that all charts give it."""

    name: str
    label: str
    colour: str
    results: Mapping[str, Any]
    splits: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    baseline: bool = False

    def estimate(self, benchmark: str, measure: str) -> Estimate | None:
        """What was measured, with its interval; None where it was not."""
        result = self.results.get(benchmark, {})
        found = result.get("pass_at_k", {}).get("1") if measure == "pass_at_1" else result.get(measure)
        return found or None

    def family(self, benchmark: str, family: str) -> Mapping[str, float] | None:
        """Problems and pass@1 of one family of a benchmark."""
        found: Mapping[str, float] | None = self.results.get(benchmark, {}).get("families", {}).get(family)
        return found


def comparison(run: Run) -> dict[str, Any]:
    """The run's comparison; empty when it has none."""
    stages = run.holding("comparison.json", "compare")
    return dict(read_json(stages[0].folder / "comparison.json")) if stages else {}


def arms(run: Run, compared: Mapping[str, Any]) -> list[Arm]:
    """All students in the order they were trained, the baseline last."""
    found = {row["name"]: (row["results"], row.get("splits", ())) for row in compared.get("arms", ())}
    for stage in run.holding("results.json", "evaluate", BASELINE):
        known = {stage.name, f"{stage.name} exercise"} & found.keys() if stage.stage == BASELINE else set()
        if not known and stage.name not in found:
            found[stage.name] = (read_json(stage.folder / "results.json")["benchmarks"], ())
    bases = {stage.name for stage in run.of(BASELINE)}
    bases |= {f"{name} exercise" for name in bases} | {"nearest", "nearest exercise"}
    names = [name for name in in_order(run, found) if name not in bases]
    students = [Arm(n, label_of(n), f"arm-{i % COLOURS}", *found[n]) for i, n in enumerate(names)]
    return students + [Arm(n, baseline_label(n), "arm-base", *found[n], True) for n in found if n in bases]


def in_order(run: Run, names: Iterable[str]) -> list[str]:
    """Names in the order of training: pretrained students first, then finetuned, then whatever is left."""
    trained = [stage.name for kind in ("pretrain", "finetune", "evaluate") for stage in run.of(kind)]
    rank = {name: place for place, name in reversed(list(enumerate(trained)))}
    return sorted(names, key=lambda name: rank.get(name, len(rank) + len(trained)))


def pieces(name: str) -> list[str]:
    """What an arm's name is made of.

    >>> pieces("filtered_textbooks-exercises")
    ['filtered', 'textbooks', 'exercises']
    """
    return [piece for piece in re.split(r"[\s+_-]+", name) if piece]


def label_of(name: str) -> str:
    """An arm's name for people: ingredients joined by plus signs, any other name as it stands.

    >>> label_of("raw_exercises"), label_of("my_arm")
    ('raw + exercises', 'my_arm')
    """
    made_of = pieces(name)
    return " + ".join(made_of) if made_of and set(made_of) <= INGREDIENTS else name


def baseline_label(name: str) -> str:
    """The baseline's name for people."""
    return "nearest exercise, copied" if name in ("nearest", "nearest exercise") else words(name)


def benchmark_label(name: str, problems: int | None) -> str:
    """A benchmark for people.

    >>> benchmark_label("unconventional", 50), benchmark_label("held_out", 120)
    ('50 unconventional problems', '120 held-out compositions')
    """
    many = f"{count(problems)} " if problems else ""
    if name == "unconventional":
        return f"{many}unconventional problems"
    if name.replace("-", "_").startswith("held_out"):
        return f"{many}held-out compositions"
    return f"{many}{name} problems"


def benchmarks(everyone: Sequence[Arm]) -> dict[str, str]:
    """Benchmark → its label, the unconventional problems first."""
    names = dict.fromkeys(name for arm in everyone for name in arm.results)
    sizes = {name: result.get("problems") for arm in everyone for name, result in arm.results.items()}
    return {name: benchmark_label(name, sizes[name]) for name in sorted(names, key=lambda n: n != "unconventional")}


def headlines(everyone: Sequence[Arm]) -> list[tuple[str, str]]:
    """The two figures to show first, as (benchmark, measure): bits per byte where it is steadiest, and pass@1 on the
    held-out compositions. Where a run has no such benchmark, the first that was measured stands in."""
    names = list(benchmarks(everyone))
    wanted = (("bits_per_byte", names), ("pass_at_1", sorted(names, key=lambda n: (n == "unconventional", n))))
    return [
        (found, measure)
        for measure, order in wanted
        if (found := next((n for n in order if any(arm.estimate(n, measure) for arm in everyone)), ""))
    ]


def loss_curve(stage: Stage) -> list[tuple[float, float]]:
    """(tokens, loss) of a training, averaged over at most `POINTS` equal stretches of steps."""
    rows = [(float(row["tokens"]), float(row["loss"])) for row in read_jsonl(stage.folder / "loss.jsonl")]
    width = max(1, -(-len(rows) // POINTS))
    chunks = [rows[start : start + width] for start in range(0, len(rows), width)]
    return [(chunk[-1][0], sum(loss for _, loss in chunk) / len(chunk)) for chunk in chunks]
