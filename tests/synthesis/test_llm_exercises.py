"""A language model's exercises: read, run, tried on mutants and voted on; whatever falls is counted with its reason."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hornbook.artifacts import Ledger
from hornbook.errors import CanaryError, CollapseError, InfrastructureError
from hornbook.records import Document, Exercise, Rejected, Verdict, content_id, read_dataset, write_dataset
from hornbook.sandbox.run import Program, Sandbox
from hornbook.synthesis import kill
from hornbook.synthesis import write as door
from hornbook.synthesis.llm import asking, screen
from hornbook.synthesis.llm.commission import Subjects
from hornbook.synthesis.llm.exercises import Drills
from hornbook.synthesis.llm.screen import Ballot, Bench
from hornbook.synthesis.write import WriteExercises, set_aside, write_exercises
from scripted import TEACHER, Answer, Script

Scripted = Callable[[Answer], Script]
SANDBOX = Sandbox(workers=1, cpu_seconds=1, wall_seconds=3)
TESTS = """def check(candidate):
    assert candidate(3) == 6
    assert candidate(0) == 0
    assert candidate(-2) == -4
"""


def task(name: str, body: str = "return x * 2", tests: str = TESTS, doc: str = "") -> str:
    code = f'def {name}(x: int) -> int:\n    """{doc or f"Twice x, for {name}."}"""\n    {body}\n'
    return json.dumps({"code": code, "tests": tests})


def word_in(words: str) -> str:
    """The word that the function's name is to contain."""
    found = re.search(r'name contains the word "([^"]+)"', words)
    assert found
    return found[1]


def answering(first: Any, votes: Sequence[Any] = ()) -> Answer:
    """A model whose exercise, and whose further answers in order of their attempts, are texts or functions."""

    def answer(label: str, request: Any) -> str | None:
        found = votes[request.attempt - 1] if label == "votes" else first
        return found(request.messages[-1][1]) if callable(found) else found

    return answer


def good(words: str) -> str:
    return task(f"{word_in(words)}_twice")


def again(body: str = "return x + x", tests: str = TESTS) -> Callable[[str], str]:
    """Another answer to the exercise in the question."""

    def answer(words: str) -> str:
        found = re.search(r"def (\w+)\(", words)
        assert found
        return task(found[1], body, tests)

    return answer


def written(
    folder: Path, n: int = 1, *, documents: Path | None = None, subjects: Subjects = Subjects(), **how: Any
) -> tuple[list[Exercise], list[Rejected], Ledger]:
    ledger = Ledger()
    drills = Drills(**{"answers": 1, **{name: how.pop(name) for name in set(how) & set(Drills.model_fields)}})
    config = WriteExercises(
        writer="llm", n=n, teacher=TEACHER, drills=drills, subjects=subjects, sandbox=SANDBOX, **{"held_out": 0, **how}
    )
    write_exercises(config, responses=folder / "responses", out=folder, ledger=ledger, documents=documents)
    rejected = list(read_dataset(folder / "rejected", Rejected))
    assert ledger.rows_in == n == ledger.rows_out + len(rejected)
    assert sum(ledger.rejected.values()) == len(rejected)
    return list(read_dataset(folder / "exercises", Exercise)), rejected, ledger


def told(row: Exercise) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row.provenance.recipe)
    return found


def test_an_exercise_is_cut_after_its_docstring_and_carries_where_it_came_from(
    tmp_path: Path, scripted: Scripted
) -> None:
    script = scripted(answering(good))
    (row,), rejected, ledger = written(tmp_path)
    word = word_in(script.texts("exercises")[0])
    name = f"{word}_twice"
    assert (row.name, rejected) == (name, [])
    assert row.prompt == f'def {name}(x: int) -> int:\n    """Twice x, for {name}."""\n'
    assert (row.solution, row.tests, row.verified) == ("    return x * 2\n", TESTS, True)
    assert (row.provenance.writer, row.provenance.teacher) == ("llm", "m")
    assert row.provenance.responses == script.keys("exercises")
    assert row.provenance.prompt_digest == content_id(script.texts("exercises")[0])
    assert (told(row)["steps"], told(row)["word"]) == (["write"], word)
    assert all(part.rsplit("/", 1)[1] in script.texts("exercises")[0] for part in row.topic.split(" × "))
    assert ("write/wrong-solution", True) in [(c["name"], c["caught"]) for c in ledger.canaries]


