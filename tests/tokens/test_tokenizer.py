"""The shared tokenizer: the same bytes every time, nothing lost, nobody's text taken for a command."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hornbook.artifacts import Ledger
from hornbook.errors import InputError
from hornbook.records import Document, Exercise, Provenance, Verdict, write_dataset
from hornbook.tokens.texts import texts
from hornbook.tokens.tokenizer import END_OF_TEXT, TrainTokenizer, load_tokenizer, train_tokenizer

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@cache
def loaded(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def documents(folder: Path, *rows: str) -> Path:
    write_dataset(folder, [Document(f"{n:03}", text, "s", "p") for n, text in enumerate(rows)], Document)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def trained(out: Path, datasets: dict[str, Path], **values: Any) -> Ledger:
    ledger = Ledger()
    out.mkdir()
    train_tokenizer(TrainTokenizer(**values), datasets=datasets, out=out, ledger=ledger)
    return ledger


def test_training_twice_gives_the_same_bytes_in_whatever_order_datasets_are_named(corpus: Path, tmp_path: Path) -> None:
    other = documents(tmp_path / "other", "import os\n", "import sys\n")
    for name, datasets in {"one": {"a": corpus, "b": other}, "two": {"b": other, "a": corpus}}.items():
        trained(tmp_path / name, datasets, vocab_size=290)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_it_has_the_size_asked_for_and_end_of_text_as_both_its_ends(tokenizer: Path) -> None:
    found = loaded(tokenizer)
    assert len(found) == 300
    assert found.eos_token == found.bos_token == END_OF_TEXT


def test_newline_and_indentation_are_one_token_as_in_programs(tokenizer: Path) -> None:
    assert "Ċ" + 3 * "Ġ" in loaded(tokenizer).get_vocab()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=ANY_TEXT)
def test_any_text_comes_back_unchanged(tokenizer: Path, text: str) -> None:
    found = loaded(tokenizer)
    assert found.decode(found.encode(text, add_special_tokens=False)) == text


def test_a_dataset_gives_no_more_characters_than_its_bound(tmp_path: Path) -> None:
    large = documents(tmp_path / "large", *(f"{n:09}\n" for n in range(100)))
    small = documents(tmp_path / "small", "x = 1\n")
    ledger = trained(tmp_path / "out", {"large": large, "small": small}, vocab_size=260, characters=25)
    assert ledger.rows_in == 4  # 10 + 10 + 10 characters pass 25; the small one gives all it has
    assert ledger.figures["characters"] == 36


def test_the_text_of_an_exercise_is_prompt_and_solution(tmp_path: Path) -> None:
    row = Exercise("i", "f", "def f():\n", "    return 1\n", "tests", "t", [], [], Provenance("hand"))
    write_dataset(tmp_path / "exercises", [row], Exercise)
    assert list(texts(tmp_path)) == [("i", "def f():\n    return 1\n")]


def test_rows_that_are_no_training_text_are_refused_with_what_was_found(tmp_path: Path) -> None:
    write_dataset(tmp_path, [Verdict("t", 0, "passed")], Verdict)
    with pytest.raises(InputError, match=r"need 'id' and either 'text' or 'prompt' and 'solution'; found \['task_id'"):
        list(texts(tmp_path))


def test_load_tokenizer_reads_what_was_written(tokenizer: Path) -> None:
    assert load_tokenizer(tokenizer).eos_token_id == 0
