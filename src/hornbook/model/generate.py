"""Completing prompts, with token healing, stop strings and a key/value cache.

A byte-level BPE trained on whole programs merges the newline after a docstring with the indentation that follows, so a
prompt that ends in a newline is cut where training never cut. *Token healing* takes the prompt's last token back and
lets the model choose again among the tokens whose bytes agree with what was taken back.

Equal prompts in a batch are read once, and a row that is done leaves the batch.
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

    An examination takes the stops of its convention instead, unless these are given.
    """

    max_new_tokens: int = Field(160, ge=1)
    temperature: float = Field(0.0, ge=0)
    top_p: float = Field(1.0, gt=0, le=1)
    stop: tuple[str, ...] = ("\nclass", "\ndef", "\n#", "\nif", "\nprint", "\n@", "\n```")
    heal: bool = True
    seed: int = Field(0, ge=0)


@dataclass
class Row:
    """One prompt under completion. `pending`: bytes taken back by healing, still to be produced again."""

    prompt: list[int]
    pending: bytes
    stop: tuple[str, ...] = ()
    produced: bytes = b""
    taken_back: int = 0
    done: bool = False

    @property
    def text(self) -> bytes:
        """What was produced after the prompt."""
        return self.produced[self.taken_back :]


def heal(model: LanguageModel, prompt: str, enabled: bool = True) -> tuple[list[int], bytes]:
    """Token ids to feed, end-of-text first as in training, and the bytes taken back from the prompt's end.

    With a newline as the prompt's last token, the newline is taken back: `"\"\"\"\\n"` → (..., b"\\n").
    """
    ids = model.encode(prompt)
    if not enabled or not ids:
        return [model.end_of_text, *ids], b""
    return [model.end_of_text, *ids[:-1]], model.token_bytes[ids[-1]]


