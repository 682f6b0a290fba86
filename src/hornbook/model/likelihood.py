"""Bits that a model needs to write a continuation, given a prompt: the usable signal at small scale.

Below about 150M parameters pass@1 on public benchmarks sits at the floor, while the likelihood of gold solutions
already tells data apart (DataDecide finds it predictive at a ten-thousandth of the compute).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hornbook.model.load import LanguageModel


@dataclass(frozen=True)
class Scored:
    """A continuation's cost: `bits` under the model and its length in UTF-8 `bytes`."""

    bits: float
    bytes: int


@dataclass(frozen=True)
class Span:
    """Token ids of prompt and continuation. What is scored begins at `start`, and must first produce `pending`, the
    end of the prompt, again. `bytes`: how much of the continuation the ids hold."""

    ids: list[int]
    start: int
    pending: bytes
    bytes: int


def span(model: LanguageModel, prompt: str, continuation: str) -> Span:
    """Encode prompt and continuation together, as training would have, and find where they part.

    The prompt's last token is always taken back, as in generation: so the chances of all continuations, whether they
    merge with the prompt's end or not, are shares of one whole. A prompt that does not fit the context loses its
    beginning. A continuation longer than the context is cut.
    """
    whole, head = model.encode(prompt + continuation), model.encode(prompt)
    shared = 0
    while shared < min(len(head), len(whole)) - 1 and head[shared] == whole[shared]:
        shared += 1
    done = b"".join(model.token_bytes[token] for token in whole[:shared])
    pending = prompt.encode()[len(done) :]
    excess = max(0, len(whole) + 1 - model.context)
    drop = min(excess, shared)
    ids = [model.end_of_text, *whole[drop:]]
    cut = sum(len(model.token_bytes[token]) for token in ids[model.context :])
    return Span(ids[: model.context], shared - drop + 1, pending, max(0, len(continuation.encode()) - cut))


def likelihoods(model: LanguageModel, pairs: Sequence[tuple[str, str]], batch_tokens: int = 8192) -> list[Scored]:
    """Score (prompt, continuation) pairs, in order.

    Tokens that carry bytes of the prompt again are scored given that they agree with these, so nothing is paid for the
    prompt. Batches hold at most `batch_tokens` tokens, padding included.
    """
    spans = [span(model, prompt, continuation) for prompt, continuation in pairs]
    order = sorted(range(len(spans)), key=lambda place: (len(spans[place].ids), place))
    bits: dict[int, float] = {}
    for batch in groups(order, spans, batch_tokens):
        bits.update(zip(batch, score_batch(model, [spans[place] for place in batch]), strict=True))
    return [Scored(bits[place], item.bytes) for place, item in enumerate(spans)]


def groups(order: Sequence[int], spans: Sequence[Span], batch_tokens: int) -> Iterator[list[int]]:
    """Cut an order (shortest first) into batches of at most `batch_tokens` padded tokens."""
    batch: list[int] = []
    for place in order:
        if batch and (len(batch) + 1) * len(spans[place].ids) > batch_tokens:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def score_batch(model: LanguageModel, spans: Sequence[Span]) -> list[float]:
    """Bits of each span's continuation."""
    import torch

    width = max(len(item.ids) for item in spans)
    device = model.model.device
    ids = torch.tensor([item.ids + [model.end_of_text] * (width - len(item.ids)) for item in spans], device=device)
    with torch.inference_mode():
        logs_BTV = torch.log_softmax(model.model(input_ids=ids).logits.float(), dim=-1)
    results = []
    for row, item in enumerate(spans):
        targets = ids[row, item.start : len(item.ids)]
        steps = logs_BTV[row, item.start - 1 : len(item.ids) - 1]
        nats = -float(steps.gather(1, targets[:, None]).sum())
        pending = item.pending
        for step, token in zip(steps, item.ids[item.start :], strict=True):
            if not pending:
                break
            nats += float(torch.logsumexp(step[model.agreeing(pending)], dim=0))
            pending = pending[len(model.token_bytes[token]) :]
        results.append(nats / math.log(2))
    return results
