"""Who writes how many, in which order: even shares, except that small families stay small; turns; random numbers."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

LISTED = 20_000  # numbers that are shuffled as a list; more are drawn one by one
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


def numbers(total: int, rng: random.Random) -> Iterator[int]:
    """The numbers below `total` in random order, none twice; those of a large total are drawn as they are needed."""
    if total <= LISTED:
        yield from rng.sample(range(total), total)
        return
    seen: set[int] = set()
    while len(seen) < total:
        if (number := rng.randrange(total)) not in seen:
            seen.add(number)
            yield number
