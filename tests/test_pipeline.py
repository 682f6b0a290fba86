"""What is redone and what is kept, with three stages small enough to work out by hand.

words ("cat dog") → lengths ("3 3") → total ("6")
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hornbook import runner
from hornbook.artifacts import Ledger, Node, Store, key_of
from hornbook.config import Config, operational
from hornbook.errors import InfrastructureError, RequestError, WorkError
from hornbook.evaluation.evaluate import Evaluate
from hornbook.facts import benchmark_facts, packaged_digest, source_facts
from hornbook.pipeline import STAGES, Stage, graph
from hornbook.recipe import load_recipe
from hornbook.runner import Run
from runs import Command, Result


class Words(Config):
    text: str = "cat dog"
    workers: int = operational(1)


class Nothing(Config):
    pass


RAN: list[str] = []  # which stages ran, in order
BREAK: dict[str, Callable[[Path], None]] = {}  # stage → what goes wrong in it


def write_words(config: Words, *, out: Path, ledger: Ledger) -> None:
    RAN.append("words")
    (out / "words.txt").write_text(config.text)
    ledger.rows_in = ledger.rows_out = len(config.text.split())


def measure_lengths(config: Nothing, *, words: Path, out: Path, ledger: Ledger) -> None:
    RAN.append("lengths")
    BREAK.get("lengths", lambda _: None)(out)
    text = (words / "words.txt").read_text()
    (out / "rows").mkdir()
    (out / "rows" / "lengths.txt").write_text(" ".join(str(len(word)) for word in text.split()))
    ledger.rejected["too-long"] += sum(len(word) > 3 for word in text.split())


def add_up(config: Nothing, *, rows: dict[str, Path], others: list[Path], out: Path, ledger: Ledger) -> None:
    RAN.append("total")
    (lengths,) = rows.values()
    assert [path.name for path in others] == ["rows"]
    (out / "total.txt").write_text(str(sum(map(int, (lengths / "lengths.txt").read_text().split()))))


def resuming(config: Nothing, *, words: Path, out: Path, ledger: Ledger) -> None:
    """Stops after every step until it has done three."""
    steps = [*(out / "steps.txt").read_text().split(), "step"] if (out / "steps.txt").exists() else ["step"]
    (out / "steps.txt").write_text(" ".join(steps))
    if len(steps) < 3:
        raise WorkError("stopped half-way")


TINY = {
    "words": Stage(1, f"{__name__}:write_words"),
    "lengths": Stage(1, f"{__name__}:measure_lengths"),
    "total": Stage(1, f"{__name__}:add_up"),
}


def tiny_graph(words: Words) -> list[Node]:
    rows = "lengths-b/rows"
    return [
        Node("words", "a", runner.STAGES["words"].version, words),
        Node("lengths", "b", runner.STAGES["lengths"].version, Nothing(), {"words": "words-a"}),
        Node("total", "c", runner.STAGES["total"].version, Nothing(), {"rows.b": rows, "others.0": rows}),
    ]


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "STAGES", {**STAGES, **TINY})
    monkeypatch.setattr(runner, "graph", lambda _: tiny_graph(Words()))
    RAN.clear()
    BREAK.clear()


@pytest.fixture
def again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Run the tiny graph in one workdir; returns which stages ran."""

    def call(config: Words | None = None) -> list[str]:
        monkeypatch.setattr(runner, "graph", lambda _: tiny_graph(config or Words()))
        RAN.clear()
        run = Run(load_recipe("smoke"), tmp_path)
        run.store.prepare()
        run.run()
        return list(RAN)

    return call


Again = Callable[..., list[str]]


def folder(workdir: Path, node: str) -> Path:
    (found,) = workdir.glob(f"artifacts/{node}-*")
    return found


def test_everything_runs_once_in_order(again: Again, tmp_path: Path) -> None:
    assert again() == ["words", "lengths", "total"]
    assert (folder(tmp_path, "total-c") / "total.txt").read_text() == "6"


def test_nothing_is_redone(again: Again) -> None:
    again()
    assert again() == []


def test_an_operational_setting_redoes_nothing(again: Again) -> None:
    again()
    assert again(Words(workers=8)) == []


def test_a_default_that_is_written_out_redoes_nothing(again: Again) -> None:
    again()
    assert again(Words(text="cat dog")) == []


