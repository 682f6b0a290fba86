"""Commands that make and judge data: score, write, verify, diversity, decontaminate."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from hornbook.cli.app import WORKDIR, Json, Out, Settings, Unsafe, app, show
from hornbook.config import Config
from hornbook.errors import RequestError

C = TypeVar("C", bound=Config)
ASKING = ("llm", "reversal")  # the writers that ask a teacher
TEMPERATURE, MAX_TOKENS = 0.8, 4096  # of a teacher that writes; --set teacher.temperature=… overrides


@app.command()
def score(
    paths: Annotated[list[Path], typer.Argument(help="Python files, or folders of them; with --out, one dataset.")],
    why: Annotated[bool, typer.Option("--why", help="Show what moved each score most.")] = False,
    classifier: Annotated[
        Path | None, typer.Option(help="A classifier.skops, or its folder; the packaged one when left out.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Where the model of the classifier's embedder is now, if it was moved.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Score a dataset of documents into this new folder.")] = None,
    as_json: Json = False,
) -> None:
    """Educational value, 0-5, of any Python files, or of every document of a dataset."""
    from hornbook.quality.files import score_files

    if out is not None:
        return score_rows(paths, why, classifier, model, out, as_json)
    found = score_files(paths, classifier, why, model)
    lines = [f"{row['score']:.2f}  {row['path']}{pushes(row)}" for row in found["files"]]
    lines += [f"  --  {row['path']}: {row['reason']} ({row['detail']})" for row in found["rejected"]]
    show(found, as_json, "\n".join(lines))
    return None


def score_rows(
    paths: list[Path], why: bool, classifier: Path | None, model: str | None, out: Path, as_json: bool
) -> None:
    """Scores as an attribute apart from the documents."""
    from hornbook.quality.alone import score_alone
    from hornbook.quality.own import on_own
    from hornbook.quality.score import Score
    from hornbook.standalone import run_alone

    if len(paths) > 1 or why:
        raise RequestError("--out: scores one dataset, and gives no reasons; name one folder or file, without --why")
    stage = on_own(score_alone, "dataset")
    ledger = run_alone(stage, Score(), out, dataset=paths[0], classifier=classifier, model=model)
    many, good = ledger.rows_out, ledger.figures["at_least_3"]
    text = f"{many:,} documents scored in {out / 'scores'}, {good:,} of them at 3 or more"
    show({"documents": ledger.rows_out, **ledger.figures, "out": str(out)}, as_json, text)


def pushes(row: dict[str, Any]) -> str:
    """The reasons of a score, on lines of their own."""
    return "".join(f"\n      {push['points']:+.2f}  {push['feature']}" for push in row.get("why", []))


@app.command()
def write(
    kind: Annotated[str, typer.Argument(help="textbooks or exercises")],
    out: Out,
    writer: Annotated[
        str | None, typer.Option(help="shelf or llm (textbooks); procedural, llm or reversal (exercises).")
    ] = None,
    n: Annotated[
        int | None, typer.Option("-n", "--n", help="How many; else 1,000 exercises, or all of the shelf.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws the compositions or prompts.")] = 0,
    held_out: Annotated[int, typer.Option(help="Exercises with held-out compositions, besides.")] = 0,
    family: Annotated[list[str], typer.Option(help="Only these families. Repeatable.")] = [],
    breadth: Annotated[str, typer.Option(help="basic: few plain parts, one style of solution; full.")] = "full",
    mutants: Annotated[int, typer.Option(help="Mutants of each solution to try its tests on.")] = 5,
    only: Annotated[list[str], typer.Option(help="Of textbooks, only sections of this kind: code or prose.")] = [],
    teacher: Annotated[
        str, typer.Option(metavar="MODEL@URL", help="Who writes (llm, reversal); MODEL@replay: what is stored alone.")
    ] = "",
    documents: Annotated[Path | None, typer.Option(help="A corpus: code for reversal, passages to draw on.")] = None,
    responses: Annotated[Path, typer.Option(help="The teacher's store of responses.")] = WORKDIR / "responses",
    settings: Settings = [],
    halt: Annotated[bool, typer.Option(help="Stop a language model whose rows have become alike.")] = True,
    unsafe: Unsafe = False,
    as_json: Json = False,
) -> None:
    """Write textbook sections or exercises. Every row is executed before it is kept."""
    from hornbook.standalone import run_alone
    from hornbook.synthesis.textbooks import KINDS
    from hornbook.synthesis.topics.expand import teacher_named
    from hornbook.synthesis.write import WriteExercises, WriteTextbooks, write_exercises, write_textbooks

    own = {"only": only, "held-out": held_out, "family": family, "breadth": breadth != "full", "mutants": mutants != 5}
    check_options(kind, writer, [name for name, given in own.items() if given], teacher, documents, settings)
    common: dict[str, Any] = {"seed": seed, "sandbox": {"unsafe": unsafe}, "diversity": {"halt": halt}}
    if teacher:
        common["teacher"] = {"temperature": TEMPERATURE, "max_tokens": MAX_TOKENS} | teacher_named(teacher)
    corpus = {"documents": documents} if documents else {}
    if kind == "textbooks":
        values = {"writer": writer or "shelf", "n": n, "kinds": only or list(KINDS), **common}
        ledger = run_alone(
            partial(write_textbooks, responses=responses), configured(WriteTextbooks, values, settings), out, **corpus
        )
    else:
        values = {"writer": writer or "procedural", "n": 1000 if n is None else n, "held_out": held_out, **common}
        values |= {"families": family or None, "breadth": breadth, "mutants": mutants}
        ledger = run_alone(
            partial(write_exercises, responses=responses), configured(WriteExercises, values, settings), out, **corpus
        )
    found = {"rows": ledger.rows_out, "rejected": dict(ledger.rejected), "out": str(out)}
    rows = {"textbooks": "sections"}.get(kind, kind)
    counts = f"{ledger.rows_out:,} {rows} in {out}, rejected {sum(ledger.rejected.values()):,}"
    show(found, as_json, counts + overlaps(ledger.figures))


def check_options(
    kind: str, writer: str | None, own: list[str], teacher: str, documents: Path | None, settings: list[str]
) -> None:
    """Refuse an option that this writer would not read, and a writer that asks when nobody is named to be asked."""
    if kind not in ("textbooks", "exercises"):
        raise RequestError(f"write {kind!r}: write textbooks or exercises")
    unread = {"only"} if kind == "exercises" else {"held-out", "family", "breadth", "mutants"}
    unread |= {"family", "breadth"} if writer in ASKING else set()
    foreign = [name for name in own if name in unread]
    if writer not in ASKING:
        foreign += [name for name, given in (("teacher", teacher), ("documents", documents)) if given]
    if foreign:
        named = f" --writer {writer}" if writer else ""
        raise RequestError(f"--{foreign[0]}: `write {kind}{named}` does not read it; leave it out")
    if writer in ASKING and not teacher and not any(setting.startswith("teacher") for setting in settings):
        raise RequestError(f"--writer {writer}: name who writes with --teacher MODEL@URL, or MODEL@replay")


def overlaps(figures: dict[str, Any]) -> str:
    """What the sections of a shelf hold and share, a figure a line; nothing for other rows."""
    if "longest_shared_run" not in figures:
        return ""
    run, pairs = figures["longest_shared_run"], figures["near_duplicates"]
    named = f" ({', '.join(run['between'])}: {run['text']})" if run["words"] else ""
    kinds = [f"{n:,} of {kind} ({figures['words'][kind]:,} words)" for kind, n in figures["sections"].items() if n]
    return (
        f"\n  sections: {', '.join(kinds)}"
        f"\n  shared by two sections: {run['words']} words in a row at most{named}"
        f"\n  13-grams that two share: {figures['shared_13_grams']:,}, near duplicates: {len(pairs)}"
        + "".join(f"\n    {one}, {other}" for one, other in pairs)
    )


def configured(kind: type[C], values: dict[str, Any], settings: list[str]) -> C:
    """A writer's config from its options and `--set`."""
    from hornbook.recipe import settings_for
    from hornbook.standalone import configure

    named = {"families": "family", "kinds": "only"}
    return settings_for(kind, values, settings) if settings else configure(kind, named, **values)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A dataset of exercises or sections.")],
    unsafe: Unsafe = False,
    as_json: Json = False,
) -> None:
    """Run the rows of a dataset again, contained. Exercises with their tests, textbook sections block by block."""
    from hornbook.sandbox.run import Sandbox
    from hornbook.synthesis.reverify import reverify

    found = reverify(folder, Sandbox(unsafe=unsafe))
    show(found, as_json, f"{found['verified']:,} of {found['rows']:,} verified" + faults(found["faults"]))


