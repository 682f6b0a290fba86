"""The procedural exercise writer: families of small functions composed from parts, with computed expected values.

`compose` writes a training set and an examination. A behaviour (what a composition returns on its family's pool of
inputs) is held out or not by its own hash, so the two sides share no composition, wording variant or look-alike for any
pair of seeds. The expected values come from the parts' callables, and the solution's text is executed against them.
"""

from __future__ import annotations

import difflib
import json
import random
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
from pydantic import Field

from hornbook.config import Config
from hornbook.errors import InputError, RequestError
from hornbook.records import Exercise, Provenance, content_id
from hornbook.synthesis.families import FAMILIES, render
from hornbook.synthesis.families.base import Composition, Family, at, size
from hornbook.synthesis.families.pools import POOL
from hornbook.synthesis.families.probe import Marks, Probe

EXAMPLES = 0.2  # share of docstrings that show a computed example
DRAWS = 200_000  # compositions of one family looked at before it counts as used up


class Procedural(Config):
    """What to write: `n` training exercises and `held_out` examination ones, spread evenly over `families`.

    `families` None means all of them.
    """

    n: int = Field(gt=0)
    held_out: int = Field(default=0, ge=0)
    seed: int = Field(0, ge=0)
    families: list[str] | None = None


def families() -> list[str]:
    """The names of the families."""
    return list(FAMILIES)


def count_compositions() -> dict[str, int]:
    """Family → how many allowed ways there are to fill its slots."""
    return {
        name: sum(family.allowed(at(family, i).choice) for i in range(size(family)))
        for name, family in FAMILIES.items()
    }


def compose(config: Procedural) -> tuple[list[Exercise], list[Exercise]]:
    """The training exercises and the held-out ones. Deterministic in the config.

    Every part of a held-out composition occurs in training. No training solution passes a held-out exercise's tests.
    Raises InputError for an unknown family, RequestError when there are fewer exercises to be had than asked for.
    """
    names = FAMILIES if config.families is None else dict.fromkeys(config.families)
    chosen = [family_named(name) for name in names]
    ceiling = sum(size(family) * render.MOST_TELLINGS for family in chosen)
    writer = Writer(config.seed)
    training = writer.training(chosen, config.n) if config.n <= ceiling else []
    if len(training) < config.n:
        raise RequestError(
            f"n: {config.n} exercises asked for, but these {len(chosen)} families yield at most "
            f"{len(training) or ceiling}; lower n or add families"
        )
    held_out = writer.examination(chosen, config.held_out)
    if len(held_out) < config.held_out:
        raise RequestError(
            f"held_out: {config.held_out} exercises asked for, but at most {len(held_out)} have every part in the "
            f"{config.n} training exercises; lower held_out, or raise n"
        )
    return training, held_out


def family_named(name: str) -> Family:
    """The family of that name. Raises InputError with the nearest name."""
    if name in FAMILIES:
        return FAMILIES[name]
    near = difflib.get_close_matches(name, FAMILIES, 1, 0.0)[0]
    raise InputError(f"families: no family named {name!r}; did you mean {near!r}?")


