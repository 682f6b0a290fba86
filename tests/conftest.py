"""Fixtures of several rooms."""

from __future__ import annotations

from pathlib import Path

import pytest

from hornbook.artifacts import Ledger
from hornbook.records import Document, write_dataset
from hornbook.tokens.tokenizer import TrainTokenizer, train_tokenizer

pytest_plugins = ["runs"]

PROGRAMS = [
    "def add(a, b):\n    return a + b\n",
    "def largest(numbers):\n    best = numbers[0]\n    for number in numbers:\n        if number > best:\n            best = number\n    return best\n",
    "class Stack:\n    def __init__(self):\n        self.items = []\n\n    def push(self, item):\n        self.items.append(item)\n",
]


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of three small programs."""
    folder = tmp_path_factory.mktemp("corpus") / "documents"
    write_dataset(folder, [Document(f"{n:03}", text, "s", "p") for n, text in enumerate(PROGRAMS)], Document)
    return folder


@pytest.fixture(scope="session")
def tokenizer(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer of 300 tokens trained on `corpus`."""
    out = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(TrainTokenizer(vocab_size=300), datasets={"corpus": corpus}, out=out, ledger=Ledger())
    return out
