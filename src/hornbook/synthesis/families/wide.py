"""The wider choice for slots: numbers, letters and words from whole ranges, and conditions and maps in two steps.

The families name *basic* parts, few and plain. `editions` puts wider ones in their place, wherever a slot holds one of
the tuples known here: first parts with other numbers, then chains of two. No two parts of a wide slot mean the same on
that slot's domain, so that what is counted are different tasks and not different spellings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np

from hornbook.synthesis.families.base import Family, Part
from hornbook.synthesis.families.ranges import CONDITIONS, RESULTS, Domain


def distinct(parts: Sequence[Part], domain: Domain, known: Sequence[Part] = ()) -> tuple[Part, ...]:
    """The parts of which none means on the domain what an earlier one means, or one of `known`."""
    seen = {meaning(part, domain) for part in known}
    found = []
    for part in parts:
        told = meaning(part, domain)
        if told not in seen:
            seen.add(told)
            found.append(part)
    return tuple(found)


def meaning(part: Part, domain: Domain) -> str:
    """What the part returns all over the domain."""
    return repr([part.fn(*arguments) for arguments in domain])


def wider(basic: tuple[Part, ...], more: Sequence[Part], domain: Domain) -> tuple[Part, ...]:
    """All basic parts, and more that mean something else, the always true and the always false left out."""
    return (*basic, *(part for part in distinct(more, domain, basic) if tells(part, domain)))


def tells(part: Part, domain: Domain) -> bool:
    """Whether the part does not return the same for everything."""
    return len({repr(part.fn(*arguments)) for arguments in domain}) > 1


class Chains(Sequence[Part]):
    """Every pair of conditions joined by `and` or `or` that says something which no single one of them says."""

    def __init__(self, parts: Sequence[Part], domain: Domain) -> None:
        self.parts = [part for part in parts if " or " not in part.code]
        self.domain = domain

    @property
    def table(self) -> list[tuple[int, int, str]]:
        """The pairs by number, each with its joint."""
        return chain_table(self)

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: Any) -> Any:
        first, second, joint = self.table[index]
        return joined(self.parts[first], self.parts[second], joint)


@cache
def chain_table(chains: Chains) -> list[tuple[int, int, str]]:
    """The pairs whose truth on the domain is nothing that came before; a condition alone comes before all pairs."""
    truth = np.array([[bool(part.fn(*arguments)) for arguments in chains.domain] for part in chains.parts])
    seen = {row.tobytes() for row in truth} | {np.zeros_like(truth[0]).tobytes(), np.ones_like(truth[0]).tobytes()}
    found = []
    for i, j in combinations(range(len(truth)), 2):
        for joint, both in (("and", truth[i] & truth[j]), ("or", truth[i] | truth[j])):
            if (key := both.tobytes()) not in seen:
                seen.add(key)
                found.append((i, j, joint))
    return found


def joined(a: Part, b: Part, joint: str) -> Part:
    """Both conditions, or either."""
    if joint == "and":
        fn: Callable[..., bool] = lambda *x: bool(a.fn(*x)) and bool(b.fn(*x))  # noqa: E731
    else:
        fn = lambda *x: bool(a.fn(*x)) or bool(b.fn(*x))  # noqa: E731
    words = tuple(f"{one} {joint} {two}" for one, two in zip(a.words[:2], b.words[-2:], strict=False))
    return Part(f"{a.id} {joint} {b.id}", fn, f"{a.code} {joint} {b.code}", words, f"{a.slug}_{joint}_{b.slug}")


@cache
def conditions(basic: tuple[Part, ...]) -> tuple[tuple[Part, ...], Chains] | None:
    """The wider conditions for a slot of basic ones, and their chains; None where the slot is not known."""
    if basic not in CONDITIONS:
        return None
    more, domain = CONDITIONS[basic]
    wide = wider(basic, more(), domain)
    return wide, Chains(wide, domain)


@cache
def results(basic: tuple[Part, ...]) -> tuple[tuple[Part, ...], tuple[Part, ...]] | None:
    """The wider maps or measures for a slot of basic ones, and those in two steps; None where it is not known."""
    if basic not in RESULTS:
        return None
    more, two_steps, domain = RESULTS[basic]
    wide = wider(basic, more(), domain)
    return wide, tuple(p for p in distinct([*two_steps(wide)], domain, wide) if tells(p, domain))


def editions(family: Family) -> list[Family]:
    """The family with wider slots, then with chains in one of its slots; only itself where no slot is known."""
    found: dict[str, tuple[tuple[Part, ...], Sequence[Part]]] = {}
    for slot, parts in family.slots.items():
        if choice := conditions(tuple(parts)) or results(tuple(parts)):
            found[slot] = choice
    slots = {**family.slots, **{slot: choice[0] for slot, choice in found.items()}}
    chained = [{**slots, slot: choice[1]} for slot, choice in found.items() if len(choice[1])]
    return [replace(family, slots=some) for some in (slots, *chained)]
