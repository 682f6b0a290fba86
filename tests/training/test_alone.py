"""Training on a person's own files, at the command line: mixtures, settings, resumption, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from hornbook.artifacts import Ledger, digest_folder
from hornbook.errors import InputError, RequestError
from hornbook.records import Document, write_dataset
from hornbook.training import alone
from hornbook.training.alone import TrainAlone, finetune_alone, mixture, pretrain_alone
from hornbook.training.finetune import Finetune
from hornbook.training.pretrain import Pretrain
from runs import Command

SHAPE = {"layers": 1, "width": 32, "mlp": 64, "heads": 2, "rotary_dim": 8, "context": 32}
SETTINGS = {"compile": False, "threads": 1, "device": "cpu", "batch_sequences": 4, "warmup_steps": 1}
STEP = 4 * 16  # tokens


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(folder: Path, word: str, count: int = 40) -> Path:
    rows = [Document(f"{n:03}", f"{word} {n}\n" * 5, "mine", f"{n}.py", []) for n in range(count)]
    write_dataset(folder, rows, Document)
    return folder


@pytest.fixture
def data(tmp_path: Path) -> tuple[dict[str, float], dict[str, Path]]:
    """Two datasets, three parts of one to one of the other."""
    many, few = written(tmp_path / "many", "alpha"), written(tmp_path / "few", "omega")
    return mixture([f"{many}=3", str(few)])


def config(kind: Any, weights: dict[str, float], **values: Any) -> TrainAlone:
    return TrainAlone(training=kind(tokens=STEP * 6, **SETTINGS, **values), weights=weights, context=16, vocab_size=300)


def test_a_student_of_ones_own_texts_loads_and_is_trained_on_the_mixture(
    data: tuple[dict[str, float], dict[str, Path]], tmp_path: Path
) -> None:
    weights, datasets = data
    assert weights == {"many": 3.0, "few": 1.0}
    out, ledger = tmp_path / "out", Ledger()
    out.mkdir()
    settings = config(Pretrain, weights, model={"shape": SHAPE})
    pretrain_alone(settings, datasets=datasets, tokenizer=None, out=out, ledger=ledger)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    assert (model.config.num_hidden_layers, len(tokenizer)) == (1, 300)
    assert ledger.tokens == STEP * 6
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == []
    assert len((out / "loss.jsonl").read_text().splitlines()) == 6


def test_the_mixture_gives_each_dataset_its_share(
    data: tuple[dict[str, float], dict[str, Path]], tmp_path: Path, tokenizer: Path
) -> None:
    weights, datasets = data
    ledger = Ledger()
    alone.prepare(config(Pretrain, weights), datasets, tokenizer, tmp_path / "work", ledger)
    assert {name: part["tokens"] for name, part in ledger.figures.items()} == {"few": 96, "many": 288}


def test_a_killed_training_goes_on_with_the_pack_it_made(
    data: tuple[dict[str, float], dict[str, Path]], tmp_path: Path, student: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, datasets = data
    settings = config(Finetune, weights)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    finetune_alone(settings, base=student, datasets=datasets, out=whole, ledger=Ledger())
    with monkeypatch.context() as patch:
        patch.setattr(alone, "finetune", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            finetune_alone(settings, base=student, datasets=datasets, out=killed, ledger=Ledger())
    monkeypatch.setattr(alone, "pack", lambda *_, **__: pytest.fail("packed again"))
    finetune_alone(settings, base=student, datasets=datasets, out=killed, ledger=Ledger())
    assert digest_folder(killed) == digest_folder(whole)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("nowhere", "nowhere: no such file or folder"),
        ("many=0", "the weight '0' is not a positive number"),
        ("many=-1", "the weight '-1' is not a positive number"),
        ("many=lots", "the weight 'lots' is not a positive number"),
        ("many=nan", "the weight 'nan' is not a positive number"),
        ("./many", "two datasets are named 'many'"),
    ],
)
def test_a_mixture_that_cannot_be_is_refused(given: str, complaint: str, tmp_path: Path) -> None:
    written(tmp_path / "many", "alpha", 2)
    with pytest.raises(RequestError, match=complaint):
        mixture(["many", given] if given == "./many" else [given])


def test_a_path_may_hold_an_equals_sign(tmp_path: Path) -> None:
    odd = written(tmp_path / "a=2", "alpha", 2)
    assert mixture([str(odd)]) == ({"a=2": 1.0}, {"a=2": odd})
    assert mixture([f"{odd}=5"]) == ({"a=2": 5.0}, {"a=2": odd})


def test_the_commands_train_generate_and_say_so(hornbook: Command, tmp_path: Path, student: Path) -> None:
    lines = [json.dumps({"id": str(n), "text": f"def f{n}(x):\n    return x + {n}\n"}) for n in range(50)]
    (tmp_path / "mine.jsonl").write_text("\n".join(lines), "utf-8")
    settings = [part for name, value in SETTINGS.items() for part in ("--set", f"{name}={value}")]
    common = ["mine.jsonl", "--tokens", "256", "--context", "16", *settings, "--json"]
    done = hornbook("finetune", student, *common, "--out", "tuned")
    assert (done.code, done.json["tokens"], done.json["out"]) == (0, 256, "tuned")
    written = hornbook("generate", "tuned", "def f", "class", "-n", "2", "--max-new-tokens", "3", "--json")
    assert [row["prompt"] for row in written.json["completions"]] == ["def f", "def f", "class", "class"]
    assert written.json["completions"][0] == written.json["completions"][1]  # greedy


def test_a_row_that_is_no_text_is_refused_with_its_line(hornbook: Command, tmp_path: Path, student: Path) -> None:
    (tmp_path / "mine.jsonl").write_text('{"id": "a", "text": "x"}\n{"id": "b", "text": 3}\n', "utf-8")
    done = hornbook("finetune", student, "mine.jsonl", "--tokens", "64", "--out", "tuned")
    assert done.code == 2
    assert "mine.jsonl: line 2: field 'text' must be text; 1 rows are malformed" in done.err


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (["--set", "learning_rat=1"], "unknown key 'learning_rat'; did you mean 'learning_rate'?"),
        (["--set", "model.shape.heds=1"], "unknown key 'model.shape.heds'; did you mean 'heads'?"),
        (["--model", "phi-laptp"], "did you mean 'phi-laptop'?"),
        (["--context", "1"], "--context 1: "),
        (["--set", "model.shape={layers: 1, width: 30, mlp: 8, heads: 4, rotary_dim: 2}"], "not divisible by 4 heads"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(
    settings: list[str], complaint: str, hornbook: Command, tmp_path: Path
) -> None:
    written(tmp_path / "many", "alpha", 2)
    done = hornbook("pretrain", "many", "--tokens", "64", "--out", "new", *settings)
    assert done.code == 2
    assert complaint in done.err
    assert "Traceback" not in done.err


def test_malformed_rows_of_an_artifact_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        alone.prepare(config(Pretrain, {"a": 1}), {"a": tmp_path / "gone"}, tmp_path, tmp_path / "work", Ledger())
