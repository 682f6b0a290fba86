"""Embedders: a file of Python as the numbers that a classifier reads. One protocol, four kinds behind it.

The packaged one is a file's shape and its meaning side by side, offline, without a model. The other three are models
of a person's choice (`models.py`): the paper's is CodeGen's last hidden state (phi-1 §2.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from pydantic import Field, model_validator

from hornbook.artifacts import digest_bytes, digest_folder, digest_json
from hornbook.collector import collector_off
from hornbook.config import Config, operational
from hornbook.errors import InputError
from hornbook.quality.features import SHAPE, shape
from hornbook.quality.meaning import DIRECTIONS, FILE, meaning

NAMES = SHAPE + tuple(f"direction {number}" for number in range(DIRECTIONS))
VERSION = 1  # of what the kinds that run a model make of it; raise it when their numbers change
DEFAULTS = {
    "packaged": "",
    "transformers": "Salesforce/codegen-350M-mono",
    "sentence-transformers": "sentence-transformers/all-MiniLM-L6-v2",
    "model2vec": "minishlab/potion-base-8M",
}
READ = {  # the settings that each kind reads
    "packaged": (),
    "transformers": ("model", "revision", "window", "windows", "device", "threads", "batch_tokens"),
    "sentence-transformers": ("model", "revision", "window", "windows", "device", "threads", "batch_tokens"),
    "model2vec": ("model", "revision"),
}
SHAPING = ("kind", "model", "revision", "window", "windows")  # the settings that make it another embedder


class Embedder(Protocol):
    """Texts as numbers. `name` is for people; `width`: how many numbers a text has; `digest`: of all that shapes them.

    Two embedders with one digest give the same numbers on the same device.
    """

    @property
    def name(self) -> str: ...
    @property
    def width(self) -> int: ...
    @property
    def digest(self) -> str: ...

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Embeddings: float32 [text, width]."""


class Embed(Config):
    """Which embedder. `model`: a folder, or OWNER/NAME on the model hub, where `revision` pins a commit.

    A text is read in windows of `window` tokens, or of the model's context where that is less, of which the first
    `windows` count (None: all); model2vec knows no windows. On a CPU windows go through the model one by one, so that
    `batch_tokens` matters on CUDA alone, where it moves the last bits of bfloat16.
    """

    kind: Literal["packaged", "transformers", "sentence-transformers", "model2vec"] = "packaged"
    model: str = ""
    revision: str = ""
    window: int = Field(2048, ge=8)
    windows: int | None = Field(None, gt=0)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(2, gt=0)
    batch_tokens: int = operational(32_768, gt=0)

    @model_validator(mode="after")
    def reads_what_is_set(self) -> Embed:
        """A setting that this kind does not read must be left alone."""
        for name, field in type(self).model_fields.items():
            if name not in ("kind", *READ[self.kind]) and getattr(self, name) != field.default:
                raise ValueError(f"{name}: the {self.kind} embedder does not read it; leave it out")
        return self

    @property
    def named(self) -> str:
        """The model's folder or name, the kind's own where none is given."""
        return self.model or DEFAULTS[self.kind]

    @property
    def folder(self) -> Path | None:
        """The model's folder on this machine; None for a name on the hub."""
        path = Path(self.named).expanduser()
        return path if path.is_dir() else None

    def shaping(self) -> dict[str, Any]:
        """The settings that make it another embedder, as plain data: what a classifier remembers."""
        return {name: getattr(self, name) for name in SHAPING} | {"model": self.named}


@dataclass(frozen=True)
class Packaged:
    """Shape before meaning: `NAMES`."""

    name: str = "packaged"
    width: int = len(NAMES)

    @property
    def digest(self) -> str:
        """Of the features' names and the packaged directions."""
        return packaged_digest()

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Embeddings: float32 [text, len(NAMES)]."""
        return embed(texts)


def embed(texts: Sequence[str]) -> np.ndarray:
    """Packaged embeddings of many texts: float32 [text, len(NAMES)], shape before meaning."""
    with collector_off():
        rows = [np.concatenate([shape(text), meaning(text)]) for text in texts]
    return np.stack(rows) if rows else np.zeros((0, len(NAMES)), np.float32)


@cache
def packaged_digest() -> str:
    """Digest of what the packaged embedder reads."""
    directions = resources.files("hornbook.quality").joinpath(FILE).read_bytes()
    return digest_json([VERSION, "packaged", list(NAMES), digest_bytes(directions)])


def digest_of(config: Embed) -> str:
    """Digest of all that shapes an embedder's numbers, without opening it: settings and a model folder's content.

    A model of the hub is known by its name and revision. Raises InputError when a named folder is not there.
    """
    if config.kind == "packaged":
        return packaged_digest()
    named = Path(config.named)
    if config.folder is None and (config.named.count("/") != 1 or named.parent.is_dir()):
        raise InputError(f"{config.named}: no such model folder (a model of the hub is named OWNER/NAME)")
    content = {"model": folder_digest(config.folder), "revision": ""} if config.folder else {}
    return digest_json([VERSION, config.shaping() | content])


def folder_digest(folder: Path) -> str:
    """Digest of a model folder, remembered while its files have the same sizes and times: there may be gigabytes."""
    files = sorted(path for path in folder.resolve().rglob("*") if path.is_file())
    return remembered(folder.resolve(), tuple((path, (at := path.stat()).st_size, at.st_mtime_ns) for path in files))


@cache
def remembered(folder: Path, files: tuple[tuple[Path, int, int], ...]) -> str:  # noqa: ARG001
    """Digest of a folder whose files are these."""
    return digest_folder(folder)


def name_of(config: Embed) -> str:
    """An embedder for people: its kind and its model."""
    return " ".join([config.kind, config.named]).strip()


def open_embedder(config: Embed) -> Embedder:
    """The embedder, ready. Raises InputError when its model cannot be opened, RequestError when an extra is missing."""
    if config.kind == "packaged":
        return Packaged()
    from hornbook.quality.models import open_model

    return open_model(config)


def open_for(made_for: tuple[Embed, str], asked: Embed | None = None) -> Embedder:
    """The embedder that a classifier was made for, given as (settings, digest).

    `asked`: the one that a person names, which must be the same. Raises InputError, naming both, when it is not, or
    when a model folder is no longer what it was.
    """
    settings, digest = made_for
    config = asked or settings
    if digest_of(config) != digest:
        changed = name_of(config) == name_of(settings)
        found = "this one has other files or settings" if changed else f"this is {name_of(config)!r}"
        raise InputError(f"the classifier was made for the embedder {name_of(settings)!r}, and {found}; train it again")
    return open_embedder(config)
