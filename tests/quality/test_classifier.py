"""The classifier and its file, its examination on packages it has not seen, and why it gives a score."""

from __future__ import annotations

import functools
import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import skops.io

from hornbook.artifacts import Ledger
from hornbook.corpus.sources import Item
from hornbook.errors import InputError
from hornbook.quality import classify as room
from hornbook.quality import package
from hornbook.quality import score as scoring
from hornbook.quality import why as reasons
from hornbook.quality.agreement import auc, quadratic_kappa, reliability, spearman
from hornbook.quality.classifier import FARTHEST, FILE, PARTS, Classifier, Levelled, fit, line, load, packaged, save
from hornbook.quality.classify import Classify, agreement, classify, cross_validate, train
from hornbook.quality.embed import NAMES, embed
from hornbook.quality.features import SHAPE
from hornbook.quality.files import score_files
from hornbook.quality.score import Score, score
from hornbook.quality.why import leaning_words, meaning_slope, why
from hornbook.records import Annotation, Document, read_table, write_dataset
from hornbook.teacher.readings import reserved, text_digest

LOOP, DATA = "for x in y:\n    while x:\n        x = f(x)\n", "A = [1, 2, 3]\n"
LOOPS = "".join(LOOP.replace("f(", f"f{n}(") for n in range(20))
FUNCTIONS = "".join(f"def f{n}(x):\n    return x + {n}\n" for n in range(20))


@pytest.fixture(scope="module")
def judge() -> Classifier:
    """Has seen loops that are worth 5, and functions and data that are worth 0."""
    texts = [text * (n + 1) for n in range(6) for text in (LOOP, LOOPS, FUNCTIONS, DATA)]
    made = fit(Levelled(penalty=100), embed(texts), [5, 5, 0, 0] * 6)
    return replace(made, slope=1.2, offset=-0.5)


class Twice:
    """Levels numbers by doubling them; in the middle stands 0, of the first number 1."""

    scale_ = 0.5
    mean_ = np.zeros(len(NAMES) - len(SHAPE))
    quantiles_ = np.outer([1.0, 1.0, 1.0], np.arange(len(SHAPE)) == 0)

    def transform(self, rows: np.ndarray) -> np.ndarray:
        return 2 * rows


class Sum:
    """A machine that adds its numbers up."""

    support_vectors_ = np.zeros((1, len(NAMES)))
    dual_coef_ = np.zeros((1, 1))
    gamma = 1.0

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(rows.sum(axis=1))


def plain(weight: float = 1.0, slope: float = 1.0, offset: float = 0.0) -> Classifier:
    """A classifier whose scores can be worked out by hand."""
    return Classifier(Twice(), Twice(), Sum(), weight, slope, offset)  # type: ignore[arg-type]


def labels(sources: list[str], scores: list[float] | None = None, strata: str = "") -> list[Annotation]:
    scores = scores or [float(n % 6) for n in range(len(sources))]
    strata = strata or "r" * len(sources)
    words = {"r": "random", "s": "sought"}
    rows = zip(sources, scores, strata, strict=True)
    return [Annotation(f"{n:03}", s, "why", "me", words[x], source, "p") for n, (source, s, x) in enumerate(rows)]


def test_a_classifier_comes_back_as_it_was(judge: Classifier, tmp_path: Path) -> None:
    save(judge, tmp_path / FILE)
    rows = np.random.default_rng(1).random((20, len(NAMES)))
    back = load(tmp_path / FILE)
    assert np.array_equal(back.predict(rows), judge.predict(rows))
    assert (back.slope, back.offset) == (judge.slope, judge.offset)


