"""The command line: thin. Each command reads its arguments, calls one function of a room, and prints.

`--json` prints one JSON object on standard output; progress and complaints go to standard error. Exit codes: 0 done,
1 the work failed, 2 the request was wrong. Imports stand inside commands so that `--help` is instant.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.errors import HornbookError, RequestError

# No telemetry, from anything we import.
for variable in ("DAFT_ANALYTICS_ENABLED", "RAY_USAGE_STATS_ENABLED"):
    os.environ.setdefault(variable, "0")
for variable in ("DO_NOT_TRACK", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_PROGRESS_BARS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

app = typer.Typer(
    help="Textbook-quality data, a small model trained on it, and executed proof of what the data was worth.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Workdir = Annotated[Path, typer.Option("--workdir", help="Where artifacts, responses and runs are kept.")]
Settings = Annotated[list[str], typer.Option("--set", help="Override a recipe value: a.b=c. Repeatable.")]
Out = Annotated[Path, typer.Option("--out", help="A new or empty folder for what is made.")]
WORKDIR = Path("hornbook-work")
TRAIN = ("accelerate", "safetensors", "tokenizers", "torch", "transformers")  # the modules of the extra [train]


def require(modules: Iterable[str]) -> None:
    """Raise RequestError, before any work is done, when a module of the extra [train] is not installed."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise RequestError(f"this needs {', '.join(missing)}; install the extra with: pip install 'hornbook[train]'")


def show(value: dict[str, Any], as_json: bool, text: str) -> None:
    """Print the JSON object or the text for people, on standard output."""
    print(json.dumps(value, ensure_ascii=False) if as_json else text)


@app.command()
def run(
    recipe: Annotated[str, typer.Argument(help="A packaged recipe's name, or the path of a .yaml file.")] = "laptop",
    settings: Settings = [],
    workdir: Workdir = WORKDIR,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the resolved recipe and what would run.")] = False,
    as_json: Json = False,
) -> None:
    """Run a recipe: data, students, examination, report. What is already there is kept."""
    from hornbook.pipeline import run_recipe
    from hornbook.recipe import load_recipe

    if dry_run:
        return plan(recipe, settings, workdir, as_json)
    resolved = load_recipe(recipe, settings)
    require(TRAIN)
    done = run_recipe(resolved, workdir)
    public = {name: done[name] for name in ("recipe", "workdir", "report", "stages")}
    show(public, as_json, "" if as_json else run_text(workdir, done))
    return None


def run_text(workdir: Path, done: dict[str, Any]) -> str:
    """The table like Figure 2.1, and where the report is."""
    from hornbook.report.run import load_run
    from hornbook.report.tables import figure_table

    cached = sum(stage["cached"] for stage in done["stages"])
    table = figure_table(load_run(workdir / "runs" / done["recipe"]))
    return f"{table}\n\n{len(done['stages'])} stages, {cached} of them cached\nreport: {done['report']}"


@app.command()
def plan(
    recipe: Annotated[str, typer.Argument(help="A packaged recipe's name, or the path of a .yaml file.")] = "laptop",
    settings: Settings = [],
    workdir: Workdir = WORKDIR,
    as_json: Json = False,
) -> None:
    """Show what a run would do: what is cached, what would run, and how long it took last time."""
    import yaml

    from hornbook.pipeline import plan_recipe
    from hornbook.progress import duration
    from hornbook.recipe import load_recipe

    resolved = load_recipe(recipe, settings)
    planned = plan_recipe(resolved, workdir)
    planned["resolved"] = resolved.model_dump(mode="json", exclude_defaults=True)
    lines = [yaml.safe_dump(planned["resolved"], sort_keys=False)]
    for row in planned["stages"]:
        state = "cached" if row["cached"] else f"unknown until {row['waits_for']}" if row["waits_for"] else "would run"
        took = f"about {duration(row['estimate_seconds'])}" if row["estimate_seconds"] is not None else ""
        lines.append(f"{row['stage'] + ' ' + row['name']:<42} {state:<40} {took}".rstrip())
    show(planned, as_json, "\n".join(lines))


