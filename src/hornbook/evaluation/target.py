"""What target texts cost a student in bits: held-out documents, gold solutions, or rows of a person's own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from hornbook.artifacts import Ledger
from hornbook.config import Config
from hornbook.errors import InputError
from hornbook.evaluation.metrics import Parts
from hornbook.model.likelihood import likelihoods
from hornbook.model.load import load
from hornbook.tasks.load import BENCHMARKS, UNCONVENTIONAL
from hornbook.tasks.load import load as load_problems
from hornbook.tokens.texts import texts
from hornbook.training.loop import device_of

HELD_OUT = "held-out"
FEWEST = 2  # texts; an interval over one would have no width
COSTS = "likelihood.parquet"
SCHEMA = pa.schema([("target", pa.string()), ("id", pa.string()), ("bits", pa.float64()), ("bytes", pa.int64())])
Asked = tuple[str, str, str]  # id, what stands before, what is paid for


class TargetBits(Config):
    """`targets`: `held-out`, benchmarks by name, or paths of rows with `id` and `text`.

    `pieces`: at most so many stretches of a text are paid for, spread evenly over it. `device` and `threads` are
    semantic: another machine rounds differently.
    """

    targets: list[str] = Field(min_length=1)
    pieces: int = Field(4, ge=1)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(2, gt=0)


def target_bits(config: TargetBits, *, student: Path, held_out: Path, out: Path, ledger: Ledger) -> None:
    """Write `likelihood.parquet`: bits and bytes of every text of every target. Raises InputError for one too small."""
    import torch

    torch.set_num_threads(config.threads)
    model = load(student, device_of(config))
    rows = []
    for target in config.targets:
        asked = list(texts_of(target, held_out, config.pieces, model.context))
        if len({row_id for row_id, _, _ in asked}) < FEWEST:
            raise InputError(f"target {target!r} has fewer than {FEWEST} texts; give more, or hold out more documents")
        bits: dict[str, float] = defaultdict(float)
        size: dict[str, int] = defaultdict(int)
        for (row_id, _, _), cost in zip(asked, likelihoods(model, [row[1:] for row in asked]), strict=True):
            bits[row_id] += cost.bits
            size[row_id] += cost.bytes
        rows += [{"target": target, "id": i, "bits": round(bits[i], 4), "bytes": size[i]} for i in sorted(bits)]
        ledger.figures[target] = round(sum(bits.values()) / sum(size.values()), 4)
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), out / COSTS, compression="zstd")
    ledger.rows_in = ledger.rows_out = len(rows)


def texts_of(target: str, held_out: Path, count: int, context: int) -> Iterator[Asked]:
    """What a student is asked to pay for: gold solutions after their prompts, or stretches of texts."""
    if target in (UNCONVENTIONAL, *BENCHMARKS):
        yield from ((p.task_id, p.prompt, p.canonical_solution) for p in load_problems(target))
        return
    for row_id, text in texts(held_out if target == HELD_OUT else Path(target)):
        yield from ((row_id, before, piece) for before, piece in pieces(text, count, context))


def pieces(text: str, count: int, width: int) -> Iterator[tuple[str, str]]:
    """At most `count` stretches of `width` characters, spread over a text, each after the two stretches before it.

    >>> list(pieces("abcdefgh", count=2, width=2))
    [('', 'ab'), ('abcd', 'ef')]
    """
    starts = range(0, len(text), width)
    for number in range(min(count, len(starts))):
        start = starts[number * len(starts) // min(count, len(starts))]
        yield text[max(0, start - 2 * width) : start], text[start : start + width]


def costs(folder: Path) -> dict[str, Parts]:
    """Target → text id → (bits, bytes), of what `target_bits` wrote; a text of no bytes is left out."""
    found: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    for row in pq.read_table(folder / COSTS).to_pylist():
        if row["bytes"]:
            found[row["target"]][row["id"]] = (row["bits"], row["bytes"])
    return dict(found)