class Writer:
    """Writes both sides, keeping account of the names, docstrings, parts and behaviours used so far."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.names: set[str] = set()
        self.texts: set[str] = set()
        self.parts: set[str] = set()
        self.marks: dict[str, list[Marks]] = {}

    def training(self, chosen: list[Family], n: int) -> list[Exercise]:
        """Up to n exercises: each composition once, then once more in other words, and so on."""
        written: list[Exercise] = []
        for turn in range(render.MOST_TELLINGS):
            streams = [self.train(family, turn) for family in chosen]
            written += islice(round_robin(streams), n - len(written))
            if len(written) == n:
                break
        return written

    def train(self, family: Family, turn: int) -> Iterator[Exercise]:
        """A family's training exercises, worded in the `turn`-th way."""
        for probe, rng in self.draw(family, held_out=False):
            ways = render.tellings(probe.composition)
            telling = (rng.randrange(ways) + turn) % ways
            tests = probe.choose_tests(rng) if turn < ways else None
            if tests and (exercise := self.write(probe, telling, turn, tests, rng)):
                self.parts.update(used(probe.composition))
                self.marks.setdefault(family.kind, []).append(probe.marks)
                yield exercise

    def examination(self, chosen: list[Family], n: int) -> list[Exercise]:
        """Up to n held-out exercises."""
        return list(islice(round_robin([self.examine(family) for family in chosen]), n))

    def examine(self, family: Family) -> Iterator[Exercise]:
        """A family's held-out exercises, no two of the same behaviour, told apart from all training exercises."""
        rows = np.array(self.marks.get(family.kind, []), dtype=np.uint32).reshape(-1, POOL)
        seen: set[str] = set()
        for probe, rng in self.draw(family, held_out=True):
            tests = probe.choose_tests(rng) if used(probe.composition) <= self.parts else None
            if tests and probe.fingerprint not in seen:
                seen.add(probe.fingerprint)
                tests = probe.tell_apart(tests, rows)
                telling = rng.randrange(render.tellings(probe.composition))
                if exercise := self.write(probe, telling, 0, tests, rng):
                    yield exercise

    def draw(self, family: Family, *, held_out: bool) -> Iterator[tuple[Probe, random.Random]]:
        """The family's compositions on one side, in the seed's order, each with its own source of chance."""
        order = random.Random(f"{self.seed} {family.name}")
        total = size(family)
        for index in order.sample(range(total), min(total, DRAWS)):
            composition = at(family, index)
            if family.allowed(composition.choice):
                probe = Probe(composition)
                if probe.held_out == held_out:
                    yield probe, random.Random(f"{self.seed} {family.name} {index}")

    def write(self, probe: Probe, telling: int, turn: int, tests: list[int], rng: random.Random) -> Exercise | None:
        """The exercise, executed once; None when its name or docstring is taken."""
        composition = probe.composition
        name = render.title(composition) + render.SUFFIXES[turn]
        text = render.description(composition, telling)
        if name in self.names or text in self.texts:
            return None
        self.names.add(name)
        self.texts.add(text)
        shown = render.shortest(probe.cases(list(range(len(probe.pool))))) if rng.random() < EXAMPLES else None
        prompt, solution = render.prompt(composition, name, text, shown), render.solution(composition)
        execute(prompt + solution, name, probe)
        recipe = {"family": composition.family.name, "parts": composition.part_ids, "telling": telling}
        return Exercise(
            id=content_id("procedural", prompt, solution),
            name=name,
            prompt=prompt,
            solution=solution,
            tests=render.tests(composition, probe.cases(tests)),
            topic=composition.family.name,
            license=["Apache-2.0"],
            parents=[],
            provenance=Provenance(writer="procedural", recipe=json.dumps(recipe, sort_keys=True)),
        )


def execute(program: str, name: str, probe: Probe) -> None:
    """Run the program's function on the whole pool; its values must be those of the parts' callables."""
    namespace: dict[str, object] = {}
    exec(compile(program, f"<{name}>", "exec"), namespace)
    function = namespace[name]
    assert callable(function)
    for arguments, value in zip(probe.pool, probe.values, strict=True):
        answer = function(*arguments)
        assert answer == value, f"{name}{arguments}: the text says {answer!r}, the parts say {value!r}\n{program}"


def used(composition: Composition) -> set[str]:
    """The parts of a composition, by slot."""
    return {f"{slot} {part}" for slot, part in composition.part_ids.items()}


def round_robin(streams: Iterable[Iterator[Exercise]]) -> Iterator[Exercise]:
    """One from each stream in turn, until all have ended."""
    streams = list(streams)
    while streams:
        going = []
        for stream in streams:
            if (item := next(stream, None)) is not None:
                yield item
                going.append(stream)
        streams = going
