"""From what a distribution or a file says of its licence to SPDX ids, and which of these a recipe allows. What cannot
be told for sure stays unknown (an empty list).

Asked in this order, the first that answers wins: `License-Expression` (PEP 639), the `License` field (a name, an SPDX
expression, or a whole licence text), the trove classifiers, the licence files. "BSD" alone does not say which BSD
licence it is: then the text of the licence file decides.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import Distribution
from pathlib import Path

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from hornbook.corpus.lists import listed

STANDARD_LIBRARY = ["PSF-2.0"]

# A name as people write it, lower case, without "license", "the", punctuation and spaces → SPDX id.
NAMES = {
    "0bsd": "0BSD",
    "apache": "Apache-2.0",
    "apache2": "Apache-2.0",
    "apache20": "Apache-2.0",
    "apachesoftware": "Apache-2.0",
    "apachesoftware20": "Apache-2.0",
    "apachev2": "Apache-2.0",
    "asl2": "Apache-2.0",
    "bsd2clause": "BSD-2-Clause",
    "simplifiedbsd": "BSD-2-Clause",
    "bsd3": "BSD-3-Clause",
    "bsd3clause": "BSD-3-Clause",
    "3clausebsd": "BSD-3-Clause",
    "newbsd": "BSD-3-Clause",
    "modifiedbsd": "BSD-3-Clause",
    "boostsoftware10bsl10": "BSL-1.0",
    "bsl10": "BSL-1.0",
    "cc010": "CC0-1.0",
    "cc010universalcc010publicdomaindedication": "CC0-1.0",
    "cnripython": "CNRI-Python",
    "eclipsepublic20epl20": "EPL-2.0",
    "gnuafferogeneralpublicv3": "AGPL-3.0-only",
    "gnuafferogeneralpublicv3orlateragplv3+": "AGPL-3.0-or-later",
    "gnugeneralpublicv2gplv2": "GPL-2.0-only",
    "gnugeneralpublicv2orlatergplv2+": "GPL-2.0-or-later",
    "gnugeneralpublicv3gplv3": "GPL-3.0-only",
    "gnugeneralpublicv3orlatergplv3+": "GPL-3.0-or-later",
    "gnulessergeneralpublicv2lgplv2": "LGPL-2.0-only",
    "gnulessergeneralpublicv2orlaterlgplv2+": "LGPL-2.0-or-later",
    "gnulessergeneralpublicv3lgplv3": "LGPL-3.0-only",
    "gnulessergeneralpublicv3orlaterlgplv3+": "LGPL-3.0-or-later",
    "gplv2": "GPL-2.0-only",
    "gplv3": "GPL-3.0-only",
    "historicalpermissionnoticeanddisclaimerhpnd": "HPND",
    "hpnd": "HPND",
    "isc": "ISC",
    "isciscl": "ISC",
    "mit": "MIT",
    "expat": "MIT",
    "mitnoattributionmit0": "MIT-0",
    "mozillapublic20mpl20": "MPL-2.0",
    "mpl20": "MPL-2.0",
    "psf": "PSF-2.0",
    "psf20": "PSF-2.0",
    "pythonsoftwarefoundation": "PSF-2.0",
    "unlicense": "Unlicense",
    "unlicenseunlicense": "Unlicense",
    "zlib": "Zlib",
    "zliblibpng": "Zlib",
    "zopepublic": "ZPL-2.1",
    "zpl21": "ZPL-2.1",
}
KNOWN = frozenset(NAMES.values())

# What a licence text of each kind holds; the first row whose phrases all occur (spaces and case aside) wins.
TEXTS: list[tuple[str, tuple[str, ...]]] = [
    ("Apache-2.0", ("apache license", "version 2.0")),
    ("MPL-2.0", ("mozilla public license", "2.0")),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "neither the name")),
    ("BSD-3-Clause", ("redistribution and use in source and binary forms", "may not be used to endorse")),
    ("BSD-2-Clause", ("redistribution and use in source and binary forms", "reproduce the above copyright")),
    ("MIT", ("permission is hereby granted, free of charge", "this permission notice shall be included")),
    ("ISC", ("permission to use, copy, modify, and/or distribute this software for any purpose",)),
    ("Zlib", ("without any express or implied warranty", "altered source versions must be plainly marked")),
    ("PSF-2.0", ("python software foundation license",)),
    ("Unlicense", ("this is free and unencumbered software released into the public domain",)),
]


# Licences that ask for no more than attribution and notices, by SPDX id, as the Blue Oak Council and, since its version
# 1.1, The Stack draw the line: no copyleft, however weak (MPL, EPL, LGPL).
PERMISSIVE = listed("permissive-licenses")
GROUPS = {"permissive": PERMISSIVE}


def spdx(distribution: Distribution) -> list[str]:
    """The SPDX ids a distribution claims, sorted; empty where it makes no claim that can be understood.

    All ids of an expression are listed: `A OR B` gives both, so a gate that asks for every id to be allowed errs on
    the safe side.
    """
    field = field_of(distribution, "License")
    ways: tuple[Callable[[], list[str]], ...] = (
        lambda: from_expression(field_of(distribution, "License-Expression")),
        lambda: from_name(field),
        lambda: from_text(field),
        lambda: from_classifiers(distribution.metadata.get_all("Classifier") or []),
        lambda: sorted({name for text in license_files(distribution) for name in from_text(text)}),
    )
    return next((found for way in ways if (found := way())), [])


def field_of(distribution: Distribution, name: str) -> str:
    """A field of a distribution's metadata; empty where it is not there."""
    return str((distribution.metadata.get_all(name) or [""])[0])


