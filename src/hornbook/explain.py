"""One row back to its source: everything that a run's artifacts say about an id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hornbook.artifacts import read_json
from hornbook.errors import InputError, RequestError
from hornbook.records import read_table

SHOWN_CHARACTERS = 400
NAMED_BY = ("id", "survivor", "task_id")


def explain(workdir: Path, row_id: str) -> dict[str, Any]:
    """What every stage of the runs in `workdir` holds about a row, in the order of the flow.

    Finds the row itself, its scores, labels, rejections, the near duplicates it stands for, and its places in packs.
    Raises RequestError when there is no run, or no artifact knows the id.
    """
    runs = sorted((workdir / "runs").glob("*/run.json"))
    if not runs:
        raise RequestError(f"{workdir}: no run here; give the --workdir of one")
    seen: dict[str, dict[str, Any]] = {}
    for run in runs:
        try:
            seen = {stage["folder"]: stage for stage in read_json(run)["stages"]} | seen
        except (KeyError, TypeError):
            raise InputError(f"{run}: not a run's summary; rerun the recipe to renew it") from None
    found = [fact for folder, stage in seen.items() for fact in facts(workdir / folder, stage, row_id)]
    if not found:
        raise RequestError(
            f"no artifact of {workdir} knows a row {row_id!r}; ids stand in the `id` column of its datasets"
        )
    return {"id": row_id, "found": found}


def facts(folder: Path, stage: dict[str, Any], row_id: str) -> Iterator[dict[str, Any]]:
    """Rows about `row_id` in one artifact's Parquet files."""
    for path in sorted(folder.rglob("*.parquet")):
        names = [name for name in NAMED_BY if name in columns_of(path)]
        for row in rows_about(path, names, row_id):
            inside = path.relative_to(folder)
            table = inside.parts[0] if len(inside.parts) > 1 else inside.stem
            yield {"stage": stage["stage"], "name": stage["name"], "table": table, "row": row}


def columns_of(path: Path) -> list[str]:
    """The columns of a Parquet file. Raises InputError when it is not one."""
    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not readable as Parquet ({error}); remove its artifact and run again") from None


def rows_about(path: Path, columns: list[str], row_id: str) -> list[dict[str, Any]]:
    """Rows in which one of the columns holds the id, long texts cut."""
    if not columns:
        return []
    keys = read_table(path, columns)
    wanted = [row_id, f"exercise/{row_id}"]
    hit = pc.is_in(keys[columns[0]], value_set=pa.array(wanted))
    for name in columns[1:]:
        hit = pc.or_(hit, pc.is_in(keys[name], value_set=pa.array(wanted)))
    if not pc.any(hit).as_py():
        return []
    return [cut(row) for row in read_table(path).filter(hit).slice(0, 20).to_pylist()]


def cut(row: dict[str, Any]) -> dict[str, Any]:
    """The row with long texts shortened for reading."""

    def short(value: Any) -> Any:
        long = isinstance(value, str) and len(value) > SHOWN_CHARACTERS
        return f"{value[:SHOWN_CHARACTERS]}… ({len(value):,} characters)" if long else value

    return {name: short(value) for name, value in row.items()}
