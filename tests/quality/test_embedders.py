"""Embedders that run a model: what they make of a text, whatever stands beside it, and what they refuse."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from model2vec import StaticModel
from pydantic import ValidationError
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers.models import WordLevel
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BertConfig,
    BertModel,
    PhiForCausalLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    T5Config,
    T5Model,
)

from hornbook import extras
from hornbook.errors import InputError, RequestError
from hornbook.quality.embed import NAMES, Embed, Packaged, digest_of, embed, open_embedder, open_for
from hornbook.quality.models import Transformers, averaged, batches

CONTEXT = 96  # of the tiny student
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
WORDS = ["<pad>", "<unk>", "<s>", "</s>", "def", "return", "x", "y", "(", ")", ":", "+", "one", "two", "three"]
TEXTS = ["def one(x):\n    return x + 1\n", "x", "", "y = 2\n" * 70, "def two(x, y):\n" + "    x = x + y\n" * 40]


@pytest.fixture(scope="module")
def phi(student: Path) -> Transformers:
    """The tiny student as an embedder."""
    found = open_embedder(Embed(kind="transformers", model=str(student), device="cpu"))
    assert isinstance(found, Transformers)
    return found


def word_tokenizer(special: bool = False) -> Tokenizer:
    """A token a word, and <s> and </s> around them when `special`."""
    made = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    if special:
        made.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)]
        )
    return made


def saved(model: Any, folder: Path, special: bool = False) -> Path:
    """A model's folder with the tokenizer of words."""
    model.save_pretrained(folder)
    fast = PreTrainedTokenizerFast(tokenizer_object=word_tokenizer(special), pad_token="<pad>", unk_token="<unk>")
    fast.save_pretrained(folder)
    return folder


def opened(folder: Path, kind: str = "transformers", **settings: Any) -> Any:
    return open_embedder(Embed(kind=kind, model=str(folder), device="cpu", **settings))


def pooled_by_hand(student: Path, text: str) -> np.ndarray:
    """One text, window by window, a token after another: their last hidden states, added and divided."""
    tokenizer, model = AutoTokenizer.from_pretrained(student), AutoModelForCausalLM.from_pretrained(student).eval()
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    total = np.zeros(model.config.hidden_size)
    for start in range(0, len(ids), CONTEXT):
        with torch.no_grad():
            found = model(torch.tensor([ids[start : start + CONTEXT]]), output_hidden_states=True)
        for state in found.hidden_states[-1][0]:
            total += state.numpy()
    return total / max(1, len(ids))


def test_a_text_is_the_mean_of_its_tokens_last_hidden_states(phi: Transformers, student: Path) -> None:
    assert type(AutoModelForCausalLM.from_pretrained(student)) is PhiForCausalLM
    rows = phi.embed(TEXTS)
    assert (rows.dtype, rows.shape, phi.width) == (np.float32, (5, 32), 32)
    assert len(list(phi.windows(TEXTS[3]))) > 2
    for row, text in zip(rows, TEXTS, strict=True):
        assert np.allclose(row, pooled_by_hand(student, text), atol=1e-5)
    assert not np.allclose(rows[0], rows[4], atol=1e-2)


def test_what_stands_beside_a_text_changes_nothing(phi: Transformers) -> None:
    alone = np.concatenate([phi.embed([text]) for text in TEXTS])
    assert np.array_equal(phi.embed(TEXTS), alone)
    assert np.array_equal(phi.embed(TEXTS[::-1])[::-1], alone)


def test_padding_is_not_read(phi: Transformers) -> None:
    windows = [next(phi.windows(text)) for text in (TEXTS[0], TEXTS[1], TEXTS[4])]
    assert len({len(window) for window in windows}) == 3
    alone = np.concatenate([phi.means([window]) for window in windows])
    assert np.allclose(phi.means(windows), alone, atol=1e-5)


