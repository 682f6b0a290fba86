"""Run the rows of a dataset again, contained, whoever wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hornbook.errors import InfrastructureError, InputError
from hornbook.records import Exercise, Section, dataset_in, read_dataset, read_table
from hornbook.sandbox.run import Sandbox, judge
from hornbook.synthesis.kill import program
from hornbook.synthesis.textbooks import verify


def reverify(folder: Path, sandbox: Sandbox = Sandbox()) -> dict[str, Any]:
    """Counts of a folder's rows and of those that hold, and the faults of the others.

    The folder is a dataset of exercises or sections, or holds one. Tests are treated as untrusted. Raises InputError.
    """
    folder = dataset_in(folder)
    columns = set(read_table(folder).column_names)
    if {"solution", "tests"} <= columns:
        faults = exercise_faults(list(read_dataset(folder, Exercise)), sandbox)
    elif {"text", "topic"} <= columns:
        checked = verify(list(read_dataset(folder, Section)), sandbox)
        faults = [(section.id, fault) for section, fault in checked]
    else:
        raise InputError(f"{folder}: neither exercises nor sections; found columns {sorted(columns)}")
    bad = [{"id": row_id, "fault": fault} for row_id, fault in faults if fault]
    rejected = {"not-verified": len(bad)} if bad else {}
    return {"rows": len(faults), "verified": len(faults) - len(bad), "rejected": rejected, "faults": bad}


def exercise_faults(exercises: list[Exercise], sandbox: Sandbox) -> list[tuple[str, str]]:
    """(id, what went wrong or "") of every exercise."""
    verdicts = judge(sandbox, [program(exercise, exercise.solution, trusted=False) for exercise in exercises])
    for verdict in verdicts:
        if verdict.status == "infrastructure":
            raise InfrastructureError(f"{verdict.task_id}: {verdict.detail}; run again")
    return [(v.task_id, "" if v.status == "passed" else f"{v.status}: {v.detail}") for v in verdicts]
