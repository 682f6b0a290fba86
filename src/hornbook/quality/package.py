"""Train the classifier that ships with hornbook from the packaged readings: `make classifier`.

Run it on an installation that holds the versions that were read (constraints.txt); files of other versions are left out
and counted. The directions of meaning are learnt first, from what is installed, without labels; the reserved half of
the standard library (see `teacher.readings.reserved`) is not looked at for either.
"""

from __future__ import annotations

import sys
import sysconfig
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from hornbook.corpus.sources import NEVER_A_SOURCE, STANDARD, python_files
from hornbook.progress import say
from hornbook.quality import classifier, meaning
from hornbook.quality.classify import Classify, train
from hornbook.quality.embed import embed
from hornbook.records import Annotation, scatter
from hornbook.teacher.readings import readings, reserved, text_digest

UNLABELLED = 4000  # files that show how words go together


def located(name: str, path: str) -> Path | None:
    """Where a file of a distribution ("python": the standard library) is installed here."""
    if name == "python":
        return Path(sysconfig.get_paths()["stdlib"]) / path
    try:
        return Path(str(distribution(name).locate_file(path)))
    except PackageNotFoundError:
        return None


def unlabelled(most: int = UNLABELLED) -> list[str]:
    """Texts of installed files: first the unreserved standard library, then others in an order drawn by their names."""
    items = [i for i in python_files(None, NEVER_A_SOURCE) if i.source != STANDARD or not reserved(i.path)]
    items.sort(key=lambda item: (item.source != STANDARD, scatter(0, item.name)))
    return [text for item in items[:most] if (text := Path(item.url).read_text("utf-8", errors="replace"))]


def read_here() -> tuple[list[str], list[Annotation]]:
    """The texts that are installed as they were read, and their labels; the mean of a file's two readings."""
    texts, labels = [], []
    for digest, rows in sorted(readings().items()):
        first = rows[0]
        path = located(first["distribution"], first["path"])
        text = path.read_text("utf-8", errors="replace") if path and path.exists() else ""
        if text_digest(text) == digest:
            texts.append(text)
            score = sum(row["score"] for row in rows) / len(rows)
            about = (first["stratum"], first["distribution"], first["path"])
            labels.append(Annotation(digest, score, first["reason"], first["annotator"], *about))
    return texts, labels


def package_classifier(out: Path) -> dict[str, object]:
    """Train on every reading whose very text is installed, write the classifier; its cross-validated agreement."""
    texts, labels = read_here()
    trained, _, figures = train(Classify(), embed(texts), labels)
    classifier.save(trained, out)
    return figures


if __name__ == "__main__":
    here = Path(__file__).parent
    if "--keep-directions" not in sys.argv:
        meaning.save(meaning.learn(unlabelled()), here / meaning.FILE)
        meaning.packaged.cache_clear()
    found = package_classifier(here / classifier.FILE)
    say(f"{found['labels']} of {len(readings())} readings found here; wrote {meaning.FILE} and {classifier.FILE}")
    say("\n".join(f"  {name}: {value}" for name, value in found.items()))
