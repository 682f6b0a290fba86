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

HEAD_LINES = 150  # of a file, among which its leading comments are looked for
KNOWN_SHARE = 0.8  # least share of a notice's words that common notices have, names and links aside
FOLLOWING_SHARE = 0.9  # of a paragraph right after a notice that does not speak of copyright itself

SPEAKS = re.compile(r"copyright|\(c\)|©|licen[cs]|spdx-|warrant|liab(le|ility)|permission|all rights reserved|public domain", re.I)
OWNER = re.compile(
    r"(portions |parts |some parts? )?(copyright\b.{0,20}?(\d{4}|\(c\)|©|by\b|the\b|all\b)|(\(c\)|©) ?(copyright )?\d{4}|copr\. )"
    r"|spdx-[a-z-]+:|all rights reserved",
    re.I,
)
PERSON = re.compile(r"(original |main )?(authors?|contact|maintainers?|contributors?|(written|created|developed) by)\b ?:?", re.I)
PART = re.compile(r"(this (file|program|module|code|software) is )?(a )?part of .{1,60}$", re.I)
NEITHER = re.compile(r"https?://\S+|\S+@\S+|www\.\S+|[^a-z\s]")
PROGRAM = re.compile(r"#!|#.*?coding[:=]|#\s*-\*-|#\s*(vim?|ex):|#\s*(type|mypy|ruff|flake8|pylint|isort|fmt|yapf|noqa)\b|# /// ")
WORDS = frozenset(
    """
    a about above accompanies accompanying accordance act action additional advertising advised agreed agreement agreements
    all along also an and any apache apply applicable are arising as asf asserted associated at authored author authors
    available based be been being below beneficial binary boost bsd but business by can cases caused cause changes charge
    claim claims clause clauses code com commercial compliance condition conditions consequential contract contributed
    contributor contributors copies copy copying copyright copyrighted copyrights corporation covered damage damages data
    dated deal dealings derived derivative details derivation direct directory disclaimed disclaimer disclaimers
    distribute distributed distributing distribution distributions document documentation documented does dual due duplicate
    either endorse entire event events even exception except exclusive exemplary express expressed fee file files fitness
    following for form forms found foundation fee franklin floor boston street ma usa inc free from full furnished general
    gnu good governed gpl grant granted grants have he hereby herein holder holders hope however http https if implied in
    incidental including indemnify indirect information intellectual interruption is isc it its kind later law lesser
    lgpl liability liable libraries library license licensed licensee licenses licensing licence licenced licences like
    limitation limitations limited list loss made materials may means media medium merchantability merge met mit modification
    modifications modified modify modifying more mozilla mpl must name names negligence neither no nonexclusive
    noninfringement nor not notice notices obtain obtained obtaining of off on one only open option or org original
    origin other otherwise out own owner owners ownership package part particular party patent patents permission
    permissions permissive permit permits permitted person persons please portions possibility possible prior procurement
    product products profits program programs project promote prominent provided provisions psf public publish published
    publishing punitive purpose purposes python received redistribute redistributed redistribution redistributions
    regarding released representations reproduce reproduced reserved restriction restrictions retain retained right rights
    root royalty same see sell separate service services shall should similar simplified software so source special specific
    spdx specified state stated strict style sublicense subject substantial substitute such suitability supporting
    acknowledgment allowed alter altered anyone applications appreciated freely marked misrepresented plainly removed required wrote
    terms text than that the their them theory there these they this those tort transfer tree two three under
    unless unlicense unported up upon use used useful user users v version verbatim visit want warranties warranty was way
    we where whether which who whole whom whose with within without work works writing written you your
    """.split()
)


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
    speaks = any(SPEAKS.search(text) for text in texts)
    rest = [text for text in texts if not (OWNER.match(text) or PERSON.match(text) or PART.fullmatch(text))]
    words = NEITHER.sub(" ", " ".join(rest).lower()).split()
    if not words:
        return speaks or follows
    share = sum(word in WORDS for word in words) / len(words)
    return share >= KNOWN_SHARE if speaks else follows and share >= FOLLOWING_SHARE
