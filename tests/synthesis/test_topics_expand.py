"""Expansion of the tree by a teacher: what is asked, what is kept, and what is refused for which reason."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from endpoint import Server
from hornbook.artifacts import Ledger
from hornbook.errors import MissingResponse
from hornbook.records import Rejected, read_dataset
from hornbook.synthesis.topics import Tree, load_tree
from hornbook.synthesis.topics.expand import Expand, expand_tree, questions
from hornbook.synthesis.topics.likeness import Known
from hornbook.teacher.ask import Teacher, open_store
from runs import Command

TEACHER = Teacher(provider="replay", model="m")
SMALL = """branches:
  bees:
    half: common sense
    topics:
      the colony:
        - how a colony swarms
        - what a drone does
      the keeper:
        - smoking a hive
"""
LEAVES = ("how a colony swarms", "what a drone does", "smoking a hive")


def chat(text: str) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


def topics(*names: object) -> str:
    return json.dumps({"topics": names})


def small(folder: Path) -> Path:
    (folder / "mine.yaml").write_text(SMALL, "utf-8")
    return folder / "mine.yaml"


def answered(folder: Path, config: Expand, tree: Tree, texts: Sequence[str], attempt: int = 0) -> None:
    """Put an answer about each leaf of a tree into the store, in its order."""
    store = open_store(folder / "responses")
    for request, text in zip(questions(config, tree, attempt), texts, strict=True):
        store.put(request.key, chat(text))


def expanded(folder: Path, config: Expand, tree: Path | None) -> tuple[Tree, Mapping[str, int], list[Rejected]]:
    """The tree that comes out, what was rejected by reason, and the rejected rows."""
    ledger, out = Ledger(), folder / "out"
    out.mkdir()
    expand_tree(config, tree=tree, responses=folder / "responses", out=out, ledger=ledger)
    rejected = list(read_dataset(out / "rejected", Rejected))
    assert ledger.rejected == Counter(row.reason for row in rejected)
    grown = load_tree(out)
    assert (ledger.rows_in, ledger.rows_out) == (len(load_tree(tree).leaves), len(grown.leaves))
    return grown, ledger.rejected, rejected


def test_a_question_names_the_place_the_neighbours_and_how_many(tmp_path: Path) -> None:
    """Seven more leaves from three, and four tenths to spare: 1.4 × 7 / 3 = 3.3, so four of each."""
    asked = list(questions(Expand(to=10, teacher=TEACHER), load_tree(small(tmp_path)), 0))
    text = asked[0].messages[0][1]
    assert len(asked) == 3
    assert "A course on bees has a chapter on the colony. One of its lessons is: how a colony swarms." in text
    assert "other lessons of the chapter: what a drone does." in text
    assert "Name 4 narrower lessons" in text
    assert "other lessons of the chapter: none." in asked[2].messages[0][1]
    assert json.loads(asked[0].schema)["required"] == ["topics"]


def test_what_is_new_joins_the_group_of_its_leaf(tmp_path: Path) -> None:
    config, tree = Expand(to=6, rounds=1, teacher=TEACHER), small(tmp_path)
    answered(
        tmp_path,
        config,
        load_tree(tree),
        [topics("signs before a swarm"), topics("drones in autumn"), topics("lighting dry grass")],
    )
    grown, rejected, _ = expanded(tmp_path, config, tree)
    assert [leaf.path for leaf in grown.leaves] == [
        "bees/the colony/how a colony swarms",
        "bees/the colony/what a drone does",
        "bees/the colony/signs before a swarm",
        "bees/the colony/drones in autumn",
        "bees/the keeper/smoking a hive",
        "bees/the keeper/lighting dry grass",
    ]
    assert {leaf.half for leaf in grown.leaves} == {"common sense"}
    assert rejected == {}
    assert grown.audiences == load_tree().audiences


def test_everything_that_is_refused_has_its_reason(tmp_path: Path) -> None:
    config, tree = Expand(to=99, rounds=1, teacher=TEACHER), small(tmp_path)
    first = topics(
        "1.  Queen cells and\nwhat they foretell.", "The swarming of a colony", "How colonies swarm", "", "9 / 10"
    )
    second = "Here they are: " + topics("how two colonies swarm", "x" * 101, "a × b", "12345") + " Enjoy!"
    answered(tmp_path, config, load_tree(tree), [first, second, "- smoke\n- hats"])
    grown, rejected, rows = expanded(tmp_path, config, tree)
    assert {leaf.name for leaf in grown.leaves} - set(LEAVES) == {"Queen cells and what they foretell"}
    assert rejected == {"duplicate": 2, "near-duplicate": 1, "not-a-topic": 5, "unanswered": 1}
    details = {row.excerpt: row.detail for row in rows}
    assert details["How colonies swarm"] == details["The swarming of a colony"] == "how a colony swarms"
    assert details["how two colonies swarm"] == "0.67 of how a colony swarms"
    assert [row.detail for row in rows if row.reason == "unanswered"] == [
        "schema: does not fit its schema, nor did its repair"
    ]


def test_a_full_tree_took_the_first_suggestions_of_every_leaf(tmp_path: Path) -> None:
    config, tree = Expand(to=6, teacher=TEACHER), small(tmp_path)
    answered(
        tmp_path,
        config,
        load_tree(tree),
        [topics("wax", "honey"), topics("stings", "veils"), topics("smoke", "gloves")],
    )
    grown, rejected, _ = expanded(tmp_path, config, tree)
    assert {leaf.name for leaf in grown.leaves} - set(LEAVES) == {"wax", "stings", "smoke"}
    assert rejected == {"beyond-target": 3}


def test_a_second_round_asks_about_what_the_first_found(tmp_path: Path) -> None:
    config, tree = Expand(to=8, rounds=2, teacher=TEACHER), small(tmp_path)
    answered(tmp_path, config, load_tree(tree), [topics("wax"), topics(), topics()])
    once, _, _ = expanded(tmp_path, config.model_copy(update={"rounds": 1}), tree)
    assert len(once.leaves) == 4
    answered(
        tmp_path, config, once, [topics(), topics(), topics("melting old comb"), topics("wax", "grass")], attempt=1
    )
    (tmp_path / "out").rename(tmp_path / "first")
    grown, rejected, _ = expanded(tmp_path, config, tree)
    assert [leaf.name for leaf in grown.leaves] == [
        *LEAVES[:2], "wax", "melting old comb", LEAVES[2], "grass",
    ]  # fmt: skip
    assert rejected == {"duplicate": 1}


def test_equal_answers_give_equal_bytes(tmp_path: Path) -> None:
    config, tree = Expand(to=6, rounds=1, teacher=TEACHER), small(tmp_path)
    answered(tmp_path, config, load_tree(tree), [topics("wax", "honey")] * 3)
    expanded(tmp_path, config, tree)
    (tmp_path / "out").rename(tmp_path / "first")
    expanded(tmp_path, config, tree)
    for name in ("tree.yaml", "rejected/part-00000.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "first" / name).read_bytes()


def test_a_missing_answer_is_said(tmp_path: Path) -> None:
    with pytest.raises(MissingResponse, match="replay: the store holds no response"):
        expanded(tmp_path, Expand(teacher=TEACHER), small(tmp_path))


def test_the_packaged_tree_grows_to_twenty_thousand(tmp_path: Path) -> None:
    """Sixteen suggestions a leaf, of which some say nothing new."""
    tree, config = load_tree(), Expand(rounds=1, teacher=TEACHER)
    things = itertools.product(("red", "tall", "cold", "loud"), ("in rain", "at sea", "by night", "on paper"))
    kinds = [f"{one} {two}" for one, two in things]
    texts = [topics(*(f"case{n} {kind}" for kind in kinds)) for n in range(len(tree.leaves))]
    texts[0] = topics("case1 red in the rain", *texts[0])
    answered(tmp_path, config, tree, texts)
    grown, rejected, _ = expanded(tmp_path, config, None)
    assert len(grown.leaves) == 20_000
    assert rejected["duplicate"] >= 1
    known = Known()
    for leaf in grown.leaves:
        assert known.like(leaf.name) is None
        known.add(leaf.name)


# the command


def test_expand_prints_its_contract(hornbook: Command, tmp_path: Path) -> None:
    tree = load_tree(small(tmp_path))
    config = Expand(to=4, teacher=TEACHER.model_copy(update={"temperature": 0.2}))
    answered(tmp_path, config, tree, [topics("wax"), topics("honey"), topics("How the colony swarms")])
    options = [
        "--tree",
        tmp_path / "mine.yaml",
        "--to",
        4,
        "--responses",
        tmp_path / "responses",
        "--out",
        tmp_path / "out",
    ]
    options += ["--teacher", "m@replay", "--set", "teacher.temperature=0.2"]
    found = hornbook("topics", "expand", *options, "--json").json
    rejected = {"beyond-target": 2}
    assert found == {"leaves": 4, "added": 1, "rejected": rejected, "out": str(tmp_path / "out")}
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["rejected"] == rejected
    assert manifest["figures"]["teacher"]["m"]["kept_tokens"] == 5  # of {"topics": ["wax"]}, four characters a token
    again = hornbook("topics", "show", "--tree", tmp_path / "out", "--json").json
    assert again["leaves"] == 4
    assert "the folder is not empty" in hornbook("topics", "expand", *options).complaint(2)


@pytest.mark.parametrize("teacher", ["m", "@replay", "m@", "m@somewhere"])
def test_a_teacher_that_nobody_can_reach_is_refused(hornbook: Command, tmp_path: Path, teacher: str) -> None:
    complaint = hornbook("topics", "expand", "--teacher", teacher, "--out", tmp_path / "out").complaint(2)
    assert complaint.startswith(f"--teacher {teacher!r}: write MODEL@URL")
    assert not (tmp_path / "out").exists()


def test_settings_that_do_not_fit_are_refused(hornbook: Command, tmp_path: Path) -> None:
    options = ["--teacher", "m@replay", "--out", tmp_path / "out"]
    assert "--to: " in hornbook("topics", "expand", *options, "--to", 0).complaint(2)
    complaint = hornbook("topics", "expand", *options, "--set", "teacher.temprature=1").complaint(2)
    assert "did you mean 'temperature'" in complaint


def test_replay_without_answers_is_code_1(hornbook: Command, tmp_path: Path) -> None:
    options = ["--teacher", "m@replay", "--out", tmp_path / "out", "--responses", tmp_path / "responses"]
    assert "the store holds no response" in hornbook("topics", "expand", *options).complaint(1)


def test_an_endpoint_is_asked_about_each_leaf_once(
    hornbook: Command, tmp_path: Path, serve: Callable[..., Server]
) -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        about = next(leaf for leaf in LEAVES if f"is: {leaf}" in body["messages"][0]["content"])
        return chat(topics(f"{about.split()[-1]} in winter", "feeding sugar"))

    server = serve(answer)
    options = ["--tree", small(tmp_path), "--to", 9, "--rounds", 1, "--responses", tmp_path / "responses"]
    found = hornbook(
        "topics", "expand", "--teacher", f"m@{server.url}", *options, "--out", tmp_path / "out", "--json"
    ).json
    assert (found["leaves"], found["rejected"]) == (7, {"duplicate": 2})
    assert len(server.asked) == 3
    replayed = hornbook(
        "topics", "expand", "--teacher", "m@replay", *options, "--out", tmp_path / "again", "--json"
    ).json
    assert replayed["leaves"] == 7
    assert (tmp_path / "again/tree.yaml").read_bytes() == (tmp_path / "out/tree.yaml").read_bytes()


def test_half_of_a_surrogate_pair_is_refused_in_writing(tmp_path: Path) -> None:
    config, tree = Expand(to=9, rounds=1, teacher=TEACHER), small(tmp_path)
    answered(tmp_path, config, load_tree(tree), [topics("\ud83d wax"), topics("honey"), topics("smoke")])
    grown, _, _ = expanded(tmp_path, config, tree)
    assert {leaf.name for leaf in grown.leaves} - set(LEAVES) == {"\ufffd wax", "honey", "smoke"}


def test_a_cap_holds_for_all_rounds(hornbook: Command, tmp_path: Path, serve: Callable[..., Server]) -> None:
    """A hundred tokens an answer: three in the first round, and three of six in the second."""
    numbers = itertools.count()

    def answer(_: dict[str, Any]) -> dict[str, Any]:
        usage = {"prompt_tokens": 50, "completion_tokens": 50}
        return {**chat(topics(f"matter {next(numbers)}")), "usage": usage}

    server = serve(answer)
    options = ["--tree", small(tmp_path), "--to", 99, "--rounds", 3, "--responses", tmp_path / "responses"]
    options += ["--teacher", f"m@{server.url}", "--out", tmp_path / "out"]
    options += ["--set", "teacher.cap_tokens=600", "--set", "teacher.concurrency=1"]
    complaint = hornbook("topics", "expand", *options).complaint(1)
    assert "stopped at cap_tokens 600: 6 answers, 600 tokens" in complaint
    assert "3 requests are not answered: raise cap_tokens" in complaint
    assert len(server.asked) == 6
