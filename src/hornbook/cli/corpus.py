"""Commands on a person's own corpus: curate."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.cli.app import Json, Settings, app, show
from hornbook.errors import RequestError

Flag = bool | None


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
