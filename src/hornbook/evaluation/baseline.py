"""The nearest-training-exercise baseline: answer each problem with the solution of the most alike exercise.

A student has learned something beyond its exercises only where it beats this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from hornbook.artifacts import Ledger, append_jsonl
from hornbook.evaluation.evaluate import Evaluate, gather, judge_and_write
from hornbook.records import Exercise, Problem, Sample, read_dataset

NAME = "nearest exercise"


def baseline(config: Evaluate, *, exercises: Path, problems: Mapping[str, Path], out: Path, ledger: Ledger) -> None:
    """Write the same files as `evaluate`, with one copied answer a problem and no likelihood."""
    benchmarks = gather(config.benchmarks, problems, config.convention, plain=True)
    known = list(read_dataset(exercises, Exercise))
    samples = {name: answers(part, known) for name, part in benchmarks.items()}
    (out / "samples.jsonl").write_text("", "utf-8")
    for name, part in samples.items():
        for sample in part:
            row = {"benchmark": name, "task_id": sample.task_id, "sample": 0, "completion": sample.completion}
            append_jsonl(out / "samples.jsonl", row)
    judge_and_write(config, benchmarks, samples, {}, out, ledger)


def answers(problems: Sequence[Problem], exercises: Sequence[Exercise]) -> list[Sample]:
    """For each problem, the solution of the exercise whose prompt reads most like it, its call names adapted.

    Likeness is the Indel ratio of the prompts with function names removed (rapidfuzz); ties go to the first by id.
    """
    import numpy as np
    from rapidfuzz import fuzz, process

    if not exercises:
        return []
    asked = [problem.prompt.replace(problem.entry_point, "f") for problem in problems]
    known = [exercise.prompt.replace(exercise.name, "f") for exercise in exercises]
    ratios = process.cdist(asked, known, scorer=fuzz.ratio, dtype=np.float32, workers=-1)
    nearest = [exercises[int(place)] for place in ratios.argmax(axis=1)]
    return [
        Sample(problem.task_id, 0, copy_answer(problem, exercise))
        for problem, exercise in zip(problems, nearest, strict=True)
    ]


def copy_answer(problem: Problem, exercise: Exercise) -> str:
    """The exercise's body under the problem's signature: its own parameters are bound to the problem's by position.

    Where a completion is a whole program, the whole exercise under the problem's name.
    """
    if not problem.completes:
        return renamed(exercise.prompt + exercise.solution, exercise.name, problem.entry_point)
    theirs, ours = parameters(exercise.prompt, exercise.name), parameters(problem.prompt, problem.entry_point)
    pairs = [(new, old) for new, old in zip(theirs, ours, strict=False) if new != old]
    names, values = (", ".join(pair[side] for pair in pairs) for side in (0, 1))
    bound = f"    {names} = {values}\n" if pairs else ""  # all at once, since they may change places
    return bound + renamed(exercise.solution, exercise.name, problem.entry_point)


def renamed(source: str, old: str, new: str) -> str:
    """The source with a function's name replaced, where it calls itself too."""
    return re.sub(rf"\b{re.escape(old)}\b", new, source)


def parameters(prompt: str, name: str) -> list[str]:
    """The parameter names of a function in a prompt; none when the prompt does not parse."""
    import ast

    try:
        tree = ast.parse(prompt)
    except SyntaxError:
        return []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return [argument.arg for argument in node.args.args]
    return []
