"""What came of asking a model about documents: labels, or why there are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from hornbook.quality.rubrics import RUBRICS, Unfit, beginning
from hornbook.quality.sample import Drawn
from hornbook.records import Annotation, Record, Rejected
from hornbook.teacher.ask import REASONS, Response, Unanswered

if TYPE_CHECKING:
    from hornbook.quality.annotate import Annotate

READABLE = ("schema", "empty")  # reasons for no answer after which there is a text to look at


@dataclass(frozen=True)
class Outcome:
    """Of a document asked about once or twice: the labels that could be read, and why others could not.

    `keys`: of the answers that gave a label. `faults`: each with what was said.
    """

    drawn: Drawn
    labels: list[tuple[float, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    faults: list[tuple[Unfit, str]] = field(default_factory=list)

    @property
    def score(self) -> float:
        """The mean of the labels."""
        return sum(score for score, _ in self.labels) / len(self.labels)

    @property
    def reason(self) -> str:
        """The reasons, one after another."""
        return " / ".join(reason for _, reason in self.labels)


@dataclass(frozen=True, slots=True)
class Checked(Record):
    """A file that the packaged readers know: what the model gave it (`score`), and what they did (`read`)."""

    id: str
    score: float
    read: float
    reason: str
    stratum: str
    source: str
    path: str

    schema = pa.schema(
        [
            ("id", pa.string()),
            ("score", pa.float64()),
            ("read", pa.float64()),
            *((name, pa.string()) for name in ("reason", "stratum", "source", "path")),
        ]
    )


def outcomes(config: Annotate, drawn: Sequence[Drawn], answers: Sequence[Response | Unanswered]) -> Iterator[Outcome]:
    """What came of each document, from the answers in the order of the requests."""
    heard = iter(answers)
    for one in drawn:
        outcome = Outcome(one)
        for _ in range(1 + one.twice):
            answer = next(heard)
            try:
                outcome.labels.append(read(config, answer))
                outcome.keys.append(answer.key)
            except Unfit as unfit:
                outcome.faults.append((unfit, said_in(answer)))
        yield outcome


def read(config: Annotate, answer: Response | Unanswered) -> tuple[float, str]:
    """Score and reason in an answer. Raises Unfit. What does not fit the schema is looked at all the same."""
    if isinstance(answer, Unanswered) and answer.reason not in READABLE:
        raise Unfit("no-answer", f"{answer.reason}: {REASONS[answer.reason]}")
    return RUBRICS[config.rubric].read(said_in(answer))


def said_in(answer: Response | Unanswered) -> str:
    """The text of an answer, usable or not."""
    return answer.text if isinstance(answer, Response) else answer.said


def annotation(config: Annotate, outcome: Outcome) -> Annotation:
    """The label of a document. Its reason says so if only the file's beginning was seen."""
    document, stratum = outcome.drawn.document, outcome.drawn.stratum
    shown, length = beginning(document.text, config.max_characters), len(document.text)
    cut = f" [the first {shown:,} of {length:,} characters were read]" if shown < length else ""
    model = config.teacher.model
    return Annotation(document.id, outcome.score, outcome.reason + cut, model, stratum, document.source, document.path)


def checked(config: Annotate, found: Sequence[Outcome]) -> Iterator[Checked]:
    """What the model and the packaged readers gave the files that both have read."""
    for outcome in found:
        if outcome.labels and outcome.drawn.read is not None:
            row = annotation(config, outcome)
            about = (row.reason, row.stratum, row.source, row.path)
            yield Checked(row.id, row.score, outcome.drawn.read, *about)


def reject(outcome: Outcome) -> Rejected:
    """A document without a label, with what was wrong with the first answer about it."""
    unfit, said = outcome.faults[0]
    return Rejected(outcome.drawn.document.id, "annotate", unfit.reason, str(unfit), said[:200])