def test_equal_classifiers_are_equal_bytes(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((30, len(NAMES)))
    for name in "ab":
        save(fit(Levelled(), rows, rows[:, 0]), tmp_path / name)
    save(fit(Levelled(margin=0.3), rows, rows[:, 0]), tmp_path / "c")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def row_of(shape: float, meaning: float) -> np.ndarray:
    """An embedding that is nothing but its first number of either kind."""
    row = np.zeros((1, len(NAMES)))
    row[0, 0], row[0, len(SHAPE)] = shape, meaning
    return row


def test_shape_is_kept_near_its_median_and_meaning_is_weighed() -> None:
    near, far = plain(weight=1.5).levelled(row_of(1.2, 1.2))[0], plain().levelled(row_of(-9.0, -9.0))[0]
    assert (near[0], near[len(SHAPE)]) == pytest.approx((2.4, 3.6))
    assert (far[0], far[len(SHAPE)]) == (-FARTHEST, -18.0)


def test_a_score_is_the_line_through_what_the_machine_says_within_0_to_5() -> None:
    made = plain(slope=1.2, offset=-0.3)
    rows = np.vstack([row_of(0.25, 0.5), row_of(1.0, 2.0), row_of(0.0, 0.0)])  # levelled, they sum up to 1.5, 6 and 0
    assert made.predict(rows).tolist() == pytest.approx([1.5, 5.0, 0.0])
    assert made.predict(rows[:0]).tolist() == []


def test_the_line_brings_predictions_to_their_labels() -> None:
    assert line(np.array([1.0, 2.0, 3.0]), [0.0, 2.0, 4.0]) == pytest.approx((2.0, -2.0))
    assert line(np.array([2.0, 2.0, 2.0]), [0.0, 2.0, 4.0]) == (1.0, 0.0)
    assert line(np.array([1.0, 2.0, 3.0]), [4.0, 2.0, 0.0]) == (1.0, 0.0)


class Command:
    """Pickled, it would run a command."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("made-by-pickle",)


@pytest.mark.parametrize("kind", ["call", "pickle", "noise", "cut", "empty", "missing"])
def test_a_file_that_is_no_classifier_is_refused_and_runs_nothing(
    kind: str, judge: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / FILE
    if kind == "call":
        skops.io.dump(functools.partial(os.mkdir, "made-by-skops"), path)
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(Command()))
    elif kind != "missing":
        save(judge, path)
        path.write_bytes({"noise": b"PK\x03\x04 noise", "cut": path.read_bytes()[:-50], "empty": b""}[kind])
    with pytest.raises(InputError, match="no such file" if kind == "missing" else "not a hornbook classifier"):
        load(path)
    assert [item.name for item in tmp_path.iterdir() if item != path] == []


def test_a_classifier_of_other_features_is_refused(tmp_path: Path) -> None:
    save(fit(Levelled(), np.random.default_rng(0).random((4, len(SHAPE) + 3)), [0, 1, 2, 3]), tmp_path / FILE)
    with pytest.raises(InputError, match=f"'scale': 3.* features, this version has .*'scale': {PARTS['scale']}"):
        load(tmp_path / FILE)


@pytest.mark.parametrize(
    "held",
    [{"a": 1}, dict.fromkeys(["quantiles", "scale", "machine", "weight"], 1), {"kind": "svr", "machine": 2}, [1], None],
)
def test_a_file_that_holds_something_harmless_and_no_classifier_is_refused(held: Any, tmp_path: Path) -> None:
    skops.io.dump(held, tmp_path / FILE)
    with pytest.raises(InputError, match="not a hornbook classifier"):
        load(tmp_path / FILE)


def test_no_label_is_predicted_by_who_saw_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [f"package{n % 4}" if n % 5 else "python" for n in range(40)]
    given = [replace(label, path=f"module{n % 3}/x.py") for n, label in enumerate(labels(sources))]
    embeddings = np.arange(40.0)[:, None]  # a row is the number of its label
    predicted_by: dict[int, set[str]] = {}

    class Spy:
        def __init__(self, rows: np.ndarray) -> None:
            self.seen = {room.package(given[int(row)]) for row in rows[:, 0]}

        def raw(self, rows: np.ndarray) -> np.ndarray:
            predicted_by.update({int(row): self.seen for row in rows[:, 0]})
            return np.array(rows[:, 0])

    monkeypatch.setattr(room, "fit", lambda _config, rows, _scores: Spy(rows))
    found = cross_validate(Classify(folds=3, trees=2), embeddings, given)
    assert found["levelled"].tolist() == list(range(40))
    for row, seen in predicted_by.items():
        assert room.package(given[row]) not in seen
        assert len(seen) >= 3
    assert {"python module0", "python module1", "python module2"} <= {room.package(label) for label in given}


def test_with_one_label_its_prediction_is_the_mean() -> None:
    found = cross_validate(Classify(), np.zeros((1, 2)), labels(["one"], [2.0]))
    assert sorted(found) == ["forest", "levelled", "ridge", "svr"]
    assert all(values.tolist() == [2.0] for values in found.values())


def test_of_one_package_folders_are_not_split_and_of_one_folder_files() -> None:
    def groups(*places: tuple[str, str]) -> list[str]:
        given = labels([source for source, _ in places])
        return room.groups_of([replace(row, path=path) for row, (_, path) in zip(given, places, strict=True)])

    assert groups(("one", "a/x.py"), ("one", "a/y.py"), ("two", "a/x.py")) == ["one", "one", "two"]
    assert groups(("one", "a/x.py"), ("one", "a/y.py"), ("one", "b/x.py")) == ["a", "a", "b"]
    assert groups(("one", "a/x.py"), ("one", "a/y.py")) == ["000", "001"]


def test_what_is_shipped_is_calibrated_on_packages_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    given = labels([f"package{n % 4}" for n in range(8)], [0.0, 2.0, 4.0, 2.0, 0.0, 2.0, 4.0, 2.0])
    shrunk = np.array([1.0, 2.0, 3.0, 2.0, 1.0, 2.0, 3.0, 2.0])
    monkeypatch.setattr(room, "cross_validate", lambda *_: dict.fromkeys(("levelled", "forest"), shrunk))
    made, predicted, figures = train(Classify(), np.random.default_rng(0).random((8, len(NAMES))), given)
    assert (made.slope, made.offset) == pytest.approx((2.0, -2.0))
    assert predicted.tolist() == pytest.approx([label.score for label in given])
    assert figures["kappa"] == 1.0
    same = {"labels": 8, "spearman": 1.0, "auc_at_3": 1.0, "kappa": 1.0}
    assert figures["alternatives"]["forest"] == {**same, "random": same}
    assert {name: figures[name] for name in ("kind", "embedder", *same, "random")} == {
        "kind": "levelled", "embedder": "packaged", **same, "random": same
    }  # fmt: skip


def test_spearman_by_hand() -> None:
    assert spearman([1, 2, 3, 4], [10, 20, 40, 30]) == 0.8  # 1 - 6 * 2 / (4 * 15)
    assert spearman([1, 2, 3], [3, 2, 1]) == -1.0


@pytest.mark.parametrize(("first", "second"), [([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [2, 2, 2])])
def test_rank_correlation_is_none_where_it_is_not_defined(first: list[float], second: list[float]) -> None:
    assert spearman(first, second) is None


def test_auc_by_hand() -> None:
    # at 3: positives .4 .35 .9, negatives .1 .8; of six pairs .4>.1 .35>.1 .9>.1 .9>.8 are in order
    assert auc([0, 3, 5, 2, 4], [0.1, 0.4, 0.35, 0.8, 0.9]) == round(4 / 6, 4)
    assert auc([0, 3], [1.0, 1.0]) == 0.5
    assert auc([3, 4], [1.0, 2.0]) is None


def test_quadratic_kappa_by_hand() -> None:
    # observed: squares 0, 4, 0 of three pairs; expected: each of (0, 2, 2) with each of (0, 0, 2): 0 0 4 4 4 0 4 4 0 of nine
    assert quadratic_kappa([0, 1, 2], [0, 1, 2]) == 1.0
    assert quadratic_kappa([0, 2, 2], [0.2, 0.4, 2.3]) == round(1 - (4 / 3) / (20 / 9), 4)
    # apart by 0, 1, 0 and 2: squares 5 of four pairs; expected: (0, 1, 2, 2) with (0, 2, 2, 0): 8 + 4 + 8 + 8 of sixteen
    assert quadratic_kappa([0, 1, 2, 2], [0, 2, 2, 0]) == round(1 - (5 / 4) / (28 / 16), 4)  # linear weights: 1 - 3/4
    assert quadratic_kappa([1, 1], [1.2, 0.9]) is None


def test_reliability_by_hand() -> None:
    # 0 and 1: standard deviation √½, standard error ½, so 0.5 ± 0.98, of which what is below 0 cannot be
    assert reliability([0, 1, 3, 5], [0.8, 1.2, 3.4, 7.0]) == [
        {"labels": 2, "predicted": 1.0, "read": 0.5, "low": 0.0, "high": 1.48},
        {"labels": 1, "predicted": 3.4, "read": 3.0, "low": None, "high": None},
        {"labels": 1, "predicted": 7.0, "read": 5.0, "low": None, "high": None},
    ]


def test_agreement_reports_the_random_stratum_apart() -> None:
    given = labels(list("abcdef"), [0, 1, 3, 4, 5, 2], "rrrsss")
    found = agreement(given, np.array([0.0, 1.0, 2.0, 5.0, 4.0, 9.0]))
    assert found["random"] == {"labels": 3, "spearman": 1.0, "auc_at_3": 1.0, "kappa": 0.8571}  # 1 - (1/3) / (21/9)
    assert found["labels"] == 6
    assert found["auc_at_3"] == round(6 / 9, 4)  # 9 stands above three positives


def corpus_of(folder: Path, texts: list[str], scores: list[float]) -> dict[str, Path]:
    rows = [Document(f"{n:03}", text, f"package{n % 3}", f"{n}.py") for n, text in enumerate(texts)]
    write_dataset(folder / "documents", rows, Document)
    write_dataset(folder / "annotations", labels([row.source for row in rows], scores), Annotation)
    return {"documents": folder / "documents", "annotations": folder / "annotations"}


LESSON = (
    '"""Binary search, explained step by step."""\n\n\ndef search(items, wanted):\n    """Return the place of wanted in '
    'sorted items, or -1.\n\n    >>> search([1, 3, 5], 3)\n    1\n    """\n    low, high = 0, len(items) - 1\n'
    "    while low <= high:\n        middle = (low + high) // 2\n        if items[middle] == wanted:\n"
    "            return middle\n        if items[middle] < wanted:\n            low = middle + 1\n        else:\n"
    "            high = middle - 1\n    return -1\n"
)
TABLE = "CODES = {\n" + "".join(f"    {n}: 'code{n}',\n" for n in range(60)) + "}\n"


