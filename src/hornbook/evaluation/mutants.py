"""Gold against mutant: does a model find a right solution likelier than the same solution with one thing wrong?

A mutant counts only if execution kills it, so that "worse" is a fact and not a guess. Gold and mutants are compared as
`ast.unparse` writes them, so that they differ in the one change and not in comments or layout; and only mutants as long
as the gold solution are taken, since bits favour the shorter text and bits per byte the longer.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from hornbook.errors import InfrastructureError, InputError
from hornbook.model.likelihood import likelihoods
from hornbook.model.load import LanguageModel
from hornbook.progress import Meter
from hornbook.records import Problem
from hornbook.sandbox.run import Program, Sandbox, judge
from hornbook.tasks.formats import NOT_PYTHON
from hornbook.tasks.mutate import mutants

CPU_SECONDS = 1  # for a mutant that runs for ever; a gold solution that needs more has no trial
ALL = 1000  # mutants of a solution to choose from


@dataclass(frozen=True)
class Trial:
    """A gold solution that passes its tests, and mutants that fail them, each as it would follow the prompt."""

    task_id: str
    prompt: str
    gold: str
    mutants: tuple[str, ...]


@cache
def trials(sandbox: Sandbox, problems: tuple[Problem, ...], trusted: bool, limit: int) -> tuple[Trial, ...]:
    """The trials of a benchmark, at most `limit` mutants each; remembered, since every arm of a run takes the same.

    A mutant that times out or crashes is left out: whether it does can depend on the machine. Raises
    InfrastructureError when a program could not be judged.
    """
    written = {problem.task_id: list(variants(problem, limit)) for problem in problems}
    programs = [
        Program(problem.task_id, number, head + body, problem.test, problem.entry_point, trusted)
        for problem in problems
        for number, (head, body) in enumerate(written[problem.task_id])
    ]
    limits = sandbox.model_copy(update={"cpu_seconds": min(CPU_SECONDS, sandbox.cpu_seconds)})
    with Meter("mutants", len(programs), "programs") as meter:
        verdicts = judge(limits, programs, lambda _: meter.advance(), cpu_patience=1)
    status = {(verdict.task_id, verdict.sample): verdict.status for verdict in verdicts}
    if "infrastructure" in status.values():
        raise InfrastructureError("mutants were not judged because the sandbox failed; run again to go on")
    found = (trial(problem, [body for _, body in written[problem.task_id]], status) for problem in problems)
    return tuple(item for item in found if item is not None)


def variants(problem: Problem, limit: int) -> Iterator[tuple[str, str]]:
    """(what stands before the solution, solution) of the gold program and of `limit` mutants, spread over it."""
    source = problem.prompt + problem.canonical_solution if problem.completes else problem.canonical_solution
    try:
        gold = ast.unparse(ast.parse(source))
        changed = mutants(source, ALL)
    except (InputError, *NOT_PYTHON):
        return
    head = before_body(gold, problem.entry_point) if problem.completes else ""
    size = len(gold.encode())
    same = [text for text in changed if text.startswith(head) and len(text.encode()) == size]
    chosen = [same[place * len(same) // limit] for place in range(limit)] if len(same) > limit else same
    yield from ((head, text[len(head) :]) for text in (gold, *chosen))


def before_body(text: str, name: str) -> str:
    """A program up to and with the docstring of the function `name`; nothing when it has no such function."""
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            first = node.body[0]
            end = first.end_lineno if ast.get_docstring(node) is not None else first.lineno - 1
            return "".join(text.splitlines(keepends=True)[:end])
    return ""


def trial(problem: Problem, bodies: Sequence[str], status: Mapping[tuple[str, int], str]) -> Trial | None:
    """The trial of one problem; None when its gold solution does not pass or no mutant fails."""
    killed = [body for number, body in enumerate(bodies) if status[problem.task_id, number] == "failed"]
    if not killed or status[problem.task_id, 0] != "passed":
        return None
    gap = "" if not problem.completes or problem.prompt.endswith("\n") else "\n"
    gold, *worse = (gap + body for body in (bodies[0], *killed))
    return Trial(problem.task_id, problem.prompt, gold, tuple(worse))


def wins(model: LanguageModel, found: Sequence[Trial]) -> dict[str, tuple[int, int]]:
    """Task → (mutants that cost the model more bits per byte than the gold solution, mutants).

    A trial that does not fit the model's context is left out.
    """
    pairs = [(item.prompt, text) for item in found for text in (item.gold, *item.mutants)]
    scored = iter(likelihoods(model, pairs))
    won = {}
    for item in found:
        texts = (item.gold, *item.mutants)
        costs = [next(scored) for _ in texts]
        if all(cost.bytes == len(text.encode()) for cost, text in zip(costs, texts, strict=True)):
            gold, *others = (cost.bits / cost.bytes for cost in costs)
            won[item.task_id] = (sum(other > gold for other in others), len(others))
    return won
