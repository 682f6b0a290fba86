"""Documents that no selection may hold: by the hash of their ids, and the best-scored of them as a target."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from hornbook.artifacts import Ledger
from hornbook.decontamination import hold_out as room
from hornbook.decontamination.hold_out import HoldOut, hold_out
from hornbook.errors import CanaryError, InputError
from hornbook.records import Document, Rejected, read_dataset, read_table, write_dataset, write_table

IDS = [f"{n:03}" for n in range(40)]


def by_hand(row_id: str) -> float:
    """The first half of the hash of an id as a number from 0 to 1: 4 bytes are enough to order forty."""
    return int(hashlib.sha256(f"held-out\0{row_id}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF


HELD = [row_id for row_id in IDS if by_hand(row_id) < 0.25]


def held_out(folder: Path, **values: object) -> tuple[dict[str, list[str]], Ledger]:
    """Hold out of forty documents scored 0.0, 0.1 … 3.9; returns the ids of each part."""
    rows = [Document(row_id, f"x = {row_id}\n", "s", f"{row_id}.py") for row_id in IDS]
    write_dataset(folder / "documents", rows, Document)
    scores = {"id": IDS[::-1], "score": [n / 10 for n in range(40)][::-1]}  # in another order
    write_table(folder / "scores", pa.table(scores))
    ledger, out = Ledger(), folder / "out"
    config = HoldOut.model_validate({"share": 0.25, "best": 0.4, **values})
    hold_out(config, documents=folder / "documents", scores=folder / "scores", out=out, ledger=ledger)
    return {part: read_table(out / part)["id"].to_pylist() for part in ("documents", "target", "rejected")}, ledger


def test_the_hash_decides_and_not_the_place(tmp_path: Path) -> None:
    found, ledger = held_out(tmp_path)
    assert 5 <= len(HELD) <= 15
    assert found["documents"] == [row_id for row_id in IDS if row_id not in HELD]
    assert found["rejected"] == HELD
    assert (ledger.rows_in, ledger.rows_out) == (40, 40 - len(HELD))


def test_the_target_is_the_best_scored_of_those_held_out(tmp_path: Path) -> None:
    found, ledger = held_out(tmp_path)
    best = HELD[-round(0.4 * len(HELD)) :]  # scores rise with ids
    assert found["target"] == best
    reasons = {row.id: (row.reason, row.detail) for row in read_dataset(tmp_path / "out" / "rejected", Rejected)}
    assert reasons[best[-1]] == ("target", f"score {int(best[-1]) / 10:.4f}")
    assert reasons[HELD[0]] == ("held-out", f"score {int(HELD[0]) / 10:.4f}")
    assert ledger.rejected == {"target": len(best), "held-out": len(HELD) - len(best)}
    assert ledger.figures == {"cut": int(best[0]) / 10}


def test_of_a_large_target_some_are_drawn(tmp_path: Path) -> None:
    found, _ = held_out(tmp_path, best=1.0, documents=3)
    drawn = sorted(HELD, key=lambda row_id: hashlib.sha256(f"target\0{row_id}".encode()).digest())[:3]
    assert found["target"] == sorted(drawn)


def test_a_document_that_joins_the_corpus_moves_no_other(tmp_path: Path) -> None:
    for row_id in ("new", "000"):
        alone = room.by_hash([row_id], 0.25, Ledger())[0]
        assert room.by_hash([*IDS, row_id], 0.25, Ledger())[-1] == alone == (by_hand(row_id) < 0.25)


def test_texts_of_a_persons_own_target_leave_the_corpus(tmp_path: Path) -> None:
    copied, other = next(i for i in IDS if i not in HELD), HELD[-1]  # in no selection; and no target of ours either
    rows = [{"id": "mine", "text": f"x = {copied}\n"}, {"id": "more", "text": f"x = {other}\n"}]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found, ledger = held_out(tmp_path, without=[str(tmp_path / "mine.jsonl")])
    assert copied not in found["documents"]
    assert other not in found["target"]
    assert ledger.rejected["copy-of-target"] == 2
    assert sorted([*found["documents"], *found["rejected"]]) == IDS


@pytest.mark.parametrize(("share", "held"), [(0.0001, 0), (0.9999, 40)])
def test_a_share_that_leaves_one_side_empty_is_refused(tmp_path: Path, share: float, held: int) -> None:
    with pytest.raises(InputError, match=f"of 40 documents {held} are held out; give another share"):
        held_out(tmp_path, share=share)


def test_canaries_stand_on_both_sides_of_both_thresholds(tmp_path: Path) -> None:
    _, ledger = held_out(tmp_path)
    cut = ledger.figures["cut"]
    assert [(row["name"], row["threshold"], row["expected"], row["caught"]) for row in ledger.canaries] == [
        ("hold_out/below-share", 0.25, True, True),
        ("hold_out/above-share", 0.25, False, False),
        ("hold_out/above-best", cut, True, True),
        ("hold_out/below-best", cut, False, False),
    ]


def test_a_share_that_is_not_applied_fails_the_run() -> None:
    class Ignored(float):
        __array_priority__ = 1000

        def __gt__(self, other: object) -> bool:
            return True

        def __add__(self, other: float) -> float:
            return float(self) + other

        def __array_ufunc__(self, ufunc: np.ufunc, method: str, *given: object, **more: object) -> object:
            plain = [float(item) if isinstance(item, Ignored) else item for item in given]
            return getattr(ufunc, method)(*plain, **more) | True if ufunc is np.less else NotImplemented

    with pytest.raises(CanaryError, match="hold_out/above-share"):
        room.by_hash(IDS, Ignored(0.25), Ledger())


def test_a_document_without_a_score_is_refused(tmp_path: Path) -> None:
    held_out(tmp_path)
    write_table(tmp_path / "few", pa.table({"id": IDS[:38], "score": [1.0] * 38}))
    with pytest.raises(InputError, match="2 documents have no score"):
        hold_out(
            HoldOut(),
            documents=tmp_path / "documents",
            scores=tmp_path / "few",
            out=tmp_path / "again",
            ledger=Ledger(),
        )