def from_expression(expression: str) -> list[str]:
    """The ids in an SPDX expression; an exception stays with its licence.

    >>> from_expression("(MIT OR Apache-2.0 WITH LLVM-exception) AND MIT")
    ['Apache-2.0 WITH LLVM-exception', 'MIT']
    """
    bare = expression.replace("(", " ").replace(")", " ")
    return sorted({part.strip() for part in re.split(r"\s(?:AND|OR)\s", bare, flags=re.IGNORECASE) if part.strip()})


def from_name(name: str) -> list[str]:
    """The id a licence's name means, or the ids of an expression made of ids known here.

    >>> from_name("Apache 2.0 License"), from_name("MPL-2.0 AND MIT"), from_name("BSD")
    (['Apache-2.0'], ['MIT', 'MPL-2.0'], [])
    """
    if len(name) > 200:
        return []
    parts = from_expression(name)
    if parts and all(part in KNOWN for part in parts):
        return parts
    known = NAMES.get(plain_name(name))
    return [known] if known else []


def plain_name(name: str) -> str:
    """A licence's name without what people write differently.

    >>> plain_name("The BSD 3-Clause License"), plain_name("Apache License, Version 2.0")
    ('bsd3clause', 'apache20')
    """
    return re.sub(r"\b(the|licen[cs]e|version)\b|[^a-z0-9+]", "", name.lower())


def from_classifiers(classifiers: Iterable[str]) -> list[str]:
    """The ids that trove classifiers name; `License :: OSI Approved :: BSD License` is too vague and gives none."""
    names = [text.rsplit("::", 1)[-1].strip() for text in classifiers if text.startswith("License ::")]
    return sorted({name for text in names for name in from_name(text)})


def from_text(text: str) -> list[str]:
    """The id of a licence's full text, by phrases that only it holds."""
    flat = " ".join(text.lower().split())
    return next(([name] for name, phrases in TEXTS if all(phrase in flat for phrase in phrases)), [])


