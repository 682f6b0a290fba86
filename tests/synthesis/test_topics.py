"""The tree of topics, briefs drawn from it, and the ledger of what is covered."""

from __future__ import annotations

import copy
import random
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.errors import InputError
from hornbook.records import Document, Exercise, Provenance, Section, write_dataset
from hornbook.synthesis.families import FAMILIES
from hornbook.synthesis.textbooks import shelf
from hornbook.synthesis.topics import Brief, Coverage, Passage, Tree, draw, load_tree, read_coverage, read_passages
from hornbook.synthesis.topics.coverage import cover, summary
from hornbook.synthesis.topics.likeness import Known, normal_form, overlap
from hornbook.synthesis.topics.reading import write_tree
from hornbook.synthesis.topics.tree import LISTS, Leaf, Places
from runs import Command

SMALL = """branches:
  bees:
    half: common sense
    topics:
      the colony:
        - how a colony swarms
        - what a drone does
      the keeper:
        - smoking a hive
  gears:
    half: programming
    topics:
      ratios:
        - counting teeth
      chains:
        - links in a chain
"""


def tree_file(folder: Path, text: str = SMALL, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def tiny(groups: dict[str, list[str]], half: str = "programming", **lists: tuple[str, ...]) -> Tree:
    """A tree of one branch `b`."""
    leaves = tuple(Leaf("b", group, name, half) for group, names in groups.items() for name in names)  # type: ignore[arg-type]
    return Tree(leaves, **(dict.fromkeys(LISTS, ("one",)) | lists))


# the packaged tree


def test_the_packaged_tree_is_large_and_serves_both_halves() -> None:
    tree = load_tree()
    halves = Counter(leaf.half for leaf in tree.leaves)
    assert len(tree.leaves) >= 1200
    assert min(halves["programming"], halves["common sense"]) >= 500
    branches = {leaf.branch for leaf in tree.leaves}
    assert branches >= {
        "the Python language", "algorithms", "data structures", "mathematics by program", "physical science",
        "life science", "everyday life", "other minds",
    }  # fmt: skip
    assert (len(tree.audiences) >= 25, len(tree.professions) >= 60, len(tree.styles) >= 20) == (True, True, True)


def test_no_two_packaged_topics_are_the_same_or_near() -> None:
    """Compared pair by pair, without the index that expansion uses."""
    forms = {leaf.path: normal_form(leaf.name) for leaf in load_tree().leaves}
    assert len(set(forms.values())) == len(forms)
    near = [
        (a, b)
        for (a, one), (b, other) in combinations(forms.items(), 2)
        if 3 * len(one & other) >= 2 * len(one | other)
    ]
    assert near == []


def test_packaged_groups_are_of_a_size_and_topics_are_lines_of_a_table_of_contents() -> None:
    tree = load_tree()
    groups = Counter(leaf.parent for leaf in tree.leaves)
    assert (min(groups.values()) >= 7, max(groups.values()) <= 20) == (True, True)
    assert all(4 <= count <= 16 for count in Counter(parent.split("/")[0] for parent in groups).values())
    for leaf in tree.leaves:
        assert 1 <= len(leaf.name.split()) <= 12, leaf.path
        assert leaf.name == leaf.name.strip(" .,;:"), leaf.path


def test_packaged_lists_hold_nothing_twice() -> None:
    for name in LISTS:
        items = [item.casefold() for item in getattr(load_tree(), name)]
        assert len(set(items)) == len(items), name


def test_words_can_stand_in_a_functions_name() -> None:
    assert all(word.isidentifier() and word.islower() for word in load_tree().words)


def test_the_shelf_stands_in_the_packaged_tree() -> None:
    places = Places(load_tree())
    assert [name for name in FAMILIES if not places.find(name)] == []
    unplaced = [section.topic for section in shelf() if not places.find(section.topic)]
    assert len(unplaced) <= len(shelf()) / 10, unplaced


# likeness


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Merging the sorted lists", "merging sorted list"),
        ("a city's boundaries", "City boundary"),
        ("keys, of a dictionary!", "the key of dictionaries"),
        ("how and why", "Why, and how?"),
        ("stopping a hashed cache", "Stopped: hashing caches"),
    ],
)
def test_little_words_case_and_endings_do_not_make_another_topic(one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("C", "C++"), ("sorting up", "sorting down"), ("glass", "glas"), ("string", "str"), ("bus", "bu")],
)
def test_what_differs_in_meaning_stays_apart(one: str, other: str) -> None:
    assert normal_form(one) != normal_form(other)


