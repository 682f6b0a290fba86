"""Where the corpus stage's time goes: processor time of each step, in milliseconds for a megabyte of source.

    python benchmarks/curation.py                     five minutes; installed Python, 250 MB of it
    python benchmarks/curation.py --megabytes 20 --json

Steps are run one after the other over the same files, each three times; the least counts. Processor time of all
threads, so a step that uses two cores is not made to look half as dear. The parse of files that the interpreter has
compiled already (`corpus/compiled.py`) is left out in the stage, and shown here for what it costs where they are not.
The last lines are the whole stage over the same files, as installed and copied elsewhere: each time a process of its
own, the middle one of three.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from hornbook.corpus import engine
from hornbook.corpus.compiled import compiled
from hornbook.corpus.lsh import Lsh, buckets
from hornbook.corpus.near import near_duplicates
from hornbook.corpus.reading import read_bytes
from hornbook.corpus.rules import RULES, Cleaning, Page
from hornbook.corpus.shingles import ShingleFile
from hornbook.corpus.sources import Item, python_files
from hornbook.corpus.spool import SPOOLED, Spool, write_tables
from hornbook.records import Document, content_id

LSH = Lsh(threshold=0.8, shingle_words=5, bands=14, rows=8)
LIMITS = Cleaning()
RUNS = 3
BATCH_ROWS = 64
STAGE = """
import json, sys, time
from pathlib import Path
from hornbook.artifacts import Ledger
from hornbook.corpus import curate as room
from hornbook.corpus.sources import Item
from hornbook.measure import Gauge
items, ledger = [Item(*row) for row in json.load(open(sys.argv[1]))], Ledger()
room.sources = lambda _: items
with Gauge() as gauge:
    room.curate(room.Curate(), out=Path(sys.argv[2]), ledger=ledger)
print(json.dumps(gauge.figures()))
"""


class Steps:
    """Processor time by step."""

    def __init__(self, megabytes: float) -> None:
        self.megabytes, self.costs = megabytes, dict[str, float]()

    def time(self, name: str, work: Callable[[], Any]) -> Any:
        """Do a piece of work three times; remember the least time and return what it made last."""
        least, made = float("inf"), None
        for _ in range(RUNS):
            began = time.process_time()
            made = work()
            least = min(least, time.process_time() - began)
        self.costs[name] = 1000 * least / self.megabytes
        return made


def sample(megabytes: float, seed: int) -> list[Item]:
    """Installed Python files, in an order of the seed's, up to a size."""
    items = [item for item in python_files(None, []) if Path(item.url).is_file()]
    random.Random(seed).shuffle(items)
    sizes = [Path(item.url).stat().st_size for item in items]
    chosen, left = [], megabytes * 1e6
    for item, size in zip(items, sizes, strict=True):
        if size <= LIMITS.max_bytes and left > 0:
            chosen.append(item)
            left -= size
    return chosen


def cleaning(steps: Steps, items: list[Item]) -> list[str]:
    """Time reading and every rule; returns the texts that all of them let pass."""
    data = steps.time("read", lambda: [read_bytes(Path(item.url)) for item in items])
    pages = steps.time("decode, cut into lines", lambda: [Page.of(d, i.path) for d, i in zip(data, items, strict=True)])
    for name, rule in RULES.items():
        label = f"rule: {name}" + (" (parse)" if name == "not-python" else "")
        refused = steps.time(label, lambda rule=rule, pages=pages: [rule(page, LIMITS) is not None for page in pages])
        pages = [page for page, why in zip(pages, refused, strict=True) if not why]
    steps.time("look whether it is compiled", lambda: [compiled(i.url, d) for i, d in zip(items, data, strict=True)])
    texts = [page.text for page in pages]
    steps.time("id: sha256 of the text", lambda: [content_id(text) for text in texts])
    return texts


def tables(texts: list[str]) -> Iterator[pa.Table]:
    """Texts as the batches that are spooled."""
    for start in range(0, len(texts), BATCH_ROWS):
        some = texts[start : start + BATCH_ROWS]
        rows = {name: [None] * len(some) for name in SPOOLED.names}
        yield pa.table(rows | {"id": [content_id(text) for text in some], "text": some}, schema=SPOOLED)


