"""One byte-level BPE, shared by every arm of an experiment so that their likelihoods can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from hornbook.artifacts import Ledger
from hornbook.config import Config
from hornbook.records import scatter
from hornbook.tokens.texts import texts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

END_OF_TEXT = "<|endoftext|>"


class TrainTokenizer(Config):
    """`characters` bounds the sample taken from each dataset, so that the largest does not own the vocabulary."""

    vocab_size: int = Field(1024, ge=257)  # 256 bytes and the end-of-text token
    characters: int = Field(3_000_000, gt=0)


def train_tokenizer(config: TrainTokenizer, *, datasets: Mapping[str, Path], out: Path, ledger: Ledger) -> None:
    """Train a byte-level BPE on a seeded sample of every dataset and write it as a transformers tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    samples = [list(sample(folder, config.characters)) for _, folder in sorted(datasets.items())]
    tokenizer.train_from_iterator((text for part in samples for text in part), trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END_OF_TEXT, bos_token=END_OF_TEXT, clean_up_tokenization_spaces=False
    )
    fast.save_pretrained(out)
    ledger.rows_in = ledger.rows_out = sum(len(part) for part in samples)
    ledger.figures = {"vocab_size": len(fast), "characters": sum(len(text) for part in samples for text in part)}


def sample(folder: Path, characters: int) -> Iterator[str]:
    """Texts of a dataset in an order fixed by their ids' hashes, up to `characters` in all."""
    taken = 0
    for _, text in sorted(texts(folder), key=lambda row: scatter("tokenizer", row[0])):
        if taken >= characters:
            return
        taken += len(text)
        yield text


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Load the tokenizer that stands in an artifact or model folder."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def encode(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    """Token ids of a text and nothing added; a text that spells out end-of-text does not become the token."""
    return list(tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True, verbose=False))