def test_a_change_redoes_what_reads_it(again: Again, tmp_path: Path) -> None:
    again()
    assert again(Words(text="horse dog")) == ["words", "lengths", "total"]
    assert [path.read_text() for path in sorted(tmp_path.glob("artifacts/total-c-*/total.txt"))] in (
        ["6", "8"],
        ["8", "6"],
    )


def test_a_change_that_leaves_the_bytes_alike_stops_there(again: Again) -> None:
    again()
    assert again(Words(text="pig cow")) == ["words", "lengths"]


def test_a_change_in_another_folder_of_an_artifact_stops_there(again: Again, tmp_path: Path) -> None:
    def seen(out: Path) -> None:
        (out / "seen").mkdir()
        (out / "seen" / "words.txt").write_text(next(tmp_path.glob("work/lengths-b-*")).name)

    BREAK["lengths"] = seen  # `total` reads rows/ alone
    again()
    assert again(Words(text="pig cow")) == ["words", "lengths"]
    before, after = (json.loads(path.read_text()) for path in tmp_path.glob("artifacts/lengths-b-*/manifest.json"))
    assert before["digest"] != after["digest"]
    assert before["folders"]["rows"] == after["folders"]["rows"]


def test_an_artifact_of_before_its_folders_were_digested_is_redone(again: Again, tmp_path: Path) -> None:
    again()
    path = folder(tmp_path, "lengths-b") / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["folders"]
    path.write_text(json.dumps(manifest))
    assert again() == ["lengths"]


def test_going_back_redoes_nothing(again: Again) -> None:
    again()
    again(Words(text="horse dog"))
    assert again() == []


def test_a_raised_version_redoes_the_stage(again: Again, monkeypatch: pytest.MonkeyPatch) -> None:
    again()
    raised = {**runner.STAGES, "lengths": Stage(2, f"{__name__}:measure_lengths")}
    monkeypatch.setattr(runner, "STAGES", raised)
    assert again() == ["lengths"]


def test_a_changed_fact_redoes_the_stage(again: Again, monkeypatch: pytest.MonkeyPatch) -> None:
    again()
    with_fact = Stage(1, f"{__name__}:measure_lengths", lambda _config, _store: {"ruler": "inches"})
    monkeypatch.setattr(runner, "STAGES", {**runner.STAGES, "lengths": with_fact})
    assert again() == ["lengths"]


def test_a_folder_without_manifest_is_redone(again: Again, tmp_path: Path) -> None:
    again()
    (folder(tmp_path, "lengths-b") / "manifest.json").unlink()
    assert again() == ["lengths"]


def test_a_torn_manifest_is_redone(again: Again, tmp_path: Path) -> None:
    again()
    manifest = folder(tmp_path, "lengths-b") / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:50])
    assert again() == ["lengths"]


def test_a_half_written_artifact_is_cleared_away(again: Again, tmp_path: Path) -> None:
    again()
    half = folder(tmp_path, "words-a")
    (half / "manifest.json").unlink()
    (half / "words.txt").write_text("ca")
    (half / "part-of-something").touch()
    assert again() == ["words"]
    assert (half / "words.txt").read_text() == "cat dog"
    assert not (half / "part-of-something").exists()


def test_a_stage_that_does_not_resume_begins_in_an_empty_folder(again: Again, tmp_path: Path) -> None:
    key = key_of(Node("words", "a", 1, Words()), {})
    left = Store(tmp_path).unfinished(Node("words", "a", 1, Words()), key)
    left.mkdir(parents=True)
    (left / "left-over").touch()
    again()
    assert [path.name for path in sorted(folder(tmp_path, "words-a").iterdir())] == ["manifest.json", "words.txt"]


