"""A language model names narrower topics, and what is new among them joins the tree (phi-1.5 §2 began with 20,000).

Each round asks about every leaf of the tree as it then stands, so the questions of a round are known before it begins,
and answers that are in the store are never paid for again. New topics stand in the group of the leaf they came from:
paths stay what they were, and so do the ledgers of what is covered.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

from pydantic import Field

from hornbook.config import Config
from hornbook.records import Rejected, content_id
from hornbook.synthesis.topics.likeness import Known
from hornbook.synthesis.topics.tree import AND, PARTED, Leaf, Tree
from hornbook.teacher.ask import Replay, Request, Response, Teacher, ask, open_store

QUESTION = """A course on {branch} has a chapter on {group}. One of its lessons is: {leaf}.
The other lessons of the chapter: {others}.

Name {each} narrower lessons that belong under "{leaf}". Each must be one definite subject that fits on two pages, not a
whole field; of three to ten words, as a line in a table of contents; different from the lessons above and from one
another. Write no numbers, names of chapters or remarks.
Answer with JSON: {{"topics": ["...", "..."]}}"""
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"topics": {"type": "array", "items": {"type": "string"}}},
        "required": ["topics"],
        "additionalProperties": False,
    },
    sort_keys=True,
)
OTHERS = 20  # so many other lessons stand in a question
SPARE = 1.4  # asked for so many times what is needed, since some will be turned away
LONGEST_CHARACTERS = 100


class Expand(Config):
    """How far to go: to `to` leaves or `rounds` rounds, what comes first, asking `teacher`."""

    to: int = Field(20_000, gt=0)
    rounds: int = Field(3, gt=0)
    near: float = Field(2 / 3, gt=0, le=1)
    teacher: Teacher = Teacher(provider="replay")


@dataclass(frozen=True)
class Expansion:
    """The larger tree, and every suggestion that is not in it with its reason."""

    tree: Tree
    rejected: list[Rejected]
    rounds: int


def expand(config: Expand, tree: Tree, responses: Path) -> Expansion:
    """Grow a tree by what the teacher suggests. Equal answers, equal trees.

    Raises MissingResponse where a replay lacks an answer.
    """
    known, rejected, rounds = Known(config.near), [], 0
    for leaf in tree.leaves:
        known.add(leaf.name)
    while len(tree.leaves) < config.to and rounds < config.rounds:
        asked = list(questions(config, tree, rounds))
        answered = list(ask(Replay(), asked, open_store(responses)))
        grown, refused = grow(config.to, tree, answered, known)
        rejected += refused
        rounds += 1
        if len(grown.leaves) == len(tree.leaves):
            break
        tree = grown
    return Expansion(tree, rejected, rounds)


def questions(config: Expand, tree: Tree, attempt: int) -> Iterator[Request]:
    """One question for each leaf, in the order of the tree."""
    each = max(3, math.ceil(SPARE * (config.to - len(tree.leaves)) / len(tree.leaves)))
    groups: dict[str, list[str]] = defaultdict(list)
    for leaf in tree.leaves:
        groups[leaf.parent].append(leaf.name)
    for leaf in tree.leaves:
        others = "; ".join(name for name in groups[leaf.parent][: OTHERS + 1] if name != leaf.name) or "none"
        text = QUESTION.format(branch=leaf.branch, group=leaf.group, leaf=leaf.name, others=others, each=each)
        yield Request(
            model=config.teacher.model,
            messages=(("user", text),),
            temperature=config.teacher.temperature,
            top_p=config.teacher.top_p,
            max_tokens=config.teacher.max_tokens,
            schema=SCHEMA,
            attempt=attempt,
        )


def grow(to: int, tree: Tree, answers: Sequence[Response], known: Known) -> tuple[Tree, list[Rejected]]:
    """The tree with what is new in the answers, one for each leaf in its order, and what was refused.

    First suggestions come before second ones, so that a tree that is full has taken as much from every leaf.
    """
    rejected: list[Rejected] = []
    suggested = [list(suggestions(answer, rejected)) for answer in answers]
    new: dict[str, list[Leaf]] = defaultdict(list)
    size = len(tree.leaves)
    for rank in zip_longest(*suggested):
        for leaf, answer, name in zip(tree.leaves, answers, rank, strict=True):
            if name is None:
                continue
            reason, detail = refusal(name, known) if size < to else ("beyond-target", f"{to} topics are there")
            if reason:
                rejected.append(refused(answer, reason, detail, name))
            else:
                known.add(name)
                new[leaf.parent].append(replace(leaf, name=name))
                size += 1
    last = {leaf.parent: leaf for leaf in tree.leaves}
    grown = [made for leaf in tree.leaves for made in (leaf, *(new[leaf.parent] if last[leaf.parent] is leaf else ()))]
    return replace(tree, leaves=tuple(grown)), rejected


def suggestions(answer: Response, rejected: list[Rejected]) -> Iterator[str]:
    """The topics in an answer, white space tidied; an answer without a list is rejected whole."""
    found = read_list(answer.text)
    if found is None:
        rejected.append(refused(answer, "unreadable-answer", "no JSON list of topics", answer.text[:200]))
    for item in found or ():
        if isinstance(item, str):
            yield " ".join(item.split()).rstrip(".")
        else:
            rejected.append(refused(answer, "not-a-topic", f"a JSON {type(item).__name__}", str(item)[:200]))


def read_list(text: str) -> list[Any] | None:
    """The JSON list in an answer, from its first opening bracket to its last closing one; None when there is none."""
    try:
        found = json.loads(text[text.index("[") : text.rindex("]") + 1])
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def refusal(name: str, known: Known) -> tuple[str, str]:
    """Why a suggestion cannot be a leaf, as (reason, detail); ("", "") when it can."""
    if not name or len(name) > LONGEST_CHARACTERS or not any(map(str.isalpha, name)):
        return "not-a-topic", f"{len(name)} characters; a topic has letters, and {LONGEST_CHARACTERS} at most"
    if PARTED in name or AND.strip() in name or not name.isprintable():
        return "not-a-topic", f"holds {PARTED}, {AND.strip()} or what cannot be printed"
    like = known.like(name)
    if like is None:
        return "", ""
    return ("duplicate", like[0]) if like[1] == 1 else ("near-duplicate", f"{like[1]:.2f} of {like[0]}")


def refused(answer: Response, reason: str, detail: str, text: str) -> Rejected:
    """A suggestion or an answer that was turned away."""
    return Rejected(content_id(answer.key, text), "expand", reason, detail, text)


def expand_alone(named: str, tree: Path | None, out: Path, responses: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Expand a tree into a new file, beside it `<out>.rejected.jsonl`. Raises RequestError, InputError, WorkError.

    `named`: MODEL@URL, or MODEL@replay for answers from the store alone. `options`: fields of Expand and of Teacher.
    """
    if out.exists():
        raise RequestError(f"--out {out}: is there already; name a new file")
