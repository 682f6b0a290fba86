"""Completing prompts: token healing, stops, sampling, and a batch that answers as its rows would alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hornbook.errors import InputError
from hornbook.model.generate import Decoding, Row, choose, complete, heal
from hornbook.model.load import LanguageModel, agrees, load

DOCSTRING = 'def add(x, y):\n    """Add x by y."""\n'
PROMPTS = ["def", DOCSTRING, "x~", "class A:\n    def turn(self):\n        return 1", "é", "1 + 1\n\n"]


def token(model: LanguageModel, text: str) -> int:
    """The id of the token that stands for this text."""
    return model.token_bytes.index(text.encode())


class Scripted:
    """In a model's place: after token t comes script[t], whatever came before; end-of-text where nothing is said."""

    def __init__(self, vocab_size: int, script: Mapping[int, int], context: int) -> None:
        self.config = SimpleNamespace(vocab_size=vocab_size, max_position_embeddings=context)
        self.script, self.device, self.widths = script, torch.device("cpu"), list[int]()

    def __call__(self, input_ids: torch.Tensor, **_: Any) -> Any:
        self.widths.append(input_ids.shape[1])
        logits = torch.zeros(*input_ids.shape, self.config.vocab_size)
        for row, ids in enumerate(input_ids.tolist()):
            for place, number in enumerate(ids):
                logits[row, place, self.script.get(number, 0)] = 9.0
        return SimpleNamespace(logits=logits, past_key_values=None)


def scripted(opened: LanguageModel, chain: list[str], context: int = 96) -> LanguageModel:
    """A model that says these tokens one after the other."""
    ids = [token(opened, text) for text in chain]
    model: Any = Scripted(len(opened.token_bytes), dict(pairwise(ids)), context)
    return LanguageModel(model, opened.tokenizer)


