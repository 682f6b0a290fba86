"""A corpus, a tokenizer and a student, each as small as it can be and still be real. Rooms' conftests import them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hornbook.artifacts import Ledger
from hornbook.records import Document, write_dataset

if TYPE_CHECKING:
    from hornbook.model.load import LanguageModel

NAMES = ("add", "shift", "scale", "clip", "wrap", "turn", "fold", "join", "split", "count")


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty small functions; "\\n    return" is everywhere, so that a tokenizer merges newline and indentation."""
    texts = [
        f'def {name}(x, y):\n    """{name.title()} x by y."""\n    return x + {n}\n\n\ndef test():\n    return {name}({n}, 1)\n'
        for n in range(3)
        for name in NAMES
    ]
    rows = [Document(f"{n:04}", text, "tiny", f"{n}.py", ["MIT"]) for n, text in enumerate(texts)]
    folder = tmp_path_factory.mktemp("corpus") / "documents"
    write_dataset(folder, rows, Document)
    return folder


@pytest.fixture(scope="session")
def tokenizer(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A byte-level BPE of 300 tokens over the corpus."""
    from hornbook.tokens.tokenizer import TrainTokenizer, train_tokenizer

    out = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(TrainTokenizer(vocab_size=300), datasets={"corpus": corpus}, out=out, ledger=Ledger())
    return out


@pytest.fixture(scope="session")
def student(tokenizer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained Phi of two layers, context 96. Its logits are spread out, so that no choice hangs on rounding."""
    import torch

    from hornbook.model.presets import Shape, build
    from hornbook.tokens.tokenizer import load_tokenizer

    torch.manual_seed(1)
    vocabulary = load_tokenizer(tokenizer)
    assert vocabulary.eos_token_id is not None
    shape = Shape(layers=2, width=32, mlp=64, heads=2, rotary_dim=8, context=96)
    model = build(shape, len(vocabulary), vocabulary.eos_token_id)
    with torch.no_grad():
        for matrix in (p for p in model.parameters() if p.dim() == 2):
            matrix *= 8
    out = tmp_path_factory.mktemp("student")
    model.save_pretrained(out)
    vocabulary.save_pretrained(out)
    return out


@pytest.fixture(scope="session")
def opened(student: Path) -> LanguageModel:
    """The student, opened for use."""
    from hornbook.model.load import load

    return load(student)
