"""Educational-value labels for a sample of the corpus: those of the packaged readers, or asked of a language model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from hornbook.artifacts import Ledger
from hornbook.config import Config, operational
from hornbook.quality.agreement import compared, confusion
from hornbook.quality.answers import Checked, Outcome, annotation, checked, outcomes, reject
from hornbook.quality.known import take_readings
from hornbook.quality.rubrics import RUBRICS, Name, beginning, sheet
from hornbook.quality.sample import draw
from hornbook.records import Annotation, Document, Rejected, write_dataset
from hornbook.teacher.ask import Request, Teacher, consult
from hornbook.teacher.money import account


class Annotate(Config):
    """Who annotates, what is asked, and of how many documents; docs/annotation.md says more.

    With the packaged readings (`provider: readings`) all documents that somebody read are taken, and nothing else here
    matters. `n`: documents to label, of which the share `sought` is drawn evenly from bands of the scores that the
    packaged classifier expects, the rest at random. `second`: the share that is labelled twice; the label is the mean.
    `check`: as many files that the packaged readers know are asked about, too, to see how far the model agrees with
    them; never trained on. A model sees the whole lines within the first `max_characters` of a file.
    """

    teacher: Teacher = Teacher()
    rubric: Name = "phi1"
    n: int = Field(1000, gt=0)
    sought: float = Field(0.5, ge=0, le=1)
    second: float = Field(0.1, ge=0, le=1)
    check: int = Field(50, ge=0)
    max_characters: int = Field(12_000, gt=0)
    seed: int = Field(0, ge=0)
    workers: int = operational(2, ge=0)


def annotate(config: Annotate, *, documents: Path, responses: Path, out: Path, ledger: Ledger) -> None:
    """Write `annotations/`, `rejected/` (documents of whose answers none was a label) and, from a model, `check/`.

    Raises what `consult` raises; InputError for documents that cannot be read.
    """
    if config.teacher.provider == "readings":
        take_readings(config.teacher, documents, responses, out, ledger)
        return
    drawn = draw(config, documents)
    requests = [request_for(config, one.document, attempt) for one in drawn for attempt in range(1 + one.twice)]
    answers = consult(config.teacher, requests, responses, "annotate")
    found = list(outcomes(config, drawn, answers))
    sample = [one for one in found if one.drawn.stratum != "check"]
    labels = [annotation(config, one) for one in sample if one.labels]
    rejected = [reject(one) for one in sample if not one.labels]
    ledger.rows_in, ledger.rows_out = len(sample), write_dataset(out / "annotations", labels, Annotation)
    write_dataset(out / "rejected", rejected, Rejected)
    write_dataset(out / "check", checked(config, found), Checked)
    ledger.rejected.update(row.reason for row in rejected)
    ledger.figures = figures(config, found)
    account(ledger, config.teacher, answers, {key for one in found for key in one.keys})


def request_for(config: Annotate, document: Document, attempt: int = 0) -> Request:
    """The question about one document."""
    rubric, shown = RUBRICS[config.rubric], beginning(document.text, config.max_characters)
    messages = ("system", rubric.question), ("user", sheet(document.text, shown))
    return config.teacher.request(*messages, schema=rubric.schema, attempt=attempt)


def figures(config: Annotate, found: Sequence[Outcome]) -> dict[str, Any]:
    """What was asked, stratum by stratum, and how far the model agrees with itself and with the packaged readers."""
    cut = sum(beginning(one.drawn.document.text, config.max_characters) < len(one.drawn.document.text) for one in found)
    about: dict[str, Any] = {"rubric": config.rubric, "strata": strata(found), "cut": cut}
    if twice := sum(one.drawn.twice for one in found):
        pairs = [(one.labels[0][0], one.labels[1][0]) for one in found if len(one.labels) == 2]
        asked = {"who": "the model with itself", "asked": twice, "temperature": config.teacher.temperature}
        about["readers_agreement"] = asked | compared(pairs)
    known = [one for one in found if one.drawn.read is not None]
    if known:
        pairs = [(one.score, one.drawn.read) for one in known if one.labels and one.drawn.read is not None]
        about["with_packaged_readers"] = {"asked": len(known), **compared(pairs), "confusion": confusion(pairs)}
    return about


def strata(found: Sequence[Outcome]) -> dict[str, Any]:
    """Of each stratum: documents, those with a label, the labels' mean, and how many round to each whole score.

    Of what was sought also how many documents came from each band of expected scores.
    """
    about: dict[str, Any] = {}
    for name in sorted({one.drawn.stratum for one in found}):
        rows = [one for one in found if one.drawn.stratum == name]
        scores = [one.score for one in rows if one.labels]
        mean = round(sum(scores) / len(scores), 4) if scores else None
        about[name] = {"documents": len(rows), "labels": len(scores), "mean": mean, "scores": counts(scores)}
        if name == "sought":
            about[name]["bands"] = counts(one.drawn.band for one in rows if one.drawn.band is not None)
    return about


def counts(scores: Iterable[float]) -> list[int]:
    """How many round to each whole score, from 0 to 5."""
    seen = Counter(round(score) for score in scores)
    return [seen[score] for score in range(6)]
