"""Score a person's own files with a ready classifier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hornbook.corpus.reading import read_document
from hornbook.errors import InputError
from hornbook.quality.classifier import FILE, Classifier, load, packaged
from hornbook.quality.embed import Embedder, open_for
from hornbook.quality.machines import Single
from hornbook.quality.why import why, why_parts
from hornbook.records import Rejected

CHUNK = 256


def score_files(
    paths: Iterable[Path], classifier: Path | None, reasons: bool, model: str | None = None
) -> dict[str, Any]:
    """Scores 0-5 of files, and of the .py files within folders; what cannot be read is listed with its reason.

    `classifier`: its file, or the folder that holds it. `model`: where the model of its embedder now is.
    Raises InputError when a path does not exist or there is nothing to score.
    """
    judge, embedder = judge_for(classifier, model)
    files = list(python_files(paths))
    scored: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    for start in range(0, len(files), CHUNK):
        read = [(path, read_document(path)) for path in files[start : start + CHUNK]]
        rejected += [
            {"path": str(path), "reason": row.reason, "detail": row.detail}
            for path, row in read
            if isinstance(row, Rejected)
        ]
        texts = [(path, row.text) for path, row in read if not isinstance(row, Rejected)]
        values = judge.predict(embedder.embed([text for _, text in texts]))
        for (path, text), value in zip(texts, values, strict=True):
            entry: dict[str, Any] = {"path": str(path), "score": round(float(value), 4)}
            if reasons:
                found = why(judge, text) if isinstance(judge, Classifier) else why_parts(judge, embedder, text)
                entry["why"] = [{"feature": name, "points": round(push, 4)} for name, push in found]
            scored.append(entry)
    return {"files": scored, "rejected": rejected}


def judge_for(classifier: Path | None, model: str | None) -> tuple[Classifier | Single, Embedder]:
    """A ready classifier, the packaged one when none is named, and the embedder that it was made for."""
    judge = load(classifier / FILE if classifier.is_dir() else classifier) if classifier else packaged()
    settings, digest = judge.made_for
    if model is not None and settings.kind == "packaged":
        raise InputError(f"--model {model}: the classifier was made for the packaged embedder; leave it out")
    return judge, open_for((settings, digest), settings.model_copy(update={"model": model}) if model else None)


def python_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and every .py file below the folders named, in path order. Links to folders are not followed."""
    for path in paths:
        if path.is_dir():
            found = sorted(item for item in path.rglob("*.py") if item.is_file())
            if not found:
                raise InputError(f"{path}: no .py file in this folder")
            yield from found
        elif path.exists():
            yield path
        else:
            raise InputError(f"{path}: no such file or folder")
