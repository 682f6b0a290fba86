"""The packaged embedder: a file of Python as its shape and its meaning, side by side, offline, without a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hornbook.quality.features import SHAPE, collector_off, shape
from hornbook.quality.meaning import DIRECTIONS, meaning

NAMES = SHAPE + tuple(f"direction {number}" for number in range(DIRECTIONS))


def embed(texts: Sequence[str]) -> np.ndarray:
    """Embeddings of many texts: float32 [text, len(NAMES)], shape before meaning."""
    with collector_off():
        rows = [np.concatenate([shape(text), meaning(text)]) for text in texts]
    return np.stack(rows) if rows else np.zeros((0, len(NAMES)), np.float32)
