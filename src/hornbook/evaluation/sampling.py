"""Completions of a benchmark's prompts, from a model or an endpoint, on file as they come and never made twice."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hornbook.artifacts import read_jsonl
from hornbook.errors import InputError
from hornbook.evaluation.conventions import CONVENTIONS, stops
from hornbook.model.generate import complete, cut
from hornbook.model.load import LanguageModel
from hornbook.progress import Meter
from hornbook.records import Problem, Sample
from hornbook.teacher.endpoint import Endpoint, post_all

if TYPE_CHECKING:
    from hornbook.evaluation.evaluate import Evaluate

Asked = tuple[str, Problem, int]  # benchmark, problem, number of the sample
STOPS_SENT = 4  # as many as OpenAI's interface takes; the rest is cut here


def questions(benchmarks: Mapping[str, list[Problem]], samples: int) -> list[Asked]:
    """Every sample to be made, in order of benchmark, problem and number."""
    return [(name, p, n) for name, problems in benchmarks.items() for p in problems for n in range(samples)]


def generate(
    config: Evaluate, model: LanguageModel, benchmarks: Mapping[str, list[Problem]], path: Path
) -> dict[str, list[Sample]]:
    """Complete every prompt `samples` times, in fixed batches of prompts of like length, each written when it is done.

    Returns the samples by benchmark. What an earlier try wrote in whole batches is kept.
    """
    lengths = {p.prompt: len(model.encode(p.prompt)) for problems in benchmarks.values() for p in problems}
    asked = questions(benchmarks, config.samples)
    asked.sort(key=lambda row: (lengths[row[1].prompt], row[0], row[1].task_id, row[2]))
    size = config.batch_sequences
    done = whole_batches(path, size, len(asked))
    with Meter("generate", len(asked), "completions") as meter, path.open("a", encoding="utf-8") as stream:
        meter.start_at(done)
        for start in range(done, len(asked), size):
            batch = asked[start : start + size]
            texts = answers(config, model, [problem for _, problem, _ in batch], config.decoding.seed + start)
            stream.write("".join(line(*question, text) for question, text in zip(batch, texts, strict=True)))
            stream.flush()
            meter.advance(len(batch))
    return samples_in(path)


def answers(config: Evaluate, model: LanguageModel, problems: Sequence[Problem], seed: int) -> list[str]:
    """Complete the problems' prompts in one batch; whole programs end elsewhere than bodies do."""
    convention = CONVENTIONS[config.convention]
    decoding = config.decoding.model_copy(update={"seed": seed, "heal": config.decoding.heal and convention.healed})
    ends = [stops(problem, convention, config.decoding) for problem in problems]
    return complete(model, [problem.prompt for problem in problems], decoding, ends)


def whole_batches(path: Path, size: int, total: int) -> int:
    """How many samples an earlier try wrote in whole batches; what stands behind them is cut off."""
    whole = whole_lines(path)
    kept = len(whole) if len(whole) == total else len(whole) // size * size
    path.write_bytes(b"".join(whole[:kept]))
    return kept


def whole_lines(path: Path) -> list[bytes]:
    """The lines of a file that a kill did not tear."""
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [line for line in lines if line.endswith(b"\n")]


def line(benchmark: str, problem: Problem, number: int, text: str) -> str:
    """A sample as samples.jsonl holds it."""
    row = {"benchmark": benchmark, "task_id": problem.task_id, "sample": number, "completion": text}
    return json.dumps(row) + "\n"


def samples_in(path: Path) -> dict[str, list[Sample]]:
    """The samples of a file by benchmark, in file order."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for made in read_jsonl(path):
        found[made["benchmark"]].append(Sample(made["task_id"], made["sample"], made["completion"]))
    return dict(found)


def collect(
    config: Evaluate, endpoint: Endpoint, name: str, benchmarks: Mapping[str, list[Problem]], path: Path
) -> dict[str, list[Sample]]:
    """Ask an endpoint's model for every completion, each written when it arrives; sorted when all are there.

    What an earlier try received is not asked again. Prompts cannot be healed over an endpoint. Raises WorkError when
    the endpoint fails for good, after what was under way has been written.
    """
    path.write_bytes(b"".join(whole_lines(path)))
    have = {(benchmark, s.task_id, s.sample) for benchmark, made in samples_in(path).items() for s in made}
    asked = questions(benchmarks, config.samples)
    missing = [row for row in asked if (row[0], row[1].task_id, row[2]) not in have]
    with Meter("ask", len(asked), "completions") as meter, path.open("a", encoding="utf-8") as stream:
        meter.start_at(len(asked) - len(missing))

        def keep(place: int, raw: dict[str, Any]) -> None:
            benchmark, problem, number = missing[place]
            ends = stops(problem, CONVENTIONS[config.convention], config.decoding)
            stream.write(line(benchmark, problem, number, cut(text_of(raw, endpoint.url), ends)))
            stream.flush()
            meter.advance()

        post_all(endpoint, "/completions", [body(config, name, *row[1:]) for row in missing], keep)
    rank = {(row[0], row[1].task_id, row[2]): place for place, row in enumerate(asked)}
    lines = sorted(read_jsonl(path), key=lambda row: rank[row["benchmark"], row["task_id"], row["sample"]])
    path.write_text("".join(json.dumps(row) + "\n" for row in lines), "utf-8")
    return samples_in(path)


def body(config: Evaluate, name: str, problem: Problem, number: int) -> dict[str, Any]:
    """One completion request. Each sample has a seed of its own, for servers that keep to seeds."""
    decoding = config.decoding
    return {
        "model": name,
        "prompt": problem.prompt,
        "max_tokens": decoding.max_new_tokens,
        "temperature": decoding.temperature,
        "top_p": decoding.top_p,
        "seed": decoding.seed + number,
        "stop": list(stops(problem, CONVENTIONS[config.convention], decoding)[:STOPS_SENT]),
    }


def text_of(raw: Mapping[str, Any], url: str) -> str:
    """The text of a completion. Raises InputError when the answer is none. Halves of surrogate pairs become U+FFFD."""
    try:
        text = raw["choices"][0]["text"]
        return str(text or "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    except (KeyError, IndexError, TypeError):
        found = ", ".join(map(str, raw)) or "nothing"
        raise InputError(f"{url}: answered {found} and no choices with a text; is it a completions endpoint?") from None
