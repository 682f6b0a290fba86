"""An exported model: it loads, it is held to the licences of all that it was trained on, and its card invents nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from workdirs import Workdir, document

from hornbook.artifacts import write_json
from hornbook.errors import RequestError
from hornbook.export.export import Export, export
from hornbook.records import Document, write_dataset
from runs import Command

SETTINGS = {"tokens": 640, "learning_rate": 0.001, "schedule": "linear", "seed": 3, "device": "cpu", "threads": 2}
RESULTS = {
    "problems": 12,
    "pass_at_k": {"1": {"value": 0.25, "low": 0.1, "high": 0.4}},
    "bits_per_byte": {"value": 1.5, "low": 1.4, "high": 1.6},
    "parse_rate": None,
}


def packed(*ids: tuple[str, str]) -> Any:
    """An index that leads to these rows of these parts."""

    def make(folder: Path) -> None:
        pq.write_table(
            pa.table({"id": [i for i, _ in ids], "part": [part for _, part in ids]}), folder / "index.parquet"
        )

    return make


def trained(root: Path, student: Path, rows: list[Document], *ids: str) -> Workdir:
    """A run in which a student was pretrained on those of the rows that are named."""
    made = Workdir(root)
    made.add("curate-corpus", {"documents": rows})
    made.add("decontaminate-corpus", {"documents": rows}, {"rows": "curate-corpus/documents"}, rows_in=9, rows_out=8, rejected={"ngram": 1}, config={"against": ["mbpp"], "ngram": 13}, figures={"hits": {"ngram MBPP/11": 1}, "items": 974})  # fmt: skip
    about = {"corpus": {"documents": len(ids), "tokens": 600, "epochs": 2.5}}
    made.add("pack-raw", inputs={"datasets.corpus": "decontaminate-corpus"}, make=packed(*((i, "corpus") for i in ids)), figures=about)  # fmt: skip
    figures = {"steps": 10, "first_loss": 6.5, "last_loss": 4.25, "epochs": 2.5}
    made.add(
        "pretrain-raw", inputs={"pack": "pack-raw"}, make=copied(student), config=SETTINGS, tokens=640, figures=figures
    )
    results = {"benchmarks": {"unconventional": RESULTS}}
    made.add(
        "evaluate-raw",
        inputs={"model": "pretrain-raw"},
        make=lambda folder: write_json(folder / "results.json", results),
    )
    made.finish()
    return made


def copied(student: Path) -> Any:
    """The files of a student."""

    def make(folder: Path) -> None:
        shutil.copytree(student, folder, dirs_exist_ok=True)

    return make


def model(made: Workdir, out: Path, what: str = "raw", **how: Any) -> dict[str, Any]:
    return export(Export(**how), what, out=out, workdir=made.root)


def test_an_exported_model_loads_and_says_the_same(tmp_path: Path, student: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    found = model(trained(tmp_path / "work", student, [document("a", "MIT")], "a"), tmp_path / "out")
    assert (found["kind"], found["rows"], found["license"]) == ("model", 1, ["MIT"])
    ids = AutoTokenizer.from_pretrained(tmp_path / "out")("def f(x):", return_tensors="pt").input_ids
    one, other = (AutoModelForCausalLM.from_pretrained(place)(ids).logits for place in (student, tmp_path / "out"))
    assert torch.equal(one, other)


def test_the_card_tells_shape_training_and_examination(tmp_path: Path, student: Path) -> None:
    from transformers import AutoModelForCausalLM

    model(trained(tmp_path / "work", student, [document("a", "MIT"), document("b", "Zlib")], "a"), tmp_path / "out")
    page = (tmp_path / "out" / "README.md").read_text()
    size = sum(p.numel() for p in AutoModelForCausalLM.from_pretrained(student).parameters())
    for line in (
        f"PhiForCausalLM, {size:,} parameters, 2 layers of width 32 with 2 heads, a vocabulary of 300 and a context of 96",
        "**pretrain-raw**: 640 tokens in 10 steps, loss 6.5 → 4.25.",
        "| corpus | 1 | 600 | 2.5 |",
        "| learning rate | 0.001 |",
        "| unconventional | 12 | pass@1 | 0.2500 | 0.1000 to 0.4000 |",
        "| unconventional | 12 | bits per byte | 1.5000 | 1.4000 to 1.6000 |",
        "| MIT | 1 |",
        "**decontaminate-corpus**: 9 rows against 974 items of mbpp.",
        "| MBPP/11 | 1 |",
        "It sees at most 96 tokens at once.",
    ):
        assert line in page, line
    assert "Zlib" not in page  # never in the pack
    assert "parse" not in page.split("## Examinations")[1].split("##")[0]
    assert "device" not in page
    front = yaml.safe_load(page.split("---\n", 2)[1])
    assert (front["library_name"], front["pipeline_tag"], front["license"]) == (
        "transformers",
        "text-generation",
        "other",
    )


def test_an_examination_of_another_model_is_not_told(tmp_path: Path, student: Path) -> None:
    made = trained(tmp_path / "work", student, [document("a", "MIT")], "a")
    shutil.rmtree(made.folder("evaluate-raw"))
    made.stages.pop()
    made.add("evaluate-raw", inputs={"model": "pack-raw"}, make=lambda f: write_json(f / "results.json", {"benchmarks": {"x": RESULTS}}))  # fmt: skip
    made.finish()
    model(made, tmp_path / "out")
    page = (tmp_path / "out" / "README.md").read_text()
    assert "None in the workdir that this was exported from." in page
    assert "Nothing was measured of what it can do." in page
    assert "0.2500" not in page


def test_a_model_is_held_to_the_documents_that_it_was_trained_on_and_to_no_others(
    tmp_path: Path, student: Path
) -> None:
    rows = [document("a", "MIT"), document("b", "GPL-3.0-only"), document("c")]
    assert model(trained(tmp_path / "one", student, rows, "a", "a"), tmp_path / "out")["rows"] == 1
    made = trained(tmp_path / "two", student, rows, "a", "b")
    with pytest.raises(RequestError) as refused:
        model(made, tmp_path / "not")
    assert str(refused.value) == (
        "raw: the licences of 1 of 2 documents that it was trained on do not allow it: 1 GPL-3.0-only; "
        "--allow permissive,GPL-3.0-only lets these licences out"
    )
    assert model(made, tmp_path / "yes", allow=["MIT", "GPL-3.0-only"])["license"] == ["GPL-3.0-only", "MIT"]


@pytest.mark.parametrize("unknown", ["refuse", "drop"])
def test_a_model_cannot_drop_what_it_has_read(tmp_path: Path, student: Path, unknown: str) -> None:
    made = trained(tmp_path / "work", student, [document("a", "MIT"), document("b")], "a", "b")
    with pytest.raises(RequestError, match=r"1 unknown; --unknown keep .* a model forgets nothing"):
        model(made, tmp_path / "out", unknown=unknown)
    assert model(made, tmp_path / "out", unknown="keep")["license"] == ["MIT", "unknown"]


def test_what_its_base_was_trained_on_counts_too(tmp_path: Path, student: Path) -> None:
    made = trained(tmp_path / "work", student, [document("a", "MPL-2.0")], "a")
    made.add("write_exercises-exercises", {"exercises": []})
    rows = [document("e", "MIT")]
    made.add("select-filtered", {"documents": rows})
    made.add("pack-more", inputs={"datasets.selected": "select-filtered"}, make=packed(("e", "selected")), figures={"selected": {"documents": 1, "tokens": 5, "epochs": 1.0}})  # fmt: skip
    made.add("finetune-more", inputs={"base": "pretrain-raw", "pack": "pack-more"}, make=copied(student), config=SETTINGS, tokens=64)  # fmt: skip
    made.finish()
    with pytest.raises(RequestError, match=r"1 of 2 documents .* 1 MPL-2.0"):
        model(made, tmp_path / "out", "more")
    found = model(made, tmp_path / "out", "more", allow=["permissive", "MPL-2.0"])
    assert (found["rows"], found["license"]) == (2, ["MIT", "MPL-2.0"])
    page = (tmp_path / "out" / "README.md").read_text()
    assert page.index("**pretrain-raw**: 640 tokens") < page.index("**finetune-more**: 64 tokens")


def test_training_data_that_is_gone_is_unknown(tmp_path: Path, student: Path) -> None:
    made = trained(tmp_path / "work", student, [document("a", "MIT")], "a")
    shutil.rmtree(made.folder("decontaminate-corpus"))
    with pytest.raises(
        RequestError, match="corpus cannot be read any more, so its licences are unknown; --unknown keep"
    ):
        model(made, tmp_path / "out")
    model(made, tmp_path / "out", unknown="keep")
    assert "Not readable any more, so of unknown licence: corpus." in (tmp_path / "out" / "README.md").read_text()


def test_no_file_of_a_model_names_a_place_of_this_machine(tmp_path: Path, student: Path) -> None:
    made = trained(tmp_path / "work", student, [document("a", "MIT")], "a")
    folder = made.folder("pretrain-raw")
    for name in ("config.json", "tokenizer_config.json"):
        about = json.loads((folder / name).read_text())
        write_json(folder / name, about | {"_name_or_path": str(tmp_path), "name_or_path": str(tmp_path)})
    model(made, tmp_path / "out")
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or str(tmp_path).encode() not in path.read_bytes(), path


def test_a_student_of_ones_own_files_is_held_to_all_of_them(
    tmp_path: Path, hornbook: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [Document(f"{n:03}", f"alpha {n}\n" * 5, "mine", f"{n}.py", ["MIT"]) for n in range(40)]
    write_dataset(tmp_path / "mine", rows, Document)
    shape = '{"layers": 1, "width": 32, "mlp": 64, "heads": 2, "rotary_dim": 8, "context": 32}'
    settings = ["compile=false", "threads=1", "device=cpu", "batch_sequences=4", "warmup_steps=1"]
    sets = [word for setting in [*settings, f"model={{shape: {shape}}}"] for word in ("--set", setting)]
    how = ("--tokens", "640", "--context", "16", "--vocabulary", "300", "--out", "student")
    done = hornbook("pretrain", "mine", *how, *sets)
    assert done.code == 0, done.err
    found = hornbook("export", "student", "--out", "out", "--json").json
    assert (found["rows"], found["license"], found["replayable"]) == (40, ["MIT"], False)
    page = (tmp_path / "out" / "README.md").read_text()
    assert "**pretrain**: 640 tokens in 10 steps" in page
    assert "| mine | – | – | – |" in page
    write_dataset(tmp_path / "mine", [document("z", "MIT")], Document)
    complaint = hornbook("export", "student", "--out", "again").complaint(2)
    assert "mine cannot be read any more" in complaint


def test_a_base_from_elsewhere_is_of_unknown_licence(tmp_path: Path, student: Path) -> None:
    from hornbook.export.lineage import trace
    from hornbook.export.training import lost_in

    write_dataset(tmp_path / "mine", [document("a", "MIT")], Document)
    shutil.copytree(student, tmp_path / "tuned")
    from hornbook.standalone import digest_of

    given = {"base": student, "datasets.mine": tmp_path / "mine"}
    inputs = {name: {"path": str(path), "digest": digest_of(path)} for name, path in given.items()}
    write_json(tmp_path / "tuned" / "manifest.json", {"stage": "finetune", "inputs": inputs, "config": {}})
    assert lost_in(trace(tmp_path / "tuned")) == [f"base model {student.name}"]
    with pytest.raises(RequestError, match=r"base model .* cannot be read any more"):
        export(Export(), str(tmp_path / "tuned"), out=tmp_path / "out", workdir=tmp_path)
