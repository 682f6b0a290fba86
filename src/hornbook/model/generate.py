"""Completing prompts, with token healing, stop strings and a key/value cache.

A byte-level BPE trained on whole programs merges the newline after a docstring with the indentation that follows, so a
prompt that ends in a newline is cut where training never cut. *Token healing* takes the prompt's last token back and
lets the model choose again among the tokens whose bytes agree with what was taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from hornbook.config import Config
from hornbook.model.load import LanguageModel

if TYPE_CHECKING:
    import torch


class Decoding(Config):
    """How to complete. `temperature` 0 is greedy. A completion ends before the first stop string it contains.

    The default stops are bigcode's for HumanEval (lm-eval's and "\\n@" and a closing fence).
    """

    max_new_tokens: int = Field(160, ge=1)
    temperature: float = Field(0.0, ge=0)
    top_p: float = Field(1.0, gt=0, le=1)
    stop: tuple[str, ...] = ("\nclass", "\ndef", "\n#", "\nif", "\nprint", "\n@", "\n```")
    heal: bool = True
    seed: int = Field(0, ge=0)


# Where a whole program (MBPP) ends: it may begin with imports, comments and helpers, so "\ndef" is no end.
WHOLE_PROGRAM_STOP = ("\nassert", "\nprint", "\nif __name__", '\n"""', "\n```")


@dataclass
class Row:
    """One prompt under completion. `pending`: bytes taken back by healing, still to be produced again."""

    prompt: list[int]
    pending: bytes
    produced: bytes = b""
    taken_back: int = 0
    done: bool = False


def heal(model: LanguageModel, prompt: str, enabled: bool = True) -> tuple[list[int], bytes]:
    """Token ids to feed, end-of-text first as in training, and the bytes taken back from the prompt's end.

    With a newline as the prompt's last token, the newline is taken back: `"\"\"\"\\n"` → (..., b"\\n").
    """
    ids = model.encode(prompt)
    if not enabled or not ids:
        return [model.end_of_text, *ids], b""
    return [model.end_of_text, *ids[:-1]], model.token_bytes[ids[-1]]


def agrees(token: bytes, pending: bytes) -> bool:
    """Whether a token may come next while `pending` must be produced: one is the beginning of the other."""
    return bool(token) and (token.startswith(pending) or pending.startswith(token))


def complete(model: LanguageModel, prompts: Sequence[str], config: Decoding) -> list[str]:
    """Complete a batch of prompts together; the texts do not repeat the prompts.

    A prompt that leaves too little room in the context loses its beginning, but keeps half the context. The result
    depends on the batch only through floating-point rounding; keep batches fixed where bytes must not change.
    """
    import torch

    generator = torch.Generator(device="cpu").manual_seed(config.seed)
    room = max(model.context // 2, model.context - config.max_new_tokens)
    rows = []
    for prompt in prompts:
        ids, pending = heal(model, prompt, config.heal)
        rows.append(Row(ids[-room:], pending, taken_back=len(pending)))
    steps = min(config.max_new_tokens, model.context - max(len(row.prompt) for row in rows))
    with torch.inference_mode():
        run(model, rows, steps, config, generator)
    return [finished_text(row, config.stop) for row in rows]


def run(model: LanguageModel, rows: list[Row], steps: int, config: Decoding, generator: torch.Generator) -> None:
    """Feed the rows, left-padded, and add a token to each until all are done."""
    import torch

    device = model.model.device
    width = max(len(row.prompt) for row in rows)
    pad = model.end_of_text
    ids = torch.tensor([[pad] * (width - len(row.prompt)) + row.prompt for row in rows], device=device)
    mask = torch.tensor([[0] * (width - len(row.prompt)) + [1] * len(row.prompt) for row in rows], device=device)
    cache: Any = None
    for _ in range(steps):
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        output = model.model(
            input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
        )
        cache = output.past_key_values
        chosen = choose(model, rows, output.logits[:, -1].float(), config, generator)
        for row, token in zip(rows, chosen, strict=True):
            extend(model, row, token, config.stop)
        if all(row.done for row in rows):
            return
        ids = torch.tensor(chosen, device=device)[:, None]
        mask = torch.cat([mask, mask.new_ones((len(rows), 1))], dim=1)


def choose(
    model: LanguageModel, rows: list[Row], logits_BV: torch.Tensor, config: Decoding, generator: torch.Generator
) -> list[int]:
    """One token id a row (B rows, V vocabulary): the likeliest, or drawn at `temperature` from the `top_p` nucleus."""
    import torch

    for place, row in enumerate(rows):
        if row.pending and not row.done:
            wrong = torch.tensor(
                [not agrees(token, row.pending) for token in model.token_bytes], device=logits_BV.device
            )
            logits_BV[place, wrong] = float("-inf")
    if config.temperature == 0:
        return [int(token) for token in logits_BV.argmax(dim=-1)]
    probabilities = torch.softmax(logits_BV / config.temperature, dim=-1).cpu()
    ordered, order = probabilities.sort(dim=-1, descending=True)
    ordered[ordered.cumsum(dim=-1) - ordered >= config.top_p] = 0.0
    picks = torch.multinomial(ordered, 1, generator=generator)
    return [int(token) for token in order.gather(1, picks)[:, 0]]


def extend(model: LanguageModel, row: Row, token: int, stop: Sequence[str]) -> None:
    """Add a token to a row; mark the row done at end-of-text or when a stop string has appeared."""
    if row.done:
        return
    data = model.token_bytes[token]
    if token == model.end_of_text or not data:
        row.done = True
        return
    row.pending = row.pending[len(data) :] if row.pending.startswith(data) else b""
    row.produced += data
    text = row.produced[row.taken_back :]
    row.done = any(text.find(word.encode()) >= 0 for word in stop)


def finished_text(row: Row, stop: Sequence[str]) -> str:
    """The completion: what was produced after the prompt, cut before the first stop string."""
    text = row.produced[row.taken_back :].decode("utf-8", "replace")
    cuts = [place for place in (text.find(word) for word in stop) if place >= 0]
    return text[: min(cuts)] if cuts else text
