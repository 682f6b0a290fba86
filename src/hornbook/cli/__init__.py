"""The command line: thin. Each command reads its arguments, calls one function of a room, and prints.

`--json` prints one JSON object on standard output; progress and complaints go to standard error. Exit codes: 0 done,
1 the work failed, 2 the request was wrong. Imports stand inside commands so that `--help` is instant.

    app.py          the application, and the options that commands share
    experiments.py  run, plan, report, explain, doctor
    corpus.py       curate, annotate, classify
    data.py         score, write, verify, diversity, decontaminate
    select.py       select
    topics.py       topics show, expand, coverage
    models.py       pretrain, finetune, generate, evaluate, compare
    publish.py      export
"""

from __future__ import annotations

import sys
from typing import Any

from hornbook.cli.app import app
from hornbook.errors import HornbookError

# isort: off
from hornbook.cli import experiments, corpus, data, select, topics, models, publish  # noqa: F401  # in the order of --help
# isort: on


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
