"""Secrets and addresses in texts, and the fixed placeholders that take their place.

A finder looks for one kind of thing and yields where it stands; `FINDERS` holds them in the order in which they win
where two overlap. Each is precise before it is complete: what could as well be a version, a matrix product, a hash or an
example stays. `suspects` tells at the speed of memory which files hold anything that a finder could find, so that the
finders read one file in eight.
"""

from __future__ import annotations

import ipaddress
import io
import math
import re
import tokenize
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Literal, NamedTuple, get_args

import pyarrow as pa
import pyarrow.compute as pc

Kind = Literal["private_key", "token", "url_password", "secret", "email", "ip"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class Finding(NamedTuple):
    """A stretch of text that must go, and what is written instead."""

    start: int
    end: int
    kind: Kind
    placeholder: str


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
STARTS = (
    "AKIA ASIA ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- xox k_live_ k_test_ whsec_ AIza ya29. GOCSPX- sk- eyJ npm_ "
    "pypi-AgE hf_ SG. dop_v1_ hooks.slack"
).split()  # of a token there is one of these; to look for each is five times as fast as the expression
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


URL_PASSWORD = re.compile(r"://[^\s:/@\"'<>{}$%()]{1,64}:([^\s:/@\"'<>{}$%()*]{3,128})@([A-Za-z0-9-]+(?:\.[A-Za-z0-9.-]+|(?=:\d)|(?<=localhost)))")
STANDS_FOR_ONE = re.compile(r"(?i)x+|\.+|(my|your|the|a)?[-_]?(pass(wor[dt])?|passwd|pwd|pass?phrase|secret|token|pw|key)\d?")


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
    rf"""(?<!public)(?<!Public){NAMES}(?!i[sz])[\w.-]{{0,40}}["'\]]{{0,2}}[ \t]{{0,4}}[=:][ \t]{{0,4}}[bBrRuU]{{0,2}}$"""
)


def secrets(text: str) -> Iterator[Finding]:
    """Strings that look random and are assigned to a name such as `api_key`, `secret`, `token` or `password` (as a
    variable, an argument or a key of a mapping) become `<KEY>`.
    """
    for match in LITERAL.finditer(text):
        before = text[max(text.rfind("\n", 0, match.start()) + 1, match.start() - 80) : match.start()]
        if looks_random(match[2]) and ".." not in match[2] and ASSIGNED_TO.search(before):
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
    changes = sum(one != other and "-" not in (one, other) for one, other in zip(kinds, kinds[1:], strict=False))
    counts = Counter(value).values()
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts)
    return kinds.count("0") >= MIN_DIGITS and bool({"a", "A"} & set(kinds)) and bits >= MIN_BITS and changes >= MIN_CHANGES * len(value)


AT = re.compile(r"@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?\.)+([A-Za-z]{2,12}))(?![\w@-]|\.[A-Za-z0-9]|:[\w/~])")
LOCAL = re.compile(r"(?<![\w.+%=/:$-])[A-Za-z0-9_][A-Za-z0-9_.+=-]{0,63}$")
LONG_ENDINGS = frozenset(
    "com org net edu gov mil int info biz name pro aero coop museum mobi jobs travel asia dev app tech xyz online site "
    "cloud blog email wiki science berlin london swiss tokyo".split()
)
COUNTRIES = frozenset(
    "ac ad ae af ag ai al am ao ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd cf cg "
    "ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge gf gg gh "
    "gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh ki km kn kp "
    "kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc "
    "ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw qa re ro rs ru rw sa sb sc sd se sg sh si sk "
    "sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk us uy uz va vc ve vg vi "
    "vn vu wf ws ye yt za zm zw".split()
)
MOST_DIGITS = 12  # of a person's address; message ids have more
NOBODY = frozenset({"git", "hg", "svn"})  # users of repositories' addresses


def emails(text: str) -> Iterator[Finding]:
    """E-mail addresses become `<EMAIL>`. Those of example.com and other reserved domains stay, and so do shell prompts,
    repositories' addresses (`git@host`) and users in URLs.
    """
    for at in AT.finditer(text):
        ending = at[2].lower()
        if ending not in COUNTRIES and ending not in LONG_ENDINGS or reserved_domain(at[1]):
            continue
        local = LOCAL.search(text, max(at.start() - 65, text.rfind("\n", 0, at.start()) + 1), at.start())
        if local and local[0] not in NOBODY and sum(map(str.isdigit, local[0])) <= MOST_DIGITS:
            yield Finding(local.start(), at.end(), "email", "<EMAIL>")