def test_enough_labels_train_a_classifier_that_tells_them_apart(tmp_path: Path) -> None:
    inputs = corpus_of(
        tmp_path, [(LOOP if n % 2 else DATA) * (n + 1) for n in range(24)], [float(n % 2) * 5 for n in range(24)]
    )
    ledger = Ledger()
    classify(Classify(trees=7, min_labels=24, folds=3), **inputs, out=tmp_path, ledger=ledger)
    assert ledger.figures["classifier"] == "trained"
    assert ledger.figures["auc_at_3"] == 1.0
    rows = pq.read_table(tmp_path / "cross_validation.parquet").to_pylist()
    assert [(row["id"], row["label"]) for row in rows[:2]] == [("000", 0.0), ("001", 5.0)]
    high, low = load(tmp_path / FILE).predict(embed([LOOP * 8, DATA * 8]))
    assert low < 1 < 4 < high


def test_too_few_labels_take_the_packaged_classifier_and_say_so(tmp_path: Path) -> None:
    inputs, ledger = corpus_of(tmp_path, [LOOP, DATA], [5.0, 0.0]), Ledger()
    classify(Classify(min_labels=3), **inputs, out=tmp_path, ledger=ledger)
    assert ledger.figures == {"classifier": "packaged", "labels": 2}
    rows = embed([LOOP, DATA])
    assert np.array_equal(load(tmp_path / FILE).predict(rows), packaged().predict(rows))
    assert pq.read_table(tmp_path / "cross_validation.parquet").num_rows == 0


