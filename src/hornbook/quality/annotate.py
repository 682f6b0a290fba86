"""Educational-value labels for a sample of the corpus, asked of a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from hornbook.artifacts import Ledger
from hornbook.config import Config
from hornbook.quality.agreement import spearman
from hornbook.records import Annotation, Document, Rejected, read_dataset, scatter, write_dataset
from hornbook.teacher.ask import REASONS, Provider, Replay, Request, Response, Teacher, Unanswered, consult
from hornbook.teacher.money import account
from hornbook.teacher.readings import Readings, as_read, readings_digest, twice_read
from hornbook.teacher.schema import answer_in

RUBRIC = """You judge Python files by their educational value for a student who wants to learn basic coding concepts.
Give one whole number:
0 - nothing to learn: boilerplate, generated text, data tables, bare re-exports.
1 - valid code, but plumbing or glue that means nothing without the project around it.
2 - some real logic, buried in project-specific or poorly explained code.
3 - useful: meaningful logic that a student can follow in part, with some general concept.
4 - very good: largely self-contained, clear, documented, showing a general concept or algorithm.
5 - outstanding: a teacher would hand it to students.
Think about the file first. Answer with JSON: {"reason": "<one sentence about this file>", "score": <0-5>}."""
LABEL = {"type": "object", "required": ["reason", "score"]}  # what of an answer is read


class Annotate(Config):
    """Who annotates, and how many documents. With the packaged readings, all documents that somebody read are taken.

    The question is phi-1's (§2.1); the scale is ours, since the paper does not publish one.
    """

    teacher: Teacher = Teacher()
    n: int = Field(1000, gt=0)
    max_characters: int = 12_000
    seed: int = Field(0, ge=0)


def annotate(config: Annotate, *, documents: Path, responses: Path, out: Path, ledger: Ledger) -> None:
    """Write `annotations/` and `rejected/` (answers that could not be read as a label)."""
    rows = list(read_dataset(documents, Document))
    provider: Provider = Readings() if config.teacher.provider == "readings" else Replay()
    chosen = choose(config, rows, provider)
    answers = consult(config.teacher, [request_for(config, document) for document in chosen], responses, "annotate")
    labels = [
        read_label(document, answer, config.teacher.model, provider)
        for document, answer in zip(chosen, answers, strict=True)
    ]
    rejected = [label for label in labels if isinstance(label, Rejected)]
    ledger.rows_in = len(chosen)
    ledger.rows_out = write_dataset(out / "annotations", [x for x in labels if isinstance(x, Annotation)], Annotation)
    write_dataset(out / "rejected", rejected, Rejected)
    ledger.rejected.update(row.reason for row in rejected)
    if not isinstance(provider, Readings):
        pairs_kept = zip(answers, labels, strict=True)
        account(ledger, config.teacher, answers, {a.key for a, label in pairs_kept if isinstance(label, Annotation)})
    else:
        pairs = twice_read()
        agreement = spearman([a for a, _ in pairs], [b for _, b in pairs])
        ledger.figures["readers_agreement"] = {"files": len(pairs), "spearman": agreement}


def choose(config: Annotate, documents: Sequence[Document], provider: Provider) -> list[Document]:
    """The documents to annotate: those already read, or `n` drawn by the seed."""
    if isinstance(provider, Readings):
        return [document for document in documents if provider.knows(as_read(document))]
    return sorted(documents, key=lambda d: scatter(config.seed, d.id))[: config.n]


def request_for(config: Annotate, document: Document) -> Request:
    """The question about one document. Readers saw files whole; a language model sees the first `max_characters`."""
    teacher = config.teacher
    text = as_read(document) if teacher.provider == "readings" else document.text[: config.max_characters]
    schema = readings_digest() if teacher.provider == "readings" else ""
    return teacher.request(("system", RUBRIC), ("user", text), schema=schema)


def read_label(
    document: Document, answer: Response | Unanswered, model: str, provider: Provider
) -> Annotation | Rejected:
    """The label in an answer, or a reject that says what was wrong with it."""
    if isinstance(answer, Unanswered) and answer.reason != "empty":
        return Rejected(document.id, "annotate", "no-answer", f"{answer.reason}: {REASONS[answer.reason]}", "")
    said = answer.text if isinstance(answer, Response) else ""
    try:
        found = answer_in(said, LABEL)
        score, reason = float(found["score"]), str(found["reason"])
        reason.encode()  # half of a surrogate pair cannot be written
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return Rejected(document.id, "annotate", "unreadable-answer", "no JSON with reason and score", said[:200])
    if not 0 <= score <= 5:
        return Rejected(document.id, "annotate", "score-out-of-range", f"{score} is not within 0-5", said[:200])
    stratum = provider.stratum(as_read(document)) if isinstance(provider, Readings) else "random"
    return Annotation(document.id, score, reason, model, stratum, document.source, document.path)
