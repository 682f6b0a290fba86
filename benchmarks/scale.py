"""The corpus stage on a corpus of gigabytes: how fast, in how much memory, and how many of the planted copies it finds.

    python benchmarks/scale.py --gigabytes 5 --workdir /somewhere/with/30/GB       a quarter of an hour on two cores
    python benchmarks/scale.py --gigabytes 0.2 --form parquet                      half a minute

The corpus is installed Python fourteen times or more, each time with another share of its names replaced: none, three
in a thousand, up to three in ten. So most files have copies at known similarities, which is the hard case for
deduplication. It comes as files, or as JSONL or Parquet shards of 5,000 rows. The stage runs in a process of its own,
and the resident memory of that process with all its children is looked at four times a second. Of 2,000 pairs of a file
and a copy of it at a similarity of 0.85 or more, by Python sets of tuples of words, a pair is found when not both are
kept. Exits with 1 when memory reaches 6 GB or less than 0.97 of the pairs are found. The work folder is emptied at the
end.
"""

from __future__ import annotations
import __future__

import argparse
import json
import keyword
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.artifacts import Ledger
from hornbook.corpus.curate import Curate, curate
from hornbook.corpus.sources import python_files
from hornbook.measure import resident_bytes

RATES = (0.0, 0.003, 0.008, 0.015, 0.03, 0.08, 0.3)  # share of words replaced, in turn
CHARACTERS_A_WORD = 10.6
NAME = re.compile(r"\b[A-Za-z_]{4,}\b")
FIXED = frozenset([*keyword.kwlist, *keyword.softkwlist, *__future__.all_feature_names])
SHARD_ROWS = 5000
SAMPLE_SECONDS = 0.25
PAIRS = 2000
MOST_BYTES, LEAST_RECALL, RECALL_FROM = 6e9, 0.97, 0.85
BAR_MB_A_SECOND = 20


@dataclass(frozen=True)
class Copy:
    """The n-th copy of an installed file; the first is the file itself."""

    path: str
    text: str
    number: int
    seed: int

    @property
    def name(self) -> str:
        """Its path in the corpus."""
        return f"copy{self.number:02}/{self.path}"

    def made(self) -> str:
        """Its text: the same whenever it is made."""
        chance = random.Random(f"{self.seed} {self.name}")
        return replaced(self.text, RATES[self.number % len(RATES)], chance)


def replaced(text: str, rate: float, chance: random.Random) -> str:
    """The text with a share of its words changed, each within one name, so that it can still be parsed."""
    parts, done = [], 0
    for place in sorted(chance.choices(range(len(text)), k=round(rate * len(text) / CHARACTERS_A_WORD))):
        found = NAME.search(text, max(place, done))
        if found and found[0] not in FIXED and not found[0].startswith("__"):
            parts += [text[done : found.start()], f"{found[0]}_{chance.randrange(10_000)}"]
            done = found.end()
    return "".join([*parts, text[done:]])


def installed(seed: int, most_bytes: float) -> list[tuple[str, str]]:
    """Path and text of installed Python files, in an order of the seed's, up to a size."""
    items = list(python_files(None, []))
    random.Random(seed).shuffle(items)
    found: list[tuple[str, str]] = []
    for item in items:
        try:
            found.append((f"{item.source}/{item.path}", Path(item.url).read_text("utf-8")))
        except (OSError, UnicodeDecodeError):
            continue
        most_bytes -= len(found[-1][1])
        if most_bytes <= 0:
            break
    return found


def copies(texts: list[tuple[str, str]], size: float, seed: int) -> Iterator[tuple[Copy, str]]:
    """Copies with their texts, up to a size in bytes."""
    number = 0
    while True:
        for path, text in texts:
            copy = Copy(path, text, number, seed)
            yield copy, (made := copy.made())
            size -= len(made)
            if size <= 0:
                return
        number += 1


def write_files(folder: Path, rows: Iterable[tuple[str, str]]) -> None:
    """A corpus of files."""
    for path, text in rows:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


def write_shards(folder: Path, rows: Iterable[tuple[str, str]], form: str) -> None:
    """A corpus of JSONL or Parquet shards."""
    waiting: list[dict[str, str]] = []
    for number, (path, text) in enumerate(rows, 1):
        waiting.append({"path": path, "text": text})
        if number % SHARD_ROWS == 0:
            write_shard(folder / f"{number // SHARD_ROWS:05}.{form}", waiting)
            waiting = []
    if waiting:
        write_shard(folder / f"last.{form}", waiting)


def write_shard(path: Path, rows: list[dict[str, str]]) -> None:
    """One shard, of the kind that its ending names."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, compression="zstd", row_group_size=256)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def run_stage(corpus: Path, out: Path) -> int:
    """The stage alone, in this process; its figures go to standard output."""
    ledger = Ledger()
    curate(Curate(python=False, paths=[str(corpus)]), out=out, ledger=ledger)
    rejected = dict(ledger.rejected.most_common())
    print(json.dumps({"rows": ledger.rows_in, "documents": ledger.rows_out, "rejected": rejected}))
    return 0


def watched(command: list[str]) -> dict[str, Any]:
    """Run a command; what it printed as JSON, with wall and CPU seconds and the most memory it held at once."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began, peak = time.monotonic(), 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            peak = max(peak, tree_bytes(process.pid))
            time.sleep(SAMPLE_SECONDS)
        said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"the stage ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**json.loads(said), "seconds": time.monotonic() - began, "cpu_seconds": cpu, "peak_bytes": peak}


