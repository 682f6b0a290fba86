"""Examine one model, or judge samples from anywhere, outside a recipe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hornbook.artifacts import ISOLATION, Ledger, read_json, read_jsonl
from hornbook.errors import RequestError
from hornbook.evaluation.evaluate import Evaluate, evaluate, judge_and_write
from hornbook.records import Sample
from hornbook.standalone import run_alone
from hornbook.tasks.load import load as load_problems
from hornbook.tasks.samples import read_samples


def evaluate_alone(config: Evaluate, model: str | None, samples: Path | None, out: Path) -> dict[str, Any]:
    """What `hornbook evaluate --json` prints. Raises RequestError unless exactly one of model and samples is given."""
    if (model is None) == (samples is None):
        raise RequestError("evaluate: give either a MODEL folder or --samples FILE")
    if max(config.k) > config.samples and samples is None:
        raise RequestError(
            f"--k {max(config.k)}: needs at least as many samples a problem; raise --n ({config.samples})"
        )
    if samples is not None:
        run_alone(judge_file, config, out, samples=samples)
    else:
        run_alone(evaluate, config, out, model=Path(str(model)), problems={})
    name = config.benchmarks[0]
    results = json.loads((out / "results.json").read_text("utf-8"))
    found, isolation = results["benchmarks"][name], read_json(out / ISOLATION)
    return {
        "benchmark": name,
        "problems": found["problems"],
        "missing": found["missing"],
        "samples": found["samples"],
        "pass_at_k": {k: estimate["value"] for k, estimate in found["pass_at_k"].items()},
        "intervals": found["pass_at_k"],
        "programs_per_second": rate(out / "timings.jsonl"),
        "isolation": isolation["level"],
        "probes": isolation["probes"],
        "verdicts": str(out / "verdicts.jsonl"),
    }


def rate(timings: Path) -> float:
    """Programs judged per second, the sandbox's start included."""
    rows = list(read_jsonl(timings))
    programs, seconds = (sum(float(row[name]) for row in rows) for name in ("programs", "seconds"))
    return round(programs / max(seconds, 1e-9), 1)


def judge_file(config: Evaluate, *, samples: Path, out: Path, ledger: Ledger) -> None:
    """Judge a human-eval-format file: verdicts, timings, results.

    Raises RequestError when a `k` exceeds the fewest samples that a problem has, InfrastructureError when the sandbox
    failed.
    """
    name = config.benchmarks[0]
    problems = load_problems(name)
    read, _ = read_samples(samples, problems)
    check_k(config.k, read)
    judge_and_write(config, {name: problems}, {name: read}, {}, out, ledger)


def check_k(ks: Sequence[int], samples: Sequence[Sample]) -> None:
    """Refuse a k for which some problem has too few samples."""
    counts: dict[str, int] = {}
    for sample in samples:
        counts[sample.task_id] = counts.get(sample.task_id, 0) + 1
    fewest = min(counts.values(), default=0)
    if not samples:
        raise RequestError("the samples file holds no samples")
    if min(ks) < 1 or max(ks) > fewest:
        task = min(counts, key=lambda name: counts[name])
        raise RequestError(f"--k {max(ks)}: task {task} has {fewest} samples; pass@k needs 1 ≤ k ≤ {fewest}")
