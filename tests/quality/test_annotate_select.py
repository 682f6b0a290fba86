"""Labels asked of a teacher, and the cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from hornbook.artifacts import Ledger
from hornbook.errors import CanaryError, InputError, MissingResponse
from hornbook.quality import known
from hornbook.quality import select as cutting
from hornbook.quality.annotate import Annotate, annotate, request_for
from hornbook.quality.rubrics import PHI1, RUBRICS
from hornbook.quality.sample import draw
from hornbook.quality.select import Select, select
from hornbook.records import Annotation, Document, Rejected, read_dataset, read_table, write_dataset, write_table
from hornbook.teacher.ask import Teacher
from hornbook.teacher.readings import text_digest
from hornbook.teacher.store import ResponseStore

LLM = Annotate(teacher=Teacher(provider="replay", model="m"))


def documents(folder: Path, count: int) -> list[Document]:
    rows = [Document(f"{n:03}", f"x = {n}\n", "s", f"{n}.py") for n in range(count)]
    write_dataset(folder / "documents", rows, Document)
    return rows


def annotated(folder: Path, config: Annotate) -> tuple[list[Annotation], list[Rejected], Ledger]:
    ledger = Ledger()
    annotate(config, documents=folder / "documents", responses=folder / "responses", out=folder, ledger=ledger)
    kept = list(read_dataset(folder / "annotations", Annotation))
    return kept, list(read_dataset(folder / "rejected", Rejected)), ledger


def answered(folder: Path, config: Annotate, answers: list[str]) -> None:
    """Fill the store with one answer a document."""
    store = ResponseStore(folder / "responses")
    for row, text in zip(documents(folder, len(answers)), answers, strict=True):
        store.put(request_for(config, row).key, {"choices": [{"message": {"content": text}}]})


def test_answers_become_labels(tmp_path: Path) -> None:
    answered(
        tmp_path,
        LLM,
        ['{"reason": "clear", "score": 4}', 'I think:\n```json\n{"score": 0, "reason": "data"}\n``` Done.'],
    )
    kept, rejected, ledger = annotated(tmp_path, LLM)
    assert [(row.id, row.score, row.reason, row.annotator, row.stratum) for row in kept] == [
        ("000", 4.0, "clear", "m", "random"),
        ("001", 0.0, "data", "m", "random"),
    ]
    assert (rejected, ledger.rows_in, ledger.rows_out) == ([], 2, 2)


def test_a_label_is_found_among_other_braces_and_the_last_counts(tmp_path: Path) -> None:
    first, last = '{"reason": "at first", "score": 1}', '{"score": 3, "reason": "line\nbreak"}'
    answered(tmp_path, LLM, [f"f{{x}} and {{}}: {first}, no: {last} {{1}}", f'{{"label": {last}}}'])
    kept, _, _ = annotated(tmp_path, LLM)
    assert [(row.score, row.reason) for row in kept] == [(3.0, "line\nbreak")] * 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("four out of five", "unreadable-answer"),
        ("", "unreadable-answer"),
        ('{"score": 4}', "unreadable-answer"),
        ('{"reason": "x", "score": "good"}', "unreadable-answer"),
        ('{"reason": "x", "score": null}', "unreadable-answer"),
        ('{"reason": "x", "score": [4]}', "unreadable-answer"),
        ("}{", "unreadable-answer"),
        ('{"a": ' * 5000 + "}", "unreadable-answer"),
        ('{"reason": "\\ud83d", "score": 3}', "unreadable-answer"),
        ('{"reason": "x", "score": 1' + "0" * 400 + "}", "unreadable-answer"),
        ('{"reason": "x", "score": 6}', "score-out-of-range"),
        ('{"reason": "x", "score": -1}', "score-out-of-range"),
        ('{"reason": "x", "score": NaN}', "score-out-of-range"),
        ('{"reason": "x", "score": Infinity}', "score-out-of-range"),
    ],
)
def test_an_answer_that_is_no_label_is_a_counted_reject(tmp_path: Path, answer: str, reason: str) -> None:
    answered(tmp_path, LLM, [answer, '{"reason": "x", "score": 1}'])
    kept, rejected, ledger = annotated(tmp_path, LLM)
    assert [row.id for row in kept] == ["001"]
    assert [(row.id, row.stage, row.reason, row.excerpt) for row in rejected] == [
        ("000", "annotate", reason, answer[:200])
    ]
    assert ledger.rejected == {reason: 1}
    assert (ledger.rows_in, ledger.rows_out) == (2, 1)


def test_a_document_without_an_answer_stops_a_replay(tmp_path: Path) -> None:
    documents(tmp_path, 1)
    with pytest.raises(MissingResponse, match="replay: the store holds no response"):
        annotated(tmp_path, LLM)


def test_a_model_is_asked_the_rubric_about_the_beginning_of_the_file() -> None:
    config = LLM.model_copy(update={"max_characters": 5})
    request = request_for(config, Document("i", "0123456789", "s", "p"))
    line = "===== 84d89877f0d4041e ====="  # sha256 of the whole text
    told = (
        f"{line}\n01234\n{line}\nIt goes on for another 5 characters, which are not shown.\n"
        "Judge the file between the two lines, and answer with JSON."
    )
    assert request.messages == (("system", PHI1), ("user", told))
    assert request.schema == RUBRICS["phi1"].schema


def test_as_many_are_drawn_as_asked_for_and_by_the_seed(tmp_path: Path) -> None:
    documents(tmp_path, 30)
    drawn = [
        [row.document.id for row in draw(LLM.model_copy(update={"n": 5, "seed": seed}), tmp_path / "documents")]
        for seed in (1, 1, 2)
    ]
    assert len(set(drawn[0])) == 5
    assert drawn[0] == drawn[1] != drawn[2]


def reading(score: int, annotator: str = "a", **more: Any) -> dict[str, Any]:
    return {"score": score, "reason": f"said {annotator}", "stratum": "sought", "annotator": annotator, **more}


def test_what_people_read_is_labelled_with_their_mean_and_the_rest_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = documents(tmp_path, 4)
    known = {text_digest(rows[1].text): [reading(2), reading(3, "b")], text_digest(rows[3].text): [reading(5)]}
    monkeypatch.setattr("hornbook.teacher.readings.readings", lambda: known)
    kept, _, ledger = annotated(tmp_path, Annotate())
    assert [(row.id, row.score, row.reason, row.stratum) for row in kept] == [
        ("001", 2.5, "said a / said b", "sought"),
        ("003", 5.0, "said a", "sought"),
    ]
    assert ledger.rows_in == 2
    about = {"files": 1, "spearman": None, "kappa": 0.0, "within_1": 1.0, "mean_difference": -1.0, "auc_at_3": None}
    assert ledger.figures["readers_agreement"] == about


def test_a_new_version_of_the_readings_is_not_answered_from_the_old_ones_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = documents(tmp_path, 1)
    for version, value in (("v1", 1), ("v2", 4)):
        read = {text_digest(row.text): [reading(value)]}
        monkeypatch.setattr("hornbook.teacher.readings.readings", lambda read=read: read)
        monkeypatch.setattr(known, "readings_digest", lambda version=version: version)
        kept, _, _ = annotated(tmp_path, Annotate())
        assert [label.score for label in kept] == [value]


def scored(folder: Path, values: list[float], order: list[int] | None = None) -> dict[str, Path]:
    """Documents 000, 001 … with these scores; the scores' rows may stand in another order."""
    documents(folder, len(values))
    rows = [(f"{n:03}", values[n]) for n in (order or range(len(values)))]
    table = pa.table(
        {"id": pa.array([r[0] for r in rows], pa.string()), "score": pa.array([r[1] for r in rows], pa.float64())}
    )
    write_table(folder / "scores", table)
    return {"documents": folder / "documents", "scores": folder / "scores"}


