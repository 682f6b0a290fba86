"""The procedural exercise writer: families of small functions composed from parts, with computed expected values.

`compose` writes a training set and an examination. A behaviour (what a composition returns on its family's pool of
inputs) is held out or not by its own hash, so the two sides share no composition, wording variant or look-alike for any
pair of seeds. The expected values come from the parts' callables, and the solution's text is executed against them.
Tests are chosen so that the solution's neighbours and mutants fail them.
"""

from __future__ import annotations

import difflib
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Literal

import numpy as np
from pydantic import Field

from hornbook.config import Config
from hornbook.errors import InputError, RequestError
from hornbook.records import Exercise, Provenance, content_id
from hornbook.synthesis.canonical import canonical
from hornbook.synthesis.counting import count_compositions, editions
from hornbook.synthesis.families import FAMILIES, render
from hornbook.synthesis.families.base import Composition, Family, Part, at, size
from hornbook.synthesis.families.mutated import mutated
from hornbook.synthesis.families.pools import POOL
from hornbook.synthesis.families.probe import Marks, Probe
from hornbook.synthesis.families.styles import Spelling, difficulty, spellings
from hornbook.synthesis.shares import round_robin, shares

__all__ = ["Procedural", "compose", "count_compositions", "families", "stream"]

EXAMPLES = 0.2  # share of docstrings that show a computed example
DRAWS = 200_000  # compositions of one edition looked at before it counts as used up
ONE_OF = 200  # of so many compositions of an edition one is drawn, while others have more: seeds hardly overlap
FEWEST_MUTANTS = 5  # a solution with fewer says too little
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
    writer, written, held_out = Writer(config), 0, 0
    for exercise in writer.training(chosen) if config.n <= ceiling else ():
        written += 1
        yield exercise, False
    if written < config.n:
        raise RequestError(
            f"n: {config.n} exercises asked for, but these {len(chosen)} families yield at most "
            f"{written or ceiling}; lower n or add families"
        )
    for exercise in writer.examination(chosen):
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
    near = difflib.get_close_matches(name, FAMILIES, 1, 0.0)[0]
    raise InputError(f"families: no family named {name!r}; did you mean {near!r}?")


