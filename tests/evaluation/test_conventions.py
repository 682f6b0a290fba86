"""Base-model conventions: what is asked, where an answer ends, and which tasks count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from hornbook.errors import InputError
from hornbook.evaluation.conventions import CONVENTIONS, prepared, stops
from hornbook.evaluation.evaluate import Evaluate, gather, program_of
from hornbook.evaluation.sampling import answers
from hornbook.model.generate import Decoding
from hornbook.records import Problem

BODY = Problem("H/1", '\n\ndef f(x):\n    """F."""\n', "f", "    return x\n", "def check(c): pass\n")


def mbpp(path: Path, *numbers: int) -> Path:
    """A file in MBPP's format."""
    rows = [
        {
            "task_id": n,
            "text": f"Return {n}.",
            "code": f"def f{n}():\r\n    return {n}",
            "test_list": [f"assert f{n}() == {n}", f"assert f{n}() < {n + 1}", f"assert f{n}()", "assert True"],
        }
        for n in numbers
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_stripped_prompt_gives_its_white_space_to_the_solution() -> None:
    [asked] = prepared([BODY], CONVENTIONS["bigcode"], "b")
    assert asked.prompt == 'def f(x):\n    """F."""'
    assert program_of(asked, asked.canonical_solution) == (BODY.prompt + BODY.canonical_solution).lstrip()


@pytest.mark.parametrize("name", ["hornbook", "lm-eval", "evalplus"])
def test_other_conventions_leave_prompts_as_they_stand(name: str) -> None:
    assert prepared([BODY], CONVENTIONS[name], "b") == [BODY]


@pytest.mark.parametrize(("name", "kept"), [("hornbook", [4, 10, 11, 510, 511]), ("bigcode", [11, 510])])
def test_the_test_split_is_eleven_to_five_hundred_and_ten(tmp_path: Path, name: str, kept: list[int]) -> None:
    path = str(mbpp(tmp_path / "m.jsonl", 4, 10, 11, 510, 511))
    assert [p.task_id for p in gather([path], {}, name)[path]] == [f"MBPP/{n}" for n in kept]


def test_a_file_without_a_task_of_the_test_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no task of MBPP's test split"):
        gather([str(mbpp(tmp_path / "m.jsonl", 1, 2))], {}, "bigcode")


def test_three_examples_come_from_the_file_itself(tmp_path: Path) -> None:
    path = str(mbpp(tmp_path / "m.jsonl", 2, 3, 4, 11))
    [problem] = gather([path], {}, "lm-eval")[path]
    shots = problem.prompt.split("\n\nYou are")
    assert len(shots) == 4
    assert shots[0].endswith("[BEGIN]\ndef f2():\n    return 2\n[DONE]")
    assert shots[3] == (
        " an expert Python programmer, and here is your task: Return 11. Your code should pass these tests:\n\n"
        "assert f11() == 11\nassert f11() < 12\nassert f11()\n[BEGIN]\n"
    )
    assert "\r" not in problem.prompt


def test_without_the_examples_there_is_no_three_shot_prompt(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tasks 2, 3 and 4 as examples; MBPP/3 is not there"):
        gather([str(mbpp(tmp_path / "m.jsonl", 2, 4, 11))], {}, "lm-eval")


def test_an_answer_ends_where_the_convention_says_unless_the_person_does() -> None:
    program = Problem("MBPP/11", "", "f", "", "", completes=False)
    assert stops(program, CONVENTIONS["lm-eval"], Decoding()) == ("[DONE]",)
    assert "\ndef" in stops(BODY, CONVENTIONS["lm-eval"], Decoding())
    assert "\ndef" not in stops(program, CONVENTIONS["hornbook"], Decoding())
    assert stops(BODY, CONVENTIONS["bigcode"], Decoding(stop=("!",))) == ("!",)


@pytest.mark.parametrize(("name", "healed"), [("hornbook", True), ("bigcode", False), ("evalplus", False)])
def test_only_hornbook_heals(monkeypatch: pytest.MonkeyPatch, name: str, healed: bool) -> None:
    seen: list[Decoding] = []
    monkeypatch.setattr("hornbook.evaluation.sampling.complete", lambda _m, _p, decoding, _s: seen.append(decoding))
    answers(Evaluate(convention=name), None, [BODY], 7)  # type: ignore[arg-type]
    assert [(decoding.heal, decoding.seed) for decoding in seen] == [(healed, 7)]


def test_whoever_does_not_ask_takes_the_same_tasks_and_leaves_them_as_they_stand(tmp_path: Path) -> None:
    path = str(mbpp(tmp_path / "m.jsonl", 2, 3, 4, 11))
    [problem] = gather([path], {}, "lm-eval", plain=True)[path]
    assert (problem.task_id, problem.prompt) == ("MBPP/11", '"""\nReturn 11.\nassert f11() == 11\n"""\n')


def test_a_convention_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="did you mean 'bigcode'"):
        Evaluate(convention="bigcod")
