"""Which documents of a corpus are put to a language model: decided by ids and seed alone, before anything is asked.

    all ids ──► random: the unbiased sample
       └──────► candidates ──► packaged classifier ──► sought: as many from every band of scores
       └──────► check: files that the packaged readers know, to compare the model with them

Good files are rare: of a plain sample one in fifty is a 5, and a classifier hardly sees any. Where the packaged
classifier expects them is a place to look, no more: what it says never becomes a label.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hornbook.errors import InputError
from hornbook.quality.classifier import packaged
from hornbook.quality.score import embed_all
from hornbook.records import Document, read_table, scatter
from hornbook.teacher.readings import as_read, score_of

if TYPE_CHECKING:
    from hornbook.quality.annotate import Annotate

BLOCK = 2048  # texts in memory at a time
BANDS = 6  # whole scores
CANDIDATES = 20  # documents looked at for each that is sought


@dataclass(frozen=True)
class Drawn:
    """A document to ask about. `stratum`: random, sought or check. `band`: the whole score it was expected to have."""

    document: Document
    stratum: str
    band: int | None = None
    twice: bool = False
    read: float | None = None  # by the packaged readers


def draw(config: Annotate, documents: Path) -> list[Drawn]:
    """The documents to ask about, in the order of their ids. Raises InputError where an id stands twice."""
    ids = read_table(documents, ["id"])["id"].to_pylist()
    if again := [str(id) for id, rows in Counter(ids).items() if rows > 1]:
        raise InputError(f"{documents}: id {again[0]!r} stands there more than once; give each document its own")
    strata, bands = stratify(config, documents, ids)
    order = sorted(strata, key=lambda id: scatter(f"second {config.seed}", id))
    twice = set(order[: round(config.second * len(order))])
    known = readers_scores(documents) if config.check else {}
    extra = sorted(known.keys() - strata.keys(), key=lambda id: scatter(f"check {config.seed}", id))
    strata |= dict.fromkeys(extra[: max(0, config.check - len(known.keys() & strata.keys()))], "check")
    found = [
        Drawn(row, strata[row.id], bands.get(row.id), row.id in twice, known.get(row.id))
        for row in rows_of(documents, strata)
    ]
    return sorted(found, key=lambda drawn: drawn.document.id)


def stratify(config: Annotate, documents: Path, ids: Sequence[str]) -> tuple[dict[str, str], dict[str, int]]:
    """Stratum by id of what is to be labelled, and band by id of what was sought.

    A corpus that is labelled whole is its own unbiased sample.
    """
    order = sorted(ids, key=lambda id: scatter(config.seed, id))
    seats = round(config.sought * config.n) if config.n < len(order) else 0
    strata = dict.fromkeys(order[: config.n - seats], "random")
    if not seats:
        return strata, {}
    candidates = order[config.n - seats :][: CANDIDATES * seats]
    expected = expectations(documents, set(candidates), config.workers)
    groups = [[id for id in candidates if expected[id] == band] for band in range(BANDS)]
    bands = {
        id: band
        for band, (group, count) in enumerate(zip(groups, evenly([len(g) for g in groups], seats), strict=True))
        for id in group[:count]
    }
    return strata | dict.fromkeys(bands, "sought"), bands


def evenly(sizes: Sequence[int], seats: int) -> list[int]:
    """Seats for groups of these sizes, as even as the sizes allow; what is left over goes to the last groups first.

    >>> evenly([100, 50, 10, 3, 1, 0], 50)
    [18, 18, 10, 3, 1, 0]
    >>> evenly([9, 9, 9], 8)
    [2, 3, 3]
    """
    given = [0] * len(sizes)
    while seats and sum(given) < sum(sizes):
        for group in reversed(range(len(sizes))):
            if seats and given[group] < sizes[group]:
                given[group] += 1
                seats -= 1
    return given


def expectations(documents: Path, wanted: Collection[str], workers: int) -> dict[str, int]:
    """What the packaged classifier expects of documents: the whole score nearest to its own, by id."""
    judge, found = packaged(), dict[str, int]()
    rows = rows_of(documents, wanted)
    while block := list(itertools.islice(rows, BLOCK)):
        scores = judge.predict(embed_all([row.text for row in block], workers))
        found |= {row.id: round(float(score)) for row, score in zip(block, scores, strict=True)}
    return found


def readers_scores(documents: Path) -> dict[str, float]:
    """What the packaged readers gave the documents that they read, by id."""
    found = {}
    for part in parts_of(documents, None):
        for document in map(Document.from_row, part.to_pylist()):
            if (score := score_of(as_read(document))) is not None:
                found[document.id] = score
    return found


def rows_of(documents: Path, wanted: Collection[str]) -> Iterator[Document]:
    """The documents with these ids, in file order."""
    chosen = pa.array(sorted(wanted), pa.string())
    for part in parts_of(documents, None):
        rows = part.filter(pc.is_in(part["id"].cast(pa.string()), value_set=chosen))
        yield from (Document.from_row(row) for row in rows.to_pylist())


def parts_of(documents: Path, columns: list[str] | None) -> Iterator[pa.RecordBatch]:
    """A dataset a part at a time: memory does not follow its size. Raises InputError for what cannot be read."""
    for path in sorted(documents.glob("*.parquet")) if documents.is_dir() else [documents]:
        try:
            with pq.ParquetFile(path) as file:
                yield from file.iter_batches(BLOCK, columns=columns)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: not readable as Parquet ({str(error).splitlines()[0]})") from None
