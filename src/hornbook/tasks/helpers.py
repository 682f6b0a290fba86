"""Helpers that a prompt defines and its tests call: they come from the problem, never from the candidate.

HumanEval/32, /38 and /50 do so. A completion may define the helper anew, so tests
that took it from the candidate would be answered as the candidate likes.
"""

from __future__ import annotations

import ast

from hornbook.records import Problem
from hornbook.tasks.formats import NOT_PYTHON, defined_names, parse


def self_contained(problem: Problem) -> str:
    """The problem's test, preceded by the prompt's own definitions where the test uses one that it does not define.

    The function under test is left out: it is the candidate's. A prompt that is no program by itself adds nothing.

    >>> prompt = "def twice(x):\\n    return 2 * x\\n\\ndef half(x):\\n    '''Undo twice.'''\\n"
    >>> test = "def check(candidate):\\n    assert candidate(twice(3)) == 3\\n"
    >>> print(self_contained(Problem("t", prompt, "half", "", test)), end="")
    def twice(x):
        return 2 * x
    def check(candidate):
        assert candidate(twice(3)) == 3
    """
    try:
        prompt, test = parse(problem.prompt), parse(problem.test)
    except NOT_PYTHON:
        return problem.test
    prompt.body = [node for node in prompt.body if getattr(node, "name", "") != problem.entry_point]
    used = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)} - set(defined_names(test))
    if used.isdisjoint(defined_names(prompt)):
        return problem.test
    return f"{ast.unparse(prompt)}\n{problem.test}"
