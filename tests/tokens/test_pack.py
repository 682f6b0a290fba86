"""Packing: every token leads back to its document, the weights are the shares, and every epoch is counted."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hornbook.artifacts import Ledger, write_json
from hornbook.errors import InputError
from hornbook.records import Document, write_dataset
from hornbook.tokens.pack import Pack, Piece, open_pack, pack, write_pack
from hornbook.tokens.tokenizer import load_tokenizer

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
BYTEWISE = "\u0416"  # two bytes and no merge, so two tokens a letter


def documents(folder: Path, *rows: str) -> Path:
    write_dataset(folder, [Document(f"{n:03}", text, "s", "p") for n, text in enumerate(rows)], Document)
    return folder


def packed(
    out: Path, tokenizer: Path, datasets: dict[str, Path], **values: Any
) -> tuple[np.ndarray, list[dict[str, Any]], Ledger]:
    """All tokens, the index, the ledger."""
    out.mkdir()
    ledger = Ledger()
    settings = {"weights": dict.fromkeys(datasets, 1.0), "context": 2} | values
    pack(Pack(**settings), datasets=datasets, tokenizer=tokenizer, out=out, ledger=ledger)
    tokens = np.fromfile(out / "tokens.bin", dtype="<u2")
    return tokens, pq.read_table(out / "index.parquet").to_pylist(), ledger


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.lists(st.lists(ANY_TEXT, min_size=1, max_size=3), min_size=1, max_size=2),
    budget=st.integers(8, 150),
    seed=st.integers(0, 3),
)
def test_every_span_of_the_index_is_its_document_and_end_of_text(
    tokenizer: Path, parts: list[list[str]], budget: int, seed: int
) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        texts = {f"part{n}": rows for n, rows in enumerate(parts)}
        datasets = {part: documents(root / part, *rows) for part, rows in texts.items()}
        tokens, index, _ = packed(root / "out", tokenizer, datasets, tokens=budget, seed=seed)
    decoder, at, cut = load_tokenizer(tokenizer), 0, dict.fromkeys(datasets, 0)
    for row in index:
        assert row["start"] == at
        at += row["length"]
        span = tokens[row["start"] : at]
        assert span[-1] == decoder.eos_token_id
        text, written = decoder.decode(span[:-1]), texts[row["part"]][int(row["id"])]
        if text != written:
            cut[row["part"]] += 1
            assert written.startswith(text.rstrip("\ufffd"))
    assert at == len(tokens)
    assert max(cut.values()) <= 1  # only the last piece that a dataset gives may be cut


def test_a_document_that_names_the_end_of_text_token_does_not_end_there(tokenizer: Path, tmp_path: Path) -> None:
    text = 'END = "<|endoftext|>"\n'
    size = len(text)  # more tokens than there are
    tokens, index, _ = packed(
        tmp_path / "out", tokenizer, {"a": documents(tmp_path / "a", text)}, tokens=size, context=2
    )
    eos = load_tokenizer(tokenizer).eos_token_id
    assert list(tokens[: index[0]["length"]]).count(eos) == 1


def test_the_cut_last_document_still_ends_in_end_of_text(tokenizer: Path, tmp_path: Path) -> None:
    tokens, index, _ = packed(
        tmp_path / "out", tokenizer, {"a": documents(tmp_path / "a", BYTEWISE * 10)}, tokens=7, context=2
    )
    assert [row["length"] for row in index] == [7]
    assert [position for position, token in enumerate(tokens) if token == 0] == [6]


def test_weights_are_the_shares_of_tokens(tokenizer: Path, tmp_path: Path) -> None:
    datasets = {"a": documents(tmp_path / "a", "x = 1\n" * 9), "b": documents(tmp_path / "b", "y = 2\n", "z\n")}
    _, index, ledger = packed(tmp_path / "out", tokenizer, datasets, weights={"a": 6, "b": 2}, tokens=400)
    taken = {part: sum(row["length"] for row in index if row["part"] == part) for part in datasets}
    assert taken == {"a": 300, "b": 100}
    assert {part: ledger.figures[part]["tokens"] for part in datasets} == taken
    assert ledger.tokens == 400


def test_epochs_are_counted_by_whole_documents_though_the_last_is_cut(tokenizer: Path, tmp_path: Path) -> None:
    rows = BYTEWISE * 4 + "!", BYTEWISE * 2 + "!"  # 9 + 1 and 5 + 1 tokens
    _, _, ledger = packed(tmp_path / "out", tokenizer, {"a": documents(tmp_path / "a", *rows)}, tokens=40)
    assert ledger.figures["a"] == {"tokens": 40, "documents": 2, "epochs": 2.5}


def test_each_epoch_takes_every_document_before_any_a_second_time(tokenizer: Path, tmp_path: Path) -> None:
    rows = [f"{n}" for n in range(8)]  # two tokens each
    _, index, _ = packed(tmp_path / "out", tokenizer, {"a": documents(tmp_path / "a", *rows)}, tokens=40)
    times = sorted([row["id"] for row in index].count(f"{n:03}") for n in range(8))
    assert times == [2, 2, 2, 2, 3, 3, 3, 3]


def test_the_seed_decides_the_order_and_nothing_else(tokenizer: Path, tmp_path: Path) -> None:
    datasets = {"a": documents(tmp_path / "a", *(f"{n}" for n in range(10)))}
    first, again, other = (
        packed(tmp_path / f"out{n}", tokenizer, datasets, tokens=20, seed=seed)[1] for n, seed in enumerate((5, 5, 6))
    )
    assert first == again
    assert [row["id"] for row in first] != [row["id"] for row in other]
    assert {row["id"] for row in first} == {row["id"] for row in other}


def test_the_seed_decides_which_documents_a_part_of_an_epoch_takes(tokenizer: Path, tmp_path: Path) -> None:
    datasets = {"a": documents(tmp_path / "a", *(f"{n}" for n in range(10)))}
    taken = [
        {row["id"] for row in packed(tmp_path / f"out{seed}", tokenizer, datasets, tokens=8, seed=seed)[1]}
        for seed in range(4)
    ]
    assert all(len(ids) == 4 for ids in taken)
    assert len(set(map(frozenset, taken))) > 1


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"b": 1.0}, "'b' names no dataset; there are a"),
        ({"a": 0.0}, "'a' is 0.0; give a positive number"),
        ({"a": -1.0}, "'a' is -1.0; give a positive number"),
        ({"a": 1e-9, "empty": 1.0}, "gives 'a' none of the 10 tokens"),
    ],
)
def test_weights_that_cannot_be_met_are_refused(
    tokenizer: Path, tmp_path: Path, weights: dict[str, float], message: str
) -> None:
    datasets = {"a": documents(tmp_path / "a", "x")} | ({"empty": tmp_path} if "empty" in weights else {})
    with pytest.raises(InputError, match=message):
        packed(tmp_path / "out", tokenizer, datasets, weights=weights, tokens=10)


def test_an_empty_dataset_is_refused_by_name(tokenizer: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"dataset 'a' \(rows\) is empty"):
        packed(tmp_path / "out", tokenizer, {"a": documents(tmp_path / "rows")}, tokens=10)


@pytest.mark.parametrize(("vocab_size", "kind", "width"), [(65_536, "<u2", 2), (65_537, "<u4", 4)])
def test_tokens_take_two_bytes_as_long_as_they_fit(tmp_path: Path, vocab_size: int, kind: str, width: int) -> None:
    ids = [0, 1, vocab_size - 1, 7]
    write_pack(tmp_path, [Piece("i", "a", b"", ids)], Pack(weights={"a": 1}, tokens=4, context=4), vocab_size)
    assert (tmp_path / "tokens.bin").stat().st_size == 4 * width
    sequences, context = open_pack(tmp_path)
    assert (sequences.tolist(), context) == ([ids], 4)


def raw_pack(folder: Path, count: int, context: int) -> Path:
    np.arange(count, dtype="<u2").tofile(folder / "tokens.bin")
    write_json(folder / "pack.json", {"dtype": "<u2", "tokens": count, "context": context})
    return folder


def test_the_array_is_cut_to_whole_contexts(tmp_path: Path) -> None:
    sequences, context = open_pack(raw_pack(tmp_path, 25, 10))
    assert context == 10
    assert sequences.tolist() == [[*range(10)], [*range(10, 20)]]


def test_fewer_tokens_than_one_context_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="9 tokens are fewer than one context of 10"):
        open_pack(raw_pack(tmp_path, 9, 10))
