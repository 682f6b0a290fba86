"""Weighted mixtures of datasets, packed into one array of tokens.

As in phi-1 §2.3: all texts are concatenated with the end-of-text token between them, then cut to the context length.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from hornbook.artifacts import Ledger, read_json, write_json
from hornbook.config import Config
from hornbook.errors import InputError
from hornbook.progress import Meter
from hornbook.records import scatter
from hornbook.tokens.texts import texts
from hornbook.tokens.tokenizer import encode, load_tokenizer


class Pack(Config):
    """`weights`: dataset → share of the tokens (they are normalised). `tokens`: how many in all.

    A dataset smaller than its share is repeated, in a new order each epoch; `index.parquet` shows it and the manifest
    counts the epochs. `document_tokens`: take at most so many from the beginning of each text, so that a few long files
    do not fill a small budget; None takes all.
    """

    weights: dict[str, float] = Field(min_length=1)
    tokens: int = Field(gt=0)
    context: int = Field(256, gt=1)
    document_tokens: int | None = Field(None, gt=0)
    seed: int = Field(0, ge=0)


@dataclass(frozen=True)
class Piece:
    """One text, encoded, end-of-text included. `order` places it within the shuffled mixture."""

    id: str
    part: str
    order: bytes
    tokens: list[int]


def pack(config: Pack, *, datasets: Mapping[str, Path], tokenizer: Path, out: Path, ledger: Ledger) -> None:
    """Write `tokens.bin` (little-endian uint16 or uint32), `index.parquet` (id, start, length, part) and `pack.json`.

    Raises InputError when a weight names no dataset, is not positive or too small for a token, or its dataset is empty.
    """
    pieces: list[Piece] = []
    for part, share in shares(config.weights, datasets).items():
        chosen = list(fill(part, datasets[part], tokenizer, round(share * config.tokens), config))
        if not chosen:
            raise InputError(f"its weight gives {part!r} none of the {config.tokens} tokens; raise it or leave it out")
        taken = sum(len(piece.tokens) for piece in chosen)
        unique: dict[str, int] = {}
        for piece in chosen:  # the last one is cut
            unique[piece.id] = max(unique.get(piece.id, 0), len(piece.tokens))
        ledger.figures[part] = {
            "tokens": taken,
            "documents": len(unique),
            "epochs": round(taken / sum(unique.values()), 3),
        }
        pieces.extend(chosen)
    pieces.sort(key=lambda piece: piece.order)
    write_pack(out, pieces, config, len(load_tokenizer(tokenizer)))
    ledger.rows_in = ledger.rows_out = len(pieces)
    ledger.tokens = sum(len(piece.tokens) for piece in pieces)


def shares(weights: Mapping[str, float], datasets: Mapping[str, Path]) -> dict[str, float]:
    """Normalised weights, in name order."""
    for name, weight in weights.items():
        if name not in datasets:
            raise InputError(f"mixture weight {name!r} names no dataset; there are {', '.join(sorted(datasets))}")
        if weight <= 0:
            raise InputError(f"mixture weight {name!r} is {weight}; give a positive number or leave the dataset out")
    total = sum(weights.values())
    return {name: weights[name] / total for name in sorted(weights)}


def fill(part: str, folder: Path, tokenizer: Path, budget_tokens: int, config: Pack) -> Iterator[Piece]:
    """Yield encoded texts of one dataset until the budget is met, in a seeded order, epoch after epoch."""
    rows = dict(texts(folder))
    if not rows:
        raise InputError(f"dataset {part!r} ({folder.name}) is empty; nothing to put into the mixture")
    encoder, taken, epoch = load_tokenizer(tokenizer), 0, 0
    with Meter(f"pack {part}", budget_tokens, "tokens") as meter:
        while taken < budget_tokens:
            for row_id in sorted(rows, key=lambda name: scatter((config.seed, epoch), name)):
                tokens = encode(encoder, rows[row_id])[: config.document_tokens]
                piece = [*tokens[: budget_tokens - taken - 1], encoder.eos_token_id]
                taken += len(piece)
                meter.advance(len(piece))
                yield Piece(row_id, part, scatter((config.seed, epoch, part), row_id), piece)
                if taken >= budget_tokens:
                    return
            epoch += 1


def write_pack(out: Path, pieces: list[Piece], config: Pack, vocab_size: int) -> None:
    """Write the three files. The index leads from any position in the array back to a row of a dataset."""
    kind = "<u2" if vocab_size <= 65_536 else "<u4"
    lengths = np.array([len(piece.tokens) for piece in pieces], dtype=np.int64)
    np.concatenate([np.asarray(piece.tokens, dtype=kind) for piece in pieces]).tofile(out / "tokens.bin")
    index = {
        "id": [piece.id for piece in pieces],
        "start": np.concatenate([[0], np.cumsum(lengths)[:-1]]),
        "length": lengths,
        "part": [piece.part for piece in pieces],
    }
    pq.write_table(pa.table(index), out / "index.parquet", compression="zstd")
    write_json(out / "pack.json", {"dtype": kind, "tokens": int(lengths.sum()), "context": config.context})


def open_pack(folder: Path) -> tuple[np.ndarray, int]:
    """The packed array, memory-mapped and cut to sequences [sequence, context], and the context length in tokens."""
    about = read_json(folder / "pack.json")
    context = int(about["context"])
    array = np.memmap(folder / "tokens.bin", dtype=about["dtype"], mode="r")
    if len(array) < context:
        raise InputError(f"{folder}: {len(array)} tokens are fewer than one context of {context}; pack more tokens")
    return array[: len(array) // context * context].reshape(-1, context), context
