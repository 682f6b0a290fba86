"""MBPP asked with three examples, as its authors did (Austin et al., arXiv 2108.07732, §3) and lm-eval does.

The examples are tasks 2, 3 and 4 of the person's own file, read when they are needed: none is shipped.
"""

from __future__ import annotations

from pathlib import Path

from hornbook.errors import InputError
from hornbook.tasks.formats import Row, id_field, normal_id, rows_in, text_field, texts_field

EXAMPLES = ("MBPP/2", "MBPP/3", "MBPP/4")
# The words of the authors' prompt; another wording would be another examination.
QUESTION = (
    "You are an expert Python programmer, and here is your task: {text} Your code should pass these tests:\n\n"
    "{tests}\n[BEGIN]\n"
)
ANSWER = "{code}\n[DONE]"


def three_shot(path: Path) -> dict[str, str]:
    """Task id → prompt, for every task of a file in MBPP's format. Raises InputError when an example is not in it."""
    if path.is_dir() or path.suffix == ".parquet":
        raise InputError(f"{path}: three-shot prompts need MBPP's own file, with its texts and tests")
    rows = {normal_id(id_field(row, f"{path}:{line}")): (row, f"{path}:{line}") for line, row in rows_in(path)}
    missing = [task for task in EXAMPLES if task not in rows]
    if missing:
        raise InputError(f"{path}: three-shot prompts take tasks 2, 3 and 4 as examples; {missing[0]} is not there")
    shots = [question(*rows[task]) + answer(*rows[task]) for task in EXAMPLES]
    return {task: "\n\n".join([*shots, question(*found)]) for task, found in rows.items()}


def question(row: Row, where: str) -> str:
    """A task as it is asked: its text, and its first three tests."""
    text = text_field(row, "text" if "text" in row else "prompt", where)
    return QUESTION.format(text=text, tests="\n".join(texts_field(row, "test_list", where)[:3])).replace("\r\n", "\n")


def answer(row: Row, where: str) -> str:
    """A task's own solution, as an example shows it."""
    return ANSWER.format(code=text_field(row, "code", where)).replace("\r\n", "\n")
