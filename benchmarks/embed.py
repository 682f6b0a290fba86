"""How fast embedders are: MB of installed Python a second, each on texts from the same draw, in one run.

The packaged one goes through the `score` stage's own code, over two processes whose start counts, and is measured to
its scores; the bar is 4 MB/s on two cores. The others are measured to their embeddings, in this process, on their
first `--model-megabytes` of those texts, and are left out with the reason where their package or model is not here.

    python benchmarks/embed.py                                  the packaged one, and those whose usual model is cached
    python benchmarks/embed.py --embedder model2vec=FOLDER      that one instead; repeatable
    python benchmarks/embed.py --download                       fetches the usual models that are not

Medians over `--repeats`, with the least and the most. Exits with 1 when the packaged one is below the bar.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

BAR = 4.0  # MB/s
MEGABYTE = 1_000_000


def main() -> int:
    """Measure what was asked for; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--embedder", action="append", default=[], metavar="KIND[=MODEL]")
    parser.add_argument("--megabytes", type=float, default=40.0)
    parser.add_argument("--model-megabytes", type=float, default=0.2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--download", action="store_true")
    asked = parser.parse_args()
    if not asked.download:
        os.environ["HF_HUB_OFFLINE"] = "1"
    texts = installed(asked.megabytes)
    print(f"{len(texts):,} installed files, {size(texts):.1f} MB; medians of {asked.repeats} (least to most)\n")
    print("| embedder | MB | MB/s | |\n|---|--:|--:|---|")
    fast = packaged(texts, asked.workers, asked.repeats)
    for named in asked.embedder or ("model2vec", "sentence-transformers", "transformers"):
        model(named, shortened(texts, asked.model_megabytes), asked.device, asked.repeats)
    print(f"\nembed → score with the packaged embedder: {fast:.1f} MB/s, the bar is {BAR:g}")
    return int(fast < BAR)


def packaged(texts: list[str], workers: int, repeats: int) -> float:
    """Embed and score as the stage does; the median rate."""
    from hornbook.quality.classifier import packaged as classifier
    from hornbook.quality.embed import embed
    from hornbook.quality.score import embed_all

    judge = classifier()
    one = measure(lambda: embed(texts), size(texts), 1)
    row("packaged, embeddings alone", size(texts), one, "one process")
    rates = measure(lambda: judge.predict(embed_all(texts, workers)), size(texts), repeats)
    row("packaged, embed → score", size(texts), rates, f"{workers} processes")
    return statistics.median(rates)


def model(named: str, texts: list[str], device: str, repeats: int) -> None:
    """A row for an embedder that runs a model, or the reason why there is none."""
    from hornbook.errors import HornbookError
    from hornbook.quality.embed import Embed, open_embedder

    kind, _, source = named.partition("=")
    placed = {} if kind == "model2vec" else {"device": device}
    try:
        embedder = open_embedder(Embed.model_validate({"kind": kind, "model": source, **placed}))
    except HornbookError as error:
        print(f"| {named} | – | – | left out: {error} |")
        return
    embedder.embed(texts[:2])  # the first call sets up
    rates = measure(lambda: embedder.embed(texts), size(texts), repeats)
    row(embedder.name, size(texts), rates, f"{embedder.width:,} numbers, {getattr(embedder, 'device', 'cpu')}")


def measure(work: Callable[[], object], megabytes: float, repeats: int) -> list[float]:
    """MB/s of each repeat, by the wall clock."""
    rates = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        rates.append(megabytes / (time.perf_counter() - began))
    return rates


def row(name: str, megabytes: float, rates: list[float], about: str) -> None:
    """Print a row of the table."""
    spread = f" ({min(rates):.3g} to {max(rates):.3g})" if len(rates) > 1 else ""
    print(f"| {name} | {megabytes:.1f} | {statistics.median(rates):.3g}{spread} | {about} |", flush=True)


def installed(megabytes: float) -> list[str]:
    """Texts of installed Python files in an order drawn by their names, up to a size."""
    from hornbook.corpus.curate import Curate
    from hornbook.corpus.sources import NEVER_A_SOURCE, python_files
    from hornbook.records import scatter

    items = sorted(python_files(None, NEVER_A_SOURCE), key=lambda item: scatter(0, item.name))
    paths = [path for item in items if (path := Path(item.url)).stat().st_size <= Curate().max_bytes]
    return shortened((path.read_text("utf-8", errors="replace") for path in paths), megabytes)


def shortened(texts: Iterable[str], megabytes: float) -> list[str]:
    """The first texts that make up a size, at least one."""
    kept: list[str] = []
    left = megabytes * MEGABYTE
    for text in texts:
        if left <= 0:
            break
        kept.append(text)
        left -= len(text.encode("utf-8", "replace"))
    return kept


def size(texts: list[str]) -> float:
    """MB of UTF-8."""
    return sum(len(text.encode("utf-8", "replace")) for text in texts) / MEGABYTE


if __name__ == "__main__":
    sys.exit(main())
