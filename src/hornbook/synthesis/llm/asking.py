"""Rounds of questions to a teacher: every question of a round is written before any of them is asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from hornbook.records import Provenance, Record, Rejected, content_id
from hornbook.synthesis.llm.reading import Unfit
from hornbook.synthesis.topics import Brief
from hornbook.teacher.ask import REASONS, Request, Response, Teacher, Unanswered, consult
from hornbook.teacher.purse import Purse
from hornbook.teacher.schema import object_in

PILOT, FIRST, MOST = 20, 64, 2048  # things to write in the first round, in the second, and in the largest
WORTH_A_PILOT = 5  # a job is forecast when it is this many times as long as its pilot


R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Round(Generic[R]):
    """What a round gave, and what it did not, with reasons."""

    kept: list[R]
    rejected: list[Rejected]


@dataclass(frozen=True)
class Question:
    """What is asked. `schema`: of the JSON to answer with, as text. `attempt`: which answer to the same words.

    `after`: the key of an earlier answer about the same thing, for the account of what things cost.
    """

    text: str
    schema: str = ""
    attempt: int = 0
    temperature: float | None = None  # the teacher's
    after: str = ""


@dataclass(frozen=True)
class Answer:
    """What came back to a question. `missing`: why nothing did; "" when something did."""

    question: Question
    key: str
    text: str
    missing: str = ""

    def read(self) -> str:
        """The text. Raises Unfit when nothing came back."""
        if self.missing:
            raise Unfit(f"unanswered-{self.missing}", REASONS.get(self.missing, ""))
        return self.text

    def json(self) -> dict[str, Any]:
        """The object that was asked for by a schema, as the teacher's room found it. Raises Unfit as `read` does."""
        return object_in(self.read(), json.loads(self.question.schema))

    def refusal(self, unfit: Unfit) -> Rejected:
        """The answer as a counted refusal."""
        return Rejected(self.key[:16], "write", unfit.reason, str(unfit), self.text[:200])


@dataclass(frozen=True)
class Asker:
    """A teacher and the store in which its answers are kept."""

    teacher: Teacher
    responses: Path
    purse: Purse

    @classmethod
    def of(cls, teacher: Teacher, responses: Path) -> Asker:
        """An asker with an empty purse."""
        return cls(teacher, responses, Purse(teacher))

    def rounds(self, n: int, what: str) -> Iterator[slice]:
        """`n` things to write in slices that grow, so that whoever watches sees the first ones soon.

        The first round of a long job is its pilot, from which the rest is forecast before it is asked for. Rounds are
        always the same, since a replay has to find what was written in the order in which it was.
        """
        start, size, costs = 0, PILOT, self.teacher.provider == "endpoint"
        while start < n:
            yield slice(start, min(start + size, n))
            start += size
            if start == PILOT and n >= WORTH_A_PILOT * PILOT and self.teacher.pilot and costs:
                self.purse.look_ahead(PILOT, n, what)
            size = min(max(2 * size, FIRST), MOST)

    def ask(self, questions: Sequence[Question], label: str) -> list[Answer]:
        """An answer to every question, in order. What was answered before costs nothing again.

        The forecast is made by `rounds`, not for every step. What ended without an answer is not asked again.
        """
        requests = [self.request(question) for question in questions]
        asked = [request for request in requests if not self.purse.given_up(request.key)]
        teacher = self.teacher.model_copy(update={"pilot": 0})
        heard = iter(consult(teacher, asked, self.responses, label, self.purse) if asked else [])
        found = [self.purse.given_up(request.key) or next(heard) for request in requests]
        for question, given in zip(questions, found, strict=True):
            self.purse.note(given, question.after)
        return [answer_of(question, given) for question, given in zip(questions, found, strict=True)]

    def request(self, question: Question) -> Request:
        """The question in the teacher's settings."""
        warm = {} if question.temperature is None else {"temperature": question.temperature}
        teacher = self.teacher.model_copy(update=warm)
        return teacher.request(("user", question.text), schema=question.schema, attempt=question.attempt)


def answer_of(question: Question, given: Response | Unanswered) -> Answer:
    """An answer from what the teacher's room hands over."""
    if isinstance(given, Unanswered):
        return Answer(question, given.key, "", given.reason)
    return Answer(question, given.key, given.text)


def numbered(texts: Iterable[str], schema: str, seen: Counter[str]) -> list[Question]:
    """Questions from texts; one that was drawn before, as `seen` counts, is asked as another attempt."""
    found = []
    for text in texts:
        found.append(Question(text, schema, seen[text]))
        seen[text] += 1
    return found


def begun(writer: str, asker: Asker, step: str, answer: Answer, **told: object) -> Provenance:
    """Who wrote a row, by its first answer. `told` goes into the recipe beside the steps.

    `wrote` in the recipe: the place, among the responses, of the one whose text the row is.
    """
    recipe = json.dumps({"steps": [step], "wrote": 0, **told}, sort_keys=True, ensure_ascii=False)
    question = answer.question
    return Provenance(writer, asker.teacher.model, content_id(question.text), [answer.key], question.attempt, recipe)


def continued(made: Provenance, step: str, answers: Sequence[Answer], **told: object) -> Provenance:
    """The same with further answers that led to the row, each once; what nobody answered led nowhere."""
    heard = [answer.key for answer in answers if not answer.missing and answer.key not in made.responses]
    recipe = json.loads(made.recipe)
    recipe |= {"steps": recipe["steps"] + [step] * len(heard), **told}
    text = json.dumps(recipe, sort_keys=True, ensure_ascii=False)
    return replace(made, responses=[*made.responses, *heard], recipe=text)


def rewritten(made: Provenance) -> Provenance:
    """The provenance of a row whose text is that of the last answer."""
    return continued(made, "", [], wrote=len(made.responses) - 1)


def author_of(made: Provenance) -> str:
    """The key of the answer whose text a row is."""
    return made.responses[int(json.loads(made.recipe)["wrote"])]


def about(brief: Brief) -> dict[str, str]:
    """For whom and how a row was written, for its recipe."""
    return {"audience": brief.audience, "profession": brief.profession, "style": brief.style, "word": brief.word}