def test_scores_stand_in_the_order_of_the_documents(judge: Classifier, tmp_path: Path) -> None:
    rows = [Document(f"{n}", LOOP if n % 2 else DATA, "s", "p") for n in range(6)]
    write_dataset(tmp_path / "documents", rows, Document)
    save(judge, tmp_path / FILE)
    ledger = Ledger()
    score(Score(workers=0), documents=tmp_path / "documents", classifier=tmp_path, out=tmp_path, ledger=ledger)
    found = read_table(tmp_path / "scores").to_pylist()
    high, low = judge.predict(embed([LOOP, DATA])).tolist()
    assert found == [{"id": f"{n}", "score": round(high if n % 2 else low, 4)} for n in range(6)]
    assert low < 1 < 4 < high
    assert ledger.figures == {"mean": round((high + low) / 2, 4), "at_least_3": 3}


def test_scores_are_the_same_over_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "CHUNK", 1)
    texts = [f"x = {n}\n" * n for n in range(scoring.WORTH_SPREADING + 1)]
    assert np.array_equal(scoring.embed_all(texts, 2), embed(texts))


def test_a_push_is_what_is_lost_when_the_feature_is_middling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasons, "embed", lambda _: row_of(-1.0, 0.5))
    pushes = dict(why(plain(weight=3.0, slope=0.5), "no words here", most=1000))
    assert pushes.pop(SHAPE[0]) == -2.0  # from -2 to the middle's 2, and half by the slope
    words = next(name for name in pushes if name.startswith("words"))
    assert pushes.pop(words) == 1.5
    assert set(pushes.values()) == {0.0}


