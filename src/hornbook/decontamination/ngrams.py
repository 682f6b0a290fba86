r"""The n-gram tier: which rows share n words in a row with an examination (phi-1 §5; phi-4 Algorithm 1, step 1).

Words are the runs of `\w` in the lower-cased text, so punctuation, layout and case make no difference; `snake_case` is
one word. The search is exact and fast because only words of the references matter: every other word breaks a window,
few windows of n known words remain, and those are looked up by a 64-bit hash and then compared word by word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

WORD = re.compile(r"\w+")
GAP = re.compile(r"\W")
BREAK = -1  # the id of every word that no reference holds, and of the gap between two texts
PIECE_CHARS = 1 << 22  # longer texts are searched in overlapping pieces, so that memory stays bounded
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)

Ids = NDArray[np.int32]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Item:
    """A reference: one examination item, the text that must not be shared, and the program whose shape must not."""

    task_id: str
    text: str
    program: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A shared n-gram: the item it belongs to, and the n-gram's words."""

    task_id: str
    words: tuple[str, ...]


def words_of(text: str) -> list[str]:
    """The words that are compared.

    >>> words_of("Check, if_any (two) numbers!")
    ['check', 'if_any', 'two', 'numbers']
    """
    return WORD.findall(text.lower())


class NgramIndex:
    """All n-grams of the references, ready to be looked for in many texts.

    Not looked for: n-grams that also stand in one of the `allow` texts, and n-grams of numbers alone unless
    `count_numbers`. Items of fewer than n words hold no n-gram and can never be found; `too_short` counts them.
    """

    def __init__(
        self, items: Sequence[Item], n: int, allow: Sequence[str] = (), *, count_numbers: bool = False
    ) -> None:
        self.n = n
        self.items = items
        texts = [words_of(item.text) for item in items]
        self.too_short = sum(len(words) < n for words in texts)
        self.ids_by_word: dict[str, int] = {}
        for word in chain.from_iterable(texts):
            self.ids_by_word.setdefault(word, len(self.ids_by_word))
        self.words = list(self.ids_by_word)
        self._mixed = mixed(len(self.words))
        self._ids, self._item_at = self._lay_out(texts)
        starts, hashes = self._windows(self._ids)
        allowed = self._windows(self._lay_out([words_of(text) for text in allow])[0])[1]
        wanted = ~np.isin(hashes, allowed)
        if not count_numbers:
            wanted &= self._more_than_numbers(starts)
        self._hashes, first = np.unique(hashes[wanted], return_index=True)
        self._starts = starts[wanted][first]

    def __len__(self) -> int:
        return len(self._hashes)

    def find(self, texts: Sequence[str]) -> list[Hit | None]:
        """For each text, the first n-gram in it that an item holds (the first such item), or None."""
        found: list[Hit | None] = [None] * len(texts)
        pieces = [(row, piece) for row, text in enumerate(texts) for piece in overlapping(text, self.n)]
        ids, piece_at = self._lay_out([words_of(piece) for _, piece in pieces])
        starts, hashes = self._windows(ids)
        if not len(self) or not len(starts):
            return found
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self) - 1)
        for hit in np.flatnonzero(self._hashes[at] == hashes):
            start, origin = int(starts[hit]), int(self._starts[at[hit]])
            row = pieces[int(piece_at[start])][0]
            if found[row] is None and np.array_equal(ids[start : start + self.n], self._ids[origin : origin + self.n]):
                words = tuple(self.words[i] for i in self._ids[origin : origin + self.n])
                found[row] = Hit(self.items[int(self._item_at[origin])].task_id, words)
        return found

    def _lay_out(self, texts: Sequence[Sequence[str]]) -> tuple[Ids, Ids]:
        """The word ids of all texts in one array, a break after each; and for each place the text it belongs to."""
        lengths = np.fromiter((len(words) + 1 for words in texts), np.int64, len(texts))
        stream = chain.from_iterable(chain(words, ("",)) for words in texts)  # "" is no word, hence a break
        ids = np.fromiter(map(self.ids_by_word.get, stream, repeat(BREAK)), np.int32, int(lengths.sum()))
        return ids, np.repeat(np.arange(len(texts), dtype=np.int32), lengths)

    def _more_than_numbers(self, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For each window of the references, whether one of its words is not a number."""
        wordy = np.array([not word.isdecimal() for word in self.words], bool)
        found = np.zeros(len(starts), bool)
        for offset in range(self.n):
            found |= wordy[self._ids[starts + offset]]
        return found

    def _windows(self, ids: Ids) -> tuple[NDArray[np.int64], Hashes]:
        """Where n known words follow one another without a break, and the hash of each such window."""
        breaks = np.concatenate([[0], np.cumsum(ids == BREAK)])
        starts = np.flatnonzero(breaks[self.n :] == breaks[: -self.n])
        hashes = np.zeros(len(starts), np.uint64)
        for offset in range(self.n):
            hashes = hashes * MULTIPLIER + self._mixed[ids[starts + offset]]
        return starts, hashes


def mixed(count: int) -> Hashes:
    """A well-spread 64-bit number for each of the ids below `count` (the finaliser of splitmix64)."""
    z = np.arange(1, count + 1, dtype=np.uint64) * MULTIPLIER
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def overlapping(text: str, n: int, size: int = PIECE_CHARS) -> Iterator[str]:
    """Pieces of about `size` characters, cut between words, that together hold every n-gram of the text."""
    start = 0
    while len(text) - start > size:
        gap = GAP.search(text, start + size)
        if gap is None:
            break
        again = back(text, gap.start(), n - 1)
        if again - start < size // 2:  # n - 1 words fill half the piece: only a longer one moves on
            size *= 2
            continue
        yield text[start : gap.start()]
        start = again
    yield text[start:]


def back(text: str, end: int, words: int) -> int:
    """The position at which the last `words` words before `end` begin; 0 where there are fewer."""
    reach = 16 * (words + 1)
    while True:
        begin = max(0, end - reach)
        spans = [match.start() for match in WORD.finditer(text, begin, end)]
        if len(spans) > words:  # one more than asked for, since the first may be a word's tail
            return spans[-words]
        if begin == 0:
            return 0
        reach *= 4


def located(text: str, words: Sequence[str], context: int = 60) -> str:
    """The stretch of a text in which these words stand in a row, with some characters around it, on one line."""
    around = re.search(r"\b" + r"\W+".join(map(re.escape, words)) + r"\b", text.lower())
    begin, end = around.span() if around else (0, 0)
    return " ".join(text[max(0, begin - context) : end + context].split())
