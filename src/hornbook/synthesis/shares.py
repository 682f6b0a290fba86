"""Who writes how many: even shares, except that small families stay small, and turns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def shares(n: int, caps: Sequence[int]) -> list[int]:
    """`n` divided evenly, none above its cap; what a cap keeps back goes to the others.

    >>> shares(12, [100, 2, 100]), shares(12, [3, 2, 4])
    ([5, 2, 5], [3, 2, 4])
    """
    given = [0] * len(caps)
    for rank, place in enumerate(sorted(range(len(caps)), key=lambda place: caps[place])):
        given[place] = min(caps[place], n // (len(caps) - rank))
        n -= given[place]
    return given


def round_robin(streams: Iterable[Iterator[T]]) -> Iterator[T]:
    """One from each stream in turn, until all have ended."""
    streams = list(streams)
    while streams:
        going = []
        for stream in streams:
            try:
                yield next(stream)
            except StopIteration:
                continue
            going.append(stream)
        streams = going