def test_a_file_at_the_median_of_a_feature_is_not_pushed_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = packaged()
    medians = np.median(made.quantiles.quantiles_, axis=0)
    row = np.concatenate([medians, made.scale.mean_ + 0.1])[None, :]
    monkeypatch.setattr(reasons, "embed", lambda _: row)
    pushes = dict(why(made, "no words here", most=1000))
    assert all(abs(pushes[name]) < 1e-9 for name in SHAPE)
    assert max(abs(push) for name, push in pushes.items() if name not in SHAPE) > 0.01


def test_the_slope_by_which_words_lean_is_the_slope_of_the_score() -> None:
    made, row = packaged(), embed([LESSON])
    slope = meaning_slope(made, made.levelled(row)[0])
    for number in (0, 7, 63):
        nudged = np.vstack([row, row]).astype(np.float64)
        nudged[:, len(SHAPE) + number] += 1e-4, -1e-4
        up, down = made.raw(nudged)
        assert slope[number] == pytest.approx((up - down) / 2e-4, rel=1e-3)


def test_what_moved_a_score_is_named_with_points_and_words() -> None:
    named = why(packaged(), LESSON, most=1000)
    pushes = dict(named)
    assert len(pushes) == len(SHAPE) + 1
    assert [abs(push) for _, push in named] == sorted((abs(push) for _, push in named), reverse=True)
    words = next(name for name in pushes if name.startswith("words"))
    assert pushes[words] > 0
    assert all(word in LESSON.lower() for word in words.removeprefix("words: ").split(", "))
    assert why(packaged(), LESSON, most=3) == named[:3]
    assert why(packaged(), "")[0][1] < 0


