"""What a fresh pair of eyes found broken, each with the scenario that broke it."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hornbook.config import Config
from hornbook.corpus.curate import Curate, sources
from hornbook.errors import RecipeError, RequestError
from hornbook.evaluation.evaluate import Evaluate
from hornbook.evaluation.sampling import answers
from hornbook.pipeline import against_all, graph
from hornbook.recipe import load_recipe
from hornbook.records import Problem
from hornbook.runner import rendered_keys, run_recipe
from hornbook.standalone import run_alone
from hornbook.tasks.load import load


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return str(path)


def test_a_derived_recipe_is_named_by_its_file_and_not_by_its_base(tmp_path: Path) -> None:
    assert load_recipe(write(tmp_path / "mine.yaml", "extends: smoke\n")).recipe == "mine"


def test_extends_looks_beside_the_recipe_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "base.yaml", "extends: smoke\nseed: 1\n")
    write(tmp_path / "sub" / "base.yaml", "extends: smoke\nseed: 2\n")
    write(tmp_path / "sub" / "derived.yaml", "extends: base.yaml\n")
    monkeypatch.chdir(tmp_path)
    assert load_recipe("sub/derived.yaml").seed == 2


def test_home_is_understood_in_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "corpus" / "a.py", "x = 1\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert [item.path for item in sources(Curate(python=False, paths=["~/corpus/**/*.py"]))] == ["a.py"]


def test_hornbook_itself_stays_out_whatever_is_excluded() -> None:
    found = {item.source for item in sources(Curate(exclude=["numpy"]))}
    assert "hornbook" not in found
    assert "numpy" not in found


def test_a_recipes_own_examination_is_kept_out_of_its_training_data(tmp_path: Path) -> None:
    exam = write(tmp_path / "exam.jsonl", "")
    recipe = load_recipe("smoke", [f"evaluate.benchmarks=[unconventional, {exam}]"])
    assert against_all(recipe).against == sorted([exam, "unconventional"])
    [compared] = [node for node in graph(recipe) if node.stage == "compare"]
    assert compared.config.model_dump()["benchmarks"] == ["unconventional", exam]


def test_the_same_mixture_for_two_budgets_makes_two_artifacts() -> None:
    recipe = load_recipe("smoke", ["models.again={base: raw, finetune: raw}", "finetune.tokens=4096"])
    ids = [node.id for node in graph(recipe)]
    assert len(ids) == len(set(ids))
    assert {"pack-raw", "pack-raw-4096"} <= set(ids)


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("evaluate.k=[10]", "evaluate.k 10 exceeds evaluate.samples"),
        ("pack.context=4096", "exceeds the model's context of 128"),
        ("exercises.families=[fold_lists]", "did you mean 'fold_list'"),
        ("pretrain.device=gpu", "pretrain.device"),
        ("classify.trees=0", "classify.trees"),
        ("evaluate.seed=-1", "evaluate.seed"),
    ],
)
def test_what_could_only_fail_hours_later_is_refused_at_once(setting: str, complaint: str) -> None:
    with pytest.raises(RecipeError, match=complaint):
        load_recipe("smoke", [setting])


def test_a_refused_request_leaves_its_folder_free(tmp_path: Path) -> None:
    def refuse(config: Config, **_: object) -> None:
        raise RequestError("no such benchmark")

    def accept(config: Config, *, out: Path, ledger: object) -> None:
        (out / "made").write_text("yes")

    with pytest.raises(RequestError, match="no such benchmark"):
        run_alone(refuse, Config(), tmp_path / "out", model="humanevall")
    run_alone(accept, Config(), tmp_path / "out")
    assert (tmp_path / "out" / "made").exists()


def test_unfinished_work_is_not_continued_on_other_bytes(tmp_path: Path) -> None:
    def killed(config: Config, *, rows: Path, out: Path, ledger: object) -> None:
        (out / "half").write_text("of the old rows")
        raise KeyboardInterrupt

    rows = tmp_path / "rows.jsonl"
    rows.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        run_alone(killed, Config(), tmp_path / "out", rows=rows)
    rows.write_text("new")
    with pytest.raises(RequestError, match="not empty"):
        run_alone(killed, Config(), tmp_path / "out", rows=rows)


def test_exercises_with_only_the_needed_columns_are_problems(tmp_path: Path) -> None:
    names = ("id", "name", "prompt", "solution", "tests", "topic")
    pq.write_table(pa.table({name: ["f"] for name in names}), tmp_path / "x.parquet")
    assert [problem.entry_point for problem in load(tmp_path / "x.parquet")] == ["f"]


def test_a_report_is_known_by_the_keys_it_was_made_of(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    assert rendered_keys(path) is None
    path.write_text(json.dumps({"stages": [{"key": "a"}, {"key": "b"}]}))
    assert rendered_keys(path) == ["a", "b"]
    path.write_text('{"stages": [')
    assert rendered_keys(path) is None


def test_a_finished_run_leaves_other_recipes_work_and_renews_a_page_of_other_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hornbook.runner.graph", lambda _: [])
    pages: list[Path] = []
    monkeypatch.setattr("hornbook.report.run.load_run", lambda folder: folder)
    monkeypatch.setattr("hornbook.report.render.render", lambda _, out: (out.write_text("page"), pages.append(out)))
    other = tmp_path / "work" / "pretrain-raw-0123abcd" / "checkpoint.pt"
    write(other, "an hour of training")
    recipe = load_recipe("smoke")
    run_recipe(recipe, tmp_path)
    run_recipe(recipe, tmp_path)
    assert len(pages) == 1
    write(tmp_path / "runs" / "smoke" / "run.json", json.dumps({"stages": [{"key": "of another seed"}]}))
    run_recipe(recipe, tmp_path)
    assert len(pages) == 2
    assert other.read_text() == "an hour of training"


def test_whole_programs_do_not_end_at_their_first_function(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}
    monkeypatch.setattr(
        "hornbook.evaluation.sampling.complete",
        lambda _, prompts, _decoding, stops: [
            seen.setdefault(prompt, stop) and prompt for prompt, stop in zip(prompts, stops, strict=True)
        ],
    )
    problems = [Problem(name, name, "f", "", "", completes=name != "program") for name in ("body", "program", "last")]
    assert answers(Evaluate(), None, problems, 0) == ["body", "program", "last"]
    assert "\ndef" in seen["body"]
    assert "\ndef" not in seen["program"]
