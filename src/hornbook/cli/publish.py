"""The command that hands a dataset or model to others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.cli.app import WORKDIR, Json, Out, Workdir, app, show


@app.command()
def export(
    what: Annotated[
        str,
        typer.Argument(metavar="DATASET|MODEL", help="A folder that hornbook made, or [RECIPE/]NAME in a run."),
    ],
    out: Out,
    allow: Annotated[
        list[str], typer.Option(metavar="SPDX,…", help="Licences that may go out; `permissive` stands for many.")
    ] = ["permissive"],
    unknown: Annotated[str, typer.Option(help="Rows of unknown licence: refuse, drop or keep.")] = "refuse",
    form: Annotated[str, typer.Option("--format", help="parquet, nanochat or axolotl.")] = "parquet",
    name: Annotated[str, typer.Option(metavar="TITLE", help="The title of the card.")] = "",
    responses: Annotated[Path | None, typer.Option(help="The teacher's store, if it has moved.")] = None,
    workdir: Workdir = WORKDIR,
    as_json: Json = False,
) -> None:
    """Write a dataset or model for others. With card, licences, contamination table and a replay bundle."""
    from hornbook.export.export import Export
    from hornbook.export.export import export as write
    from hornbook.standalone import configure

    config = configure(Export, allow=allow, unknown=unknown, format=form, name=name)
    found = write(config, what, out=out, workdir=workdir, responses=responses)
    show(found, as_json, exported_text(found))


def exported_text(found: dict[str, Any]) -> str:
    """What was exported, for people."""
    rows = (
        f"trained on {found['rows']:,} documents" if found["kind"] == "model" else f"{found['rows']:,} {found['kind']}"
    )
    left = f", {found['dropped']:,} of unknown licence left out" if found["dropped"] else ""
    return f"{rows}{left}, under {', '.join(found['license']) or 'no licence'}; in {found['out']}"
