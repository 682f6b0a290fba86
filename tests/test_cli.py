"""The command line's contracts: one JSON object with its keys, exit codes, streams, and speed of what imports nothing."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from endpoint import Server
from hornbook import cli
from hornbook.errors import RecipeError, RequestError, WorkError
from hornbook.pipeline import STAGES
from hornbook.records import Exercise, Provenance, write_dataset
from runs import COMMAND, Command, Smoke, spawn, write_sources

PROXY = {"hold_out", "target_bits", "decide"}  # of a proxy training: tests/test_proxy_training.py
STAGE_KEYS = {"stage", "name", "key", "cached"}


def test_run_prints_its_contract(smoke: Smoke) -> None:
    assert smoke.answer.keys() == {"recipe", "workdir", "report", "stages"}
    assert smoke.answer["recipe"] == "smoke"
    assert smoke.answer["workdir"] == str(smoke.workdir)
    assert all(stage.keys() >= STAGE_KEYS for stage in smoke.answer["stages"])
    assert {stage["stage"] for stage in smoke.answer["stages"]} == set(STAGES) - PROXY


def test_run_writes_its_report(smoke: Smoke) -> None:
    page = Path(smoke.answer["report"]).read_text("utf-8")
    assert page.lower().startswith("<!doctype html>")
    assert "filtered+textbooks+exercises" in page


def test_progress_goes_to_standard_error_one_line_a_stage(smoke: Smoke) -> None:
    begun = [line for line in smoke.err.splitlines() if line.startswith("▸")]
    assert begun == [f"▸ {stage['stage']} {stage['name']}" for stage in smoke.answer["stages"]]


def test_no_data_file_names_a_place_on_this_machine(smoke: Smoke) -> None:
    places = [str(smoke.workdir.parent).encode(), sys.prefix.encode(), sys.base_prefix.encode() + b"/lib/python"]
    for path in sorted(smoke.workdir.glob("artifacts/**/*")):
        if path.is_file() and path.suffix in {".json", ".jsonl"}:
            assert not [place for place in places if place in path.read_bytes()], path


def test_no_rows_path_or_detail_is_absolute(smoke: Smoke) -> None:
    import pyarrow.parquet as pq

    for path in smoke.workdir.glob("artifacts/**/*.parquet"):
        table = pq.read_table(path)
        for name in {"path", "detail", "source"} & set(table.column_names):
            assert not [value for value in table[name].to_pylist() if str(smoke.workdir.parent) in value], path
            assert not [value for value in table[name].to_pylist() if value.startswith("/")], path


def datasets_of(workdir: Path) -> list[Path]:
    return sorted({path.parent for path in workdir.glob("artifacts/*/*/part-00000.parquet")})


def test_every_dataset_loads_with_datasets(smoke: Smoke, tmp_path: Path) -> None:
    import pyarrow.parquet as pq
    from datasets import load_dataset

    folders = datasets_of(smoke.workdir)
    assert {folder.name for folder in folders} >= {
        "documents",
        "sections",
        "exercises",
        "held_out",
        "rejected",
        "scores",
    }
    for folder in folders:
        files = [str(path) for path in folder.glob("*.parquet")]
        rows = pq.read_metadata(files[0]).num_rows
        loaded = load_dataset("parquet", data_files=files, cache_dir=str(tmp_path), split="train", streaming=not rows)
        assert len(list(loaded)) == rows, folder
        assert loaded.column_names == pq.read_schema(files[0]).names


def test_rows_of_every_dataset_are_sorted_by_id(smoke: Smoke) -> None:
    import pyarrow.parquet as pq

    for folder in datasets_of(smoke.workdir):
        ids = pq.read_table(folder)["id"].to_pylist() if "id" in pq.read_table(folder).column_names else []
        assert ids == sorted(ids), folder


def test_every_model_folder_loads(smoke: Smoke) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folders = sorted(path.parent for path in smoke.workdir.glob("artifacts/*/model.safetensors"))
    assert len(folders) == 5
    for folder in folders:
        model = AutoModelForCausalLM.from_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        assert model.config.model_type == "phi"
        assert model.config.vocab_size == len(tokenizer)
        with torch.no_grad():
            logits = model(**tokenizer("def f(x):", return_tensors="pt")).logits
        assert torch.isfinite(logits).all()


def test_every_data_stage_planted_canaries(smoke: Smoke) -> None:
    for node in (
        "curate-corpus",
        "select-filtered",
        "write_textbooks-textbooks",
        "write_exercises-exercises",
        "decontaminate-corpus",
    ):
        canaries = smoke.manifest(node)["canaries"]
        assert canaries, node
        assert all(canary["caught"] == canary["expected"] for canary in canaries)


def test_plan_of_a_finished_run(hornbook: Command, smoke: Smoke) -> None:
    done = hornbook("plan", "smoke", "--workdir", smoke.workdir, "--json")
    assert done.json.keys() >= {"recipe", "workdir", "report", "stages"}
    assert all(stage.keys() >= STAGE_KEYS and stage["cached"] for stage in done.json["stages"])
    keys = [(stage["name"], stage["key"]) for stage in smoke.answer["stages"]]
    assert [(stage["name"], stage["key"]) for stage in done.json["stages"]] == keys


def test_a_plan_for_people_says_what_would_run(hornbook: Command, smoke: Smoke) -> None:
    done = hornbook("plan", "smoke", "--set", "select.share=0.5", "--workdir", smoke.workdir)
    assert done.code == 0
    states = {line[:42].strip(): line[42:].strip() for line in done.out.splitlines()}
    assert states["curate corpus"] == "cached"
    assert states["select filtered"].startswith("would run")
    assert "about" in states["select filtered"]
    assert states["pretrain filtered"].startswith("unknown until pack-filtered")
    assert states["pretrain raw"] == "cached"
    assert "share: 0.5" in done.out


def test_a_dry_run_is_a_plan(hornbook: Command, tmp_path: Path) -> None:
    arguments = ("smoke", "--workdir", tmp_path, "--json")
    dry, plan = hornbook("run", "--dry-run", *arguments), hornbook("plan", *arguments)
    assert dry.json == plan.json


def test_report_prints_its_contract(hornbook: Command, smoke: Smoke) -> None:
    before = Path(smoke.answer["report"]).read_bytes()
    done = hornbook("report", "smoke", "--workdir", smoke.workdir, "--json")
    assert done.json == {"recipe": "smoke", "report": smoke.answer["report"]}
    assert Path(smoke.answer["report"]).read_bytes() == before


def test_a_report_for_people_ends_with_its_place(hornbook: Command, smoke: Smoke) -> None:
    done = hornbook("report", "smoke", "--workdir", smoke.workdir)
    assert done.out.splitlines()[-1] == f"report: {smoke.answer['report']}"
    assert "pass@1" in done.out


def test_a_cached_run_for_people_counts_what_was_cached(hornbook: Command, smoke: Smoke, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(smoke.workdir, tmp_path / "work")
    done = hornbook("run", "smoke", "--workdir", tmp_path / "work")
    assert done.code == 0, done.err
    assert f"{len(smoke.answer['stages'])} stages, {len(smoke.answer['stages'])} of them cached" in done.out


def test_doctor_prints_its_contract(hornbook: Command) -> None:
    done = hornbook("doctor", "--json")
    assert done.code == 0
    assert done.json.keys() >= {"hornbook", "python", "isolation", "devices", "extras", "benchmarks", "compiler"}
    assert done.json["isolation"].keys() >= {"level", "probes"}
    assert "cpu" in done.json["devices"]
    assert "unconventional" in done.json["benchmarks"]


def test_a_doctor_for_people_names_what_to_do(hornbook: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from hornbook import doctor

    found = doctor.examine()
    lacking = {**found, "compiler": None, "extras": {"train": False}, "system": "Darwin"}
    monkeypatch.setattr(doctor, "examine", lambda: lacking)
    done = hornbook("doctor")
    assert "install g++" in done.out
    assert "pip install hornbook[train]" in done.out
    assert "run it in a container or a Linux virtual machine" in done.out


def test_score_prints_its_contract(hornbook: Command, tmp_path: Path) -> None:
    write_sources(tmp_path / "in", 2)
    done = hornbook("score", tmp_path / "in", "--json", "--why")
    assert [Path(row["path"]).name for row in done.json["files"]] == ["apple.py", "river.py"]
    assert all(0 <= row["score"] <= 5 and row["why"] for row in done.json["files"])


def test_a_score_for_people_is_one_line_a_file(hornbook: Command, tmp_path: Path) -> None:
    write_sources(tmp_path / "in", 1)
    (tmp_path / "in" / "short.py").write_text("x = 1\n")
    lines = hornbook("score", tmp_path / "in").out.splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("apple.py")
    assert "short.py: too-short" in lines[1]


def test_a_reason_has_a_line_of_its_own(hornbook: Command, tmp_path: Path) -> None:
    write_sources(tmp_path / "in", 1)
    lines = hornbook("score", tmp_path / "in", "--why").out.splitlines()
    assert len(lines) > 1
    assert all(line.startswith("      ") for line in lines[1:])


def test_write_textbooks_prints_its_contract(hornbook: Command, tmp_path: Path) -> None:
    done = hornbook("write", "textbooks", "-n", "1", "--out", tmp_path / "out", "--json")
    assert done.json == {"rows": 1, "rejected": {}, "out": str(tmp_path / "out")}
    assert (tmp_path / "out" / "sections" / "part-00000.parquet").exists()


def test_write_textbooks_says_what_the_shelf_holds_and_shares(hornbook: Command, tmp_path: Path) -> None:
    done = hornbook("write", "textbooks", "-n", "2", "--only", "prose", "--out", tmp_path / "out")
    first, sections, shared, pairs = done.out.splitlines()
    assert first == f"2 sections in {tmp_path / 'out'}, rejected 0"
    words = json.loads((tmp_path / "out" / "manifest.json").read_text())["figures"]["words"]["prose"]
    assert sections == f"  sections: 2 of prose ({words:,} words)"
    assert shared.startswith("  shared by two sections: ")
    assert pairs == "  13-grams that two share: 0, near duplicates: 0"


def test_write_exercises_and_verify_print_their_contracts(hornbook: Command, tmp_path: Path) -> None:
    done = hornbook("write", "exercises", "-n", "4", "--seed", "3", "--out", tmp_path / "out", "--json")
    assert done.json == {"rows": 4, "rejected": {}, "out": str(tmp_path / "out")}
    verified = hornbook("verify", tmp_path / "out", "--json")
    assert verified.json == {"rows": 4, "verified": 4, "rejected": {}, "faults": []}
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["rows_out"], manifest["config"]["n"], manifest["config"]["seed"]) == (4, 4, 3)


def test_writing_says_how_varied_the_rows_are(hornbook: Command, tmp_path: Path) -> None:
    asked = ("write", "exercises", "-n", "64", "--family", "chars", "--no-halt", "--out", tmp_path / "out", "--json")
    done = hornbook(*asked)
    (line,) = [line for line in done.err.splitlines() if "distinct 3-grams" in line]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["config"]["diversity"]["halt"] is False
    found = manifest["figures"]["diversity"]
    assert f"distinct 3-grams {found['measures']['distinct_3']['mean']:.2g} · " in line
    assert (found["rows"], found["pages"], found["collapses"][0]["measure"]) == (64, 1, "topics")  # told, not halted


def test_diversity_prints_its_contract(hornbook: Command, tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"text": "One text"}\n' * 64 + "{}\n")
    done = hornbook("diversity", tmp_path / "rows.jsonl", "--json")
    assert {name: done.json[name] for name in ("rows", "pages", "collapsed_pages", "rejected")} == {
        "rows": 64, "pages": 1, "collapsed_pages": 1, "rejected": {"malformed": 1},
    }  # fmt: skip
    shown = hornbook("diversity", tmp_path / "rows.jsonl")
    assert (shown.code, shown.out.splitlines()[0]) == (0, "64 rows, 128 words")
    assert "1 of 1 pages have collapsed" in shown.out
    assert "'one text' 100.0%" in shown.out
    assert "no Parquet file in this folder" in hornbook("diversity", tmp_path, "--json").complaint(2)
    (tmp_path / "few.jsonl").write_text('{"text": "One text"}\n' * 63)
    assert hornbook("diversity", tmp_path / "few.jsonl").out.endswith("fewer than 64 rows are measured, not judged\n")


def test_verify_counts_what_does_not_hold(hornbook: Command, tmp_path: Path) -> None:
    tests = "def check(candidate):\n    assert candidate(1) == 2\n"
    rows = [
        Exercise(id, "f", "def f(x):\n", f"    return {body}\n", tests, "t", [], [], Provenance("hand"))
        for id, body in (("a", "2 * x"), ("b", "x"))
    ]
    write_dataset(tmp_path / "rows", rows, Exercise)
    done = hornbook("verify", tmp_path / "rows", "--json")
    assert done.json.keys() == {"rows", "verified", "rejected", "faults"}
    assert (done.json["rows"], done.json["verified"], done.json["rejected"]) == (2, 1, {"not-verified": 1})
    assert [fault["id"] for fault in done.json["faults"]] == ["b"]


PROBLEM = {
    "task_id": "Mine/0",
    "prompt": "def double(x):\n",
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(3) == 6\n",
}


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    """Three problems of which two have samples: one right of two, and none of two."""
    problems = [{**PROBLEM, "task_id": f"Mine/{number}"} for number in range(3)]
    (tmp_path / "exam.jsonl").write_text("".join(json.dumps(row) + "\n" for row in problems))
    bodies = [("Mine/0", "2 * x"), ("Mine/0", "4"), ("Mine/1", "x"), ("Mine/1", "-x")]
    samples = [{"task_id": task, "completion": f"    return {body}\n"} for task, body in bodies]
    (tmp_path / "samples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in samples))
    return tmp_path


def test_evaluate_prints_its_contract(hornbook: Command, exam: Path) -> None:
    arguments = ("--benchmark", exam / "exam.jsonl", "--samples", exam / "samples.jsonl", "--k", "1,2")
    done = hornbook("evaluate", *arguments, "--out", exam / "out", "--json")
    assert done.json["benchmark"] == str(exam / "exam.jsonl")
    assert (done.json["problems"], done.json["missing"], done.json["samples"]) == (3, 1, 4)
    assert done.json["pass_at_k"] == {"1": 0.25, "2": 0.5}
    assert done.json["programs_per_second"] > 0
    assert isinstance(done.json["isolation"], str)
    verdicts = [json.loads(line) for line in Path(done.json["verdicts"]).read_text().splitlines()]
    assert [(row["task_id"], row["sample"], row["status"]) for row in verdicts] == [
        ("Mine/0", 0, "passed"),
        ("Mine/0", 1, "failed"),
        ("Mine/1", 0, "failed"),
        ("Mine/1", 1, "failed"),
    ]


def test_an_evaluation_for_people_has_pass_at_k(hornbook: Command, exam: Path) -> None:
    arguments = ("--benchmark", exam / "exam.jsonl", "--samples", exam / "samples.jsonl")
    done = hornbook("evaluate", *arguments, "--out", exam / "out")
    assert done.out.splitlines()[0] == "pass@1  25.0%"


@pytest.mark.parametrize("name", ["exam.jsonl", "exam.jsonl.gz"])
@pytest.mark.parametrize("form", ["humaneval", "mbpp", "sanitized"])
def test_evaluate_takes_a_persons_own_file_in_any_form(hornbook: Command, tmp_path: Path, name: str, form: str) -> None:
    texts = {"code": "def double(x):\n    return 2 * x", "test_list": ["assert double(2) == 4"]}
    row = {
        "humaneval": {**PROBLEM, "task_id": "7"},
        "mbpp": {"task_id": 7, "text": "Double x.", **texts},
        "sanitized": {"task_id": 7, "prompt": "Double x.", "test_imports": ["import math"], **texts},
    }[form]
    data = json.dumps([row] if form == "sanitized" else row).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    body = "    return 2 * x\n" if form == "humaneval" else texts["code"]
    lines = [json.dumps({"task_id": "7", "completion": text}) for text in (body, body.replace("2", "3"))]
    (tmp_path / "samples.jsonl").write_text("\n".join(lines))
    arguments = ("--benchmark", tmp_path / name, "--samples", tmp_path / "samples.jsonl", "--out", tmp_path / "out")
    found = hornbook("evaluate", *arguments, "--json").json
    assert (found["problems"], found["samples"], found["pass_at_k"]) == (1, 2, {"1": 0.5})
    assert (found["parse_rate"]["value"], found["execute_rate"]["value"]) == (1.0, 1.0)


def test_evaluate_asks_the_named_model_at_an_endpoint(
    hornbook: Command, exam: Path, serve: Callable[..., Server]
) -> None:
    server = serve(lambda _: {"choices": [{"text": "    return 2 * x\n"}]})
    arguments = ("--endpoint", server.url, "--model", "mine", "--benchmark", exam / "exam.jsonl", "--n", "2")
    found = hornbook("evaluate", *arguments, "--k", "1,2", "--out", exam / "out", "--json").json
    assert (found["problems"], found["samples"], found["pass_at_k"]) == (3, 6, {"1": 1.0, "2": 1.0})
    assert {body["model"] for _, body in server.asked} == {"mine"}


def test_evaluate_takes_a_grader(hornbook: Command, exam: Path, serve: Callable[..., Server]) -> None:
    server = serve(lambda _: {"choices": [{"message": {"content": "Nearly. Grade: 6"}}]})
    (exam / "graded.jsonl").write_text(json.dumps({**PROBLEM, "task_id": "Mine/0", "rubric": "Doubles."}) + "\n")
    (exam / "one.jsonl").write_text(json.dumps({"task_id": "Mine/0", "completion": "    return x\n"}) + "\n")
    arguments = ("--benchmark", exam / "graded.jsonl", "--samples", exam / "one.jsonl", "--responses", exam / "store")
    asking = ("--grader", f"judge@{server.url}", "--grades", 2)
    found = hornbook("evaluate", *arguments, *asking, "--out", exam / "a", "--json").json["grades"]
    assert (found["grade"]["value"], found["answers"], found["spread"]) == (6.0, 2, 0.0)
    again = hornbook("evaluate", *arguments, "--grader", "judge@replay", "--grades", 2, "--out", exam / "b")
    assert "grade  6.0 of 10, 0 answers unreadable" in again.out
    assert len(server.asked) == 2


def test_decontaminate_prints_its_contract(hornbook: Command, exam: Path) -> None:
    problem = {
        **PROBLEM,
        "prompt": 'def f(x):\n    """Say one two three four five six seven eight nine ten words."""\n',
    }
    (exam / "exam.jsonl").write_text(json.dumps(problem) + "\n")
    rows = [
        {"id": "a", "text": "I say: say one two three four five six seven eight nine ten words return 2 x, always"},
        {"id": "b", "text": "Nothing of the kind is said here, by anybody, at any time, about whatever there may be."},
    ]
    (exam / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = hornbook(
        "decontaminate", exam / "rows.jsonl", "--against", exam / "exam.jsonl", "--out", exam / "o", "--json"
    )
    assert done.json == {"rows": 2, "kept": 1, "rejected": {"ngram": 1}, "out": str(exam / "o")}
    assert (exam / "o" / "documents").is_dir()
    assert (exam / "o" / "rejected").is_dir()
    again = hornbook("decontaminate", exam / "o", "--against", exam / "exam.jsonl", "--out", exam / "p", "--json")
    assert again.json == {"rows": 1, "kept": 1, "rejected": {}, "out": str(exam / "p")}  # takes what it made


def failing(error: BaseException) -> object:
    def app() -> None:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "code"),
    [(RequestError("ask otherwise"), 2), (RecipeError("r.yaml:1: no"), 2), (WorkError("it broke"), 1)],
)
def test_an_error_is_one_line_and_its_exit_code(
    hornbook: Command, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    monkeypatch.setattr(cli, "app", failing(error))
    assert hornbook("run").complaint(code) == str(error)


@pytest.mark.parametrize(("error", "shown"), [("OSError('full')", False), ("ValueError('a bug')", True)])
def test_a_file_that_cannot_be_closed_complains_once(error: str, shown: bool) -> None:
    code = (
        "import sys; from hornbook import cli\n"
        f"class File:\n    def __del__(self): raise {error}\n"
        "cli.app = lambda: File() and None\n"
        "cli.main()"
    )
    done = subprocess.run([COMMAND[0], "-c", code], capture_output=True, text=True, check=True)
    assert ("Traceback" in done.stderr) is shown


def test_an_interrupted_run_says_how_to_go_on(hornbook: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "app", failing(KeyboardInterrupt()))
    assert hornbook("run").complaint(130) == "stopped; run the same command to go on"


@pytest.mark.parametrize("arguments", [["frobnicate"], ["run", "--frobnicate"], ["score"], ["write", "textbooks"]])
def test_a_usage_error_is_exit_code_2(hornbook: Command, arguments: list[str]) -> None:
    done = hornbook(*arguments)
    assert done.code == 2
    assert done.out == ""
    assert "Traceback" not in done.err


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys; from hornbook.cli import main; sys.argv = ['hornbook', '--help']\n"
        "try: main()\n"
        "finally: print([n for n in ('torch', 'transformers', 'daft', 'sklearn', 'pyarrow', 'numpy') if n in sys.modules])"
    )
    done = subprocess.run([COMMAND[0], "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for command in (
        "run",
        "plan",
        "report",
        "explain",
        "doctor",
        "score",
        "write",
        "verify",
        "decontaminate",
        "evaluate",
    ):
        assert f"\n  {command}" in done.stdout


def test_the_module_is_the_command(tmp_path: Path) -> None:
    done = spawn("plan", "smok", cwd=tmp_path)
    assert "did you mean 'smoke'?" in done.complaint(2)