def kept_ids(folder: Path, inputs: dict[str, Path], **values: Any) -> tuple[list[str], Ledger]:
    ledger = Ledger()
    select(Select(**values), **inputs, out=folder / "out", ledger=ledger)
    return read_table(folder / "out" / "documents")["id"].to_pylist(), ledger


SCORES = [1.0, 4.0, 2.0, 3.0, 5.0]


def test_the_best_share_is_kept_and_the_rest_says_why(tmp_path: Path) -> None:
    kept, ledger = kept_ids(tmp_path, scored(tmp_path, SCORES), share=0.4)
    assert kept == ["001", "004"]
    rejected = list(read_dataset(tmp_path / "out" / "rejected", Rejected))
    first = Rejected("000", "select", "below-cut", "score 1.0000 < 4.0000", "x = 0\n")
    assert rejected[0] == first
    assert len(rejected) == ledger.rejected["below-cut"] == 3
    assert ledger.figures == {"cut": 4.0, "share": 0.4}
    assert (ledger.rows_in, ledger.rows_out) == (5, 2)


def test_a_score_belongs_to_its_document_wherever_it_stands(tmp_path: Path) -> None:
    kept, _ = kept_ids(tmp_path, scored(tmp_path, SCORES, order=[4, 2, 0, 1, 3]), share=0.4)
    assert kept == ["001", "004"]


