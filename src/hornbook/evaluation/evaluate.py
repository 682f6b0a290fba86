"""What a model is worth: executed tests, and bits per byte of gold solutions."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from hornbook.artifacts import ISOLATION, Ledger, append_jsonl, write_json
from hornbook.config import Config
from hornbook.errors import InfrastructureError, RequestError
from hornbook.evaluation.conventions import CONVENTIONS, ConventionName, prepared
from hornbook.evaluation.grade import Grader, grade
from hornbook.evaluation.metrics import mean, pass_at_k, ratio
from hornbook.evaluation.mutants import trials, wins
from hornbook.evaluation.sampling import generate
from hornbook.model.generate import Decoding
from hornbook.model.likelihood import likelihoods
from hornbook.model.load import LanguageModel, load
from hornbook.records import Problem, Sample, Verdict
from hornbook.sandbox.run import Program, Sandbox, judge, parses, probe
from hornbook.tasks.helpers import self_contained
from hornbook.tasks.load import BENCHMARKS, UNCONVENTIONAL
from hornbook.tasks.load import load as load_problems
from hornbook.training.loop import device_of

LIKELIHOOD = {
    "task_id": pa.string(),
    "bits": pa.float64(),
    "bytes": pa.int64(),
    "mutants_beaten": pa.int64(),
    "mutants": pa.int64(),
}


class Evaluate(Config):
    """`benchmarks`: names or paths of problem files. `samples` per problem (n) must reach the largest `k`.

    `convention`: how base models are asked (see `conventions`). `mutants`: how many of each gold solution are tried
    against it. `grader`: a language model that grades problems with a rubric. `batch_sequences`, `device` and `threads`
    are semantic: another batch shape or machine rounds differently and can turn a greedy choice.
    """

    benchmarks: list[str] = ["unconventional"]
    convention: ConventionName = "hornbook"
    k: list[Annotated[int, Field(ge=1)]] = Field([1], min_length=1)
    samples: int = Field(1, ge=1)
    decoding: Decoding = Decoding()
    likelihood: bool = True
    mutants: int = Field(3, ge=0)
    grader: Grader | None = None
    bootstrap: int = Field(2000, ge=100)
    seed: int = Field(0, ge=0)
    batch_sequences: int = Field(64, ge=1)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(2, gt=0)
    sandbox: Sandbox = Sandbox()


def evaluate(
    config: Evaluate, *, model: Path, problems: Mapping[str, Path], responses: Path, out: Path, ledger: Ledger
) -> None:
    """Write `samples.jsonl`, `verdicts.jsonl`, `likelihood.parquet` and `results.json` for one model.

    `problems` adds benchmarks that are artifacts (held-out exercises), by name. `responses`: the grader's store.
    Samples already written are kept. Raises RequestError when a `k` exceeds `samples`.
    """
    if max(config.k) > config.samples:
        raise RequestError(f"evaluate: k {max(config.k)} needs as many samples a problem; there are {config.samples}")
    import torch

    torch.set_num_threads(config.threads)
    benchmarks = gather(config.benchmarks, problems, config.convention)
    language_model = load(model, device_of(config))
    samples = generate(config, language_model, benchmarks, out / "samples.jsonl")
    bits = score(config, language_model, benchmarks) if config.likelihood else {}
    write_likelihood(out / "likelihood.parquet", bits)
    judge_and_write(config, benchmarks, samples, bits, out, ledger)
    grade_and_write(config, benchmarks, samples, responses, out, ledger)


def gather(
    names: Iterable[str], extra: Mapping[str, Path], convention: str = "hornbook", plain: bool = False
) -> dict[str, list[Problem]]:
    """Benchmark name → its problems as the convention asks them, in name order; `plain`: only its choice of tasks."""
    found = {name: name for name in names} | {name: str(folder) for name, folder in extra.items()}
    asked = CONVENTIONS[convention]
    asked = replace(asked, stripped=False, three_shot=False) if plain else asked
    return {name: prepared(load_problems(found[name]), asked, found[name]) for name in sorted(found)}


def score(
    config: Evaluate, model: LanguageModel, benchmarks: Mapping[str, list[Problem]]
) -> dict[str, list[dict[str, Any]]]:
    """Bits and bytes of every gold solution given its prompt; how many mutants there are, how many it beats."""
    found = {}
    for name, problems in benchmarks.items():
        scored = likelihoods(model, [(p.prompt, p.canonical_solution) for p in problems])
        tried = trials(config.sandbox, tuple(problems), is_trusted(name), config.mutants) if config.mutants else ()
        won = wins(model, tried)
        found[name] = [
            dict(zip(LIKELIHOOD, (p.task_id, round(s.bits, 4), s.bytes, *won.get(p.task_id, (0, 0))), strict=True))
            for p, s in zip(problems, scored, strict=True)
        ]
    return found


def write_likelihood(path: Path, bits: Mapping[str, list[dict[str, Any]]]) -> None:
    """One row a problem: benchmark and the columns of `LIKELIHOOD`."""
    rows = [{"benchmark": name, **row} for name, part in bits.items() for row in part]
    schema = pa.schema([("benchmark", pa.string()), *LIKELIHOOD.items()])
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, compression="zstd")


def judge_and_write(
    config: Evaluate,
    benchmarks: Mapping[str, list[Problem]],
    samples: Mapping[str, list[Sample]],
    bits: Mapping[str, list[dict[str, Any]]],
    out: Path,
    ledger: Ledger,
) -> None:
    """Run every sample's program, then write verdicts and results, and apart from them how long judging took.

    Raises InfrastructureError when a program could not be judged: that is no verdict on it.
    """
    for name in ("verdicts.jsonl", "timings.jsonl"):
        (out / name).write_text("", "utf-8")
    results: dict[str, Any] = {}
    for name, problems in benchmarks.items():
        began = time.monotonic()
        verdicts = judge_samples(config.sandbox, name, problems, samples.get(name, []))
        timing = {"benchmark": name, "programs": len(verdicts), "seconds": round(time.monotonic() - began, 3)}
        append_jsonl(out / "timings.jsonl", timing)
        for verdict in verdicts:
            append_jsonl(out / "verdicts.jsonl", {"benchmark": name, **verdict.row()})
        results[name] = summarize(config, problems, samples.get(name, []), verdicts, bits.get(name, []))
        ledger.rows_in += len(samples.get(name, []))
        ledger.rows_out += len(verdicts)
    isolation = probe(config.sandbox)
    write_json(out / ISOLATION, {"level": isolation.level, "probes": isolation.probes})
    write_json(out / "results.json", {"benchmarks": results})
    ledger.figures = {name: headline(result) for name, result in results.items()}
    broken = sum(result["statuses"].get("infrastructure", 0) for result in results.values())
    if broken:
        raise InfrastructureError(f"{broken} programs were not judged because the sandbox failed; run again to go on")


def grade_and_write(
    config: Evaluate,
    benchmarks: Mapping[str, list[Problem]],
    samples: Mapping[str, list[Sample]],
    responses: Path,
    out: Path,
    ledger: Ledger,
) -> None:
    """Add a grader's opinion to what was judged, where one is named."""
    if config.grader is not None:
        grade(config.grader, benchmarks, samples, responses, out, config.bootstrap, config.seed, ledger)