def test_near_is_two_thirds_of_the_words() -> None:
    known = Known()
    known.add("heaps for running medians")  # heap, running, median
    assert known.like("running median") == ("heaps for running medians", 2 / 3)
    assert known.like("median of medians") is None  # 1 of 3
    known.add("The running heap")
    assert known.like("heap running") == ("The running heap", 1.0)


@given(st.lists(st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=6).map(" ".join), min_size=1, max_size=12))
def test_the_index_finds_what_comparing_all_pairs_finds(texts: list[str]) -> None:
    *before, last = texts
    known = Known(0.5)
    for text in before:
        known.add(text)
    best = max((overlap(normal_form(last), normal_form(text)) for text in before), default=0.0)
    assert (known.like(last) or ("", 0.0))[1] == (best if best >= 0.5 else 0.0)


# a person's own tree


def test_a_tree_of_ones_own_takes_the_lists_that_it_lacks_from_the_package(tmp_path: Path) -> None:
    tree = load_tree(tree_file(tmp_path, "audiences: [keepers]\n" + SMALL))
    assert [leaf.path for leaf in tree.leaves][:3] == [
        "bees/the colony/how a colony swarms",
        "bees/the colony/what a drone does",
        "bees/the keeper/smoking a hive",
    ]
    assert [leaf.half for leaf in tree.leaves] == ["common sense"] * 3 + ["programming"] * 2
    assert tree.audiences == ("keepers",)
    assert tree.professions == load_tree().professions


def test_a_folder_of_trees_is_one_tree(tmp_path: Path) -> None:
    tree_file(tmp_path, SMALL.replace("bees", "wasps").replace("gears", "cogs").replace(" a ", " two "), "b.yaml")
    with pytest.raises(InputError, match=r"b\.yaml:14: 'counting teeth' says the same as the topic at a\.yaml:14"):
        load_tree(tree_file(tmp_path, SMALL, "a.yaml").parent)
    tree_file(tmp_path, "words: [hive]\n", "b.yaml")
    assert load_tree(tmp_path).words == ("hive",)
    assert len(load_tree(tmp_path).leaves) == 5


def test_a_written_tree_is_read_back_as_it_was(tmp_path: Path) -> None:
    write_tree(load_tree(), tmp_path / "tree.yaml")
    assert load_tree(tmp_path / "tree.yaml") == load_tree()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "mine.yaml: empty; write `branches:`"),
        ("- a\n", "mine.yaml:1: a tree: write `branches:`"),
        ("branches: {a: [b}\n", "mine.yaml:1: not YAML"),
        ("words: [a]\n", "mine.yaml: no topics; write `branches:`"),
        ("audience: [a]\n", "mine.yaml:1: unknown key 'audience'; did you mean 'audiences'?"),
        (SMALL + "styles: []\n", "mine.yaml:17: styles: write a list, each item on a line that begins with a dash"),
        (SMALL + "styles: [a, b, a]\n", "mine.yaml:17: styles: 'a' stands there twice; keep one"),
        (SMALL.replace("common sense", "sense"), "mine.yaml:3: bees: half 'sense'; write programming or common sense"),
        (SMALL.replace("    half: programming\n", ""), "mine.yaml:10: gears: lacks `half:`"),
        (SMALL.replace("half: prog", "halves: prog"), "mine.yaml:11: gears: unknown key 'halves'; did you mean 'half'?"),
        (SMALL.replace("gears", "bees"), "mine.yaml:10: branches: 'bees' stands there twice; join them"),
        (SMALL.replace("counting teeth", "the smoking of hives"), "says the same as the topic at mine.yaml:9; keep one"),
        (SMALL.replace("counting teeth", "teeth/cogs"), "mine.yaml:14: gears/ratios: 'teeth/cogs'; write one line of text"),
        (SMALL.replace("counting teeth", "teeth: cogs"), "mine.yaml:14: gears/ratios: each item is one line of text"),
        (SMALL.replace("counting teeth", ""), "mine.yaml:14: gears/ratios: ''; write one line of text"),
        (SMALL.replace("        - counting teeth\n", ""), "mine.yaml:13: gears/ratios: write a list"),
        (SMALL + "called: {swarms: [how a colony swims]}\n", "no topic 'how a colony swims'; did you mean 'how a colony swarms'?"),
    ],
)  # fmt: skip
def test_a_bad_tree_is_refused_with_its_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(InputError) as refused:
        load_tree(tree_file(tmp_path, text))
    assert complaint in str(refused.value)


