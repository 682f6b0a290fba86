"""A model folder copied for others, and what its files say of it."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hornbook.artifacts import read_json, read_manifest, write_json
from hornbook.errors import InputError
from hornbook.export.lineage import Link
from hornbook.export.training import mixtures

FILES = (
    "config.json",
    "generation_config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "loss.jsonl",
)
ORIGINS = ("_name_or_path", "name_or_path")  # where a file was loaded from: a place on this machine
MEASURES = {
    "bits_per_byte": "bits per byte",
    "parse_rate": "answers that parse",
    "execute_rate": "answers that execute",
    "gold_over_mutants": "gold likelier than mutant",
}
SETTINGS = """
tokens learning_rate schedule warmup_steps batch_sequences weight_decay betas eps clip_norm precision seed
"""


def copy_model(folder: Path, out: Path) -> None:
    """Copy what `from_pretrained` loads, and the loss log."""
    for path in sorted({path for pattern in FILES for path in folder.glob(pattern)}):
        shutil.copyfile(path, out / path.name)
        if path.suffix == ".json" and path.name.endswith("config.json"):
            about = read_json(path)
            if any(name in about for name in ORIGINS):
                write_json(out / path.name, {name: value for name, value in about.items() if name not in ORIGINS})


def about_model(made: Link) -> dict[str, Any]:
    """Shape, training and examinations of a model, each figure from its files and manifests."""
    shape = read_json(made.folder / "config.json")
    return {
        "architecture": (shape.get("architectures") or [shape.get("model_type", "")])[0],
        "parameters": parameters(made.folder),
        "context": shape.get("max_position_embeddings"),
        "vocabulary": shape.get("vocab_size"),
        "layers": shape.get("num_hidden_layers"),
        "width": shape.get("hidden_size"),
        "heads": shape.get("num_attention_heads"),
        "trainings": [training(*pair) for pair in mixtures(made)],
        "examinations": list(examinations(made)),
    }


def parameters(folder: Path) -> int:
    """How many numbers the weights hold, from the headers of the safetensors files."""
    return sum(math.prod(tensor["shape"]) for path in sorted(folder.glob("*.safetensors")) for tensor in header(path))


def header(path: Path) -> Iterator[dict[str, Any]]:
    """What a safetensors file says of its tensors: eight bytes of length, then JSON."""
    try:
        with path.open("rb") as stream:
            about = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        yield from (tensor for name, tensor in about.items() if name != "__metadata__")
    except (OSError, ValueError, AttributeError, OverflowError, MemoryError):
        raise InputError(f"{path}: not readable as safetensors; train the model again") from None


def training(link: Link, mixture: list[Any]) -> dict[str, Any]:
    """One training: its settings, its mixture, and the losses it went through."""
    config = link.manifest.get("config") or {}
    config = config.get("training", config)
    parts = [{"name": part.name, "documents": None, "tokens": None, "epochs": None, **part.figures} for part in mixture]
    return {
        "stage": link.id,
        "settings": {name: config[name] for name in SETTINGS.split() if config.get(name) is not None},
        "tokens": link.manifest.get("tokens"),
        "mixture": parts,
        **{name: link.figures.get(name) for name in ("steps", "first_loss", "last_loss")},
    }


def examinations(made: Link) -> Iterator[dict[str, Any]]:
    """The results of every examination, in the same workdir, of this very model: a measure of a benchmark a row."""
    for folder in sorted(made.folder.parent.glob("evaluate-*")):
        given = ((read_manifest(folder) or {}).get("inputs") or {}).get("model") or {}
        if given.get("digest") != made.manifest.get("digest") or not (folder / "results.json").exists():
            continue
        for benchmark, results in read_json(folder / "results.json")["benchmarks"].items():
            estimates = {f"pass@{k}": found for k, found in (results.get("pass_at_k") or {}).items()}
            estimates |= {label: results[name] for name, label in MEASURES.items() if results.get(name)}
            about = {"benchmark": Path(benchmark).name, "problems": results.get("problems")}
            yield from ({**about, "measure": name, **found} for name, found in estimates.items())
