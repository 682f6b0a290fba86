"""The nearest-training-exercise baseline: answer each problem with the solution of the most alike exercise.

A student has learned something beyond its exercises only where it beats this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hornbook.artifacts import Ledger, append_jsonl
from hornbook.evaluation.evaluate import Evaluate, gather, judge_and_write
from hornbook.records import Exercise, Problem, Sample, read_dataset

NAME = "nearest exercise"


def baseline(config: Evaluate, *, exercises: Path, problems: Mapping[str, Path], out: Path, ledger: Ledger) -> None:
    """Write the same files as `evaluate`, with one copied answer a problem and no likelihood."""
    benchmarks = gather(config.benchmarks, problems)
    known = list(read_dataset(exercises, Exercise))
    samples = {name: answers(part, known) for name, part in benchmarks.items()}
    (out / "samples.jsonl").unlink(missing_ok=True)
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
    """The exercise's body under the problem's signature: its own parameters are bound to the problem's by position."""
    theirs, ours = parameters(exercise.prompt, exercise.name), parameters(problem.prompt, problem.entry_point)
    renamed = [f"    {new} = {old}\n" for new, old in zip(theirs, ours, strict=False) if new != old]
    return "".join(renamed) + exercise.solution


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