def test_a_tree_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"branches: caf\xe9\n")
    (tmp_path / "empty").mkdir()
    for name, complaint in [
        ("none.yaml", "No such file"),
        ("latin.yaml", "not UTF-8"),
        ("empty", "no .yaml file in it"),
    ]:
        with pytest.raises(InputError, match=complaint):
            load_tree(tmp_path / name)


# briefs


def test_a_brief_crosses_topics_of_different_parents() -> None:
    briefs = draw("exercises", 2000, 7)
    parents = {leaf.path: leaf.parent for leaf in load_tree().leaves}
    assert all(len({parents[path] for path in brief.topics}) == 2 for brief in briefs)
    assert {brief.half for brief in briefs} == {"programming"}


def test_no_two_topics_meet_twice_while_there_are_others() -> None:
    pairs = Counter(frozenset(brief.topics) for brief in draw("textbooks", 5000, 3))
    assert max(pairs.values()) == 1


def test_the_same_seed_draws_the_same_and_another_another() -> None:
    assert draw("textbooks", 40, 1) == draw("textbooks", 40, 1)
    assert not set(draw("textbooks", 40, 1)) & set(draw("textbooks", 40, 2))
    assert [b.topics for b in draw("textbooks", 40, 1)] != [b.topics for b in draw("exercises", 40, 1)]


def test_a_longer_draw_begins_with_the_shorter() -> None:
    assert draw("exercises", 300, 5)[:120] == draw("exercises", 120, 5)


def test_everything_is_dealt_evenly() -> None:
    tree = load_tree()
    briefs = draw("textbooks", 4000, 0, half=None)
    for items, found in [
        (tree.audiences, [brief.audience for brief in briefs]),
        (tree.professions, [brief.profession for brief in briefs]),
        (tree.styles, [brief.style for brief in briefs]),
        (tree.names, [brief.word for brief in briefs]),
    ]:
        counts = Counter(found)
        assert set(counts) == set(items)
        assert max(counts.values()) - min(counts.values()) <= 1
    topics = Counter(path for brief in briefs for path in brief.topics)
    assert set(topics) == {leaf.path for leaf in tree.leaves}
    assert max(topics.values()) - min(topics.values()) <= 2  # 8,000 topics over 1,775 leaves: 4 or 5 each, about


def test_both_halves_are_drawn_but_never_mixed() -> None:
    halves = {leaf.path: leaf.half for leaf in load_tree().leaves}
    briefs = draw("textbooks", 500, 0, half=None)
    assert {brief.half for brief in briefs} == {"programming", "common sense"}
    assert all({halves[path] for path in brief.topics} == {brief.half} for brief in briefs)


def test_exercises_get_words_for_names_and_textbooks_people() -> None:
    tree = tiny({"g": ["x"], "h": ["y"]}, words=("sort",), names=("Mei",))
    assert draw("exercises", 1, 0, tree)[0].word == "sort"
    assert draw("textbooks", 1, 0, tree)[0].word == "Mei"


