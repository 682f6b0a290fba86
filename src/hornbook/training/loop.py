"""The training loop: next-token loss, AdamW, warmup then decay, exact resume.

Batches are a function of (seed, step) alone, so a run resumed from a checkpoint sees what the unbroken run would have
seen, and the weights come out the same to the last bit on the same device and thread count.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from pydantic import Field

from hornbook.artifacts import Ledger, append_jsonl
from hornbook.config import Config, operational
from hornbook.errors import InputError
from hornbook.progress import Meter
from hornbook.tokens.pack import open_pack

if TYPE_CHECKING:
    import torch
    from transformers import PhiForCausalLM

CHECKPOINT = "checkpoint.pt"
PART = CHECKPOINT + ".part"


class Optimization(Config):
    """How to train. Defaults are phi-1's where the paper gives them (§2.3); betas, eps and clipping are not published.

    `tokens`: how many to train on in all; the pack is repeated if it holds fewer. `schedule`: `linear` decays to zero
    after warmup (phi-1), `constant` does not decay (phi-1.5). `device` `auto` takes a GPU when there is one.
    """

    tokens: int = Field(gt=0)
    batch_sequences: int = Field(16, gt=0)
    learning_rate: float = Field(1e-3, gt=0)
    warmup_steps: int = Field(50, ge=0)
    schedule: Literal["linear", "constant"] = "linear"
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    clip_norm: float = 1.0
    seed: int = Field(0, ge=0)
    threads: int = Field(2, gt=0)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["no", "bf16", "fp16"] = "no"
    compile: bool = True
    checkpoint_seconds: float = operational(30.0)

    def steps(self, context: int) -> int:
        """Whole batches in `tokens`, at least one."""
        return max(1, self.tokens // (self.batch_sequences * context))


def rate_at(step: int, config: Optimization, steps: int) -> float:
    """Learning rate of a step (counted from 0): linear warmup, then linear decay to zero, or constant.

    With warmup_steps=2, steps=6, learning_rate=1.0 and the linear schedule: 0.5, 1, 1, .75, .5, .25.
    """
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    if config.schedule == "constant":
        return config.learning_rate
    return config.learning_rate * (steps - step) / max(1, steps - config.warmup_steps)


def batches(pack: Path, config: Optimization, first_step: int, steps: int) -> Iterator[np.ndarray]:
    """Yield int64 batches [batch_sequences, context], sequences shuffled anew each epoch."""
    sequences, _ = open_pack(pack)
    count, size = len(sequences), config.batch_sequences
    order: tuple[int, np.ndarray] | None = None
    for step in range(first_step, steps):
        rows = []
        for position in range(step * size, (step + 1) * size):
            epoch, place = divmod(position, count)
            if order is None or order[0] != epoch:
                order = epoch, np.random.default_rng((config.seed, epoch)).permutation(count)
            rows.append(sequences[order[1][place]])
        yield np.stack(rows).astype(np.int64)


def train(
    make_model: Callable[[], PhiForCausalLM],
    config: Optimization,
    *,
    pack: Path,
    tokenizer: Path,
    out: Path,
    ledger: Ledger,
    label: str,
) -> None:
    """Train and write a model folder that `AutoModelForCausalLM.from_pretrained` loads, with `loss.jsonl` beside it.

    A checkpoint in `out` is resumed from. Raises InputError when the pack's context exceeds the model's.
    """
    import torch
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    torch.set_num_threads(config.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)  # compiled embeddings else add gradients in any order
    torch.manual_seed(config.seed)
    model = make_model()
    sequences, context = open_pack(pack)
    if context > model.config.max_position_embeddings:
        raise InputError(
            f"pack context {context} exceeds the model's {model.config.max_position_embeddings}; lower pack's `context`"
        )
    steps = config.steps(context)
    AcceleratorState._reset_state()  # it is the process's; the arm before may have had another precision
    accelerator = Accelerator(cpu=device_of(config) == "cpu", mixed_precision=config.precision)
    if accelerator.device.type != device_of(config):
        raise InputError(f"device {device_of(config)!r} was asked for and {accelerator.device.type!r} is what there is")
    optimizer = make_optimizer(model, config)
    first_step = resume(out, model, optimizer, accelerator.scaler)
    model, optimizer = accelerator.prepare(model, optimizer)
    forward = torch.compile(model) if compiles(config) else model
    with Meter(label, steps * config.batch_sequences * context, "tokens") as meter:
        meter.start_at(first_step * config.batch_sequences * context)
        saver = Saver(out, config.checkpoint_seconds, accelerator.scaler)
        for step, batch in enumerate(batches(pack, config, first_step, steps), first_step):
            for group in optimizer.param_groups:
                group["lr"] = rate_at(step, config, steps)
            ids = torch.from_numpy(batch).to(accelerator.device)
            loss = forward(input_ids=ids, labels=ids).loss
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), config.clip_norm)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            append_jsonl(
                out / "loss.jsonl", {"step": step, "loss": round(loss.item(), 6), "tokens": (step + 1) * ids.numel()}
            )
            meter.advance(ids.numel(), f"loss {loss.item():.3f}")
            saver.maybe(step + 1, model, optimizer)
    finish(out, accelerator.unwrap_model(model), tokenizer)
    summarize(out, ledger, steps * config.batch_sequences * context, len(sequences) * context)


def make_optimizer(model: PhiForCausalLM, config: Optimization) -> torch.optim.Optimizer:
    """AdamW that decays matrices only: not biases, not layer norms."""
    import torch

    matrices = [p for p in model.parameters() if p.dim() >= 2]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, eps=config.eps, fused=True)


class Placed(Protocol):
    """A config that says where to compute."""

    @property
    def device(self) -> str:
        """`auto`, `cpu` or `cuda`."""


def device_of(config: Placed) -> str:
    """`cuda` or `cpu`: what `auto` means here. Asks the system, not torch, so that a cached run stays instant."""
    if config.device != "auto":
        return config.device
    driver = Path("/dev/nvidiactl").exists() and os.environ.get("CUDA_VISIBLE_DEVICES") != ""
    return "cuda" if driver and not importlib.metadata.version("torch").endswith("+cpu") else "cpu"


def compiles(config: Optimization) -> bool:
    """Whether training is compiled: asked for, and on a CPU a C++ compiler is there."""
    return config.compile and (shutil.which("g++") is not None or shutil.which("clang++") is not None)


def training_facts(config: Optimization) -> dict[str, str]:
    """What shapes the weights besides the config: enters the artifact's key."""
    execution = "compiled" if compiles(config) else "eager"
    return {"device": device_of(config), "execution": execution}


