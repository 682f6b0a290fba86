"""Problem files: what is read, how tasks are named, and what is said about a file that cannot be used."""

from __future__ import annotations

import gzip
import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from hornbook.errors import InputError
from hornbook.records import Document, Exercise, Problem, Provenance, write_dataset
from hornbook.tasks.load import available, exercise_as_problem, load, locate, normal_id
from published import FILES, benchmark

HUMANEVAL_ROW = {
    "task_id": "HumanEval/0",
    "prompt": 'def double(x):\n    """Twice x."""\n',
    "entry_point": "double",
    "canonical_solution": "    return 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}
MBPP_ROW = {
    "task_id": 11,
    "text": "Write a function to double a number.",
    "code": "def helper(x):\r\n    return x\r\ndef double(x):\r\n    return 2 * helper(x)",
    "test_list": ["assert int(double(2)) == 4", "assert double(0) == 0"],
    "test_setup_code": "",
    "challenge_test_list": ["assert double(-1) == -2"],
}
SANITIZED_ROW = {
    "source_file": "x.ipynb",
    "task_id": 12,
    "prompt": "Write a function to halve a number.",
    "code": "def halve(x):\n    return x / 2",
    "test_imports": ["import math"],
    "test_list": ["assert math.isclose(halve(2), 1)"],
}
EXERCISE = Exercise(
    id="e1",
    name="double",
    prompt="def double(x):\n",
    solution="    return 2 * x\n",
    tests="def check(candidate):\n    assert candidate(1) == 2\n",
    topic="maps",
    license=[],
    parents=[],
    provenance=Provenance("hand"),
)


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def passes(problem: Problem) -> bool:
    names: dict[str, Any] = {"__name__": "problem"}
    exec((problem.prompt if problem.completes else "") + problem.canonical_solution, names)
    candidate = names[problem.entry_point]
    exec(problem.test, names)
    names["check"](candidate)
    return True


def test_a_humaneval_file_is_read_as_it_stands(tmp_path: Path) -> None:
    (problem,) = load(write(tmp_path / "any-name.txt", HUMANEVAL_ROW))
    assert problem == Problem(**HUMANEVAL_ROW)
    assert problem.completes


def test_rubric_and_family_are_read_where_there_are_any(tmp_path: Path) -> None:
    (problem,) = load(write(tmp_path / "p.jsonl", HUMANEVAL_ROW | {"rubric": "neat", "family": "maps"}))
    assert (problem.rubric, problem.family) == ("neat", "maps")


def test_an_mbpp_row_becomes_a_whole_program_with_a_check(tmp_path: Path) -> None:
    (problem,) = load(write(tmp_path / "p.jsonl", MBPP_ROW))
    assert problem.task_id == "MBPP/11"
    assert problem.prompt == '"""\nWrite a function to double a number.\nassert int(double(2)) == 4\n"""\n'
    assert problem.canonical_solution == "def helper(x):\n    return x\ndef double(x):\n    return 2 * helper(x)"
    assert problem.entry_point == "double"  # neither `int`, which the program does not define, nor `helper`
    assert problem.test == "def check(candidate):\n    assert int(double(2)) == 4\n    assert double(0) == 0\n"
    assert not problem.completes


def test_set_up_code_and_imports_come_before_the_check_at_module_level(tmp_path: Path) -> None:
    (with_setup,) = load(write(tmp_path / "a.jsonl", MBPP_ROW | {"test_setup_code": "two = 2\r\nfour = 4"}))
    assert with_setup.test.startswith("two = 2\nfour = 4\ndef check(candidate):\n    assert")
    (sanitized,) = load(write(tmp_path / "b.jsonl", SANITIZED_ROW))
    assert sanitized.test == "import math\ndef check(candidate):\n    assert math.isclose(halve(2), 1)\n"


def test_a_test_over_several_lines_keeps_its_texts(tmp_path: Path) -> None:
    row = MBPP_ROW | {"code": "def size(x):\n    return len(x)", "test_list": ['assert size("""a\nb""") == 3']}
    (problem,) = load(write(tmp_path / "p.jsonl", row))
    assert passes(problem)  # indenting the second line would have made the text longer


def test_a_function_named_check_is_tested_through_the_candidate(tmp_path: Path) -> None:
    row = MBPP_ROW | {"code": "def check(x):\n    return x > 0", "test_list": ["assert check(1) == True"]}
    (problem,) = load(write(tmp_path / "p.jsonl", row))
    assert problem.entry_point == "check"
    assert passes(problem)


@pytest.mark.parametrize("indent", [None, 1])
def test_an_array_of_rows_is_read_like_lines(tmp_path: Path, indent: int | None) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps([SANITIZED_ROW, HUMANEVAL_ROW], indent=indent) + "\n")
    assert [problem.task_id for problem in load(path)] == ["MBPP/12", "HumanEval/0"]