def faults(rows: list[dict[str, str]]) -> str:
    """The first rows that failed, with what was wrong."""
    return "".join(f"\n  {row['id']}: {row['fault']}" for row in rows[:20])


@app.command()
def diversity(
    rows: Annotated[Path, typer.Argument(metavar="PATH", help="Texts or exercises: dataset folder, Parquet, JSONL.")],
    as_json: Json = False,
) -> None:
    """How varied any rows are. Measured on pages of 64 rows: which of them have collapsed."""
    from hornbook.synthesis.alone import diversity_of

    found = diversity_of(rows)
    show(found, as_json, diversity_table(found))


def diversity_table(found: dict[str, Any]) -> str:
    """The meter's figures for people."""
    page = "of pages of 64 rows" if found["pages"] else "less than one page"
    lines = [f"{found['rows']:,} rows, {found['words']:,} words", f"{page:24}    mean   worst   limit"]
    for name, about in found["measures"].items():
        values = (f"{about[column]:8.3g}" if about[column] is not None else " " * 8 for column in about)
        lines.append(f"  {name:22}{''.join(values)}")
    lines.append(f"of all rows\n  near duplicates {found['near_duplicates']:.2%}, coverage {found['coverage']:.3g}")
    for name, about in found["facets"].items():
        top = ", ".join(f"{label!r} {share:.1%}" for label, share in about["top"][:3])
        lines.append(f"  {name}: {about['distinct']:,}, {about['bits']:.2f} bits; {top}")
    judged = f"{found['collapsed_pages']} of {found['pages']} pages have collapsed"
    return "\n".join([*lines, judged if found["pages"] else "fewer than 64 rows are measured, not judged"])


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
    """Remove rows that give examinations away. Text or the shape of a program in common; each removal with evidence."""
    from hornbook.decontamination.decontaminate import Decontaminate
    from hornbook.decontamination.decontaminate import decontaminate as stage
    from hornbook.standalone import configure, run_alone

    config = configure(Decontaminate, {"syntax_threshold": "tau"}, against=against, syntax_threshold=tau, ngram=ngram)
    ledger = run_alone(stage, config, out, rows=rows)
    found = {"rows": ledger.rows_in, "kept": ledger.rows_out, "rejected": dict(ledger.rejected), "out": str(out)}
    removed = ", ".join(f"{count:,} {tier}" for tier, count in ledger.rejected.items()) or "none"
    show(found, as_json, f"{ledger.rows_out:,} of {ledger.rows_in:,} rows kept in {out}; removed: {removed}")
