"""The procedural exercise writer: families of small functions composed from parts, with computed expected values.

`compose` writes a training set and an examination. A behaviour (what a composition returns on its family's pool of
inputs) is held out or not by its own hash, so the two sides share no composition, wording variant or look-alike for any
pair of seeds. The expected values come from the parts' callables, and the solution's text is executed against them.
Tests are chosen so that the solution's neighbours and mutants fail them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from hornbook.config import Config
from hornbook.errors import InputError, RequestError
from hornbook.records import Exercise
from hornbook.synthesis.counting import editions
from hornbook.synthesis.families import FAMILIES, render
from hornbook.synthesis.families.base import Family, size
from hornbook.synthesis.writer import Writer

Breadth = Literal["basic", "full"]


class Procedural(Config):
    """What to write: `n` training exercises and `held_out` examination ones, spread evenly over `families`.

    `families` None means all of them. `breadth`: `basic` takes each family's few plain parts and its own style of
    solution, for the smallest students; `full` draws numbers, letters and words from ranges, chains conditions and
    steps, and tells solutions in several styles. `difficulty` None means any, else the levels wanted, as
    `styles.difficulty` measures them.
    """

    n: int = Field(gt=0)
    held_out: int = Field(default=0, ge=0)
    seed: int = Field(0, ge=0)
    families: list[str] | None = None
    breadth: Breadth = "full"
    difficulty: list[Literal[1, 2, 3]] | None = None


def families() -> list[str]:
    """The names of the families."""
    return list(FAMILIES)


def compose(config: Procedural) -> tuple[list[Exercise], list[Exercise]]:
    """The training exercises and the held-out ones: `stream`, gathered."""
    written = list(stream(config))
    return [e for e, held_out in written if not held_out], [e for e, held_out in written if held_out]


def stream(config: Procedural) -> Iterator[tuple[Exercise, bool]]:
    """Every exercise as it is written, with whether it is held out. Deterministic in the config.

    Every part of a held-out composition occurs in training. No training solution passes a held-out exercise's tests.
    Raises InputError for an unknown family, RequestError when there are fewer exercises to be had than asked for.
    """
    names = FAMILIES if config.families is None else dict.fromkeys(config.families)
    chosen = [family_named(name) for name in names]
    ceiling = sum(size(e) for family in chosen for e in editions(family, config.breadth)) * render.MOST_TELLINGS
    writer, written, held_out = Writer(config.seed, config.breadth, config.difficulty), 0, 0
    for exercise in writer.training(chosen, config.n) if config.n <= ceiling else ():
        written += 1
        yield exercise, False
    if written < config.n:
        raise RequestError(
            f"n: {config.n} exercises asked for, but these {len(chosen)} families yield at most "
            f"{written or ceiling}; lower n or add families"
        )
    for exercise in writer.examination(chosen, config.held_out):
        held_out += 1
        yield exercise, True
    if held_out < config.held_out:
        raise RequestError(
            f"held_out: {config.held_out} exercises asked for, but at most {held_out} have every part in the "
            f"{config.n} training exercises; lower held_out, or raise n"
        )


def family_named(name: str) -> Family:
    """The family of that name. Raises InputError with the nearest name."""
    if name in FAMILIES:
        return FAMILIES[name]
    near = difflib.get_close_matches(name, FAMILIES, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(FAMILIES)}"
    raise InputError(f"families: no family named {name!r}; {hint}")
