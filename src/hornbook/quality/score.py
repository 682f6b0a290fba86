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
from hornbook.quality.features import NAMES, SHAPE, embed
from hornbook.quality.forest import FILE, load
from hornbook.records import read_table, write_table

CHUNK = 64
WORTH_SPREADING = 16  # chunks; starting processes costs seconds


class Score(Config):
    """`workers`: processes that embed; 0 embeds in this one."""

    workers: int = operational(2, ge=0)


def score(config: Score, *, documents: Path, classifier: Path, out: Path, ledger: Ledger) -> None:
    """Write `scores/` (id, score), row-aligned with the documents."""
    table = read_table(documents, ["id", "text"])
    embeddings = embed_all(table["text"].to_pylist(), config.workers)
    values = predict(load(classifier / FILE), embeddings)
    rounded = pa.array(np.round(values, 4), pa.float64())
    write_table(out / "scores", pa.table({"id": table["id"], "score": rounded}))
    ledger.rows_in = ledger.rows_out = table.num_rows
    ledger.figures = {"mean": round(float(values.mean()), 4), "at_least_3": int((values >= 3).sum())}


def predict(forest: object, embeddings: np.ndarray) -> np.ndarray:
    """Scores 0-5, float64 [document]; summed over trees in one order whatever the number of cores."""
    return np.asarray(forest.predict(embeddings), np.float64) if len(embeddings) else np.zeros(0)  # type: ignore[attr-defined]


def embed_all(texts: Sequence[str], workers: int) -> np.ndarray:
    """Embed texts in chunks over processes; the rows come back in order."""
    chunks = [texts[start : start + CHUNK] for start in range(0, len(texts), CHUNK)]
    parts: list[np.ndarray] = []
    with Meter("score", len(texts), "files") as meter:
        for chunk, part in zip(chunks, spread(chunks, workers), strict=True):
            parts.append(part)
            meter.advance(len(chunk))
    return np.concatenate(parts) if parts else np.zeros((0, len(NAMES)), np.float32)


def spread(chunks: Sequence[Sequence[str]], workers: int) -> Iterator[np.ndarray]:
    """Embed chunks here or in other processes, in order. Spawned, not forked: this process has threads."""
    if workers == 0 or len(chunks) < WORTH_SPREADING:
        yield from map(embed, chunks)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=be_nice) as pool:
        yield from pool.map(embed, chunks)


def be_nice() -> None:
    """Keep each embedding process to one thread."""
    os.environ["OMP_NUM_THREADS"] = "1"


def why(forest: object, text: str, most: int = 5) -> list[tuple[str, float]]:
    """The shape features that moved a text's score most, each with its push in points.

    Each tree's path is walked and every split's change of mean is credited to its feature (Saabas' decomposition); the
    pushes and the forest's mean add up to the score.
    """
    row = embed([text])
    pushes = np.zeros(len(NAMES))
    for tree in forest.estimators_:  # type: ignore[attr-defined]
        pushes += tree_pushes(tree.tree_, row)
    pushes /= len(forest.estimators_)  # type: ignore[attr-defined]
    named = [(NAMES[place], float(pushes[place])) for place in range(len(SHAPE))]
    named.append(("vocabulary", float(pushes[len(SHAPE) :].sum())))
    return sorted(named, key=lambda item: -abs(item[1]))[:most]


def tree_pushes(tree: object, row: np.ndarray) -> np.ndarray:
    """One tree's credits: float64 [feature]."""
    pushes = np.zeros(len(NAMES))
    path = tree.decision_path(row).indices  # type: ignore[attr-defined]
    means = tree.value[path, 0, 0]  # type: ignore[attr-defined]
    np.add.at(pushes, tree.feature[path[:-1]], np.diff(means))  # type: ignore[attr-defined]
    return pushes
