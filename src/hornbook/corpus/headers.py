"""Licence headers: the comments at the head of a file that hold a copyright notice or a licence and nothing else.

The leading comments are taken a paragraph at a time (comment lines between blank ones). A paragraph is a notice when it
speaks of copyright or a licence and nearly all its other words are words of the common notices; whoever wrote the file
may be named in it. Notices go; a shebang, a coding line, every other paragraph, and docstrings stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hornbook.corpus.licenses import from_notice
from hornbook.corpus.lists import listed

HEAD_LINES = 150  # of a file, among which its leading comments are looked for
LEAST_WORDS = 5  # of a notice that names no owner
KNOWN_SHARE = 0.8  # least share of a notice's words that common notices have, names and links aside
FOLLOWING_SHARE = 0.9  # of a paragraph right after a notice that does not speak of copyright itself

SPEAKS = re.compile(
    r"copyright|\(c\)|©|licen[cs]|spdx-|warrant|liab(le|ility)|permission (is|to)|all rights reserved|public domain",
    re.I,
)
OWNER = re.compile(
    r"((portions|(some )?parts) )?copyright\b[\s:,]*(\(c\)|©|by\b|the\b|all\b|.{0,40}?\b(19|20)\d\d\b)"
    r"|(\(c\)|©) ?(copyright )?\d{4}|copr\. |spdx-[a-z-]+:|all rights reserved",
    re.I,
)
PERSON = re.compile(
    r"(original |main )?((authors?|contact|maintainers?|contributors?) ?:|(written|created|developed) by\b)", re.I
)
PART = re.compile(r"(this (file|program|module|code|software) is )?(a )?part of .{1,60}$", re.I)
NEITHER = re.compile(r"https?://\S+|\S+@\S+|www\.\S+|[^a-z\s]")
PROGRAM = re.compile(
    r"#!|#.*?coding[:=]|#\s*-\*-|#\s*(vim?|ex):|#\s*(type|mypy|ruff|flake8|pylint|isort|fmt|yapf|noqa)\b|# /// "
)
WORDS = listed("notice-words")  # what common notices are made of


@dataclass(frozen=True, slots=True)
class Header:
    """The notices at the head of a file, their licences, and the file's lines without them."""

    text: str
    licenses: tuple[str, ...]
    lines: list[str]


def notice(lines: Sequence[str]) -> Header | None:
    """Comments at the head of a Python file that hold a copyright notice or a licence and nothing else, where
    `strip_license_headers` is set. Their licences join those of the file; a shebang, a coding line, what a comment says
    besides, and docstrings stay.
    """
    found, before = [], False
    for start, end in paragraphs(lines):
        before = is_notice(lines[start:end], before)
        if before:
            found.append(range(start, end))
    if not found:
        return None
    gone = {at for paragraph in found for at in paragraph}
    text = "\n".join(bare(lines[at]) for at in sorted(gone))
    return Header(text, tuple(from_notice(text)), without(lines, gone))


def without(lines: Sequence[str], gone: set[int]) -> list[str]:
    """The lines that stay. What stood around a notice closes up, with one blank line between."""
    kept: list[str] = []
    gap: list[str] = []
    cut, stop = False, end_of_comments(lines)
    for at in range(stop):
        if at in gone:
            cut = True
        elif is_wordless(lines[at]):
            gap.append(lines[at])
        else:
            kept += [*([""] if cut and kept else [] if cut else gap), lines[at]]
            gap, cut = [], False
    return [*kept, *([""] if cut and kept else [] if cut else gap), *lines[stop:]]


def paragraphs(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The runs of comment lines at the head of a file, from line to line; lines for programs are not among them."""
    start = None
    stop = end_of_comments(lines)
    for at in range(stop + 1):
        words = at < stop and not is_wordless(lines[at]) and not PROGRAM.match(lines[at])
        if words and start is None:
            start = at
        elif not words and start is not None:
            yield start, at
            start = None


def end_of_comments(lines: Sequence[str]) -> int:
    """The first line that is neither blank nor a comment, looked for among the first HEAD_LINES."""
    most = min(len(lines), HEAD_LINES)
    return next((at for at in range(most) if lines[at].strip() and not lines[at].startswith("#")), most)


def is_wordless(line: str) -> bool:
    """Whether a line at the head is blank, or a comment without words: empty, or drawn across the page.

    >>> is_wordless("#"), is_wordless("# ------"), is_wordless("# one")
    (True, True, False)
    """
    return not any(map(str.isalnum, line))


def bare(line: str) -> str:
    """A comment line without its marks."""
    return line.strip("# \t*")


def is_notice(lines: Sequence[str], follows: bool) -> bool:
    """Whether a paragraph is a notice and nothing else. `follows`: whether the one before it was."""
    texts = [bare(line) for line in lines]
    owned = any(OWNER.match(text) for text in texts)
    speaks = owned or any(SPEAKS.search(text) for text in texts)
    rest = [text for text in texts if not (OWNER.match(text) or PERSON.match(text) or PART.fullmatch(text))]
    words = NEITHER.sub(" ", " ".join(rest).lower()).split()
    if not words:
        return owned or follows
    share = sum(word in WORDS for word in words) / len(words)
    enough = owned or len(words) >= LEAST_WORDS
    return enough and ((speaks and share >= KNOWN_SHARE) or (follows and share >= FOLLOWING_SHARE))