def test_the_words_that_lean_are_those_whose_absence_moves_the_score() -> None:
    made, text = packaged(), LESSON + TABLE
    row = embed([text])
    up, down = (leaning_words(made, text, made.levelled(row)[0], upward) for upward in (True, False))
    assert up
    assert down

    def without(word: str) -> float:
        """What is said of a file of the same shape without a word."""
        other = embed([text.replace(word, " ")])
        return float(made.raw(np.hstack([row[:, : len(SHAPE)], other[:, len(SHAPE) :]]))[0])

    whole = float(made.raw(row)[0])
    assert without(up[0]) < whole < without(down[0])


def test_files_are_scored_and_what_cannot_be_read_is_listed(judge: Classifier, tmp_path: Path) -> None:
    save(judge, tmp_path / FILE)
    folder = tmp_path / "mine"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.py").write_text(LOOPS)
    (folder / "deep" / "b.py").write_text(FUNCTIONS)
    (folder / "c.py").write_bytes(b"x = '\xff\xfe'\n" * 20)
    (folder / "d.py").write_bytes(b"x = 1\0\n" * 20)
    (folder / "e.py").write_bytes(b"")
    (folder / "notes.txt").write_text("not Python")
    found = score_files([folder], tmp_path / FILE, reasons=True)
    rejected = {Path(row["path"]).name: row["reason"] for row in found["rejected"]}
    assert set(rejected) == {"c.py", "d.py", "e.py"}
    assert all(rejected.values())
    scores = {Path(row["path"]).name: row for row in found["files"]}
    assert set(scores) == {"a.py", "b.py"}
    assert scores["a.py"]["score"] > 4
    assert scores["b.py"]["score"] < 1
    assert [set(reason) for reason in scores["a.py"]["why"]] == [{"feature", "points"}] * 5


def test_a_file_that_is_named_is_scored_whatever_its_name(judge: Classifier, tmp_path: Path) -> None:
    save(judge, tmp_path / FILE)
    program = tmp_path / "script"
    program.write_text(FUNCTIONS)
    found = score_files([program], tmp_path / FILE, reasons=False)
    assert found == {"files": [{"path": str(program), "score": found["files"][0]["score"]}], "rejected": []}
    assert found["files"][0]["score"] < 1


def test_the_packaged_classifier_prefers_a_lesson_to_a_table() -> None:
    high, low = packaged().predict(embed([LESSON, TABLE]))
    assert 0 <= low < 1.5 < 2 < high <= 5


@pytest.mark.parametrize("kind", ["missing", "no python"])
def test_paths_without_anything_to_score_are_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path if kind == "no python" else tmp_path / "nowhere"
    with pytest.raises(InputError, match="no .py file in this folder" if kind == "no python" else "no such file"):
        score_files([path], None, reasons=False)


def test_the_packaged_classifier_is_made_of_the_files_that_are_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Path(os.__file__).parent
    digest = text_digest((library / "os.py").read_text("utf-8"))
    row = {"distribution": "python", "path": "os.py", "score": 2, "reason": "", "stratum": "", "annotator": ""}
    known = {
        digest: [row, {**row, "score": 3}],
        "0" * 64: [row],  # another version
        "1" * 64: [{**row, "path": "no such file"}],
        "2" * 64: [{**row, "distribution": "no such distribution"}],
    }
    monkeypatch.setattr(package, "readings", lambda: known)
    texts, read = package.read_here()
    assert [(label.id, label.score, label.path) for label in read] == [(digest, 2.5, "os.py")]
    assert text_digest(texts[0]) == digest


def test_directions_are_learnt_from_installed_files_and_never_from_the_reserved_half(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = Path(os.__file__).parent
    kept, secret = (next(p for p in sorted(library.glob("*.py")) if reserved(p.name) == side) for side in (False, True))
    items = [Item(str(p), "python", p.name) for p in (kept, secret)] + [Item(str(secret), "other", secret.name)]
    monkeypatch.setattr(package, "python_files", lambda *_: iter(items))
    assert package.unlabelled() == [kept.read_text("utf-8"), secret.read_text("utf-8")]
    assert package.unlabelled(1) == [kept.read_text("utf-8")]