def license_files(distribution: Distribution) -> Iterator[str]:
    """The texts of the licence files beside a distribution's metadata."""
    for file in distribution.files or []:
        if ".dist-info" in str(file) and re.match(r"(LICEN[CS]E|COPYING)", file.name, re.IGNORECASE):
            try:
                yield Path(str(file.locate())).read_text("utf-8", "replace")
            except OSError:
                continue


IDENTIFIER = re.compile(r"SPDX-License-Identifier:[ \t]*([\w.+() -]+)")
NAMED = re.compile(
    r"(?:\blicen[cs]e:|\bunder(?: the)?(?: terms of)?(?: the)?) *([a-z][\w .,+-]{1,40}?)(?: licen[cs]e|[.;]?$)", re.M
)
GNU = re.compile(r"gnu (affero |lesser |library )?general public licen[cs]e(?P<more>.*)")
GNU_NAMES = {None: "GPL", "affero ": "AGPL", "lesser ": "LGPL", "library ": "LGPL"}


def from_notice(text: str) -> list[str]:
    """The ids that the notice at the head of a file names: by SPDX tag, by a licence's text, by its name.

    >>> from_notice("SPDX-License-Identifier: MIT OR Apache-2.0"), from_notice("Released under the MIT license.")
    (['Apache-2.0', 'MIT'], ['MIT'])
    """
    tagged = {name for found in IDENTIFIER.findall(text) for name in from_expression(canonical(found))}
    if tagged:
        return sorted(tagged)
    flat = " ".join(text.lower().split())
    named = {name for found in NAMED.findall(text.lower()) for name in from_name(found)}
    return from_gnu(flat) or from_text(text) or sorted(named)


def from_gnu(flat: str) -> list[str]:
    """The id of a notice of the GNU licences, which say which version they are; without one there is none."""
    found = GNU.search(flat)
    version = found and re.search(r"(?:version |v\.? ?)([123])(\.[01])?", found["more"])
    if not found or not version:
        return []
    later = "later version" in found["more"] or "or later" in found["more"]
    return [f"{GNU_NAMES[found[1]]}-{version[1]}{version[2] or '.0'}-{'or-later' if later else 'only'}"]


def canonical(expression: str) -> str:
    """An SPDX expression in its proper spelling; as it was where it is none."""
    try:
        return str(canonicalize_license_expression(expression.strip()))
    except InvalidLicenseExpression:
        return expression.strip()


def allowed_ids(names: Iterable[str]) -> frozenset[str]:
    """The ids that an allow-list names, its groups resolved, in the form of `comparable`.

    Raises ValueError for a name that is neither an SPDX id nor a group, with the nearest that is.
    """
    ids: set[str] = set()
    for name in names:
        if name.lower() in GROUPS:
            ids |= GROUPS[name.lower()]
            continue
        try:
            ids.add(canonicalize_license_expression(name))
        except InvalidLicenseExpression:
            near = difflib.get_close_matches(name, [*GROUPS, *sorted(KNOWN | PERMISSIVE)], n=1, cutoff=0.4)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            raise ValueError(f'"{name}" is no SPDX licence id and no group ({", ".join(GROUPS)}){hint}') from None
    return frozenset(comparable(id) for id in ids)


def comparable(id: str) -> str:
    """An id for comparison: small letters, GNU's old names for the new, and no exception, which only allows more.

    >>> comparable("GPL-3.0+"), comparable("Apache-2.0 WITH LLVM-exception")
    ('gpl-3.0-or-later', 'apache-2.0')
    """
    bare = id.lower().split(" with ")[0].strip()
    if re.fullmatch(r"[al]?gpl-[\d.]+\+?", bare):
        return f"{bare[:-1]}-or-later" if bare.endswith("+") else f"{bare}-only"
    return bare


def not_allowed(licenses: Iterable[str], allowed: frozenset[str]) -> list[str]:
    """Those of a document's licences that are not allowed. Every id of an expression must be: see `spdx`."""
    ids = sorted({id for claim in licenses for id in from_expression(claim)})
    return [id for id in ids if comparable(id) not in allowed]
