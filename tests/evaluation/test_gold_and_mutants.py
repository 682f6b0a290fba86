"""Gold against mutant: only mutants that execution kills, only the one change apart, counted by hand."""

from __future__ import annotations

import pytest

from hornbook.evaluation.evaluate import Evaluate, score, summarize
from hornbook.evaluation.mutants import Trial, before_body, trials, variants, wins
from hornbook.model.likelihood import likelihoods
from hornbook.model.load import LanguageModel
from hornbook.records import Problem
from hornbook.sandbox.run import Sandbox

SANDBOX = Sandbox(workers=1)
PROMPT = 'def add(x, y):\n    """Add x by y."""\n'
ADD = Problem("T/1", PROMPT, "add", "    # sum\n    return (x + y)\n", "def check(add):\n    assert add(2, 3) == 5\n")
LENIENT = Problem("T/2", PROMPT, "add", ADD.canonical_solution, "def check(add):\n    add(2, 3)\n")
WRONG = Problem("T/3", PROMPT, "add", "    return x - y\n", ADD.test)
LOOP = Problem(
    "T/4",
    "def count(n):\n",
    "count",
    "    while n < 3:\n        n += 1\n    return n\n",
    "def check(count):\n    assert count(1) == 3\n",
)


def test_trials_hold_what_execution_killed_and_nothing_else() -> None:
    found = trials(SANDBOX, (ADD, LENIENT, WRONG), True, 9)
    assert found == (Trial("T/1", PROMPT, "    return x + y", ("    return x - y",)),)


def test_a_mutant_that_runs_for_ever_is_left_out() -> None:
    [found] = trials(SANDBOX, (LOOP,), True, 20)
    assert "    while n < 3:\n        n -= 1\n    return n" not in found.mutants
    assert "    while n > 3:\n        n += 1\n    return n" in found.mutants
    assert "    while n < 4:\n        n += 1\n    return n" in found.mutants


def test_mutants_are_as_long_as_the_gold_solution_and_spread_over_it() -> None:
    sums = Problem("T", "def f(x):\n", "f", "    return (x + 1) * (x + 2) - (x + 3)\n", "")
    gold, *every = (body for _, body in variants(sums, 99))
    assert gold == "    return (x + 1) * (x + 2) - (x + 3)"
    assert {len(body) for body in every} == {len(gold)}
    assert len(every) == 10  # four signs, three constants up and down; the product as a sum loses its brackets
    assert [body for _, body in variants(sums, 2)] == [gold, every[0], every[5]]


def test_a_change_in_the_prompt_is_no_mutant_of_the_solution() -> None:
    helped = Problem("T", "def two():\n    return 2\n\ndef f(x=1):\n", "f", "    return x + x\n", "")
    bodies = [body for _, body in variants(helped, 20)]
    assert bodies == ["    return x + x", "    return x - x"]


def test_a_whole_program_is_mutated_whole() -> None:
    whole = Problem("MBPP/1", '"""Two."""\n', "f", "K = 2\ndef f():\n    return K\n", "", completes=False)
    found = list(variants(whole, 20))
    assert {head for head, _ in found} == {""}
    assert [body.split("\n")[0] for _, body in found] == ["K = 2", "K = 3", "K = 1"]


def test_what_is_no_program_has_no_variants() -> None:
    assert list(variants(Problem("T", "def f(:\n", "f", "", ""), 5)) == []


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ('X = 1\ndef f():\n    """Doc\n    more."""\n    return X', 'X = 1\ndef f():\n    """Doc\n    more."""\n'),
        ("def f(\n  x):\n    return x", "def f(\n  x):\n"),
        ("def g():\n    return 1", ""),
    ],
)
def test_a_solution_begins_after_the_docstring(text: str, head: str) -> None:
    assert before_body(text, "f") == head


def test_wins_are_mutants_that_cost_more_a_byte(opened: LanguageModel) -> None:
    texts = ["    return x + 1", "    return y - 1", "    return None", "    retrun x"]
    found = likelihoods(opened, [(PROMPT, text) for text in texts])
    costs = [item.bits / item.bytes for item in found]
    assert len(set(costs)) == 4
    for gold in range(4):
        others = [place for place in range(4) if place != gold]
        trial = Trial("T", PROMPT, texts[gold], tuple(texts[place] for place in others))
        assert wins(opened, [trial]) == {"T": (sum(costs[place] > costs[gold] for place in others), 3)}


def test_a_trial_that_does_not_fit_the_context_is_left_out(opened: LanguageModel) -> None:
    long = "".join(f"    x{n} = {n}\n" for n in range(40))
    assert wins(opened, [Trial("T", PROMPT, long + "    a", (long + "    b",))]) == {}


def test_a_model_that_was_examined_has_its_share_of_pairs(opened: LanguageModel) -> None:
    rows = score(Evaluate(sandbox=SANDBOX, mutants=9), opened, {"b": [ADD, WRONG]})["b"]
    assert [row["mutants"] for row in rows] == [1, 0]
    assert 0 <= rows[0]["mutants_beaten"] <= 1
    assert [row["mutants"] for row in score(Evaluate(mutants=0), opened, {"b": [ADD]})["b"]] == [0]


def test_the_share_is_over_pairs_and_its_interval_over_problems() -> None:
    rows = [
        {"task_id": "a", "bits": 1.0, "bytes": 1, "mutants": 4, "mutants_beaten": 4},
        {"task_id": "b", "bits": 1.0, "bytes": 1, "mutants": 2, "mutants_beaten": 0},
        {"task_id": "c", "bits": 1.0, "bytes": 1, "mutants": 0, "mutants_beaten": 0},
    ]
    found = summarize(Evaluate(bootstrap=500), [], [], [], rows)["gold_over_mutants"]
    assert (found["value"], found["problems"], found["pairs"]) == (pytest.approx(4 / 6, abs=1e-6), 2, 6)
    assert (found["low"], found["high"]) == (0.0, 1.0)  # two problems: all of one, or all of the other
