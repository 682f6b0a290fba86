"""A run as the report sees it: which artifacts it is made of, and how to read a few rows of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hornbook.artifacts import read_json, read_manifest
from hornbook.errors import InputError
from hornbook.records import read_table

RUN = "run.json"
BATCH = 256  # rows


@dataclass(frozen=True)
class Stage:
    """One finished artifact of a run. `cached` is True where an earlier run had made it."""

    stage: str
    name: str
    key: str
    folder: Path
    cached: bool = False
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """`stage-name`, unique within a run."""
        return f"{self.stage}-{self.name}"

    @property
    def figures(self) -> Mapping[str, Any]:
        """What the stage measured."""
        return self.manifest.get("figures") or {}

    @property
    def rejected(self) -> Mapping[str, int]:
        """How many rows were refused, by reason."""
        return self.manifest.get("rejected") or {}

    def has(self, name: str) -> bool:
        """Whether the artifact holds a file or folder of that name."""
        return (self.folder / name).exists()


@dataclass(frozen=True)
class Run:
    """A recipe's run. `stages` in the order they ran; `missing` names those whose artifact is not there."""

    recipe: str
    seed: int
    version: str
    finished: bool
    resolved: Mapping[str, Any]
    stages: tuple[Stage, ...]
    missing: tuple[str, ...] = ()

    def get(self, stage_id: str) -> Stage | None:
        """The stage with this id (`stage-name`), or None."""
        return next((stage for stage in self.stages if stage.id == stage_id), None)

    def of(self, *kinds: str) -> list[Stage]:
        """All stages of these kinds, in run order."""
        return [stage for stage in self.stages if stage.stage in kinds]

    def holding(self, name: str, *kinds: str) -> list[Stage]:
        """The stages of these kinds whose artifact holds a file or folder called `name`."""
        return [stage for stage in self.of(*kinds) if stage.has(name)]


def load_run(run_folder: Path) -> Run:
    """Read `<workdir>/runs/<recipe>/run.json` and the manifests it points at.

    A stage without a manifest (killed, or its artifact removed) goes to `missing`. Raises InputError when run.json is
    absent, torn or lacks a field.
    """
    about = read_json(run_folder / RUN)
    workdir = run_folder.resolve().parent.parent
    try:
        read = [read_stage(workdir, row) for row in about["stages"]]
        return Run(
            recipe=str(about["recipe"]),
            seed=int(about["seed"]),
            version=str(about["hornbook"]),
            finished=bool(about["finished"]),
            resolved=about["resolved"],
            stages=tuple(stage for stage in read if stage.manifest),
            missing=tuple(stage.id for stage in read if not stage.manifest),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{run_folder / RUN}: not a run's summary ({error!r}); rerun the recipe to renew it") from None


def read_stage(workdir: Path, row: Mapping[str, Any]) -> Stage:
    """One entry of run.json with its manifest; an empty manifest where there is none."""
    folder = workdir / row["folder"]
    manifest = read_manifest(folder, row["key"]) or {}
    return Stage(row["stage"], row["name"], row["key"], folder, bool(row.get("cached")), manifest)


def column(folder: Path, name: str) -> list[Any]:
    """One column of a dataset folder; empty when the folder is not there."""
    return list(read_table(folder, [name])[name].to_pylist()) if folder.is_dir() else []


def head(folder: Path, columns: Sequence[str], count: int) -> list[dict[str, Any]]:
    """The first rows of a dataset folder, reading no more than needed."""
    rows: list[dict[str, Any]] = []
    for part in parts(folder):
        for batch in part.iter_batches(batch_size=count, columns=list(columns)):
            rows += batch.to_pylist()
            if len(rows) >= count:
                return rows[:count]
    return rows


def by_id(folder: Path, columns: Sequence[str], ids: set[str]) -> dict[str, dict[str, Any]]:
    """The rows with these ids. Only row groups that hold one are read, a few rows in memory at a time."""
    found: dict[str, dict[str, Any]] = {}
    for part in parts(folder):
        for group in range(part.metadata.num_row_groups):
            if ids & set(part.read_row_group(group, columns=["id"])["id"].to_pylist()):
                for batch in part.iter_batches(BATCH, row_groups=[group], columns=["id", *columns]):
                    wanted = pc.is_in(batch["id"], value_set=pa.array(sorted(ids), pa.string()))
                    found.update((row["id"], row) for row in batch.filter(wanted).to_pylist())
    return found


def parts(folder: Path) -> Iterator[pq.ParquetFile]:
    """The Parquet files of a dataset folder, opened. Raises InputError for one that is not Parquet."""
    for path in sorted(folder.glob("*.parquet")):
        try:
            with pq.ParquetFile(path) as part:
                yield part
        except (pa.ArrowException, OSError) as error:
            message = str(error).splitlines()[0]
            raise InputError(f"{path}: not readable as Parquet ({message}); remove the artifact and rerun") from None