def complete(
    model: LanguageModel, prompts: Sequence[str], config: Decoding, stops: Sequence[tuple[str, ...]] | None = None
) -> list[str]:
    """Complete a batch of prompts together; the texts do not repeat the prompts.

    `stops`: each prompt's own stop strings, where they differ from the config's. A prompt that leaves too little room
    in the context loses its beginning, but keeps half the context. A row's draws are its own: the result depends on the
    batch only through floating-point rounding; keep batches fixed where bytes must not change.
    """
    import torch

    room = max(model.context // 2, model.context - config.max_new_tokens)
    healed = {prompt: heal(model, prompt, config.heal) for prompt in dict.fromkeys(prompts)}
    rows = [
        Row(healed[prompt][0][-room:], healed[prompt][1], stop, taken_back=len(healed[prompt][1]))
        for prompt, stop in zip(prompts, stops or [config.stop] * len(prompts), strict=True)
    ]
    steps = min(config.max_new_tokens, model.context - max(len(row.prompt) for row in rows))
    generator = torch.Generator(device="cpu").manual_seed(config.seed)
    draws_BT = torch.rand((len(rows), steps), generator=generator, dtype=torch.float64)
    with torch.inference_mode():
        run(model, rows, steps, config, draws_BT)
    return [finished_text(row) for row in rows]


class Feed:
    """A batch inside the model: its attention mask [rows, tokens] and key/value cache, left-padded."""

    def __init__(self, model: LanguageModel, prompts: Sequence[Sequence[int]]) -> None:
        import torch

        self.model, self.cache = model.model, None
        width, device = max(map(len, prompts)), model.model.device
        padded = [[model.end_of_text] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        self.ids = torch.tensor(padded, device=device)
        self.mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=device)

    def logits(self) -> torch.Tensor:
        """Read what was fed last; the next token's logits [rows, vocabulary] in float32."""
        positions = (self.mask.cumsum(1) - 1).clamp(min=0)[:, -self.ids.shape[1] :]
        output: Any = self.model(
            input_ids=self.ids,
            attention_mask=self.mask,
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self.cache = output.past_key_values
        last: torch.Tensor = output.logits[:, -1].float()
        return last

    def keep(self, places: Sequence[int]) -> None:
        """Go on with these rows only; a row named twice goes on twice."""
        import torch

        if list(places) != list(range(len(self.mask))):
            chosen = torch.tensor(places, device=self.mask.device)
            self.mask = self.mask[chosen]
            if self.cache is not None:
                self.cache.batch_select_indices(chosen)

    def add(self, tokens: Sequence[int]) -> None:
        """One more token for every row."""
        import torch

        self.ids = torch.tensor(tokens, device=self.mask.device)[:, None]
        self.mask = torch.cat([self.mask, self.mask.new_ones((len(tokens), 1))], dim=1)


def run(model: LanguageModel, rows: list[Row], steps: int, config: Decoding, draws_BT: torch.Tensor) -> None:
    """Add a token to each row until it is done; equal prompts are read once."""
    distinct = {prompt: place for place, prompt in enumerate(dict.fromkeys(tuple(row.prompt) for row in rows))}
    owners = [distinct[tuple(row.prompt)] for row in rows]
    feed = Feed(model, list(distinct))
    logits_BV = feed.logits()[owners]
    feed.keep(owners)
    going = list(range(len(rows)))
    for step in range(steps):
        chosen = choose(model, [rows[place] for place in going], logits_BV, config, draws_BT[going, step])
        for place, token in zip(going, chosen, strict=True):
            extend(model, rows[place], token)
        stay = [place for place, owner in enumerate(going) if not rows[owner].done]
        if not stay or step == steps - 1:
            return
        feed.keep(stay)
        feed.add([chosen[place] for place in stay])
        going = [going[place] for place in stay]
        logits_BV = feed.logits()


def choose(
    model: LanguageModel, rows: Sequence[Row], logits_BV: torch.Tensor, config: Decoding, draws_B: torch.Tensor
) -> list[int]:
    """One token id a row (B rows, V vocabulary): the likeliest, or drawn at `temperature` from the `top_p` nucleus.

    `draws_B`, between 0 and 1, say how far up the nucleus, likeliest token first, each draw falls.
    """
    import torch

    for pending in {row.pending for row in rows} - {b""}:
        places = [place for place, row in enumerate(rows) if row.pending == pending]
        logits_BV[places] = logits_BV[places].masked_fill(~model.agreeing(pending), float("-inf"))
    if config.temperature == 0:
        return [int(token) for token in logits_BV.argmax(dim=-1).tolist()]
    probabilities = torch.softmax(logits_BV.double() / config.temperature, dim=-1)
    ordered, order = probabilities.sort(dim=-1, descending=True, stable=True)
    ordered[ordered.cumsum(dim=-1) - ordered >= config.top_p] = 0.0
    sums = ordered.cumsum(dim=-1)
    picks = torch.searchsorted(sums, draws_B.to(sums.device)[:, None] * sums[:, -1:], right=True)
    picks = picks.minimum((ordered > 0).sum(dim=-1, keepdim=True) - 1)
    return [int(token) for token in order.gather(1, picks)[:, 0].tolist()]


def extend(model: LanguageModel, row: Row, token: int) -> None:
    """Add a token to a row; mark the row done at end-of-text or when a stop string has appeared."""
    data = model.token_bytes[token]
    if token == model.end_of_text or not data:
        row.done = True
        return
    row.pending = row.pending[len(data) :] if row.pending.startswith(data) else b""
    row.produced += data
    row.done = any(word.encode() in row.text for word in row.stop)


def finished_text(row: Row) -> str:
    """The completion: what was produced after the prompt, cut before the first stop string."""
    return cut(row.text.decode("utf-8", "replace"), row.stop)


def cut(text: str, stop: Sequence[str]) -> str:
    """The text before the first stop string that it holds.

    >>> cut("    return 1\\ndef g():", ("\\nclass", "\\ndef"))
    '    return 1'
    """
    return text[: min((place for word in stop if (place := text.find(word)) >= 0), default=len(text))]
