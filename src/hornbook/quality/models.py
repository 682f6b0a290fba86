"""Embedders that run a model: any of transformers', sentence-transformers' or model2vec's, from a folder or the hub.

A text longer than the model's context is read in windows, one after another without overlap; its embedding is their
mean, weighted by tokens. A text without tokens is all zero. Models that bring code of their own are refused.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from hornbook.errors import InfrastructureError, InputError
from hornbook.extras import require
from hornbook.quality.embed import Embed, Embedder, digest_of, name_of

if TYPE_CHECKING:
    import torch

Tokens = list[int]


class Model:
    """What the three have in common: opening, name and digest."""

    needs: tuple[str, ...] = ()  # modules
    width: int

    def __init__(self, config: Embed) -> None:
        require("embed", *self.needs)
        self.config, self.name, self.digest = config, name_of(config), digest_of(config)
        with opening(self.name):
            self.open()

    def open(self) -> None:
        """Load the model and set `width`."""
        raise NotImplementedError

    @property
    def source(self) -> str:
        """What the libraries are told to load."""
        return str(self.config.folder or self.config.named)


class Transformers(Model):
    """The mean over all tokens of a transformer's last hidden state; of one with a decoder, its encoder's.

    float32 on a CPU, bfloat16 on CUDA; the mean is taken in float32.
    """

    needs = ("torch", "transformers")

    def open(self) -> None:
        from transformers import AutoModel, AutoTokenizer

        self.device, dtype = placed(self.config)
        pinned = {"revision": self.config.revision or None}
        self.tokenizer = AutoTokenizer.from_pretrained(self.source, truncation_side="right", **pinned)
        if not self.tokenizer.is_fast:
            raise ValueError("its tokenizer cannot cut a text into windows")
        model = AutoModel.from_pretrained(self.source, dtype=dtype, **pinned)
        model.config.use_cache = False
        encoder = model.get_encoder() if model.config.is_encoder_decoder else model
        self.model = encoder.to(self.device).eval()
        self.width = int(model.config.hidden_size)
        self.context = min(self.config.window, positions(model), self.tokenizer.model_max_length)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Embeddings: float32 [text, width]."""
        cut = [(owner, window) for owner, text in enumerate(texts) for window in self.windows(text)]
        lengths = [len(window) for _, window in cut]
        rows = np.zeros((len(cut), self.width), np.float32)
        for places in batches(lengths, self.config.batch_tokens if self.device == "cuda" else 0):
            rows[places] = self.means([cut[place][1] for place in places])
        return averaged(len(texts), [owner for owner, _ in cut], lengths, rows)

    def windows(self, text: str) -> Iterator[Tokens]:
        """The token ids of each window, with the special tokens that the tokenizer puts around it."""
        read = {"truncation": True, "max_length": self.context, "return_overflowing_tokens": True}
        found = self.tokenizer(text, **read)["input_ids"]
        return islice((ids for ids in found if ids), self.config.windows)

    def means(self, windows: Sequence[Tokens]) -> np.ndarray:
        """The mean hidden state of each window of a batch, padded on the right: float32 [window, width]."""
        import torch

        longest, padding = max(map(len, windows)), self.tokenizer.pad_token_id or 0
        ids_BT = torch.tensor([[*window, *[padding] * (longest - len(window))] for window in windows])
        mask_BT = torch.tensor([[1] * len(window) + [0] * (longest - len(window)) for window in windows])
        mask_BT = mask_BT.to(self.device)
        try:
            with torch.inference_mode():
                found = self.model(input_ids=ids_BT.to(self.device), attention_mask=mask_BT)
                hidden_BTD = found.last_hidden_state.float() * mask_BT[:, :, None]
                means_BD: torch.Tensor = hidden_BTD.sum(1) / mask_BT.sum(1, keepdim=True)
        except torch.OutOfMemoryError:
            size = f"{len(windows)} windows of {longest} tokens"
            raise InfrastructureError(f"{self.name}: no memory for {size}; lower embedder.batch_tokens") from None
        return np.asarray(means_BD.cpu())


