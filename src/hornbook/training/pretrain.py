"""Pretraining: a fresh Phi model on a pack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hornbook.artifacts import Ledger
from hornbook.model.presets import Model, build
from hornbook.tokens.tokenizer import load_tokenizer
from hornbook.training.loop import Optimization, train

if TYPE_CHECKING:
    from transformers import PhiForCausalLM


class Pretrain(Optimization):
    """Which model, and how to train it. phi-1's own: learning rate 1e-3, warmup 750, weight decay 0.1 (§2.3)."""

    model: Model = Model()


def pretrain(config: Pretrain, *, pack: Path, tokenizer: Path, out: Path, ledger: Ledger) -> None:
    """Train a fresh model on `pack` and write its folder to `out`."""

    def fresh() -> PhiForCausalLM:
        vocabulary = load_tokenizer(tokenizer)
        assert vocabulary.eos_token_id is not None
        return build(config.model.resolve(), len(vocabulary), vocabulary.eos_token_id)

    train(fresh, config, pack=pack, tokenizer=tokenizer, out=out, ledger=ledger, label="pretrain")