def plain_greedy(opened: LanguageModel, ids: list[int], steps: int) -> str:
    """Greedy completion by whole forward passes: no batch, no padding, no cache."""
    ids = list(ids)
    first = len(ids)
    with torch.inference_mode():
        for _ in range(steps):
            best = int(opened.model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
            if best == opened.end_of_text:
                break
            ids.append(best)
    return b"".join(opened.token_bytes[i] for i in ids[first:]).decode("utf-8", "replace")


def test_healing_takes_back_the_newline_after_a_docstring(opened: LanguageModel) -> None:
    ids, pending = heal(opened, DOCSTRING)
    assert pending == b"\n"
    assert ids[0] == opened.end_of_text
    assert b"".join(opened.token_bytes[i] for i in ids[1:]).decode() == DOCSTRING.removesuffix("\n")


def test_without_healing_the_prompt_is_fed_as_it_is(opened: LanguageModel) -> None:
    ids, pending = heal(opened, DOCSTRING, enabled=False)
    assert (ids, pending) == ([opened.end_of_text, *opened.encode(DOCSTRING)], b"")


def test_an_empty_prompt_is_end_of_text_alone(opened: LanguageModel) -> None:
    assert heal(opened, "") == ([opened.end_of_text], b"")


def test_a_healed_prompt_goes_on_with_the_merged_token_and_is_not_repeated(opened: LanguageModel) -> None:
    model = scripted(opened, ['"""', "\n   ", " return", "7"])
    assert complete(model, ['x"""\n'], Decoding()) == ["    return7"]


def test_without_healing_the_merged_token_is_out_of_reach(opened: LanguageModel) -> None:
    model = scripted(opened, ['"""', "\n   ", " return", "7"])
    assert complete(model, ['x"""\n'], Decoding(heal=False)) == [""]


def test_healing_changes_nothing_where_nothing_merges(opened: LanguageModel) -> None:
    prompt = "y = x~"
    assert [data for data in opened.token_bytes if agrees(data, b"~")] == [b"~"]
    healed, plain = (complete(opened, [prompt], Decoding(heal=heal, max_new_tokens=12, stop=())) for heal in (1, 0))
    assert healed[0] == plain_greedy(opened, [0, *opened.encode(prompt)], 11)
    assert plain[0].startswith(healed[0])


def test_bytes_taken_back_are_made_again_before_anything_else(opened: LanguageModel) -> None:
    row = Row([], b"\n")
    logits = torch.zeros(1, len(opened.token_bytes))
    logits[0, token(opened, "7")] = 9.0
    logits[0, token(opened, "\n   ")] = 1.0
    assert choose(opened, [row], logits, Decoding(), torch.zeros(1)) == [token(opened, "\n   ")]


@given(st.binary(max_size=3), st.binary(max_size=3))
def test_a_token_agrees_when_one_begins_the_other(data: bytes, pending: bytes) -> None:
    shorter = min(len(data), len(pending))
    assert agrees(data, pending) is (data != b"" and data[:shorter] == pending[:shorter])


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_completion_is_what_whole_forward_passes_give(opened: LanguageModel, prompt: str) -> None:
    found = complete(opened, [prompt], Decoding(heal=False, max_new_tokens=10, stop=()))
    assert found == [plain_greedy(opened, [opened.end_of_text, *opened.encode(prompt)], 10)]


@pytest.mark.parametrize("heal", [True, False])
def test_a_batch_completes_as_its_prompts_would_one_by_one(opened: LanguageModel, heal: bool) -> None:
    config = Decoding(max_new_tokens=10, heal=heal, stop=())
    together = complete(opened, PROMPTS, config)
    assert together == [complete(opened, [prompt], config)[0] for prompt in PROMPTS]
    assert len(set(together)) == len(PROMPTS)


def test_a_completion_ends_before_the_first_stop_it_contains(opened: LanguageModel) -> None:
    model = scripted(opened, ["x", "1", "\n", "def", "2", "3"])
    assert complete(model, ["x"], Decoding(heal=False)) == ["1"]
    assert complete(model, ["x"], Decoding(heal=False, stop=("3", "f2"))) == ["1\nde"]


def test_of_two_stops_in_one_token_the_first_counts(opened: LanguageModel) -> None:
    model = scripted(opened, ["x", "1", "\n   "])
    assert complete(model, ["x"], Decoding(heal=False, stop=(" ", "\n"))) == ["1"]


def test_generation_stops_when_every_row_has_met_its_stop(opened: LanguageModel) -> None:
    model = scripted(opened, ["x", "1", "2", "3", "4", "5"])
    complete(model, ["x", "2"], Decoding(heal=False, stop=("3",)))
    assert len(model.model.widths) == 3  # 1, 2, 3 for the longer row


def test_equal_prompts_are_read_once_and_drawn_apart(opened: LanguageModel) -> None:
    heights: list[int] = []
    real = opened.model.forward
    config = Decoding(temperature=1.5, max_new_tokens=4, stop=())
    prompts = ["def", "def", "x~", "def"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opened.model, "forward", lambda **given: heights.append(len(given["input_ids"])) or real(**given))
        together = complete(opened, prompts, config)
    assert heights[0] == 2
    assert heights[1:] == [4] * 3
    assert len(set(together)) > 2
    assert complete(opened, prompts[:3], config)[:1] == together[:1]


def test_a_row_that_is_done_leaves_the_batch_and_the_others_do_not_notice(opened: LanguageModel) -> None:
    heights: list[int] = []
    real = opened.model.forward
    alone = [complete(opened, [prompt], Decoding(max_new_tokens=8, stop=()))[0] for prompt in PROMPTS]
    stops = [(text[:1],) if place % 2 else () for place, text in enumerate(alone)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opened.model, "forward", lambda **given: heights.append(len(given["input_ids"])) or real(**given))
        together = complete(opened, PROMPTS, Decoding(max_new_tokens=8), stops)
    assert together == ["" if place % 2 else text for place, text in enumerate(alone)]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] == len(PROMPTS)
    assert heights[-1] < len(PROMPTS)


def test_a_stop_in_the_prompt_does_not_end_the_completion(opened: LanguageModel) -> None:
    model = scripted(opened, ["\n", "def", "1"])
    assert complete(model, ["x\n"], Decoding(stop=("\n",))) == ["def1"]


