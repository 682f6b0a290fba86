"""Writes exercises from compositions, keeping account of what was used, and believes no text that it has not run."""

from __future__ import annotations

import json
import random
from collections.abc import Container, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from hornbook.records import Exercise, Provenance, content_id
from hornbook.synthesis.canonical import canonical
from hornbook.synthesis.counting import editions
from hornbook.synthesis.families import render
from hornbook.synthesis.families.base import Composition, Family, Part, at, size
from hornbook.synthesis.families.mutated import mutated
from hornbook.synthesis.families.pools import POOL
from hornbook.synthesis.families.probe import Marks, Probe
from hornbook.synthesis.families.styles import Spelling, difficulty, own_spelling, spellings
from hornbook.synthesis.shares import numbers, round_robin, shares

EXAMPLES = 0.2  # share of docstrings that show a computed example
DRAWS = 200_000  # compositions of one edition looked at before it counts as used up
FRUITLESS = 1_000  # draws in a row that give nothing of what is wanted, after which an edition counts as used up
ONE_OF = 200  # of so many compositions of an edition one is drawn, while others have more: seeds hardly overlap
FEWEST_MUTANTS = 5  # a solution with fewer says too little


class Writer:
    """Writes both sides, keeping account of the names, docstrings, parts and behaviours used so far."""

    def __init__(self, seed: int, breadth: str, difficulty: Container[int] | None) -> None:
        self.seed, self.breadth, self.difficulty = seed, breadth, difficulty
        self.names: set[str] = set()
        self.texts: set[str] = set()
        self.shapes: set[tuple[str, str]] = set()
        self.parts: dict[str, dict[str, dict[str, Part]]] = {}  # family → slot → id → part
        self.marks: dict[str, list[Marks]] = {}

    def training(self, chosen: list[Family], n: int) -> Iterator[Exercise]:
        """Up to n exercises: each composition once, then once more in other words, and so on.

        First every family, and every edition of it, up to its share; then whatever any of them still has.
        """
        left = n
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
        return editions(family, self.breadth)

    def train(self, family: Family, turn: int) -> Iterator[Exercise]:
        """An edition's training exercises, worded in the `turn`-th way, until hardly any more come."""
        fruitless = 0
        for probe, spelling, rng in self.draw(family, held_out=False):
            ways = render.tellings(probe.composition)
            telling = (rng.randrange(ways) + turn) % ways
            rng = random.Random(f"{turn} {rng.random()}")
            fruitless += 1
            if fruitless > FRUITLESS:
                return
            if turn < ways and (exercise := self.write(probe, spelling, telling, turn, rng)):
                fruitless = 0
                slots = self.parts.setdefault(family.name, {})
                for slot, part in vars(probe.composition.choice).items():
                    slots.setdefault(slot, {})[part.id] = part
                self.marks.setdefault(family.kind, []).append(probe.marks)
                yield exercise

    def examination(self, chosen: list[Family], n: int) -> Iterator[Exercise]:
        """Up to n held-out exercises."""
        known = [family for family in chosen if family.name in self.parts]
        return islice(round_robin([self.examine(family) for family in known]), n)

    def examine(self, family: Family) -> Iterator[Exercise]:
        """A family's held-out exercises, of parts seen in its training ones, no two of the same behaviour."""
        rows = np.array(self.marks[family.kind], dtype=np.uint32).reshape(-1, POOL)
        slots = {slot: tuple(parts.values()) for slot, parts in self.parts[family.name].items()}
        seen: set[str] = set()
        fruitless = 0
        for probe, spelling, rng in self.draw(replace(family, slots=slots), held_out=True):
            fruitless += 1
            if fruitless > FRUITLESS:
                return
            if probe.fingerprint not in seen:
                seen.add(probe.fingerprint)
                telling = rng.randrange(render.tellings(probe.composition))
                if exercise := self.write(probe, spelling, telling, 0, rng, rows):
                    fruitless = 0
                    yield exercise

    def draw(self, family: Family, *, held_out: bool) -> Iterator[tuple[Probe, Spelling, random.Random]]:
        """The edition's compositions on one side, in the seed's order, each with a style and its own source of chance.

        Ends when it is used up, or has given nothing of the difficulty and side asked for in a long time.
        """
        label = f"{self.seed} {family.name} {size(family)}"
        fruitless = 0
        for index in islice(numbers(size(family), random.Random(label)), DRAWS):
            fruitless += 1
            if fruitless > FRUITLESS:
                return
            composition = at(family, index)
            if family.allowed(composition.choice):
                rng = random.Random(f"{label} {index}")
                spelling = rng.choice(spellings(composition)) if self.breadth == "full" else own_spelling(composition)
                if self.wanted(spelling) and (probe := Probe(composition)).held_out == held_out:
                    fruitless = 0
                    yield probe, spelling, rng

    def wanted(self, spelling: Spelling) -> bool:
        """Whether the body is of a difficulty asked for."""
        return self.difficulty is None or difficulty(spelling.body) in self.difficulty

    def write(
        self, probe: Probe, spelling: Spelling, telling: int, turn: int, rng: random.Random, rows: Marks | None = None
    ) -> Exercise | None:
        """The exercise, executed once; told apart from all `rows`.

        None when its name, docstring, or shape and tests are taken, or when no few tests tell it from its neighbours
        and mutants.
        """
        composition = probe.composition
        name = render.title(composition) + render.SUFFIXES[turn]
        text = render.description(composition, telling)
        if name in self.names or text in self.texts:
            return None
        spelling = sound(probe, spelling)
        program = render.prompt(composition, name, text, None, spelling.needs) + render.solution(composition, spelling)
        tests = probe.choose_tests(rng, mutated(program, name), FEWEST_MUTANTS)
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
            "difficulty": difficulty(spelling.body),
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


def sound(probe: Probe, spelling: Spelling) -> Spelling:
    """The spelling, executed on the whole pool.

    A retold body that turns out to mean something else gives way to the family's own, which must not.
    """
    own = own_spelling(probe.composition)
    if spelling.style != own.style and agrees(probe, spelling):
        return spelling
    execute(program_of(probe.composition, own), "f", probe)
    return own


def within_shares(streams: list[list[tuple[Iterator[Exercise], int]]], n: int) -> Iterator[Exercise]:
    """In turns the families, and in turns their editions, none above the share that its size allows."""
    of_families = shares(n, [sum(cap for _, cap in family) for family in streams])
    limited = []
    for family, share in zip(streams, of_families, strict=True):
        of_editions = shares(share, [cap for _, cap in family])
        limited.append(round_robin([islice(one, most) for (one, _), most in zip(family, of_editions, strict=True)]))
    return round_robin(limited)


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