class Writer:
    """Writes both sides, keeping account of the names, docstrings, parts and behaviours used so far."""

    def __init__(self, config: Procedural) -> None:
        self.config = config
        self.names: set[str] = set()
        self.texts: set[str] = set()
        self.shapes: set[tuple[str, str]] = set()
        self.parts: dict[str, dict[str, dict[str, Part]]] = {}  # family → slot → id → part
        self.marks: dict[str, list[Marks]] = {}

    def training(self, chosen: list[Family]) -> Iterator[Exercise]:
        """Up to n exercises: each composition once, then once more in other words, and so on.

        First every family, and every edition of it, up to its share; then whatever any of them still has.
        """
        left = self.config.n
        for turn in range(render.MOST_TELLINGS):
            streams = [[(self.train(e, turn), size(e) // ONE_OF) for e in self.editions(f)] for f in chosen]
            rounds = [within_shares(streams, left)] if turn == 0 else []
            rounds.append(round_robin([round_robin([one for one, _ in family]) for family in streams]))
            for written in rounds:
                for exercise in islice(written, left):
                    left -= 1
                    yield exercise

    def editions(self, family: Family) -> list[Family]:
        """What the family may draw from."""
        return editions(family, self.config.breadth)

    def train(self, family: Family, turn: int) -> Iterator[Exercise]:
        """An edition's training exercises, worded in the `turn`-th way."""
        for probe, rng in self.draw(family, held_out=False):
            ways = render.tellings(probe.composition)
            telling = (rng.randrange(ways) + turn) % ways
            rng = random.Random(f"{turn} {rng.random()}")
            if turn < ways and (exercise := self.write(probe, telling, turn, rng)):
                slots = self.parts.setdefault(family.name, {})
                for slot, part in vars(probe.composition.choice).items():
                    slots.setdefault(slot, {})[part.id] = part
                self.marks.setdefault(family.kind, []).append(probe.marks)
                yield exercise

    def examination(self, chosen: list[Family]) -> Iterator[Exercise]:
        """Up to `held_out` exercises."""
        known = [family for family in chosen if family.name in self.parts]
        return islice(round_robin([self.examine(family) for family in known]), self.config.held_out)

    def examine(self, family: Family) -> Iterator[Exercise]:
        """A family's held-out exercises, of parts seen in its training ones, no two of the same behaviour."""
        rows = np.array(self.marks[family.kind], dtype=np.uint32).reshape(-1, POOL)
        slots = {slot: tuple(parts.values()) for slot, parts in self.parts[family.name].items()}
        seen: set[str] = set()
        for probe, rng in self.draw(replace(family, slots=slots), held_out=True):
            if probe.fingerprint not in seen:
                seen.add(probe.fingerprint)
                telling = rng.randrange(render.tellings(probe.composition))
                if exercise := self.write(probe, telling, 0, rng, rows):
                    yield exercise

    def draw(self, family: Family, *, held_out: bool) -> Iterator[tuple[Probe, random.Random]]:
        """The edition's compositions on one side, in the seed's order, each with its own source of chance."""
        label = f"{self.config.seed} {family.name} {size(family)}"
        for index in islice(numbers(size(family), random.Random(label)), DRAWS):
            composition = at(family, index)
            if family.allowed(composition.choice):
                probe = Probe(composition)
                if probe.held_out == held_out:
                    yield probe, random.Random(f"{label} {index}")

    def write(
        self, probe: Probe, telling: int, turn: int, rng: random.Random, rows: Marks | None = None
    ) -> Exercise | None:
        """The exercise, executed once; told apart from all `rows`.

        None when its name, docstring, or shape and tests are taken, when it is not of a difficulty asked for, or when
        no few tests tell it from its neighbours and mutants.
        """
        composition = probe.composition
        name = render.title(composition) + render.SUFFIXES[turn]
        text = render.description(composition, telling)
        spelling = self.spell(probe, rng)
        level = difficulty(spelling.body)
        if name in self.names or text in self.texts or level not in (self.config.difficulty or (level,)):
            return None
        program = render.prompt(composition, name, text, None, spelling.needs) + render.solution(composition, spelling)
        others = mutated(program, name)
        tests = probe.choose_tests(rng, others) if len(others) >= FEWEST_MUTANTS else None
        if tests is None:
            return None
        asserts = render.tests(composition, probe.cases(tests if rows is None else probe.tell_apart(tests, rows)))
        shape = canonical(program), asserts
        if shape in self.shapes:
            return None
        self.names.add(name)
        self.texts.add(text)
        self.shapes.add(shape)
        shown = render.shortest(probe.cases(list(range(len(probe.pool))))) if rng.random() < EXAMPLES else None
        prompt = render.prompt(composition, name, text, shown, spelling.needs)
        solution = render.solution(composition, spelling)
        recipe = {
            "family": composition.family.name,
            "parts": composition.part_ids,
            "telling": telling,
            "style": spelling.style,
            "difficulty": level,
        }
        return Exercise(
            id=content_id("procedural", prompt, solution),
            name=name,
            prompt=prompt,
            solution=solution,
            tests=asserts,
            topic=composition.family.name,
            license=["Apache-2.0"],
            parents=[],
            provenance=Provenance(writer="procedural", recipe=json.dumps(recipe, sort_keys=True)),
        )

    def spell(self, probe: Probe, rng: random.Random) -> Spelling:
        """The body in one of its styles, executed on the whole pool.

        A retold loop that turns out to mean something else gives way to the family's own body, which may not.
        """
        own, *others = spellings(probe.composition)
        chosen = rng.choice([own, *others]) if self.config.breadth == "full" else own
        if chosen is not own and not agrees(probe, chosen):
            chosen = own
        if chosen is own:
            execute(program_of(probe.composition, own), "f", probe)
        return chosen


def within_shares(streams: list[list[tuple[Iterator[Exercise], int]]], n: int) -> Iterator[Exercise]:
    """In turns the families, and in turns their editions, none above the share that its size allows."""
    of_families = shares(n, [sum(cap for _, cap in family) for family in streams])
    limited = []
    for family, share in zip(streams, of_families, strict=True):
        of_editions = shares(share, [cap for _, cap in family])
        limited.append(round_robin([islice(one, most) for (one, _), most in zip(family, of_editions, strict=True)]))
    return round_robin(limited)


def numbers(total: int, rng: random.Random) -> Iterator[int]:
    """The numbers below `total` in random order, none twice; those of a large total are drawn as they are needed."""
    if total <= DRAWS // 10:
        yield from rng.sample(range(total), total)
        return
    seen: set[int] = set()
    while len(seen) < total:
        if (number := rng.randrange(total)) not in seen:
            seen.add(number)
            yield number


def program_of(composition: Composition, spelling: Spelling) -> str:
    """The program in that spelling, under the name f."""
    return render.prompt(composition, "f", "", None, spelling.needs) + render.solution(composition, spelling)


def agrees(probe: Probe, spelling: Spelling) -> bool:
    """Whether the body in that spelling returns what the parts say."""
    try:
        execute(program_of(probe.composition, spelling), "f", probe)
    except Exception:
        return False
    return True


def execute(program: str, name: str, probe: Probe) -> None:
    """Run the program's function on the whole pool; its values must be those of the parts' callables."""
    namespace: dict[str, object] = {}
    exec(compile(program, f"<{name}>", "exec"), namespace)
    function = namespace[name]
    assert callable(function)
    for arguments, value in zip(probe.pool, probe.values, strict=True):
        answer = function(*arguments)
        assert answer == value, f"{name}{arguments}: the text says {answer!r}, the parts say {value!r}\n{program}"
