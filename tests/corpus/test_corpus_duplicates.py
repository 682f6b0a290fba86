"""Near duplicates: similarities worked by hand, and what must hold whatever the texts."""

import os
import subprocess
import sys
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.corpus import lsh as proposing
from hornbook.corpus.lsh import Lsh, agreeing, buckets
from hornbook.corpus.near import Components, near_duplicates
from hornbook.corpus.shingles import ShingleFile, jaccard, shingle_sets, shingles


def truth(one: str, other: str, words: int = 5) -> float:
    """Jaccard similarity the plain way."""

    def runs(text: str) -> set[tuple[str, ...]]:
        split = text.split()
        return {tuple(split[at : at + words]) for at in range(max(len(split) - words + 1, 1))}

    a, b = runs(one), runs(other)
    return len(a & b) / len(a | b)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a b c d e f g", "a b c d e f g", 1.0),
        ("a b c d e f g", "a  b\nc d\te f g ", 1.0),  # white space does not matter
        ("a b c d e f g", "a b c d e f h", 0.5),  # {abcde, bcdef} of {abcde, bcdef, cdefg, cdefh}
        ("a b c d e f g", "a b c d e f", 2 / 3),  # {abcde, bcdef} of {abcde, bcdef, cdefg}
        ("a b c d e", "b c d e f", 0.0),
        ("a b", "a b", 1.0),  # fewer than five words: one shingle
        ("a b", "a b c", 0.0),
        ("a a a a a a a a", "a a a a a", 1.0),  # sets, not counts
    ],
)
def test_jaccard_by_hand(one: str, other: str, expected: float) -> None:
    assert jaccard(shingles(one, 5), shingles(other, 5)) == pytest.approx(expected)


@given(st.lists(st.text("ab \n\t\x1c\u00a0\u3000é", max_size=40), max_size=6), st.integers(1, 6))
@settings(max_examples=150, deadline=None)
def test_sets_of_shingles_are_those_of_tuples_of_words(texts: list[str], words: int) -> None:
    sets = shingle_sets(pa.array(texts, pa.string()), words)
    assert len(sets) == len(texts)
    for one, other in product(range(len(texts)), repeat=2):
        assert jaccard(sets[one], sets[other]) == truth(texts[one], texts[other], words)


def test_shingles_are_the_same_in_every_process() -> None:
    code = "from hornbook.corpus.shingles import shingles; print(shingles('to be or not to be', 2).tolist())"
    found = set()
    for seed in "0", "1":
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        found.add(done.stdout)
    assert found == {f"{shingles('to be or not to be', 2).tolist()}\n"}
    assert len(shingles("to be or not to be", 2)) == 4  # "to be" twice


def test_the_order_of_words_counts() -> None:
    assert jaccard(shingles("a b c", 3), shingles("c b a", 3)) == 0
    assert jaccard(shingles("a a b", 3), shingles("a b a", 3)) == 0


def test_sets_on_disk_are_those_in_memory(tmp_path: Path) -> None:
    texts = {f"{n}": line(n, 3 * n) for n in range(40)}
    rows = pa.table({"id": list(texts), "text": list(texts.values())})
    with ShingleFile(tmp_path / "sets") as sets:
        sets.fill(rows.to_batches(max_chunksize=7), 5)
        assert all(np.array_equal(sets[id], shingles(text, 5)) for id, text in texts.items())
        with pytest.raises(KeyError):
            sets["40"]
    assert not list(tmp_path.iterdir())


def test_recall_by_hand() -> None:
    assert Lsh(0.8, 5, 1, 1).recall(0.8) == pytest.approx(0.8)
    assert Lsh(0.8, 5, 2, 1).recall(0.8) == pytest.approx(0.96)  # 1 - 0.2²
    assert Lsh(0.8, 5, 1, 2).recall(0.8) == pytest.approx(0.64)  # 0.8²


def decide(texts: dict[str, str], threshold: float, groups: list[list[str]] | None = None) -> dict[str, str]:
    """Removed → survivor, in the order of ids."""
    sets = {id: shingles(text, 5) for id, text in texts.items()}
    found = near_duplicates(groups or [sorted(texts)], {id: id for id in texts}, sets, threshold)
    return {one.id: one.survivor for one in found}


def line(start: int, count: int) -> str:
    return " ".join(str(n) for n in range(start, start + count))


def test_a_chain_removes_only_what_is_near_a_survivor() -> None:
    texts = {"a": line(0, 44), "b": line(4, 44), "c": line(8, 44)}  # 40 shingles each; neighbours share 36, ends 32
    assert truth(texts["a"], texts["b"]) == pytest.approx(36 / 44)
    assert truth(texts["a"], texts["c"]) == pytest.approx(32 / 48)
    assert decide(texts, 0.8) == {"b": "a"}


def test_the_most_similar_survivor_is_named() -> None:
    texts = {"a": line(0, 44), "b": line(9, 44), "c": line(5, 44)}  # a and c share 35, b and c 36, a and b 31
    assert decide(texts, 0.75) == {"c": "b"}


