"""What `curate` does to a corpus, step by step, as its own docstrings say it: for `hornbook curate --explain-rules`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from hornbook.corpus.curate import Curate, near_text, refused_licenses, same_text
from hornbook.corpus.headers import notice
from hornbook.corpus.redact import FINDERS
from hornbook.corpus.rules import RULES, TO_PARSE, TO_READ


def explained(config: Curate) -> list[dict[str, Any]]:
    """Every rule in the order in which it is asked: `reason` (its name), `does` (refuse, strip or redact),
    `explanation`, `settings` (the thresholds it reads, with their values) and `on` (whether it does anything)."""
    return [{"reason": name, "does": does, **about, "on": on} for name, does, about, on in steps(config)]


def steps(config: Curate) -> Iterator[tuple[str, str, dict[str, Any], bool]]:
    """Name, effect, description and whether it is on, of every step."""
    later = [name for name in RULES if name not in TO_READ + TO_PARSE]
    for name in TO_READ:
        yield name, "refuse", described(RULES[name], config), True
    yield "license-header", "strip", described(notice, config), config.strip_license_headers
    for name in later:
        yield name, "refuse", described(RULES[name], config), True
    for kind, finder in FINDERS.items():
        yield kind, "redact", described(finder, config, "redact"), kind in config.redacted_kinds
    for name in TO_PARSE:
        yield name, "refuse", described(RULES[name], config), True
    yield "license", "refuse", described(refused_licenses, config), config.licenses is not None
    yield "exact-duplicate", "refuse", described(same_text, config), True
    yield "near-duplicate", "refuse", described(near_text, config), True


def described(rule: Any, config: Curate, *more: str) -> dict[str, Any]:
    """A rule's docstring as one paragraph, and the settings that it names in backticks."""
    text = " ".join((inspect.getdoc(rule) or "").split())
    names = [*re.findall(r"`(\w+)`", text), *more]
    return {"explanation": text, "settings": {name: getattr(config, name) for name in names if name in fields(config)}}


def fields(config: Curate) -> set[str]:
    """The names of all settings."""
    return set(type(config).model_fields)
