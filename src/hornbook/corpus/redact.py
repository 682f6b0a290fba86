"""Secrets and addresses in texts, and the fixed placeholders that take their place.

A finder looks for one kind of thing and yields where it stands; `FINDERS` holds them in the order in which they win
where two overlap. Each is precise before it is complete: what could as well be a version, a matrix product, a hash or
an example stays. `suspects` tells at the speed of memory which files hold anything that a finder could find, so that
the finders read only a few of them.
"""

from __future__ import annotations

import io
import tokenize
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

import pyarrow as pa
import pyarrow.compute as pc

from hornbook.corpus.addresses import emails, ip_addresses
from hornbook.corpus.findings import Finding, Kind
from hornbook.corpus.secrets import NAMES, private_keys, secrets, tokens, url_passwords

Finder = Callable[[str], Iterator[Finding]]
FINDERS: dict[Kind, Finder] = {
    "private_key": private_keys,
    "token": tokens,
    "url_password": url_passwords,
    "secret": secrets,
    "email": emails,
    "ip": ip_addresses,
}

# What every finding holds, for a matcher that reads all of it at once. No finder may find what this overlooks.
SUSPICIOUS = "|".join(
    [
        "PRIVATE KEY",
        "AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|[rs]k_(live|test)_|whsec_|AIza|ya29[.]|GOCSPX-",
        "sk-[A-Za-z0-9_-]{32}|eyJ[A-Za-z0-9_-]{10,}[.]eyJ|npm_[A-Za-z0-9]{30}|pypi-AgE|hf_[A-Za-z0-9]{30}|dop_v1_",
        "SG[.][A-Za-z0-9_-]{20}|hooks[.]slack",
        "://[^ \t\n/@]+:[^ \t\n/@]+@",
        NAMES + r"""[^\n]*[=:][ \t]*[bBrRuU]*["'][A-Za-z0-9+/=_.~-]{16}""",
        "[A-Za-z0-9_.+=-]@[A-Za-z0-9-]+[.][A-Za-z0-9]",
        "[0-9][.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]",
        "[23][0-9a-fA-F]{3}:[0-9a-fA-F:]{2}",
    ]
)


def suspects(data: pa.Array) -> list[bool]:
    """Which of these files (binary, null where unreadable) hold something that may have to go: about 450 MB/s."""
    return [bool(found) for found in pc.match_substring_regex(data, SUSPICIOUS).to_pylist()]


def redact(text: str, kinds: Iterable[Kind], literals_only: bool = False) -> tuple[str, Counter[Kind]]:
    """The text with placeholders, and how many of each kind. What stands beside a placeholder may only now be
    recognised, so this goes on until nothing is found: to redact a text again changes nothing."""
    counts: Counter[Kind] = Counter()
    while found := find(text, kinds):
        found = within_literals(text, found) if literals_only else found
        if not found:
            break
        counts.update(one.kind for one in found)
        text = replaced(text, found)
    return text, counts


def find(text: str, kinds: Iterable[Kind]) -> list[Finding]:
    """What must go, in order and without overlaps; of two that overlap, the kind that stands first in FINDERS wins."""
    wanted = set(kinds)
    found = [one for kind, finder in FINDERS.items() if kind in wanted for one in finder(text)]
    chosen: list[Finding] = []
    taken = bytearray(len(text) if found else 0)
    for one in found:
        if not any(taken[one.start : one.end]):
            taken[one.start : one.end] = b"\1" * (one.end - one.start)
            chosen.append(one)
    return sorted(chosen)


def replaced(text: str, findings: Iterable[Finding]) -> str:
    """The text with placeholders; nothing else is changed."""
    parts, at = [], 0
    for one in findings:
        parts += [text[at : one.start], one.placeholder]
        at = one.end
    return "".join([*parts, text[at:]])


def within_literals(text: str, findings: list[Finding]) -> list[Finding]:
    """Of the findings in a Python file, those inside one string or comment. f-strings hold code, and do not count."""
    offsets = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    spans = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            plain = token.type == tokenize.STRING and "f" not in token.string.split(token.string[-1], 1)[0].lower()
            if plain or token.type == tokenize.COMMENT:
                spans.append((offsets[token.start[0] - 1] + token.start[1], offsets[token.end[0] - 1] + token.end[1]))
    except (tokenize.TokenError, SyntaxError):
        pass
    starts = [start for start, _ in spans]
    places = ((one, bisect_right(starts, one.start) - 1) for one in findings)
    return [one for one, place in places if place >= 0 and one.end <= spans[place][1]]
