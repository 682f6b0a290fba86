"""The arms of an experiment side by side: paired differences, and the split by similarity to training data.

The split follows phi-1 §5 and Table 3: a problem is *similar* when some training exercise's syntax tree matches its
solution's at a rate of at least τ.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pydantic import Field

from hornbook.artifacts import Ledger, read_json, read_jsonl, write_json
from hornbook.config import Config
from hornbook.decontamination.syntax import nearest
from hornbook.evaluation.conventions import ConventionName
from hornbook.evaluation.evaluate import gather
from hornbook.evaluation.metrics import paired, ratio
from hornbook.records import Exercise, Problem, read_dataset

Parts = dict[str, tuple[float, float]]  # task → (numerator, denominator)


class Compare(Config):
    """`pairs`: which arms to subtract, as [a, b] meaning b - a. `tau`: phi-1's match rate for "similar" (§5).

    `convention`: whose tasks were asked. `shown`: how many problems of each benchmark are laid out with every arm's
    completion.
    """

    benchmarks: list[str] = ["unconventional"]
    convention: ConventionName = "hornbook"
    pairs: list[tuple[str, str]] = []
    tau: float = 0.95
    shown: int = 6
    bootstrap: int = Field(2000, ge=100)
    seed: int = Field(0, ge=0)


def compare(
    config: Compare,
    *,
    arms: Mapping[str, Path],
    exercises: Path,
    problems: Mapping[str, Path],
    out: Path,
    ledger: Ledger,
) -> None:
    """Write `comparison.json`: arms, differences, the similarity split and completions beside one another."""
    benchmarks = gather(config.benchmarks, problems, config.convention, plain=True)
    similar = {name: similar_tasks(part, exercises, config.tau) for name, part in benchmarks.items()}
    measured = {arm: measures(folder) for arm, folder in sorted(arms.items())}
    comparison = {
        "tau": config.tau,
        "benchmarks": {
            name: {"problems": len(part), "similar": len(similar[name])} for name, part in benchmarks.items()
        },
        "arms": [
            {
                "name": arm,
                "results": read_json(arms[arm] / "results.json")["benchmarks"],
                "splits": splits(config, measured[arm], similar),
            }
            for arm in measured
        ],
        "differences": differences(config, measured),
        "completions": completions(config, benchmarks, arms),
    }
    write_json(out / "comparison.json", comparison)
    ledger.rows_in = ledger.rows_out = sum(len(part) for part in benchmarks.values())
    ledger.figures = {name: {"similar": len(tasks)} for name, tasks in similar.items()}


def similar_tasks(problems: list[Problem], exercises: Path, tau: float) -> set[str]:
    """Ids of the problems to which some training exercise's syntax tree matches at a rate of at least `tau`."""
    programs = [exercise.prompt + exercise.solution for exercise in read_dataset(exercises, Exercise)]
    asked = [p.prompt + p.canonical_solution if p.completes else p.canonical_solution for p in problems]
    found = nearest(asked, programs, cutoff=tau)
    return {problem.task_id for problem, (place, _) in zip(problems, found, strict=True) if place >= 0}


def measures(folder: Path) -> dict[tuple[str, str], Parts]:
    """(benchmark, measure) → per-task parts, for pass_at_1 and bits_per_byte."""
    found: dict[tuple[str, str], Parts] = defaultdict(dict)
    for row in read_jsonl(folder / "verdicts.jsonl"):
        parts = found[row["benchmark"], "pass_at_1"]
        passed, count = parts.get(row["task_id"], (0.0, 0.0))
        parts[row["task_id"]] = (passed + (row["status"] == "passed"), count + 1)
    if (folder / "likelihood.parquet").exists():
        for row in pq.read_table(folder / "likelihood.parquet").to_pylist():
            found[row["benchmark"], "bits_per_byte"][row["task_id"]] = (row["bits"], row["bytes"])
    return dict(found)


def splits(
    config: Compare, measured: Mapping[tuple[str, str], Parts], similar: Mapping[str, set[str]]
) -> list[dict[str, Any]]:
    """Each compared benchmark and measure, apart for similar and not similar problems; an empty side is left out."""
    rows = []
    for (benchmark, measure), parts in sorted(measured.items()):
        if benchmark not in similar:
            continue
        for label, wanted in (("similar", True), ("not similar", False)):
            chosen = [part for task, part in sorted(parts.items()) if (task in similar[benchmark]) is wanted]
            if chosen:
                value = ratio([p[0] for p in chosen], [p[1] for p in chosen], config.bootstrap, config.seed)
                row = {"benchmark": benchmark, "measure": measure, "split": label, "problems": len(chosen), **value}
                rows.append(row)
    return rows


def differences(config: Compare, measured: Mapping[str, Mapping[tuple[str, str], Parts]]) -> list[dict[str, Any]]:
    """b - a for every configured pair, benchmark and measure that both arms have."""
    rows = []
    for a, b in config.pairs:
        for benchmark, measure in sorted(measured[a].keys() & measured[b].keys()):
            first, second = measured[a][benchmark, measure], measured[b][benchmark, measure]
            if not first.keys() & second.keys():
                continue
            found = paired(first, second, config.bootstrap, config.seed)
            better = "lower" if measure == "bits_per_byte" else "higher"
            rows.append({"a": a, "b": b, "benchmark": benchmark, "measure": measure, "better": better, **found})
    return rows


def completions(
    config: Compare, benchmarks: Mapping[str, list[Problem]], arms: Mapping[str, Path]
) -> list[dict[str, Any]]:
    """The first problems of each benchmark, spread over its families, with what every arm answered."""
    answers: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
    for arm, folder in sorted(arms.items()):
        status = {
            (r["benchmark"], r["task_id"], r["sample"]): r["status"] for r in read_jsonl(folder / "verdicts.jsonl")
        }
        for row in read_jsonl(folder / "samples.jsonl"):
            if row["sample"] == 0:
                place = (row["benchmark"], row["task_id"])
                answers[place][arm] = {"completion": row["completion"], "status": status.get((*place, 0), "missing")}
    return [
        {
            "benchmark": name,
            "task_id": problem.task_id,
            "family": problem.family,
            "prompt": problem.prompt,
            "solution": problem.canonical_solution,
            "arms": answers[name, problem.task_id],
        }
        for name, problems in benchmarks.items()
        for problem in spread(problems, config.shown)
    ]


def spread(problems: list[Problem], count: int) -> list[Problem]:
    """Up to `count` problems, one of each family before a second of any, in order of task id."""
    seen: dict[str, int] = defaultdict(int)
    ranked = []
    for problem in sorted(problems, key=lambda p: p.task_id):
        ranked.append((seen[problem.family], problem.task_id, problem))
        seen[problem.family] += 1
    return [problem for _, _, problem in sorted(ranked, key=lambda row: row[:2])[:count]]