def test_a_stage_that_resumes_finds_what_it_left(again: Again, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(1, f"{__name__}:resuming", resumes=True)
    monkeypatch.setattr(runner, "STAGES", {**runner.STAGES, "lengths": stage})
    for _ in range(2):
        with pytest.raises(WorkError, match="stopped half-way"):
            again()
    monkeypatch.setattr(runner, "graph", lambda _: tiny_graph(Words())[:2])
    Run(load_recipe("smoke"), tmp_path).run()
    assert (folder(tmp_path, "lengths-b") / "steps.txt").read_text() == "step step step"


def test_what_is_finished_before_a_failure_is_kept(again: Again) -> None:
    def fail(_: Path) -> None:
        raise WorkError("lengths are out of fashion")

    BREAK["lengths"] = fail
    with pytest.raises(WorkError):
        again()
    BREAK.clear()
    assert again() == ["lengths", "total"]


def no_space(out: Path) -> None:
    (out / "rows").mkdir()
    (out / "rows" / "lengths.txt").write_text("3")
    raise OSError(errno.ENOSPC, "No space left on device", str(out / "rows" / "lengths.txt"))


def start(hornbook: Command, workdir: Path) -> Result:
    return hornbook("run", "smoke", "--workdir", workdir, "--json")


def test_no_space_left_is_one_line_and_exit_code_1(hornbook: Command, tmp_path: Path) -> None:
    BREAK["lengths"] = no_space
    assert start(hornbook, tmp_path).complaint(1) == (
        "lengths b: no space left on the device; free some, then run again: what is finished is kept"
    )


def test_after_space_is_freed_the_run_goes_on(hornbook: Command, tmp_path: Path) -> None:
    BREAK["lengths"] = no_space
    start(hornbook, tmp_path)
    BREAK.clear()
    RAN.clear()
    done = start(hornbook, tmp_path)
    assert done.code == 0, done.err
    assert RAN == ["lengths", "total"]
    assert (folder(tmp_path, "lengths-b") / "rows" / "lengths.txt").read_text() == "3 3"


def test_no_space_left_for_a_manifest_is_one_line(
    hornbook: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = Path.write_text

    def full(path: Path, *args: Any, **options: Any) -> int:
        if path.name == "manifest.json.part":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return really(path, *args, **options)

    monkeypatch.setattr(Path, "write_text", full)
    assert "No space left on device" in start(hornbook, tmp_path).complaint(1)
    monkeypatch.undo()
    monkeypatch.setattr(runner, "STAGES", {**STAGES, **TINY})
    run = Run(load_recipe("smoke"), tmp_path)
    assert not any(planned.cached for planned in run.plan() if planned.node.stage == "words")


class LibraryError(Exception):
    """An error of a library's own, as safetensors and torch raise when a write fails."""


def test_a_librarys_own_error_about_space_is_told_apart(hornbook: Command, tmp_path: Path) -> None:
    def fail(_: Path) -> None:
        raise LibraryError("I/O error: No space left on device (os error 28)")

    BREAK["lengths"] = fail
    assert start(hornbook, tmp_path).complaint(1).startswith("lengths b: no space left on the device")


def test_a_librarys_error_on_a_full_disk_is_told_apart(
    hornbook: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Path) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534")  # torch.save

    BREAK["lengths"] = fail
    assert start(hornbook, tmp_path).complaint(1).startswith("lengths b: no space left on the device")


def test_another_error_of_a_library_is_a_bug_and_keeps_its_traceback(again: Again) -> None:
    def fail(_: Path) -> None:
        raise LibraryError("tensors are sad")

    BREAK["lengths"] = fail
    with pytest.raises(LibraryError):
        again()


def test_another_failure_of_the_system_names_the_file_without_its_folder(hornbook: Command, tmp_path: Path) -> None:
    def fail(out: Path) -> None:
        raise OSError(errno.EIO, "Input/output error", str(out / "lengths.txt"))

    BREAK["lengths"] = fail
    assert start(hornbook, tmp_path).complaint(1) == "lengths b: Input/output error (lengths.txt)"


def test_a_planned_run_says_what_is_unknown(tmp_path: Path) -> None:
    run = Run(load_recipe("smoke"), tmp_path)
    states = [(planned.node.id, planned.cached, planned.key is None, planned.waits_for) for planned in run.plan()]
    assert states == [
        ("words-a", False, False, ""),
        ("lengths-b", False, True, "words-a"),
        ("total-c", False, True, "lengths-b"),
    ]


def test_a_plan_of_a_changed_recipe_estimates_by_the_last_run(
    again: Again, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again()
    manifest_path = folder(tmp_path, "words-a") / "manifest.json"
    manifest = json.loads(manifest_path.read_text())
    manifest_path.write_text(json.dumps({**manifest, "wall_seconds": 12.5}))
    monkeypatch.setattr(runner, "graph", lambda _: tiny_graph(Words(text="new")))
    planned = runner.plan_recipe(load_recipe("smoke"), tmp_path)["stages"]
    assert (planned[0]["cached"], planned[0]["estimate_seconds"]) == (False, 12.5)


def test_a_plan_makes_nothing(tmp_path: Path) -> None:
    runner.plan_recipe(load_recipe("smoke"), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert RAN == []


def test_a_manifest_tells_what_was_done(again: Again, tmp_path: Path) -> None:
    again(Words(text="horse dog"))
    manifest = json.loads((folder(tmp_path, "lengths-b") / "manifest.json").read_text())
    words = json.loads((folder(tmp_path, "words-a") / "manifest.json").read_text())
    assert manifest["key"].startswith(folder(tmp_path, "lengths-b").name[-8:])
    assert (manifest["stage"], manifest["name"], manifest["version"]) == ("lengths", "b", 1)
    assert manifest["inputs"] == {"words": {"node": "words-a", "digest": words["digest"]}}
    assert manifest["rejected"] == {"too-long": 1}
    assert (words["rows_in"], words["rows_out"]) == (2, 2)
    assert words["config"] == {"text": "horse dog", "workers": 1}
    assert manifest["wall_seconds"] >= 0
    assert manifest["peak_memory_bytes"] > 0


def test_a_finished_run_leaves_no_unfinished_work(hornbook: Command, tmp_path: Path) -> None:
    assert start(hornbook, tmp_path).code == 0
    assert not (tmp_path / "work").exists()


def test_a_second_run_in_the_same_workdir_is_refused(hornbook: Command, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.prepare()
    with store.lock():
        complaint = start(hornbook, tmp_path).complaint(2)
    assert "is in use by another run" in complaint
    assert RAN == []


def test_the_report_is_written_again_when_it_is_gone(hornbook: Command, tmp_path: Path) -> None:
    report = Path(start(hornbook, tmp_path).json["report"])
    report.unlink()
    assert start(hornbook, tmp_path).code == 0
    assert report.exists()


def test_the_real_graph_names_every_node_once_and_after_what_it_reads() -> None:
    seen: set[str] = set()
    for node in graph(load_recipe("laptop")):
        assert node.id not in seen
        assert {given.partition("/")[0] for given in node.inputs.values()} <= seen
        seen.add(node.id)


def test_arms_share_what_is_upstream() -> None:
    nodes = graph(load_recipe("laptop"))
    assert [node.stage for node in nodes].count("train_tokenizer") == 1
    assert [node.stage for node in nodes].count("curate") == 1
    assert [node.stage for node in nodes].count("write_exercises") == 1
    assert len({node.inputs["tokenizer"] for node in nodes if node.stage in ("pack", "pretrain")}) == 1


def test_finetuned_arms_see_the_same_exercises_and_replay_their_own_base() -> None:
    recipe = load_recipe("laptop")
    packs = {name: recipe.mixtures[name] for name, arm in recipe.models.items() if arm.finetune == name}
    shares = {name: {part: w / sum(mix.values()) for part, w in mix.items()} for name, mix in packs.items()}
    assert shares == {
        "raw+exercises": {"exercises": 6 / 7, "corpus": 1 / 7},
        "filtered+textbooks+exercises": {"exercises": 6 / 7, "selected": 3 / 28, "textbooks": 1 / 28},
    }


def test_the_recipes_seed_reaches_training_unless_it_has_its_own() -> None:
    nodes = graph(load_recipe("laptop", ["seed=5", "finetune.seed=9"]))
    seeds = {
        node.stage: node.config.model_dump()["seed"] for node in nodes if node.stage in ("pretrain", "finetune", "pack")
    }
    assert seeds == {"pretrain": 5, "finetune": 9, "pack": 5}


def test_every_corpus_is_cleaned_of_the_examinations() -> None:
    nodes = [node for node in graph(load_recipe("laptop")) if node.stage == "decontaminate"]
    assert {node.name for node in nodes} == {"corpus", "textbooks", "exercises"}
    for node in nodes:
        assert "unconventional" in node.config.model_dump()["against"]
        assert "write_exercises-exercises/held_out" in node.inputs.values()


def test_every_stage_can_be_loaded() -> None:
    assert all(callable(stage.load()) for stage in STAGES.values())


@pytest.mark.parametrize(
    "setting",
    [
        "curate.workers=1",
        "score.workers=1",
        "decontaminate.workers=3",
        "evaluate.sandbox.workers=1",
        "textbooks.sandbox.workers=1",
        "exercises.sandbox.workers=1",
        "pretrain.checkpoint_seconds=1",
        "finetune.checkpoint_seconds=1",
    ],
)
def test_no_operational_setting_of_a_recipe_changes_a_key(setting: str) -> None:
    plain, changed = (
        [(node.id, node.config.semantic()) for node in graph(load_recipe("smoke", settings))]
        for settings in ([], [setting])
    )
    assert changed == plain


def test_a_benchmark_folder_is_known_by_its_bytes(tmp_path: Path) -> None:
    def found() -> dict[str, str]:
        return benchmark_facts("benchmarks")(Evaluate(benchmarks=[str(tmp_path / "exam")]), Store(tmp_path))

    (tmp_path / "exam").mkdir()
    (tmp_path / "exam" / "part.parquet").write_bytes(b"one")
    before = found()
    (tmp_path / "exam" / "part.parquet").write_bytes(b"two")
    assert found() != before


def test_a_benchmark_that_is_not_there_is_named() -> None:
    with pytest.raises(RequestError, match="nowhere"):
        benchmark_facts("benchmarks")(Evaluate(benchmarks=["nowhere.jsonl"]), Store(Path()))


def test_a_packaged_file_that_is_absent_is_said_to_be() -> None:
    assert packaged_digest("no/such/file") == "absent"


def sources_in(workdir: Path, *paths: Path) -> dict[str, str]:
    recipe = load_recipe("smoke", ["curate.python=false", f"curate.paths={[str(path) for path in paths]}"])
    return source_facts(recipe.curate, Store(workdir))


def test_sources_are_known_by_name_and_bytes(tmp_path: Path) -> None:
    source = tmp_path / "in" / "a.py"
    source.parent.mkdir()
    source.write_text("x = 1\n")
    first = sources_in(tmp_path / "none", source)
    source.write_text("x = 2\n")
    second = sources_in(tmp_path / "none", source)
    source.rename(source.with_name("b.py"))
    third = sources_in(tmp_path / "none", source.with_name("b.py"))
    assert len({facts["sources"] for facts in (first, second, third)}) == 3


def test_a_source_that_moves_with_its_folder_is_the_same(tmp_path: Path) -> None:
    for place in ("here", "there"):
        (tmp_path / place / "in").mkdir(parents=True)
        (tmp_path / place / "in" / "a.py").write_text("x = 1\n")
    assert sources_in(tmp_path, tmp_path / "here" / "in") == sources_in(tmp_path, tmp_path / "there" / "in")


def test_a_source_is_not_read_again_while_size_and_time_are_the_same(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("x = 1\n")
    first = sources_in(tmp_path, source)
    memo = json.loads((tmp_path / "sources.json").read_text())
    (name,) = memo
    assert name == f"{source}:6:{source.stat().st_mtime_ns}"
    (tmp_path / "sources.json").write_text(json.dumps({name: "remembered"}))
    assert sources_in(tmp_path, source) != first


def test_a_memo_that_cannot_be_written_is_no_trouble(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("x = 1\n")
    first = sources_in(tmp_path / "none", source)
    (tmp_path / "sources.json").mkdir()
    assert sources_in(tmp_path, source) == first


@pytest.mark.parametrize("torn", ["{", "[]"])
def test_a_torn_memo_is_forgotten(tmp_path: Path, torn: str) -> None:
    source = tmp_path / "a.py"
    source.write_text("x = 1\n")
    first = sources_in(tmp_path, source)
    (tmp_path / "sources.json").write_text(torn)
    assert sources_in(tmp_path, source) == first


def test_a_source_whose_name_is_not_unicode_is_no_trouble(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    Path(str(folder / "a\udcff.py")).write_text("x = 1\n")
    assert sources_in(tmp_path, folder) == sources_in(tmp_path, folder)


def test_a_source_that_cannot_be_read_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "broken.py").symlink_to(tmp_path / "nowhere.py")
    assert sources_in(tmp_path, tmp_path / "in").keys() == {"sources", "python"}


def test_other_errors_become_infrastructure_errors() -> None:
    error = runner.explained(OSError("disk on fire"), tiny_graph(Words())[0], full=False)
    assert isinstance(error, InfrastructureError)
    assert str(error) == "words a: disk on fire (no file named)"
