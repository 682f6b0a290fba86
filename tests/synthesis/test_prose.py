"""Sections without code: what is asked of them instead, which of the shelf they are, and how much a shelf repeats itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hornbook.artifacts import Ledger
from hornbook.errors import InputError, RecipeError
from hornbook.recipe import load_recipe
from hornbook.records import Provenance, Section, read_dataset, write_dataset
from hornbook.sandbox.run import Sandbox
from hornbook.synthesis.overlap import overlap
from hornbook.synthesis.prose import questions
from hornbook.synthesis.reverify import reverify
from hornbook.synthesis.textbooks import read_section, shelf, verify
from hornbook.synthesis.write import WriteTextbooks, write_textbooks

SANDBOX = Sandbox(workers=1)
ASKED = "".join(
    f"\n{n}. Why is it {n}? Because we have counted twice and both times it came out alike.\n" for n in "123"
)


def told(name: str, ending: str = ASKED, words: int = 700) -> Section:
    """A section of so many words, none of which stands in another section before its ending."""
    padding = " ".join(f"{name}{number}" for number in range(words - len(ending.split())))
    return Section(name, padding + "\n" + ending, "t", "a", "s", [], [], Provenance("shelf", recipe=f"prose/{name}.md"))


def asked(count: int, name: str) -> str:
    """Questions with answers that no other name's share."""
    answer = " ".join(f"{name}because{number}" for number in range(10))
    return "".join(f"\n{number}. Why {name}{number}? {answer}\n" for number in range(1, count + 1))


def fault_of(section: Section) -> str:
    ((checked, fault),) = verify([section], SANDBOX)
    assert checked.verified == (not fault)
    return fault


def test_prose_needs_no_code_and_code_does() -> None:
    prose = told("owl")
    assert fault_of(prose) == ""
    assert fault_of(replace(prose, provenance=Provenance("shelf", recipe="owl.md"))) == "no python block to verify"
    assert fault_of(replace(prose, provenance=Provenance("llm", recipe="prose/owl.md"))) == "no python block to verify"


@pytest.mark.parametrize(
    ("words", "fault"), [(649, "649 words"), (650, ""), (1000, ""), (1001, "1001 words; prose has 650 to 1000")]
)
def test_prose_has_a_length(words: int, fault: str) -> None:
    assert fault_of(told("owl", words=words)).startswith(fault)
    assert bool(fault_of(told("owl", words=words))) == bool(fault)


@pytest.mark.parametrize(("count", "good"), [(2, False), (3, True), (5, True), (6, False)])
def test_prose_asks_three_to_five_questions(count: int, good: bool) -> None:
    fault = "" if good else f"{count} numbered questions; prose asks 3 to 5"
    assert fault_of(told("owl", asked(count, "owl"))) == fault


def test_every_question_has_an_answer() -> None:
    unanswered = asked(2, "owl") + "\n3. And who pays?\n"
    assert fault_of(told("owl", unanswered)) == "the third question has no answer of 8 words"
    assert fault_of(told("owl", unanswered + "\n3. Nobody.\n")) == "the third question has no answer of 8 words"
    assert fault_of(told("owl", unanswered + "\n3. Whoever sat in the car, each for what he used.\n")) == ""


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        ("1. Fill the kettle.\n2. Wait.\n", []),
        ("A question? In a line without number.\n", []),
        ("1. One two three four? five six seven eight nine ten eleven\n", [False]),
        ("1. One two three four? five six seven eight nine ten eleven twelve\n", [True]),
        ("1. Why?\n2. How?\n\n1. a b c d e f g h\n2. a b c d e f g\n", [True, False]),
        ("1. Why?\n1. Is that an answer or is it another question?\n", [True]),
    ],
)
def test_a_question_is_a_numbered_line_and_its_answer_follows_or_has_its_number(
    text: str, answered: list[bool]
) -> None:
    assert questions(text) == answered


def test_code_in_prose_is_run() -> None:
    block = "```python\nprint(2)\n```\n\n```output\n{}\n```\n"
    assert fault_of(told("owl", ASKED + block.format(2))) == ""
    assert fault_of(told("owl", ASKED + block.format(3))) == "block 1 printed '2', the text says '3'"


def test_prose_shares_no_thirteen_words_with_any_other_section() -> None:
    thirteen = " ".join(f"w{number}" for number in range(13))
    code = "import re\n\nprint(1)  # " + thirteen
    given = {
        "owl": told("owl", asked(3, "owl") + thirteen.upper()),
        "hen": told("hen", asked(3, "hen") + thirteen.replace("w6", "w6, ")),
        "elk": told("elk", asked(3, "elk") + thirteen.replace("w6", "six")),
        "fox": Section("fox", f"```python\n{code}\n```\n", "t", "a", "s"),
    }
    faults = dict(zip(given, (fault for _, fault in verify(list(given.values()), SANDBOX)), strict=True))
    again = f"also told elsewhere: {thirteen}"
    assert faults == {"owl": again, "hen": again, "elk": "", "fox": ""}
    assert [fault for _, fault in verify([given["owl"], given["fox"]], SANDBOX)] == [faults["owl"], ""]
    assert [fault for _, fault in verify([given["owl"], given["elk"]], SANDBOX)] == ["", ""]