def deduplication(steps: Steps, texts: list[str], folder: Path) -> None:
    """Time the spool, every step of near-duplicate removal and the writing of documents."""
    batches = list(tables(texts))
    with Spool(folder / "spool") as spool:
        spool.expect(sum(len(text) for text in texts))
        steps.time("spool, by id", lambda: respool(spool, batches))
        groups = steps.time("sign (MinHash) and group", lambda: buckets(spool.paths(), LSH))
        wanted = sorted({id for group in groups for id in group})
        with ShingleFile(folder / "sets") as sets:
            steps.time("shingles of candidates", lambda: sets.fill(spool.texts(wanted), LSH.shingle_words))
            order = {id: id for id in wanted}
            steps.time("verify, choose", lambda: near_duplicates(groups, order, sets, LSH.threshold))
        steps.time("write documents", lambda: write_tables(folder / "documents", map(document, spool.buckets())))
    steps.costs["… of all texts, if all were candidates"] = (
        steps.costs["shingles of candidates"] * len(texts) / max(len(wanted), 1)
    )


def respool(spool: Spool, batches: list[pa.Table]) -> None:
    """Fill the spool anew."""
    with spool:
        pass
    spool.folder.mkdir(exist_ok=True)
    for batch in batches:
        spool.add(batch)
    spool.close()


def document(rows: pa.Table) -> pa.Table:
    """Spooled rows as documents, unsorted."""
    made = {name: rows[name] if name in rows.column_names else [None] * len(rows) for name in Document.schema.names}
    return pa.table(made, schema=Document.schema)


def whole(items: list[Item], folder: Path) -> dict[str, Any]:
    """What the stage takes over these files, in a process of its own: of three runs the middle one by the clock."""
    folder.mkdir()
    listed = folder / "items.json"
    listed.write_text(json.dumps([[i.url, i.source, i.path, list(i.license), i.metadata] for i in items]))
    found = sorted((run_of(listed, folder / f"out{run}") for run in range(RUNS)), key=lambda run: run["wall_seconds"])
    return found[RUNS // 2]


def run_of(listed: Path, out: Path) -> dict[str, Any]:
    """What one run over the listed files took."""
    out.mkdir()
    command = [sys.executable, "-c", STAGE, str(listed), str(out)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def elsewhere(items: list[Item], folder: Path) -> list[Item]:
    """The same files, copied to where nothing is compiled."""
    folder.mkdir()
    moved = []
    for number, item in enumerate(items):
        path = folder / f"{number}.py"
        path.write_bytes(Path(item.url).read_bytes())
        moved.append(replace(item, url=str(path)))
    return moved


def main() -> int:
    """Time the steps and the whole, and print both."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=float, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    engine.start("native", "")
    items = sample(asked.megabytes, asked.seed)
    size = sum(Path(item.url).stat().st_size for item in items) / 1e6
    steps = Steps(size)
    with tempfile.TemporaryDirectory(prefix="hornbook-curation-") as folder:
        deduplication(steps, cleaning(steps, items), Path(folder))
        both = {
            "as installed": whole(items, Path(folder) / "one"),
            "copied elsewhere": whole(elsewhere(items, Path(folder) / "files"), Path(folder) / "two"),
        }
    if asked.json:
        print(json.dumps({"megabytes": size, "milliseconds": steps.costs, "whole": both}))
    else:
        show(size, len(items), steps.costs, both)
    return 0


def show(size: float, files: int, costs: dict[str, float], both: dict[str, dict[str, Any]]) -> None:
    """Both tables in Markdown."""
    print(f"{size:.1f} MB in {files:,} files, {os.cpu_count()} cores, Python {sys.version.split()[0]}\n")
    print("| step | ms/MB |\n|---|--:|")
    for name, cost in costs.items():
        print(f"| {name} | {cost:.2f} |")
    print("\n| the whole stage | wall | MB/s | processor time, ms/MB | peak memory |\n|---|--:|--:|--:|--:|")
    for name, found in both.items():
        wall, cpu, peak = (found[key] for key in ("wall_seconds", "cpu_seconds", "peak_memory_bytes"))
        print(f"| {name} | {wall:.1f} s | {size / wall:.1f} | {1000 * cpu / size:.0f} | {peak / 1e9:.2f} GB |")


if __name__ == "__main__":
    sys.exit(main())
