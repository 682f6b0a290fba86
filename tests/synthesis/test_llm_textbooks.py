"""A language model's textbook sections: outlined, drafted, run, examined, and rewritten only where that is better."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hornbook.artifacts import Ledger
from hornbook.errors import CanaryError, MissingResponse, RequestError
from hornbook.records import Document, Rejected, Section, content_id, read_dataset, write_dataset
from hornbook.sandbox.run import Sandbox
from hornbook.synthesis.llm import asking
from hornbook.synthesis.llm.asking import numbered
from hornbook.synthesis.llm.commission import Subjects
from hornbook.synthesis.llm.prompts import RUBRIC
from hornbook.synthesis.llm.reading import markdown_in, python_in
from hornbook.synthesis.llm.textbooks import Chapters
from hornbook.synthesis.reverify import reverify
from hornbook.synthesis.write import WriteTextbooks, write_textbooks
from scripted import TEACHER, Answer, Script

Scripted = Callable[[Answer], Script]
SANDBOX = Sandbox(workers=1, cpu_seconds=1, wall_seconds=3)
PROSE = "A sum is what two numbers make when one is added to the other."


def outline(*titles: str) -> str:
    plans = [{"title": t, "goal": f"use {t}", "points": ["what", "how"], "example": "a jar of {nails}"} for t in titles]
    return json.dumps({"sections": plans})


def code(title: str, output: str = "2", block: str = "print(1 + 1)") -> str:
    return f"# {title}\n\n{PROSE}\n\n```python\n{block}\n```\n\n```output\n{output}\n```\n"


def examination(grade: float, *faults: str) -> str:
    return json.dumps({"scores": dict.fromkeys(RUBRIC, grade), "faults": list(faults)})


def title_in(words: str) -> str:
    """The title of the section that a question is about."""
    found = re.search(r'"title": "([^"]+)"', words) or re.search(r"^# (.+)$", words, re.MULTILINE)
    assert found
    return found[1]


def author(**steps: Any) -> Answer:
    """A model whose answers are given by step: a text, None, or a function of the question's words."""
    given = {
        "outlines": outline("Alpha"),
        "sections": lambda words: code(title_in(words)),
        "examination": examination(5),
    }
    given |= {name.replace("_", " "): answer for name, answer in steps.items()}

    def answer(label: str, request: Any) -> str | None:
        found = given[label]
        return found(request.messages[-1][1]) if callable(found) else found

    return answer


def written(
    folder: Path,
    n: int = 1,
    sections: int = 1,
    *,
    documents: Path | None = None,
    subjects: Subjects = Subjects(),
    kinds: Sequence[str] = ("code",),
    **how: Any,
) -> tuple[list[Section], list[Rejected], Ledger]:
    ledger = Ledger()
    chapters = Chapters(**{"sections": sections, "min_words": 5, **how})
    config = WriteTextbooks(
        writer="llm",
        n=n,
        kinds=list(kinds),
        teacher=TEACHER,
        chapters=chapters,
        subjects=subjects,
        sandbox=SANDBOX,
        seed=3,
    )
    write_textbooks(config, responses=folder / "responses", out=folder, ledger=ledger, documents=documents)
    rejected = list(read_dataset(folder / "rejected", Rejected))
    assert ledger.rows_in == n == ledger.rows_out + len(rejected)
    return list(read_dataset(folder / "sections", Section)), rejected, ledger


def told(section: Section) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(section.provenance.recipe)
    return found


def test_an_outline_becomes_sections_and_all_that_led_to_them_is_on_record(tmp_path: Path, scripted: Scripted) -> None:
    script = scripted(author(outlines=outline("Alpha", "Beta")))
    kept, rejected, _ = written(tmp_path, n=2, sections=2)
    assert sorted(row.text for row in kept) == [code("Alpha"), code("Beta")]
    assert (rejected, all(row.verified for row in kept)) == ([], True)
    assert script.labels() == ["outlines", "sections", "sections", "examination", "examination"]
    for row in kept:
        place = ["Alpha", "Beta"].index(title_in(row.text))
        made = row.provenance
        keys = [script.keys("sections")[place], script.keys("outlines")[0], script.keys("examination")[place]]
        assert (made.writer, made.teacher, made.responses) == ("llm", "m", keys)
        assert made.prompt_digest == content_id(script.texts("sections")[place])
        assert told(row)["steps"] == ["draft", "outline", "critique"]
        assert (told(row)["grade"], told(row)["half"]) == (5.0, "programming")
        assert f"Reader: {row.audience}\n" in script.texts("sections")[place]
        assert f"Manner: {row.style}\n" in script.texts("sections")[place]
        assert all(part.rsplit("/", 1)[1] in script.texts("outlines")[0] for part in row.topic.split(" × "))


