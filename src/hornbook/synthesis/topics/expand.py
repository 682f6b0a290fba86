"""A language model names narrower topics, and what is new among them joins the tree (phi-1.5 §2 began with 20,000).

Each round asks about every leaf of the tree as it then stands, so the questions of a round are known before it begins,
and answers that are in the store are never paid for again. New topics stand in the group of the leaf they came from:
paths stay what they were, and so do the ledgers of what is covered.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field

from hornbook.artifacts import Ledger
from hornbook.config import Config
from hornbook.errors import RequestError
from hornbook.records import Rejected, content_id, write_dataset
from hornbook.synthesis.topics.likeness import Known, normal_form
from hornbook.synthesis.topics.reading import load_tree, write_tree
from hornbook.synthesis.topics.tree import AND, PARTED, Leaf, Tree
from hornbook.teacher.ask import REASONS, Request, Response, Teacher, Unanswered, consult
from hornbook.teacher.money import account
from hornbook.teacher.purse import Purse

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
BEYOND = ("beyond-target", "there are as many topics as were asked for")
MARK = re.compile(r"^(?:\d+[.)]|[-*•]) +")  # of a list, which some write all the same


class Expand(Config):
    """How far to go: to `to` leaves or `rounds` rounds, what comes first, asking `teacher`.

    `near`: a topic that shares so much of its words with another (Jaccard) is the same.
    """

    to: int = Field(20_000, gt=0)
    rounds: int = Field(3, gt=0)
    near: float = Field(2 / 3, gt=0, le=1)
    teacher: Teacher = Teacher(provider="replay")


def expand_tree(config: Expand, *, tree: Path | None, responses: Path, out: Path, ledger: Ledger) -> None:
    """Write `tree.yaml`, the larger tree, and `rejected/`, every suggestion that is not in it with its reason.

    `tree`: a person's own, or the packaged one. Equal answers, equal bytes. Raises InputError for a tree that cannot
    be read, and what `consult` raises.
    """
    begun = grown = load_tree(tree)
    rejected, purse = list[Rejected](), Purse(config.teacher)
    kept: set[str] = set()
    for attempt in range(config.rounds):
        if len(grown.leaves) >= config.to:
            break
        asked = list(questions(config, grown, attempt))
        heard = consult(config.teacher, asked, responses, "topics", purse)
        for answer in heard:
            purse.note(answer)
        growth = grow(config, grown, heard)
        grown = growth.tree
        rejected += growth.rejected
        kept |= growth.kept
    ledger.rows_in, ledger.rows_out = len(begun.leaves), len(grown.leaves)
    ledger.rejected.update(row.reason for row in rejected)
    account(ledger, config.teacher, purse.heard.values(), kept)
    write_tree(grown, out / "tree.yaml")
    write_dataset(out / "rejected", rejected, Rejected)


def teacher_named(named: str) -> dict[str, str]:
    """A teacher's settings from MODEL@URL, or MODEL@replay for answers from the store alone. Raises RequestError."""
    model, at, url = named.rpartition("@")
    if not at or not model or (url != "replay" and not url.startswith(("http://", "https://"))):
        raise RequestError(f"--teacher {named!r}: write MODEL@URL, as in m@http://localhost:8000/v1, or MODEL@replay")
    return {"model": model, "provider": "replay"} | ({} if url == "replay" else {"provider": "endpoint", "url": url})


def questions(config: Expand, tree: Tree, attempt: int) -> Iterator[Request]:
    """One question for each leaf, in the order of the tree."""
    each = max(3, math.ceil(SPARE * (config.to - len(tree.leaves)) / len(tree.leaves)))
    groups: dict[str, list[str]] = defaultdict(list)
    for leaf in tree.leaves:
        groups[leaf.parent].append(leaf.name)
    for leaf in tree.leaves:
        others = "; ".join(name for name in groups[leaf.parent][: OTHERS + 1] if name != leaf.name) or "none"
        text = QUESTION.format(branch=leaf.branch, group=leaf.group, leaf=leaf.name, others=others, each=each)
        yield config.teacher.request(("user", text), schema=SCHEMA, attempt=attempt)


@dataclass(frozen=True)
class Growth:
    """The larger tree, what was refused, and the keys of the answers that gave something."""

    tree: Tree
    rejected: list[Rejected]
    kept: set[str]


def grow(config: Expand, tree: Tree, answers: Sequence[Response | Unanswered]) -> Growth:
    """Add what is new in the answers, one for each leaf of the tree in its order.

    First suggestions come before second ones, so that a tree that is full has taken as much from every leaf.
    """
    growth = Growth(tree, [], set())
    suggested = [list(suggestions(answer, growth.rejected)) for answer in answers]
    names = itertools.chain((leaf.name for leaf in tree.leaves), *suggested)
    known = Known(config.near, Counter(word for name in names for word in normal_form(name)))
    for leaf in tree.leaves:
        known.add(leaf.name)
    new: dict[str, list[Leaf]] = defaultdict(list)
    size = len(tree.leaves)
    for rank in itertools.zip_longest(*suggested):
        for leaf, answer, name in zip(tree.leaves, answers, rank, strict=True):
            if name is None:
                continue
            reason, detail = refusal(name, known) if size < config.to else BEYOND
            if reason:
                growth.rejected.append(refused(answer, reason, detail, name))
            else:
                known.add(name)
                new[leaf.parent].append(replace(leaf, name=name))
                growth.kept.add(answer.key)
                size += 1
    return replace(growth, tree=replace(tree, leaves=tuple(joined(tree.leaves, new))))


def joined(leaves: Sequence[Leaf], new: Mapping[str, Sequence[Leaf]]) -> Iterator[Leaf]:
    """The leaves in order, the new ones of each group behind the last old one."""
    last = {leaf.parent: leaf for leaf in leaves}
    for leaf in leaves:
        yield leaf
        if last[leaf.parent] is leaf:
            yield from new.get(leaf.parent, ())


def suggestions(answer: Response | Unanswered, rejected: list[Rejected]) -> Iterator[str]:
    """The topics in an answer, white space and marks of a list taken off; what is no usable answer is rejected."""
    if isinstance(answer, Unanswered):
        rejected.append(refused(answer, "unanswered", f"{answer.reason}: {REASONS.get(answer.reason, '')}", ""))
    else:
        yield from (MARK.sub("", " ".join(item.split())).rstrip(".") for item in answer.json["topics"])


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


def refused(answer: Response | Unanswered, reason: str, detail: str, text: str) -> Rejected:
    """A suggestion or an answer that was turned away."""
    return Rejected(content_id(answer.key, text), "expand", reason, detail, text)
