"""How many tasks there are: the editions of the families and the compositions that they admit."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache
from math import log, sqrt

from hornbook.synthesis.families import FAMILIES
from hornbook.synthesis.families.base import Family, at, size
from hornbook.synthesis.families.wide import editions as wider_editions

ENUMERATED = 50_000  # compositions that are looked at one by one; of more, a sample is
SAMPLE = 4_000
DOUBT = 1e-6  # the chance that a sampled count is too high
ANY = Family.__dataclass_fields__["allowed"].default


@cache
def wide_editions(name: str) -> list[Family]:
    """The wider editions of a family."""
    return wider_editions(FAMILIES[name])


def editions(family: Family, breadth: str) -> list[Family]:
    """What a family is drawn from: itself, and for the full breadth its wider editions."""
    if breadth == "basic":
        return [family]
    wide = [edition for edition in wide_editions(family.name) if size(edition) > size(family)]
    return [replace(edition, sayings=(*edition.sayings, *edition.more)) for edition in (family, *wide)]


def count_compositions(breadth: str = "full") -> dict[str, int]:
    """Family → how many different tasks it admits, at the least.

    The argument. A task is a choice of one part for each slot that the family allows; wording, names, styles and tests
    count for nothing. An edition is a product of slots, and no task is counted twice: the basic edition lies within the
    wide one, so it is left out; each chained edition has in one slot only chains, which no other edition has there. No
    two wide parts of a slot mean the same: they differ on the slot's domain (`wide.distinct`, `wide.chain_table`), and
    no chain means what a single condition means. Where a family forbids some choices, an edition of more than 50,000 is
    sampled and the count is lowered until the chance that it is too high is one in a million (Hoeffding's bound). What
    is counted are compositions. Two may still return the same on every input, where a fold hides a difference
    (`benchmarks/procedural.py` measures how many behave differently).
    """
    return {
        name: sum(map(allowed, editions(family, breadth)[-1:] if breadth == "basic" else disjoint(family)))
        for name, family in FAMILIES.items()
    }


def disjoint(family: Family) -> list[Family]:
    """The editions that have no composition in common and hold them all."""
    found = editions(family, "full")
    return found[1:] or found


def allowed(family: Family) -> int:
    """How many compositions of an edition make sense: counted, or at the least."""
    total = size(family)
    if family.allowed is ANY:
        return total
    if total <= ENUMERATED:
        return sum(family.allowed(at(family, index).choice) for index in range(total))
    draw = random.Random(family.name)
    share = sum(family.allowed(at(family, draw.randrange(total)).choice) for _ in range(SAMPLE)) / SAMPLE
    return int(total * max(0.0, share - sqrt(log(1 / DOUBT) / (2 * SAMPLE))))