def test_a_rewrite_that_mends_the_code_is_kept_whatever_its_grade(tmp_path: Path, scripted: Scripted) -> None:
    def grade(words: str) -> str:
        return examination(5 if "```output\n3\n" in words else 3, "too dry")

    script = scripted(author(sections=code("Alpha", output="3"), examination=grade, rewrites=code("Alpha")))
    (row,), rejected, ledger = written(tmp_path)
    assert (row.text, rejected) == (code("Alpha"), [])
    assert ledger.figures["revision"] == {"rewrite kept: code holds": 1, "ungraded": 0}
    assert "- When it was checked: block 1 printed '2', the text says '3'\n- too dry" in script.texts("rewrites")[0]
    assert told(row)["steps"] == ["draft", "outline", "critique", "rewrite", "critique"]
    assert row.provenance.prompt_digest == content_id(script.texts("rewrites")[0])
    assert row.provenance.responses[told(row)["wrote"]] == script.keys("rewrites")[0]
    assert told(row)["grade"] == 3.0


def test_a_rewrite_that_breaks_the_code_is_dropped_and_nobody_is_asked_what_it_is_worth(
    tmp_path: Path, scripted: Scripted
) -> None:
    script = scripted(author(examination=examination(3, "dull"), rewrites=code("Alpha", output="7")))
    (row,), _, ledger = written(tmp_path)
    assert row.text == code("Alpha")
    assert ledger.figures["revision"] == {"rewrite dropped": 1, "ungraded": 0}
    assert script.labels().count("examination") == 1
    assert row.provenance.prompt_digest == content_id(script.texts("sections")[0])
    assert script.keys("rewrites")[0] in row.provenance.responses


@pytest.mark.parametrize(("grade", "kept"), [(4, "Beta"), (3, "Alpha"), (2, "Alpha")])
def test_of_two_texts_that_hold_the_higher_graded_is_kept_and_a_tie_leaves_the_draft(
    tmp_path: Path, scripted: Scripted, grade: int, kept: str
) -> None:
    def examine(words: str) -> str:
        return examination(grade if "# Beta" in words else 3, "dull")

    script = scripted(author(examination=examine, rewrites=code("Beta")))
    (row,), _, ledger = written(tmp_path)
    assert row.text == code(kept)
    outcome = "kept: graded higher" if kept == "Beta" else "dropped"
    assert ledger.figures["revision"] == {f"rewrite {outcome}": 1, "ungraded": 0}
    assert told(row)["grade"] == (4.0 if kept == "Beta" else 3.0)
    assert [key in row.provenance.responses for key in script.keys("examination")] == [True, True]
    wrote = script.keys("rewrites" if kept == "Beta" else "sections")[0]
    assert row.provenance.responses[told(row)["wrote"]] == wrote


def test_a_second_rewrite_starts_from_what_stands(tmp_path: Path, scripted: Scripted) -> None:
    grades = {"Alpha": 3, "Beta": 4, "Gamma": 2}
    script = scripted(
        author(
            examination=lambda words: examination(grades[title_in(words)], "dull"),
            rewrites=lambda words: code("Gamma" if "# Beta" in words else "Beta"),
        )
    )
    (row,), _, ledger = written(tmp_path, rewrites=2)
    assert row.text == code("Beta")
    assert ledger.figures["revision"] == {"rewrite kept: graded higher": 1, "rewrite dropped": 1, "ungraded": 0}
    assert script.labels().count("examination") == 3  # none is examined twice
    assert len(row.provenance.responses) == len(set(row.provenance.responses)) == len(script.asked)
    assert told(row)["steps"] == ["draft", "outline", "critique", "rewrite", "critique", "rewrite", "critique"]


@pytest.mark.parametrize("answer", [examination(4.75, "could be better"), examination(3), "I like it.", None])
def test_nothing_is_rewritten_without_a_reason(tmp_path: Path, scripted: Scripted, answer: str | None) -> None:
    """The grade is enough, the examiner names no fault, or does not say."""
    script = scripted(author(examination=answer))
    (row,), _, ledger = written(tmp_path)
    assert "rewrites" not in script.labels()
    assert ledger.figures["revision"]["ungraded"] == (answer is None or "scores" not in answer)
    assert row.verified


