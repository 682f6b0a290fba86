"""Examine one model, judge samples from anywhere, or set two results against each other, outside a recipe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hornbook.artifacts import ISOLATION, Ledger, read_json, read_jsonl
from hornbook.errors import RequestError
from hornbook.evaluation.compare import Compare, differences, measures
from hornbook.evaluation.evaluate import Evaluate, evaluate, gather, grade_and_write, judge_and_write
from hornbook.evaluation.grade import Grader
from hornbook.evaluation.sampling import collect
from hornbook.records import Sample
from hornbook.standalone import configure, run_alone
from hornbook.tasks.samples import read_samples
from hornbook.teacher.endpoint import Endpoint


@dataclass(frozen=True)
class Examinee:
    """Who is examined: a model folder, a file of samples, or the model `name` behind an endpoint."""

    model: str | None = None
    samples: Path | None = None
    endpoint: Endpoint | None = None
    name: str | None = None

    def check(self) -> None:
        """Raises RequestError unless it is exactly one of the three."""
        if self.endpoint is not None and not self.name:
            raise RequestError("--endpoint: say which model to ask there with --model NAME")
        if self.endpoint is None and self.name:
            raise RequestError(
                f"--model {self.name}: goes with --endpoint URL; a model folder is given as MODEL itself"
            )
        if [self.model, self.samples, self.endpoint].count(None) != 2:
            raise RequestError(
                "evaluate: give either a MODEL folder or --samples FILE, or --endpoint URL with --model NAME"
            )


def evaluate_alone(config: Evaluate, who: Examinee, out: Path, responses: Path) -> dict[str, Any]:
    """What `hornbook evaluate --json` prints. `responses`: the grader's store. Raises RequestError."""
    who.check()
    if max(config.k) > config.samples and who.samples is None:
        raise RequestError(
            f"--k {max(config.k)}: needs at least as many samples a problem; raise --n ({config.samples})"
        )
    check_grader(config)
    if who.samples is not None:
        run_alone(partial(judge_file, responses=responses), config, out, samples=who.samples)
    elif who.endpoint is not None:
        asked = partial(ask_endpoint, endpoint=who.endpoint, responses=responses)
        run_alone(asked, config, out, name=who.name)
    else:
        run_alone(partial(evaluate, responses=responses), config, out, model=Path(str(who.model)), problems={})
    return answer(config.benchmarks[0], out)


def answer(name: str, out: Path) -> dict[str, Any]:
    """The figures of a judged folder's only benchmark."""
    results = json.loads((out / "results.json").read_text("utf-8"))
    found, isolation = results["benchmarks"][name], read_json(out / ISOLATION)
    more = ("parse_rate", "execute_rate", "bits_per_byte", "gold_over_mutants", "grades")
    return {
        "benchmark": name,
        "problems": found["problems"],
        "missing": found["missing"],
        "samples": found["samples"],
        "pass_at_k": {k: estimate["value"] for k, estimate in found["pass_at_k"].items()},
        "intervals": found["pass_at_k"],
        **{key: found[key] for key in more if key in found},
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


def judge_file(config: Evaluate, *, samples: Path, responses: Path, out: Path, ledger: Ledger) -> None:
    """Judge a human-eval-format file: verdicts, timings, results.

    Raises RequestError when a `k` exceeds the fewest samples that a problem has, InfrastructureError when the sandbox
    failed.
    """
    benchmarks = gather(config.benchmarks, {}, config.convention)
    [(name, problems)] = benchmarks.items()
    read, _ = read_samples(samples, problems)
    check_k(config.k, read)
    judge_and_write(config, benchmarks, {name: read}, {}, out, ledger)
    grade_and_write(config, benchmarks, {name: read}, responses, out, ledger)


def ask_endpoint(
    config: Evaluate, *, endpoint: Endpoint, name: str, responses: Path, out: Path, ledger: Ledger
) -> None:
    """Examine the model `name` behind an endpoint. There is no likelihood: endpoints do not score given texts."""
    benchmarks = gather(config.benchmarks, {}, config.convention)
    samples = collect(config, endpoint, name, benchmarks, out / "samples.jsonl")
    judge_and_write(config, benchmarks, samples, {}, out, ledger)
    grade_and_write(config, benchmarks, samples, responses, out, ledger)


def read_grader(named: str, repeats: int, concurrency: int) -> Grader:
    """A grader named MODEL@URL, or MODEL@replay for answers from the store alone. Raises RequestError."""
    model, at, url = named.rpartition("@")
    if not at or not model or (url != "replay" and not url.startswith(("http://", "https://"))):
        raise RequestError(
            f"--grader {named!r}: write MODEL@URL, as in judge@http://localhost:8000/v1, or MODEL@replay"
        )
    fields = {"model": model, "repeats": repeats, "url": "" if url == "replay" else url, "concurrency": concurrency}
    return configure(Grader, {"repeats": "grades"}, **fields)


def check_grader(config: Evaluate) -> None:
    """Refuse a grader that would find nothing to grade, before any work is done."""
    if config.grader is None:
        return
    for name, problems in gather(config.benchmarks, {}, config.convention).items():
        if not any(problem.rubric for problem in problems):
            raise RequestError(f"--grader: no problem of {name} has a rubric to grade by; `unconventional` has them")


def check_k(ks: Sequence[int], samples: Sequence[Sample]) -> None:
    """Refuse a k for which some problem has too few samples."""
    counts: dict[str, int] = {}
    for sample in samples:
        counts[sample.task_id] = counts.get(sample.task_id, 0) + 1
    fewest = min(counts.values(), default=0)
    if not samples:
        raise RequestError("--samples: the samples file holds no samples; give one JSON object a line")
    if min(ks) < 1 or max(ks) > fewest:
        task = min(counts, key=lambda name: counts[name])
        counted = "1 sample" if fewest == 1 else f"{fewest} samples"
        raise RequestError(f"--k {max(ks)}: task {task} has {counted}; pass@k needs 1 ≤ k ≤ {fewest}")


def compare_alone(a: Path, b: Path, bootstrap: int, seed: int) -> list[dict[str, Any]]:
    """Paired differences b - a over the problems that two evaluations share, with intervals.

    `a` and `b` are folders that `evaluate` wrote. Raises RequestError when they share no problem.
    """
    for folder in (a, b):
        if not (folder / "verdicts.jsonl").exists():
            raise RequestError(f"{folder}: no verdicts.jsonl there; give two folders that `hornbook evaluate` wrote")
    rows = differences(
        Compare(pairs=[("a", "b")], bootstrap=bootstrap, seed=seed), {"a": measures(a), "b": measures(b)}
    )
    shared = [{**row, "a": str(a), "b": str(b)} for row in rows]
    if not shared:
        raise RequestError(f"{a} and {b} have no problem in common; evaluate both on the same benchmark")
    return shared
