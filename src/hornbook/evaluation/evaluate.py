"""What a model is worth: executed tests, and bits per byte of gold solutions."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from hornbook.artifacts import Ledger, append_jsonl, read_jsonl, write_json
from hornbook.config import Config
from hornbook.errors import InfrastructureError, RequestError
from hornbook.evaluation.metrics import mean, pass_at_k, ratio
from hornbook.model.generate import WHOLE_PROGRAM_STOP, Decoding, complete
from hornbook.model.likelihood import likelihoods
from hornbook.model.load import LanguageModel, load
from hornbook.progress import Meter
from hornbook.records import Problem, Sample, Verdict
from hornbook.sandbox.run import Program, Sandbox, judge, parses, probe
from hornbook.tasks.helpers import self_contained
from hornbook.tasks.load import BENCHMARKS, UNCONVENTIONAL
from hornbook.tasks.load import load as load_problems


class Evaluate(Config):
    """`benchmarks`: names or paths of problem files. `samples` per problem (n) must reach the largest `k`.

    `batch_sequences` is semantic: another batch shape rounds differently and can turn a greedy choice.
    """

    benchmarks: list[str] = ["unconventional"]
    k: list[Annotated[int, Field(ge=1)]] = Field([1], min_length=1)
    samples: int = Field(1, ge=1)
    decoding: Decoding = Decoding()
    likelihood: bool = True
    bootstrap: int = Field(2000, ge=100)
    seed: int = Field(0, ge=0)
    batch_sequences: int = Field(64, ge=1)
    sandbox: Sandbox = Sandbox()


def evaluate(
    config: Evaluate, *, model: Path, problems: Mapping[str, Path], out: Path, ledger: Ledger, device: str = "cpu"
) -> None:
    """Write `samples.jsonl`, `verdicts.jsonl`, `likelihood.parquet` and `results.json` for one model.

    `problems` adds benchmarks that are artifacts (held-out exercises), by name. Samples already written are kept.
    Raises RequestError when a `k` exceeds `samples`.
    """
    if max(config.k) > config.samples:
        raise RequestError(f"evaluate: k {max(config.k)} needs as many samples a problem; there are {config.samples}")
    benchmarks = gather(config.benchmarks, problems)
    language_model = load(model, device)
    samples = generate(config, language_model, benchmarks, out / "samples.jsonl")
    bits = score(language_model, benchmarks) if config.likelihood else {}
    write_likelihood(out / "likelihood.parquet", bits)
    judge_and_write(config, benchmarks, samples, bits, out, ledger)


def gather(names: Iterable[str], extra: Mapping[str, Path]) -> dict[str, list[Problem]]:
    """Benchmark name → its problems, in name order."""
    found = {name: load_problems(name) for name in names}
    found.update({name: load_problems(folder) for name, folder in extra.items()})
    return dict(sorted(found.items()))


def generate(
    config: Evaluate, model: LanguageModel, benchmarks: Mapping[str, list[Problem]], path: Path
) -> dict[str, list[Sample]]:
    """Complete every prompt `samples` times, in fixed batches that are written as they come and never made twice."""
    asked = [(name, p, n) for name, ps in benchmarks.items() for p in ps for n in range(config.samples)]
    asked.sort(key=lambda row: (row[0], len(row[1].prompt), row[1].task_id, row[2]))
    size = config.batch_sequences
    done = whole_batches(path, size, len(asked))
    with Meter("generate", len(asked), "completions") as meter, path.open("a", encoding="utf-8") as stream:
        meter.start_at(done)
        for start in range(done, len(asked), size):
            batch = asked[start : start + size]
            decoding = config.decoding.model_copy(update={"seed": config.decoding.seed + start})
            texts = answers(model, [problem for _, problem, _ in batch], decoding)
            for (name, problem, number), text in zip(batch, texts, strict=True):
                row = {"benchmark": name, "task_id": problem.task_id, "sample": number, "completion": text}
                stream.write(json.dumps(row) + "\n")
            stream.flush()
            meter.advance(len(batch))
    found: dict[str, list[Sample]] = defaultdict(list)
    for made in read_jsonl(path):
        found[made["benchmark"]].append(Sample(made["task_id"], made["sample"], made["completion"]))
    return dict(found)


def answers(model: LanguageModel, problems: Sequence[Problem], decoding: Decoding) -> list[str]:
    """Complete the problems' prompts; whole programs end elsewhere than bodies do, unless the person gave the stops."""
    found: dict[int, str] = {}
    for completes in (True, False):
        places = [place for place, problem in enumerate(problems) if problem.completes is completes]
        given = completes or "stop" in decoding.model_fields_set
        chosen = decoding if given else decoding.model_copy(update={"stop": WHOLE_PROGRAM_STOP})
        if places:
            texts = complete(model, [problems[place].prompt for place in places], chosen)
            found.update(zip(places, texts, strict=True))
    return [found[place] for place in range(len(problems))]


def whole_batches(path: Path, size: int, total: int) -> int:
    """How many samples an earlier try wrote in whole batches; what stands behind them is cut off."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    whole = [line for line in lines if line.endswith(b"\n")]
    kept = len(whole) if len(whole) == total else len(whole) // size * size
    path.write_bytes(b"".join(whole[:kept]))
    return kept


def score(model: LanguageModel, benchmarks: Mapping[str, list[Problem]]) -> dict[str, list[dict[str, Any]]]:
    """Bits and bytes of every gold solution given its prompt."""
    found = {}
    for name, problems in benchmarks.items():
        scored = likelihoods(model, [(p.prompt, p.canonical_solution) for p in problems])
        found[name] = [
            {"task_id": p.task_id, "bits": round(s.bits, 4), "bytes": s.bytes}
            for p, s in zip(problems, scored, strict=True)
        ]
    return found


def write_likelihood(path: Path, bits: Mapping[str, list[dict[str, Any]]]) -> None:
    """One row a problem: benchmark, task_id, bits, bytes."""
    rows = [{"benchmark": name, **row} for name, part in bits.items() for row in part]
    kinds = [("benchmark", pa.string()), ("task_id", pa.string()), ("bits", pa.float64()), ("bytes", pa.int64())]
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(kinds)), path, compression="zstd")


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
    isolation = probe(config.sandbox).level
    write_json(out / "results.json", {"benchmarks": results, "isolation": isolation})
    ledger.figures = {name: headline(result) for name, result in results.items()}
    broken = sum(result["statuses"].get("infrastructure", 0) for result in results.values())
    if broken:
        raise InfrastructureError(f"{broken} programs were not judged because the sandbox failed; run again to go on")


def program_of(problem: Problem, completion: str) -> str:
    """The whole program: the prompt continued, or the completion alone where it is a program of its own (MBPP)."""
    return problem.prompt + completion if problem.completes else completion


def judge_samples(
    sandbox: Sandbox, benchmark: str, problems: Sequence[Problem], samples: Sequence[Sample]
) -> list[Verdict]:
    """Verdicts of samples by executed tests, in order of task and sample.

    Tests of named benchmarks are trusted: they are ours or published. Those of a person's own file run contained.
    """
    trusted = benchmark in (UNCONVENTIONAL, *BENCHMARKS) or not Path(benchmark).exists()
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
        rate = [float(parses(program_of(by_id[s.task_id], s.completion))) for s in samples]
        result["parse_rate"] = mean(rate, repeats, seed)
    bits = [row for row in bits if row["bytes"]]  # an empty gold solution has no bits per byte
    if bits:
        result["bits_per_byte"] = ratio([b["bits"] for b in bits], [b["bytes"] for b in bits], repeats, seed)
    return result


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
    return found