@pytest.mark.parametrize(
    "scores",
    [{}, [], None, {"correct": 5}, dict.fromkeys(RUBRIC, 6), dict.fromkeys(RUBRIC, "5"), dict.fromkeys(RUBRIC, True)],
)
def test_a_grade_needs_a_number_for_every_point(tmp_path: Path, scripted: Scripted, scores: Any) -> None:
    scripted(author(examination=json.dumps({"scores": scores, "faults": []})))
    (row,), _, ledger = written(tmp_path)
    assert (ledger.figures["revision"]["ungraded"], told(row)["grade"]) == (1, None)


def test_what_the_examiner_thinks_little_of_is_dropped(tmp_path: Path, scripted: Scripted) -> None:
    scripted(author(outlines=outline("Alpha", "Beta"), examination=lambda w: examination(2 if "# Beta" in w else 2.5)))
    kept, rejected, _ = written(tmp_path, n=2, sections=2, rewrites=0)
    assert [row.text for row in kept] == [code("Alpha")]
    assert [(row.reason, row.detail) for row in rejected] == [("low-grade", "2.00 of 5")]


def test_without_rewrites_and_lowest_grade_nobody_is_asked_to_examine(tmp_path: Path, scripted: Scripted) -> None:
    script = scripted(author())
    assert len(written(tmp_path, rewrites=0, min_grade=0)[0]) == 1
    assert script.labels() == ["outlines", "sections"]


@pytest.mark.parametrize(
    ("steps", "reasons"),
    [
        ({"outlines": "no plan"}, ["unanswered-schema"] * 2),
        ({"outlines": '{"sections": ['}, ["unanswered-schema"] * 2),
        ({"outlines": None}, ["unanswered-timeout"] * 2),
        ({"outlines": '{"sections": 7}'}, ["unanswered-schema"] * 2),
        ({"outlines": '{"sections": [{"title": "Alpha"}, 3]}'}, ["unanswered-schema"] * 2),
        ({"outlines": '{"sections": []}'}, ["short-outline"] * 2),
        ({"outlines": outline("Alpha")}, ["short-outline"]),
        ({"sections": None}, ["unanswered-timeout"] * 2),
        ({"sections": "# Hm\n\nNo."}, ["too-short"] * 2),
        ({"sections": code("Alpha")}, ["duplicate"]),
        ({"sections": lambda words: f"# {title_in(words)}\n\n{PROSE}\n"}, ["not-verified"] * 2),
        ({"sections": lambda words: code(title_in(words), block="while True: pass")}, ["not-verified"] * 2),
        ({"sections": lambda words: code(title_in(words), block="print(1 +")}, ["not-verified"] * 2),
        ({"sections": lambda words: code(title_in(words), output="3") if "Beta" in title_in(words) else code("Alpha")}, ["not-verified"]),
    ],
)  # fmt: skip
def test_what_is_no_section_is_a_counted_refusal(
    tmp_path: Path, scripted: Scripted, steps: dict[str, Any], reasons: Sequence[str]
) -> None:
    scripted(author(**{"outlines": outline("Alpha", "Beta"), **steps}))
    kept, rejected, ledger = written(tmp_path, n=2, sections=2, rewrites=0)
    assert [row.reason for row in rejected] == list(reasons)
    assert sum(ledger.rejected.values()) == len(reasons) == 2 - len(kept)


def test_half_of_a_surrogate_pair_in_a_plan_can_be_asked_about(tmp_path: Path, scripted: Scripted) -> None:
    script = scripted(author(outlines=outline("Alpha").replace("use", "\\ud83d"), sections=code("Alpha")))
    assert len(written(tmp_path)[0]) == 1
    assert '"goal": "\ufffd Alpha"' in script.texts("sections")[0]


@pytest.mark.parametrize(
    ("answer", "why"), [(None, "unanswered-timeout"), ("# Hm", "too-short"), (code("Alpha"), "duplicate")]
)
def test_a_rewrite_that_is_none_leaves_the_draft(
    tmp_path: Path, scripted: Scripted, answer: str | None, why: str
) -> None:
    scripted(author(examination=examination(3, "dull"), rewrites=answer))
    (row,), _, ledger = written(tmp_path)
    assert row.text == code("Alpha")
    assert ledger.figures["revision"] == {f"rewrite refused: {why}": 1, "ungraded": 0}


def prose(title: str, words: int = 700, more: str = "") -> str:
    """A section that no other shares a sentence with, of `words` + 54 words."""
    name = title.lower()
    body = " ".join(f"{name}{n}" for n in range(words))
    questions = (f"{n}. Why {name} {n}? Because of the reason that {name} gave before it." for n in range(1, 5))
    return f"# {title}\n\n{body}\n\n" + "\n".join(questions) + f"\n{more}"


