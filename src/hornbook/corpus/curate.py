"""The door of the corpus room: from installed Python and a person's own files to clean texts without copies.

list → weigh → read (Daft) → rules → licences → exact and near duplicates → documents, rejected, clusters
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Literal, Self

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, field_validator, model_validator

from hornbook.artifacts import Ledger
from hornbook.config import operational
from hornbook.corpus import canaries, engine
from hornbook.corpus.gather import Gathered, gather
from hornbook.corpus.licenses import allowed_ids, not_allowed
from hornbook.corpus.lsh import Lsh, buckets
from hornbook.corpus.near import NearDuplicate, near_duplicates
from hornbook.corpus.reading import refused
from hornbook.corpus.rules import Cleaning, Refusal, excerpt
from hornbook.corpus.shingles import ShingleFile
from hornbook.corpus.sources import NEVER_A_SOURCE, PLANTED, Item, limited, named_files, python_files
from hornbook.corpus.spool import Spool, write_tables
from hornbook.corpus.stackoverflow import StackOverflow
from hornbook.corpus.tables import Columns
from hornbook.errors import InputError
from hornbook.records import Document, Rejected, write_dataset

PIECE_ROWS = 1024  # on their way from a bucket to the documents


class Curate(Cleaning):
    """What goes into a corpus and what is thrown out of it; the thresholds of `Cleaning` belong to it.

    `python`: read the Python files of the interpreter that runs, or of the distributions named in `packages` ("python"
    is the standard library). `paths`: files, folders and globs, here or at fsspec URLs, of .py, .md, .txt, of .parquet
    and .jsonl with one text a row (`columns` says where), and of StackOverflow's posts (`stackoverflow` says which).
    `exclude`: distributions and top-level modules never read. `licenses`: SPDX ids and groups ("permissive"); a
    document one of whose licences is not among them is refused (None: all are allowed), and so is one whose licence
    nobody knows, unless `unknown_license` is "keep". `limit`: take this many files, those whose names have the smallest
    hashes (a table counts as one file). Near duplicates: texts that share at least `threshold` of their shingles of
    `shingle_words` words, proposed by MinHash with `bands` of `rows` hashes.

    >>> Curate(packages=["python"], limit=100, threshold=0.9).semantic()
    {'packages': ['python'], 'limit': 100, 'threshold': 0.9}
    """

    python: bool = True
    paths: list[str] = Field(default_factory=list)
    columns: Columns = Columns()
    stackoverflow: StackOverflow = StackOverflow()
    packages: list[str] | None = None
    exclude: list[str] = Field(default_factory=lambda: list(NEVER_A_SOURCE))
    licenses: list[str] | None = Field(default=None, min_length=1)
    unknown_license: Literal["keep", "refuse"] = "refuse"
    limit: int | None = Field(default=None, ge=1)
    threshold: float = Field(default=0.8, gt=0, le=1)
    shingle_words: int = Field(default=5, ge=1)
    bands: int = Field(default=14, ge=1)
    rows: int = Field(default=8, ge=1)
    workers: int = operational(0, ge=0)  # processes; 0: one for each processor, of the cluster with Ray
    runner: Literal["native", "ray"] = operational("native")
    address: str = operational("")  # of the Ray cluster; empty: RAY_ADDRESS, else this machine alone

    @property
    def allowed(self) -> frozenset[str] | None:
        """The licences that are allowed, in the form of `licenses.comparable`; None: all."""
        return None if self.licenses is None else allowed_ids(self.licenses)

    @property
    def lsh(self) -> Lsh:
        """The near-duplicate settings."""
        return Lsh(self.threshold, self.shingle_words, self.bands, self.rows)

    @field_validator("licenses")
    @classmethod
    def known_licenses(cls, names: list[str] | None) -> list[str] | None:
        """Refuse names that are neither SPDX ids nor groups."""
        allowed_ids(names or [])
        return names

    @model_validator(mode="after")
    def possible(self) -> Self:
        """Refuse settings under which nothing can come out, or near duplicates would mostly be overlooked."""
        if not self.python and not self.paths:
            raise ValueError("nothing to read: set python: true or name files in paths")
        if self.min_characters > self.max_bytes:
            raise ValueError(f"min_characters {self.min_characters} is more than max_bytes {self.max_bytes}")
        if (recall := self.lsh.recall(self.threshold)) < 0.5:
            raise ValueError(
                f"{self.bands} bands of {self.rows} rows propose only {recall:.0%} of pairs at threshold "
                f"{self.threshold}; use more bands or fewer rows"
            )
        return self


def curate(config: Curate, *, out: Path, ledger: Ledger) -> None:
    """Build a corpus: `out/documents`, `out/rejected` and `out/clusters` (near duplicates and who stays for them).

    Raises InputError when a named path or package is missing or nothing is left; CanaryError when a planted file shows
    that a threshold is not applied.
    """
    items = sources(config)
    engine.start(config.runner, config.address)
    with Spool(out / "spool") as spool:
        licenses = config.allowed, config.unknown_license
        planted, files = canaries.plant(spool.folder / "planted", config, config.stackoverflow, *licenses)
        gathered = gather([*items, *files], spool, config, config.workers, config.columns, config.stackoverflow)
        barred = refused_licenses(config, gathered)
        near = find_near(config, spool, gathered, barred)
        rows = noted(kept(spool, gathered, barred, {one.id: one for one in near}), ledger)
        documents = (as_documents(bucket, gathered) for bucket in rows)
        ledger.rows_out = write_tables(out / "documents", counted(documents, ledger))
        write_tables(out / "rejected", gathered.rejected.tables(), Rejected)
    canaries.check(planted, gathered, config.lsh, ledger)
    near = [one for one in near if gathered.winner(one.id).source != PLANTED]
    write_dataset(out / "clusters", near, NearDuplicate)
    settle(gathered, near, ledger)


def sources(config: Curate) -> list[Item]:
    """The files to read, each once however often it is named. Raises InputError when there are none."""
    found = list(python_files(config.packages, [*NEVER_A_SOURCE, *config.exclude])) if config.python else []
    for given in config.paths:
        found += named_files(given)
    once = {item.url: item for item in reversed(found)}
    if not once:
        raise InputError(f"the corpus is empty: no files in {', '.join(config.paths) or 'the named packages'}")
    return limited(sorted(once.values(), key=lambda item: (item.source, item.path, item.url)), config.limit)


def refused_licenses(config: Curate, gathered: Gathered) -> dict[str, Refusal]:
    """A licence that the text's files claim, in their metadata, row or header, is not among `licenses`, or none is
    known and `unknown_license` is "refuse". Asked before near duplicates are looked for, so that nothing gives way to a
    text that is refused itself.
    """
    if (allowed := config.allowed) is None:
        return {}
    faults: dict[tuple[str, ...], str] = {(): "no known licence"} if config.unknown_license == "refuse" else {(): ""}
    barred = {}
    for id in gathered.claims:
        licenses = tuple(gathered.license(id))
        if licenses not in faults:
            wrong = not_allowed(licenses, allowed)
            faults[licenses] = f"{', '.join(wrong)} not allowed" if wrong else ""
        if fault := faults[licenses]:
            barred[id] = Refusal("license", fault, "")
    return barred


def find_near(config: Curate, spool: Spool, gathered: Gathered, barred: Container[str]) -> list[NearDuplicate]:
    """End the spool with planted pairs and find the near duplicates in it, among the texts that are not barred."""
    planted = canaries.near_rows(config.lsh, config.allowed)
    for row in planted.drop_columns(["text"]).to_pylist():
        gathered.keep(row["id"], row["source"], row["path"], row["license"])
    spool.add(planted)
    spool.close()
    proposed = buckets(spool.paths(), config.lsh)
    groups = [left for group in proposed if len(left := [id for id in group if id not in barred]) > 1]
    wanted = {id for group in groups for id in group}
    order = {id: (gathered.winner(id), id) for id in wanted}
    with ShingleFile(spool.folder / "shingles") as texts:
        texts.fill(spool.texts(wanted), config.shingle_words)
        return near_duplicates(groups, order, texts, config.threshold)


def kept(
    spool: Spool, gathered: Gathered, barred: Mapping[str, Refusal], near: Mapping[str, NearDuplicate]
) -> Iterator[pa.Table]:
    """The rows that stay, sorted by id, some at a time. What does not joins `gathered.rejected` with its reason."""
    for rows in spool.buckets():
        chosen: dict[str, int] = {}
        names = zip(*[rows[name].to_pylist() for name in ("id", "source", "path")], strict=True)
        for at, (id, source, path) in enumerate(names):
            why = superfluous(id, source, path, gathered, near) or barred.get(id) or (ALREADY if id in chosen else None)
            if source == PLANTED:
                gathered.planted[path] = why.reason if why else ""
                gathered.planted_texts[path] = rows["text"][at].as_py()
            elif why:
                shown = Refusal(why.reason, why.detail, excerpt(rows["text"][at].as_py()))
                own = why.reason in ("near-duplicate", "license")  # at most one row of a text has either
                gathered.rejected.append(refused(source, path, shown, id if own else None))
            else:
                chosen[id] = at
        order = [chosen[id] for id in sorted(chosen)]
        for start in range(0, len(order), PIECE_ROWS):
            yield rows.take(pa.array(order[start : start + PIECE_ROWS], pa.int64()))
        del rows


ALREADY = Refusal("exact-duplicate", "the same row again", "")


def superfluous(
    id: str, source: str, path: str, gathered: Gathered, near: Mapping[str, NearDuplicate]
) -> Refusal | None:
    """Why a spooled text is not needed: another file keeps it, or a text like it."""
    return same_text(id, source, path, gathered) or near_text(id, gathered, near)


def same_text(id: str, source: str, path: str, gathered: Gathered) -> Refusal | None:
    """Another file has the same text, after everything that is taken out of texts. The file stays whose licence is
    known, then the standard library's, then the one with the shortest path; its row keeps the licences of all.
    """
    winner = gathered.winner(id)
    if (source, path) == (winner.source, winner.path):
        return None
    return Refusal("exact-duplicate", f"same text as {winner.name} ({id})", "")


def near_text(id: str, gathered: Gathered, near: Mapping[str, NearDuplicate]) -> Refusal | None:
    """A text that stays shares at least `threshold` of the shingles of `shingle_words` words that the two hold
    together. Pairs are proposed by MinHash with `bands` of `rows` hashes and verified one by one; `clusters` lists
    them.
    """
    if id not in near:
        return None
    one = near[id]
    stays = gathered.winner(one.survivor).name
    return Refusal("near-duplicate", f"Jaccard {one.jaccard:.4f} with {stays} ({one.survivor})", "")


def as_documents(rows: pa.Table, gathered: Gathered) -> pa.Table:
    """Spooled rows as documents. Identical text keeps the licence claims of every file that holds it."""
    told = zip(*[rows[name].to_pylist() for name in ("bytes", "metadata", "notes")], strict=True)
    metadata = [json.dumps({"bytes": size, **json.loads(known), **json.loads(notes)}) for size, known, notes in told]
    ids = rows["id"].to_pylist()
    same = [rows[name] for name in ("id", "text", "source", "path")]
    columns = [*same, [gathered.license(id) for id in ids], [[]] * len(ids), metadata]
    return pa.table(dict(zip(Document.schema.names, columns, strict=True)), schema=Document.schema)


def noted(buckets: Iterator[pa.Table], ledger: Ledger) -> Iterator[pa.Table]:
    """Pass rows on, counting in the ledger's figures what cleaning took out of them. Their own metadata, which may tell
    of an earlier cleaning, is not looked at."""
    redacted: Counter[str] = Counter()
    headers = 0
    for rows in buckets:
        for notes in map(json.loads, rows["notes"].to_pylist()):
            redacted.update(notes.get("redacted", {}))
            headers += "license_header" in notes
        yield rows
    ledger.figures["redacted"] = dict(sorted(redacted.items()))
    ledger.figures["license_headers_stripped"] = headers


def counted(documents: Iterator[pa.Table], ledger: Ledger) -> Iterator[pa.Table]:
    """Pass documents on, counting sources and licences in the ledger's figures."""
    by_source: Counter[str] = Counter()
    by_license: Counter[str] = Counter()
    text_bytes = 0
    for rows in documents:
        by_source.update(rows["source"].to_pylist())
        by_license.update(name for names in rows["license"].to_pylist() for name in names or ["unknown"])
        text_bytes += pc.sum(pc.binary_length(rows["text"])).as_py() or 0
        yield rows
    ledger.figures["documents_by_source"] = dict(sorted(by_source.items()))
    ledger.figures["documents_by_license"] = dict(sorted(by_license.items()))
    ledger.figures["text_bytes"] = text_bytes


def settle(gathered: Gathered, near: list[NearDuplicate], ledger: Ledger) -> None:
    """Write the funnel into the ledger. Raises InputError when nothing is left of what was read."""
    ledger.rows_in = gathered.rows
    ledger.rejected.update(gathered.rejected.counts)
    ledger.figures["read_bytes_by_source"] = dict(sorted(gathered.source_bytes.items()))
    ledger.figures["near_duplicate_clusters"] = len({one.cluster for one in near})
    if not ledger.rows_out:
        reasons = ", ".join(f"{count} {reason}" for reason, count in ledger.rejected.most_common())
        way_out = "; allow more licenses, or unknown_license: keep" if ledger.rejected["license"] else ""
        raise InputError(f"the corpus is empty: all {ledger.rows_in} files were rejected ({reasons}){way_out}")


def facts() -> dict[str, str]:
    """What shapes the result besides config and files: the interpreter whose parser decides what is Python."""
    return {"python": ".".join(map(str, sys.version_info[:3]))}
