"""Problems as data: the project's own unconventional problems, HumanEval, MBPP, and whatever file a person brings."""

from __future__ import annotations

import difflib
import os
from importlib import resources
from pathlib import Path

from hornbook.errors import InputError
from hornbook.records import Exercise, Problem, read_dataset, read_table
from hornbook.tasks.formats import normal_id, problems_in

__all__ = ["available", "exercise_as_problem", "load", "locate", "normal_id"]

UNCONVENTIONAL = "unconventional"
BENCHMARKS = {"humaneval": "HumanEval.jsonl.gz", "mbpp": "mbpp.jsonl", "mbpp-sanitized": "sanitized-mbpp.json"}
DATA_VARIABLE = "HORNBOOK_BENCHMARK_DATA"
NEEDED = {
    Problem: ("task_id", "prompt", "entry_point", "canonical_solution", "test"),
    Exercise: ("id", "name", "prompt", "solution", "tests", "topic"),
}


def load(name_or_path: str | Path) -> list[Problem]:
    """The problems of a named benchmark, a problem file, or a folder or .parquet file of Problems or Exercises.

    Names: `unconventional` (packaged), `humaneval`, `mbpp`, `mbpp-sanitized` (in $HORNBOOK_BENCHMARK_DATA). A name goes
    before a path of the same spelling: write `./mbpp` for the path. Files are recognised by content (see `formats`).
    Raises InputError naming file, line and field, or saying how to give what is not there.
    """
    path = locate(name_or_path)
    if path.is_dir() or path.suffix == ".parquet":
        return problems_of_dataset(path)
    return problems_in(path)


def available() -> list[str]:
    """The names that `load` can serve right now."""
    return [name for name in (UNCONVENTIONAL, *BENCHMARKS) if (path := named(name)) is not None and path.exists()]


def locate(name_or_path: str | Path) -> Path:
    """The file or folder behind a name or path, for whoever must digest it. Raises InputError when nothing is there."""
    name = str(name_or_path)
    if name in (UNCONVENTIONAL, *BENCHMARKS):
        path = named(name)
        if path is None or not path.exists():
            raise InputError(absent(name, path))
        return path
    if not Path(name).exists():
        close = difflib.get_close_matches(name, [UNCONVENTIONAL, *BENCHMARKS], n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"the names are {', '.join((UNCONVENTIONAL, *BENCHMARKS))}"
        raise InputError(f"{name}: no such file, and no benchmark of that name; {hint}")
    return Path(name)


def named(name: str) -> Path | None:
    """Where a named benchmark should stand; None when the variable that says so is not set."""
    if name == UNCONVENTIONAL:
        return Path(str(resources.files("hornbook.tasks") / "unconventional.jsonl"))
    folder = os.environ.get(DATA_VARIABLE)
    return Path(folder) / BENCHMARKS[name] if folder else None


def absent(name: str, path: Path | None) -> str:
    """What to do about a named benchmark that is not here."""
    if name == UNCONVENTIONAL:
        return f"{path}: the packaged problems are missing; install hornbook again"
    place = f"{path} does not exist" if path else f"${DATA_VARIABLE} is not set"
    return (
        f"benchmark {name!r} is not at hand ({place}); give the path of the problem file instead of its name, "
        f"or set {DATA_VARIABLE} to a folder that holds {BENCHMARKS[name]}"
    )


def exercise_as_problem(exercise: Exercise) -> Problem:
    """A held-out exercise as an examination problem; its topic is the family."""
    return Problem(
        task_id=f"exercise/{exercise.id}",
        prompt=exercise.prompt,
        entry_point=exercise.name,
        canonical_solution=exercise.solution,
        test=exercise.tests,
        family=exercise.topic,
    )


def problems_of_dataset(path: Path) -> list[Problem]:
    """The rows of a hornbook dataset of Problems or Exercises, told apart by their columns."""
    columns = read_table(path).schema.names
    if "tests" in columns:
        check_columns(path, Exercise)
        return [exercise_as_problem(exercise) for exercise in read_dataset(path, Exercise)]
    check_columns(path, Problem)
    return list(read_dataset(path, Problem))


def check_columns(path: Path, kind: type[Problem] | type[Exercise]) -> None:
    """Raise InputError unless the columns that a problem needs are there, are text and have no empty cell."""
    table = read_table(path)
    for name in NEEDED[kind]:
        if name not in table.schema.names:
            raise InputError(f"{path}: no column {name!r}; {kind.__name__} rows need {', '.join(NEEDED[kind])}")
        if str(table.schema.field(name).type) not in ("string", "large_string"):
            raise InputError(f"{path}: column {name!r} holds {table.schema.field(name).type}; it must hold text")
        if table.column(name).null_count:
            row = table.column(name).is_null().to_pylist().index(True)
            raise InputError(f"{path}: row {row + 1}: column {name!r} is empty")