def test_gzip_is_told_by_content(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(gzip.compress(json.dumps(HUMANEVAL_ROW).encode()))
    assert load(path)[0].task_id == "HumanEval/0"


@pytest.mark.parametrize("spelling", [11, "11", "MBPP/11", "mbpp/11", " 011 "])
def test_spellings_of_one_task(tmp_path: Path, spelling: str | int) -> None:
    assert normal_id(spelling) == "MBPP/11"
    assert load(write(tmp_path / "p.jsonl", MBPP_ROW | {"task_id": spelling}))[0].task_id == "MBPP/11"


@pytest.mark.parametrize("other", ["HumanEval/11", "eleven", "11a", "exercise/11", "-11"])
def test_other_ids_stay_as_they_are(other: str) -> None:
    assert normal_id(other) == other


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (HUMANEVAL_ROW | {"prompt": None}, "'prompt' is missing"),
        (HUMANEVAL_ROW | {"test": 3}, "'test' is int 3; it must be text"),
        (HUMANEVAL_ROW | {"test": "assert double(1) == 2"}, "'test' does not define check"),
        (HUMANEVAL_ROW | {"entry_point": "a b"}, "'entry_point' is 'a b'"),
        (HUMANEVAL_ROW | {"task_id": None}, "'task_id' is missing"),
        (HUMANEVAL_ROW | {"task_id": True}, "'task_id' is bool True"),
        (MBPP_ROW | {"task_id": "eleven"}, "'task_id' is 'eleven'; MBPP's tasks go by number"),
        (MBPP_ROW | {"test_list": "assert double(2) == 4"}, "'test_list' is str"),
        (MBPP_ROW | {"test_list": []}, "'test_list' is empty"),
        (MBPP_ROW | {"test_list": ["assert 1"]}, "calls a function that 'code' defines (helper, double)"),
        (MBPP_ROW | {"code": "def double(x:"}, "not Python"),
        ({"id": 1}, "found id"),
        ([1], "expected a JSON object, found list"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_line_and_field(tmp_path: Path, row: Any, said: str) -> None:
    path = write(tmp_path / "p.jsonl", HUMANEVAL_ROW | {"task_id": "first"}, row)
    with pytest.raises(InputError) as error:
        load(path)
    assert str(error.value).startswith(f"{path}:2: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_bad_row_of_an_array_is_named_by_the_line_it_begins_on(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text("[\n" + json.dumps(HUMANEVAL_ROW) + ",\n\n{}]")
    with pytest.raises(InputError, match=r"p\.json:4: neither HumanEval's fields"):
        load(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "holds no problems"),
        (b"[]", "holds no problems"),
        (b"\n{oops\n", "bad.jsonl:2: not JSON"),
        (b'[{"a": 1}', "bad.jsonl:1: "),
        (b"[", "is the file whole?"),
        (b"[] []", "is the file whole?"),
        (b"\xff\xfe", "not text in UTF-8 (byte 0)"),
        (b"\x1f\x8bnot gzip", "cannot be read"),
        (gzip.compress(b"x" * 999)[:-9], "cannot be read"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[1" + b"[" * 100_000, ""),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(data)
    with pytest.raises(InputError) as error:
        load(path)
    assert str(path) in str(error.value)
    assert said in str(error.value)


def test_the_same_task_twice_is_refused_however_it_is_spelled(tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", MBPP_ROW, MBPP_ROW | {"task_id": "MBPP/11"})
    with pytest.raises(InputError, match=r"p\.jsonl:2: task_id 'MBPP/11' stands there twice"):
        load(path)


def test_a_name_that_is_not_at_hand_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HORNBOOK_BENCHMARK_DATA", raising=False)
    with pytest.raises(InputError, match=r"give the path of the problem file.* set HORNBOOK_BENCHMARK_DATA"):
        load("humaneval")
    monkeypatch.setenv("HORNBOOK_BENCHMARK_DATA", str(tmp_path))
    with pytest.raises(InputError, match=r"mbpp\.jsonl does not exist"):
        load("mbpp")
    with pytest.raises(InputError, match="did you mean 'humaneval'"):
        load("humanevall")


def test_names_at_hand_are_those_that_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write(tmp_path / "mbpp.jsonl", MBPP_ROW)
    monkeypatch.setenv("HORNBOOK_BENCHMARK_DATA", str(tmp_path))
    assert [name for name in available() if name != "unconventional"] == ["mbpp"]
    assert locate("mbpp") == tmp_path / "mbpp.jsonl"
    assert load("mbpp")[0].task_id == "MBPP/11"


def test_held_out_exercises_are_problems(tmp_path: Path) -> None:
    write_dataset(tmp_path / "held", [EXERCISE], Exercise)
    expected = Problem(
        "exercise/e1", EXERCISE.prompt, "double", EXERCISE.solution, EXERCISE.tests, rubric="", family="maps"
    )
    assert load(tmp_path / "held") == [expected] == [exercise_as_problem(EXERCISE)]
    assert load(tmp_path / "held" / "part-00000.parquet") == [expected]


def test_a_dataset_of_problems_comes_back_as_it_was(tmp_path: Path) -> None:
    problems = [Problem(**HUMANEVAL_ROW), Problem("MBPP/1", "p", "f", "s", "t", "r", "fam", completes=False)]
    write_dataset(tmp_path / "problems", problems, Problem)
    assert load(tmp_path / "problems") == problems


def test_a_dataset_of_other_rows_is_refused(tmp_path: Path) -> None:
    write_dataset(tmp_path / "docs", [Document("1", "x", "s", "p")], Document)
    with pytest.raises(InputError, match="docs: no column 'task_id'; Problem rows need task_id, prompt"):
        load(tmp_path / "docs")


def test_the_packaged_problems_pass_their_own_tests() -> None:
    if not resources.files("hornbook.tasks").joinpath("unconventional.jsonl").is_file():
        pytest.skip("src/hornbook/tasks/unconventional.jsonl is not written yet")
    problems = load("unconventional")
    assert all(passes(problem) for problem in problems)
    assert all(problem.rubric and problem.family for problem in problems)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("name", "count"), FILES.items())
def test_real_benchmarks_are_whole(name: str, count: int) -> None:
    problems = load(benchmark(name))
    assert len(problems) == count
    assert all("def check(candidate)" in problem.test for problem in problems)


@pytest.mark.filterwarnings("ignore:invalid escape:DeprecationWarning")
def test_every_reference_solution_of_sanitized_mbpp_passes_the_check_built_for_it() -> None:
    assert all(passes(problem) for problem in load(benchmark("sanitized-mbpp.json")))
