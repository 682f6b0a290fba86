"""Textbook sections by a language model: outline → sections → critique against a rubric → rewrite.

phi-1 §2.2: constraints on topic and audience make sections differ. phi-4 §2.2: the model examines its own text and
improves it. An outline plans a few sections at once, so that they build on one another and none repeats another.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from pydantic import Field

from hornbook.config import Config
from hornbook.records import Rejected, Section, content_id
from hornbook.sandbox.run import Sandbox
from hornbook.synthesis.llm import prompts
from hornbook.synthesis.llm.asking import Answer, Asker, Round, about, begun, continued, numbered
from hornbook.synthesis.llm.reading import Unfit, markdown_in, words_besides_code
from hornbook.synthesis.llm.revision import TOP, Draft, Reviser
from hornbook.synthesis.topics import Brief, Passage


class Chapters(Config):
    """How sections come about.

    An outline plans `sections` of them. Up to `rewrites` rewrites follow, none where the grade is `enough` and all code
    holds. A grade is the mean over the rubric, 0-5; a section below `min_grade` is dropped, one that the examiner left
    ungraded is not. `min_words` counts words besides code.
    """

    sections: int = Field(3, ge=1, le=12)
    rewrites: int = Field(1, ge=0, le=5)
    enough: float = Field(4.75, ge=0, le=TOP)
    min_grade: float = Field(2.5, ge=0, le=TOP)
    min_words: int = Field(150, ge=0)


@dataclass(frozen=True)
class Plan:
    """One section of an outline. `titles`: of the whole chapter; `text`: the plan as it stands in the question."""

    brief: Brief
    outline: Answer
    titles: tuple[str, ...]
    text: str


@dataclass
class TextbookWriter:
    """Writes sections round by round. `figures` counts what became of rewrites; `passages` by id."""

    config: Chapters
    asker: Asker
    sandbox: Sandbox
    passages: dict[str, Passage] = field(default_factory=dict)
    figures: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    drawn: Counter[str] = field(default_factory=Counter)

    def write(self, briefs: Sequence[Brief], n: int) -> Iterator[Round[Section]]:
        """What became of `n` sections, a round of outlines at a time; all outlines are drawn before any is asked for.

        Each brief stands for an outline; there are enough of them for `n` sections.
        """
        each = self.config.sections
        questions = numbered((self.outline(brief) for brief in briefs), prompts.OUTLINE_SCHEMA, Counter())
        for part in self.asker.rounds(len(briefs), "outlines"):
            outlines = self.asker.ask(questions[part], "outlines")
            wanted = [min(each, n - each * place) for place in range(part.start, part.stop)]
            yield self.chapters(list(zip(briefs[part], outlines, wanted, strict=True)))

    def chapters(self, outlined: Sequence[tuple[Brief, Answer, int]]) -> Round[Section]:
        """Sections of outlines: drafted and run, then examined and rewritten as often as asked for."""
        reviser = Reviser(self.asker, self.sandbox, self.read, self.config.enough, self.figures)
        parts = [planned(brief, answer, wanted) for brief, answer, wanted in outlined]
        drafts, refused = self.drafts([plan for plans, _ in parts for plan in plans])
        drafts = reviser.run(drafts)
        for _ in range(self.config.rewrites):
            drafts = reviser.revise(drafts)
        if self.config.rewrites or self.config.min_grade:
            ungraded = iter(reviser.examine([d for d in drafts if not d.fault and d.grade is None]))
            drafts = [next(ungraded) if not d.fault and d.grade is None else d for d in drafts]
        settled = [self.settled(draft) for draft in drafts]
        rejected = [row for _, rows in parts for row in rows] + refused
        return Round(
            [row for row in settled if isinstance(row, Section)],
            rejected + [row for row in settled if isinstance(row, Rejected)],
        )

    def outline(self, brief: Brief) -> str:
        """The words that ask for an outline."""
        return prompts.OUTLINE.format(sections=self.config.sections, **self.words(brief))

    def words(self, brief: Brief) -> dict[str, str]:
        """What a brief says, for questions."""
        passage = self.passages.get(brief.passage)
        note = prompts.passage_note(passage.text if passage else "")
        return {"subjects": brief.subjects, "passage": note, **about(brief)}

    def drafts(self, plans: Sequence[Plan]) -> tuple[list[Draft], list[Rejected]]:
        """The first text of every section."""
        questions = numbered((self.question(plan) for plan in plans), "", self.drawn)
        after = [replace(q, after=plan.outline.key) for q, plan in zip(questions, plans, strict=True)]
        answers = self.asker.ask(after, "sections")
        drafts, rejected = [], []
        for plan, answer in zip(plans, answers, strict=True):
            try:
                drafts.append(Draft(self.section(plan, answer)))
            except Unfit as unfit:
                rejected.append(answer.refusal(unfit))
        return drafts, rejected

    def question(self, plan: Plan) -> str:
        """The words that ask for a section."""
        form = prompts.PROSE_SECTION if plan.brief.half == "common sense" else prompts.CODE_SECTION
        return form.format(plan=plan.text, titles="; ".join(plan.titles), **self.words(plan.brief))

    def section(self, plan: Plan, answer: Answer) -> Section:
        """An answer as a section, not yet run. Raises Unfit."""
        text, brief = self.read(answer), plan.brief
        passage = self.passages.get(brief.passage)
        made = begun("llm", self.asker, "draft", answer, half=brief.half, **about(brief))
        return Section(
            id=content_id(text),
            text=text,
            topic=brief.topic,
            audience=brief.audience,
            style=brief.style,
            license=list(passage.license) if passage else [],
            parents=[passage.id] if passage else [],
            provenance=continued(made, "outline", [plan.outline]),
        )

    def read(self, answer: Answer) -> str:
        """The Markdown of an answer. Raises Unfit for one that is missing, too short, or was written before."""
        text = markdown_in(answer.read())
        if (count := words_besides_code(text)) < self.config.min_words:
            raise Unfit("too-short", f"{count} words besides code")
        if text in self.seen:
            raise Unfit("duplicate", "the same text was written before")
        self.seen.add(text)
        return text

    def settled(self, draft: Draft) -> Section | Rejected:
        """A draft as a row, or refused: code that does not hold, a grade that is too low."""
        section, grade = draft.section, draft.grade
        if draft.fault:
            return Rejected(section.id, "write", "not-verified", draft.fault, section.text[:200])
        if grade is not None and grade < self.config.min_grade:
            return Rejected(section.id, "write", "low-grade", f"{grade:.2f} of {TOP}", section.text[:200])
        self.figures["ungraded"] += grade is None
        return replace(section, verified=True, provenance=continued(section.provenance, "", [], grade=grade))


def planned(brief: Brief, answer: Answer, wanted: int) -> tuple[list[Plan], list[Rejected]]:
    """The sections that an outline plans, `wanted` at most, and a refusal for each that it does not."""
    try:
        entries = answer.json()["sections"][:wanted]
    except Unfit as unfit:
        return [], [answer.refusal(unfit)] * wanted
    titles = tuple(" ".join(entry["title"].split()) for entry in entries)
    plans = [Plan(brief, answer, titles, json.dumps(entry, ensure_ascii=False)) for entry in entries]
    short = answer.refusal(Unfit("short-outline", f"plans {len(plans)} of {wanted} sections"))
    return plans, [short] * (wanted - len(plans))