def test_the_least_covered_is_drawn_first() -> None:
    """x1 and y1 have ten rows each, so that the next nine draws are of x2 and y2."""
    tree = tiny({"g": ["x1", "x2"], "h": ["y1", "y2"]}, audiences=("old", "young"))
    ledger = Coverage()
    for _ in range(10):
        ledger.add(Brief(("b/g/x1", "b/h/y1"), "old", "", "", ""))
    before = copy.deepcopy(ledger)
    briefs = draw("textbooks", 9, 0, tree, ledger)
    assert {frozenset(brief.topics) for brief in briefs} == {frozenset({"b/g/x2", "b/h/y2"})}
    assert {brief.audience for brief in briefs} == {"young"}
    assert ledger == before


def test_the_next_round_is_another_although_all_is_covered_evenly() -> None:
    tree = tiny({"g": ["x1", "x2", "x3"], "h": ["y1", "y2", "y3"]})
    ledger = Coverage()
    first = draw("textbooks", 3, 0, tree, ledger)
    for brief in first:
        ledger.add(brief)
    second = draw("textbooks", 3, 0, tree, ledger)
    assert {frozenset(b.topics) for b in second}.isdisjoint(frozenset(b.topics) for b in first)


def test_every_round_is_shuffled_anew() -> None:
    assert draw("textbooks", 9, 0, ledger=Coverage(rows=9)) != draw("textbooks", 9, 0)


def test_topics_of_one_group_alone_cannot_be_crossed() -> None:
    with pytest.raises(InputError, match="1 groups of topics in its half 'programming', and 2 topics"):
        draw("textbooks", 1, 0, tiny({"g": ["x", "y"]}))
    with pytest.raises(InputError, match="0 groups of topics in its half 'programming'"):
        draw("textbooks", 1, 0, tiny({"g": ["x"], "h": ["y"]}, "common sense"))
    assert len(draw("textbooks", 1, 0, tiny({"g": ["x", "y"]}), width=1)[0].topics) == 1


def test_a_brief_names_its_subjects_and_its_column() -> None:
    brief = draw("textbooks", 1, 0, tiny({"g": ["x"], "h": ["y"]}))[0]
    assert sorted(brief.topic.split(" × ")) == ["b/g/x", "b/h/y"]
    assert sorted(brief.subjects.split(" and ")) == ["x", "y"]


def test_passages_are_dealt_by_id_and_carry_their_licence(tmp_path: Path) -> None:
    rows = [
        Document("a", "one\ntwo\nthree\n", "s", "p", ["MIT"]),
        Document("b", "a long line", "s", "q"),
        Document("c", " \n", "s", "r"),
    ]
    write_dataset(tmp_path / "documents", rows, Document)
    passages = read_passages(tmp_path, characters=9)
    assert passages == [Passage("a", "one\ntwo\n", ("MIT",)), Passage("b", "a long li", ())]
    tree = tiny({"g": ["x"], "h": ["y"]})
    assert Counter(b.passage for b in draw("textbooks", 10, 0, tree, passages=passages)) == {"a": 5, "b": 5}
    assert {b.passage for b in draw("textbooks", 3, 0, tree)} == {""}


def test_only_so_many_passages_are_taken_of_a_large_corpus(tmp_path: Path) -> None:
    write_dataset(tmp_path, [Document(f"{n:03}", "x\n", "s", "p") for n in range(100)], Document)
    some = read_passages(tmp_path, most=10)
    assert len(some) == 10
    assert [passage.id for passage in some] != [f"{n:03}" for n in range(10)]
    with pytest.raises(InputError, match="no Parquet"):
        read_passages(tmp_path / "elsewhere")


# coverage


def section(topic: str, audience: str = "keepers", **about: object) -> Section:
    return Section(f"{topic} {audience}", "text", topic, audience, "plain", **about)  # type: ignore[arg-type]


def covered(tmp_path: Path, rows: list[Section], tree: Tree) -> Coverage:
    write_dataset(tmp_path / "out" / "sections", rows, Section)
    return cover([tmp_path / "out"], tree)


