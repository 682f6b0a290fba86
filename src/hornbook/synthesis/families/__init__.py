"""The families of the procedural writer, in the order in which they are drawn from."""

from __future__ import annotations

from hornbook.synthesis.families import (
    bits,
    boards,
    brackets,
    calendars,
    counting,
    encoding,
    formatting,
    grids,
    household,
    inputs,
    intervals,
    joins,
    lists,
    machines,
    nesting,
    notation,
    numbers,
    pairs,
    parsing,
    pools,
    progressions,
    setlike,
    standings,
    states,
    stores,
    stretches,
    tables,
    texts,
    times,
)
from hornbook.synthesis.families.base import Family

pools.MAKERS.update(inputs.MAKERS)

ROOMS = (
    *(lists, numbers, texts, pairs, tables, states, times),
    *(stretches, setlike, intervals, grids, boards, joins, standings, parsing, notation, brackets),
    *(formatting, encoding, bits, progressions, counting, calendars, nesting, machines, stores, household),
)
FAMILIES: dict[str, Family] = {
    value.name: value for room in ROOMS for value in vars(room).values() if isinstance(value, Family)
}
