"""Bad input: one clear line and exit code 2, or a counted reject; never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hornbook import runner
from hornbook.pipeline import graph
from hornbook.recipe import Recipe, load_recipe
from runs import COMMAND, Command, Result, Smoke, as_root, recipe_file, spawn, write_sources

HUGE_BYTES = 200_000_000


def corpus_recipe(path: Path, sources: Path) -> Path:
    """A recipe that reads one folder and nothing else."""
    return recipe_file(path, f"extends: smoke\nrecipe: mine\ncurate: {{python: false, paths: ['{sources}']}}\n")


def huge_line(path: Path) -> Path:
    """A file of 200 MB without a newline that takes no space."""
    with path.open("wb") as stream:
        stream.truncate(HUGE_BYTES)
    return path


@pytest.fixture
def curated(hornbook: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the first stage of a recipe over `tmp_path/in` next to two good files; returns manifest and rejected rows."""

    def only_curate(recipe: Recipe) -> list[Any]:
        return graph(recipe)[:1]

    def call() -> tuple[dict[str, Any], list[dict[str, Any]]]:
        monkeypatch.setattr(runner, "graph", only_curate)
        write_sources(tmp_path / "in", 2)
        done = hornbook(
            "run", corpus_recipe(tmp_path / "mine.yaml", tmp_path / "in"), "--workdir", tmp_path / "work", "--json"
        )
        assert done.code == 0, done.err
        (folder,) = tmp_path.glob("work/artifacts/curate-corpus-*")
        return json.loads((folder / "manifest.json").read_text()), pq.read_table(folder / "rejected").to_pylist()

    (tmp_path / "in").mkdir()
    return call


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("latin.py", b"# caf\xe9\n" + b"def f(x):\n    return x\n" * 9, "encoding"),
        ("nul.py", b"x = 1\0\n" * 30, "nul-bytes"),
        ("empty.py", b"", "empty"),
        ("broken.py", b"def (:\n" * 30, "not-python"),
    ],
)
def test_a_bad_source_is_a_counted_reject(curated: Any, tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / "in" / name).write_bytes(data)
    manifest, rejected = curated()
    assert (manifest["rows_in"], manifest["rows_out"], manifest["rejected"]) == (3, 2, {reason: 1})
    assert [(row["reason"], row["detail"].split(":")[:2]) for row in rejected] == [(reason, ["in", name])]


@pytest.mark.parametrize("name", ["huge.py", "huge.txt"])
def test_a_200_mb_line_is_a_counted_reject(curated: Any, tmp_path: Path, name: str) -> None:
    huge_line(tmp_path / "in" / name)
    manifest, rejected = curated()
    assert manifest["rejected"] == {"too-large": 1}
    assert manifest["rows_out"] == 2
    assert f"{HUGE_BYTES} bytes" in rejected[0]["detail"]


def test_a_source_that_is_gone_between_listing_and_reading_is_a_counted_reject(curated: Any, tmp_path: Path) -> None:
    (tmp_path / "in" / "link.py").symlink_to(tmp_path / "nowhere.py")
    manifest, _ = curated()
    assert manifest["rejected"] == {"unreadable": 1}


def test_a_source_whose_name_is_not_unicode_is_a_counted_reject(curated: Any, tmp_path: Path) -> None:
    Path(str(tmp_path / "in" / "a\udcff.py")).write_text("x = 1\n")
    manifest, _ = curated()
    assert manifest["rejected"] == {"unreadable": 1}


def run(hornbook: Command, recipe: object, workdir: Path) -> Result:
    return hornbook("run", recipe, "--workdir", workdir)