def test_on_cuda_windows_go_in_batches_and_say_the_same(phi: Transformers, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real, alone = phi.means, phi.embed(TEXTS)

    def watched(windows: Sequence[list[int]]) -> np.ndarray:
        sizes.append(len(windows))
        monkeypatch.setattr(phi, "device", "cpu")  # there is no other here
        return real(windows)

    monkeypatch.setattr(phi, "means", watched)
    monkeypatch.setattr(phi, "device", "cuda")
    assert np.allclose(phi.embed(TEXTS), alone, atol=1e-5)
    assert len(sizes) == 1 < sizes[0]


def test_nothing_and_a_text_without_tokens(phi: Transformers) -> None:
    assert phi.embed([]).shape == (0, 32)
    assert phi.embed([""]).tolist() == [[0.0] * 32]


def test_windows_follow_one_another_and_only_the_first_are_read_when_asked(phi: Transformers, student: Path) -> None:
    ids = AutoTokenizer.from_pretrained(student)(TEXTS[3])["input_ids"]
    windows = list(phi.windows(TEXTS[3]))
    assert [token for window in windows for token in window] == ids
    assert {len(window) for window in windows[:-1]} == {CONTEXT}
    short = opened(student, window=16, windows=2)
    assert list(short.windows(TEXTS[3])) == [ids[:16], ids[16:32]]
    assert np.allclose(short.embed([TEXTS[3]]), short.means([ids[:16]]) / 2 + short.means([ids[16:32]]) / 2, atol=1e-6)


def test_every_window_has_the_special_tokens_and_they_count(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=10, **SMALL)).eval()
    found = opened(saved(model, tmp_path, special=True))
    text = "def one ( x ) : return x + one two"  # eleven words: eight, and three
    windows = list(found.windows(text))
    assert [len(window) for window in windows] == [10, 5]
    assert {(window[0], window[-1]) for window in windows} == {(2, 3)}
    with torch.no_grad():
        states = [model(torch.tensor([window])).last_hidden_state[0].numpy() for window in windows]
    assert np.allclose(found.embed([text])[0], np.concatenate(states).mean(axis=0), atol=1e-6)


def test_the_kin_of_roberta_have_places_for_fewer_tokens_than_their_table(tmp_path: Path) -> None:
    config = RobertaConfig(vocab_size=len(WORDS), max_position_embeddings=20, pad_token_id=0, **SMALL)
    found = opened(saved(RobertaModel(config), tmp_path))
    assert found.context == 19
    assert np.isfinite(found.embed(["x + y " * 30])).all()


def test_of_a_model_with_a_decoder_the_encoder_is_read(tmp_path: Path) -> None:
    config = T5Config(vocab_size=len(WORDS), d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2)
    model = T5Model(config).eval()
    found = opened(saved(model, tmp_path), window=64)
    with torch.no_grad():
        states = model.encoder(torch.tensor([[6, 11, 7]])).last_hidden_state[0].numpy()
    assert np.allclose(found.embed(["x + y"])[0], states.mean(axis=0), atol=1e-6)


def test_a_model_whose_numbers_are_not_finite_is_refused(tmp_path: Path) -> None:
    model = BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=10, **SMALL))
    with torch.no_grad():
        model.embeddings.word_embeddings.weight.fill_(float("nan"))
    with pytest.raises(InputError, match="not finite"):
        opened(saved(model, tmp_path)).embed(["x"])


def test_batches_are_filled_up_to_the_budget_with_padding_longest_first() -> None:
    assert list(batches([3, 9, 4, 3], 8)) == [[1], [2, 0], [3]]
    assert list(batches([3, 9, 4, 3], 0)) == [[1], [2], [0], [3]]
    assert list(batches([], 8)) == []


def test_windows_are_averaged_by_their_tokens() -> None:
    rows = np.array([[1.0, 0.0], [4.0, 2.0], [8.0, 8.0]], np.float32)
    assert averaged(3, [0, 0, 2], [2, 1, 5], rows).tolist() == [[2.0, pytest.approx(2 / 3)], [0.0, 0.0], [8.0, 8.0]]


VECTORS = np.arange(2 * len(WORDS), dtype=np.float32).reshape(len(WORDS), 2)


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model2vec model whose vector of word n is (2n, 2n + 1)."""
    folder = tmp_path_factory.mktemp("static")
    StaticModel(VECTORS, word_tokenizer()).save_pretrained(folder)
    return folder


def test_a_static_model_gives_the_mean_vector_of_all_tokens(static: Path) -> None:
    found = open_embedder(Embed(kind="model2vec", model=str(static)))
    long = "one " * 600 + "two " * 600  # model2vec reads 512 unless it is told otherwise
    rows = found.embed(["x y", "", long, "x unknown x"])
    assert rows.tolist() == [[13.0, 14.0], [0.0, 0.0], [25.0, 26.0], [12.0, 13.0]]
    assert (found.width, rows.dtype, found.embed([]).shape) == (2, np.float32, (0, 2))


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers model: a tiny BERT of context 10, mean pooling, length one."""
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("sentences")
    model = BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=10, **SMALL))
    words = modules.Transformer(str(saved(model, root / "words", special=True)), max_seq_length=10)
    chain = [words, modules.Pooling(16, "mean"), modules.Normalize()]
    SentenceTransformer(modules=chain, device="cpu").save(str(root / "whole"))
    return root / "whole"


def test_sentence_transformers_own_encoding_of_a_short_text(sentences: Path) -> None:
    found = opened(sentences, kind="sentence-transformers")
    texts = ["def one ( x ) :", "", "x + y"]
    expected = SentenceTransformer(str(sentences), device="cpu").encode([texts[0], texts[2]])
    rows = found.embed(texts)
    assert np.allclose(rows[[0, 2]], expected, atol=1e-6)
    assert rows[1].tolist() == [0.0] * 16
    assert (found.width, found.context, rows.dtype) == (16, 10, np.float32)
    assert found.embed([]).shape == (0, 16)


