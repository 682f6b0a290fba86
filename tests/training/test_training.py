"""The loop: what it is fed, how it steps, and that a killed run ends in the bytes of an unbroken one."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from hornbook.artifacts import Ledger, Node, digest_folder, key_of, write_json
from hornbook.errors import InputError
from hornbook.model.load import load
from hornbook.model.presets import Model, Shape, build
from hornbook.training import loop
from hornbook.training.finetune import Finetune, finetune
from hornbook.training.loop import Optimization, batches, make_optimizer, rate_at
from hornbook.training.pretrain import Pretrain, pretrain

CONTEXT, BATCH, STEPS = 16, 4, 12
TINY = Shape(layers=1, width=32, mlp=64, heads=2, rotary_dim=8, context=32, dropout=0.1)
SETTINGS: dict[str, Any] = {
    "tokens": CONTEXT * BATCH * STEPS,
    "batch_sequences": BATCH,
    "warmup_steps": 3,
    "learning_rate": 1e-2,
    "compile": False,
    "threads": 1,
    "device": "cpu",
    "checkpoint_seconds": 1e9,
    "model": Model(shape=TINY),
}


def written_pack(folder: Path, sequences: np.ndarray) -> Path:
    folder.mkdir(exist_ok=True)
    sequences.astype("<u2").tofile(folder / "tokens.bin")
    write_json(folder / "pack.json", {"dtype": "<u2", "tokens": sequences.size, "context": sequences.shape[1]})
    return folder


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """Ten sequences of noise, so that every batch has its own gradient."""
    return written_pack(tmp_path / "pack", np.random.default_rng(0).integers(1, 300, (10, CONTEXT)))


@pytest.fixture
def pretrained(pack: Path, tokenizer: Path, tmp_path: Path) -> Callable[..., Path]:
    """Pretrain into a named folder."""

    def make(name: str, ledger: Ledger | None = None, pack: Path = pack, **values: Any) -> Path:
        out = tmp_path / name
        out.mkdir(exist_ok=True)
        config = Pretrain(**{**SETTINGS, **values})
        pretrain(config, pack=pack, tokenizer=tokenizer, out=out, ledger=ledger or Ledger())
        return out

    return make


def losses(folder: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder / "loss.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("linear", [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]), ("constant", [0.5, 1.0, 1.0, 1.0, 1.0, 1.0])],
)
def test_the_rate_warms_up_then_decays_or_stays(schedule: Any, expected: list[float]) -> None:
    config = Optimization(tokens=1, learning_rate=1.0, warmup_steps=2, schedule=schedule)
    assert [rate_at(step, config, 6) for step in range(6)] == expected


def test_without_warmup_the_first_step_has_the_full_rate() -> None:
    config = Optimization(tokens=1, learning_rate=2.0, warmup_steps=0)
    assert [rate_at(step, config, 4) for step in range(4)] == [2.0, 1.5, 1.0, 0.5]


def test_warmup_longer_than_the_run_never_reaches_the_full_rate() -> None:
    config = Optimization(tokens=1, learning_rate=1.0, warmup_steps=10)
    assert [rate_at(step, config, 2) for step in range(2)] == [0.1, 0.2]


@pytest.mark.parametrize(("tokens", "steps"), [(1, 1), (127, 1), (128, 2), (191, 2), (192, 3)])
def test_steps_are_whole_batches_and_at_least_one(tokens: int, steps: int) -> None:
    assert Optimization(tokens=tokens, batch_sequences=4).steps(context=16) == steps


def rows_seen(count: int, first: int, steps: int, **values: Any) -> list[list[int]]:
    """Which sequences the batches of a pack of `count` hold, a list a step."""
    with TemporaryDirectory() as name:
        folder = written_pack(Path(name), np.repeat(np.arange(count)[:, None], 2, axis=1))
        config = Optimization(tokens=1, **values)
        return [batch[:, 0].tolist() for batch in batches(folder, config, first, steps)]


@settings(deadline=None, max_examples=50)
@given(
    count=st.integers(1, 9),
    size=st.integers(1, 5),
    seed=st.integers(0, 3),
    first=st.integers(0, 10),
    more=st.integers(0, 10),
)
def test_batches_are_the_same_from_whichever_step_they_go_on(
    count: int, size: int, seed: int, first: int, more: int
) -> None:
    unbroken = rows_seen(count, 0, first + more, batch_sequences=size, seed=seed)
    assert rows_seen(count, first, first + more, batch_sequences=size, seed=seed) == unbroken[first:]


@settings(deadline=None, max_examples=50)
@given(count=st.integers(1, 9), size=st.integers(1, 5), seed=st.integers(0, 3))
def test_every_epoch_holds_every_sequence_once(count: int, size: int, seed: int) -> None:
    steps = math.ceil(3 * count / size)
    seen = [row for batch in rows_seen(count, 0, steps, batch_sequences=size, seed=seed) for row in batch]
    for epoch in range(3):
        assert sorted(seen[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    first, second = rows_seen(30, 0, 2, batch_sequences=30)
    (other,) = rows_seen(30, 0, 1, batch_sequences=30, seed=1)
    assert len({tuple(first), tuple(second), tuple(other)}) == 3


def test_a_batch_is_whole_sequences_of_the_context() -> None:
    with TemporaryDirectory() as name:
        folder = written_pack(Path(name), np.arange(12).reshape(3, 4))
        (batch,) = batches(folder, Optimization(tokens=1, batch_sequences=3), 0, 1)
    assert batch.dtype == np.int64
    assert sorted(batch.tolist()) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_decay_shrinks_matrices_and_leaves_biases_and_norms() -> None:
    torch.manual_seed(0)
    model = build(TINY, 50, 0)
    for parameter in model.parameters():
        parameter.data.add_(1.0)
        parameter.grad = torch.zeros_like(parameter)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    make_optimizer(model, Optimization(tokens=1, learning_rate=0.5, weight_decay=0.1)).step()
    for name, parameter in model.named_parameters():
        shrunk = 1 - 0.5 * 0.1 if parameter.dim() == 2 else 1.0
        assert torch.allclose(parameter, before[name] * shrunk), name


def stop_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Make the run die as it logs a step; the kill comes after the optimizer has moved on."""

    def dying(path: Path, row: dict[str, Any], append: Any = loop.append_jsonl) -> None:
        if row["step"] == step:
            raise KeyboardInterrupt
        append(path, row)

    monkeypatch.setattr(loop, "append_jsonl", dying)


