"""The application that commands are added to, and the options that they share."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

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
Unsafe = Annotated[
    bool, typer.Option("--unsafe-exec", help="Run programs even where no level of isolation holds (see doctor).")
]
Out = Annotated[Path, typer.Option("--out", help="A new or empty folder for what is made.")]
WORKDIR = Path("hornbook-work")


def show(value: dict[str, Any], as_json: bool, text: str) -> None:
    """Print the JSON object or the text for people, on standard output."""
    print(json.dumps(value, ensure_ascii=False) if as_json else text)
