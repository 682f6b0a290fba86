"""Keep the most educational part of the corpus: a share, all from a score on, or what a proxy training decided."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from hornbook.artifacts import Ledger, read_json
from hornbook.config import Config
from hornbook.errors import InputError
from hornbook.records import Rejected, read_table, write_dataset, write_table

DECISION = "decision.json"  # what a proxy training writes


class Select(Config):
    """`share`: of the documents, the best-scored share is kept; or everything at or above `at_least`, when given.

    `proxy`: or what the recipe's proxy training decides, whatever the other two say.
    """

    share: float = Field(0.2, gt=0, le=1)
    at_least: float | None = None
    proxy: bool = False


def select(
    config: Select, *, documents: Path, scores: Path, out: Path, ledger: Ledger, decision: Path | None = None
) -> None:
    """Write `documents/` (kept, as they were) and `rejected/` (reason `below-cut`, the score in detail).

    `decision`: the folder with a proxy training's, which goes before the config. Raises InputError when a document has
    no score.
    """
    if decision is not None:
        config = Select.model_validate(read_json(decision / DECISION)["select"])
    table = read_table(documents)
    values = scores_of(table, scores)
    cut = config.at_least if config.at_least is not None else cut_for(values, config.share)
    kept = keep(values, cut, ledger)
    write_table(out / "documents", table.filter(pa.array(kept)))
    write_rejected(out, table.filter(pa.array(~kept)), values[~kept], cut)
    ledger.rows_in, ledger.rows_out = len(values), int(kept.sum())
    ledger.rejected["below-cut"] = int((~kept).sum())
    ledger.figures = {"cut": round(float(cut), 4), "share": round(float(kept.mean()), 4)}


def scores_of(documents: pa.Table, scores: Path) -> np.ndarray:
    """The score of each document: float64 [document]. Raises InputError when one has none."""
    known = read_table(scores, ["id", "score"])
    places = pc.index_in(documents["id"], value_set=known["id"].combine_chunks())
    if places.null_count:
        raise InputError(f"{scores}: {places.null_count} documents have no score; score this very dataset first")
    values: np.ndarray = known["score"].take(places).to_numpy()
    return values


def cut_for(values: np.ndarray, share: float) -> float:
    """The score at or above which about `share` of the values stand; at least one is kept.

    >>> cut_for(np.array([1.0, 2.0, 3.0, 4.0]), 0.5)
    3.0
    """
    if not len(values):
        raise InputError("the corpus is empty; nothing to select from")
    return float(np.sort(values)[::-1][max(0, round(share * len(values)) - 1)])


def keep(values: np.ndarray, cut: float, ledger: Ledger) -> np.ndarray:
    """Which values stand at or above the cut. Two canaries, just above and just below, are judged among them."""
    planted = np.concatenate([values, [cut + 1e-6, cut - 1e-6]])
    kept = planted >= cut
    ledger.canary("select/above-cut", threshold=round(cut, 4), expected=True, caught=bool(kept[-2]))
    ledger.canary("select/below-cut", threshold=round(cut, 4), expected=False, caught=bool(kept[-1]))
    return kept[:-2]


def write_rejected(out: Path, table: pa.Table, values: np.ndarray, cut: float) -> None:
    """One row a dropped document, with its score."""
    starts = pc.utf8_slice_codeunits(table["text"], 0, 200)
    rows = zip(table["id"].to_pylist(), values.tolist(), starts.to_pylist(), strict=True)
    write_dataset(
        out / "rejected",
        (Rejected(row_id, "select", "below-cut", f"score {v:.4f} < {cut:.4f}", text) for row_id, v, text in rows),
        Rejected,
    )