def save_at(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Checkpoint after this many steps and at no other time."""

    def maybe(self: loop.Saver, step: int, model: Any, optimizer: Any) -> None:
        if step == at:
            loop.save_checkpoint(self.out, step, model, optimizer)

    monkeypatch.setattr(loop.Saver, "maybe", maybe)


@pytest.mark.parametrize("checkpoint", [5, 1, None])
def test_a_killed_run_ends_in_the_bytes_of_an_unbroken_one(
    pretrained: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, checkpoint: int | None
) -> None:
    unbroken = pretrained("unbroken")
    with monkeypatch.context() as patch:
        stop_at(patch, 8)
        if checkpoint is not None:
            save_at(patch, checkpoint)
        with pytest.raises(KeyboardInterrupt):
            pretrained("killed")
    resumed = pretrained("killed")
    for name in ("loss.jsonl", "model.safetensors"):
        assert (resumed / name).read_bytes() == (unbroken / name).read_bytes(), name
    assert digest_folder(resumed) == digest_folder(unbroken)


def test_a_resumed_run_does_not_train_the_steps_before_its_checkpoint_again(
    pretrained: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_at(patch, 8)
        save_at(patch, 5)
        with pytest.raises(KeyboardInterrupt):
            pretrained("killed")
    trained = []
    monkeypatch.setattr(loop, "batches", lambda *given: trained.append(given[2:]) or batches(*given))
    pretrained("killed")
    assert trained == [(5, STEPS)]


def test_a_checkpoint_brings_back_the_loss_scale_and_the_random_state(tmp_path: Path) -> None:
    model = build(TINY, 50, 0)
    optimizer = make_optimizer(model, Optimization(tokens=1))
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    scaler.scale(torch.zeros(1))  # the scale is a tensor from the first use on
    torch.manual_seed(3)
    loop.save_checkpoint(tmp_path, 7, model, optimizer, scaler)
    drawn = torch.rand(4)
    fresh = torch.amp.GradScaler("cpu", init_scale=2.0)
    assert loop.resume(tmp_path, model, optimizer, fresh) == 7
    assert fresh.get_scale() == 8.0
    assert torch.equal(torch.rand(4), drawn)


def test_a_run_killed_while_it_writes_a_checkpoint_leaves_nothing_behind(
    pretrained: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop.os, "replace", dying)
        with pytest.raises(KeyboardInterrupt):
            pretrained("killed", checkpoint_seconds=0)
    assert digest_folder(pretrained("killed")) == digest_folder(pretrained("unbroken"))


def test_how_often_checkpoints_are_written_changes_nothing(pretrained: Callable[..., Path]) -> None:
    assert digest_folder(pretrained("often", checkpoint_seconds=0)) == digest_folder(pretrained("never"))


def test_the_seed_decides_the_weights(pretrained: Callable[..., Path]) -> None:
    first, again, other = (
        (pretrained(f"{n}", tokens=1, seed=seed) / "model.safetensors").read_bytes() for n, seed in enumerate((1, 1, 2))
    )
    assert first == again
    assert first != other


def test_a_repeated_pattern_is_learned(pretrained: Callable[..., Path], tmp_path: Path) -> None:
    pattern = np.tile([5, 9, 2, 7], (8, CONTEXT // 4))
    ledger = Ledger()
    out = pretrained(
        "pattern", ledger, written_pack(tmp_path / "tiled", pattern), tokens=CONTEXT * BATCH * 60, schedule="constant"
    )
    assert losses(out)[0] == pytest.approx(math.log(300), abs=0.3)
    assert losses(out)[-1] < 0.5
    assert ledger.figures["first_loss"] == losses(out)[0]
    assert ledger.figures["last_loss"] == pytest.approx(sum(losses(out)[-6:]) / 6, abs=1e-4)


def test_the_ledger_counts_tokens_steps_and_epochs(pretrained: Callable[..., Path]) -> None:
    ledger = Ledger()
    out = pretrained("out", ledger)
    assert ledger.tokens == 768
    assert (ledger.figures["steps"], ledger.figures["epochs"]) == (12, 4.8)  # 768 of 160 tokens
    assert [json.loads(line)["tokens"] for line in (out / "loss.jsonl").read_text().splitlines()][:2] == [64, 128]


def test_a_pack_with_longer_contexts_than_the_model_is_refused(pretrained: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pack context 33 exceeds the model's 32"):
        pretrained("out", pack=written_pack(tmp_path / "long", np.ones((2, 33))))


def test_the_folder_loads_with_transformers_alone(pretrained: Callable[..., Path]) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out = pretrained("out")
    model, vocabulary = AutoModelForCausalLM.from_pretrained(out), AutoTokenizer.from_pretrained(out)
    ids = vocabulary("def f", return_tensors="pt")["input_ids"]
    assert type(model).__name__ == "PhiForCausalLM"
    assert model(ids).logits.shape == (1, ids.shape[1], 300)
    assert load(out).end_of_text == 0


def tuned(base: Path, pack: Path, out: Path, **values: Any) -> Path:
    out.mkdir()
    settings = {key: value for key, value in SETTINGS.items() if key != "model"} | values
    finetune(Finetune(**settings), base=base, pack=pack, out=out, ledger=Ledger())
    return out


def test_finetuning_starts_from_the_weights_of_its_base(
    pretrained: Callable[..., Path], pack: Path, tmp_path: Path
) -> None:
    base = pretrained("base")
    still = load_file(tuned(base, pack, tmp_path / "still", learning_rate=1e-9) / "model.safetensors")
    for name, weights in load_file(base / "model.safetensors").items():
        assert torch.allclose(still[name], weights, atol=1e-6), name


def test_finetuning_moves_every_weight(pretrained: Callable[..., Path], pack: Path, tmp_path: Path) -> None:
    base = pretrained("base")
    moved = load_file(tuned(base, pack, tmp_path / "moved") / "model.safetensors")
    assert all(not torch.equal(moved[name], weights) for name, weights in load_file(base / "model.safetensors").items())


def test_a_finetuned_model_keeps_its_bases_tokenizer(
    pretrained: Callable[..., Path], pack: Path, tmp_path: Path
) -> None:
    base = pretrained("base")
    out = tuned(base, pack, tmp_path / "out", tokens=1)
    assert (out / "tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()


def test_arms_of_different_precision_train_in_one_process(pretrained: Callable[..., Path]) -> None:
    half, full = (losses(pretrained(precision, precision=precision)) for precision in ("bf16", "no"))
    assert half != full
    assert half == pytest.approx(full, abs=0.2)


def key(config: Optimization, **facts: str) -> str:
    return key_of(Node("pretrain", "n", 1, config, {}, facts), {})


def test_threads_are_part_of_the_key_and_checkpoints_are_not() -> None:
    config = Pretrain(tokens=1)
    assert key(config.model_copy(update={"threads": 1})) != key(config)
    assert key(config.model_copy(update={"checkpoint_seconds": 1.0})) == key(config)


def test_training_uses_the_threads_of_its_config(pretrained: Callable[..., Path]) -> None:
    pretrained("out", tokens=1, threads=2)
    assert torch.get_num_threads() == 2
    pretrained("out", tokens=1, threads=1)
    assert torch.get_num_threads() == 1


def test_device_and_execution_are_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Optimization(tokens=1, device="cpu")
    monkeypatch.setattr(loop.shutil, "which", lambda _: "/usr/bin/g++")
    assert loop.training_facts(config) == {"device": "cpu", "execution": "compiled"}
    monkeypatch.setattr(loop.shutil, "which", lambda _: None)
    assert loop.training_facts(config) == {"device": "cpu", "execution": "eager"}


@pytest.mark.parametrize(
    ("driver", "version", "device"),
    [(True, "2.13.0+cu130", "cuda"), (True, "2.13.0+cpu", "cpu"), (False, "2.13.0", "cpu")],
)
def test_auto_is_a_gpu_where_driver_and_torch_have_one(
    monkeypatch: pytest.MonkeyPatch, driver: bool, version: str, device: str
) -> None:
    monkeypatch.setattr(loop.Path, "exists", lambda _: driver)
    monkeypatch.setattr(loop.importlib.metadata, "version", lambda _: version)
    assert loop.device_of(Optimization(tokens=1)) == device


@pytest.mark.slow
def test_compiled_training_learns_as_eager_training_does(pretrained: Callable[..., Path]) -> None:
    without_dropout = Model(shape=TINY.model_copy(update={"dropout": 0.0}))
    eager, compiled = (losses(pretrained(f"{c}", model=without_dropout, compile=c)) for c in (False, True))
    assert compiled == pytest.approx(eager, abs=1e-3)