def test_an_empty_corpus(hornbook: Command, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    complaint = run(hornbook, corpus_recipe(tmp_path / "r.yaml", tmp_path / "in"), tmp_path / "work").complaint(2)
    assert complaint == f"the corpus is empty: no files in {tmp_path / 'in'}"


def test_a_corpus_of_rejects_only(hornbook: Command, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.py").write_bytes(b"\0" * 500)
    (tmp_path / "in" / "b.py").write_bytes(b"\xff" * 500)
    complaint = run(hornbook, corpus_recipe(tmp_path / "r.yaml", tmp_path / "in"), tmp_path / "work").complaint(2)
    assert complaint == "the corpus is empty: all 2 files were rejected (1 nul-bytes, 1 encoding)"


def test_a_corpus_that_is_not_there(hornbook: Command, tmp_path: Path) -> None:
    complaint = run(hornbook, corpus_recipe(tmp_path / "r.yaml", tmp_path / "in"), tmp_path / "work").complaint(2)
    assert complaint.startswith(f"paths: {tmp_path / 'in'}: no such file or folder")


def test_an_unknown_recipe_key(hornbook: Command, tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path / "r.yaml", "extends: smoke\nselect:\n  shore: 1\n")
    assert run(hornbook, recipe, tmp_path / "work").complaint(2) == (
        "r.yaml:3: unknown key 'select.shore'; did you mean 'share'?"
    )
    assert not (tmp_path / "work").exists()


def test_a_recipe_that_extends_itself(hornbook: Command, tmp_path: Path) -> None:
    recipe = recipe_file(tmp_path / "r.yaml", "extends: r.yaml\n")
    assert "extends itself" in run(hornbook, recipe, tmp_path / "work").complaint(2)


def test_a_recipe_that_is_not_there(hornbook: Command, tmp_path: Path) -> None:
    assert "no recipe 'none.yaml': no such file" in run(hornbook, "none.yaml", tmp_path / "work").complaint(2)


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_setting_that_is_no_key(hornbook: Command, tmp_path: Path, command: str) -> None:
    done = hornbook(command, "smoke", "--set", "sead=1", "--workdir", tmp_path / "work")
    assert done.complaint(2) == "--set sead=1: unknown key 'sead'; did you mean 'seed'?"


def test_a_benchmark_that_is_not_there(hornbook: Command, tmp_path: Path) -> None:
    done = hornbook("plan", "smoke", "--set", "evaluate.benchmarks=[none.jsonl]", "--workdir", tmp_path / "work")
    assert "none.jsonl" in done.complaint(2)


def test_a_workdir_below_a_file(hornbook: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    complaint = run(hornbook, "smoke", tmp_path / "file" / "work").complaint(2)
    assert complaint == f"workdir {tmp_path}/file/work: Not a directory; choose another with --workdir DIR"


def test_a_workdir_that_is_a_file(hornbook: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "choose another with --workdir DIR" in run(hornbook, "smoke", tmp_path / "file").complaint(2)


def test_a_workdir_where_nobody_may_write(hornbook: Command) -> None:
    complaint = run(hornbook, "smoke", Path("/proc/hornbook")).complaint(2)
    assert complaint.startswith("workdir /proc/hornbook: ")


@pytest.mark.skipif(as_root(), reason="modes do not stop root")
def test_a_workdir_whose_mode_forbids_writing(hornbook: Command, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir(mode=0o555)
    assert "Permission denied" in run(hornbook, "smoke", tmp_path / "work").complaint(2)


def read_only(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command while `folder` is mounted read-only, in a mount namespace of its own."""
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("may not mount a file system here")
    script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    whole = ["unshare", "-rm", "sh", "-c", script, str(folder), *command]
    return subprocess.run(whole, capture_output=True, text=True, check=False)


def test_a_read_only_workdir_with_a_run_in_it(smoke: Smoke) -> None:
    done = read_only(smoke.workdir, *COMMAND, "run", "smoke", "--workdir", str(smoke.workdir))
    result = Result(done.returncode, done.stdout, done.stderr)
    assert result.complaint(2) == f"workdir {smoke.workdir}: Read-only file system; choose another with --workdir DIR"


def test_a_read_only_workdir_can_still_be_planned(smoke: Smoke) -> None:
    done = read_only(smoke.workdir, *COMMAND, "plan", "smoke", "--workdir", str(smoke.workdir), "--json")
    assert done.returncode == 0, done.stderr
    assert all(stage["cached"] for stage in json.loads(done.stdout)["stages"])


def test_a_second_process_in_the_same_workdir(tmp_path: Path) -> None:
    hold = "import sys; from pathlib import Path; from hornbook.artifacts import Store\n"
    hold += "store = Store(Path(sys.argv[1])); store.prepare()\n"
    hold += "with store.lock(): print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [COMMAND[0], "-c", hold, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        complaint = spawn("run", "smoke", "--workdir", tmp_path).complaint(2)
        holder.communicate()
    assert f"in use by another run (process {holder.pid})" in complaint


PROBLEM = {
    "task_id": "Mine/0",
    "prompt": "def double(x):\n",
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder of files that commands may be given."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    (tmp_path / "problems.jsonl").write_text(json.dumps(PROBLEM) + "\n")
    (tmp_path / "samples.jsonl").write_text(json.dumps({"task_id": "Mine/0", "completion": "    return 4\n"}) + "\n")
    (tmp_path / "stranger.jsonl").write_text(json.dumps({"task_id": "Other/9", "completion": "x"}) + "\n")
    (tmp_path / "torn.jsonl").write_text('{"task_id": "Mine/0", "compl')
    (tmp_path / "nul.jsonl").write_bytes(b"\0" * 100)
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "a", "text": "caf\xe9"}\n')
    (tmp_path / "nothing.jsonl").touch()
    (tmp_path / "rows.jsonl").write_text('{"id": "a", "text": "Some text of a person."}\n')
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 torn")
    return tmp_path


BAD_COMMANDS: list[tuple[str, str]] = [
    ("score none.py", "none.py: no such file or folder"),
    ("score empty", "empty: no .py file in this folder"),
    ("score rows.jsonl --classifier none.skops", "none.skops"),
    ("score rows.jsonl --classifier torn.parquet", "torn.parquet"),
    ("write poems --out new", "write 'poems': write textbooks or exercises"),
    ("write textbooks --out full", "--out full: the folder is not empty; name a new one"),
    ("write textbooks --out rows.jsonl", "--out rows.jsonl: File exists"),
    ("write textbooks --out /proc/new", "--out /proc/new: "),
    ("write textbooks --out new -n 0", "--n 0: Input should be greater than 0"),
    ("write textbooks --out new --only verse", "--only 'verse': Input should be 'code' or 'prose'"),
    ("write exercises --out new -n 0", "--n 0: Input should be greater than 0"),
    ("write exercises --out new --writer shelf", "--writer 'shelf': Input should be 'procedural', 'llm' or 'reversal'"),
    (
        "write exercises --out new --writer reversal --teacher m@replay",
        "writer reversal reads a corpus; name its folder with --documents DIR",
    ),
    (
        "write textbooks --out new --writer llm --teacher m@replay --set subjects.passages=true",
        "name its folder with --documents DIR",
    ),
    ("write textbooks --out new --writer llm --teacher m@replay --set subjects.tree=none.yaml", "none.yaml"),
    ("write textbooks --out new --writer llm --teacher m", "--teacher 'm': write MODEL@URL"),
    (
        "write exercises --out new --writer llm --teacher m@replay --set drills.answer=2",
        "unknown key 'drills.answer'; did you mean 'answers'?",
    ),
    (
        "write exercises --out new --writer llm --teacher m@replay --set drills.answers=0",
        "--set drills.answers=0: drills.answers: ",
    ),
    (
        "write exercises --out new --writer llm --teacher m@replay --set subjects.previous=[gone]",
        "gone: no Parquet file there",
    ),
    ("write exercises --out new --breadth wide", "--breadth 'wide': Input should be 'basic' or 'full'"),
    ("write exercises --out new --mutants=-1", "--mutants -1: Input should be greater than or equal to 0"),
    ("write exercises --out new --held-out -1", "--held-out -1: Input should be greater than or equal to 0"),
    ("write exercises --out new -n 5 --family nope", "no family named 'nope'; there are fold_list, make_list"),
    ("write exercises --out new -n 5 --family char", "no family named 'char'; did you mean 'chars'?"),
    ("write exercises --out new --only prose", "--only: `write exercises` does not read it"),
    ("write exercises --out new --documents full", "--documents: `write exercises` does not read it"),
    ("write exercises --out new --writer llm --teacher m@replay --family chars", "--family: `write exercises --writer"),
    ("write textbooks --out new --mutants 9", "--mutants: `write textbooks` does not read it"),
    ("write textbooks --out new --teacher m@replay", "--teacher: `write textbooks` does not read it"),
    ("write textbooks --out new --writer llm", "--writer llm: name who writes with --teacher MODEL@URL"),
    ("verify none", "none: no Parquet file there"),
    ("verify empty", "empty: no Parquet file there"),
    ("verify torn.parquet", "torn.parquet: not readable as Parquet"),
    ("decontaminate none.jsonl --against problems.jsonl --out new", "none.jsonl"),
    ("decontaminate torn.parquet --against problems.jsonl --out new", "torn.parquet"),
    ("decontaminate rows.jsonl --against none --out new", "none"),
    ("decontaminate rows.jsonl --against torn.jsonl --out new", "torn.jsonl"),
    ("decontaminate rows.jsonl --against nothing.jsonl --out new", "nothing.jsonl"),
    ("decontaminate rows.jsonl --against problems.jsonl --out full", "--out full: the folder is not empty"),
    ("decontaminate rows.jsonl --against problems.jsonl --out new --ngram 1", "--ngram 1: "),
    ("decontaminate rows.jsonl --against problems.jsonl --out new --tau 7", "--tau 7.0: "),
    ("evaluate --out new", "evaluate: give either a MODEL folder or --samples FILE"),
    ("evaluate none --out new", "none: no such model folder"),
    ("evaluate empty/none --out new", "empty/none: no such model folder"),
    ("evaluate none --out new --n 0", "--n 0: "),
    ("evaluate empty --out new", "empty"),
    ("evaluate --samples none.jsonl --out new", "none.jsonl"),
    ("evaluate --samples torn.jsonl --benchmark problems.jsonl --out new", "torn.jsonl"),
    ("evaluate --samples nul.jsonl --benchmark problems.jsonl --out new", "nul.jsonl"),
    ("evaluate --samples latin.jsonl --benchmark problems.jsonl --out new", "latin.jsonl"),
    ("evaluate --samples nothing.jsonl --benchmark problems.jsonl --out new", "the samples file holds no samples"),
    ("evaluate --samples stranger.jsonl --benchmark problems.jsonl --out new", "Other/9"),
    ("evaluate --samples samples.jsonl --benchmark none --out new", "none"),
    ("evaluate --samples samples.jsonl --benchmark problems.jsonl --out new --k 2", "--k 2: "),
    ("evaluate --samples samples.jsonl --benchmark problems.jsonl --out new --k 0", "--k 0: "),
    ("evaluate --samples samples.jsonl --benchmark problems.jsonl --out new --k x", "--k 'x': give whole numbers"),
    ("evaluate none --out new --k 2", "--k 2: needs at least as many samples"),
    ("evaluate none --out new --temperature -1", "--temperature -1.0: "),
    ("evaluate none --out new --convention bigcod", "did you mean 'bigcode'"),
    ("evaluate none --out new --device gpu", "--device 'gpu': "),
    ("evaluate none --out new --mutants -1", "--mutants -1: "),
    ("evaluate --endpoint http://localhost:1/v1 --out new", "--endpoint: say which model to ask there"),
    ("evaluate --endpoint localhost:1 --model m --out new", "--endpoint 'localhost:1': "),
    ("evaluate --model m --out new", "--model m: goes with --endpoint URL"),
    ("evaluate none --out new --grader judge", "--grader 'judge': write MODEL@URL"),
    ("finetune none rows.jsonl --tokens 9 --out new", "none: no such model folder"),
    ("report none --workdir empty", "no finished run of 'none'; start one with: hornbook run none"),
    ("explain abc --workdir empty", "empty: no run here; give the --workdir of one"),
]


@pytest.mark.parametrize(("command", "part"), BAD_COMMANDS, ids=[command for command, _ in BAD_COMMANDS])
def test_a_request_that_cannot_be_met_is_one_line_and_exit_code_2(
    hornbook: Command, files: Path, monkeypatch: pytest.MonkeyPatch, command: str, part: str
) -> None:
    monkeypatch.chdir(files)
    assert part in hornbook(*command.split(" ")).complaint(2)


def test_a_response_that_was_never_stored_is_exit_code_1(
    hornbook: Command, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    asked = ("write", "exercises", "--writer", "llm", "-n", "1", "--out", "new", "--responses", "answers")
    done = hornbook(*asked, "--teacher", "m@replay")
    assert done.complaint(1).startswith("replay: the store holds no response")
    assert not any(Path("new").iterdir())  # a better request may have the folder


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [("nul.py", b"x = 1\0\n" * 30, "nul-bytes"), ("latin.py", b"# caf\xe9\n" * 30, "encoding")],
)
def test_a_file_that_cannot_be_scored_is_listed_with_its_reason(
    hornbook: Command, tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    good = write_sources(tmp_path / "in", 1) / "apple.py"
    (tmp_path / "in" / name).write_bytes(data)
    done = hornbook("score", tmp_path / "in", "--json")
    assert done.code == 0, done.err
    assert [row["path"] for row in done.json["files"]] == [str(good)]
    assert [(row["path"], row["reason"]) for row in done.json["rejected"]] == [(str(tmp_path / "in" / name), reason)]


def test_a_200_mb_line_is_not_scored(hornbook: Command, tmp_path: Path) -> None:
    done = hornbook("score", huge_line(tmp_path / "huge.py"), "--json")
    assert done.code == 0, done.err
    assert [row["reason"] for row in done.json["rejected"]] == ["too-large"]


def test_nothing_is_read_from_a_pipe_without_end(hornbook: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    done = hornbook("score", tmp_path / "pipe.py", "--json")
    assert [row["reason"] for row in done.json["rejected"]] == ["unreadable"]


def test_the_recipes_of_these_tests_are_otherwise_good(tmp_path: Path) -> None:
    made = load_recipe(str(corpus_recipe(tmp_path / "r.yaml", tmp_path)))
    assert made.curate.paths == [str(tmp_path)]