class SentenceTransformers(Model):
    """What sentence-transformers' `encode` makes of each window, with the model's own pooling and prompts."""

    needs = ("torch", "transformers", "sentence_transformers")

    def open(self) -> None:
        from sentence_transformers import SentenceTransformer

        self.device, dtype = placed(self.config)
        pinned = {"revision": self.config.revision or None, "model_kwargs": {"dtype": dtype}}
        self.model = SentenceTransformer(self.source, device=self.device, **pinned)
        self.width = int(self.model.get_embedding_dimension() or 0)
        longest = self.model.max_seq_length
        self.context = min(self.config.window, int(longest) if longest and np.isfinite(longest) else self.config.window)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Embeddings: float32 [text, width]."""
        cut = [(owner, *window) for owner, text in enumerate(texts) for window in self.windows(text)]
        if not cut:
            return np.zeros((len(texts), self.width), np.float32)
        size = max(1, self.config.batch_tokens // self.context) if self.device == "cuda" else 1
        rows = self.model.encode([text for _, text, _ in cut], batch_size=size, show_progress_bar=False)
        return averaged(len(texts), [owner for owner, _, _ in cut], [tokens for _, _, tokens in cut], rows)

    def windows(self, text: str) -> Iterator[tuple[str, int]]:
        """The stretches of text that fill one context each, with their lengths in tokens."""
        tokenizer = self.model.tokenizer
        read = {"add_special_tokens": False, "return_offsets_mapping": True, "verbose": False}
        starts = [start for start, _ in tokenizer(text, **read)["offset_mapping"]]
        room = self.context - tokenizer.num_special_tokens_to_add()
        for place in islice(range(0, len(starts), room), self.config.windows):
            end = starts[place + room] if place + room < len(starts) else len(text)
            yield text[starts[place] : end], min(room, len(starts) - place)


class Model2Vec(Model):
    """The mean of a static vector for each token of the whole text."""

    needs = ("model2vec",)

    def open(self) -> None:
        from model2vec import StaticModel

        source = self.source
        if self.config.folder is None and self.config.revision:
            from huggingface_hub import snapshot_download

            source = snapshot_download(source, revision=self.config.revision)
        self.model = StaticModel.from_pretrained(source, force_download=False)
        self.width = int(self.model.dim)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Embeddings: float32 [text, width]."""
        if not texts:
            return np.zeros((0, self.width), np.float32)
        rows = self.model.encode(list(texts), max_length=None, use_multiprocessing=False)
        return np.asarray(rows, np.float32)


KINDS: dict[str, Callable[[Embed], Embedder]] = {
    "transformers": Transformers,
    "sentence-transformers": SentenceTransformers,
    "model2vec": Model2Vec,
}


def open_model(config: Embed) -> Embedder:
    """The embedder of a kind that runs a model."""
    return KINDS[config.kind](config)


@contextlib.contextmanager
def opening(name: str) -> Iterator[None]:
    """What any of the libraries says of a folder or name that it cannot open, as one line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # each library, and each that these rest on, has errors of its own
        said = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        way_out = "give a model folder, or OWNER/NAME with a network"
        raise InputError(f"{name}: cannot be opened ({said}); {way_out}") from None


def placed(config: Embed) -> tuple[str, torch.dtype]:
    """The device and the number format: float32 on a CPU, bfloat16 on CUDA. Sets the threads."""
    import torch

    if config.device == "cuda" and not torch.cuda.is_available():
        raise InputError("embedder.device 'cuda': torch finds none here; ask for 'cpu', or see `hornbook doctor`")
    torch.set_num_threads(config.threads)
    cuda = config.device != "cpu" and torch.cuda.is_available()
    return ("cuda", torch.bfloat16) if cuda else ("cpu", torch.float32)


def positions(model: Any) -> int:
    """How many tokens a model has places for; the kin of RoBERTa count theirs from behind the padding's."""
    most = getattr(model.config, "max_position_embeddings", None) or -1
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    return (most if padding is None else most - padding - 1) if most > 0 else np.iinfo(np.int64).max


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Places in batches, longest first; a batch holds at most `budget` tokens with its padding, and one at least.

    >>> list(batches([3, 9, 4, 3], 8))
    [[1], [2, 0], [3]]
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if batch and (len(batch) + 1) * lengths[batch[0]] > budget:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def averaged(texts: int, owners: Sequence[int], weights: Sequence[int], rows: np.ndarray) -> np.ndarray:
    """The mean of each text's windows by weight: float32 [text, width]; zero where a text has none."""
    if not np.isfinite(rows).all():
        raise InputError("the embedder's model gives numbers that are not finite; try another model, or device: cpu")
    total = np.zeros((texts, rows.shape[1]))
    np.add.at(total, list(owners), rows * np.asarray(weights, np.float64)[:, None])
    counts = np.bincount(owners, weights, minlength=texts) if len(owners) else np.ones(texts)
    return (total / np.maximum(counts, 1)[:, None]).astype(np.float32)
