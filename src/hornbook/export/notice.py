"""LICENSES.json and NOTICE: which source is under which licence, and the notices that licences ask to keep."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from hornbook.artifacts import write_json
from hornbook.corpus.licenses import license_files
from hornbook.corpus.sources import STANDARD, canonical, installed
from hornbook.export.gate import HORNBOOK, UNKNOWN, Census
from hornbook.report.text import visible

WITHOUT_ATTRIBUTION = frozenset({"0BSD", "CC-PDDC", "CC0-1.0", "MIT-0", "PDDL-1.0", "Unlicense", "WTFPL", UNKNOWN})
RULE = "-" * 72


def write_notices(census: Census, out: Path) -> None:
    """Both files, from what the gate counted."""
    write_json(out / "LICENSES.json", licenses_json(census))
    (out / "NOTICE").write_text(notice(census), "utf-8")


def licenses_json(census: Census) -> dict[str, Any]:
    """Rows by licence, and by source."""
    sources = [
        {"source": source, "version": version, "licenses": dict(sorted(counts.items()))}
        for (source, version), counts in sorted(census.sources.items())
    ]
    return {"rows": census.rows, "licenses": dict(sorted(census.licenses.items())), UNKNOWN: census.unknown} | {
        "sources": sources
    }


def notice(census: Census) -> str:
    """Every source that a licence asks to be named, and the licence texts that are at hand."""
    owed = {source: ids for source, ids in sorted(census.sources.items()) if set(ids) - WITHOUT_ATTRIBUTION}
    if not owed:
        return "Nothing in here asks to be attributed.\n"
    lines = ["This holds material of the following sources, under their own licences.", ""]
    lines += [f"- {label(*source)}: {', '.join(sorted(ids))}" for source, ids in owed.items()]
    texts: dict[str, list[str]] = {}
    without = []
    known = installed()
    for source in owed:
        found = list(texts_of(*source, known))
        without += [] if found else [label(*source)]
        for text in found:
            texts.setdefault(text, []).append(label(*source))
    if without:
        lines += ["", f"Their licence texts were not at hand; add them before you publish: {'; '.join(without)}."]
    for text, names in texts.items():
        lines += ["", RULE, ", ".join(names), RULE, text]
    return "\n".join(lines) + "\n"


def label(source: str, version: str) -> str:
    """A source for people, on one line."""
    return visible(" ".join(f"{source} {version}".split()))


def texts_of(source: str, version: str, known: Mapping[str, Distribution]) -> Iterator[str]:
    """The licence texts of a source, where the very version is installed here."""
    if source == STANDARD:
        path = Path(sysconfig.get_paths()["stdlib"]) / "LICENSE.txt"
        if version == ".".join(map(str, sys.version_info[:3])):
            yield path.read_text("utf-8", "replace").strip() if path.is_file() else sys.copyright
        return
    ours = source.startswith(f"{HORNBOOK},")  # what its own writers wrote
    distribution = known.get(HORNBOOK if ours else canonical(source))
    if distribution is not None and (ours or distribution.version == version):
        yield from (text.strip() for text in license_files(distribution) if text.strip())
