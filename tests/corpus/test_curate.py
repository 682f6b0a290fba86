"""The whole stage on small corpora: the funnel, bad input, the byte promise, and canaries that cannot stay green."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from hornbook.artifacts import Ledger, digest_folder
from hornbook.corpus import canaries, gather, near, rules, spool, tables
from hornbook.corpus import curate as room
from hornbook.corpus.curate import Curate, curate
from hornbook.corpus.findings import KINDS, Kind
from hornbook.corpus.lsh import Lsh
from hornbook.corpus.redact import FINDERS
from hornbook.corpus.rules import RULES, Cleaning
from hornbook.corpus.shingles import jaccard, shingles
from hornbook.corpus.sources import Item
from hornbook.errors import CanaryError, InputError
from hornbook.records import Document, Rejected, content_id, read_dataset, write_dataset
from hornbook.teacher.readings import Readings, as_read, text_digest
from hornbook.teacher.request import Request


def program(seed: int, lines: int = 40) -> str:
    """Valid Python of its own words."""
    body = "".join(f"    value_{seed}_{n} = number + {n}\n" for n in range(lines))
    return f"def function_{seed}(number):\n{body}    return number\n"


def config(folder: Path, **settings: Any) -> Curate:
    return Curate(python=False, paths=[str(folder)], **settings)


def run(folder: Path, out: Path, **settings: Any) -> tuple[list[Document], list[Rejected], Ledger]:
    ledger = Ledger()
    curate(config(folder, **settings), out=out, ledger=ledger)
    return list(read_dataset(out / "documents", Document)), list(read_dataset(out / "rejected", Rejected)), ledger


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    for seed in range(6):
        (folder / f"p{seed}.py").write_text(program(seed))
    return folder


def test_the_funnel(corpus: Path, tmp_path: Path) -> None:
    (corpus / "deep").mkdir()
    (corpus / "deep" / "copy.py").write_bytes(program(0).replace("\n", "\r\n").encode())
    (corpus / "q1.py").write_text(program(1) + "# one line more\n")
    (corpus / "bad.py").write_text("def broken(:\n" + program(9))
    (corpus / "nul.py").write_bytes(program(8).encode() + b"\0")
    documents, rejected, ledger = run(corpus, tmp_path / "out")
    assert [document.path for document in sorted(documents, key=lambda d: d.path)] == [f"p{n}.py" for n in range(6)]
    details = {row.reason: row.detail for row in rejected}
    assert details["exact-duplicate"] == f"mine:deep/copy.py: same text as mine:p0.py ({content_id(program(0))})"
    assert f"with mine:p1.py ({content_id(program(1))})" in details["near-duplicate"]
    assert details["not-python"] == "mine:bad.py: line 1: invalid syntax"
    assert details["nul-bytes"] == "mine:nul.py: 1 NUL characters"
    assert ledger.rows_in == 10 == ledger.rows_out + ledger.rejected.total()
    assert ledger.rejected == {"exact-duplicate": 1, "near-duplicate": 1, "not-python": 1, "nul-bytes": 1}
    assert ledger.figures["documents_by_source"] == {"mine": 6}
    assert ledger.figures["documents_by_license"] == {"unknown": 6}
    assert all(len(row.excerpt) <= 200 for row in rejected)


def test_documents_are_what_write_dataset_would_write(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents, _, _ = run(corpus, tmp_path / "out")
    assert [document.id for document in documents] == sorted(content_id(document.text) for document in documents)
    assert json.loads(documents[0].metadata) == {"bytes": len(documents[0].text)}
    write_dataset(tmp_path / "again", documents, Document)
    part = "part-00000.parquet"
    assert (tmp_path / "out/documents" / part).read_bytes() == (tmp_path / "again" / part).read_bytes()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["clusters", "documents", "rejected"]


@pytest.mark.parametrize("sizes", [[3, 5, 0, 9, 1], [4, 4], [2, 1], [13], []])
def test_row_groups_are_full_however_the_tables_are_cut(
    sizes: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "GROUP_ROWS", 4)
    rows = [Document(f"{n:02}", f"text {n}", "s", "p").row() for n in range(sum(sizes))]
    whole = pa.Table.from_pylist(rows, schema=Document.schema)
    ends = [sum(sizes[: n + 1]) for n in range(len(sizes))]
    parts = [whole.slice(end - size, size) for end, size in zip(ends, sizes, strict=True)]
    assert spool.write_tables(tmp_path / "out", parts) == len(rows)
    written = pq.ParquetFile(tmp_path / "out" / "part-00000.parquet")
    assert written.read().equals(whole)
    groups = [written.metadata.row_group(n).num_rows for n in range(written.metadata.num_row_groups)]
    assert groups == [4] * (len(rows) // 4) + [len(rows) % 4] * bool(len(rows) % 4)


def test_clusters_name_who_stays(corpus: Path, tmp_path: Path) -> None:
    (corpus / "longer_name.py").write_text(program(3) + "\n\nprint(1)\n")
    run(corpus, tmp_path / "out")
    (row,) = read_dataset(tmp_path / "out/clusters", near.NearDuplicate)
    assert row.id == content_id(program(3) + "\n\nprint(1)\n")
    assert row.survivor == row.cluster == content_id(program(3))
    one, other = (shingles(text, 5) for text in (program(3), program(3) + "print(1)"))
    assert row.jaccard == jaccard(one, other) >= 0.8


def test_equal_text_keeps_every_claim_and_the_licensed_copy_stays(tmp_path: Path) -> None:
    rows = [
        {"text": program(1), "path": "a.py", "source": "unlicensed"},
        {"text": program(1), "path": "deep/er/b.py", "license": "MIT"},
        {"text": program(1), "path": "deep/er/still/c.py", "license": ["Zlib", "MIT"]},
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (document,), rejected, _ = run(tmp_path / "t.jsonl", tmp_path / "out")
    assert (document.path, document.license) == ("deep/er/b.py", ["MIT", "Zlib"])
    assert [row.reason for row in rejected] == ["exact-duplicate"] * 2
    assert len({row.id for row in rejected} | {document.id}) == 3


def test_what_is_taken_out_is_counted_and_the_ids_are_those_of_what_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "one.py").write_text("# Copyright 2001 Ann\n" + program(1) + "mail = 'ann@web.de, bob@web.de'\n")
    (folder / "other.py").write_text(program(1) + "mail = 'eve@web.de, joe@web.de'\n")
    (folder / "plain.py").write_text(program(2))
    documents, rejected, ledger = run(folder, tmp_path / "out")
    left = program(1) + "mail = '<EMAIL>, <EMAIL>'\n"
    kept, plain = sorted(documents, key=lambda row: row.path)
    assert (kept.id, kept.text, kept.path) == (content_id(left), left, "one.py")
    original = text_digest("# Copyright 2001 Ann\n" + program(1) + "mail = 'ann@web.de, bob@web.de'\n")
    size = len(program(1)) + len("# Copyright 2001 Ann\nmail = 'ann@web.de, bob@web.de'\n")
    told = {"bytes": size, "license_header": 18, "redacted": {"email": 2}, "original": original}
    assert json.loads(kept.metadata) == told
    assert json.loads(plain.metadata) == {"bytes": len(program(2))}
    assert [row.reason for row in rejected] == ["exact-duplicate"]
    assert ledger.figures["redacted"] == {"email": 2}
    assert ledger.figures["license_headers_stripped"] == 1


def test_what_an_earlier_cleaning_took_out_is_not_counted_again(tmp_path: Path) -> None:
    told = [{"original": "0" * 64, "redacted": {"email": 2}, "license_header": 9}, {"original": 1, "redacted": 3}]
    rows = [{"text": program(n), "path": f"{n}.py", "metadata": json.dumps(one)} for n, one in enumerate(told)]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    documents, _, ledger = run(tmp_path / "t.jsonl", tmp_path / "out")
    assert [json.loads(row.metadata)["redacted"] for row in sorted(documents, key=lambda row: row.path)] == [
        {"email": 2},
        3,
    ]
    assert (ledger.figures["redacted"], ledger.figures["license_headers_stripped"]) == ({}, 0)


def test_a_label_is_found_by_the_text_that_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# Copyright 2001 Ann\n" + program(1)
    (tmp_path / "a.py").write_text(text)
    row = {"score": 3, "reason": "clear", "stratum": "random"}
    monkeypatch.setattr("hornbook.teacher.readings.readings", lambda: {text_digest(text): [row]})
    (document,), _, _ = run(tmp_path / "a.py", tmp_path / "out")
    assert document.text == program(1)
    assert Readings().knows(as_read(document))
    assert not Readings().knows(document.text)
    assert Readings().stratum(as_read(document)) == "random"
    answer = Readings().answer(Request("m", (("user", as_read(document)),)))
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"reason": "clear", "score": 3.0}


def licensed(folder: Path) -> Path:
    """Six texts: MIT, GPL by row, GPL by header, both by two rows, unknown, and a near copy of the GPL one that is MIT."""
    rows = [
        {"text": program(1), "path": "mit.py", "license": "MIT"},
        {"text": program(2), "path": "gpl.py", "license": ["GPL-3.0-only"]},
        {"text": "# SPDX-License-Identifier: GPL-3.0-only\n" + program(3), "path": "header.py", "license": "MIT"},
        {"text": program(4), "path": "both.py", "license": "MIT"},
        {"text": program(4), "path": "copied/both.py", "license": "GPL-3.0-only"},
        {"text": program(5), "path": "unknown.py"},
        {"text": program(2) + "# one line more\n", "path": "much/longer/name.py", "license": "MIT"},
    ]
    (folder / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder / "t.jsonl"


def test_the_licence_gate(tmp_path: Path) -> None:
    documents, rejected, ledger = run(licensed(tmp_path), tmp_path / "out", licenses=["MIT", "Apache-2.0"])
    assert sorted(row.path for row in documents) == ["mit.py", "much/longer/name.py"]
    told = [row.detail.split(": ", 1) for row in rejected if row.reason == "license"]
    assert {name.split(":")[1]: detail for name, detail in told} == {
        "gpl.py": "GPL-3.0-only not allowed",
        "header.py": "GPL-3.0-only not allowed",
        "both.py": "GPL-3.0-only not allowed",
        "unknown.py": "no known licence",
    }
    assert ledger.rejected == {"license": 4, "exact-duplicate": 1}
    assert len({row.id for row in rejected}) == len(rejected)


def test_without_a_list_there_is_no_gate_and_headers_are_united_with_rows(tmp_path: Path) -> None:
    documents, _, ledger = run(licensed(tmp_path), tmp_path / "out")
    assert {row.path: row.license for row in documents} == {
        "mit.py": ["MIT"],
        "gpl.py": ["GPL-3.0-only"],
        "header.py": ["GPL-3.0-only", "MIT"],
        "both.py": ["GPL-3.0-only", "MIT"],
        "unknown.py": [],
    }
    assert ledger.rejected == {"exact-duplicate": 1, "near-duplicate": 1}


def test_unknown_licences_can_be_kept(tmp_path: Path) -> None:
    documents, _, _ = run(licensed(tmp_path), tmp_path / "out", licenses=["permissive"], unknown_license="keep")
    assert sorted(row.path for row in documents) == ["mit.py", "much/longer/name.py", "unknown.py"]


def test_tables_and_files_together(corpus: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"content": [program(n) for n in range(4, 9)]}), corpus / "t.parquet")
    (corpus / "broken.parquet").write_bytes(b"PAR1")
    documents, _, ledger = run(corpus, tmp_path / "out")
    assert len(documents) == 9
    assert ledger.rejected == {"exact-duplicate": 2, "unreadable": 1}


def test_how_rows_are_cut_up_on_their_way_shapes_nothing(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [program(n % 30, 10 + n // 2) for n in range(90)]
    pq.write_table(pa.table({"content": texts}), corpus / "t.parquet")
    (corpus / "u.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts[50:70]))
    rows_of_files: list[int] = []
    numbers_of_buckets: list[int] = []
    frame_of, propose = gather.tables_frame, room.buckets

    def count_rows(path: Path) -> Any:
        rows_of_files.append(pq.read_metadata(path).num_rows)
        return frame_of(path)

    def count_buckets(paths: list[Path], lsh: Any) -> Any:
        numbers_of_buckets.append(len(paths))
        return propose(paths, lsh)

    monkeypatch.setattr(gather, "tables_frame", count_rows)
    monkeypatch.setattr(room, "buckets", count_buckets)
    whole = run(corpus, tmp_path / "whole", workers=1)[2]
    monkeypatch.setattr(tables, "BATCH_ROWS", 7)
    monkeypatch.setattr(tables, "ALONE_BYTES", 5000)
    monkeypatch.setattr(spool, "WAITING_BYTES", 3000)
    monkeypatch.setattr(spool, "EACH_BYTES", 0)
    monkeypatch.setattr(room, "PIECE_ROWS", 3)
    for bucket_bytes in (1, 100_000):
        monkeypatch.setattr(spool, "BUCKET_BYTES", bucket_bytes)
        assert run(corpus, tmp_path / f"cut{bucket_bytes}", workers=1)[2] == whole
        assert digest_folder(tmp_path / "whole") == digest_folder(tmp_path / f"cut{bucket_bytes}")
    assert 2 * rows_of_files[0] == sum(rows_of_files[1:]) >= 220  # with the planted rows
    assert len(rows_of_files) > 10
    assert max(rows_of_files[1:]) <= 14
    assert numbers_of_buckets[0] == 1 < numbers_of_buckets[2] <= 32 < numbers_of_buckets[1]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("fat", ["metadata", "data"])
def test_rows_fat_in_any_way_end_their_file(
    fat: str, workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ALONE_BYTES", 100_000)
    monkeypatch.setattr(tables, "WORKER_BYTES", 300_000)
    monkeypatch.setattr(tables, "BATCH_ROWS", 5)
    full = 100_000 if workers == 1 else 600_000
    with tables.Unpacked(tmp_path, workers) as unpacked:
        for number in range(300):
            item = Item("t.jsonl", "s", f"{number}", (), "x" * 10_000 if fat == "metadata" else "{}")
            unpacked.add(item, b"x" * 10_000 if fat == "data" else b"")
    sizes = [pq.read_table(path).nbytes for path in unpacked.files]
    assert len(sizes) >= 4
    assert full <= max(sizes) < full + 5 * 10_100  # one batch more, at most
    assert sum(map(len, map(pq.read_table, unpacked.files))) == unpacked.rows == 300
    assert unpacked.bytes >= 3_000_000


def test_the_crew_is_measured_by_all_rows_not_by_those_of_a_file() -> None:
    assert gather.crew(8, 3 * gather.ROWS_A_WORKER + 1) == 4
    assert gather.crew(8, 1) == 1


def test_every_kind_of_bad_file_is_counted_and_none_stops_the_run(corpus: Path, tmp_path: Path) -> None:
    (corpus / "latin.py").write_bytes(b"# caf\xe9\n" + program(20).encode())
    (corpus / "empty.py").touch()
    (corpus / "loop.py").symlink_to(corpus / "loop.py")
    (corpus / "deep.py").write_text("x = " + "not " * 20_000 + "1\n" + program(21))
    (corpus / os.fsdecode(b"name\xff.py")).write_text(program(22))
    with (corpus / "huge.py").open("wb") as stream:
        stream.truncate(200_000_000)
    (corpus / "closed.py").write_text(program(23))
    (corpus / "closed.py").chmod(0)
    documents, rejected, ledger = run(corpus, tmp_path / "out", max_line_length=1_000_000, mean_line_length=1_000_000)
    closed = os.access(corpus / "closed.py", os.R_OK)  # root reads it all the same
    assert len(documents) == 6 + closed
    assert ledger.rejected == {
        "encoding": 1,
        "empty": 1,
        "not-python": 1,
        "too-large": 1,
        "unreadable": 3 - closed,
    }
    assert "mine:name\\xff.py: its name is not UTF-8" in {row.detail for row in rejected}


def test_nothing_left_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match="the corpus is empty: no files in"):
        run(tmp_path / "in", tmp_path / "out")
    (tmp_path / "in" / "a.py").write_text("x = 1\n")
    with pytest.raises(InputError, match=r"all 1 files were rejected \(1 too-short\)$"):
        run(tmp_path / "in", tmp_path / "out")
    (tmp_path / "in" / "a.py").write_text(program(1))
    with pytest.raises(InputError, match=r"\(1 license\); allow more licenses, or unknown_license: keep$"):
        run(tmp_path / "in", tmp_path / "out", licenses=["MIT"])


def test_one_worker_two_workers_and_a_killed_run_make_the_same_bytes(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(30, 60):
        (corpus / f"p{seed}.py").write_text(program(seed % 20, 30 + seed))
    monkeypatch.setattr(gather, "ROWS_A_WORKER", 20)
    ledgers = [run(corpus, tmp_path / f"out{workers}", workers=workers)[2] for workers in (1, 2)]
    assert ledgers[0] == ledgers[1]
    (tmp_path / "out1" / "spool").mkdir()
    (tmp_path / "out1" / "spool" / "bucket-0.parquet").write_bytes(b"half written")
    assert run(corpus, tmp_path / "out1", workers=1)[2] == ledgers[0]
    assert digest_folder(tmp_path / "out1") == digest_folder(tmp_path / "out2")


def test_only_what_shapes_the_bytes_enters_the_key() -> None:
    assert Curate(workers=7).semantic() == {}
    assert Curate(limit=5).semantic() == {"limit": 5}


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"python": False}, "nothing to read"),
        ({"min_characters": 200, "max_bytes": 100}, "min_characters 200 is more than max_bytes 100"),
        ({"licenses": ["Apache 2.0"]}, 'did you mean "Apache-2.0"'),
        ({"licenses": []}, "at least 1 item"),
        ({"redact": ["emails"]}, "Input should be 'private_key'"),
        ({"threshold": 0.4}, "14 bands of 8 rows propose only 1% of pairs at threshold 0.4"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Curate(**settings)


def test_canaries_stand_on_either_side_of_every_threshold(corpus: Path, tmp_path: Path) -> None:
    ledger = run(corpus, tmp_path / "out")[2]
    sides: dict[str, set[bool]] = {}
    for canary in ledger.canaries:
        sides.setdefault(canary["name"].split(":")[0], set()).add(canary["expected"])
    both = {"too-short", "too-large", "minified", "data-table", "generated", "encoding", "not-python", *KINDS}
    both |= {"license-header", "exact-duplicate", "near-duplicate"}
    assert all(sides[name] == {True, False} for name in both)
    assert "license" not in sides
    assert {"empty", "nul-bytes"} <= set(sides)
    assert ledger.figures["near_duplicate_recall_at_threshold"] >= 0.75


def test_canaries_stand_on_either_side_of_the_licence_gate(tmp_path: Path) -> None:
    for unknown in ("keep", "refuse"):
        ledger = run(licensed(tmp_path), tmp_path / unknown, licenses=["MIT"], unknown_license=unknown)[2]
        found = {one["name"]: one["expected"] for one in ledger.canaries if one["name"].startswith("license: ")}
        assert found == {
            "license: license-allowed.txt": False,
            "license: license-other.txt": True,
            "license: license-unknown.txt": unknown == "refuse",
        }


def test_what_is_switched_off_is_proven_to_be_off(corpus: Path, tmp_path: Path) -> None:
    ledger = run(corpus, tmp_path / "out", redact=["email"], strip_license_headers=False)[2]
    expected = {one["name"]: one["expected"] for one in ledger.canaries}
    assert [expected[f"{kind}: {kind}.txt"] for kind in KINDS] == [kind == "email" for kind in KINDS]
    assert expected["license-header: headed.py"] is False


@pytest.mark.parametrize("kind", KINDS)
def test_a_finder_that_is_asleep_fails_the_run(
    kind: Kind, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FINDERS, kind, lambda _: iter(()))
    with pytest.raises(CanaryError, match=f"{kind}: {kind}.txt"):
        run(corpus, tmp_path / "out")


def test_a_finder_that_takes_all_fails_the_run(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hornbook.corpus.addresses.reserved_domain", lambda _: False)
    monkeypatch.setattr("hornbook.corpus.addresses.ENDINGS", frozenset({"org", "example"}))
    with pytest.raises(CanaryError, match=r"email: no-email\.txt.* was caught"):
        run(corpus, tmp_path / "out")


def test_suspects_that_are_overlooked_fail_the_run(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hornbook.corpus.reading.suspects", lambda data: [False] * len(data))
    with pytest.raises(CanaryError, match=r"\.txt.* was missed"):
        run(corpus, tmp_path / "out")


def test_a_gate_that_stands_open_fails_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "not_allowed", lambda *_: [])
    with pytest.raises(CanaryError, match=r"license: license-other\.txt.* was missed"):
        run(licensed(tmp_path), tmp_path / "out", licenses=["MIT"])


UNUSUAL: list[dict[str, Any]] = [
    {"max_line_length": 40, "mean_line_length": 40, "licenses": ["Zlib"], "unknown_license": "keep"},
    {"min_characters": 1, "max_bytes": 50_000, "letter_share": 0.0, "literal_share": 1.0},
    {"min_characters": 900, "max_bytes": 4000, "max_line_length": 90, "mean_line_length": 90, "letter_share": 0.9},
    {"threshold": 1.0, "letter_share": 0.6, "literal_share": 0.0, "min_characters": 500},
    {"threshold": 0.5, "bands": 40, "rows": 4, "shingle_words": 1, "max_line_length": 5000, "mean_line_length": 700},
]


@pytest.mark.parametrize("settings", UNUSUAL)
def test_canaries_fit_unusual_thresholds(corpus: Path, tmp_path: Path, settings: dict[str, Any]) -> None:
    (corpus / "words.txt").write_text("word" * 15 + ("\n" + "word" * 15) * 20)
    _, _, ledger = run(corpus, tmp_path / "out", **settings)
    assert len(ledger.canaries) > 15


@pytest.mark.parametrize("name", [name for name in RULES if name not in {"unreadable", "too-large"}])
def test_a_rule_that_is_asleep_fails_the_run(
    name: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RULES, name, lambda *_: None)
    with pytest.raises(CanaryError, match=f"{name}: "):
        run(corpus, tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("too-short", {"min_characters": 150}),
        ("minified", {"max_line_length": 500}),
        ("minified", {"mean_line_length": 60}),
        ("data-table", {"letter_share": 0.3}),
        ("data-table", {"literal_share": 0.8}),
    ],
)
def test_a_threshold_that_is_set_and_not_read_fails_the_run(
    name: str, setting: dict[str, Any], corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = RULES[name]
    monkeypatch.setitem(RULES, name, lambda page, _: rule(page, Cleaning()))  # the defaults, whatever is set
    with pytest.raises(CanaryError, match=f"{name}: .* missed"):
        run(corpus, tmp_path / "out", **setting)


def test_a_size_limit_that_is_not_read_fails_the_run(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "oversize", lambda *_: None)
    monkeypatch.setattr("hornbook.corpus.sources.oversize", lambda *_: None)
    with pytest.raises(CanaryError, match="too-large: heavy"):
        run(corpus, tmp_path / "out")


def test_candidates_that_are_not_verified_fail_the_run(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(near, "jaccard", lambda *_: 1.0)
    with pytest.raises(CanaryError, match="near-duplicate: below"):
        run(corpus, tmp_path / "out")


@pytest.mark.parametrize(("used", "side"), [(0.9, "above"), (0.7, "below")])
def test_a_similarity_threshold_that_is_not_read_fails_the_run(
    used: float, side: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        room, "near_duplicates", lambda groups, order, texts, _: near.near_duplicates(groups, order, texts, used)
    )
    with pytest.raises(CanaryError, match=f"near-duplicate: {side}"):
        run(corpus, tmp_path / "out")


@pytest.mark.parametrize("kept_anyway", ["exact-duplicate", "near-duplicate"])
def test_copies_that_are_found_and_not_removed_fail_the_run(
    kept_anyway: str, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide = room.superfluous
    monkeypatch.setattr(
        room, "superfluous", lambda *row: None if (why := decide(*row)) and why.reason == kept_anyway else why
    )
    monkeypatch.setattr(room, "ALREADY", None)
    with pytest.raises(CanaryError, match=f"{kept_anyway}: .* missed"):
        run(corpus, tmp_path / "out")


def test_deduplication_that_finds_nothing_fails_the_run(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "buckets", lambda *_: [])
    with pytest.raises(CanaryError, match="near-duplicate: above"):
        run(corpus, tmp_path / "out")


def test_planted_pairs_lie_where_they_should() -> None:
    for threshold in (0.5, 0.7, 0.8, 0.85, 0.95, 1.0):
        lsh = Lsh(threshold, 5, 14, 8)
        above, below = (
            jaccard(*(shingles(text, 5) for text in canaries.pair(side, 0, lsh))) for side in ("above", "below")
        )
        assert threshold <= above < threshold + 0.01
        assert threshold - 0.01 < below < threshold