def test_the_killed_mutants_are_counted(tmp_path: Path, scripted: Scripted) -> None:
    """`x * 2` has the mutants `x + 2`, `x * 3`, `x * 1` and `None`; 0 and 6 tell each of them."""
    scripted(answering(good))
    (row,), _, _ = written(tmp_path)
    assert (row.mutants, row.mutants_killed) == (4, 4)


@pytest.mark.parametrize(
    ("body", "tests", "reason"),
    [
        ("return x * 3", TESTS, "not-verified"),
        ("return x * 2", "def check(candidate):\n    pass\n", "weak-tests"),
        ("return x * 2", "def check(candidate):\n    assert candidate\n    assert callable(candidate)\n", "weak-tests"),
        ("return x * 2", "def check(candidate):\n    assert candidate(0) is not None\n", "weak-tests"),
        ("return x * 2", "def check(candidate):\n    try:\n        assert False\n    except AssertionError:\n        pass\n", "weak-tests"),
        ("while True: pass", TESTS, "not-verified"),
        ("return x * 2", "def check(candidate):\n    while True: pass\n", "not-verified"),
        ("return x * 2", "raise SystemExit(0)\ndef check(candidate): pass\n", "not-verified"),
        ("raise SystemExit(0)", TESTS, "not-verified"),
        ("import numpy; return numpy.add(x, x)", TESTS, "not-verified"),
        ("return [x * 2 for _ in range(10 ** 12)]", TESTS, "not-verified"),
        ("return x", "def examine(candidate):\n    pass\n", "no-check"),
        ("return x", "def check(candidate:\n", "unreadable-answer"),
        ("return (", TESTS, "unreadable-answer"),
        ("return 0\0", TESTS, "unreadable-answer"),
        ("return 1" + " + 1" * 20000, TESTS, "unreadable-answer"),
        ("return " + "(" * 3000 + ")" * 3000, TESTS, "unreadable-answer"),
        ("return '\ud83d'", TESTS, "not-verified"),
        ("", TESTS, "no-docstring"),
    ],
)  # fmt: skip
def test_an_exercise_that_does_not_hold_is_a_counted_refusal(
    tmp_path: Path, scripted: Scripted, body: str, tests: str, reason: str
) -> None:
    scripted(answering(lambda words: task(f"{word_in(words)}_twice", body, tests)))
    kept, rejected, _ = written(tmp_path)
    assert (kept, [row.reason for row in rejected]) == ([], [reason])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I cannot do that.", "unanswered-schema"),
        ("", "unanswered-empty"),
        ("{}", "unanswered-schema"),
        ("}{", "unanswered-schema"),
        ("[1, 2]", "unanswered-schema"),
        ('{"code": "def f(x):", "tests"', "unanswered-schema"),
        ('{"code": ' * 5000 + "}", "unanswered-schema"),
        ('{"code": 3, "tests": "x"}', "unanswered-schema"),
        ('{"code": " ", "tests": "x"}', "no-function"),
        (json.dumps({"code": "x = 1\n", "tests": TESTS}), "no-function"),
        (json.dumps({"code": "def f(x):\n    return x\n", "tests": TESTS}), "no-docstring"),
        (json.dumps({"code": "async def f(x):\n    '''D.'''\n    return x\n", "tests": TESTS}), "no-function"),
        (json.dumps({"code": "def f(x):\n    '''D.'''; return x\n", "tests": TESTS}), "unreadable-answer"),
        (task("nothing_like_it"), "name-not-as-asked"),
        (None, "unanswered-timeout"),
    ],
)
def test_an_answer_that_is_no_exercise_is_a_counted_refusal(
    tmp_path: Path, scripted: Scripted, answer: str | None, reason: str
) -> None:
    scripted(answering(answer))
    kept, rejected, _ = written(tmp_path)
    assert (kept, [row.reason for row in rejected]) == ([], [reason])


