"""Train the classifier that ships with hornbook from the packaged readings: `make classifier`.

Run it on an installation that holds the versions that were read (constraints.txt); files of other versions are left out
and counted.
"""

from __future__ import annotations

import sysconfig
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from hornbook.progress import say
from hornbook.quality.features import embed
from hornbook.quality.forest import FILE, Forest, grow, save
from hornbook.teacher.readings import readings, text_digest


def located(name: str, path: str) -> Path | None:
    """Where a file of a distribution ("python": the standard library) is installed here."""
    if name == "python":
        return Path(sysconfig.get_paths()["stdlib"]) / path
    try:
        return Path(str(distribution(name).locate_file(path)))
    except PackageNotFoundError:
        return None


def package_classifier(out: Path) -> int:
    """Train on every reading whose very text is installed, write the classifier, return how many there were."""
    texts, labels = [], []
    for digest, rows in sorted(readings().items()):
        path = located(rows[0]["distribution"], rows[0]["path"])
        text = path.read_text("utf-8", errors="replace") if path and path.exists() else ""
        if text_digest(text) == digest:
            texts.append(text)
            labels.append(sum(row["score"] for row in rows) / len(rows))
    save(grow(Forest(), embed(texts), labels), out)
    return len(texts)


if __name__ == "__main__":
    place = Path(__file__).with_name(FILE)
    say(f"{package_classifier(place)} of {len(readings())} readings found here; wrote {place.name}")
