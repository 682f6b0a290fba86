"""Lists of words that are facts rather than code, one text file each."""

from __future__ import annotations

from importlib import resources


def listed(name: str) -> frozenset[str]:
    """The words of a list, which white space separates."""
    return frozenset(resources.files(__name__).joinpath(f"{name}.txt").read_text("utf-8").split())
