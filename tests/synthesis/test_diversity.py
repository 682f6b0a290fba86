"""The diversity meter: figures by hand, collapse of what is alike, the dial to turn, and a writer that stops."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.artifacts import Ledger
from hornbook.errors import CanaryError, CollapseError, InputError
from hornbook.records import Document, Exercise, Provenance, Rejected, Section, write_dataset
from hornbook.synthesis import diversity as meter_module
from hornbook.synthesis.alone import diversity_of
from hornbook.synthesis.diversity import Diversity, plant, report, watched
from hornbook.synthesis.limits import MEASURES, Limits, collapsed
from hornbook.synthesis.pages import PAGE_ROWS, Page, opener, seen
from hornbook.synthesis.procedural import Procedural, compose
from hornbook.synthesis.sketches import word_hashes
from hornbook.synthesis.textbooks import shelf


def varied(number: int, length: int = 60) -> str:
    """A text of made-up words, that shares next to nothing with another."""
    chance = random.Random(number)
    return " ".join("".join(chance.choices(ascii_lowercase, k=6)) for _ in range(length))


def metered(rows: Iterator[dict[str, Any]] | list[dict[str, Any]], limits: Limits = Limits()) -> Diversity:
    meter = Diversity(limits)
    for row in rows:
        meter.add(row)
    return meter


def page_of(*texts: str) -> Page:
    page = Page()
    for text in texts:
        page.add(seen({"text": text}), text.split(), word_hashes(text.split()), None)
    return page


# what is looked at


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("# A Title\n\nOnce upon a time there was", "once upon a"),
        ("```python\nprint(1)\n```\nIt's *printed*, then", "it's printed then"),
        ("Two words", "two words"),
        ("", ""),
    ],
)
def test_the_opener_of_a_text_is_its_first_three_words_of_prose(text: str, begins: str) -> None:
    assert seen({"text": text}).labels["openers"] == [begins]


def test_an_exercise_opens_with_its_docstring_and_is_named_by_its_function() -> None:
    prompt = 'from math import pi\n\ndef sum_of_3_sums(x):\n    """Return the sum of all."""\n'
    view = seen({"prompt": prompt, "solution": "    pass\n", "name": "sum_of_3_sums", "topic": "folds"})
    assert view.text == prompt + "    pass\n"
    assert view.labels == {
        "openers": ["return the sum"],
        "names": ["of", "sum", "sums"],
        "topics": ["folds"],
        "audiences": [],
    }


def test_names_in_a_text_are_capitals_within_sentences_outside_code() -> None:
    text = "# Lily And Tom\n\nThen Wen met Ilse, Wen and Bo. She writes Python.\n\n```python\nx = Foo(a, Bar)\n```\n"
    assert seen({"text": text}).labels["names"] == ["Bo", "Ilse", "Wen"]


def test_a_topic_that_only_says_who_wrote_the_row_is_none() -> None:
    made = {"writer": "reversal", "prompt_digest": "ab"}
    assert seen({"text": "", "topic": "reversal", "provenance": made}).labels["topics"] == []
    assert seen({"text": "", "topic": "loops", "provenance": made}).labels["topics"] == ["loops"]


def test_prompts_are_told_apart_by_their_digests_and_no_digest_is_none() -> None:
    asked = [seen({"text": "", "provenance": {"prompt_digest": digest}}).asked for digest in ("a", "b", "a", "")]
    assert asked[0] == asked[2] != asked[1]
    assert asked[3] == seen({"text": "", "provenance": None}).asked == seen({"text": ""}).asked == 0


def test_of_a_long_text_both_ends_are_looked_at() -> None:
    page = page_of(" ".join(f"w{n}" for n in range(500)))
    assert page.texts[0].split() == [f"w{n}" for n in [*range(80), *range(420, 500)]]
    assert page.hashes[0].tolist() == word_hashes(page.texts[0].split()).tolist()
    whole = " ".join(f"w{n}" for n in range(160))
    assert page_of(whole).texts == [whole]


# a page


def test_distinct_ngrams_by_hand() -> None:
    """a b a b, then a b c: unigrams 3 of 7, bigrams ab ba bc of 5, trigrams aba bab abc of 3."""
    figures = page_of("a b a b", "a b c").figures()
    assert [figures[f"distinct_{n}"] for n in (1, 2, 3)] == [pytest.approx(3 / 7), pytest.approx(3 / 5), 1.0]


def test_ngrams_do_not_run_from_one_row_into_the_next() -> None:
    assert page_of("a", "b", "a", "b").distinct(2) is None


def test_compression_is_bytes_over_compressed_bytes() -> None:
    import zlib

    page = page_of("red red red", "blue")
    assert page.compression() == pytest.approx(16 / len(zlib.compress(b"red red red\nblue")))


def test_what_rows_do_not_have_is_not_measured() -> None:
    figures = page_of("много слов", "без перевода").figures()
    assert {name for name, value in figures.items() if value is None} == {
        "topics", "audiences", "names", "coverage", "distinct_3",
    }  # fmt: skip


def test_labels_are_judged_where_half_of_the_rows_have_one() -> None:
    topics = [{"text": varied(n), **({"topic": "t"} if n < 31 else {})} for n in range(64)]
    assert metered(topics).collapses == []
    assert metered([*topics[:63], topics[0]]).collapses[0].measure == "topics"
    assert page_of("so Wen said", "nobody", "nobody").figures()["names"] is None
    assert page_of("so Wen said", "so Bo said", "nobody").figures()["names"] == pytest.approx(2)


# the meter


def test_figures_by_hand() -> None:
    rows = [
        {"text": f"{'Same' if n % 2 else 'Other'} words begin {varied(n)}", "topic": f"t{n % 4}"} for n in range(130)
    ]
    found = metered([*rows, rows[0]]).figures()
    assert (found["rows"], found["words"], found["pages"]) == (131, 131 * 63, 2)
    assert found["near_duplicates"] == round(1 / 131, 4)
    assert found["facets"]["openers"] == {
        "distinct": 2, "bits": 1.0, "top": [["other words begin", round(66 / 131, 4)], ["same words begin", round(65 / 131, 4)]],
    }  # fmt: skip
    assert found["measures"]["topics"] == {"mean": 4.0, "worst": 4.0, "limit": 4.0}
    assert found["measures"]["opener"]["mean"] == 0.5
    assert found["measures"]["distinct_1"]["limit"] is None
    assert "audiences" not in found["facets"]
    assert json.loads(json.dumps(found)) == found


def test_mean_and_worst_are_over_full_pages() -> None:
    first = [{"text": f"one two {'three' if n < 48 else n} {varied(n)}"} for n in range(64)]
    second = [{"text": f"four five {'six' if n < 16 else n} {varied(n + 64)}"} for n in range(64)]
    found = metered([*first, *second, *first[:20]]).figures()["measures"]["opener"]
    assert (found["mean"], found["worst"]) == (0.5, 0.75)


def test_fewer_rows_than_a_page_are_measured_and_not_judged() -> None:
    meter = metered([{"text": "all the same"}] * 63)
    assert meter.figures()["measures"]["opener"] == {"mean": 1.0, "worst": 1.0, "limit": 0.4}
    assert (meter.figures()["pages"], meter.collapses, meter.line) == (0, [], "")
    meter.halt()


def test_halves_of_surrogate_pairs_are_measured() -> None:
    assert metered([{"text": "half \ud83d of a pair"}] * 64).collapsed_pages == 1


def test_nothing_measured_has_figures_too() -> None:
    found = Diversity().figures()
    assert (found["rows"], found["near_duplicates"], found["measures"], found["facets"]) == (0, None, {}, {})


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=150), st.randoms())
def test_what_is_said_of_all_rows_does_not_depend_on_their_order(numbers: list[int], chance: random.Random) -> None:
    rows = [{"text": f"{number % 3} {varied(number)}", "topic": str(number % 7)} for number in numbers]
    one = metered(rows).figures()
    chance.shuffle(rows)
    other = metered(rows).figures()
    for name in ("rows", "words", "pages", "near_duplicates", "facets"):
        assert one[name] == other[name]
    assert one["coverage"] == pytest.approx(other["coverage"], abs=2e-4)


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=300))
def test_any_text_written_64_times_has_collapsed(text: str) -> None:
    meter = metered([{"text": text}] * PAGE_ROWS)
    assert "near_duplicates" in {one.measure for one in meter.collapses}
    with pytest.raises(CollapseError):
        meter.halt()


def test_the_shelf_and_procedural_exercises_are_varied() -> None:
    drills = compose(Procedural(n=256, seed=5))[0]
    for rows in (shelf(), drills):
        found = metered(row.row() for row in rows).figures()
        assert found["pages"] == len(rows) // 64 >= 2
        assert found["collapses"] == []


def test_a_good_page_does_not_excuse_a_bad_one() -> None:
    good = [{"text": varied(n)} for n in range(64)]
    meter = metered([*good, *[{"text": varied(64)}] * 64, *good])
    assert {(one.first_row, one.last_row) for one in meter.collapses} >= {(65, 128)}
    assert meter.collapsed_pages == 2  # the third repeats the first


# which dial


def spoilt(change: dict[str, Any] | None = None, **texts: Any) -> list[dict[str, Any]]:
    """64 varied rows, changed in one way."""
    rows = [
        {
            "text": texts.get("start", f"begin{n} x{n} so")
            + f" said {texts.get('name', f'Wen{chr(97 + n % 26)}o')} {varied(n)}",
            "topic": f"t{n}",
            "audience": f"a{n % 9}",
        }
        for n in range(PAGE_ROWS)
    ]
    return [row | (change or {}) for row in rows]


def test_varied_rows_have_not_collapsed() -> None:
    assert metered(spoilt()).collapses == []


@pytest.mark.parametrize(
    ("rows", "measure", "dial"),
    [
        (spoilt({"topic": "t"}), "topics", "topics"),
        (spoilt({"audience": "a"}), "audiences", "audiences"),
        (spoilt(start="In this section"), "opener", "audiences"),
        (spoilt(name="Lily"), "names", "names"),
        (spoilt({"text": varied(1)}), "near_duplicates", "temperature"),
        (spoilt({"text": varied(1), "provenance": {"prompt_digest": "p"}}), "repeats", "seeds"),
        (
            [row | {"text": " ".join(varied(n % 8, 10) for n in random.Random(i).sample(range(99), 12))} for i, row in enumerate(spoilt())],
            "distinct_3",
            "temperature",
        ),
    ],
)  # fmt: skip
def test_each_way_of_being_alike_has_its_dial(rows: list[dict[str, Any]], measure: str, dial: str) -> None:
    meter = metered(rows)
    assert meter.collapses[0].measure == measure
    with pytest.raises(CollapseError, match=rf"^diversity: rows 1-64 have collapsed: .* Turn {dial}: "):
        meter.halt()


def test_answers_to_one_prompt_count_once_as_repeats() -> None:
    found = metered(spoilt({"text": varied(1), "provenance": {"prompt_digest": "p"}})).figures()["measures"]
    assert (found["repeats"]["worst"], found["near_duplicates"]["worst"]) == (round(63 / 64, 4), 0)


def test_the_message_is_about_the_first_page_that_collapsed() -> None:
    meter = metered([*spoilt(), *spoilt({"topic": "t"}), *spoilt({"topic": "t"})], Limits(near_duplicates=0))
    with pytest.raises(
        CollapseError, match=r"rows 65-128 have collapsed: effective number of topics 1 \(at least 4\)\. "
    ):
        meter.halt()


def test_the_message_names_the_value_the_limit_and_the_way_on() -> None:
    meter = metered(spoilt({"topic": "t"}))
    with pytest.raises(CollapseError) as caught:
        meter.halt()
    assert str(caught.value) == (
        "diversity: rows 1-64 have collapsed: effective number of topics 1 (at least 4). "
        "Turn topics: give a wider tree, or expand this one. "
        "Every answer is kept; diversity.halt=false (--no-halt) goes on as is"
    )


@pytest.mark.parametrize("name", list(MEASURES))
def test_a_value_on_its_limit_is_within_it_and_a_limit_of_0_is_none(name: str) -> None:
    limit = getattr(Limits(), name)
    far = 10 * limit if MEASURES[name].most else 0.0
    assert collapsed({name: limit}, Limits(), 64) == []
    assert [one.measure for one in collapsed({name: far}, Limits(), 64)] == [name]
    assert collapsed({name: far}, Limits(**{name: 0}), 64) == []


def test_limits_shape_no_bytes_and_enter_no_key() -> None:
    from hornbook.synthesis.write import WriteExercises, WriteTextbooks

    for kind in (WriteExercises, WriteTextbooks):
        assert kind(diversity=Limits(halt=False, topics=1)).semantic() == kind().semantic() == {}


# the writers


def drill(number: int, text: str = "") -> Exercise:
    return Exercise(
        f"{number:03}", f"f{number}", f'def f(x):\n    """{text or varied(number)}"""\n', "    pass\n", "", f"t{number}"
    )


def test_a_writer_is_stopped_at_the_row_that_fills_the_page() -> None:
    taken = []

    def rows() -> Iterator[Exercise]:
        for number in range(1000):
            taken.append(number)
            yield drill(number, "The same whatever is asked.")

    with pytest.raises(CollapseError):
        list(watched(rows(), Diversity(), "exercises"))
    assert len(taken) == 64


def test_duplicates_that_were_refused_count_and_other_rejects_do_not() -> None:
    again = [Rejected(str(n), "write", "duplicate") for n in range(7)]
    unread = [Rejected(str(n), "write", "unreadable-answer") for n in range(500)]
    meter = Diversity()
    with pytest.raises(CollapseError, match=r"rows 1-64 .* near duplicates 0\.109 \(at most 0\.1\)"):
        list(watched([*unread, *(drill(n) for n in range(57)), *again], meter, "exercises"))
    meter = Diversity()
    list(watched([*(drill(n) for n in range(58)), *again[:6]], meter, "exercises"))
    assert meter.figures()["measures"]["near_duplicates"]["worst"] == round(6 / 64, 4)
    with pytest.raises(CollapseError):
        list(watched([Rejected("", "write", "duplicate")] * 64, Diversity(), "exercises"))


def test_without_halt_rows_pass_whatever_they_are() -> None:
    rows = [drill(number, "The same whatever is asked.") for number in range(130)]
    meter = Diversity(Limits(halt=False))
    assert list(watched(rows, meter, "exercises")) == rows
    assert meter.figures()["collapsed_pages"] == 2


def test_a_report_never_halts_and_says_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger()
    report([drill(number, "The same whatever is asked.") for number in range(64)], Limits(opener=0.9), ledger)
    assert ledger.figures["diversity"]["collapsed_pages"] == 1
    assert ledger.figures["diversity"]["measures"]["opener"] == {"mean": 1.0, "worst": 1.0, "limit": 0.9}
    assert capsys.readouterr().err == (
        "  distinct 3-grams 0.016 · compression ratio 39 · near duplicates 0.98 · share of the commonest opener 1\n"
    )


def test_planted_rows_see_that_every_limit_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger()
    plant(Limits(opener=0), ledger)
    assert len(ledger.canaries) == 1 + 2 * len(MEASURES)
    for name in MEASURES:

        def deaf(figures: Any, limits: Limits, last: int, name: str = name) -> Any:
            return [one for one in collapsed(figures, limits, last) if one.measure != name]

        monkeypatch.setattr(meter_module, "collapsed", deaf)
        with pytest.raises(CanaryError, match=f"write/diversity-{name}"):
            plant(Limits(), Ledger())


# anybody's rows


def test_the_same_rows_have_the_same_figures_in_any_file(tmp_path: Path) -> None:
    rows = [Document(f"{n:03}", varied(n), "s", "p") for n in range(70)]
    write_dataset(tmp_path / "set" / "documents", rows, Document)
    lines = [json.dumps({"text": row.text}) for row in rows]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines))
    (tmp_path / "packed").write_bytes(gzip.compress("\n\n".join(json.dumps(row.text) for row in rows).encode()))
    found = [
        diversity_of(tmp_path / name)
        for name in ("set", "set/documents", "set/documents/part-00000.parquet", "rows.jsonl", "packed")
    ]
    assert found[0]["rows"] == 70
    assert all(other == found[0] for other in found)


def test_exercises_and_sections_of_a_folder_are_found(tmp_path: Path) -> None:
    write_dataset(tmp_path / "e" / "exercises", [drill(1), drill(2)], Exercise)
    write_dataset(tmp_path / "e" / "held_out", [drill(3)], Exercise)
    write_dataset(tmp_path / "s" / "sections", [Section("1", "# T\n\nWords", "t", "a", "s")], Section)
    assert diversity_of(tmp_path / "e")["rows"] == 2
    assert diversity_of(tmp_path / "s")["facets"]["audiences"]["top"] == [["a", 1.0]]


def test_rows_without_text_are_refused_and_counted(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(
        b'{"text": "good"}\n{"text": 3}\n[1]\nnot json\n\xff\n{"id": 1}\n{"text": "\\ud83d"}\n{"prompt": "p"}\n'
    )
    found = diversity_of(tmp_path / "rows.jsonl")
    assert (found["rows"], found["rejected"]) == (2, {"malformed": 6})


@pytest.mark.parametrize(
    ("name", "content"), [("no.jsonl", None), ("empty.jsonl", b""), ("bad.parquet", b"PAR1"), ("cut.gz", b"\x1f\x8bxx")]
)
def test_what_cannot_be_measured_is_refused_by_name(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        diversity_of(tmp_path / name)


def test_a_folder_without_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no Parquet file in this folder"):
        diversity_of(tmp_path)


def test_opener_of_one_word() -> None:
    assert opener("“Hello!”") == "hello"


def test_provenance_that_is_no_struct_is_ignored() -> None:
    assert seen({"text": "", "provenance": "somewhere"}).asked == 0
    assert seen(Section("1", "", "t", "a", "s", provenance=Provenance("llm", prompt_digest="x")).row()).asked != 0
