"""When two topics are the same, or nearly: the sets of words that carry meaning, and how much two of them share."""

from __future__ import annotations

import math
import re
from collections import defaultdict

WORD = re.compile(r"\w+[+#]*")  # C, C++ and C# are three things
POSSESSIVE = re.compile("['’]s\\b")
LITTLE_WORDS = """a an and are as at be been between by can do does for from has have how if in into is it its of on or
so than that the their then there they this to was were what when where which who whose why will with you your"""
EMPTY = frozenset(LITTLE_WORDS.split())
NEAR = 2 / 3

Form = frozenset[str]


def normal_form(text: str) -> Form:
    """The words of a topic that carry meaning, in lower case and in the singular; all its words if none does.

    Languages written without spaces come out as one word, so that among them only equal topics are found.

    >>> sorted(normal_form("The Keys of a Dictionary"))
    ['dictionary', 'key']
    """
    words = WORD.findall(POSSESSIVE.sub("", text.casefold()))
    return frozenset(singular(word) for word in words if word not in EMPTY) or frozenset(words)


def singular(word: str) -> str:
    """A word without the ending of an English plural."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3 else word


def overlap(one: Form, other: Form) -> float:
    """What two forms share, over what they hold together (Jaccard); 1.0 for two empty ones."""
    together = len(one | other)
    return len(one & other) / together if together else 1.0


class Known:
    """Topics met so far, searched for the one most like another. Exact: nothing at `near` or above is missed.

    Two sets that share so much must share one of the few smallest words of each, in any fixed order (prefix filtering,
    Bayardo and others 2007): long words come first here, being rarer.
    """

    def __init__(self, near: float = NEAR) -> None:
        self.near = near
        self._forms: dict[Form, str] = {}
        self._by_word: dict[str, list[Form]] = defaultdict(list)

    def add(self, text: str) -> None:
        """Remember a topic; the first of equal ones keeps its name."""
        form = normal_form(text)
        if form not in self._forms:
            self._forms[form] = text
            for word in self.prefix(form):
                self._by_word[word].append(form)

    def like(self, text: str) -> tuple[str, float] | None:
        """The known topic most like this one and their overlap, if it reaches `near`; of equals the first known."""
        form = normal_form(text)
        if form in self._forms:
            return self._forms[form], 1.0
        rivals = dict.fromkeys(rival for word in self.prefix(form) for rival in self._by_word.get(word, ()))
        best = max(rivals, key=lambda rival: overlap(form, rival), default=None)
        if best is None or overlap(form, best) < self.near:
            return None
        return self._forms[best], overlap(form, best)

    def prefix(self, form: Form) -> list[str]:
        """The words of which two forms that are near must share one."""
        shared = math.ceil(self.near * len(form) - 1e-9)
        return sorted(form, key=lambda word: (-len(word), word))[: len(form) - shared + 1]