def test_json_is_found_within_chatter(tmp_path: Path, scripted: Scripted) -> None:
    def chatter(words: str) -> str:
        return "Sure:\n```json\n" + good(words) + "\n```\nEnjoy!"

    scripted(answering(chatter))
    (row,), _, _ = written(tmp_path)
    assert row.solution == "    return x * 2\n"


def test_what_follows_the_function_is_dropped_and_what_it_needs_is_kept(tmp_path: Path, scripted: Scripted) -> None:
    def answer(words: str) -> str:
        name = f"{word_in(words)}_twice"
        code = f"import math\n\nTWO = 2\n\ndef {name}(x):\n    '''Twice x.'''\n\n    # so many\n    return math.prod([x, TWO])\n\nprint({name}(3))\n"
        return json.dumps({"code": code, "tests": TESTS})

    scripted(answering(answer))
    (row,), _, _ = written(tmp_path)
    assert row.prompt == f"import math\n\nTWO = 2\n\ndef {row.name}(x):\n    '''Twice x.'''\n"
    assert row.solution == "\n    # so many\n    return math.prod([x, TWO])\n"


@pytest.mark.parametrize("last", [True, False])
def test_of_two_functions_the_one_with_the_word_is_the_exercise(tmp_path: Path, scripted: Scripted, last: bool) -> None:
    """A helper before it stays in the prompt; one after it is dropped, and then missed."""

    def answer(words: str) -> str:
        asked = f"def {word_in(words)}_twice(x):\n    '''Twice x.'''\n    return double(x)\n"
        helper = "def double(x):\n    '''Double.'''\n    return x + x\n"
        return json.dumps({"code": f"{helper}\n\n{asked}" if last else f"{asked}\n\n{helper}", "tests": TESTS})

    scripted(answering(answer))
    kept, rejected, _ = written(tmp_path)
    assert [row.solution for row in kept] == ["    return double(x)\n"] * last
    assert [row.reason for row in rejected] == ["not-verified"] * (not last)


def test_a_name_is_given_once_even_when_its_first_exercise_fell(tmp_path: Path, scripted: Scripted) -> None:
    """The first exercise is wrong; the others are right, and have its name."""
    numbers = iter(range(3))

    def answer(_: str) -> str:
        number = next(numbers)
        return task("the_one_name", "return x * 2" if number else "return 0", doc=f"Told {number}.")

    scripted(answering(answer))
    kept, rejected, _ = written(tmp_path, n=3, subjects=Subjects(tree=one_word(tmp_path, "one")))
    assert kept == []
    assert sorted(row.reason for row in rejected) == ["name-reused", "name-reused", "not-verified"]


def one_word(folder: Path, word: str) -> str:
    """A tree whose exercises' names all contain the one word."""
    path = folder / "tree.yaml"
    topics = "".join(f"      group {n}:\n        - topic number {n}\n" for n in ("one", "two", "three"))
    path.write_text(f"branches:\n  b:\n    half: programming\n    topics:\n{topics}words: [{word}]\n")
    return str(path)


def test_names_of_earlier_folders_are_not_given_again(tmp_path: Path, scripted: Scripted) -> None:
    tree = one_word(tmp_path, "one")
    scripted(answering(task("one_name")))
    kept, _, _ = written(tmp_path / "first", subjects=Subjects(tree=tree))
    assert [row.name for row in kept] == ["one_name"]
    later = Subjects(tree=tree, previous=[str(tmp_path / "first")])
    kept, rejected, _ = written(tmp_path / "second", subjects=later)
    assert (kept, [row.reason for row in rejected]) == ([], ["name-reused"])


def test_an_exercise_that_tells_the_same_is_written_once(tmp_path: Path, scripted: Scripted) -> None:
    numbers = iter(range(2))
    scripted(answering(lambda _: task(f"one_{next(numbers)}", doc="Twice x.")))
    kept, rejected, _ = written(tmp_path, n=2, subjects=Subjects(tree=one_word(tmp_path, "one")))
    assert ([row.name for row in kept], [row.reason for row in rejected]) == (["one_0"], ["duplicate"])


