"""Rows written out for others: Parquet shards, nanochat's shards of texts, axolotl's JSONL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from hornbook.decontamination.rows import COMPARED
from hornbook.errors import InputError
from hornbook.export.gate import BATCH, batches
from hornbook.records import read_table

DATA = "data"
SHARD_BYTES = 256 << 20  # of Arrow memory
SHARD_CHARACTERS = 250_000_000  # of nanochat's own shards
GROUP_ROWS, GROUPS = 1024, 8  # of a row group; groups of a shard, so that each of eight GPUs finds one in every shard
VALIDATION = 0.05  # of the rows, at most a shard
INSTRUCTION = "Complete this Python function. Answer with the whole function."

Keep = Callable[[dict[str, Any]], bool]
DECIDES = ("id", "license", "parents")  # the columns that `Keep` looks at


@dataclass(frozen=True)
class Source:
    """The rows to write. `keep` says which; `rows` is how many that will be. `scores`: a table of id and score."""

    folder: Path
    kind: str
    keep: Keep
    rows: int
    scores: Path | None = None

    def kept(self) -> Iterator[pa.Table]:
        """The rows that go out, a few at a time, columns as they are."""
        for batch in batches(self.folder):
            cells = batch.select([name for name in DECIDES if name in batch.schema.names]).to_pylist()
            yield pa.Table.from_batches([batch]).filter(pa.array([self.keep(row) for row in cells], pa.bool_()))

    def texts(self) -> Iterator[str]:
        """The training texts that go out: `text`, or `prompt` and `solution` as one program."""
        for table in self.kept():
            for cells in zip(*(table[name].to_pylist() for name in COMPARED[self.kind]), strict=True):
                yield "".join(cell or "" for cell in cells)


def write_parquet(source: Source, out: Path) -> list[dict[str, Any]]:
    """`data/` with every column, and `attributes/scores/` row-aligned with it where there are scores.

    Returns the `configs` of a dataset card.
    """
    scores = read_table(source.scores, ["id", "score"]) if source.scores else None
    shards = Shards(out / DATA), Shards(out / "attributes" / "scores")
    for table in source.kept():
        fresh = shards[0].due(table)
        shards[0].write(table, fresh)
        if scores is not None:
            shards[1].write(aligned(table["id"], scores), fresh)
    for one in shards:
        one.close()
    configs = [{"config_name": "default", "data_files": [{"split": "train", "path": f"{DATA}/*.parquet"}]}]
    if scores is not None:
        path = "attributes/scores/*.parquet"
        configs += [{"config_name": "scores", "data_files": [{"split": "train", "path": path}]}]
    return configs


def aligned(ids: pa.ChunkedArray, scores: pa.Table) -> pa.Table:
    """The scores of these rows, in their order; null where one was never scored."""
    places = pc.index_in(ids, value_set=scores["id"].combine_chunks())
    return pa.table({"id": ids, "score": scores["score"].take(places)})


class Shards:
    """`part-00000.parquet` and so on in a folder, zstd."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bytes, self.count = folder, 0, 0
        self.writer: pq.ParquetWriter | None = None

    def due(self, table: pa.Table) -> bool:
        """Whether the table begins another shard."""
        self.bytes += table.nbytes
        if full := self.bytes > SHARD_BYTES and self.writer is not None:
            self.bytes = table.nbytes
        return full

    def write(self, table: pa.Table, fresh: bool) -> None:
        """Append a table, to another shard if it is to be fresh."""
        if fresh:
            self.close()
        if self.writer is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"part-{self.count:05d}.parquet"
            self.writer = pq.ParquetWriter(path, table.schema, compression="zstd")
            self.count += 1
        if table.num_rows:
            self.writer.write_table(table.cast(self.writer.schema), row_group_size=BATCH)

    def close(self) -> None:
        """End the shard."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None


def write_nanochat(source: Source, out: Path) -> list[dict[str, Any]]:
    """`data/shard_00000.parquet` and so on with one column, `text`; the last shard is the validation split.

    Row groups are small enough for eight readers in step. Raises InputError for a single row.
    """
    if source.rows < 2:
        raise InputError("--format nanochat: its last shard is the validation split, so it takes two rows or more")
    (out / DATA).mkdir()
    validation = max(1, min(round(source.rows * VALIDATION), source.rows // 2))
    texts, written, count = source.texts(), 0, 0
    while written < source.rows:
        until = source.rows if written >= source.rows - validation else source.rows - validation
        shard: list[str] = []
        characters = 0
        while written + len(shard) < until and characters < SHARD_CHARACTERS:
            shard.append(next(texts))
            characters += len(shard[-1])
        write_texts(out / DATA / f"shard_{count:05d}.parquet", shard)
        written, count = written + len(shard), count + 1
    names = [f"{DATA}/shard_{number:05d}.parquet" for number in range(count)]
    files = [{"split": "train", "path": names[:-1]}, {"split": "validation", "path": names[-1:]}]
    return [{"config_name": "default", "data_files": files}]


def write_texts(path: Path, texts: Sequence[str]) -> None:
    """One shard of texts, in at least `GROUPS` row groups where there are that many rows."""
    size = max(1, min(GROUP_ROWS, len(texts) // GROUPS))
    table = pa.table({"text": pa.array(texts, pa.string())})
    pq.write_table(table, path, row_group_size=size, compression="zstd", use_dictionary=False, write_statistics=False)


def write_axolotl(source: Source, out: Path) -> list[dict[str, Any]]:
    """`data/train.jsonl`, of completions (`text`) or, for exercises, of alpaca's three fields; and `axolotl.yaml`."""
    (out / DATA).mkdir()
    path = f"{DATA}/train.jsonl"
    with (out / path).open("w", encoding="utf-8") as stream:
        for row in axolotl_rows(source):
            stream.write(json.dumps(row, ensure_ascii=True) + "\n")
    kind = {"type": "alpaca"} if source.kind == "exercises" else {"type": "completion", "field": "text"}
    snippet = {"datasets": [{"path": path, "ds_type": "json", "split": "train", **kind}]}
    (out / "axolotl.yaml").write_text(yaml.safe_dump(snippet, sort_keys=False), "utf-8")
    return [{"config_name": "default", "data_files": [{"split": "train", "path": path}]}]


def axolotl_rows(source: Source) -> Iterator[dict[str, str]]:
    """The objects of the JSONL file."""
    if source.kind != "exercises":
        yield from ({"text": text} for text in source.texts())
        return
    for table in source.kept():
        for prompt, solution in zip(table["prompt"].to_pylist(), table["solution"].to_pylist(), strict=True):
            yield {"instruction": INSTRUCTION, "input": prompt, "output": prompt + solution}


WRITERS = {"parquet": write_parquet, "nanochat": write_nanochat, "axolotl": write_axolotl}
