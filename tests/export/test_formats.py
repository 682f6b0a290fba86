"""What nanochat and axolotl read, read here as they do. Neither is installed; the facts relied on are in docs/interop.md."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from workdirs import Workdir, corpus, document, exercise

from hornbook.errors import InputError, RequestError
from hornbook.export import shards
from hornbook.export.export import Export, export
from hornbook.export.shards import INSTRUCTION


def exported(root: Path, made: Workdir, form: str, what: str = "selected") -> Path:
    export(Export(format=form), what, out=root / "out", workdir=made.root)  # type: ignore[arg-type]
    return root / "out"


def drills(root: Path, *names: str) -> Workdir:
    made = Workdir(root / "work")
    made.add("write_exercises-exercises", {"exercises": [exercise(name, "MIT") for name in names]})
    made.add("decontaminate-exercises", {"exercises": [exercise(name, "MIT") for name in names]})
    made.finish()
    return made


def read_as_nanochat(folder: Path, split: str, rank: int = 0, ranks: int = 1) -> Iterator[list[str]]:
    """Files in the order of their names, the last one for validation; of each, every so-manieth row group."""
    paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".parquet")]
    for path in paths[:-1] if split == "train" else paths[-1:]:
        file = pq.ParquetFile(path)
        for group in range(rank, file.num_row_groups, ranks):
            yield file.read_row_group(group).column("text").to_pylist()


@pytest.fixture
def many(tmp_path: Path) -> Workdir:
    return corpus(tmp_path / "work", [document(f"{n:04}", "MIT") for n in range(2000)])


def test_nanochat_reads_every_text_once_and_validates_on_the_last_shard(many: Workdir, tmp_path: Path) -> None:
    data = exported(tmp_path, many, "nanochat") / "data"
    assert sorted(os.listdir(data)) == ["shard_00000.parquet", "shard_00001.parquet"]
    train, validation = ([t for texts in read_as_nanochat(data, s) for t in texts] for s in ("train", "val"))
    texts = [document(f"{n:04}").text for n in range(2000)]
    assert (train, validation) == (texts[:1900], texts[1900:])
    assert pq.read_schema(data / "shard_00000.parquet").names == ["text"]


def test_each_of_eight_gpus_finds_texts_in_every_shard(many: Workdir, tmp_path: Path) -> None:
    """A rank without a row group in the validation shard would look for one for ever."""
    data = exported(tmp_path, many, "nanochat") / "data"
    for split in ("train", "val"):
        shares = [sum(map(len, read_as_nanochat(data, split, rank, 8))) for rank in range(8)]
        assert min(shares) > 0
        assert sum(shares) == {"train": 1900, "val": 100}[split]


def test_nanochats_shards_are_cut_by_characters(many: Workdir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_CHARACTERS", 10_000)  # a text has 13
    data = exported(tmp_path, many, "nanochat") / "data"
    rows = [pq.read_metadata(data / name).num_rows for name in sorted(os.listdir(data))]
    assert rows == [770, 770, 360, 100]


def test_nanochats_shards_load_with_their_splits(many: Workdir, tmp_path: Path) -> None:
    from datasets import load_dataset

    found = load_dataset(str(exported(tmp_path, many, "nanochat")), cache_dir=str(tmp_path / "cache"))
    assert {split: rows.num_rows for split, rows in found.items()} == {"train": 1900, "validation": 100}


def test_an_exercise_is_one_program_to_nanochat(tmp_path: Path) -> None:
    data = exported(tmp_path, drills(tmp_path, "f", "g"), "nanochat", "exercises") / "data"
    assert [list(read_as_nanochat(data, split)) for split in ("train", "val")] == [
        [['def f(x):\n    """Return x."""\n    return x\n']],
        [['def g(x):\n    """Return x."""\n    return x\n']],
    ]


def test_a_single_row_cannot_be_split_for_nanochat(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two rows or more"):
        exported(tmp_path, drills(tmp_path, "f"), "nanochat", "exercises")
    assert not (tmp_path / "out").exists()


def read_as_axolotl(folder: Path, cache: Path) -> tuple[str, list[dict[str, str]]]:
    """The dataset that `axolotl.yaml` names, loaded from the folder it stands in; and the type of its prompts."""
    from datasets import load_dataset

    (named,) = yaml.safe_load((folder / "axolotl.yaml").read_text())["datasets"]
    assert (folder / named["path"]).is_file()  # a path that is a file is loaded by its `ds_type`
    data = str(folder / named["path"])
    rows = load_dataset(named["ds_type"], data_files=data, split=named["split"], cache_dir=str(cache))
    return named["type"], rows.to_list()


def test_axolotl_reads_documents_as_completions(tmp_path: Path) -> None:
    texts = ["# ü ☃\n", 'x = "\\n"\n\u2028']
    rows = [document(str(n), "MIT") for n in range(2)]
    rows = [type(row)(**{**row.row(), "text": text}) for row, text in zip(rows, texts, strict=True)]
    kind, found = read_as_axolotl(exported(tmp_path, corpus(tmp_path / "work", rows), "axolotl"), tmp_path / "cache")
    assert (kind, found) == ("completion", [{"text": text} for text in texts])
    lines = (tmp_path / "out" / "data" / "train.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == texts


def test_axolotl_reads_exercises_as_alpaca(tmp_path: Path) -> None:
    folder = exported(tmp_path, drills(tmp_path, "f"), "axolotl", "exercises")
    kind, found = read_as_axolotl(folder, tmp_path / "cache")
    prompt = 'def f(x):\n    """Return x."""\n'
    assert (kind, found) == ("alpaca", [{"instruction": INSTRUCTION, "input": prompt, "output": f"{prompt}    return x\n"}])  # fmt: skip


def test_unknown_rows_are_left_out_of_every_format(tmp_path: Path) -> None:
    made = corpus(tmp_path / "work", [document("a", "MIT"), document("b"), document("c", "MIT")])
    for form in ("nanochat", "axolotl"):
        export(Export(format=form, unknown="drop"), "selected", out=tmp_path / form, workdir=made.root)  # type: ignore[arg-type]
    texts = [
        t for split in ("train", "val") for ts in read_as_nanochat(tmp_path / "nanochat" / "data", split) for t in ts
    ]
    assert texts == [document("a").text, document("c").text]
    assert [row["text"] for row in read_as_axolotl(tmp_path / "axolotl", tmp_path / "cache")[1]] == texts


def test_an_unknown_format_is_refused(hornbook: object, tmp_path: Path) -> None:
    said = hornbook("export", "selected", "--format", "csv", "--out", tmp_path / "out").complaint(2)  # type: ignore[operator]
    assert said.startswith("--format 'csv'")


def test_a_model_has_no_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Workdir(tmp_path / "work")

    def model(folder: Path) -> None:
        for name in ("config.json", "model.safetensors", "tokenizer.json"):
            (folder / name).write_text("{}")

    made.add("pretrain-raw", make=model)
    made.finish()
    with pytest.raises(RequestError, match="--format axolotl: is for datasets, and raw is a model"):
        exported(tmp_path, made, "axolotl", "raw")
