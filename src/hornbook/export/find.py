"""What a person means by DATASET or MODEL: a folder, told by what is in it, or a name within a run."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.artifacts import MANIFEST, read_manifest
from hornbook.decontamination.rows import kind_of
from hornbook.errors import InputError, RequestError
from hornbook.records import dataset_in
from hornbook.report.run import Run, load_run
from hornbook.standalone import REQUEST

MODEL = "model"
DATASETS = {  # the names of a recipe's datasets, and the stages whose rows they are
    "corpus": "decontaminate-corpus",
    "selected": "select-filtered",
    "textbooks": "decontaminate-textbooks",
    "exercises": "decontaminate-exercises",
}
TRAININGS = ("finetune", "pretrain")


@dataclass(frozen=True)
class Found:
    """What is to be exported. `folder` holds its manifest; `rows` is the dataset folder, the same for a model.

    `kind`: documents, sections, exercises or model.
    """

    folder: Path
    rows: Path
    kind: str


def find(given: str, workdir: Path) -> Found:
    """The dataset or model behind a path or a name. Raises RequestError when there is none."""
    path = Path(given).expanduser()
    return at(path) if path.exists() else at(named(given, workdir))


def at(path: Path) -> Found:
    """The dataset or model in a folder. Raises InputError saying what is there instead."""
    if path.is_file():
        raise InputError(f"{path}: is a file; export takes a folder that hornbook made, with its {MANIFEST}")
    folder = next((place for place in (path, path.absolute().parent) if (place / MANIFEST).exists()), None)
    if folder is None:
        if (path / REQUEST).exists():
            raise InputError(f"{path}: its work is not finished; run the same command again, then export it")
        raise InputError(
            f"{path}: neither it nor the folder around it has a {MANIFEST}; export takes what hornbook made: an "
            "artifact, a dataset in it, a command's --out folder, or a name in a run"
        )
    if read_manifest(folder) is None:
        raise InputError(f"{folder / MANIFEST}: torn or not a manifest; make the folder again")
    if (path / "config.json").exists():
        return model_in(path)
    rows = path if any(path.glob("*.parquet")) else dataset_in(path)
    return Found(folder, rows, kind_in(rows))


def model_in(path: Path) -> Found:
    """A model folder. Raises InputError when weights or tokenizer are missing."""
    if not any(path.glob("*.safetensors")):
        raise InputError(f"{path}: a model's config without *.safetensors; train it again")
    if not any(path.glob("tokenizer*")):
        raise InputError(f"{path}: a model without a tokenizer; put its tokenizer beside it")
    return Found(path, path, MODEL)


def kind_in(rows: Path) -> str:
    """Which kind of rows a dataset folder holds. Raises InputError when they are nothing to train on."""
    parts = sorted(rows.glob("*.parquet"))
    if not parts:
        raise InputError(f"{rows}: holds no rows and no model; name a folder of documents, sections or exercises")
    try:
        columns = list(pq.read_schema(parts[0]).names)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{parts[0]}: not readable as Parquet ({str(error).splitlines()[0]})") from None
    kind = kind_of(columns)
    if kind is None or "id" not in columns:
        raise InputError(f"{rows}: its rows are no documents, sections or exercises (columns {', '.join(columns)})")
    return kind


def named(given: str, workdir: Path) -> Path:
    """The artifact behind NAME or RECIPE/NAME in a workdir's runs. Raises RequestError when it is not one thing."""
    recipe, _, name = given.rpartition("/")
    runs = [load_run(path.parent) for path in sorted((workdir / "runs").glob(f"{recipe or '*'}/run.json"))]
    if not runs:
        of = f" of {recipe!r}" if recipe else ""
        raise RequestError(f"{given}: no such folder, and no run{of} in {workdir}; give the --workdir of one")
    found = {run.recipe: folder for run in runs if (folder := place_of(run, name)) is not None}
    if not found:
        known = sorted({name for run in runs for name in names_in(run)})
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise RequestError(f"{given}: no such folder, and no dataset or model of that name in {workdir}; {hint}")
    if len(set(found.values())) > 1:
        raise RequestError(f"{given}: {' and '.join(found)} each have one; write {next(iter(found))}/{name}")
    return next(iter(found.values()))


def place_of(run: Run, name: str) -> Path | None:
    """The folder of a dataset, a model or a stage (`select-filtered`) of a run."""
    ids = [DATASETS.get(name, ""), *(f"{training}-{name}" for training in TRAININGS), name]
    return next((stage.folder for node in ids if (stage := run.get(node))), None)


def names_in(run: Run) -> list[str]:
    """The names of a run's datasets and models."""
    datasets = [name for name, node in DATASETS.items() if run.get(node)]
    return datasets + [stage.name for stage in run.of(*TRAININGS)]
