"""An exported dataset: what loads it, what its card says, and that it appears whole, clean of this machine, or not at all."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from workdirs import Workdir, corpus, document, exercise

from hornbook.errors import InfrastructureError, InputError, RequestError
from hornbook.export import card, shards
from hornbook.export import export as door
from hornbook.export.export import Export, export
from hornbook.records import read_table
from runs import Command

HOSTILE = "evil|<img src=x onerror=alert(1)>\n# heading `code`"


@pytest.fixture
def made(tmp_path: Path) -> Workdir:
    return corpus(tmp_path / "work", [document(f"{n:02}", "MIT") for n in range(12)])


@pytest.fixture
def out(made: Workdir, tmp_path: Path) -> Path:
    export(Export(name="Small | texts"), "selected", out=tmp_path / "out", workdir=made.root)
    return tmp_path / "out"


def front_matter(out: Path) -> dict[str, Any]:
    """What a hub reads at the top of a card."""
    begin, front, _ = (out / "README.md").read_text("utf-8").split("---\n", 2)
    assert begin == ""
    found: dict[str, Any] = yaml.safe_load(front)
    return found


def texts_in(out: Path) -> dict[str, str]:
    """Every file of an export as text, tables as their rows."""
    return {
        path.relative_to(out).as_posix(): str(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else path.read_text("utf-8")
        for path in out.rglob("*")
        if path.is_file()
    }  # fmt: skip


def test_the_rows_come_out_as_they_went_in(made: Workdir, out: Path) -> None:
    assert read_table(out / "data").equals(read_table(made.folder("select-filtered") / "documents"))


def test_datasets_loads_the_folder_by_its_card_and_the_shards_by_name(out: Path, tmp_path: Path) -> None:
    from datasets import load_dataset

    cache = str(tmp_path / "cache")
    whole = load_dataset(str(out), cache_dir=cache)
    assert list(whole) == ["train"]
    assert whole["train"]["id"][:] == [f"{n:02}" for n in range(12)]
    scores = load_dataset(str(out), "scores", split="train", cache_dir=cache)
    assert (scores.column_names, scores["id"][:]) == (["id", "score"], whole["train"]["id"][:])
    shards = load_dataset("parquet", data_files=str(out / "data" / "*.parquet"), split="train", cache_dir=cache)
    assert shards["license"][0] == ["MIT"]


def test_the_front_matter_is_what_a_hub_understands(out: Path) -> None:
    assert front_matter(out) == {
        "pretty_name": "Small | texts",
        "license": "mit",
        "language": ["code"],
        "task_categories": ["text-generation"],
        "tags": ["python", "code", "hornbook"],
        "size_categories": ["n<1K"],
        "configs": [
            {"config_name": "default", "data_files": [{"split": "train", "path": "data/*.parquet"}]},
            {"config_name": "scores", "data_files": [{"split": "train", "path": "attributes/scores/*.parquet"}]},
        ],
    }


@pytest.mark.parametrize(
    ("ids", "license"),
    [(["MIT"], "mit"), (["MIT", "Apache-2.0"], ["apache-2.0", "mit"]), (["PSF-2.0", "MIT"], ["mit", "other"]),
     (["LGPL-2.1-or-later"], "lgpl-2.1"), (["MIT", "unknown"], ["mit", "unknown"])],
)  # fmt: skip
def test_licences_are_told_in_the_hubs_words(ids: list[str], license: Any) -> None:
    found = card.hub_license(ids)
    assert found["license"] == license
    assert ("license_link" in found) == ("other" in license)


@pytest.mark.parametrize(
    ("rows", "word"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6 - 1, "100K<n<1M"), (10**9, "1B<n<10B"), (10**12, "n>1T")],
)
def test_sizes_are_told_in_the_hubs_words(rows: int, word: str) -> None:
    assert card.size_category(rows) == word


def test_the_card_tells_the_whole_chain_with_counts_and_reasons(out: Path) -> None:
    page = (out / "README.md").read_text()
    for line in (
        "# Small \\| texts",
        "| curate-corpus | 15 | 12 | empty 2, generated 1 |",
        "| decontaminate-corpus | 17 | 12 | ngram 5 |",
        "| select-filtered | 12 | 12 |  |",
        "| MIT | 12 |",
        "| lib | 1.0 | 12 |",
    ):
        assert line in page, line
    assert page.index("curate-corpus") < page.index("| decontaminate-corpus") < page.index("| select-filtered")


def test_the_card_tells_what_contamination_was_looked_for_and_found(out: Path) -> None:
    page = (out / "README.md").read_text()
    assert "17 rows against 164 items of unconventional, mine.jsonl." in page
    assert "| ngram | 13 | 5 | 2 |" in page
    assert page.index("| HumanEval/3 | 4 |") < page.index("| HumanEval/12 | 1 |")
    assert "1 of 1 that must be caught were caught, and 2 of 2 that must pass passed" in page
    (check,) = json.loads((out / "manifest.json").read_text())["contamination"]
    assert check["items"] == {"ngram": {"HumanEval/3": 4, "HumanEval/12": 1}}
    assert check["removed"] == {"ngram": 5, "syntax": 0}


def test_what_was_never_decontaminated_says_so(tmp_path: Path) -> None:
    made = Workdir(tmp_path / "work")
    made.add("curate-corpus", {"documents": [document("a", "MIT")]})
    made.finish()
    export(Export(), str(made.folder("curate-corpus")), out=tmp_path / "out", workdir=tmp_path)
    assert "Not checked against any benchmark." in (tmp_path / "out" / "README.md").read_text()


def test_the_card_names_writers_teachers_and_cost(tmp_path: Path) -> None:
    made = Workdir(tmp_path / "work")
    rows = [exercise("f", "MIT"), exercise("g", "MIT", writer="llm", teacher="big"), exercise("h", "MIT", writer="llm", teacher="big")]  # fmt: skip
    about = {"requests": 7, "answers": 6, "dollars": 1.25}

    def asked(folder: Path) -> None:
        (folder / "asked.txt").write_text("k\n")
        (made.root / "responses").mkdir()
        (made.root / "responses" / "responses.jsonl").write_text('{"v": 2, "key": "k", "response": {"choices": []}}\n')

    made.add(
        "write_exercises-exercises", {"exercises": rows}, make=asked, figures={"teacher": {"big": about}}, dollars=1.25
    )
    made.finish()
    export(Export(), str(made.folder("write_exercises-exercises")), out=tmp_path / "out", workdir=tmp_path)
    page = (tmp_path / "out" / "README.md").read_text()
    for line in (
        "| llm | big | 2 |",
        "| procedural | none | 1 |",
        "| write_exercises-exercises | big | 7 | 6 | 1.25 |",
        "as far as prices were known: 1.25.",
    ):
        assert line in page, line
    assert "synthetic" in front_matter(tmp_path / "out")["tags"]


def test_a_hostile_source_stays_a_cell_of_its_table(tmp_path: Path) -> None:
    made = corpus(tmp_path / "work", [document("a", "MIT", source=HOSTILE)])
    export(Export(name=HOSTILE), "selected", out=tmp_path / "out", workdir=made.root)
    page = (tmp_path / "out" / "README.md").read_text()
    assert "| evil\\|&lt;img src=x onerror=alert(1)> # heading 'code' | 1.0 | 1 |" in page
    assert "<img" not in page.split("---\n", 2)[2]
    assert "- evil|<img src=x onerror=alert(1)> # heading `code` 1.0: MIT" in (tmp_path / "out" / "NOTICE").read_text()
    assert front_matter(tmp_path / "out")["pretty_name"] == HOSTILE


def test_no_place_of_this_machine_is_in_any_file(out: Path, tmp_path: Path) -> None:
    files = texts_in(out)
    assert files.keys() >= {"README.md", "manifest.json", "recipe.yaml", "expected.json", "NOTICE", "LICENSES.json"}
    for name, text in files.items():
        for place in (str(tmp_path), str(Path.home()), "/home/me", sys.prefix):
            assert place not in text, (name, place)
    assert yaml.safe_load(files["recipe.yaml"])["curate"]["paths"] == ["inputs/code/**/*.py"]


def test_the_manifest_holds_the_digest_of_every_other_file_and_no_time(out: Path) -> None:
    about = json.loads((out / "manifest.json").read_text())
    files = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    del files["manifest.json"]
    assert about["files"] == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    assert (about["rows"], about["license"], about["lost"]) == (12, ["MIT"], [])
    assert [stage["stage"] for stage in about["stages"]] == ["curate", "decontaminate", "score", "select"]
    assert not any("seconds" in name for stage in about["stages"] for name in stage)


def test_the_same_dataset_comes_out_as_the_same_bytes(made: Workdir, out: Path, tmp_path: Path) -> None:
    export(Export(name="Small | texts"), "selected", out=tmp_path / "twin", workdir=made.root)
    for path in out.rglob("*"):
        assert path.is_dir() or path.read_bytes() == (tmp_path / "twin" / path.relative_to(out)).read_bytes(), path


def test_large_datasets_are_cut_into_shards_and_scores_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD_BYTES", 300_000)
    made = corpus(tmp_path / "work", [document(f"{n:05}", "MIT") for n in range(9000)])
    export(Export(), "selected", out=tmp_path / "out", workdir=made.root)
    data, scores = (sorted((tmp_path / "out" / name).glob("*")) for name in ("data", "attributes/scores"))
    assert [path.name for path in data] == [f"part-{n:05d}.parquet" for n in range(3)]
    for one, other in zip(data, scores, strict=True):
        assert pq.read_table(one)["id"].equals(pq.read_table(other)["id"])
    assert read_table(tmp_path / "out" / "data")["id"].to_pylist() == [f"{n:05}" for n in range(9000)]


def test_a_row_without_a_score_has_none(tmp_path: Path) -> None:
    made = corpus(tmp_path / "work", [document("a", "MIT"), document("c", "MIT")])
    rows = [document("a", "MIT"), document("b", "MIT"), document("c", "MIT")]
    made.add("select-more", {"documents": rows}, {"scores": "score-corpus/scores"})
    made.finish()
    export(Export(), "select-more", out=tmp_path / "out", workdir=made.root)
    found = read_table(tmp_path / "out" / "attributes" / "scores").to_pylist()
    assert found == [{"id": "a", "score": 0.0}, {"id": "b", "score": None}, {"id": "c", "score": 1.0}]


@pytest.mark.parametrize("there", ["file", "folder"])
def test_what_is_there_already_is_left_alone(made: Workdir, tmp_path: Path, there: str, hornbook: Command) -> None:
    out = tmp_path / "out"
    if there == "file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "mine").write_text("mine")
    said = hornbook("export", "selected", "--workdir", made.root, "--out", out).complaint(2)
    assert said == f"--out {out}: is there already and not empty; name a new folder"
    assert [path.read_text() for path in ([out] if there == "file" else out.iterdir())] == ["mine"]


def test_an_empty_folder_will_do(made: Workdir, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert export(Export(), "selected", out=tmp_path / "out", workdir=made.root)["rows"] == 12
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "work"]


def test_an_export_within_what_is_exported_is_refused(made: Workdir) -> None:
    inside = made.folder("select-filtered") / "documents" / "out"
    with pytest.raises(InputError, match="stands within what is exported"):
        export(Export(), "selected", out=inside, workdir=made.root)
    assert not inside.exists()


def test_a_place_that_cannot_be_made_is_one_clear_line(made: Workdir, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match="name a folder that can be made"):
        export(Export(), "selected", out=tmp_path / "file" / "out", workdir=made.root)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_what_fails_half_way_leaves_nothing(
    made: Workdir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(door, "write_manifest", fail)
    expected = InfrastructureError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        export(Export(), "selected", out=tmp_path / "out", workdir=made.root)
    assert [path.name for path in tmp_path.iterdir()] == ["work"]


KILLED = """
import os, sys
from pathlib import Path
from hornbook.export import export as door
door.write_manifest = lambda *_: os.kill(os.getpid(), 9)
door.export(door.Export(), "selected", out=Path(sys.argv[1]), workdir=Path(sys.argv[2]))
"""


def test_a_killed_export_leaves_no_folder_and_the_next_one_is_whole(made: Workdir, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "out"), str(made.root)], check=False)
    assert done.returncode == -9
    left = tmp_path / ".out.part"
    assert (left / "README.md").exists()
    assert not (tmp_path / "out").exists()
    (left / "data" / "part-00009.parquet").write_text("torn")
    export(Export(), "selected", out=tmp_path / "out", workdir=made.root)
    assert [path.name for path in (tmp_path / "out" / "data").iterdir()] == ["part-00000.parquet"]
    assert not left.exists()