def program_of(problem: Problem, completion: str) -> str:
    """The whole program: the prompt continued, or the completion alone where it is a program of its own (MBPP)."""
    return problem.prompt + completion if problem.completes else completion


def is_trusted(benchmark: str) -> bool:
    """Tests of named benchmarks are trusted: they are ours or published. Those of a person's own file run contained."""
    return benchmark in (UNCONVENTIONAL, *BENCHMARKS) or not Path(benchmark).exists()


def judge_samples(
    sandbox: Sandbox, benchmark: str, problems: Sequence[Problem], samples: Sequence[Sample]
) -> list[Verdict]:
    """Verdicts of samples by executed tests, in order of task and sample."""
    trusted = is_trusted(benchmark)
    by_id = {problem.task_id: problem for problem in problems}
    tests = {problem.task_id: self_contained(problem) for problem in problems}
    programs = []
    for sample in samples:
        problem = by_id[sample.task_id]
        source, test = program_of(problem, sample.completion), tests[sample.task_id]
        programs.append(Program(sample.task_id, sample.sample, source, test, problem.entry_point, trusted))
    return judge(sandbox, programs)


def summarize(
    config: Evaluate,
    problems: Sequence[Problem],
    samples: Sequence[Sample],
    verdicts: Sequence[Verdict],
    bits: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """One benchmark's results, each figure with its interval over problems. Problems without samples are `missing`."""
    passed: dict[str, list[bool]] = defaultdict(list)
    for verdict in verdicts:
        passed[verdict.task_id].append(verdict.status == "passed")
    by_id = {problem.task_id: problem for problem in problems}
    fewest = min((len(v) for v in passed.values()), default=0)
    repeats, seed = config.bootstrap, config.seed
    result: dict[str, Any] = {
        "problems": len(problems),
        "missing": sum(problem.task_id not in passed for problem in problems),
        "samples": len(samples),
        "statuses": {s: sum(v.status == s for v in verdicts) for s in sorted({v.status for v in verdicts})},
        "pass_at_k": {
            str(k): mean([pass_at_k(len(v), sum(v), k) for _, v in sorted(passed.items())], repeats, seed)
            for k in config.k
            if passed and k <= fewest
        },
        "families": families(problems, passed),
    }
    if samples:
        parsed = Counter(s.task_id for s in samples if parses(program_of(by_id[s.task_id], s.completion)))
        result["parse_rate"] = share(parsed, Counter(s.task_id for s in samples), repeats, seed)
        executed = Counter(v.task_id for v in verdicts if executes(v))
        result["execute_rate"] = share(executed, Counter(v.task_id for v in verdicts), repeats, seed)
    pairs = Counter({row["task_id"]: row["mutants"] for row in bits if row.get("mutants")})
    if pairs:
        beaten = Counter({row["task_id"]: row["mutants_beaten"] for row in bits if row.get("mutants")})
        counted = {"problems": len(pairs), "pairs": pairs.total()}
        result["gold_over_mutants"] = {**share(beaten, pairs, repeats, seed), **counted}
    bits = [row for row in bits if row["bytes"]]  # an empty gold solution has no bits per byte
    if bits:
        result["bits_per_byte"] = ratio([b["bits"] for b in bits], [b["bytes"] for b in bits], repeats, seed)
    return result


def share(good: Counter[str], every: Counter[str], repeats: int, seed: int) -> dict[str, float]:
    """What share of a count by task is good, with its interval over tasks."""
    tasks = sorted(every)
    return ratio([good[task] for task in tasks], [every[task] for task in tasks], repeats, seed)


def executes(verdict: Verdict) -> bool:
    """Whether a program ran until its tests could say something: they passed, or an assertion was false.

    An error in the program (at its definition or in a call), a time-out and a crash are none of these.
    """
    wrong = verdict.status == "failed" and verdict.detail.startswith("AssertionError")
    return verdict.status == "passed" or wrong


def families(problems: Sequence[Problem], passed: Mapping[str, list[bool]]) -> dict[str, dict[str, float]]:
    """Per family: how many problems were answered, and the share of their samples that passed."""
    found: dict[str, list[float]] = defaultdict(list)
    for problem in problems:
        if problem.task_id in passed:
            answers = passed[problem.task_id]
            found[problem.family or "all"].append(sum(answers) / len(answers))
    return {name: {"problems": len(v), "pass_at_1": round(sum(v) / len(v), 6)} for name, v in sorted(found.items())}


def headline(result: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a benchmark that go into a manifest."""
    found = {f"pass@{k}": estimate["value"] for k, estimate in result["pass_at_k"].items()}
    if "bits_per_byte" in result:
        found["bits_per_byte"] = result["bits_per_byte"]["value"]
    if "gold_over_mutants" in result:
        found["gold_over_mutants"] = result["gold_over_mutants"]["value"]
    return found
