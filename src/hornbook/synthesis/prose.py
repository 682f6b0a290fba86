"""What can be checked of a section without code: its length, its questions' answers, and that nobody else tells it.

Questions are numbered lines that hold a question mark. The answer follows on the same line, or is a later line of the
same number. Whether it is a good answer only a reader can say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from hornbook.synthesis.overlap import SHARED, ngrams, words_of

WORDS = (650, 1000)
QUESTIONS = (3, 5)
ANSWER_WORDS = 8
NUMBERED = re.compile(r"^(\d+)\.[ \t]+(.*)$", re.MULTILINE)


def prose_fault(text: str) -> str:
    """The first thing that a section without code lacks, in words; "" when all is well."""
    words = len(text.split())
    if not WORDS[0] <= words <= WORDS[1]:
        return f"{words} words; prose has {WORDS[0]} to {WORDS[1]}"
    answered = questions(text)
    if not QUESTIONS[0] <= len(answered) <= QUESTIONS[1]:
        return f"{len(answered)} numbered questions; prose asks {QUESTIONS[0]} to {QUESTIONS[1]}"
    if not all(answered):
        return f"the {ordinal(answered.index(False))} question has no answer of {ANSWER_WORDS} words"
    return ""


def questions(text: str) -> list[bool]:
    """For each numbered question in order, whether it is answered.

    >>> questions("1. Why? Because the water leaves, and takes the heat along.\\n2. Who?\\n3. When?\\n2. Nobody.")
    [True, False, False]
    """
    answered: list[bool] = []
    waiting: dict[str, int] = {}
    for number, line in NUMBERED.findall(text):
        if number in waiting:
            answered[waiting.pop(number)] = len(line.split()) >= ANSWER_WORDS
        elif "?" in line:
            answered.append(len(line.rpartition("?")[2].split()) >= ANSWER_WORDS)
            if not answered[-1]:
                waiting[number] = len(answered) - 1
    return answered


def ordinal(place: int) -> str:
    """The name of a place in a list of questions.

    >>> ordinal(0), ordinal(4)
    ('first', 'fifth')
    """
    return ("first", "second", "third", "fourth", "fifth")[place]


def retold(texts: Sequence[str], prose: Collection[int]) -> dict[int, str]:
    """Place of a prose text → words that another of the texts has too, for those that share thirteen in a row."""
    words = [words_of(text) for text in texts] if prose else []
    owner = {gram: place for place in prose for gram in ngrams(words[place], SHARED)}
    found: dict[int, str] = {}
    for place, spoken in enumerate(words):
        for gram in ngrams(spoken, SHARED):
            if owner.get(gram, place) != place:
                found.setdefault(owner[gram], " ".join(gram))
                if place in prose:
                    found.setdefault(place, " ".join(gram))
    return found
