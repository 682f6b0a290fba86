"""Training on a person's own files: tokenizer, pack and student in one folder."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field

from hornbook.artifacts import Ledger
from hornbook.config import Config
from hornbook.errors import RequestError
from hornbook.tokens.pack import Pack, pack
from hornbook.tokens.tokenizer import TrainTokenizer, train_tokenizer
from hornbook.training.finetune import Finetune, finetune
from hornbook.training.pretrain import Pretrain, pretrain

WORK = "work"  # what is needed until the model is done: the pack, and a tokenizer of its own


class TrainAlone(Config):
    """What to train, on which mixture. `vocab_size` is for the tokenizer of a student that is given none.

    `weights`: dataset → share of the tokens. `context` in tokens, of packed sequences.
    """

    training: Pretrain | Finetune
    weights: dict[str, float] = Field(min_length=1)
    context: int = Field(256, gt=1)
    document_tokens: int | None = Field(None, gt=0)
    vocab_size: int = Field(1024, ge=257)


def pretrain_alone(
    config: TrainAlone, *, datasets: Mapping[str, Path], tokenizer: Path | None, out: Path, ledger: Ledger
) -> None:
    """Train a fresh student into `out`; a tokenizer is trained on the same texts unless one is given."""
    assert isinstance(config.training, Pretrain)
    work = out / WORK
    if tokenizer is None:
        tokenizer = work / "tokenizer"
        if not packed(work):
            settings = TrainTokenizer(vocab_size=config.vocab_size)
            train_tokenizer(settings, datasets=datasets, out=fresh(tokenizer), ledger=Ledger())
    prepare(config, datasets, tokenizer, work, ledger)
    pretrain(config.training, pack=work / "pack", tokenizer=tokenizer, out=out, ledger=ledger)
    shutil.rmtree(work)


def finetune_alone(config: TrainAlone, *, base: Path, datasets: Mapping[str, Path], out: Path, ledger: Ledger) -> None:
    """Train the model in `base` further into `out`."""
    assert isinstance(config.training, Finetune)
    prepare(config, datasets, base, out / WORK, ledger)
    finetune(config.training, base=base, pack=out / WORK / "pack", out=out, ledger=ledger)
    shutil.rmtree(out / WORK)


def prepare(config: TrainAlone, datasets: Mapping[str, Path], tokenizer: Path, work: Path, ledger: Ledger) -> None:
    """Pack the mixture, unless a killed try has packed it."""
    if not packed(work):
        settings = Pack(
            weights=config.weights,
            tokens=config.training.tokens,
            context=config.context,
            document_tokens=config.document_tokens,
            seed=config.training.seed,
        )
        pack(settings, datasets=datasets, tokenizer=tokenizer, out=fresh(work / "pack"), ledger=ledger)


def packed(work: Path) -> bool:
    """Whether the pack is whole: its description is written last."""
    return (work / "pack" / "pack.json").exists()


def fresh(folder: Path) -> Path:
    """An empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def mixture(data: Sequence[str]) -> tuple[dict[str, float], dict[str, Path]]:
    """Weights and paths by name, from `PATH` or `PATH=WEIGHT`; a name is the path's last part.

    Raises RequestError for a weight that is no positive number, a path that is not there, or one given twice.
    """
    weights, datasets = {}, {}
    for given in data:
        path, weight = split(given)
        name = path.resolve().name
        if name in datasets:
            raise RequestError(f"{given}: two datasets are named {name!r}; rename one")
        weights[name], datasets[name] = weight, path
    return weights, datasets


def split(given: str) -> tuple[Path, float]:
    """A path and its weight, which is 1 when none is given."""
    path, equals, text = given.rpartition("=")
    if Path(given).exists() or not equals:
        path, text = given, "1"
    if not Path(path).exists():
        raise RequestError(f"{given}: no such file or folder; give DATA or DATA=WEIGHT")
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    if not 0 < weight < float("inf"):
        raise RequestError(f"{given}: the weight {text!r} is not a positive number")
    return Path(path), weight