def test_sentence_transformers_reads_the_whole_of_a_long_text(sentences: Path) -> None:
    found = opened(sentences, kind="sentence-transformers")
    text = "def one ( x ) : return x + one two"  # eight words fill a window of ten
    assert list(found.windows(text)) == [("def one ( x ) : return x ", 8), ("+ one two", 3)]
    first, second = SentenceTransformer(str(sentences), device="cpu").encode(["def one ( x ) : return x", "+ one two"])
    assert np.allclose(found.embed([text])[0], (8 * first + 3 * second) / 11, atol=1e-6)
    assert np.allclose(opened(sentences, kind="sentence-transformers", windows=1).embed([text])[0], first, atol=1e-6)


def test_the_packaged_one_is_an_embedder_like_the_others() -> None:
    found = open_embedder(Embed())
    assert (found, found.name, found.width) == (Packaged(), "packaged", len(NAMES))
    assert np.array_equal(found.embed(TEXTS), embed(TEXTS))


def test_a_model_folder_is_known_by_what_is_in_it(static: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(static, moved)
    one, other = (digest_of(Embed(kind="model2vec", model=str(path))) for path in (static, moved))
    assert one == other == open_embedder(Embed(kind="model2vec", model=str(moved))).digest
    with (moved / "config.json").open("a") as stream:
        stream.write(" ")
    assert digest_of(Embed(kind="model2vec", model=str(moved))) != one


def test_what_shapes_numbers_is_in_the_digest_and_what_does_not_is_not(student: Path) -> None:
    whole = Embed(kind="transformers", model=str(student))
    same = [whole.model_copy(update=change) for change in ({"batch_tokens": 7}, {"threads": 1}, {"device": "cpu"})]
    other = [whole.model_copy(update=change) for change in ({"window": 64}, {"windows": 1})]
    other += [Embed(), Embed(kind="transformers"), Embed(kind="transformers", revision="abc")]
    assert {digest_of(config) for config in same} == {digest_of(whole)}
    assert len({digest_of(config) for config in (whole, *other)}) == 6
    assert Embed(kind="transformers") == Embed(kind="transformers", model="")
    assert digest_of(Embed(kind="transformers")) == digest_of(
        Embed(kind="transformers", model="Salesforce/codegen-350M-mono")
    )


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"model": "x"}, "model: the packaged embedder does not read it"),
        ({"kind": "model2vec", "windows": 2}, "windows: the model2vec embedder does not read it"),
        ({"kind": "word2vec"}, "Input should be 'packaged'"),
        ({"kind": "transformers", "window": 1}, "greater than or equal to 8"),
    ],
)
def test_a_setting_that_would_not_be_read_is_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Embed(**settings)


@pytest.mark.parametrize("kind", ["transformers", "sentence-transformers", "model2vec"])
def test_a_model_that_is_not_there_or_is_none_is_one_clear_line(kind: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such model folder \(a model of the hub is named OWNER/NAME\)"):
        open_embedder(Embed(kind=kind, model=str(tmp_path / "gone")))  # type: ignore[arg-type]
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match="cannot be opened") as caught:
        open_embedder(Embed(kind=kind, model=str(tmp_path)))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "lacking"),
    [("transformers", "torch"), ("sentence-transformers", "sentence_transformers"), ("model2vec", "model2vec")],
)
def test_a_missing_extra_is_named_and_others_are_not_asked_for(
    kind: str, lacking: str, static: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "missing", lambda _: [lacking, "unrelated"])
    with pytest.raises(RequestError, match=rf"this needs {lacking}; install .* pip install 'hornbook\[embed\]'"):
        open_embedder(Embed(kind=kind, model=str(static)))  # type: ignore[arg-type]
    monkeypatch.setattr(extras, "missing", lambda _: ["torch", "transformers", "sentence_transformers"])
    assert open_embedder(Embed(kind="model2vec", model=str(static))).width == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there_is_refused(student: Path) -> None:
    with pytest.raises(InputError, match=r"embedder\.device 'cuda': torch finds none here"):
        open_embedder(Embed(kind="transformers", model=str(student), device="cuda"))


def test_another_embedder_than_the_classifiers_is_refused_and_both_are_named(static: Path, student: Path) -> None:
    own = Embed(kind="model2vec", model=str(static))
    made_for = own, digest_of(own)
    assert open_for(made_for).embed(["x"]).tolist() == [[12.0, 13.0]]
    with pytest.raises(InputError, match=f"made for the embedder 'model2vec {static}', and this is 'packaged'"):
        open_for(made_for, Embed())
    with pytest.raises(InputError, match="'packaged', and this is 'transformers"):
        open_for((Embed(), Packaged().digest), Embed(kind="transformers", model=str(student)))
    with pytest.raises(InputError, match="this one has other files or settings; train it again"):
        open_for((own, "0" * 64))