def test_only_proposed_pairs_are_compared() -> None:
    texts = {"a": line(0, 44), "b": line(0, 44), "c": line(0, 44)}
    assert decide(texts, 0.8, [["b", "c"]]) == {"c": "b"}


def test_components() -> None:
    joined = Components()
    joined.join(["c", "d"])
    joined.join(["b", "a"])
    assert joined.root("d") == "c"
    joined.join(["d", "b"])
    assert {joined.root(id) for id in "abcd"} == {"a"}
    assert joined.root("e") == "e"


TEXTS = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=14).map(" ".join), min_size=2, max_size=14)


@given(TEXTS, st.sampled_from([0.2, 0.5, 0.8, 1.0]), st.data())
@settings(max_examples=150, deadline=None)
def test_every_removed_text_is_near_its_survivor(some: list[str], threshold: float, data: st.DataObject) -> None:
    texts = {f"{n:02}": text for n, text in enumerate(some)}
    groups = data.draw(st.lists(st.lists(st.sampled_from(sorted(texts)), min_size=2, unique=True), min_size=1))
    removed = decide(texts, threshold, groups)
    assert all(truth(texts[id], texts[survivor]) >= threshold for id, survivor in removed.items())
    assert not set(removed) & set(removed.values())
    for group in groups:
        staying = [id for id in group if id not in removed]
        assert all(truth(texts[a], texts[b]) < threshold for a, b in combinations(staying, 2))


def test_buckets_hold_alike_texts_together(tmp_path: Path) -> None:
    texts = {"a": line(0, 300), "b": line(0, 299) + " x", "c": line(1000, 300), "d": line(0, 300).replace(" ", "\n")}
    pq.write_table(pa.table({"id": list(texts), "text": list(texts.values())}), tmp_path / "t.parquet")
    groups = buckets([tmp_path / "t.parquet"], Lsh(0.8, 5, 14, 8))
    assert any({"a", "b", "d"} <= set(group) for group in groups)
    assert not any("c" in group for group in groups)


def test_measured_recall_is_the_computed_one(tmp_path: Path) -> None:
    lsh, pairs = Lsh(0.6, 5, 10, 4), 300
    rows = []
    for n in range(pairs):
        shared = [f"s{n}x{i}" for i in range(64)]  # 60 shingles in common, 20 each of their own: 60 / 100 = 0.6
        rows += [(f"{n}{end}", " ".join([*shared, *(f"{end}{n}x{i}" for i in range(20))])) for end in "ab"]
    pq.write_table(pa.table({"id": [id for id, _ in rows], "text": [text for _, text in rows]}), tmp_path / "t.parquet")
    groups = buckets([tmp_path / "t.parquet"], lsh)
    found = sum({f"{n}a", f"{n}b"} in map(set, groups) for n in range(pairs)) / pairs
    assert lsh.recall(0.6) == pytest.approx(0.751, abs=0.001)
    assert found == pytest.approx(lsh.recall(0.6), abs=0.08)  # three standard deviations of 300 throws


def test_a_text_that_stands_in_two_files_is_one_member_of_its_group(tmp_path: Path) -> None:
    rows = {"b": line(0, 300), "a": line(0, 299) + " x"}
    for name, ids in (("1", ["b", "a"]), ("2", ["b"])):
        pq.write_table(pa.table({"id": ids, "text": [rows[id] for id in ids]}), tmp_path / f"{name}.parquet")
    assert buckets(sorted(tmp_path.glob("*.parquet")), Lsh(0.8, 5, 14, 8)) == [("a", "b")]


def test_groups_do_not_depend_on_how_many_files_are_signed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {f"{n:02}": line(n // 3, 200) + " x" * (n % 3) for n in range(12)}
    for part in range(4):
        ids = sorted(texts)[part::4]
        pq.write_table(pa.table({"id": ids, "text": [texts[id] for id in ids]}), tmp_path / f"{part}.parquet")
    paths, lsh = sorted(tmp_path.glob("*.parquet")), Lsh(0.8, 5, 14, 8)
    whole = buckets(paths, lsh)
    assert len(list(proposing.parts_of(paths))) == 1
    monkeypatch.setattr(proposing, "PART_BYTES", 1)
    assert len(list(proposing.parts_of(paths))) == 4
    assert buckets(paths, lsh) == whole
    assert {id for group in whole for id in group} == set(texts)


def test_no_text_is_in_no_group(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"id": pa.array([], pa.string()), "text": pa.array([], pa.string())}), tmp_path / "t.parquet"
    )
    assert buckets([tmp_path / "t.parquet"], Lsh(0.8, 5, 14, 8)) == []


@given(st.lists(st.sampled_from([0, 1, 7, 2**63, 2**64 - 1]), max_size=30))
def test_equal_keys_agree(values: list[int]) -> None:
    positions = {value: tuple(at for at, one in enumerate(values) if one == value) for value in values}
    assert sorted(agreeing(np.array(values, np.uint64))) == sorted(at for at in positions.values() if len(at) > 1)
