"""Finders of addresses: of people (e-mail) and of machines (IP)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from hornbook.corpus.findings import Finding, continues, reserved_domain
from hornbook.corpus.lists import listed

AT = re.compile(
    r"@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?\.)+([A-Za-z]{2,12}))(?![\w@-]|\.[A-Za-z0-9]|:[\w/~])"
)
LOCAL = re.compile(r"(?<![\w.+%=/:$-])[A-Za-z0-9_][A-Za-z0-9_.+=-]{0,63}$")
ENDINGS = listed("country-endings") | listed("long-endings")  # of hosts
MOST_DIGITS = 12  # of a person's address; message ids have more
NOBODY = frozenset({"git", "hg", "svn"})  # users of repositories' addresses


def emails(text: str) -> Iterator[Finding]:
    """E-mail addresses become `<EMAIL>`. Those of example.com and other reserved domains stay, and so do shell prompts,
    repositories' addresses (`git@host`) and users in URLs.
    """
    for at in AT.finditer(text):
        ending = at[2].lower()
        if ending not in ENDINGS or reserved_domain(at[1]):
            continue
        local = LOCAL.search(text, max(at.start() - 65, text.rfind("\n", 0, at.start()) + 1), at.start())
        if local and local[0] not in NOBODY and sum(map(str.isdigit, local[0])) <= MOST_DIGITS:
            yield Finding(local.start(), at.end(), "email", "<EMAIL>")


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