def test_prose_is_for_ordinary_things_alone_and_its_form_and_code_have_to_hold_too(
    tmp_path: Path, scripted: Scripted
) -> None:
    texts = {
        "Alpha": prose("Alpha"),
        "Beta": prose("Beta", words=300),
        "Gamma": prose("Gamma", more="\n```python\n1 / 0\n```\n"),
    }
    script = scripted(author(outlines=outline(*texts), sections=lambda words: texts[title_in(words)]))
    kept, rejected, _ = written(tmp_path, n=3, sections=3, rewrites=0, kinds=["prose"])
    assert [(row.text, told(row)["half"]) for row in kept] == [(texts["Alpha"], "common sense")]
    assert sorted(row.detail.partition(":")[0] for row in rejected) == [
        "354 words; prose has 650 to 1000",
        "block 1 failed",
    ]
    assert all("No programs." in words for words in script.texts("sections"))
    assert reverify(tmp_path)["verified"] == 1


def test_what_prose_lacks_is_told_to_who_mends_it(tmp_path: Path, scripted: Scripted) -> None:
    script = scripted(author(sections=prose("Alpha", words=300), rewrites=prose("Alpha")))
    (row,), _, _ = written(tmp_path, kinds=["prose"])
    assert row.text == prose("Alpha")
    assert "- When it was checked: 354 words; prose has 650 to 1000" in script.texts("rewrites")[0]
    assert "four numbered questions" in script.texts("rewrites")[0]


def test_prose_in_the_programming_half_is_refused(tmp_path: Path, scripted: Scripted) -> None:
    scripted(author(sections=prose("Alpha")))
    _, (row,), _ = written(tmp_path, rewrites=0)
    assert row.detail == "no python block to verify"


def test_both_kinds_are_written_when_both_are_asked_for(tmp_path: Path, scripted: Scripted) -> None:
    numbers = iter(range(20))
    script = scripted(author(outlines=lambda _: outline(f"Chapter {next(numbers)}")))
    written(tmp_path, n=12, rewrites=0, kinds=["code", "prose"])
    assert {"No programs." in words for words in script.texts("sections")} == {True, False}


def test_chatter_and_a_fence_about_the_whole_are_taken_off(tmp_path: Path, scripted: Scripted) -> None:
    wrapped = "```markdown\nHere is your section!\n\n" + code("Alpha") + "```"
    scripted(author(sections=wrapped))
    (row,), _, _ = written(tmp_path)
    assert row.text == code("Alpha")


def test_all_outlines_are_drawn_before_the_first_is_asked_for(tmp_path: Path, scripted: Scripted) -> None:
    numbers = iter(range(20))
    script = scripted(author(outlines=lambda _: outline(*(f"Title {next(numbers)}" for _ in range(2)))))
    kept, _, _ = written(tmp_path, n=5, sections=2)
    assert script.labels()[:3] == ["outlines"] * 3
    assert len(kept) == 5  # the last outline's second section is not asked for
    assert len(set(script.keys("outlines"))) == 3


