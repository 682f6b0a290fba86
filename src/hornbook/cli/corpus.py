"""Commands that find what is worth teaching with in a person's own corpus: curate, annotate, classify."""

from __future__ import annotations

import textwrap
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.cli.app import WORKDIR, Json, Out, Settings, app, show
from hornbook.errors import RequestError

Flag = bool | None
Documents = Annotated[
    Path, typer.Argument(metavar="DOCUMENTS", help="What curate wrote, Parquet or JSONL rows with text, or files.")
]
TEMPERATURE, MAX_TOKENS = 0.7, 1024  # of a teacher that labels; --set teacher.temperature=… overrides


@app.command()
def curate(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="Files, folders, globs; Parquet and JSONL too.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="A new or empty folder for what is made.")] = None,
    python: Annotated[
        Flag, typer.Option("--python/--no-python", help="Read installed Python; left out, if no PATH is named.")
    ] = None,
    packages: Annotated[
        list[str] | None, typer.Option(help='Of installed Python, only this ("python": its library). Repeatable.')
    ] = None,
    licenses: Annotated[
        list[str] | None, typer.Option("--license", help="Allow this SPDX id, or permissive. Repeatable.")
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="Similarity of near duplicates.")] = None,
    limit: Annotated[int | None, typer.Option(help="Take so many files, drawn by the hashes of their names.")] = None,
    settings: Settings = [],
    config: Annotated[Path | None, typer.Option(help="A YAML file with settings of a recipe's `curate:`.")] = None,
    explain: Annotated[bool, typer.Option("--explain-rules", help="List every rule with its thresholds.")] = False,
    as_json: Json = False,
) -> None:
    """Clean and deduplicate a corpus. Secrets redacted, licences recorded, each rejection with its reason."""
    from hornbook.corpus.curate import Curate
    from hornbook.corpus.curate import curate as stage
    from hornbook.recipe import settings_for
    from hornbook.standalone import run_alone

    named = {"paths": paths, "packages": packages, "licenses": licenses, "threshold": threshold, "limit": limit}
    values = {name: value for name, value in named.items() if value is not None}
    if python is not None or paths:
        values["python"] = bool(packages) if python is None else python
    resolved = settings_for(Curate, values, settings, config)
    if explain:
        rules(resolved, as_json)
        return
    if out is None:
        raise RequestError("--out: name a new folder for what is made")
    ledger = run_alone(stage, resolved, out)
    found: dict[str, Any] = {"documents": ledger.rows_out, "read": ledger.rows_in}
    found |= {"rejected": dict(sorted(ledger.rejected.items())), "out": str(out), **ledger.figures}
    show(found, as_json, funnel(found))


def funnel(found: dict[str, Any]) -> str:
    """How many files came in, where they were lost, and what stayed, a reason a line."""
    lines = [f"{'read':<22}{found['read']:>12,}"]
    lost = sorted(found["rejected"].items(), key=lambda row: -row[1])
    lines += [f"  {reason:<20}{-count:>12,}" for reason, count in lost]
    lines.append(f"{'documents':<22}{found['documents']:>12,}  {found['text_bytes'] / 1e6:,.1f} MB in {found['out']}")
    taken = {"license headers": found["license_headers_stripped"], **found["redacted"]}
    if any(taken.values()):
        lines.append("taken out: " + ", ".join(f"{name} {count:,}" for name, count in taken.items() if count))
    known = sorted(found["documents_by_license"].items(), key=lambda row: -row[1])
    lines.append("licences: " + ", ".join(f"{name} {count:,}" for name, count in known[:8]))
    return "\n".join(lines)


def rules(config: Any, as_json: bool) -> None:
    """Print every rule."""
    from hornbook.corpus.explain import explained

    found = explained(config)
    show({"rules": found}, as_json, "\n".join(map(rule_text, found)))


def rule_text(rule: dict[str, Any]) -> str:
    """One rule for people."""
    values = ", ".join(f"{name} {value}" for name, value in rule["settings"].items())
    head = f"{rule['reason']:<18}{rule['does']:<8}{values if rule['on'] else f'off ({values})'}".rstrip()
    return "\n".join([head, *textwrap.wrap(rule["explanation"], 100, initial_indent="    ", subsequent_indent="    ")])


