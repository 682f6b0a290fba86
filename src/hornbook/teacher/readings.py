"""The packaged readers: educational-value labels given by reading files one by one (docs/classifier.md says by whom).

`readings.jsonl` holds no text of anybody's file, only (distribution, path, file sha256, version, score, reason). The
text is read from the user's own installation and recognised by its digest; a file of another version is simply not
known. Files of the reserved half of the standard library are never in it (see `reserved`).
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from functools import cache
from importlib import resources
from typing import Any

from hornbook.errors import MissingResponse
from hornbook.records import Document
from hornbook.teacher.request import Request


def reserved(path: str) -> bool:
    """Whether a standard-library file (path relative to the library root) is kept for the hidden examination."""
    return hashlib.sha256(path.encode()).hexdigest()[0] in "01234567"


def text_digest(text: str) -> str:
    """What a reading is keyed by: the sha256 of the file's text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@cache
def readings_digest() -> str:
    """Which readings answer: part of the question, so that the store does not answer with those of another version."""
    return hashlib.sha256(resources.files("hornbook.teacher").joinpath("readings.jsonl").read_bytes()).hexdigest()


@cache
def readings() -> dict[str, list[dict[str, Any]]]:
    """File sha256 → the readings of that file, by different readers."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in resources.files("hornbook.teacher").joinpath("readings.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        found[row["sha256"]].append(row)
    return dict(found)


def twice_read() -> list[tuple[float, float]]:
    """Score pairs of the files that two readers scored independently."""
    return [(rows[0]["score"], rows[1]["score"]) for _, rows in sorted(readings().items()) if len(rows) == 2]


def as_read(document: Document) -> str:
    """What readings are found by: the document's text, or the digest of the text that cleaning has taken parts out of.

    The digest stands in the document's metadata (`original`): readers saw files as they are.
    """
    return str(json.loads(document.metadata).get("original") or document.text)


def readings_of(text: str) -> list[dict[str, Any]]:
    """The readings of a text, given itself or by its digest; empty where nobody has read it."""
    return readings().get(text_digest(text)) or readings().get(text) or []


class Readings:
    """Answers annotation requests (last message: the file's text or digest) with what readers found."""

    def knows(self, text: str) -> bool:
        """Whether somebody read this very text."""
        return bool(readings_of(text))

    def stratum(self, text: str) -> str:
        """How the file came to be read: `random` or `sought`."""
        return str(readings_of(text)[0]["stratum"])

    def answer(self, request: Request) -> dict[str, Any]:
        """A chat completion whose content is JSON: `reason` and `score`, the mean where two read the file."""
        rows = readings_of(request.messages[-1][1])
        if not rows:
            raise MissingResponse("nobody has read this text; annotate with a language model, or leave it out")
        score = sum(row["score"] for row in rows) / len(rows)
        content = json.dumps({"reason": " / ".join(row["reason"] for row in rows), "score": score})
        return {"choices": [{"message": {"role": "assistant", "content": content}}], "model": "hornbook-readers"}


def score_of(text: str) -> float | None:
    """What readers gave a text, itself or its digest, the mean where two did; None when nobody has read it."""
    rows = readings_of(text)
    return sum(row["score"] for row in rows) / len(rows) if rows else None