def test_the_same_rows_come_of_small_rounds(
    tmp_path: Path, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The duplicate is in another round."""

    def plan(words: str) -> str:
        return outline(*(f"T {content_id(words)[:3]} {place}" for place in range(2)))

    def write(words: str) -> str:
        return code(title_in(words).split()[2])

    for name, sizes in (("one", (20, 64, 2048)), ("many", (1, 1, 1))):
        for constant, size in zip(("PILOT", "FIRST", "MOST"), sizes, strict=True):
            monkeypatch.setattr(asking, constant, size)
        scripted(author(outlines=plan, sections=write))
        written(tmp_path / name, n=6, sections=2)
    for part in ("sections", "rejected"):
        one, many = (next((tmp_path / name / part).iterdir()).read_bytes() for name in ("one", "many"))
        assert one == many


def test_a_finished_job_replays_from_the_store_to_the_same_bytes(
    tmp_path: Path, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(author(sections=code("Alpha", output="3"), examination=examination(3, "dull"), rewrites=code("Alpha")))
    written(tmp_path)
    before = next((tmp_path / "sections").iterdir()).read_bytes()
    monkeypatch.undo()
    written(tmp_path)
    assert next((tmp_path / "sections").iterdir()).read_bytes() == before


def test_without_answers_replay_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingResponse, match="replay: the store holds no response"):
        written(tmp_path)


def corpus(folder: Path) -> Path:
    rows = [Document("d1", "def hum():\n    return 'bees'\n", "s", "p.py", ["MIT"])]
    write_dataset(folder / "documents", rows, Document)
    return folder


def test_a_passage_in_the_question_is_a_parent_whose_licence_goes_with_the_row(
    tmp_path: Path, scripted: Scripted
) -> None:
    script = scripted(author())
    (row,), _, _ = written(tmp_path, documents=corpus(tmp_path / "corpus"), subjects=Subjects(passages=True))
    assert (row.parents, row.license) == (["d1"], ["MIT"])
    for label in ("outlines", "sections"):
        assert "--------------------\ndef hum():\n    return 'bees'\n" in script.texts(label)[0]


def test_passages_without_a_corpus_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"subjects\.passages reads a corpus; name its folder with --documents DIR"):
        written(tmp_path, subjects=Subjects(passages=True))


def test_what_was_written_before_is_not_asked_for_first(tmp_path: Path, scripted: Scripted) -> None:
    script = scripted(author(outlines=lambda words: outline(f"T {content_id(words)}")))
    first, _, _ = written(tmp_path / "first", n=20)
    earlier = Subjects(previous=[str(tmp_path / "first")])
    second, _, _ = written(tmp_path / "second", n=20, subjects=earlier)
    topics = [{topic for row in rows for topic in row.topic.split(" × ")} for rows in (first, second)]
    assert topics[0].isdisjoint(topics[1])
    assert len(script.asked) == 2 * 3 * 20


def test_output_that_is_not_compared_fails_the_run(
    tmp_path: Path, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(author())
    monkeypatch.setattr("hornbook.synthesis.textbooks.stripped", lambda _: [])
    with pytest.raises(CanaryError, match="write/wrong-output"):
        written(tmp_path)


def test_a_teacher_that_breaks_its_section_does_not_hide_the_planted_fault(
    tmp_path: Path, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted section must fail for its output alone, whatever else the teacher's does."""
    scripted(author(sections=code("Alpha", block="1 / 0")))
    monkeypatch.setattr("hornbook.synthesis.textbooks.stripped", lambda _: [])
    with pytest.raises(CanaryError, match="write/wrong-output"):
        written(tmp_path, rewrites=0)


def test_questions_are_drawn_by_the_seed(tmp_path: Path, scripted: Scripted) -> None:
    found = {}
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        script = scripted(author(outlines="no plan"))
        config = WriteTextbooks(writer="llm", n=40, seed=seed, teacher=TEACHER, chapters=Chapters(sections=1))
        write_textbooks(config, responses=tmp_path / name, out=tmp_path / name, ledger=Ledger())
        found[name] = script.keys("outlines")
    assert found["first"] == found["again"]
    assert len(set(found["first"])) == 40
    assert set(found["first"]).isdisjoint(found["other"])


def test_words_drawn_twice_are_asked_as_another_attempt() -> None:
    asked = numbered(["a", "b", "a", "a"], "", Counter())
    assert [(question.text, question.attempt) for question in asked] == [("a", 0), ("b", 0), ("a", 1), ("a", 2)]


def test_what_ended_without_an_answer_is_not_asked_again_so_that_a_replay_finds_the_same(
    tmp_path: Path, scripted: Scripted
) -> None:
    """An examination that came at the second asking would be there at a replay's first, which would then rewrite."""
    given = iter([None, examination(3, "dull")])
    script = scripted(author(examination=lambda _: next(given), rewrites=code("Beta")))
    (row,), _, ledger = written(tmp_path)
    assert (script.labels(), ledger.figures["revision"]) == (["outlines", "sections", "examination"], {"ungraded": 1})
    assert told(row)["grade"] is None


def test_after_a_rewrite_that_was_no_better_another_is_asked_for(tmp_path: Path, scripted: Scripted) -> None:
    titles = iter(["Beta", "Gamma"])
    grades = {"Alpha": 3, "Beta": 2, "Gamma": 4}
    script = scripted(
        author(
            examination=lambda words: examination(grades[title_in(words)], "dull"),
            rewrites=lambda _: code(next(titles)),
        )
    )
    (row,), _, ledger = written(tmp_path, rewrites=2)
    assert (row.text, row.provenance.attempt) == (code("Gamma"), 1)
    assert [request.attempt for label, request in script.asked if label == "rewrites"] == [0, 1]
    assert ledger.figures["revision"] == {"rewrite dropped": 1, "rewrite kept: graded higher": 1, "ungraded": 0}


def test_thoughts_aloud_are_no_part_of_a_text() -> None:
    thought = "\n<think>\n# Title?\n```python\nprint('a longer one')\n```\n</think>\n"
    assert markdown_in(thought + "# Sums\n\nText.") == "# Sums\n\nText.\n"
    assert python_in(thought + "```python\nx = 1\n```\n") == "x = 1\n"
    assert markdown_in("# On <think>\n\nA tag, </think>.") == "# On <think>\n\nA tag, </think>.\n"