def reserved_domain(name: str) -> bool:
    """Whether a host is for examples or within one's own walls (RFC 2606, RFC 6761, RFC 8375).

    >>> reserved_domain("mail.example.org"), reserved_domain("localhost"), reserved_domain("python.org")
    (True, True, False)
    """
    labels = name.lower().rstrip(".").split(".")
    inner = labels[-1] in {"example", "invalid", "test", "localhost", "local", "lan", "internal", "arpa"}
    return inner or any(label.startswith("example") for label in labels)


DOTTED = re.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]")
IPV4 = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})(?!\w|\.\d|/\d|-[\w.])")
IPV6 = re.compile(r"[23][0-9a-fA-F]{3}:[0-9a-fA-F:]{2,34}(?![\w:]|\.\d|/\d)")
NO_ADDRESS = re.compile(r"(?i)(version|release|\bver|\brev|section|chapter|\boid|\bv|§)\W*$|__version__|[=<>~!]= ?$")
SMALL = 32
PUBLIC_SERVERS = frozenset(
    {"208.67.222.222", "208.67.220.220", "2001:4860:4860::8888", "2001:4860:4860::8844", "2606:4700:4700::1111"}
)


def ip_addresses(text: str) -> Iterator[Finding]:
    """Public IPv4 and IPv6 addresses of hosts become `<IP_ADDRESS>`. Private, loopback, documentation, multicast and
    network addresses stay, and so do well-known name servers. Numbers of which only one reaches 32 are taken for a
    version, a section or an object identifier: seven addresses in a thousand look like that.
    """
    for match in IPV4.finditer(text) if DOTTED.search(text) else ():
        numbers = [int(number) for number in match.groups()]
        large = sum(number >= SMALL for number in numbers)
        if large < 2 or not numbers[3] or continues(text, match.start(), ".-_"):
            continue
        if is_public(match[0]) and not speaks_of_versions(text, match.start()):
            yield Finding(*match.span(), "ip", "<IP_ADDRESS>")
    for match in IPV6.finditer(text):
        if match[0][-1] != ":" and not continues(text, match.start(), ":._") and is_public(match[0]):
            yield Finding(*match.span(), "ip", "<IP_ADDRESS>")


def continues(text: str, start: int, marks: str) -> bool:
    """Whether what begins here goes on from a letter, a digit or one of these marks, and so is part of something."""
    return start > 0 and (text[start - 1].isalnum() or text[start - 1] in marks)


def is_public(address: str) -> bool:
    """Whether this is the address of one host in the public internet."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return False
    return known.is_global and not known.is_multicast and str(known) not in PUBLIC_SERVERS


def speaks_of_versions(text: str, start: int) -> bool:
    """Whether the words before, on the same line, say that what follows is a version or the like."""
    line = text.rfind("\n", 0, start) + 1
    return NO_ADDRESS.search(text, max(line, start - 40), start) is not None


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
        NAMES + r"""[^\n=:]*[=:][ \t]*[bBrRuU]*["'][A-Za-z0-9+/=_.~-]{16}""",
        "[A-Za-z0-9_.+=-]@[A-Za-z0-9-]+[.][A-Za-z0-9]",
        "[0-9][.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]",
        "[23][0-9a-fA-F]{3}:[0-9a-fA-F:]{2}",
    ]
)


def suspects(data: pa.Array) -> list[bool]:
    """Which of these files (binary, null where unreadable) hold something that may have to go: about 450 MB/s."""
    return [bool(found) for found in pc.match_substring_regex(data, SUSPICIOUS).to_pylist()]


def find(text: str, kinds: Iterable[Kind]) -> list[Finding]:
    """What must go, in order and without overlaps; of two that overlap, the kind that stands first in FINDERS wins."""
    wanted = set(kinds)
    found = [one for kind, finder in FINDERS.items() if kind in wanted for one in finder(text)]
    chosen: list[Finding] = []
    taken = bytearray(0)
    for one in found:
        if not chosen:
            taken = bytearray(len(text))
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
