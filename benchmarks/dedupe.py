"""Near-duplicate removal: its speed beside datatrove's MinHash signatures, and its recall on planted pairs.

    pip install 'datatrove>=0.10,<0.11' spacy 'xxhash<4' orjson      the rival, in an environment of its own
    python benchmarks/dedupe.py                                      about five minutes on two cores

The rival computes signatures and no more: 14 buckets of 8 hashes over shingles of 5 words, one process for each core.
Once as it comes, its words from spaCy; once with its words made ours, by `str.split` and unsimplified, so that the
shingles are the same ones. Ours is the whole of near-duplicate removal over the same Parquet files: read, sign, group,
verify, choose, write. Medians of three runs of each, in turn; every run is a process of its own, timed once it has
imported what it needs. Then 2,000 pairs of texts at similarities from 0.70 to 0.98: how many are found against the
formula, and whether every removed text is as near to its survivor as it must be, by Python sets of tuples of words.
Exits with 1 when one is not, or when less than 0.97 of the pairs at 0.85 or more are found.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from hornbook.corpus import engine
from hornbook.corpus.lsh import Lsh, buckets
from hornbook.corpus.near import NearDuplicate, near_duplicates
from hornbook.corpus.shingles import ShingleFile
from hornbook.corpus.sources import python_files
from hornbook.measure import cpu_seconds
from hornbook.records import content_id

LSH = Lsh(threshold=0.8, shingle_words=5, bands=14, rows=8)
SHARDS = 2  # the rival gives each of its workers a file
RUNS = 3
PAIRS = 2000
PAIR_WORDS = 1000
ROW_GROUP = 128
LEAST_RECALL, RECALL_FROM = 0.97, 0.85
Cost = tuple[float, float]  # wall and processor seconds
RIVALS = ("datatrove", "datatrove, our words")


def main() -> int:
    """Print both tables; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-rival", action="store_true", help="where datatrove is not installed")
    parser.add_argument("--only", choices=("ours", *RIVALS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only:
        print(*timed(asked.only, asked.folder))
        return 0
    with tempfile.TemporaryDirectory(prefix="hornbook-dedupe-") as folder:
        speed(Path(folder), asked.megabytes, asked.seed, () if asked.no_rival else RIVALS)
        return recall(Path(folder) / "pairs", asked.seed)


def speed(folder: Path, megabytes: float, seed: int, rivals: tuple[str, ...]) -> None:
    """Run everyone in turn and print megabytes a second, with the ratio of medians."""
    size = write_shards(folder / "in", installed(megabytes, seed))
    runs: dict[str, list[Cost]] = {name: [] for name in ("ours", *rivals)}
    for _ in range(RUNS):
        for name, found in runs.items():
            found.append(run_of(name, folder))
    ours = middle(runs["ours"])
    print(f"{size / 1e6:.1f} MB of installed Python in {SHARDS} Parquet files, {os.cpu_count()} cores\n")
    print("| | seconds, each run | MB/s, median | times ours | processor time, ms/MB | times ours |")
    print("|---|---|--:|--:|--:|--:|")
    for name, found in runs.items():
        wall, cpu = middle(found)
        listed = ", ".join(f"{seconds:.2f}" for seconds, _ in found)
        rates = f"{size / 1e6 / wall:.2f} | {wall / ours[0]:.1f} | {1e9 * cpu / size:.0f} | {cpu / ours[1]:.1f}"
        print(f"| {name} | {listed} | {rates} |")


def middle(costs: list[Cost]) -> Cost:
    """Medians of wall and of processor time."""
    return statistics.median(wall for wall, _ in costs), statistics.median(cpu for _, cpu in costs)


def run_of(name: str, folder: Path) -> Cost:
    """What one run of one contestant takes, in a process of its own."""
    command = [sys.executable, __file__, "--only", name, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    wall, cpu = map(float, done.stdout.split()[-2:])
    return wall, cpu


def installed(megabytes: float, seed: int) -> Iterator[str]:
    """Installed Python files, in an order of the seed's, up to a size."""
    items = list(python_files(None, []))
    random.Random(seed).shuffle(items)
    left = megabytes * 1e6
    for item in items:
        data = Path(item.url).read_bytes() if Path(item.url).is_file() else b""
        if 100 <= len(data) <= 1_000_000 and left > 0:
            left -= len(data)
            yield data.decode("utf-8", "replace")


def write_shards(folder: Path, texts: Iterator[str]) -> int:
    """Write texts as Parquet files with `id` and `text`, equal ones once; returns their bytes."""
    folder.mkdir(parents=True)
    once = {content_id(text): text for text in texts}
    for shard in range(SHARDS):
        ids = list(once)[shard::SHARDS]
        rows = pa.table({"id": ids, "text": [once[id] for id in ids]})
        pq.write_table(rows, folder / f"{shard}.parquet", compression="lz4", row_group_size=ROW_GROUP)
    return sum(len(text.encode("utf-8", "replace")) for text in once.values())


def timed(name: str, folder: Path) -> Cost:
    """Wall and processor seconds of one run of one contestant, in this process and those that it starts."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        if name == "ours":
            engine.start("native", "")  # imports Daft, and Ray where it is installed
            pa.array([""])  # imports pandas where it is installed
            work = partial(removal, sorted((folder / "in").glob("*.parquet")), Path(out))
        else:
            work = signatures(folder / "in", Path(out), own_words=name == "datatrove")
        began, spent = time.monotonic(), cpu_seconds()
        work()
        return time.monotonic() - began, cpu_seconds() - spent


def removal(paths: list[Path], out: Path) -> list[NearDuplicate]:
    """Near-duplicate removal from Parquet files, as `curate` does it; the smallest id stays."""
    groups = buckets(paths, LSH)
    wanted = {id for group in groups for id in group}
    with ShingleFile(out / "shingles") as sets:
        sets.fill((chosen(batch, wanted) for batch in batches(paths)), LSH.shingle_words)
        near = near_duplicates(groups, {id: id for id in wanted}, sets, LSH.threshold)
    removed = {one.id for one in near}
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda path: write_kept(path, out / f"kept-{path.name}", removed), paths))
    return near


def write_kept(path: Path, out: Path, removed: set[str]) -> None:
    """Copy a Parquet file but for the rows that were removed."""
    with pq.ParquetWriter(out, pq.read_schema(path), compression="zstd") as writer:
        for batch in batches([path]):
            writer.write_batch(chosen(batch, removed, keep=False))


def batches(paths: list[Path]) -> Iterator[pa.RecordBatch]:
    """The rows of Parquet files."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(2 * ROW_GROUP)


def chosen(batch: pa.RecordBatch, ids: set[str], keep: bool = True) -> pa.RecordBatch:
    """The rows whose id is among these, or is not."""
    return batch.filter(pa.array([(id in ids) == keep for id in batch["id"].to_pylist()], pa.bool_()))


def signatures(folder: Path, out: Path, own_words: bool) -> Callable[[], object]:
    """datatrove's signature step over a folder of Parquet files."""
    from datatrove.executor.local import LocalPipelineExecutor
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
    from datatrove.pipeline.readers import ParquetReader
    from datatrove.utils.text import TextNormConfig

    norm = TextNormConfig() if own_words else TextNormConfig(**dict.fromkeys(TextNormConfig.__annotations__, False))
    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8, norm_config=norm)
    step = MinhashDedupSignature(str(out / "signatures"), config)
    if not own_words:
        step.word_tokenizer = Split()
    reader = ParquetReader(str(folder), batch_size=ROW_GROUP)
    logs = str(out / "logs")
    settings = {"tasks": SHARDS, "workers": SHARDS, "logging_dir": logs, "start_method": "fork"}
    return LocalPipelineExecutor([reader, step], **settings).run


class Split:
    """Words between white space, in the place of the rival's tokenizer."""

    def word_tokenize(self, text: str) -> list[str]:
        """The words."""
        return text.split()


def recall(folder: Path, seed: int) -> int:
    """Plant pairs, remove near duplicates and print what was found; returns the exit code."""
    chance = random.Random(seed)
    words = sorted({word for text in installed(2, seed) for word in text.split()})
    planted = [pair(chance, words, 0.70 + 0.28 * n / (PAIRS - 1)) for n in range(PAIRS)]
    texts = {content_id(text): text for both in planted for text in both}
    write_shards(folder, iter(texts.values()))
    with tempfile.TemporaryDirectory(dir=folder) as out:
        near = removal(sorted(folder.glob("*.parquet")), Path(out))
    joined = {frozenset((one.id, one.survivor)) for one in near}
    rows = [(truth(*both), frozenset(map(content_id, both)) in joined) for both in planted]
    wrong = [one for one in near if truth(texts[one.id], texts[one.survivor]) < LSH.threshold]
    show_recall(rows)
    above = [found for alike, found in rows if alike >= RECALL_FROM]
    share = sum(above) / len(above)
    print(f"\n{share:.4f} of {len(above)} pairs at {RECALL_FROM} or more found ({LEAST_RECALL} needed); ", end="")
    print(f"{len(wrong)} of {len(near)} removed texts are less alike than {LSH.threshold} to their survivor")
    return int(bool(wrong) or share < LEAST_RECALL)


def pair(chance: random.Random, words: list[str], similarity: float) -> tuple[str, str]:
    """A text of words drawn at random, and the same with as many words replaced as bring it to about this similarity:
    each costs both sides five shingles, so w of n words leave (n - 5w) / (n + 5w)."""
    one = chance.choices(words, k=PAIR_WORDS)
    other = list(one)
    replaced = round(PAIR_WORDS / LSH.shingle_words * (1 - similarity) / (1 + similarity))
    for place in chance.sample(range(0, PAIR_WORDS, LSH.shingle_words), replaced):
        other[place + 2] = chance.choice(words)
    return " ".join(one), "\n".join(other)


def truth(one: str, other: str) -> float:
    """Jaccard similarity the plain way."""
    first, second = (set(zip(*[text.split()[at:] for at in range(5)], strict=False)) for text in (one, other))
    return len(first & second) / len(first | second)


def show_recall(rows: list[tuple[float, bool]]) -> None:
    """Found and expected, by similarity; below the threshold nothing may be found."""
    print("\n| similarity | pairs | found | the formula |\n|---|--:|--:|--:|")
    for low in range(68, 100, 2):
        inside = [(alike, found) for alike, found in rows if low <= 100 * alike < low + 2]
        if inside:
            expected = [LSH.recall(alike) if alike >= LSH.threshold else 0.0 for alike, _ in inside]
            shares = [sum(values) / len(inside) for values in ([found for _, found in inside], expected)]
            print(f"| {low / 100:.2f} to {(low + 2) / 100:.2f} | {len(inside)} | {shares[0]:.3f} | {shares[1]:.3f} |")


if __name__ == "__main__":
    sys.exit(main())