def test_of_a_longer_run_the_first_thirteen_words_are_named() -> None:
    run = [f"w{number}" for number in range(20)]
    pair = [told(name, asked(3, name) + " ".join(run)) for name in ("owl", "hen")]
    assert {fault for _, fault in verify(pair, SANDBOX)} == {f"also told elsewhere: {' '.join(run[:13])}"}


def test_imports_may_be_shared() -> None:
    line = "from a import " + ", ".join(f"w{number}" for number in range(13)) + "\n"
    pair = [told(name, asked(3, name) + line) for name in ("owl", "hen")]
    assert [fault for _, fault in verify(pair, SANDBOX)] == ["", ""]


def test_the_kind_stands_in_the_front_matter() -> None:
    about = "---\ntopic: t\naudience: a\nstyle: s\n{}---\ntext\n"
    for line, recipe in (("", "x.md"), ("kind: code\n", "x.md"), ("kind: prose\n", "prose/x.md")):
        assert read_section(about.format(line), "x.md").provenance.recipe == recipe
    for bad in ("poem", "", "[code]"):
        with pytest.raises(
            InputError, match=r"^x\.md: kind: .* is unknown; write code or prose, or leave it out for code$"
        ):
            read_section(about.format(f"kind: {bad}\n"), "x.md")


def test_the_shelf_has_thirty_sections_of_prose_and_gives_either_half() -> None:
    prose, code = shelf(["prose"]), shelf(["code"])
    assert len(prose) >= 30
    assert len(code) >= 150
    assert sorted(s.id for s in [*prose, *code]) == sorted(s.id for s in shelf())
    assert sum(len(s.text.split()) for s in prose) > 25_000


def written(folder: Path, config: WriteTextbooks) -> tuple[list[Section], Ledger]:
    ledger = Ledger()
    write_textbooks(config, responses=folder / "responses", out=folder, ledger=ledger)
    return list(read_dataset(folder / "sections", Section)), ledger


def test_only_the_kinds_asked_for_are_written_and_verified_again_as_what_they_are(tmp_path: Path) -> None:
    kept, ledger = written(tmp_path, WriteTextbooks(n=2, kinds=["prose"], sandbox=SANDBOX))
    assert sorted(s.provenance.recipe for s in kept) == [s.provenance.recipe for s in shelf(["prose"])[:2]]
    assert (ledger.rows_in, ledger.rows_out) == (2, 2)
    found = reverify(tmp_path, SANDBOX)
    assert (found["rows"], found["verified"]) == (2, 2)
    write_dataset(tmp_path / "sections", [replace(kept[0], text="Short.")], Section)
    assert [row["fault"] for row in reverify(tmp_path, SANDBOX)["faults"]] == ["1 words; prose has 650 to 1000"]


def test_a_recipe_takes_both_kinds_unless_it_says_which() -> None:
    assert WriteTextbooks().kinds == ["code", "prose"]
    assert load_recipe("laptop").textbooks.semantic() == {"kinds": ["code"]}
    assert load_recipe("laptop", ["textbooks.kinds=[code, prose]"]).textbooks.semantic() == {}
    for setting, complaint in (("[verse]", r"textbooks\.kinds\.0: .*'code' or 'prose'"), ("[]", r"textbooks\.kinds: ")):
        with pytest.raises(RecipeError, match=complaint):
            load_recipe("laptop", [f"textbooks.kinds={setting}"])


def test_what_sections_share_is_counted() -> None:
    run = " ".join(f"w{number}" for number in range(14))
    texts = {"a": f"one, {run}, two", "b": f"three {run.upper()} four", "c": f"import re\n{run} {run}"}
    found = overlap({**texts, "d": "import re\none w0 W1, w2"})
    assert found["longest_shared_run"] == {"words": 14, "text": run, "between": ["a", "b", "c"]}
    assert found["shared_13_grams"] == 2
    assert overlap({"c": texts["c"]})["longest_shared_run"] == {"words": 0, "text": "", "between": []}
    assert overlap({})["shared_13_grams"] == 0


@pytest.mark.parametrize(("own", "near"), [(12, [["a", "b"]]), (13, [])])
def test_near_duplicates_share_four_shingles_of_five(own: int, near: list[list[str]]) -> None:
    """100 words make 96 shingles; with d words of its own at the end each text adds d: 96 / (96 + 2d) ≥ 0.8 to d = 12."""
    shared = " ".join(f"s{number}" for number in range(100))
    texts = {name: " ".join([shared, *(f"{name}{number}" for number in range(own))]) for name in ("a", "b")}
    assert overlap(texts)["near_duplicates"] == near


def test_the_shelf_repeats_itself_little_and_says_how_much(tmp_path: Path) -> None:
    _, ledger = written(tmp_path, WriteTextbooks(sandbox=SANDBOX))
    figures = ledger.figures
    assert figures["sections"] == {"code": len(shelf(["code"])), "prose": len(shelf(["prose"]))}
    assert figures["words"]["prose"] == sum(len(s.text.split()) for s in shelf(["prose"]))
    assert figures["near_duplicates"] == []
    assert figures["longest_shared_run"]["words"] < 50
    assert figures["shared_13_grams"] < 100
