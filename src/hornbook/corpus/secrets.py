"""Finders of secrets: private keys, tokens of a fixed form, passwords in URLs, random strings with a telling name."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from hornbook.corpus.findings import Finding, continues, reserved_domain
from hornbook.corpus.lists import listed

BLOCK = re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY(?: BLOCK)?)-----(.{16,20000}?)-----END \1-----", re.DOTALL)
BASE64_RUN = re.compile(r"(?:(?<=\\[nr])|(?<![\\\w+/=]))[A-Za-z0-9+/]{16,}={0,2}")


def private_keys(text: str) -> Iterator[Finding]:
    """Private key blocks in PEM or PGP armour: what stands between BEGIN and END becomes `<KEY>`.

    In a block that is put together from several strings, each run of base64 is replaced on its own.
    """
    for block in BLOCK.finditer(text):
        start, end = block.span(2)
        runs = list(BASE64_RUN.finditer(text, start, end))
        if runs and any(mark in block[2] for mark in "\"'\\#"):
            yield from (Finding(*run.span(), "private_key", "<KEY>") for run in runs)
        elif runs:
            yield Finding(start, end, "private_key", "\n<KEY>\n")


AWS_ID = r"(?:AKIA|ASIA)[A-Z2-7]{16}\b"
TOKENS = re.compile(
    rf"""
      {AWS_ID}
    | gh[pousr]_[A-Za-z0-9]{{36}}\b | github_pat_[A-Za-z0-9]{{22}}_[A-Za-z0-9]{{59}}\b
    | glpat-[A-Za-z0-9_-]{{20,}}
    | xox[abeoprs]-[0-9]{{8,}}-[A-Za-z0-9-]{{16,}}
    | [rs]k_(?:live|test)_[A-Za-z0-9]{{20,}}\b | whsec_[A-Za-z0-9]{{32,}}\b
    | AIza[A-Za-z0-9_-]{{35}}(?![\w-]) | ya29\.[A-Za-z0-9_-]{{30,}} | GOCSPX-[A-Za-z0-9_-]{{28}}(?![\w-])
    | sk-(?:proj-|svcacct-|ant-[a-z0-9]+-)?(?=[A-Za-z_-]*[0-9])(?=[a-z0-9_-]*[A-Z])[A-Za-z0-9_-]{{32,}}
    | eyJ[A-Za-z0-9_-]{{10,}}\.eyJ[A-Za-z0-9_-]{{10,}}\.[A-Za-z0-9_-]{{20,}}
    | npm_[A-Za-z0-9]{{36}}\b | pypi-AgE[A-Za-z0-9_-]{{50,}} | hf_[A-Za-z0-9]{{34}}\b
    | SG\.[A-Za-z0-9_-]{{22}}\.[A-Za-z0-9_-]{{43}}(?![\w-]) | dop_v1_[a-f0-9]{{64}}\b
    | hooks\.slack\.com/services/T[A-Z0-9]{{7,}}/B[A-Z0-9]{{7,}}/[A-Za-z0-9]{{20,}}
    """,
    re.VERBOSE,
)
STARTS = listed("token-starts")  # every token has one; to look for each is five times as fast as for the expression
AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
BESIDE = 300  # characters around an AWS access key id within which its secret is looked for
DISTINCT = 8  # a token of fewer different characters (`AKIAXXXXXXXXXXXXXXXX`) stands for one


def tokens(text: str) -> Iterator[Finding]:
    """Tokens of a provider's fixed form become `<KEY>`: AWS (with the secret beside the id), GitHub, GitLab, Slack,
    Stripe, Google, OpenAI and its likes (`sk-`), JSON web tokens, npm, PyPI, Hugging Face, SendGrid, DigitalOcean.
    """
    for match in TOKENS.finditer(text) if any(start in text for start in STARTS) else ():
        if continues(text, match.start(), "_-") or len(set(match[0])) < DISTINCT or "EXAMPLE" in match[0]:
            continue
        yield Finding(*match.span(), "token", "<KEY>")
        if match[0].startswith(("AKIA", "ASIA")):
            for near in AWS_SECRET.finditer(text, max(match.start() - BESIDE, 0), match.end() + BESIDE):
                if looks_random(near[0]) and not near[0].islower() and "EXAMPLE" not in near[0]:
                    yield Finding(*near.span(), "token", "<KEY>")


URL_PASSWORD = re.compile(
    r"://[^\s:/@\"'<>{}$%()]{1,64}:([^\s:/@\"'<>{}$%()*]{3,128})@"
    r"([A-Za-z0-9-]+(?:\.[A-Za-z0-9.-]+|(?=:\d)|(?<=localhost)))"
)
STANDS_FOR_ONE = re.compile(
    r"(?i)x+|\.+|(my|your|the|a)?[-_]?(pass(wor[dt])?|passwd|pwd|pass?phrase|secret|token|pw|key)\d?"
)


def url_passwords(text: str) -> Iterator[Finding]:
    """Passwords in `scheme://user:password@host` become `<PASSWORD>`. The word "password" and its likes stay, and so
    does everything at example hosts.
    """
    for match in URL_PASSWORD.finditer(text):
        if not STANDS_FOR_ONE.fullmatch(match[1]) and not reserved_domain(match[2]):
            yield Finding(*match.span(1), "url_password", "<PASSWORD>")


LITERAL = re.compile(r"""(["'])([A-Za-z0-9+/=_.~-]{16,256})\1""")
NAMES = r"(?i:secret|token|passw(?:or)?d|passphrase|api_?key|access_?key|auth_?key|private_?key|credential)"
ASSIGNED_TO = re.compile(
    rf"""{NAMES}(?!i[sz])[\w.-]{{0,40}}["'\]]{{0,2}}"""
    r"""[ \t]{0,4}(?::[ \t]?\w{1,20}[ \t]?)?[=:][ \t]{0,4}[bBrRuU]{0,2}$"""
)


def secrets(text: str) -> Iterator[Finding]:
    """Strings that look random and are assigned to a name such as `api_key`, `secret`, `token` or `password` (as a
    variable, an argument or a key of a mapping) become `<KEY>`.
    """
    for match in LITERAL.finditer(text):
        before = text[max(text.rfind("\n", 0, match.start()) + 1, match.start() - 80) : match.start()]
        private = ASSIGNED_TO.search(before) and "public" not in before.lower()
        if private and ".." not in match[2] and looks_random(match[2]):
            yield Finding(*match.span(2), "secret", "<KEY>")


MIN_DIGITS = 2
MIN_BITS = 3.0  # of entropy a character
MIN_CHANGES = 0.3  # changes between small letter, capital and digit, a character


def looks_random(value: str) -> bool:
    """Whether a string is more like thrown dice than like words: letters and digits, well mixed.

    >>> looks_random("q7Zp0xLw93KdVb2R"), looks_random("default_token_for_tests_2"), looks_random("0123456789abcdef")
    (True, False, False)
    """
    kinds = ["0" if c.isdigit() else "A" if c.isupper() else "a" if c.isalpha() else "-" for c in value]
    changes = sum(one != other and "-" not in (one, other) for one, other in pairwise(kinds))
    counts = Counter(value).values()
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
    return (
        kinds.count("0") >= MIN_DIGITS
        and bool({"a", "A"} & set(kinds))
        and bits >= MIN_BITS
        and changes >= MIN_CHANGES * len(value)
    )