def tree_bytes(pid: int) -> int:
    """Resident memory of a process and its children; 0 when it has just ended."""
    try:
        return resident_bytes(psutil.Process(pid))
    except psutil.Error:
        return 0


def recall(out: Path, planted: list[tuple[Copy, Copy]]) -> tuple[float, int]:
    """The share of pairs of which not both are kept, and the number of pairs. Pairs with a file that a rule refused
    are left out."""
    kept = set(column(out / "documents", "path"))
    reasons = zip(column(out / "rejected", "reason"), column(out / "rejected", "detail"), strict=True)
    refused = {detail.split(": ")[0].partition(":")[2] for reason, detail in reasons if "duplicate" not in reason}
    pairs = [pair for pair in planted if not {one.name for one in pair} & refused]
    pairs = [pair for pair in pairs if alike(*(one.made() for one in pair)) >= RECALL_FROM][:PAIRS]
    found = [not {one.name for one in pair} <= kept for pair in pairs]
    return sum(found) / max(len(found), 1), len(found)


def column(folder: Path, name: str) -> list[str]:
    """A column of a dataset."""
    return list(pq.read_table(folder, columns=[name])[name].to_pylist())


def alike(one: str, other: str) -> float:
    """Jaccard similarity the plain way."""
    first, second = (set(zip(*[text.split()[at:] for at in range(5)], strict=False)) for text in (one, other))
    return len(first & second) / max(len(first | second), 1)


def make(corpus: Path, asked: argparse.Namespace) -> tuple[int, list[tuple[Copy, Copy]]]:
    """Write the corpus; returns its bytes, and pairs to look for: each a file and a copy of it."""
    chance, size, planted = random.Random(asked.seed), 0, list[tuple[Copy, Copy]]()
    every = asked.gigabytes * 1e9 / 16_000 / (3 * PAIRS)  # about three pairs for each that is looked at in the end

    def rows() -> Iterator[tuple[str, str]]:
        nonlocal size
        once = installed(asked.seed, asked.gigabytes * 1e9 / (2 * len(RATES)))
        for copy, text in copies(once, asked.gigabytes * 1e9, asked.seed):
            size += len(text.encode("utf-8", "replace"))
            if copy.number and chance.random() * every < 1:
                planted.append((Copy(copy.path, copy.text, 0, copy.seed), copy))
            yield copy.name, text

    if asked.form == "files":
        write_files(corpus, rows())
    else:
        write_shards(corpus, rows(), asked.form)
    return size, planted


def main() -> int:
    """Make the corpus, run the stage, print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gigabytes", type=float, default=5)
    parser.add_argument("--form", choices=("files", "jsonl", "parquet"), default="jsonl")
    parser.add_argument("--workdir", type=Path, default=Path("hornbook-scale"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--stage", nargs=2, type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.stage:
        return run_stage(*asked.stage)
    shutil.rmtree(asked.workdir, ignore_errors=True)
    corpus, out = asked.workdir / "corpus", asked.workdir / "out"
    for folder in (corpus, out):
        folder.mkdir(parents=True)
    try:
        size, planted = make(corpus, asked)
        figures = watched([sys.executable, __file__, "--stage", str(corpus), str(out)])
        figures["recall"], figures["pairs"] = recall(out, planted)
    finally:
        shutil.rmtree(asked.workdir, ignore_errors=True)
    figures |= {"bytes": size, "form": asked.form, "mb_a_second": size / 1e6 / figures["seconds"]}
    print(json.dumps(figures)) if asked.json else show(figures)
    return int(figures["peak_bytes"] >= MOST_BYTES or figures["recall"] < LEAST_RECALL)


def show(figures: dict[str, Any]) -> None:
    """The figures as a table in Markdown."""
    found = f"{figures['recall']:.4f} of {figures['pairs']} (bar: {LEAST_RECALL})"
    refused = ", ".join(f"{count:,} {reason}" for reason, count in figures["rejected"].items())
    size, cores = figures["bytes"], len(os.sched_getaffinity(0))
    rows = {
        "corpus": f"{size / 1e9:.2f} GB in {figures['rows']:,} files, as {figures['form']}",
        "documents kept": f"{figures['documents']:,}",
        "rejected": refused,
        f"wall time on {cores} cores": f"{figures['seconds']:.0f} s",
        "source read, cleaned, deduplicated": f"{figures['mb_a_second']:.1f} MB/s (bar: {BAR_MB_A_SECOND})",
        "processor time": f"{figures['cpu_seconds']:.0f} s, {figures['cpu_seconds'] / size * 1e9:.0f} ms/MB",
        "peak memory, all processes": f"{figures['peak_bytes'] / 1e9:.2f} GB (bar: {MOST_BYTES / 1e9:.0f})",
        f"copies found at {RECALL_FROM} or more": found,
    }
    print("| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows.items()))


if __name__ == "__main__":
    sys.exit(main())
