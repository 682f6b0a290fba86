"""Compiled training gives the same weights every time, on the same machine and thread count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hornbook.artifacts import Ledger, digest_file, write_json
from hornbook.model.presets import Model
from hornbook.training.pretrain import Pretrain, pretrain


@pytest.mark.slow
def test_two_compiled_trainings_end_in_the_same_bytes(tmp_path: Path, tokenizer: Path) -> None:
    tokens = np.random.default_rng(0).integers(0, 200, 40_960).astype("<u2")
    pack = tmp_path / "pack"
    pack.mkdir()
    tokens.tofile(pack / "tokens.bin")
    write_json(pack / "pack.json", {"dtype": "<u2", "tokens": len(tokens), "context": 256})
    config = Pretrain(tokens=40_960, batch_sequences=8, learning_rate=3e-3, model=Model(preset="phi-laptop"))
    made = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        pretrain(config, pack=pack, tokenizer=tokenizer, out=tmp_path / name, ledger=Ledger())
        made.append(digest_file(tmp_path / name / "model.safetensors"))
    assert made[0] == made[1]
