"""The families of the procedural writer, in the order in which they are drawn from."""

from __future__ import annotations

from hornbook.synthesis.families import (
    grids,
    inputs,
    intervals,
    joins,
    lists,
    numbers,
    pairs,
    pools,
    setlike,
    states,
    stretches,
    tables,
    texts,
    times,
)
from hornbook.synthesis.families.base import Family

pools.MAKERS.update(inputs.MAKERS)

FAMILIES: dict[str, Family] = {
    value.name: value
    for room in (lists, numbers, texts, pairs, tables, states, times, stretches, setlike, intervals, grids, joins)
    for value in vars(room).values()
    if isinstance(value, Family)
}