def test_rows_are_counted_under_their_topics(tmp_path: Path) -> None:
    tree = load_tree(tree_file(tmp_path, SMALL + "called: {teeth and links: [counting teeth, links in a chain]}\n"))
    rows = [
        section("bees/the colony/how a colony swarms × bees/the keeper/smoking a hive"),
        section("bees/long gone/how a colony swarms"),  # moved since: found by its name
        section("The Colony"),  # a whole group
        section("teeth and links"),
        section("knitting"),
        section("", audience=""),
    ]
    ledger = covered(tmp_path, rows, tree)
    assert ledger.rows == 6
    assert ledger.counts["topic"] == {
        "bees/the colony/how a colony swarms": 2,
        "bees/the keeper/smoking a hive": 1,
        "bees/the colony": 1,
        "gears/ratios/counting teeth": 1,
        "gears/chains/links in a chain": 1,
    }
    assert ledger.counts["pair"] == {
        "bees/the colony/how a colony swarms × bees/the keeper/smoking a hive": 1,
        "gears/chains/links in a chain × gears/ratios/counting teeth": 1,
    }
    assert ledger.counts["audience"] == {"keepers": 5}
    assert ledger.unplaced == {"knitting": 1}
    found = summary(ledger, tree)
    assert (found["rows"], found["leaves"], found["covered"]) == (6, 5, 4)
    assert found["gaps"] == ["bees/the colony/what a drone does"]
    assert found["branches"] == [
        {
            "branch": "bees",
            "half": "common sense",
            "groups": 2,
            "groups_covered": 2,
            "leaves": 3,
            "covered": 2,
            "rows": 4,
        },
        {
            "branch": "gears",
            "half": "programming",
            "groups": 2,
            "groups_covered": 2,
            "leaves": 2,
            "covered": 2,
            "rows": 2,
        },
    ]


def test_what_a_brief_said_is_read_back_from_the_rows_provenance(tmp_path: Path) -> None:
    told = Provenance("llm", recipe='{"audience": "x", "profession": "vet", "word": "frame", "steps": ["draft"]}')
    exercise = Exercise("1", "f", "p", "s", "t", "bees/the keeper/smoking a hive", parents=["d1"], provenance=told)
    silent = Exercise("2", "g", "p", "s", "t", "knots", provenance=Provenance("procedural", recipe='["a"]'))
    write_dataset(tmp_path / "exercises", [exercise, silent], Exercise)
    counts = cover([tmp_path / "exercises"], load_tree(tree_file(tmp_path))).counts
    assert (counts["audience"], counts["profession"], counts["word"]) == ({"x": 1}, {"vet": 1}, {"frame": 1})
    assert (counts["passage"], counts["style"]) == ({"d1": 1}, {})


def test_a_ledger_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    ledger = covered(
        tmp_path, [section("knitting"), section("smoking a hive × counting teeth")], load_tree(tree_file(tmp_path))
    )
    ledger.write(tmp_path / "ledger")
    assert read_coverage(tmp_path / "ledger") == ledger
    ledger.write(tmp_path / "again")
    assert (tmp_path / "again/part-00000.parquet").read_bytes() == (tmp_path / "ledger/part-00000.parquet").read_bytes()


def test_a_ledger_is_counted_on(tmp_path: Path) -> None:
    tree = load_tree(tree_file(tmp_path))
    first = covered(tmp_path, [section("knitting"), section("smoking a hive")], tree)
    first.write(tmp_path / "ledger")
    ledger = cover([tmp_path / "ledger", tmp_path / "out"], tree)
    assert (ledger.rows, ledger.unplaced) == (4, {"knitting": 2})
    assert ledger.counts["topic"] == {"bees/the keeper/smoking a hive": 2}
    assert first.rows == 2


def test_a_group_without_rows_is_seen(tmp_path: Path) -> None:
    tree = load_tree(tree_file(tmp_path))
    bees, gears = summary(covered(tmp_path, [section("the colony"), section("smoking a hive")], tree), tree)["branches"]
    assert (bees["groups_covered"], bees["covered"]) == (2, 1)
    assert (gears["groups_covered"], gears["covered"], gears["rows"]) == (0, 0, 0)


