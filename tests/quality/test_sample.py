"""The sample that a model labels: its strata by hand, the same whatever the order of the rows."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hornbook.errors import InputError
from hornbook.quality import sample
from hornbook.quality.annotate import Annotate
from hornbook.quality.sample import Drawn, draw, evenly
from hornbook.records import Document, write_dataset, write_table
from hornbook.teacher.ask import Teacher
from hornbook.teacher.readings import text_digest

LLM = Teacher(provider="replay", model="m")


class Oracle:
    """A classifier that expects of a document the number in its text; embeddings are those numbers."""

    def __init__(self) -> None:
        self.asked = 0

    def predict(self, embeddings: np.ndarray) -> np.ndarray:
        self.asked += len(embeddings)
        return embeddings[:, 0]


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> Oracle:
    made = Oracle()
    monkeypatch.setattr(sample, "packaged", lambda: made)
    monkeypatch.setattr(sample, "embed_all", lambda texts, _: np.array([[float(text.split()[1])] for text in texts]))
    return made


def corpus(folder: Path, sizes: dict[float, int], shuffled: int | None = None) -> Path:
    """Documents of which so many are expected to have each score."""
    import pyarrow as pa

    numbers = itertools.count()
    rows = [
        Document(f"{n:05}", f"score {score} {n}", "s", f"{n}.py").row()
        for score, size in sizes.items()
        for n in itertools.islice(numbers, size)
    ]
    if shuffled is not None:
        random.Random(shuffled).shuffle(rows)
    write_table(folder, pa.Table.from_pylist(rows, schema=Document.schema))
    return folder


def told(drawn: list[Drawn]) -> list[tuple[Any, ...]]:
    return [(one.document.id, one.stratum, one.band, one.twice, one.read) for one in drawn]


def test_what_is_sought_is_spread_evenly_over_the_scores_expected(tmp_path: Path, oracle: Oracle) -> None:
    """40 documents, half of them sought, so 20 seats for 6 bands: 4 of the fives, 2 of the fours, and 14 for the rest."""
    sizes = {0.2: 130, 1.4: 130, 2.2: 130, 4.3: 2, 5.0: 4}
    config = Annotate(teacher=LLM, n=40, second=0)
    documents = corpus(tmp_path / "d", sizes)
    drawn = draw(config, documents)
    assert Counter(one.stratum for one in drawn) == {"random": 20, "sought": 20}
    rare = {one.document.id for one in drawn if one.document.text.split()[1] in ("4.3", "5.0")}
    assert len(rare) == 6
    bands = Counter(one.band for one in drawn if one.stratum == "sought")
    taken = {4: bands[4], 5: bands[5]}
    among_random = Counter(
        one.document.text.split()[1] for one in drawn if one.stratum == "random" and one.document.id in rare
    )
    assert taken == {4: 2 - among_random["4.3"], 5: 4 - among_random["5.0"]}
    left = 20 - bands[4] - bands[5]
    assert [bands[0], bands[1], bands[2], bands[3]] == [left // 3, left // 3 + (left % 3 > 1), -(-left // 3), 0]


def test_seats_are_given_as_evenly_as_the_sizes_allow() -> None:
    assert evenly([100, 50, 10, 3, 1, 0], 50) == [18, 18, 10, 3, 1, 0]
    assert evenly([9, 9, 9], 8) == [2, 3, 3]  # the best are sought first
    assert evenly([1, 2, 0], 50) == [1, 2, 0]
    assert evenly([], 3) == []
    assert evenly([5, 5], 0) == [0, 0]


def test_what_is_sought_does_not_touch_the_random_sample(tmp_path: Path, oracle: Oracle) -> None:
    """The unbiased half is that of a run that seeks nothing and asks for as many."""
    documents = corpus(tmp_path / "d", {1.0: 90, 5.0: 10})
    both = draw(Annotate(teacher=LLM, n=30), documents)
    alone = draw(Annotate(teacher=LLM, n=15, sought=0), documents)
    assert [one.document.id for one in both if one.stratum == "random"] == [one.document.id for one in alone]


@pytest.mark.parametrize("shuffled", [1, 2])
def test_the_same_documents_are_drawn_whatever_the_order_of_the_rows(
    tmp_path: Path, oracle: Oracle, monkeypatch: pytest.MonkeyPatch, shuffled: int
) -> None:
    known = {text_digest(f"score 1.0 {n}"): [{"score": 2}] for n in range(40)}
    monkeypatch.setattr("hornbook.teacher.readings.readings", lambda: known)
    sizes = {1.0: 150, 3.0: 60, 5.0: 10}
    config = Annotate(teacher=LLM, n=40, second=0.3, check=20)
    first = told(draw(config, corpus(tmp_path / "a", sizes)))
    monkeypatch.setattr(sample, "BLOCK", 7)
    again = told(draw(config, corpus(tmp_path / "b", sizes, shuffled)))
    assert first == again
    assert first == sorted(first)


def test_only_so_many_candidates_are_looked_at(tmp_path: Path, oracle: Oracle) -> None:
    draw(Annotate(teacher=LLM, n=10), corpus(tmp_path / "d", {1.0: 500}))
    assert oracle.asked == 20 * 5


def test_a_corpus_that_is_labelled_whole_is_its_own_random_sample(tmp_path: Path, oracle: Oracle) -> None:
    drawn = draw(Annotate(teacher=LLM, n=30), corpus(tmp_path / "d", {1.0: 20, 5.0: 10}))
    assert Counter(one.stratum for one in drawn) == {"random": 30}
    assert oracle.asked == 0


def test_a_share_is_labelled_twice_and_chosen_in_both_strata(tmp_path: Path, oracle: Oracle) -> None:
    drawn = draw(Annotate(teacher=LLM, n=200, second=0.25), corpus(tmp_path / "d", {1.0: 300, 4.0: 300}))
    twice = Counter(one.stratum for one in drawn if one.twice)
    assert twice.total() == 50
    assert min(twice["random"], twice["sought"]) > 10


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, list[int]]], None]:
    def know(scores: dict[str, list[int]]) -> None:
        known = {text_digest(text): [{"score": score} for score in given] for text, given in scores.items()}
        monkeypatch.setattr("hornbook.teacher.readings.readings", lambda: known)

    return know


def test_files_that_readers_know_are_asked_about_besides(
    tmp_path: Path, oracle: Oracle, read: Callable[[dict[str, list[int]]], None]
) -> None:
    read({f"score 1.0 {n}": [2, 3] for n in range(30)})
    drawn = draw(Annotate(teacher=LLM, n=20, sought=0, check=20, second=1), corpus(tmp_path / "d", {1.0: 60}))
    checked = [one for one in drawn if one.stratum == "check"]
    inside = [one for one in drawn if one.stratum == "random" and one.read is not None]
    assert inside
    assert len(checked) + len(inside) == 20
    assert {one.read for one in checked + inside} == {2.5}
    assert not any(one.twice for one in checked)
    assert Counter(one.stratum for one in drawn) == {"random": 20, "check": len(checked)}


def test_what_is_drawn_anyway_serves_for_the_check(
    tmp_path: Path, oracle: Oracle, read: Callable[[dict[str, list[int]]], None]
) -> None:
    """The whole corpus is drawn, and the readers know eight of it: nothing more is asked."""
    read({f"score 1.0 {n}": [4] for n in range(8)})
    drawn = draw(Annotate(teacher=LLM, n=20, check=3), corpus(tmp_path / "d", {1.0: 20}))
    assert Counter(one.stratum for one in drawn) == {"random": 20}
    assert sum(one.read == 4.0 for one in drawn) == 8


def test_a_file_is_known_by_what_it_was_before_it_was_cleaned(
    tmp_path: Path, oracle: Oracle, read: Callable[[dict[str, list[int]]], None]
) -> None:
    read({"# by a@b.c\nx = 1\n": [3]})
    original = json.dumps({"original": text_digest("# by a@b.c\nx = 1\n")})
    rows = [Document("a", "x = 1\n", "s", "p", metadata=original), Document("b", "y = 1\n", "s", "q")]
    write_dataset(tmp_path / "d", rows, Document)
    assert [one.read for one in draw(Annotate(teacher=LLM), tmp_path / "d")] == [3.0, None]


def test_without_a_check_the_readers_are_left_out(
    tmp_path: Path, oracle: Oracle, read: Callable[[dict[str, list[int]]], None]
) -> None:
    read({f"score 1.0 {n}": [4] for n in range(8)})
    drawn = draw(Annotate(teacher=LLM, n=5, check=0), corpus(tmp_path / "d", {1.0: 20}))
    assert len(drawn) == 5
    assert {one.read for one in drawn} == {None}


def test_an_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa

    rows = [Document("a", text, "s", "p").row() for text in ("x = 1", "x = 2")]
    write_table(tmp_path / "d", pa.Table.from_pylist(rows, schema=Document.schema))
    with pytest.raises(InputError, match="id 'a' stands there more than once"):
        draw(Annotate(teacher=LLM), tmp_path / "d")


def test_the_packaged_classifier_is_what_looks(tmp_path: Path) -> None:
    """No stand-in: what a test file is expected to have lies above thirty re-exports."""
    import pyarrow as pa

    written = (Path(__file__).parent / "test_sample.py").read_text("utf-8")
    texts = [f"from .m{n} import a{n}\nfrom .n{n} import b{n}\n" * 3 for n in range(30)] + [written]
    rows = [Document(f"{n:03}", text, "s", f"{n}.py").row() for n, text in enumerate(texts)]
    write_table(tmp_path / "d", pa.Table.from_pylist(rows, schema=Document.schema))
    expected = sample.expectations(tmp_path / "d", {f"{n:03}" for n in range(31)}, 0)
    assert expected["030"] > max(expected[f"{n:03}"] for n in range(30))
