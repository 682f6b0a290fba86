"""Commands that make and judge data: score, write, verify, decontaminate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.cli.app import WORKDIR, Json, Out, Unsafe, app, show
from hornbook.errors import RequestError


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
    breadth: Annotated[str, typer.Option(help="basic: few plain parts, one style of solution; full.")] = "full",
    mutants: Annotated[int, typer.Option(help="Mutants of each solution to try its tests on.")] = 5,
    responses: Annotated[Path, typer.Option(help="The teacher's store of responses, for the llm writer.")] = WORKDIR
    / "responses",
    unsafe: Unsafe = False,
    as_json: Json = False,
) -> None:
    """Write textbook sections or exercises; every row is executed before it is kept."""
    from hornbook.sandbox.run import Sandbox
    from hornbook.standalone import configure, run_alone
    from hornbook.synthesis.write import WriteExercises, WriteTextbooks, write_exercises, write_textbooks

    sandbox = Sandbox(unsafe=unsafe)
    if kind == "textbooks":
        textbooks = configure(WriteTextbooks, writer=writer or "shelf", n=n, seed=seed, sandbox=sandbox)
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
            breadth=breadth,
            mutants=mutants,
            sandbox=sandbox,
        )
        ledger = run_alone(write_exercises, drills, out, responses=responses)
    else:
        raise RequestError(f"write {kind!r}: write textbooks or exercises")
    found = {"rows": ledger.rows_out, "rejected": dict(ledger.rejected), "out": str(out)}
    show(found, as_json, f"{ledger.rows_out:,} {kind} in {out}, rejected {sum(ledger.rejected.values()):,}")


@app.command()
def verify(folder: Path, unsafe: Unsafe = False, as_json: Json = False) -> None:
    """Run every exercise or textbook section of a dataset folder again, contained."""
    from hornbook.sandbox.run import Sandbox
    from hornbook.synthesis.reverify import reverify

    found = reverify(folder, Sandbox(unsafe=unsafe))
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