def test_end_of_text_ends_one_row_and_not_the_others(opened: LanguageModel) -> None:
    model = scripted(opened, ["x", "1", "2", "3"])
    assert complete(model, ["2", "x"], Decoding(heal=False)) == ["3", "123"]


def test_no_more_tokens_than_asked_for(opened: LanguageModel) -> None:
    model = scripted(opened, ["x", "1", "2", "3"])
    assert complete(model, ["x"], Decoding(heal=False, max_new_tokens=2)) == ["12"]


def test_a_prompt_longer_than_the_context_keeps_its_end(opened: LanguageModel) -> None:
    prompt = "".join(f"{n}, " for n in range(70))
    ids = opened.encode(prompt)
    assert len(ids) > opened.context
    found = complete(opened, [prompt], Decoding(heal=False, max_new_tokens=16, stop=()))
    assert found == [plain_greedy(opened, ids[-80:], 16)]  # 96 - 16


def test_a_prompt_keeps_half_the_context_however_much_is_asked_for(opened: LanguageModel) -> None:
    model = scripted(opened, ["x"], context=20)
    complete(model, ["y" * 50 + "x"], Decoding(heal=False, max_new_tokens=400))
    assert model.model.widths[0] == 10


def drawn(logits: list[float], count: int, **values: Any) -> Counter[int]:
    """How often each id is drawn; no row has anything pending, so no model is needed."""
    model: Any = None
    rows = [Row([], b"") for _ in range(count)]
    draws = torch.rand(count, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return Counter(choose(model, rows, torch.tensor([logits] * count), Decoding(**values), draws))


FOUR = torch.tensor([0.15, 0.5, 0.05, 0.3]).log().tolist()


def test_greedy_takes_the_likeliest() -> None:
    assert drawn(FOUR, 3) == {1: 3}


def test_sampling_follows_the_probabilities() -> None:
    found = drawn(FOUR, 4000, temperature=1.0)
    assert [found[n] / 4000 for n in range(4)] == pytest.approx([0.15, 0.5, 0.05, 0.3], abs=0.03)


def test_temperature_sharpens() -> None:
    found = drawn(FOUR, 4000, temperature=0.5)  # squares: .0225 .25 .0025 .09, sum .365
    assert [found[n] / 4000 for n in range(4)] == pytest.approx([0.0616, 0.685, 0.0068, 0.2466], abs=0.03)


@pytest.mark.parametrize(("top_p", "kept"), [(0.4, {1}), (0.7, {1, 3}), (0.9, {0, 1, 3}), (1.0, {0, 1, 2, 3})])
def test_only_the_nucleus_is_drawn_from(top_p: float, kept: set[int]) -> None:
    assert set(drawn(FOUR, 1000, temperature=1.0, top_p=top_p)) == kept


def test_sampling_too_makes_the_bytes_taken_back_again(opened: LanguageModel) -> None:
    rows = [Row([], b"\n") for _ in range(50)]
    logits = torch.zeros(50, len(opened.token_bytes))
    draws = torch.arange(50, dtype=torch.float64) / 50
    found = choose(opened, rows, logits, Decoding(temperature=1.0), draws)
    assert all(opened.token_bytes[i].startswith(b"\n") for i in found)
    assert len(set(found)) > 1


def test_the_seed_decides_what_is_drawn(opened: LanguageModel) -> None:
    first, again, other = (
        complete(opened, ["def"], Decoding(temperature=2.0, max_new_tokens=12, seed=seed, stop=()))
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("values", [{"top_p": 0}, {"top_p": 1.1}, {"temperature": -1}, {"max_new_tokens": 0}])
def test_settings_that_cannot_be_followed_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Decoding(**values)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_the_bytes_of_a_texts_tokens_are_the_text(opened: LanguageModel, text: str) -> None:
    assert b"".join(opened.token_bytes[i] for i in opened.encode(text)) == text.encode()


def test_a_text_that_spells_out_end_of_text_is_text(opened: LanguageModel) -> None:
    assert opened.end_of_text not in opened.encode("a <|endoftext|> b")
    assert opened.token_bytes[opened.end_of_text] == b""


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a model folder"):
        load(tmp_path)