AGREES, DIFFERS = again(), again("return 0", "def check(c):\n    assert c(3) == 0\n")
OTHERWISE = '{"code": "Whatever.", "tests": "I would test it."}'
OWN_FAULT = again("return x + x", "def check(c):\n    assert c(3) == 7\n")
LENIENT = again("return 0", "def check(c):\n    assert True\n")


@pytest.mark.parametrize(
    ("votes", "reason", "detail"),
    [
        ([AGREES, DIFFERS], "", ""),
        ([AGREES, AGREES], "too-easy", "3 of 3 answers agree with the writer's"),
        ([DIFFERS, DIFFERS], "outvoted", "1 of 3 answers agree with the writer's"),
        ([DIFFERS, OTHERWISE], "inconsistent", "1 of 3 answers agree with the writer's"),
        ([AGREES, OWN_FAULT], "", ""),  # it fails its own tests, so it agrees with nobody
        ([AGREES, LENIENT], "", ""),  # all pass its tests, and it passes nobody's
        ([AGREES, OTHERWISE], "", ""),
        ([AGREES, None], "too-easy", "2 of 2 answers agree with the writer's"),  # who did not answer has no vote
        ([AGREES, "Whatever."], "too-easy", "2 of 2 answers agree with the writer's"),
        ([None, None], "unanswered-votes", "nobody else answered"),
        ([AGREES, DIFFERS, DIFFERS], "inconsistent", "2 of 4 answers agree with the writer's"),
        ([AGREES, AGREES, DIFFERS], "", ""),
    ],
)
def test_answers_vote_by_each_others_tests(
    tmp_path: Path, scripted: Scripted, votes: Sequence[Any], reason: str, detail: str
) -> None:
    script = scripted(answering(good, votes))
    kept, rejected, _ = written(tmp_path, answers=1 + len(votes))
    assert [(row.reason, row.detail) for row in rejected] == ([(reason, detail)] if reason else [])
    for row in kept:
        heard = [key for key, vote in zip(script.keys("votes"), votes, strict=True) if vote is not None]
        assert row.provenance.responses == script.keys("exercises") + heard
        assert told(row)["steps"] == ["write"] + ["vote"] * len(heard)
        assert (told(row)["agree"], told(row)["voters"]) == (1 + votes.count(AGREES), 1 + len(heard))


@pytest.mark.parametrize(
    ("votes", "how"),
    [
        ([AGREES, AGREES], {"drop_easy": False}),
        ([DIFFERS, OTHERWISE], {"drop_inconsistent": False}),
        ([DIFFERS, DIFFERS], {"drop_inconsistent": False}),
    ],
)
def test_either_rule_can_be_left_out(tmp_path: Path, scripted: Scripted, votes: Sequence[Any], how: Any) -> None:
    scripted(answering(good, votes))
    assert len(written(tmp_path, answers=3, **how)[0]) == 1


def test_votes_are_warm_and_each_is_an_answer_of_its_own(tmp_path: Path, scripted: Scripted) -> None:
    script = scripted(answering(good, [AGREES, DIFFERS]))
    (row,), _, _ = written(tmp_path, answers=3, temperature=0.9)
    asked = [request for label, request in script.asked if label == "votes"]
    assert [(request.temperature, request.attempt) for request in asked] == [(0.9, 1), (0.9, 2)]
    assert all(row.prompt in request.messages[0][1] and row.solution not in request.messages[0][1] for request in asked)
    assert [request.temperature for label, request in script.asked if label == "exercises"] == [0.5]


def test_nobody_votes_on_what_execution_has_refused(tmp_path: Path, scripted: Scripted) -> None:
    script = scripted(answering(lambda words: task(f"{word_in(words)}_twice", "return 0"), [AGREES, AGREES]))
    written(tmp_path, answers=3)
    assert script.labels() == ["exercises"]