@app.command()
def report(
    recipe: Annotated[str, typer.Argument(help="The recipe whose run to report.")] = "laptop",
    workdir: Workdir = WORKDIR,
    as_json: Json = False,
) -> None:
    """Write the HTML page of a finished run again, and print its table."""
    from hornbook.report.render import render
    from hornbook.report.run import load_run
    from hornbook.report.tables import figure_table

    folder = workdir / "runs" / recipe
    if not (folder / "run.json").exists():
        raise RequestError(f"{folder}: no finished run of {recipe!r}; start one with: hornbook run {recipe}")
    found = load_run(folder)
    render(found, folder / "report.html")
    path = str(folder / "report.html")
    show({"recipe": recipe, "report": path}, as_json, f"{figure_table(found)}\n\nreport: {path}")


@app.command()
def explain(row_id: str, workdir: Workdir = WORKDIR, as_json: Json = False) -> None:
    """Trace one row: source, licence, score, rejection, prompt, teacher, tests, place in the tokens."""
    import yaml

    from hornbook.explain import explain as explain_row

    found = explain_row(workdir, row_id)
    text = [
        f"{f['stage']} {f['name']} · {f['table']}\n" + yaml.safe_dump(f["row"], sort_keys=False) for f in found["found"]
    ]
    show(found, as_json, "\n".join(text))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what this machine can do: isolation proven by probes, devices, compiler, extras, benchmarks."""
    from hornbook.doctor import as_text, examine

    found = examine()
    show(found, as_json, as_text(found))


@app.command()
def score(
    paths: Annotated[list[Path], typer.Argument(help="Python files, or folders of them.")],
    why: Annotated[bool, typer.Option("--why", help="Show what moved each score most.")] = False,
    classifier: Annotated[Path | None, typer.Option(help="A classifier.skops; the packaged one when left out.")] = None,
    as_json: Json = False,
) -> None:
    """Educational value, 0-5, of any Python files."""
    from hornbook.quality.files import score_files

    found = score_files(paths, classifier, why)
    lines = [f"{row['score']:.2f}  {row['path']}{pushes(row)}" for row in found["files"]]
    lines += [f"  --  {row['path']}: {row['reason']} ({row['detail']})" for row in found["rejected"]]
    show(found, as_json, "\n".join(lines))


def pushes(row: dict[str, Any]) -> str:
    """The reasons of a score, on lines of their own."""
    return "".join(f"\n      {push['points']:+.2f}  {push['feature']}" for push in row.get("why", []))


@app.command()
def write(
    kind: Annotated[str, typer.Argument(help="textbooks or exercises")],
    out: Out,
    writer: Annotated[str | None, typer.Option(help="shelf or llm (textbooks); procedural or llm (exercises).")] = None,
    n: Annotated[int | None, typer.Option("-n", "--n", help="How many to write.")] = None,
    seed: Annotated[int, typer.Option(help="Draws the compositions or prompts.")] = 0,
    held_out: Annotated[int, typer.Option(help="Exercises with held-out compositions, besides.")] = 0,
    family: Annotated[list[str], typer.Option(help="Only these families. Repeatable.")] = [],
    responses: Annotated[Path, typer.Option(help="The teacher's store of responses, for the llm writer.")] = WORKDIR
    / "responses",
    as_json: Json = False,
) -> None:
    """Write textbook sections or exercises; every row is executed before it is kept."""
    from hornbook.standalone import configure, run_alone
    from hornbook.synthesis.write import WriteExercises, WriteTextbooks, write_exercises, write_textbooks

    if kind == "textbooks":
        textbooks = configure(WriteTextbooks, writer=writer or "shelf", n=n, seed=seed)
        ledger = run_alone(write_textbooks, textbooks, out, responses=responses)
    elif kind == "exercises":
        drills = configure(
            WriteExercises,
            {"families": "family"},
            writer=writer or "procedural",
            n=1000 if n is None else n,
            seed=seed,
            held_out=held_out,
            families=family or None,
        )
        ledger = run_alone(write_exercises, drills, out, responses=responses)
    else:
        raise RequestError(f"write {kind!r}: write textbooks or exercises")
    found = {"rows": ledger.rows_out, "rejected": dict(ledger.rejected), "out": str(out)}
    show(found, as_json, f"{ledger.rows_out:,} {kind} in {out}, rejected {sum(ledger.rejected.values()):,}")


@app.command()
def verify(folder: Path, as_json: Json = False) -> None:
    """Run every exercise or textbook section of a dataset folder again, contained."""
    from hornbook.synthesis.reverify import reverify

    found = reverify(folder)
    show(found, as_json, f"{found['verified']:,} of {found['rows']:,} verified" + faults(found["faults"]))


def faults(rows: list[dict[str, str]]) -> str:
    """The first rows that failed, with what was wrong."""
    return "".join(f"\n  {row['id']}: {row['fault']}" for row in rows[:20])


@app.command()
def decontaminate(
    rows: Annotated[
        Path, typer.Argument(metavar="INPUT", help="Documents, exercises or sections: folder, Parquet, JSONL.")
    ],
    against: Annotated[list[str], typer.Option(help="A benchmark's name or a problem file. Repeatable.")],
    out: Out,
    tau: Annotated[
        float | None, typer.Option(help="Also remove programs whose syntax trees match at this rate.")
    ] = None,
    ngram: Annotated[int, typer.Option(help="How many words in a row may not be shared.")] = 13,
    as_json: Json = False,
) -> None:
    """Remove rows that share text, or the shape of a program, with examinations; every removal with its evidence."""
    from hornbook.decontamination.decontaminate import Decontaminate
    from hornbook.decontamination.decontaminate import decontaminate as stage
    from hornbook.standalone import configure, run_alone

    config = configure(Decontaminate, {"syntax_threshold": "tau"}, against=against, syntax_threshold=tau, ngram=ngram)
    ledger = run_alone(stage, config, out, rows=rows)
    found = {"rows": ledger.rows_in, "kept": ledger.rows_out, "rejected": dict(ledger.rejected), "out": str(out)}
    removed = ", ".join(f"{count:,} {tier}" for tier, count in ledger.rejected.items()) or "none"
    show(found, as_json, f"{ledger.rows_out:,} of {ledger.rows_in:,} rows kept in {out}; removed: {removed}")


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
    as_json: Json = False,
) -> None:
    """Examine a model, or judge samples from anywhere, by executed tests."""
    from hornbook.evaluation.alone import Examinee, evaluate_alone, read_grader
    from hornbook.evaluation.evaluate import Evaluate
    from hornbook.model.generate import Decoding
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
    )
    server = configure(Endpoint, {"url": "endpoint"}, url=endpoint, concurrency=concurrency) if endpoint else None
    if model is not None:
        require(TRAIN)
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


def once(unraisable: Any) -> None:
    """A file that could not be closed complains again when it is forgotten; the first complaint is enough."""
    if not isinstance(unraisable.exc_value, OSError):
        sys.__unraisablehook__(unraisable)


def main() -> None:
    """The `hornbook` command. A usage error leaves with 2 on its own; an interrupted run can be taken up again."""
    sys.unraisablehook = once
    try:
        app()
    except HornbookError as error:
        print(f"hornbook: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, SystemExit) as stop:
        if isinstance(stop, SystemExit) and stop.code != 130:  # typer leaves with 130 when it is interrupted
            raise
        print("hornbook: stopped; run the same command to go on", file=sys.stderr)
        sys.exit(130)
