"""Near duplicates: every pair that `lsh` proposes is verified before one of it is removed.

Two texts are near duplicates when the Jaccard similarity of their sets of word shingles reaches the threshold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from hornbook.corpus.shingles import Shingles, jaccard
from hornbook.progress import track
from hornbook.records import Record


@dataclass(frozen=True, slots=True)
class NearDuplicate(Record):
    """A removed text, the text that stays for it, their similarity, and the cluster: the id of one of the survivors in
    the connected component that the verified pairs make."""

    id: str
    survivor: str
    jaccard: float
    cluster: str

    schema = pa.schema(
        [("id", pa.string()), ("survivor", pa.string()), ("jaccard", pa.float64()), ("cluster", pa.string())]
    )


class Sets(Protocol):
    """Shingles by id: a dictionary, or a file of them."""

    def __getitem__(self, id: str, /) -> Shingles: ...


def near_duplicates(
    groups: Iterable[Sequence[str]], order: Mapping[str, Any], texts: Sets, threshold: float
) -> list[NearDuplicate]:
    """Decide who stays. Texts are taken from the best to the worst by `order`; each is compared with the survivors that
    share a group with it. It is removed in favour of the most similar, if that reaches the threshold, and survives
    otherwise. So every removed text is verified against its own survivor, chains remove nothing that is not near a
    survivor, and no two survivors that were proposed as a pair are near duplicates.
    """
    groups_of: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        for id in group:
            groups_of.setdefault(id, []).append(number)
    survivors: dict[int, list[str]] = {}
    found: list[tuple[str, str, float]] = []
    joined = Components()
    for id in track(sorted(groups_of, key=lambda id: order[id]), "compared", len(groups_of), "candidates"):
        rivals = sorted({rival for number in groups_of[id] for rival in survivors.get(number, [])})
        near = alike(id, rivals, texts, threshold)
        if near:
            found.append((id, *min(near, key=lambda pair: (-pair[1], order[pair[0]]))))
            joined.join([rival for rival, _ in near])
        else:
            for number in groups_of[id]:
                survivors.setdefault(number, []).append(id)
    return [NearDuplicate(id, survivor, similarity, joined.root(survivor)) for id, survivor, similarity in found]


def alike(id: str, rivals: Sequence[str], texts: Sets, threshold: float) -> list[tuple[str, float]]:
    """Those of the rivals that are near duplicates of a text, with their similarities."""
    if not rivals:
        return []
    mine = texts[id]
    return [(rival, found) for rival in rivals if (found := jaccard(mine, texts[rival])) >= threshold]


class Components:
    """Connected components, by union-find. A component is named after its smallest id."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, id: str) -> str:
        """The name of the component that holds an id."""
        while (parent := self._parent.get(id, id)) != id:
            self._parent[id] = self._parent.get(parent, parent)
            id = parent
        return id

    def join(self, ids: list[str]) -> None:
        """Make these ids one component."""
        roots = sorted({self.root(id) for id in ids})
        for other in roots[1:]:
            self._parent[other] = roots[0]
