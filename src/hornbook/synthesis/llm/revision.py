"""A section is run, examined against the rubric and rewritten; the rewrite has to earn its place.

Execution decides first: a text whose code holds beats one whose code does not, and never the other way round. Where
both hold, the examiner's grade decides, and a tie leaves the draft. The examiner sees the text alone, not what
execution found, nor which of the two it reads.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hornbook.records import Section, content_id
from hornbook.sandbox.run import Sandbox
from hornbook.synthesis.llm import prompts
from hornbook.synthesis.llm.asking import Answer, Asker, Question, author_of, continued, rewritten
from hornbook.synthesis.llm.reading import Unfit
from hornbook.synthesis.textbooks import kind_of, verify

TOP = 5  # of the rubric's scale
REMARKS = 6  # that a rewrite is told of


@dataclass(frozen=True)
class Draft:
    """A section on its way. `fault`: what execution found, "" when all holds.

    `grade` is the mean over the rubric, None while ungraded; `remarks`: what the examiner wants mended.
    """

    section: Section
    fault: str = ""
    grade: float | None = None
    remarks: tuple[str, ...] = ()

    @property
    def standing(self) -> tuple[bool, float]:
        """What a rewrite has to surpass."""
        return (not self.fault, -1.0 if self.grade is None else self.grade)

    def after(self, step: str, answer: Answer) -> Draft:
        """The draft with one more answer on record."""
        made = continued(self.section.provenance, step, [answer])
        return replace(self, section=replace(self.section, provenance=made))


@dataclass(frozen=True)
class Reviser:
    """Runs, examines and rewrites drafts. `read` gives the Markdown of an answer or raises Unfit.

    Drafts whose code holds and whose grade is `enough` are left alone. `figures` counts what became of rewrites.
    """

    asker: Asker
    sandbox: Sandbox
    read: Callable[[Answer], str]
    enough: float
    figures: Counter[str] = field(default_factory=Counter)

    def run(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Drafts with what execution found: every block in order, each stated output compared; prose by its form."""
        checked = verify([draft.section for draft in drafts], self.sandbox)
        return [replace(draft, fault=fault) for draft, (_, fault) in zip(drafts, checked, strict=True)]

    def examine(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Drafts with grade and remarks; an answer that cannot be read leaves a draft ungraded."""
        answers = self.asker.ask([critique(draft) for draft in drafts], "examination")
        return [graded(draft, answer) for draft, answer in zip(drafts, answers, strict=True)]

    def revise(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Every draft, or its rewrite where that stands higher."""
        drafts = self.examine(drafts)
        places = [n for n, draft in enumerate(drafts) if draft.fault or self.mendable(draft)]
        answers = self.asker.ask([rewrite(drafts[n]) for n in places], "rewrites")
        for n, answer in zip(places, answers, strict=True):
            drafts[n] = drafts[n].after("rewrite", answer)
        tried = [(n, self.rewritten(drafts[n], answer)) for n, answer in zip(places, answers, strict=True)]
        rewrites = {n: draft for n, draft in tried if draft is not None}
        better = self.compared(self.run(list(rewrites.values())), [drafts[n] for n in rewrites])
        for n, draft in zip(rewrites, better, strict=True):
            drafts[n] = self.better(drafts[n], draft)
        return drafts

    def mendable(self, draft: Draft) -> bool:
        """Whether a draft whose code holds is worth a rewrite: it is graded below enough, and the examiner says why."""
        return draft.grade is not None and draft.grade < self.enough and bool(draft.remarks)

    def rewritten(self, draft: Draft, answer: Answer) -> Draft | None:
        """The answer as a draft, neither run nor graded; None, counted, when it cannot be read."""
        try:
            text = self.read(answer)
        except Unfit as unfit:
            self.figures[f"rewrite refused: {unfit.reason}"] += 1
            return None
        question = answer.question
        made = replace(
            rewritten(draft.section.provenance),
            prompt_digest=content_id(question.text),
            attempt=question.attempt,
        )
        return Draft(replace(draft.section, id=content_id(text), text=text, provenance=made))

    def compared(self, new: Sequence[Draft], old: Sequence[Draft]) -> list[Draft]:
        """Rewrites, graded where their grade decides; elsewhere execution has decided, and nothing is paid."""
        close = [n for n, (one, other) in enumerate(zip(new, old, strict=True)) if not one.fault and not other.fault]
        found = dict(enumerate(new)) | dict(zip(close, self.examine([new[n] for n in close]), strict=True))
        return list(found.values())

    def better(self, old: Draft, new: Draft) -> Draft:
        """The rewrite if it stands higher; else the draft, with all that was asked about it on record."""
        if new.standing > old.standing:
            self.figures["rewrite kept: code holds" if old.fault else "rewrite kept: graded higher"] += 1
            return new
        self.figures["rewrite dropped"] += 1
        was, tried = old.section.provenance, new.section.provenance
        wrote = was.responses.index(author_of(was))
        made = replace(continued(tried, "", [], wrote=wrote), prompt_digest=was.prompt_digest, attempt=was.attempt)
        return replace(old, section=replace(old.section, provenance=made))


def critique(draft: Draft) -> Question:
    """The question that examines a section."""
    names = ", ".join(f'"{name}": 0' for name in prompts.RUBRIC)
    section = draft.section
    text = prompts.CRITIQUE.format(
        audience=section.audience, rule=prompts.RULE, text=section.text, rubric=prompts.rubric_lines(), names=names
    )
    return Question(text, prompts.CRITIQUE_SCHEMA, after=section.provenance.responses[0])


def rewrite(draft: Draft) -> Question:
    """The question that mends a section; another attempt where its text stands after one that was no better."""
    section = draft.section
    recipe = json.loads(section.provenance.recipe)
    tried = recipe["steps"][recipe["wrote"] + 1 :].count("rewrite")
    text = prompts.REWRITE.format(
        audience=section.audience,
        style=section.style,
        rule=prompts.RULE,
        text=section.text,
        faults=prompts.fault_lines(draft.fault, draft.remarks),
        form=prompts.PROSE_FORM if kind_of(section) == "prose" else prompts.CODE_FORM,
    )
    return Question(text, attempt=tried, after=section.provenance.responses[0])


def graded(draft: Draft, answer: Answer) -> Draft:
    """A draft with what its examination says; as it was, ungraded, when that cannot be read."""
    draft = replace(draft.after("critique", answer), grade=None, remarks=())
    try:
        found = answer.json()
    except Unfit:
        return draft
    remarks = (" ".join(fault.split()) for fault in found["faults"][:REMARKS])
    return replace(draft, grade=grade_in(found["scores"]), remarks=tuple(filter(None, remarks)))


def grade_in(scores: Mapping[str, float]) -> float:
    """The mean over the rubric.

    >>> grade_in(dict.fromkeys(prompts.RUBRIC, 4) | {"lean": 0})
    3.5
    """
    return round(sum(scores[name] for name in prompts.RUBRIC) / len(prompts.RUBRIC), 4)