class Saver:
    """Writes a checkpoint every so many seconds: model, optimizer, loss scale (fp16 has one), step, random states."""

    def __init__(self, out: Path, every_seconds: float, scaler: torch.amp.GradScaler | None = None) -> None:
        self.out, self.every, self.scaler = out, every_seconds, scaler
        self.last = time.monotonic()

    def maybe(self, step: int, model: PhiForCausalLM, optimizer: Any) -> None:
        """Save if it is time to."""
        if time.monotonic() - self.last >= self.every:
            save_checkpoint(self.out, step, model, optimizer, self.scaler)
            self.last = time.monotonic()


def save_checkpoint(
    out: Path, step: int, model: PhiForCausalLM, optimizer: Any, scaler: torch.amp.GradScaler | None = None
) -> None:
    """Write the checkpoint beside, then rename: a kill leaves the old one or the new one."""
    import torch

    state = {
        "step": step,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scaler": scaler.state_dict() if scaler else {},
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    torch.save(state, out / PART)
    os.replace(out / PART, out / CHECKPOINT)


def resume(
    out: Path,
    model: PhiForCausalLM,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler | None = None,
) -> int:
    """Load the checkpoint if there is one, cut the loss log back to it, and return the step to go on from."""
    import torch

    log, step = out / "loss.jsonl", 0
    if (out / CHECKPOINT).exists():
        state = torch.load(out / CHECKPOINT, weights_only=True, map_location="cpu")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        if scaler:
            scaler.load_state_dict(state["scaler"])
        torch.set_rng_state(state["random"])
        torch.cuda.set_rng_state_all(state["random_cuda"])
        step = int(state["step"])
    lines = log.read_text("utf-8").splitlines(keepends=True)[:step] if log.exists() else []
    log.write_text("".join(lines), "utf-8")
    return step


def finish(out: Path, model: PhiForCausalLM, tokenizer: Path) -> None:
    """Write the model folder and drop the checkpoint, and what a kill left of one half written."""
    from hornbook.tokens.tokenizer import load_tokenizer

    model.save_pretrained(out)
    load_tokenizer(tokenizer).save_pretrained(out)
    for name in (CHECKPOINT, PART):
        (out / name).unlink(missing_ok=True)


def summarize(out: Path, ledger: Ledger, trained_tokens: int, pack_tokens: int) -> None:
    """Put tokens, epochs and the mean loss of the last tenth of the steps into the ledger."""
    losses = [json.loads(line)["loss"] for line in (out / "loss.jsonl").read_text("utf-8").splitlines()]
    tail = losses[-max(1, len(losses) // 10) :]
    ledger.tokens = trained_tokens
    ledger.rows_in = ledger.rows_out = len(losses)
    ledger.figures = {
        "steps": len(losses),
        "first_loss": losses[0],
        "last_loss": round(sum(tail) / len(tail), 4),
        "epochs": round(trained_tokens / pack_tokens, 3),
    }
