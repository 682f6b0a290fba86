"""Choosing documents by their scores: select."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hornbook.cli.app import Json, Out, app, show
from hornbook.errors import RequestError


@app.command()
def select(
    documents: Annotated[Path, typer.Argument(metavar="DOCUMENTS", help="A dataset of documents (Parquet).")],
    scores: Annotated[Path, typer.Argument(metavar="SCORES", help="Their scores, as `score DOCUMENTS --out` writes.")],
    out: Out,
    share: Annotated[float | None, typer.Option(help="Keep this share of the documents, the best-scored.")] = None,
    at_least: Annotated[float | None, typer.Option(help="Or keep every document with this score or more.")] = None,
    as_json: Json = False,
) -> None:
    """Keep the best-scored documents. A share of them, or all from a score on."""
    from hornbook.quality.alone import select_alone
    from hornbook.quality.own import on_own
    from hornbook.quality.select import Select
    from hornbook.standalone import configure, run_alone

    if (share is None) == (at_least is None):
        raise RequestError("give either --share, as in --share 0.2, or --at-least, as in --at-least 3")
    given: dict[str, Any] = {"share": share} if at_least is None else {"at_least": at_least}
    ledger = run_alone(on_own(select_alone), configure(Select, **given), out, documents=documents, scores=scores)
    found = {"rows": ledger.rows_in, "kept": ledger.rows_out, "rejected": dict(ledger.rejected), **ledger.figures}
    text = f"{ledger.rows_out:,} of {ledger.rows_in:,} documents kept in {out}: those scored {found['cut']:g} or more"
    show({**found, "out": str(out)}, as_json, text)
