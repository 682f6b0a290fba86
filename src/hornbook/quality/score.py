"""Educational value of every document, as an attribute apart from the documents: a new threshold rescores nothing."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa

from hornbook.artifacts import Ledger
from hornbook.config import Config, operational
from hornbook.progress import Meter
from hornbook.quality.classifier import FILE, Classifier, load
from hornbook.quality.embed import Embed, Embedder, Packaged, open_for
from hornbook.quality.machines import Single
from hornbook.records import read_table, write_table

CHUNK = 64
WORTH_SPREADING = 16  # chunks; starting processes costs seconds


class Score(Config):
    """`embedder`: that of the classifier; another is refused. `workers`: processes that embed; 0 embeds in this one.

    An embedder that runs a model embeds in this one, with threads of its own.
    """

    embedder: Embed = Embed()
    workers: int = operational(2, ge=0)


def score(config: Score, *, documents: Path, classifier: Path, out: Path, ledger: Ledger) -> None:
    """Write `scores/` (id, score), row-aligned with the documents.

    Raises InputError when the classifier was made for another embedder.
    """
    judge = load(classifier / FILE)
    write_scores(judge, open_for(judge.made_for, config.embedder), config.workers, documents, out, ledger)


def write_scores(
    judge: Classifier | Single, embedder: Embedder, workers: int, documents: Path, out: Path, ledger: Ledger
) -> None:
    """The same with a classifier and its embedder, both open."""
    table = read_table(documents, ["id", "text"])
    values = judge.predict(embed_all(table["text"].to_pylist(), workers, embedder))
    rounded = pa.array(np.round(values, 4), pa.float64())
    write_table(out / "scores", pa.table({"id": table["id"], "score": rounded}))
    ledger.rows_in = ledger.rows_out = table.num_rows
    ledger.figures = {"mean": round(float(values.mean()), 4), "at_least_3": int((values >= 3).sum())}


def embed_all(texts: Sequence[str], workers: int, embedder: Embedder = Packaged()) -> np.ndarray:
    """Embed texts in chunks over processes; the rows come back in order: float32 [text, width]."""
    chunks = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
    parts: list[np.ndarray] = []
    with Meter("score", len(texts), "files") as meter:
        for chunk, part in zip(chunks, spread(chunks, workers, embedder), strict=True):
            parts.append(part)
            meter.advance(len(chunk))
    return np.concatenate(parts) if parts else np.zeros((0, embedder.width), np.float32)


def spread(chunks: Sequence[Sequence[str]], workers: int, embedder: Embedder) -> Iterator[np.ndarray]:
    """Embed chunks here or in other processes, in order. Spawned, not forked: this process has threads."""
    if workers == 0 or len(chunks) < WORTH_SPREADING or not isinstance(embedder, Packaged):
        yield from map(embedder.embed, chunks)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=be_nice) as pool:
        yield from pool.map(embedder.embed, chunks)


def be_nice() -> None:
    """Keep each embedding process to one thread."""
    os.environ["OMP_NUM_THREADS"] = "1"
