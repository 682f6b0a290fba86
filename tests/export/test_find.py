"""What DATASET and MODEL may be: folders of every kind that hornbook writes, names in a run, and nothing else."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from workdirs import Workdir, corpus, document

from hornbook.artifacts import Ledger
from hornbook.config import Config
from hornbook.decontamination.decontaminate import Decontaminate, decontaminate
from hornbook.errors import InputError, RequestError
from hornbook.export.export import Export, export
from hornbook.export.find import find
from hornbook.export.lineage import trace
from hornbook.records import Document, write_dataset
from hornbook.standalone import run_alone


@pytest.fixture
def made(tmp_path: Path) -> Workdir:
    return corpus(tmp_path / "work", [document("a", "MIT"), document("b", "MIT")])


class Write(Config):
    n: int = 2


def write(config: Write, *, responses: Path | None = None, out: Path, ledger: Ledger) -> None:
    """A command that writes documents, of a kind of its own."""
    rows = [document(f"{n}", "MIT") for n in range(config.n)]
    ledger.rows_out = write_dataset(out / "documents", rows, Document)


@pytest.mark.parametrize("name", ["selected", "small/selected", "select-filtered"])
def test_a_dataset_of_a_run_goes_by_its_name(made: Workdir, name: str) -> None:
    found = find(name, made.root)
    assert found.folder.samefile(made.folder("select-filtered"))
    assert (found.rows.name, found.kind) == ("documents", "documents")


def test_the_corpus_is_the_one_that_was_decontaminated(made: Workdir) -> None:
    assert find("corpus", made.root).folder.name.startswith("decontaminate-corpus-")


@pytest.mark.parametrize("inner", ["", "documents"])
def test_an_artifact_and_the_dataset_in_it_are_the_same(made: Workdir, inner: str) -> None:
    folder = made.folder("select-filtered")
    found = find(str(folder / inner), Path("nowhere"))
    assert (found.folder, found.rows) == (folder, folder / "documents")


def test_a_folder_goes_before_a_name_of_the_same_spelling(made: Workdir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made.root)
    shutil.copytree(made.folder("curate-corpus"), made.root / "selected")
    assert find("selected", made.root).folder == Path("selected")


def test_two_runs_that_have_different_ones_must_be_told_apart(made: Workdir) -> None:
    made.stages = [stage for stage in made.stages if stage["stage"] != "select"]
    made.add("select-filtered", {"documents": [document("c", "MIT")]}, config={"share": 0.5})
    made.finish("other")
    with pytest.raises(RequestError, match="other and small each have one; write other/selected"):
        find("selected", made.root)
    assert find("small/selected", made.root).folder != find("other/selected", made.root).folder


def test_two_runs_that_share_one_need_no_telling(made: Workdir) -> None:
    made.finish("other")
    assert find("selected", made.root).kind == "documents"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("selectd", "no dataset or model of that name in .*; did you mean 'selected'?"),
        ("large/selected", "no run of 'large' in"),
        ("small/zzz", "there are corpus, selected"),
    ],
)
def test_a_name_that_nothing_has_is_one_clear_line(made: Workdir, given: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        find(given, made.root)


def test_without_a_run_the_workdir_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="give the --workdir of one"):
        find("selected", tmp_path)


def torn(folder: Path) -> Path:
    (folder / "manifest.json").write_text("{")
    return folder


def bare(folder: Path) -> Path:
    (folder / "manifest.json").unlink()
    return folder


def unfinished(folder: Path) -> Path:
    (folder / "manifest.json").rename(folder / "request.json")
    return folder


def cut(folder: Path) -> Path:
    (folder / "documents" / "part-00000.parquet").write_bytes(b"PAR1")
    return folder


def weightless(folder: Path) -> Path:
    (folder / "config.json").write_text("{}")
    return folder


def speechless(folder: Path) -> Path:
    (folder / "model.safetensors").write_text("")
    return weightless(folder)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: folder / "documents" / "part-00000.parquet", "is a file"),
        (torn, "torn or not a manifest"),
        (bare, "neither it nor the folder around it has a manifest.json"),
        (unfinished, "its work is not finished"),
        (cut, "not readable as Parquet"),
        (weightless, "without .*safetensors"),
        (speechless, "without a tokenizer"),
        (lambda folder: (shutil.rmtree(folder / "documents"), folder)[1], "holds no rows and no model"),
        (lambda folder: folder.parent.parent, "neither it nor the folder around it"),
    ],
)
def test_what_cannot_be_exported_is_named(made: Workdir, spoil: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        find(str(spoil(made.folder("select-filtered"))), made.root)


def test_rejects_are_nothing_to_train_on(made: Workdir) -> None:
    made.add("curate-other", {"documents": [document("a")], "rejected": []})
    with pytest.raises(InputError, match=r"no documents, sections or exercises \(columns id, stage, reason"):
        find(str(made.folder("curate-other") / "rejected"), made.root)


def test_an_artifact_behind_is_known_by_its_digest_and_not_by_its_name(made: Workdir) -> None:
    other = made.add("curate-corpus", {"documents": [document("z", "GPL-3.0-only")]}, config={"n": 1})
    chain = trace(made.folder("select-filtered")).behind()
    assert [link.id for link in chain] == ["curate-corpus", "decontaminate-corpus", "score-corpus", "select-filtered"]
    assert other not in [link.folder for link in chain]


def test_what_is_gone_is_named_in_the_manifest(made: Workdir, tmp_path: Path) -> None:
    shutil.rmtree(made.folder("curate-corpus"))
    assert trace(made.folder("select-filtered")).lost() == ["curate-corpus/documents"]
    export(Export(), "selected", out=tmp_path / "out", workdir=made.root)
    assert "no longer where it was read: curate-corpus/documents." in (tmp_path / "out" / "README.md").read_text()


def test_commands_of_their_own_are_followed_back_through_their_folders(tmp_path: Path) -> None:
    run_alone(write, Write(n=3), tmp_path / "one")
    config = Decontaminate(against=["unconventional"])
    run_alone(decontaminate, config, tmp_path / "two", rows=tmp_path / "one")
    made = trace(find(str(tmp_path / "two"), tmp_path).folder)
    assert [(link.stage, link.folder) for link in made.behind()] == [("write", tmp_path / "one"), ("decontaminate", tmp_path / "two")]  # fmt: skip
    found = export(Export(), str(tmp_path / "two" / "documents"), out=tmp_path / "out", workdir=tmp_path)
    assert (found["rows"], found["license"], found["replayable"]) == (3, ["MIT"], False)
    page = (tmp_path / "out" / "README.md").read_text()
    assert "| write | 0 | 3 |  |" in page
    assert "3 rows against 50 items of unconventional." in page
    assert str(tmp_path) not in page + (tmp_path / "out" / "manifest.json").read_text()


def test_a_file_that_has_changed_since_is_not_taken_for_what_was_read(tmp_path: Path) -> None:
    run_alone(write, Write(n=3), tmp_path / "one")
    run_alone(decontaminate, Decontaminate(against=["unconventional"]), tmp_path / "two", rows=tmp_path / "one")
    write_dataset(tmp_path / "one" / "documents", [document("z", "MIT")], Document)
    made = trace(tmp_path / "two")
    assert (made.lost(), len(made.behind())) == (["one"], 1)


def test_a_command_notes_its_name_its_inputs_and_its_store(tmp_path: Path) -> None:
    from hornbook.artifacts import read_json

    run_alone(partial(write, responses=tmp_path / "store"), Write(), tmp_path / "one")
    about = read_json(tmp_path / "one" / "manifest.json")
    assert (about["stage"], about["inputs"], about["responses"]) == ("write", {}, str(tmp_path / "store"))
    assert about["versions"].keys() >= {"python", "hornbook"}


def test_another_run_with_a_torn_summary_does_no_harm(made: Workdir, tmp_path: Path) -> None:
    (made.root / "runs" / "broken").mkdir()
    (made.root / "runs" / "broken" / "run.json").write_text("[1]")
    folder = made.folder("select-filtered")
    assert export(Export(), str(folder), out=tmp_path / "out", workdir=made.root)["replayable"]


def test_rows_of_another_tool_keep_their_columns_and_have_no_licence(tmp_path: Path) -> None:
    """What datatrove writes: `text`, `id`, and a struct of metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"text": f"# {n}\n", "id": f"cc/{n}", "metadata": {"url": "u", "score": 0.5}} for n in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    run_alone(
        decontaminate, Decontaminate(against=["unconventional"]), tmp_path / "clean", rows=tmp_path / "in.parquet"
    )
    with pytest.raises(RequestError, match="3 of 3 rows do not allow it: 3 unknown"):
        export(Export(), str(tmp_path / "clean"), out=tmp_path / "out", workdir=tmp_path)
    export(Export(unknown="keep"), str(tmp_path / "clean"), out=tmp_path / "out", workdir=tmp_path)
    assert pq.read_table(tmp_path / "out" / "data").to_pylist() == rows