def test_documents_at_the_cut_are_kept_together(tmp_path: Path) -> None:
    kept, _ = kept_ids(tmp_path, scored(tmp_path, [1.0, 3.0, 3.0, 3.0]), share=0.25)
    assert kept == ["001", "002", "003"]


def test_a_score_given_is_the_cut(tmp_path: Path) -> None:
    kept, _ = kept_ids(tmp_path, scored(tmp_path, SCORES), at_least=3.0, share=0.01)
    assert kept == ["001", "003", "004"]


def test_however_small_the_share_one_is_kept(tmp_path: Path) -> None:
    kept, _ = kept_ids(tmp_path, scored(tmp_path, SCORES), share=0.0001)
    assert kept == ["004"]


def test_a_document_without_a_score_is_refused(tmp_path: Path) -> None:
    inputs = scored(tmp_path, SCORES)
    documents(tmp_path, 7)
    with pytest.raises(InputError, match="2 documents have no score; score this very dataset first"):
        kept_ids(tmp_path, inputs)


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the corpus is empty"):
        kept_ids(tmp_path, scored(tmp_path, []))


def test_canaries_stand_just_above_and_below_the_cut(tmp_path: Path) -> None:
    _, ledger = kept_ids(tmp_path, scored(tmp_path, SCORES), at_least=2.5)
    assert [(row["name"], row["threshold"], row["expected"], row["caught"]) for row in ledger.canaries] == [
        ("select/above-cut", 2.5, True, True),
        ("select/below-cut", 2.5, False, False),
    ]


def test_a_cut_that_is_not_applied_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, real = scored(tmp_path, SCORES), cutting.keep
    monkeypatch.setattr(cutting, "keep", lambda values, cut, ledger: real(values, Ignored(cut), ledger))
    with pytest.raises(CanaryError, match="select/below-cut"):
        kept_ids(tmp_path, inputs, at_least=2.5)


class Ignored(float):
    """A cut that everything passes."""

    def __le__(self, other: object) -> bool:
        return True

    __array_priority__ = 1000

    def __array_ufunc__(self, ufunc: Any, method: str, *given: Any, **more: Any) -> Any:
        plain = [float(item) if isinstance(item, Ignored) else item for item in given]
        found = getattr(ufunc, method)(*plain, **more)
        return found | True if ufunc.__name__ == "greater_equal" else found
