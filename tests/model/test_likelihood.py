"""Bits of continuations, against a plain computation: no batch, no padding, one token at a time."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hornbook.model.likelihood import Span, groups, likelihoods, span
from hornbook.model.load import LanguageModel

DOCSTRING = 'def add(x, y):\n    """Add x by y."""\n'
PAIRS = [
    (DOCSTRING, "    return x + 1\n"),  # newline and indentation merge
    ("y = x~", "~ 1"),  # nothing merges
    ("", "import os\n"),  # no prompt
    ("x = 'é", "è'\n"),  # tokens that end within a letter
    ("def te", "st():\n    pass\n"),
    (DOCSTRING * 2, "    return 2\n"),
]


def logs(opened: LanguageModel, ids: list[int]) -> torch.Tensor:
    """Log-probabilities of the token after these."""
    with torch.inference_mode():
        return torch.log_softmax(opened.model(input_ids=torch.tensor([ids])).logits[0, -1].double(), dim=-1)


def plain_bits(opened: LanguageModel, prompt: str, continuation: str) -> float:
    """Walk the joint encoding; each token is scored among those that agree with what is left of the prompt's end."""
    head, whole = opened.encode(prompt), opened.encode(prompt + continuation)
    kept = next((n for n in range(len(head)) if head[n] != whole[n]), len(head))
    kept = min(kept, max(0, len(head) - 1))
    owed = prompt.encode()[len(b"".join(opened.token_bytes[i] for i in whole[:kept])) :]
    nats = 0.0
    for place in range(kept, len(whole)):
        after = logs(opened, [opened.end_of_text, *whole[:place]])
        fit = [
            i
            for i, data in enumerate(opened.token_bytes)
            if not owed or (data and (data.startswith(owed) or owed.startswith(data)))
        ]
        nats -= float(after[whole[place]] - torch.logsumexp(after[fit], 0))
        owed = owed[len(opened.token_bytes[whole[place]]) :]
    return nats / math.log(2)


def test_bits_are_those_of_the_plain_computation(opened: LanguageModel) -> None:
    found = [scored.bits for scored in likelihoods(opened, PAIRS)]
    assert found == pytest.approx([plain_bits(opened, *pair) for pair in PAIRS], rel=1e-4)


def test_bytes_are_the_continuations_in_utf8(opened: LanguageModel) -> None:
    assert [scored.bytes for scored in likelihoods(opened, PAIRS)] == [len(pair[1].encode()) for pair in PAIRS]


def test_the_batch_changes_no_score_and_no_order(opened: LanguageModel) -> None:
    alone = [likelihoods(opened, [pair])[0].bits for pair in PAIRS]
    for batch_tokens in (1, 40, 10_000):
        found = [scored.bits for scored in likelihoods(opened, PAIRS, batch_tokens)]
        assert found == pytest.approx(alone, rel=1e-4)


@pytest.mark.parametrize("prompt", [DOCSTRING, "y = x~", "def te", "x =", ""])
def test_the_chances_of_all_continuations_are_shares_of_one_whole(opened: LanguageModel, prompt: str) -> None:
    """Every continuation of one further token, whether it merges with the prompt's last token or not."""
    head = opened.encode(prompt)
    taken_back = opened.token_bytes[head[-1]] if head else b""
    texts = set()
    for data in opened.token_bytes:
        for rest in (data, data.removeprefix(taken_back) if data.startswith(taken_back) else b""):
            if rest and rest.isascii() and len(opened.encode(prompt + rest.decode())) <= len(head) + 1:
                texts.add(rest.decode())
    assert len(texts) > 100
    total = sum(2**-scored.bits for scored in likelihoods(opened, [(prompt, text) for text in sorted(texts)]))
    assert 0.05 < total <= 1 + 1e-4


def test_nothing_is_paid_for_the_prompt(opened: LanguageModel) -> None:
    """Only one token begins with ~, so an empty continuation of x~ is certain."""
    assert likelihoods(opened, [("y = x~", "")])[0].bits == pytest.approx(0, abs=1e-5)


def test_the_prompts_bytes_that_the_first_token_carries_again_are_pending(opened: LanguageModel) -> None:
    found = span(opened, DOCSTRING, "    return 1\n")
    assert found.pending == b"\n"
    assert opened.token_bytes[found.ids[found.start]].startswith(b"\n ")


def test_a_prompt_that_does_not_fit_loses_its_beginning(opened: LanguageModel) -> None:
    prompt, continuation = "".join(f"{n}, " for n in range(70)), "x + 1\n"
    found = span(opened, prompt, continuation)
    whole = opened.encode(prompt + continuation)
    assert found.ids == [opened.end_of_text, *whole[-(opened.context - 1) :]]
    assert found.bytes == 6
    assert b"".join(opened.token_bytes[i] for i in found.ids[found.start :]) == found.pending + b"x + 1\n"


def test_a_continuation_that_does_not_fit_is_cut_and_counted_as_cut(opened: LanguageModel) -> None:
    found = span(opened, "x~", "~" * 200)
    assert len(found.ids) == opened.context
    assert found.start == 1
    assert found.bytes == opened.context - 2  # end-of-text and the ~ of the prompt take two places
    assert likelihoods(opened, [("x~", "~" * 200)])[0].bytes == opened.context - 2


@given(st.lists(st.integers(1, 30), max_size=20).map(sorted), st.integers(1, 100))
def test_batches_take_every_place_once_and_stay_within_bounds(lengths: list[int], batch_tokens: int) -> None:
    spans = [Span([0] * length, 1, b"", 0) for length in lengths]
    made = list(groups(range(len(spans)), spans, batch_tokens))
    assert [place for batch in made for place in batch] == list(range(len(spans)))
    assert all(len(b) == 1 or len(b) * max(lengths[place] for place in b) <= batch_tokens for b in made)
