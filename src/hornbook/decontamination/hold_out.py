"""Hold documents back from every selection, so that students can be judged on the best of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from hornbook.artifacts import Ledger
from hornbook.config import Config
from hornbook.decontamination.rows import read_rows
from hornbook.errors import InputError
from hornbook.quality.select import cut_for, scores_of
from hornbook.records import Rejected, content_id, read_table, scatter, write_dataset, write_table

STAGE = "hold_out"
PLACE_BYTES = 8  # of a hash, read as a number from 0 to 1
RANGE = float(256**PLACE_BYTES)


class HoldOut(Config):
    """`share`: of the documents, so many are held back, by the hash of their ids.

    `best`: of these, the best-scored share is the target, of which at most `documents` are kept, by hash.
    `without`: paths of rows (`id`, `text`) whose texts leave the corpus too, such as a target of one's own.
    """

    share: float = Field(0.05, gt=0, lt=1)
    best: float = Field(0.2, gt=0, le=1)
    documents: int = Field(150, ge=1)
    without: list[str] = []


def hold_out(config: HoldOut, *, documents: Path, scores: Path, out: Path, ledger: Ledger) -> None:
    """Write `documents/` (what may be trained on), `target/` and `rejected/`: every document that is not in the first.

    Its reason is `target`, `held-out` (by its hash, and not of the best) or `copy-of-target`. Raises InputError when a
    document has no score, or the hash holds none back or all.
    """
    table = read_table(documents)
    values = scores_of(table, scores)
    copies = copies_of(table, config.without)
    held = by_hash(table["id"].to_pylist(), config.share, ledger) & ~copies
    left = ~held & ~copies
    if not held.any() or not left.any():
        raise InputError(f"of {len(values)} documents {held.sum()} are held out; give another share, or more documents")
    target = best_of(table, values, held, config, ledger)
    reasons = {"target": target, "held-out": held & ~target, "copy-of-target": copies}
    write_table(out / "documents", table.filter(pa.array(left)))
    write_table(out / "target", table.filter(pa.array(target)))
    write_dataset(out / "rejected", rejects(table, values, reasons), Rejected)
    ledger.rows_in, ledger.rows_out = len(values), int(left.sum())
    ledger.rejected.update({reason: int(rows.sum()) for reason, rows in reasons.items() if rows.any()})


def by_hash(ids: Sequence[str], share: float, ledger: Ledger) -> np.ndarray:
    """Which ids fall into the held-out share: bool [document]. Two canaries stand just below and just above it."""
    places = np.array([place_of(row_id) for row_id in ids] + [share - 1e-9, share + 1e-9])
    held = places < share
    ledger.canary("hold_out/below-share", threshold=share, expected=True, caught=bool(held[-2]))
    ledger.canary("hold_out/above-share", threshold=share, expected=False, caught=bool(held[-1]))
    return np.asarray(held[:-2])


def place_of(row_id: str) -> float:
    """Where the hash of an id stands between 0 and 1, the same whatever else is in the corpus."""
    return int.from_bytes(scatter("held-out", row_id)[:PLACE_BYTES]) / RANGE


def best_of(table: pa.Table, values: np.ndarray, held: np.ndarray, config: HoldOut, ledger: Ledger) -> np.ndarray:
    """Which documents are the target: bool [document]. Two canaries stand just above and just below the cut."""
    cut = cut_for(values[held], config.best)
    planted = np.concatenate([np.where(held, values, -np.inf), [cut + 1e-6, cut - 1e-6]]) >= cut
    ledger.canary("hold_out/above-best", threshold=round(cut, 4), expected=True, caught=bool(planted[-2]))
    ledger.canary("hold_out/below-best", threshold=round(cut, 4), expected=False, caught=bool(planted[-1]))
    ids = table["id"].to_pylist()
    drawn = sorted(np.flatnonzero(planted[:-2]), key=lambda row: scatter("target", ids[row]))[: config.documents]
    ledger.figures["cut"] = round(cut, 4)
    return np.isin(np.arange(len(values)), drawn)


def copies_of(table: pa.Table, paths: Sequence[str]) -> np.ndarray:
    """Which documents have the very text of a row at one of these paths: bool [document]."""
    if not paths:
        return np.zeros(table.num_rows, bool)
    texts = {content_id(text) for path in paths for text in read_rows(Path(path)).texts()}
    return np.array([content_id(text) in texts for text in table["text"].to_pylist()], bool)


def rejects(table: pa.Table, values: np.ndarray, reasons: Mapping[str, np.ndarray]) -> Iterator[Rejected]:
    """One row for each document that is not trained on, with its score."""
    starts = pc.utf8_slice_codeunits(table["text"], 0, 200).to_pylist()
    ids = table["id"].to_pylist()
    for reason, rows in reasons.items():
        for row in np.flatnonzero(rows):
            yield Rejected(ids[row], STAGE, reason, f"score {values[row]:.4f}", starts[row])
