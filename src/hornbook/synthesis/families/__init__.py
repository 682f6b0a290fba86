"""The families of the procedural writer, in the order in which they are drawn from."""

from __future__ import annotations

from hornbook.synthesis.families import lists, numbers, pairs, states, tables, texts, times
from hornbook.synthesis.families.base import Family

FAMILIES: dict[str, Family] = {
    value.name: value
    for room in (lists, numbers, texts, pairs, tables, states, times)
    for value in vars(room).values()
    if isinstance(value, Family)
}