def test_what_is_no_ledger_and_what_has_no_topics_is_refused(tmp_path: Path) -> None:
    write_dataset(tmp_path / "documents", [Document("a", "x", "s", "p")], Document)
    with pytest.raises(InputError, match="no ledger of coverage"):
        read_coverage(tmp_path / "documents")
    with pytest.raises(InputError, match="rows have no 'topic'"):
        cover([tmp_path / "documents"], load_tree())


def test_gaps_are_drawn_next(tmp_path: Path) -> None:
    """Rows of the first round are kept for three leaves in four; the second round begins with the others."""
    tree = tiny({f"g{n}": [f"t{n}{m}" for m in range(5)] for n in range(8)})
    briefs = draw("textbooks", 20, 0, tree)
    lost = random.Random(0).sample(briefs, 5)
    ledger = covered(tmp_path, [section(b.topic) for b in briefs if b not in lost], tree)
    gaps = set(summary(ledger, tree)["gaps"])
    assert gaps == {path for brief in lost for path in brief.topics}
    again = [path for brief in draw("textbooks", 5, 0, tree, ledger) for path in brief.topics]
    assert len(gaps & set(again)) >= 9  # the last gap may stand alone in its group


# the commands


def test_show_prints_its_contract(hornbook: Command, tmp_path: Path) -> None:
    found = hornbook("topics", "show", "--tree", tree_file(tmp_path), "--branch", "gears", "--json").json
    assert found["leaves"] == 5
    assert found["branches"] == [
        {
            "branch": "gears",
            "half": "programming",
            "leaves": 2,
            "groups": {"ratios": ["counting teeth"], "chains": ["links in a chain"]},
        }
    ]
    text = hornbook("topics", "show", "--tree", tree_file(tmp_path)).out
    assert "bees · common sense · 3 topics\n  the colony (2)\n" in text
    assert "counting teeth" not in text


def test_show_names_topics_that_are_nearly_the_same(hornbook: Command, tmp_path: Path) -> None:
    """Counting teeth and counting gear teeth share two words of three."""
    near = tree_file(tmp_path, SMALL + "        - counting gear teeth\n")
    assert hornbook("topics", "show", "--tree", near, "--json").json["near"] == [
        ["counting gear teeth", "counting teeth"]
    ]
    assert "nearly the same: counting gear teeth · counting teeth\n" in hornbook("topics", "show", "--tree", near).out
    assert hornbook("topics", "show", "--json").json["near"] == []


def test_show_names_the_nearest_branch(hornbook: Command) -> None:
    complaint = hornbook("topics", "show", "--branch", "algorithm").complaint(2)
    assert complaint == "--branch 'algorithm': not in the tree; did you mean 'algorithms'?"


def test_a_bad_tree_is_one_line_and_code_2(hornbook: Command, tmp_path: Path) -> None:
    bad = tree_file(tmp_path, SMALL.replace("half: prog", "hlaf: prog"))
    assert hornbook("topics", "show", "--tree", bad).complaint(2).startswith("mine.yaml:11: gears: unknown key 'hlaf'")


def test_coverage_prints_its_contract_and_keeps_the_ledger(hornbook: Command, tmp_path: Path) -> None:
    write_dataset(tmp_path / "rows" / "sections", [section("smoking a hive"), section("knots")], Section)
    options = ["--tree", tree_file(tmp_path), "--out", tmp_path / "ledger"]
    found = hornbook("topics", "coverage", tmp_path / "rows", *options, "--json").json
    assert (found["rows"], found["leaves"], found["covered"]) == (2, 5, 1)
    assert found["unplaced"] == {"knots": 1}
    assert found["lists"]["audience"] == {"items": len(load_tree().audiences), "covered": 0}
    assert len(found["gaps"]) == 4
    assert read_coverage(tmp_path / "ledger").counts["topic"] == {"bees/the keeper/smoking a hive": 1}
    assert hornbook("topics", "coverage", tmp_path / "rows", *options).complaint(2).startswith("--out ")


def test_coverage_of_nothing_is_refused(hornbook: Command, tmp_path: Path) -> None:
    assert "no Parquet file there" in hornbook("topics", "coverage", tmp_path / "none").complaint(2)
