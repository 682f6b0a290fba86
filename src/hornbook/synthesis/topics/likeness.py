"""When two topics are the same, or nearly: the sets of words that carry meaning, and how much two of them share."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

WORD = re.compile(r"\w+[+#]*")  # C, C++ and C# are three things
POSSESSIVE = re.compile("['’]s\\b")
LITTLE_WORDS = """a an and are as at be been between by can do does for from has have how if in into is it its of on or
so than that the their then there they this to was were what when where which who whose why will with you your"""
STEM = re.compile(r"(?=.*[aeiouy]).{3}")  # three letters at least, a vowel among them
EMPTY = frozenset(LITTLE_WORDS.split())
NEAR = 2 / 3

Form = frozenset[str]


def normal_form(text: str) -> Form:
    """The stems of a topic's words that carry meaning, in lower case; all its words if none does.

    Languages written without spaces come out as one word, so that among them only equal topics are found.

    >>> sorted(normal_form("Sorting the Keys of a Dictionary"))
    ['dictionary', 'key', 'sort']
    """
    words = WORD.findall(POSSESSIVE.sub("", text.casefold()))
    return frozenset(stem(word) for word in words if word not in EMPTY) or frozenset(words)


def stem(word: str) -> str:
    """An English word without the endings of plural, past and -ing, nor a last e or doubled letter before them.

    >>> [stem(word) for word in ("merges", "merged", "merging", "merge", "running", "fall", "string", "glass", "bus")]
    ['merg', 'merg', 'merg', 'merg', 'run', 'fal', 'string', 'glass', 'bus']
    """
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and not word.endswith("eed") and STEM.match(word[: -len(ending)]):
            word = word[: -len(ending)]
            break
    if word.endswith("e") and len(word) > 3:
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "se" else word


def overlap(one: Form, other: Form) -> float:
    """What two forms share, over what they hold together (Jaccard); 1.0 for two empty ones."""
    together = len(one | other)
    return len(one & other) / together if together else 1.0


class Known:
    """Topics met so far, searched for the one most like another. Exact: nothing at `near` or above is missed.

    Two sets that share so much must share one of the first few words of each, in any fixed order, and early enough for
    the rest to suffice (prefix and positional filtering; Xiao and others 2008). `common`: how often words occur in
    what is to come; the rarest stand first, so that few sets are compared.
    """

    def __init__(self, near: float = NEAR, common: Mapping[str, int] = {}) -> None:
        self.near, self.common = near, common
        self._forms: dict[Form, str] = {}
        self._index: dict[tuple[str, int, int], list[Form]] = defaultdict(list)  # word, its place, size → forms
        self._sizes: set[int] = set()

    def add(self, text: str) -> None:
        """Remember a topic; the first of equal ones keeps its name."""
        form = normal_form(text)
        if form not in self._forms:
            self._forms[form] = text
            self._sizes.add(len(form))
            for place, word in enumerate(self.prefix(form)):
                self._index[word, place, len(form)].append(form)

    def like(self, text: str) -> tuple[str, float] | None:
        """The known topic most like this one and their overlap, if it reaches `near`; of equals the first known."""
        form = normal_form(text)
        if form in self._forms:
            return self._forms[form], 1.0
        found = [(overlap(form, rival), rival) for rival in self.rivals(form)]
        best, rival = max(found, key=lambda pair: pair[0], default=(0.0, form))
        return (self._forms[rival], best) if best >= self.near else None

    def rivals(self, form: Form) -> Iterator[Form]:
        """The known forms that may be near: by size, by the words shared, and by where these stand."""
        sizes = [
            size for size in sorted(self._sizes) if least_shared(self.near, len(form), size) <= min(size, len(form))
        ]
        for place, word in enumerate(self.prefix(form)):
            for size in sizes:
                enough = least_shared(self.near, len(form), size)
                for other in range(size - enough + 1):
                    if min(len(form) - place, size - other) >= enough:
                        yield from self._index.get((word, other, size), ())

    def prefix(self, form: Form) -> list[str]:
        """The words of which two forms that are near must share one."""
        ordered = sorted(form, key=lambda word: (self.common.get(word, 0), -len(word), word))
        return ordered[: len(form) - rounded_up(self.near * len(form)) + 1]


def least_shared(near: float, one: int, other: int) -> int:
    """How many words sets of these sizes share at least when their overlap reaches `near`."""
    return rounded_up(near / (1 + near) * (one + other))


def rounded_up(value: float) -> int:
    """The next whole number, a hair's breadth allowed: 2/3 of 6 is 4 and not 5."""
    return math.ceil(value - 1e-9)