def test_two_agree_only_when_each_passes_the_others_tests() -> None:
    """0 and 1 agree; 2 passes everyone's tests but its own tests refuse the others; 3 and 4 fail their own, though 4
    passes those of 0, which passes those of 4."""
    ballots = [
        Ballot("def f(x): return x + x", "def check(c):\n    assert c(1) == 2\n"),
        Ballot("def f(x): return x * 2", "def check(c):\n    assert c(2) == 4\n"),
        Ballot("def f(x): return 2 * x if x < 9 else 0", "def check(c):\n    assert c(9) == 0\n"),
        Ballot("def f(x): return x", "def check(c):\n    assert c(1) == 3\n"),
        Ballot("def f(x): return x + x if x == 1 else 0", "def check(c):\n    assert c(9) == 18\n"),
    ]
    agree = Bench(SANDBOX, 0, 0).agreement([("f", ballots), ("f", ballots[2:4])])
    assert agree == [[{0, 1}, {0, 1}, {2}, set(), set()], [{0}, set()]]


def test_the_same_rows_come_of_small_rounds_and_of_a_replay(
    tmp_path: Path, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(words: str) -> str:
        return task(f"{word_in(words)}_twice", doc=f"Told {len(words) % 3}.")

    for name, sizes in (("one", (20, 64, 2048)), ("many", (1, 1, 1))):
        for constant, size in zip(("PILOT", "FIRST", "MOST"), sizes, strict=True):
            monkeypatch.setattr(asking, constant, size)
        scripted(answering(answer, [AGREES, DIFFERS]))
        written(tmp_path / name, n=6, answers=3)
    monkeypatch.undo()
    first = next((tmp_path / "many" / "exercises").iterdir()).read_bytes()
    assert next((tmp_path / "one" / "exercises").iterdir()).read_bytes() == first
    written(tmp_path / "many", n=6, answers=3)
    assert next((tmp_path / "many" / "exercises").iterdir()).read_bytes() == first


def test_a_passage_in_the_question_is_a_parent_whose_licence_goes_with_the_row(
    tmp_path: Path, scripted: Scripted
) -> None:
    write_dataset(tmp_path / "documents", [Document("d1", "def hum(): ...\n", "s", "p.py", ["MIT"])], Document)
    script = scripted(answering(good))
    (row,), _, _ = written(tmp_path, documents=tmp_path, subjects=Subjects(passages=True))
    assert (row.parents, row.license) == (["d1"], ["MIT"])
    assert "\ndef hum(): ...\n" in script.texts("exercises")[0]


def test_tests_that_everything_passes_do_not_stop_the_run(tmp_path: Path, scripted: Scripted) -> None:
    """They are a teacher's; whether a planted fault is caught must not hang on them."""
    scripted(answering(lambda words: task(f"{word_in(words)}_twice", tests="def check(candidate):\n    pass\n")))
    kept, _, ledger = written(tmp_path, min_killed=0)
    assert [(row.mutants, row.mutants_killed) for row in kept] == [(4, 0)]
    planted = [(c["name"], c["expected"], c["caught"]) for c in ledger.canaries if "diversity" not in c["name"]]
    assert planted == [("write/equal-rows", True, True), ("write/wrong-solution", True, True)]


@pytest.mark.parametrize(("least", "kept"), [(0.75, 1), (0.76, 0)])
def test_a_teachers_tests_must_kill_their_share_of_mutants(
    tmp_path: Path, scripted: Scripted, least: float, kept: int
) -> None:
    """Of x * 2: x + 2, x * 3, x * 1 and None. For 2 the first gives 4 as well, the others fail."""
    tests = "def check(candidate):\n    assert candidate(2) == 4\n"
    scripted(answering(lambda words: task(f"{word_in(words)}_twice", tests=tests)))
    rows, rejected, _ = written(tmp_path, min_killed=least)
    assert [(row.mutants, row.mutants_killed) for row in rows] == [(4, 3)] * kept
    assert [row.detail for row in rejected] == ["the tests kill 3 of 4 mutants"] * (1 - kept)


def test_a_rule_about_weak_tests_that_is_not_applied_fails_the_run(
    tmp_path: Path, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "weakness", lambda *_: "")
    scripted(answering(good))
    with pytest.raises(CanaryError, match="write/toothless-tests"):
        written(tmp_path)


@pytest.mark.parametrize("halt", [True, False])
def test_a_teacher_whose_rows_are_alike_is_stopped_before_the_rest_is_paid_for(
    tmp_path: Path, scripted: Scripted, monkeypatch: pytest.MonkeyPatch, halt: bool
) -> None:
    def judge(_: Sandbox, programs: Iterable[Program]) -> list[Verdict]:
        return [Verdict(p.task_id, 0, "failed" if p.task_id == "canary" else "passed") for p in programs]

    for place in (screen, door):
        monkeypatch.setattr(place, "judge", judge)
    numbers = iter(range(200))
    subjects = Subjects(tree=one_word(tmp_path, "one"))
    script = scripted(answering(lambda _: task(f"one_{next(numbers)}")))
    if halt:
        with pytest.raises(CollapseError, match=r"^diversity: rows 1-64 have collapsed: "):
            written(tmp_path, n=200, mutants=0, subjects=subjects)
        assert len(script.asked) == 20 + 64  # a third round would have been asked for
    else:
        kept, _, ledger = written(tmp_path, n=200, mutants=0, subjects=subjects, diversity={"halt": False})
        assert len(kept) == ledger.figures["diversity"]["rows"] == 200


def test_a_teachers_tests_are_never_trusted(
    tmp_path: Path, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Program] = []

    def judge(_: Sandbox, given: Iterable[Program], *_on: Any, **_more: object) -> list[Verdict]:
        programs = list(given)
        seen.extend(programs)
        right = [p.source.endswith(("x * 2\n", "x + x\n")) for p in programs]
        return [Verdict(p.task_id, 0, "passed" if good else "failed") for p, good in zip(programs, right, strict=True)]

    for place in (screen, door, kill):
        monkeypatch.setattr(place, "judge", judge)
    scripted(answering(good, [AGREES, DIFFERS]))
    written(tmp_path, answers=3, min_killed=0)
    assert len(seen) == 1 + 4 + 9 + 2 + 4  # its own tests, mutants, votes; at last the whole once more, and one planted
    assert not any(program.trusted for program in seen)


@pytest.mark.parametrize("room_of", [screen, door])
def test_what_the_sandbox_could_not_judge_stops_the_run(
    tmp_path: Path, scripted: Scripted, monkeypatch: pytest.MonkeyPatch, room_of: Any
) -> None:
    scripted(answering(good))
    monkeypatch.setattr(
        room_of, "judge", lambda _, programs: [Verdict(p.task_id, 0, "infrastructure", "why") for p in programs]
    )
    with pytest.raises(InfrastructureError, match="why"):
        written(tmp_path)


def test_held_out_exercises_share_no_topics_and_no_document_with_the_others() -> None:
    def row(name: str, topic: str, *parents: str) -> Exercise:
        return Exercise(name, name, "", "", "", topic, parents=list(parents))

    rows = [row(f"{topic}{n}", topic) for topic in "abcdef" for n in range(2)] + [
        row("p1", "x", "doc"),
        row("p2", "y", "doc"),
    ]
    found = [set_aside(rows, 3, seed) for seed in range(20)]
    assert all(len(ids) == 4 for ids in found)
    assert all(({"p1", "p2"} <= ids) == bool({"p1", "p2"} & ids) for ids in found)
    assert all((f"{topic}0" in ids) == (f"{topic}1" in ids) for ids in found for topic in "abcdef")
    assert len({frozenset(ids) for ids in found}) > 5
    assert set_aside(rows, 3, 7) == set_aside(rows[::-1], 3, 7)
    assert set_aside(rows, 0, 7) == set()


def test_half_of_what_is_kept_is_set_aside_at_most(tmp_path: Path, scripted: Scripted) -> None:
    scripted(answering(good))
    kept, _, _ = written(tmp_path, n=5, held_out=3)
    held_out = list(read_dataset(tmp_path / "held_out", Exercise))
    assert (len(kept), len(held_out)) == (3, 2)
    assert {row.topic for row in kept}.isdisjoint(row.topic for row in held_out)
