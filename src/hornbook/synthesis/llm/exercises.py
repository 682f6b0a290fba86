"""Exercises by a language model: signature and docstring → solution and tests → mutants → votes.

phi-1 §2.2 constrains the function's name, so that exercises differ. phi-4 §2.2 asks for several independent answers and
drops the questions that all answer alike, which are too easy, and those without a majority. There answers are compared
as text; here they are run: two answers agree when each passes the other's tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from pydantic import Field

from hornbook.config import Config
from hornbook.records import Exercise, Rejected, content_id
from hornbook.synthesis.llm import prompts
from hornbook.synthesis.llm.asking import Answer, Asker, Question, Round, about, begun, continued, numbered
from hornbook.synthesis.llm.reading import Unfit, contains, defines_check, parts_of
from hornbook.synthesis.llm.screen import Ballot, Bench, reject
from hornbook.synthesis.topics import Brief, Passage


class Drills(Config):
    """What an exercise must bear.

    `answers`: how many solutions with tests of their own vote on each, the writer's included; 1 holds no vote.
    `temperature` is that of the others, since a cold model gives one answer over and over. `drop_easy` drops what all
    agree on, `drop_inconsistent` what no majority agrees on; for beginners' exercises and a strong teacher, leave the
    easy ones in.
    """

    answers: int = Field(3, ge=1)
    temperature: float = Field(0.8, gt=0)
    drop_easy: bool = True
    drop_inconsistent: bool = True


@dataclass
class Names:
    """The ledger of functions' names: each is given once, for good, whatever becomes of the exercise."""

    taken: set[str] = field(default_factory=set)

    def claim(self, name: str) -> None:
        """Take a name. Raises Unfit when it is taken."""
        if name in self.taken:
            raise Unfit("name-reused", f"the name {name} is taken")
        self.taken.add(name)


@dataclass
class ExerciseWriter:
    """Writes exercises round by round. `names`: those taken by earlier writing; `passages` by id."""

    config: Drills
    asker: Asker
    bench: Bench
    names: Names = field(default_factory=Names)
    passages: dict[str, Passage] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)

    def write(self, briefs: Sequence[Brief]) -> Iterator[Round[Exercise]]:
        """What became of the briefs, a round at a time; all questions are drawn before the first is asked."""
        questions = numbered((self.question(brief) for brief in briefs), prompts.EXERCISE_SCHEMA, Counter())
        for part in self.asker.rounds(len(briefs), "exercises"):
            answers = self.asker.ask(questions[part], "exercises")
            yield self.screen(list(zip(briefs[part], answers, strict=True)))

    def question(self, brief: Brief) -> str:
        """The words of the first question."""
        passage = self.passages.get(brief.passage)
        return prompts.EXERCISE.format(
            subjects=brief.subjects,
            audience=brief.audience,
            profession=brief.profession,
            word=brief.word,
            passage=prompts.passage_note(passage.text if passage else ""),
        )

    def screen(self, answered: Sequence[tuple[Brief, Answer]]) -> Round[Exercise]:
        """Read, run, mutate and vote; each step sees what the one before let through."""
        read = [self.attempt(brief, answer) for brief, answer in answered]
        rejected = [row for row in read if isinstance(row, Rejected)]
        kept = [row for row in read if isinstance(row, Exercise)]
        for step in (self.bench.passing, self.bench.telling, self.vote):
            screened = step(kept)
            kept, rejected = screened.kept, rejected + screened.rejected
        return Round(kept, rejected)

    def attempt(self, brief: Brief, answer: Answer) -> Exercise | Rejected:
        """The answer as an exercise, or a refusal that says why it is none."""
        try:
            return self.read(brief, answer)
        except Unfit as unfit:
            return answer.refusal(unfit)

    def read(self, brief: Brief, answer: Answer) -> Exercise:
        """The answer as an exercise. Raises Unfit."""
        found = answer.json()
        parts, tests = parts_of(found["code"], brief.word), found["tests"]
        defines_check(tests)
        told = " ".join(parts.docstring.split())
        if told in self.texts:
            raise Unfit("duplicate", "the docstring was written before")
        if not contains(parts.name, brief.word):
            raise Unfit("name-not-as-asked", f"{parts.name} does not contain {brief.word}")
        self.names.claim(parts.name)
        self.texts.add(told)
        passage = self.passages.get(brief.passage)
        return Exercise(
            id=content_id(parts.prompt, parts.solution),
            name=parts.name,
            prompt=parts.prompt,
            solution=parts.solution,
            tests=tests,
            topic=brief.topic,
            license=list(passage.license) if passage else [],
            parents=[passage.id] if passage else [],
            provenance=begun("llm", self.asker, "write", answer, **about(brief)),
        )

    def vote(self, exercises: Sequence[Exercise]) -> Round[Exercise]:
        """Independent answers vote on each exercise."""
        if self.config.answers == 1:
            return Round(list(exercises), [])
        each = self.config.answers - 1
        asked = self.asker.ask([self.answer(e, n + 1) for e in exercises for n in range(each)], "votes")
        heard = [[a for a in asked[n * each : (n + 1) * each] if not a.missing] for n in range(len(exercises))]
        elections = [(e.name, list(ballots(e, answers))) for e, answers in zip(exercises, heard, strict=True)]
        screened: Round[Exercise] = Round([], [])
        for exercise, answers, circles in zip(exercises, heard, self.bench.agreement(elections), strict=True):
            votes = continued(exercise.provenance, "vote", answers, agree=len(circles[0]), voters=len(circles))
            row = replace(exercise, provenance=votes)
            if told := self.verdict(circles):
                screened.rejected.append(reject(row, *told))
            else:
                screened.kept.append(row)
        return screened

    def answer(self, exercise: Exercise, number: int) -> Question:
        """The question for one more answer to an exercise."""
        text = prompts.ANSWER.format(rule=prompts.RULE, prompt=exercise.prompt)
        first = exercise.provenance.responses[0]
        return Question(text, prompts.EXERCISE_SCHEMA, number, self.config.temperature, first)

    def verdict(self, circles: Sequence[set[int]]) -> tuple[str, str] | None:
        """Why an exercise falls: (reason, detail). A circle is who agrees with an answer; the first is the writer's."""
        voters, own, largest = len(circles), len(circles[0]), max(map(len, circles))
        told = f"{own} of {voters} answers agree with the writer's"
        if voters == 1:
            return "unanswered-votes", "nobody else answered"
        if own == voters:
            return ("too-easy", told) if self.config.drop_easy else None
        if not self.config.drop_inconsistent:
            return None
        if 2 * largest <= voters:
            return "inconsistent", told
        return ("outvoted", told) if own < largest else None


def ballots(exercise: Exercise, answers: Iterable[Answer]) -> Iterator[Ballot]:
    """The writer's own answer, then the others."""
    yield Ballot(exercise.prompt + exercise.solution, exercise.tests)
    for found in (answer.json() for answer in answers):
        yield Ballot(found["code"], found["tests"])
