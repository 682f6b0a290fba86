"""Finetuning: a trained model goes on, on another pack, with all its weights."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hornbook.artifacts import Ledger
from hornbook.training.loop import Optimization, train

if TYPE_CHECKING:
    from transformers import PhiForCausalLM


class Finetune(Optimization):
    """How to go on. phi-1's own: batch 256, learning rate 1e-4, warmup 50, weight decay 0.01 (§2.3)."""

    learning_rate: float = 1e-4
    weight_decay: float = 0.01


def finetune(config: Finetune, *, base: Path, pack: Path, out: Path, ledger: Ledger) -> None:
    """Train the model in `base` on `pack` and write its folder to `out`. The base brings its tokenizer."""
    train(lambda: load_model(base), config, pack=pack, tokenizer=base, out=out, ledger=ledger, label="finetune")


def load_model(folder: Path) -> PhiForCausalLM:
    """The model in a folder, in training mode and float32 master weights."""
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).train()