@app.command()
def annotate(
    documents: Documents,
    out: Out,
    teacher: Annotated[
        str,
        typer.Option(metavar="MODEL@URL", help="Who reads; MODEL@replay: what is stored. Else the packaged readers."),
    ] = "",
    n: Annotated[int, typer.Option("-n", "--n", help="How many documents a model labels.")] = 1000,
    rubric: Annotated[str, typer.Option(help="phi1: one score; additive: five questions, a point each.")] = "phi1",
    seed: Annotated[int, typer.Option(help="Draws the sample.")] = 0,
    settings: Settings = [],
    responses: Annotated[Path, typer.Option(help="The teacher's store of responses.")] = WORKDIR / "responses",
    as_json: Json = False,
) -> None:
    """Label a sample by educational value, 0-5. A language model reads it, the good files sought out."""
    from hornbook.quality.annotate import Annotate
    from hornbook.quality.annotate import annotate as stage
    from hornbook.quality.own import on_own
    from hornbook.recipe import settings_for
    from hornbook.standalone import run_alone
    from hornbook.synthesis.topics.expand import teacher_named

    values: dict[str, Any] = {"n": n, "rubric": rubric, "seed": seed}
    if teacher:
        values["teacher"] = {"temperature": TEMPERATURE, "max_tokens": MAX_TOKENS} | teacher_named(teacher)
    config = settings_for(Annotate, values, settings)
    ledger = run_alone(partial(on_own(stage), responses=responses), config, out, documents=documents)
    found: dict[str, Any] = {"documents": ledger.rows_in, "labels": ledger.rows_out, "rejected": dict(ledger.rejected)}
    found |= {"out": str(out), **ledger.figures}
    show(found, as_json, annotated(found))


def annotated(found: dict[str, Any]) -> str:
    """Strata and agreement for people, a line each."""
    lines = [f"{found['labels']:,} of {found['documents']:,} documents labelled in {found['out']}"]
    lines += [f"  rejected: {reason} ({count:,})" for reason, count in sorted(found["rejected"].items())]
    for name, about in found.get("strata", {}).items():
        scores = "  ".join(f"{score}: {count:,}" for score, count in enumerate(about["scores"]))
        lines.append(f"  {name:<7} {about['labels']:>7,} labels   {scores}")
    for name, key in (("with itself", "readers_agreement"), ("with the packaged readers", "with_packaged_readers")):
        if key in found:
            about = found[key]
            kappa = "" if about.get("kappa") is None else f", kappa {about['kappa']:.2f}"
            lines.append(f"  agrees {name}, {about['files']:,} files: Spearman {figure(about['spearman'])}{kappa}")
    return "\n".join(lines)


def figure(value: float | None) -> str:
    """Two digits, or a dash for what is not defined."""
    return "–" if value is None else f"{value:.2f}"


@app.command()
def classify(
    documents: Documents,
    annotations: Annotated[Path, typer.Argument(metavar="ANNOTATIONS", help="The folder that annotate wrote.")],
    out: Out,
    settings: Settings = [],
    as_json: Json = False,
) -> None:
    """Train a classifier on labels. Its agreement is measured on sources that it has not seen."""
    from hornbook.quality.classify import Classify
    from hornbook.quality.own import ceiling_of, classify_own, on_own
    from hornbook.recipe import settings_for
    from hornbook.standalone import run_alone

    config = settings_for(Classify, {}, settings)
    ledger = run_alone(on_own(classify_own), config, out, documents=documents, annotations=annotations)
    found: dict[str, Any] = {"labels": ledger.rows_in, "rejected": dict(ledger.rejected), "out": str(out)}
    found |= {**ledger.figures, "readers_agreement": ceiling_of(annotations)}
    show(found, as_json, classified(found))


def classified(found: dict[str, Any]) -> str:
    """Agreement for people, the ceiling below it."""
    if found["classifier"] == "packaged":
        return f"{found['labels']:,} labels are too few: {found['out']} holds the packaged classifier"
    rows = [("on sources not seen", found), ("of the random sample alone", found["random"])]
    told = [(name, f"Spearman {figure(at['spearman'])}  AUC at 3 {figure(at['auc_at_3'])}") for name, at in rows]
    if ceiling := found["readers_agreement"]:
        who = ceiling.get("who", "two readers with each other")
        told.append((f"ceiling, {who}", f"Spearman {figure(ceiling['spearman'])}"))
    head = f"classifier.skops in {found['out']}, from {found['labels']:,} labels"
    return "\n".join([head, *(f"  {name:<38} {agreement}" for name, agreement in told)])
