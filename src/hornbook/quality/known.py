"""The labels that ship with hornbook, for the documents that somebody read."""

from __future__ import annotations

from pathlib import Path

from hornbook.artifacts import Ledger
from hornbook.quality.agreement import auc, compared
from hornbook.records import Annotation, Document, Rejected, read_dataset, write_dataset
from hornbook.teacher.ask import Response, Teacher, consult
from hornbook.teacher.readings import Readings, as_read, readings_digest, twice_read
from hornbook.teacher.schema import answer_in


def take_readings(teacher: Teacher, documents: Path, responses: Path, out: Path, ledger: Ledger) -> None:
    """Write `annotations/` for all documents that the packaged readers know, and an empty `rejected/`."""
    provider = Readings()
    chosen = [document for document in read_dataset(documents, Document) if provider.knows(as_read(document))]
    requests = [teacher.request(("user", as_read(document)), schema=readings_digest()) for document in chosen]
    labels = []
    for document, answer in zip(chosen, consult(teacher, requests, responses, "annotate"), strict=True):
        assert isinstance(answer, Response)
        found = answer_in(answer.text)
        about = (provider.stratum(as_read(document)), document.source, document.path)
        labels.append(Annotation(document.id, float(found["score"]), found["reason"], teacher.model, *about))
    ledger.rows_in = ledger.rows_out = write_dataset(out / "annotations", labels, Annotation)
    write_dataset(out / "rejected", [], Rejected)
    pairs = twice_read()
    useful = auc([first for first, _ in pairs], [second for _, second in pairs])
    ledger.figures["readers_agreement"] = compared(pairs) | {"auc_at_3": useful}
