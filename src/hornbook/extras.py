"""The optional parts of an installation, and what a person who lacks one is told."""

from __future__ import annotations

import importlib.util

from hornbook.errors import RequestError

EXTRAS = {
    "train": ("accelerate", "safetensors", "tokenizers", "torch", "transformers"),
    "embed": ("model2vec", "sentence_transformers", "torch", "transformers"),
    "endpoint": ("openai",),
    "ray": ("ray",),
    "lm-eval": ("lm_eval",),
    "dev": ("pytest", "hypothesis", "mypy"),
}


def missing(extra: str) -> list[str]:
    """The modules of an extra that are not installed. Nothing is imported."""
    return [name for name in EXTRAS[extra] if importlib.util.find_spec(name) is None]


def require(extra: str, *modules: str) -> None:
    """Raise RequestError, before any work is done, when a module of an extra is not installed.

    `modules`: those of the extra that this work needs; all when none is named.
    """
    if lacking := [name for name in missing(extra) if name in (modules or EXTRAS[extra])]:
        raise RequestError(f"this needs {', '.join(lacking)}; install the extra with: pip install 'hornbook[{extra}]'")
