"""How a base model is asked, by name: the same model scores differently under another harness's habits.

| name | prompts | MBPP | stops | healing |
|---|---|---|---|---|
| `hornbook` | as they stand | all tasks, docstring with the first test | bigcode's for bodies, own for programs | yes |
| `bigcode` | white space stripped | test split, docstring with the first test | bigcode's | no |
| `lm-eval` | as they stand | test split, three examples, `[BEGIN]`/`[DONE]` | lm-eval's | no |
| `evalplus` | as they stand | test split, docstring with the first test | evalplus's | no |

Sources: bigcode-evaluation-harness, tasks `humaneval` and `mbpp` (stripping halves some scores, its issue 159: 34
against 70); lm-evaluation-harness, tasks `humaneval` and `mbpp`; evalplus, `provider/utility.py`, direct completion.
MBPP's test split is tasks 11 to 510 (Austin et al., arXiv 2108.07732). Healing: see `model.generate`; no other harness
does it.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import AfterValidator

from hornbook.errors import InputError
from hornbook.model.generate import Decoding
from hornbook.records import Problem
from hornbook.tasks.fewshot import three_shot
from hornbook.tasks.load import locate

TEST_SPLIT = range(11, 511)


@dataclass(frozen=True)
class Convention:
    """What one harness does. `body_stop` ends the body of a function, `program_stop` a whole program (MBPP)."""

    body_stop: tuple[str, ...]
    program_stop: tuple[str, ...]
    stripped: bool = False
    healed: bool = False
    three_shot: bool = False
    test_split: bool = True


BIGCODE = ("\ndef", "\nclass", "\nif", "\nprint", "\n#", "\n@", "\n```")
CONVENTIONS = {
    # A program may begin with imports, comments and helpers, so "\ndef" is no end of it.
    "hornbook": Convention(
        BIGCODE, ("\nassert", "\nprint", "\nif __name__", '\n"""', "\n```"), healed=True, test_split=False
    ),
    "bigcode": Convention(
        BIGCODE, ("\nassert", "\nprint", "\nif", "\nclass", '\n"""', "\n<|/", "\n```"), stripped=True
    ),
    "lm-eval": Convention(("\ndef", "\nclass", "\nif", "\nprint", "\n#"), ("[DONE]",), three_shot=True),
    "evalplus": Convention(
        ("\ndef ", "\nclass ", "\nif __name__", "\nprint(", "\nimport ", "\nfrom ", "\nassert "),
        ("\nassert", '\n"""', "\nif __name__", "\nprint(", "\ndef main("),
    ),
}


def known(name: str) -> str:
    """The name, if it is one of a convention. Raises ValueError with the nearest that is."""
    if name not in CONVENTIONS:
        near = difflib.get_close_matches(name, CONVENTIONS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(CONVENTIONS)}"
        raise ValueError(f"no convention of that name; {hint}")
    return name


ConventionName = Annotated[str, AfterValidator(known)]


def prepared(problems: Sequence[Problem], convention: Convention, source: str) -> list[Problem]:
    """The problems of a benchmark as the convention asks them. `source` is the benchmark's name or path.

    Raises InputError when no task is left, or three-shot examples are not there.
    """
    kept = [problem for problem in problems if not convention.test_split or in_test_split(problem)]
    if not kept:
        raise InputError(f"{source}: no task of MBPP's test split (11 to 510); use --convention hornbook")
    if convention.three_shot and any(not problem.completes for problem in kept):
        prompts = three_shot(locate(source))
        kept = [p if p.completes else replace(p, prompt=prompts[p.task_id]) for p in kept]
    return [stripped(problem) for problem in kept] if convention.stripped else kept


def in_test_split(problem: Problem) -> bool:
    """Whether a task is in its benchmark's test split; only MBPP has another."""
    name, _, number = problem.task_id.partition("/")
    return problem.completes or name != "MBPP" or int(number) in TEST_SPLIT


def stripped(problem: Problem) -> Problem:
    """The prompt without white space around it; what stood at its end begins the solution. Not for whole programs."""
    if not problem.completes:
        return problem
    head = problem.prompt.rstrip()
    return replace(
        problem, prompt=head.lstrip(), canonical_solution=problem.prompt[len(head) :] + problem.canonical_solution
    )


def stops(problem: Problem, convention: Convention, decoding: Decoding) -> tuple[str, ...]:
    """Where an answer to the problem ends: where the person says so, else where the convention does."""
    if "stop" in decoding.model_fields_set:
        return decoding.stop
    return convention.body_stop if problem.completes else convention.program_stop
