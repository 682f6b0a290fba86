"""How compositions are told apart: outputs on the pool, the fingerprint, the held-out side, and the choice of tests."""

from __future__ import annotations

import hashlib
import random
import zlib
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hornbook.synthesis.families.base import Composition
from hornbook.synthesis.families.pools import Arguments, pool

ONE_IN = 10  # this share of behaviours is held out
FIRST_TESTS = 5
MOST_TESTS = 10
NEIGHBOURS = 60  # of one slot, that must fail the tests
SURVIVORS = 0.2  # the share of mutants that may pass whatever the pool holds
Marks = NDArray[np.uint32]


def mark(value: Any) -> int:
    """A checksum of a returned value, blind to the order of a dictionary."""
    if isinstance(value, dict):
        value = sorted(value.items())
    return zlib.crc32(repr(value).encode())


class Probe:
    """A composition run on its pool through the parts' callables."""

    def __init__(self, composition: Composition) -> None:
        self.composition = composition
        self.pool = pool(composition.family.kind)
        function = composition.function()
        self.values = [function(*arguments) for arguments in self.pool]
        self.marks: Marks = np.array([mark(value) for value in self.values], dtype=np.uint32)

    @cached_property
    def fingerprint(self) -> str:
        """What the composition does, as a digest: equal for compositions that agree on the whole pool."""
        data = self.composition.family.kind.encode() + self.marks.astype("<u4").tobytes()
        return hashlib.sha256(data).hexdigest()

    @property
    def held_out(self) -> bool:
        """Whether this behaviour belongs to the examination: fixed by the fingerprint, whatever the seed or wording."""
        return int(self.fingerprint[:8], 16) % ONE_IN == 0

    def cases(self, tests: list[int]) -> list[tuple[Arguments, Any]]:
        """The inputs of these numbers with their expected values."""
        return [(self.pool[i], self.values[i]) for i in tests]

    def choose_tests(
        self, rng: random.Random, mutants: Iterable[Callable[..., Any]] = (), fewest: int = 0
    ) -> list[int] | None:
        """Numbers of inputs on which one-part neighbours and mutants fail; mutants are asked for only if neighbours do.

        None when the pool holds no such few inputs: a neighbour that nothing tells apart, or many such mutants; and
        when there are fewer mutants than `fewest`.
        """
        tests = self.spread(rng)
        rest = [i for i in rng.sample(range(len(self.pool)), len(self.pool)) if i not in tests]
        for neighbour in self.composition.neighbours(NEIGHBOURS):
            if not self.fails(neighbour.function(), tests, rest):
                return None
        failed = [self.fails(mutant, tests, rest) for mutant in mutants]
        enough = len(failed) >= fewest and failed.count(False) <= SURVIVORS * len(failed)
        return tests if enough else None

    def fails(self, function: Callable[..., Any], tests: list[int], rest: list[int]) -> bool:
        """Whether the function fails a test, be it one that is moved from `rest` to the tests for its sake."""
        if any(self.differs(function, i) for i in tests):
            return True
        found = next((i for i in rest if self.differs(function, i)), None) if len(tests) < MOST_TESTS else None
        if found is None:
            return False
        tests.append(found)
        rest.remove(found)
        return True

    def differs(self, function: Callable[..., Any], number: int) -> bool:
        """Whether the function returns something else than expected on that input, or fails."""
        try:
            return bool(function(*self.pool[number]) != self.values[number])
        except Exception:
            return True

    def spread(self, rng: random.Random) -> list[int]:
        """A few inputs to begin with, of different expected values where there are such."""
        order = rng.sample(range(len(self.pool)), len(self.pool))
        fresh = list({int(self.marks[i]): i for i in reversed(order)}.values())[::-1]
        return (fresh + [i for i in order if i not in fresh])[:FIRST_TESTS]

    def tell_apart(self, tests: list[int], others: Marks) -> list[int]:
        """The tests, with as many inputs more as needed for every row of `others` to fail one of them."""
        tests = list(tests)
        alive = others
        while True:
            alive = alive[(alive[:, tests] == self.marks[tests]).all(axis=1)]
            if not len(alive):
                return tests
            tests.append(int((alive != self.marks).sum(axis=0).argmax()))
