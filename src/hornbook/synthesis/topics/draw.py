"""Briefs: what a model will be asked for, drawn before it is asked.

Diversity is made here and not hoped for from the model: phi-1 §2.2 constrains topic and audience of textbooks and the
names of exercises' functions; an exercise as the intersection of two topics with different parents, in the setting of a
profession, is how the public code exercises were made. Every dimension is dealt evenly: the least covered item next,
ties broken by the seed. A longer draw begins with the shorter one, so that asking for more pays only for the rest.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hornbook.errors import InputError
from hornbook.records import read_table, scatter
from hornbook.synthesis.topics.coverage import Coverage, pair
from hornbook.synthesis.topics.reading import packaged
from hornbook.synthesis.topics.tree import AND, Half, Leaf, Tree

Kind = Literal["textbooks", "exercises"]
PARTNERS = 8  # so many fitting topics are looked at for one that the first has not met


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of the curated corpus to stand in a prompt; `id` is the document's, which becomes the row's parent."""

    id: str
    text: str
    license: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Brief:
    """One thing to write. `topics`: paths of leaves with different parents. `word`: to stand in the function's name of
    an exercise; a person's name for a textbook. `passage`: the id of a document, or ""."""

    topics: tuple[str, ...]
    audience: str
    profession: str
    style: str
    word: str
    passage: str = ""
    half: Half = "programming"

    @property
    def topic(self) -> str:
        """The `topic` column of the row that is written, from which coverage is counted."""
        return AND.join(self.topics)

    @property
    def subjects(self) -> str:
        """The topics as a prompt names them, without branch and group."""
        return " and ".join(path.rsplit("/", 1)[-1] for path in self.topics)


class Deck:
    """Deals items evenly: always one with the fewest rows, those in `counts` included; ties fall by the seed."""

    def __init__(self, items: Sequence[str], counts: Mapping[str, int], seed: str) -> None:
        self._random = random.Random(seed)
        self._heap = [(counts.get(item, 0), self._random.random(), item) for item in items]
        heapq.heapify(self._heap)

    def deal(self) -> str:
        """The next item; "" when there is none at all."""
        return self.deal_best(lambda _: True, lambda _: 0, 1) or ""

    def deal_best(self, fits: Callable[[str], bool], met: Callable[[str], int], choices: int) -> str | None:
        """Of the first `choices` items that fit, and have at most a row more than the least covered, the least `met`.

        None if none fits.
        """
        seen: list[tuple[int, float, str]] = []
        fitting: list[tuple[int, float, str]] = []
        while self._heap and len(fitting) < choices:
            seen.append(heapq.heappop(self._heap))
            fitting += [seen[-1]] if fits(seen[-1][2]) else []
        few = fitting[0][0] + 1 if fitting else 0
        best = min(fitting, key=lambda entry: (entry[0] > few, met(entry[2]), entry), default=None)
        for entry in seen:
            heapq.heappush(self._heap, entry if entry is not best else (entry[0] + 1, self._random.random(), entry[2]))
        return best[2] if best else None


def draw(
    kind: Kind,
    n: int,
    seed: int,
    tree: Tree | None = None,
    ledger: Coverage | None = None,
    *,
    half: Half | None = "programming",
    width: int = 2,
    passages: Sequence[Passage] = (),
) -> list[Brief]:
    """`n` briefs, each over `width` topics of one half with different parents; of either half for None.

    `ledger` says what is covered already; it is not changed: add what is kept. `passages`: one goes into each prompt.
    Equal arguments, equal briefs. Raises InputError when the tree is too small.
    """
    tree, ledger = tree or packaged(), ledger or Coverage()
    leaves = {leaf.path: leaf for leaf in tree.of(half)}
    refuse_narrow(list(leaves.values()), width, half)
    named = f"{kind} {seed} {half} {ledger.rows}"
    words = tree.words if kind == "exercises" else tree.names
    lists = {"audience": tree.audiences, "profession": tree.professions, "style": tree.styles, "word": words}
    lists["passage"] = tuple(passage.id for passage in passages)
    decks = {name: Deck(items, ledger.counts[name], f"{named} {name}") for name, items in lists.items()}
    crossings = cross(leaves, width, ledger, f"{named} topic")
    return [
        Brief(topics, **{name: deck.deal() for name, deck in decks.items()}, half=leaves[topics[0]].half)
        for topics, _ in zip(crossings, range(n), strict=False)
    ]


def refuse_narrow(leaves: Sequence[Leaf], width: int, half: Half | None) -> None:
    """Raise InputError where a half that is drawn from has fewer groups than a brief has topics."""
    groups: Counter[str] = Counter(half for half, _ in {(leaf.half, leaf.parent) for leaf in leaves})
    few = [name for name in groups or (half or "",) if groups[name] < width]
    if few:
        raise InputError(
            f"the tree has {groups[few[0]]} groups of topics in its half {few[0]!r}, and {width} topics with different "
            "parents are wanted; add groups, or ask for the other half"
        )


def cross(leaves: Mapping[str, Leaf], width: int, ledger: Coverage, seed: str) -> Iterator[tuple[str, ...]]:
    """Yield, without end, `width` paths of one half under different parents; those that have not met, if it can."""
    deck = Deck(list(leaves), ledger.counts["topic"], seed)
    met = ledger.counts["pair"].copy()
    while True:
        topics = [deck.deal()]
        while len(topics) < width:
            topics.append(partner(deck, leaves, topics, met))
        met[pair(topics)] += 1
        yield tuple(topics)


def partner(deck: Deck, leaves: Mapping[str, Leaf], topics: Sequence[str], met: Mapping[str, int]) -> str:
    """Another topic of the same half, under none of the parents that are taken."""
    taken, half = {leaves[path].parent for path in topics}, leaves[topics[0]].half
    found = deck.deal_best(
        lambda path: leaves[path].parent not in taken and leaves[path].half == half,
        lambda path: met[pair([*topics, path])],
        PARTNERS,
    )
    assert found is not None  # every half has `width` groups
    return found


def read_passages(folder: Path, characters: int = 1500, most: int = 20_000) -> list[Passage]:
    """Documents of a curated corpus as passages: the first lines of each, so many characters at most.

    Of a larger corpus `most` documents are taken, by a hash of their ids. Raises InputError when the folder holds none.
    """
    folder = folder / "documents" if (folder / "documents").is_dir() else folder
    ids = read_table(folder, ["id"])["id"].to_pylist()
    wanted = set(heapq.nsmallest(most, ids, key=lambda id: scatter("passage", id)))
    found = []
    for batch in read_table(folder, ["id", "text", "license"]).to_batches(max_chunksize=1024):
        rows = [row for row in batch.to_pylist() if row["id"] in wanted and row["text"].strip()]
        found += [Passage(row["id"], head(row["text"], characters), tuple(row["license"] or ())) for row in rows]
    if not found:
        raise InputError(f"{folder}: no document with text; give the folder of a curated corpus")
    return found


def head(text: str, characters: int) -> str:
    """The whole lines at the beginning of a text that fit; a first line that is too long is cut."""
    cut = text[:characters]
    return cut if len(text) <= characters or "\n" not in cut else cut[: cut.rindex("\n") + 1]
