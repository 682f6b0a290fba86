"""The stage as a whole: what is kept, what is refused and on what evidence, and that a setting not read fails the run."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.artifacts import Ledger
from hornbook.decontamination import canaries, judge
from hornbook.decontamination.decontaminate import Decontaminate, decontaminate
from hornbook.decontamination.judge import Judge, batches
from hornbook.decontamination.ngrams import NgramIndex
from hornbook.decontamination.rows import read_rows
from hornbook.errors import CanaryError, InputError, RequestError
from hornbook.records import Document, Exercise, Provenance, Section, read_dataset, write_dataset

PROBLEM = {
    "task_id": "T/1",
    "prompt": "def shares(names, per_child):\n"
    '    """Deal the sweets out to the children one by one until fewer remain than there are children."""\n',
    "entry_point": "shares",
    "canonical_solution": "    left = len(names)\n    while left > per_child:\n        left -= per_child\n    return left\n",
    "test": "def check(candidate):\n    assert candidate([1], 1) == 1\n",
}
PROGRAM = str(PROBLEM["prompt"]) + str(PROBLEM["canonical_solution"])
# thirteen words of the docstring
SHARED = "the sweets out to the children one by one until fewer remain than"


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    return lines(tmp_path / "problems.jsonl", PROBLEM)


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def run(rows: Path, problems: Path, **settings: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]], Ledger]:
    """Kept rows, rejected rows and the ledger."""
    out, ledger = rows.parent / "out", Ledger()
    decontaminate(Decontaminate(**settings), rows=rows, references=[problems], out=out, ledger=ledger)
    (kept,) = [folder for folder in out.iterdir() if folder.name != "rejected"]
    return pq.read_table(kept).to_pylist(), pq.read_table(out / "rejected").to_pylist(), ledger


def exercise(name: str, prompt: str, solution: str) -> Exercise:
    return Exercise(name, name, prompt, solution, "", "t", ["MIT"], ["p"], Provenance("hand", responses=["r"]))


def test_thirteen_shared_words_are_refused_with_evidence_and_twelve_are_kept(tmp_path: Path, problems: Path) -> None:
    rows = lines(
        tmp_path / "rows.jsonl",
        {"id": "b", "text": f"# my notes: {SHARED.upper()}, and so on"},
        {"id": "a", "text": f"# my notes: {SHARED.rsplit(' ', 1)[0]}, and so on", "stars": 3},
    )
    kept, rejected, ledger = run(rows, problems)
    assert kept == [{"id": "a", "text": f"# my notes: {SHARED.rsplit(' ', 1)[0]}, and so on", "stars": 3}]
    assert rejected == [
        {
            "id": "b",
            "stage": "decontaminate",
            "reason": "ngram",
            "detail": f"T/1: {SHARED}",
            "excerpt": f"# my notes: {SHARED.upper()}, and so on",
        }
    ]
    assert (ledger.rows_in, ledger.rows_out, dict(ledger.rejected)) == (2, 1, {"ngram": 1})
    assert ledger.figures == {"hits": {"ngram T/1": 1}, "items": 1, "items_too_short": 0, "wording": 0}


def test_the_prompt_and_the_solution_are_both_kept_out(tmp_path: Path, problems: Path) -> None:
    body = "left = len(names) while left > per_child: left -= per_child return left"  # 10 words
    rows = lines(
        tmp_path / "rows.jsonl",
        {"id": "1", "text": "are children " + body},
        {"id": "2", "text": "there are children " + body},  # "... fewer remain than there are children" ends the prompt
    )
    kept, rejected, _ = run(rows, problems)
    assert [row["id"] for row in kept] == ["1"]
    assert [row["id"] for row in rejected] == ["2"]


def test_the_length_of_the_ngram_is_read(tmp_path: Path, problems: Path) -> None:
    rows = lines(
        tmp_path / "rows.jsonl", {"id": "1", "text": "until fewer remain"}, {"id": "2", "text": "fewer remain"}
    )
    kept, rejected, ledger = run(rows, problems, ngram=3)
    assert [row["id"] for row in kept] == ["2"]
    assert rejected[0]["detail"] == "T/1: until fewer remain"
    assert [canary["name"] for canary in ledger.canaries] == [
        "ngram: 3 words shared",
        "ngram: 2 words shared",
        "ngram: 3 words shared and allowed",
        "ngram: 3 numbers shared",
    ]


def test_an_allowed_text_is_let_through(tmp_path: Path, problems: Path) -> None:
    rows = lines(tmp_path / "rows.jsonl", {"id": "1", "text": SHARED})
    kept, rejected, _ = run(rows, problems, allow=[f"Deal {SHARED}."])
    assert (len(kept), len(rejected)) == (1, 0)
    with pytest.raises(RequestError, match="allow: 'the sweets' has fewer than 13 words"):
        run(rows, problems, allow=["the sweets"])


def test_exercises_keep_every_column_and_are_compared_with_prompt_and_solution(tmp_path: Path, problems: Path) -> None:
    clean = exercise("clean", "def f(x):\n", "    return x\n")
    split = exercise("split", f'def g(x):\n    """{SHARED[:30]}', f'{SHARED[30:]}"""\n')
    write_dataset(tmp_path / "exercises", [split, clean], Exercise)
    _, rejected, _ = run(tmp_path / "exercises", problems)
    assert list(read_dataset(tmp_path / "out" / "exercises", Exercise)) == [clean]
    assert [(row["id"], row["reason"]) for row in rejected] == [("split", "ngram")]


def test_sections_and_documents_go_where_they_belong(tmp_path: Path, problems: Path) -> None:
    section = Section("s", "# Hello", "t", "a", "st", [], [], Provenance("shelf"))
    document = Document("d", "x = 1", "s", "p", metadata='{"a": 1}')
    write_dataset(tmp_path / "in" / "s", [section], Section)
    write_dataset(tmp_path / "in" / "d", [document], Document)
    for name in ("s", "d"):
        run_to = tmp_path / f"out-{name}"
        decontaminate(Decontaminate(against=[str(problems)]), rows=tmp_path / "in" / name, out=run_to, ledger=Ledger())
    assert list(read_dataset(tmp_path / "out-s" / "sections", Section)) == [section]
    assert list(read_dataset(tmp_path / "out-d" / "documents", Document)) == [document]


def test_held_out_exercises_are_references_too(tmp_path: Path) -> None:
    held = exercise("held", f'def g(x):\n    """{SHARED}"""\n', "    return x\n")
    write_dataset(tmp_path / "held", [held], Exercise)
    rows = lines(tmp_path / "rows.jsonl", {"id": "1", "text": SHARED}, {"id": "2", "text": "x"})
    assert run(rows, tmp_path / "held")[1][0]["detail"] == f"exercise/held: {SHARED}"


def test_a_rewritten_program_is_refused_by_shape_only_when_asked(tmp_path: Path, problems: Path) -> None:
    rewritten = "x = 1\n\ndef rest(a, b):\n    n = size(a)\n    while n > b:\n        n -= b\n    return n\n"
    rows = lines(tmp_path / "rows.jsonl", {"id": "1", "text": rewritten}, {"id": "2", "text": "def f():\n    pass"})
    assert len(run(rows, problems)[0]) == 2
    kept, rejected, ledger = run(rows, problems, syntax_threshold=0.95)
    assert [row["id"] for row in kept] == ["2"]
    assert rejected[0]["reason"] == "syntax"
    assert rejected[0]["detail"] == "T/1: 1.0000 in rest"
    assert rejected[0]["excerpt"].startswith("def rest(a, b):")
    assert [(c["name"], c["expected"]) for c in ledger.canaries[4:]] == [
        ("syntax: match rate 0.950", True),
        ("syntax: match rate 0.949", False),
    ]


def test_the_syntax_threshold_is_reached_by_being_equal(tmp_path: Path) -> None:
    # FunctionDef arguments Assign Name int ×6 Return Name: 22 nodes, of which one differs
    body = [f"    a{i} = {i}" for i in range(6)]
    item = "\n".join(["def f():", *body, "    return a0"])
    near = "\n".join(["def f():", *body[:-1], "    a5 = 'five'", "    return a0"])
    problem = {**PROBLEM, "prompt": item, "canonical_solution": "", "entry_point": "f"}
    problems = lines(tmp_path / "p.jsonl", problem)
    rows = lines(tmp_path / "rows.jsonl", {"id": "1", "text": near}, {"id": "2", "text": "x"})
    assert [row["detail"] for row in run(rows, problems, ngram=None, syntax_threshold=21 / 22)[1]] == [
        "T/1: 0.9545 in f"
    ]
    assert run(rows, problems, ngram=None, syntax_threshold=0.955)[1] == []


MALFORMED = [
    ("{oops", "line 2: not JSON"),
    ("[1]", "line 2: expected a JSON object, found list"),
    ('{"text": "x"}', "line 2: field 'id' must be text"),
    ('{"id": true, "text": "x"}', "line 2: field 'id' must be text"),
    ('{"id": "m", "text": null}', "line 2: field 'text' must be text"),
    ('{"id": "m", "text": 3}', "line 2: field 'text' must be text"),
    ('{"id": "m", "text": "\\ud800"}', "line 2: holds half of a surrogate pair"),
    ("[" * 100_000, "line 2: not JSON"),
]


@pytest.mark.parametrize(("line", "said"), MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_line_is_set_aside_and_counted(tmp_path: Path, problems: Path, line: str, said: str) -> None:
    rows = lines(tmp_path / "rows.jsonl", {"id": 7, "text": "fine"}, line, {"id": "8", "text": "fine too"})
    kept, (reject,), ledger = run(rows, problems)
    assert [row["id"] for row in kept] == ["7", "8"]
    assert reject["reason"] == "malformed"
    assert reject["detail"].startswith(said)
    assert reject["id"] == ("m" if '"m"' in line else "line-2")
    assert (ledger.rows_in, ledger.rows_out, dict(ledger.rejected)) == (3, 2, {"malformed": 1})


def test_bytes_that_are_not_text_and_empty_cells_are_malformed(tmp_path: Path, problems: Path) -> None:
    (tmp_path / "rows.jsonl").write_bytes(b'\xff{"id": 1}\n\n{"id": "1", "text": "x"}\n')
    assert [row["detail"] for row in run(tmp_path / "rows.jsonl", problems)[1]] == ["line 1: not UTF-8"]
    pq.write_table(pa.table({"id": ["1", None, "3"], "text": ["x", "y", None]}), tmp_path / "rows.parquet")
    kept, rejected, _ = run(tmp_path / "rows.parquet", problems)
    assert kept == [{"id": "1", "text": "x"}]
    assert [(row["id"], row["detail"]) for row in rejected] == [
        ("3", "row 3: column 'text' is empty"),
        ("row-2", "row 2: column 'id' is empty"),
    ]


def test_columns_of_any_kind_survive_jsonl(tmp_path: Path, problems: Path) -> None:
    rows = [
        {"id": "1", "text": "x", "license": ["MIT"], "mixed": 1, "big": 2**70},
        {"id": "2", "text": "y", "license": [], "mixed": "one", "nested": {"a": [1]}},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    kept = run(path, problems)[0]
    assert kept[0] == {"id": "1", "text": "x", "license": ["MIT"], "mixed": "1", "big": str(2**70), "nested": None}
    assert kept[1] == {
        "id": "2", "text": "y", "license": [], "mixed": '"one"', "big": "null", "nested": {"a": [1]}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _: None, "no such file or folder"),
        (lambda path: path.mkdir(), "no Parquet file there"),
        (lambda path: path.write_text(""), "no usable row (it is empty)"),
        (lambda path: path.write_text("oops"), "no usable row (line 1: not JSON"),
        (lambda path: path.write_bytes(b"\x1f\x8bxx"), "cannot be read"),
        (lambda path: path.write_bytes(b"PAR1xx"), "not readable as Parquet"),
        (lambda path: pq.write_table(pa.table({"id": ["1"]}), path), "rows need 'id' and either 'text'"),
        (lambda path: pq.write_table(pa.table({"text": ["1"]}), path), "rows need 'id' and either 'text'"),
        (lambda path: pq.write_table(pa.table({"id": ["1"], "text": [1]}), path), "column 'text' holds int64"),
    ],
)
def test_an_input_that_cannot_be_used_is_named(tmp_path: Path, problems: Path, make: Any, said: str) -> None:
    rows = tmp_path / "rows"
    make(rows)
    with pytest.raises(InputError) as error:
        run(rows, problems)
    assert str(rows) in str(error.value)
    assert said in str(error.value)


def test_settings_that_decide_nothing_are_refused(tmp_path: Path, problems: Path) -> None:
    rows = lines(tmp_path / "rows.jsonl", {"id": "1", "text": "x"})
    with pytest.raises(RequestError, match="nothing to decontaminate against"):
        decontaminate(Decontaminate(), rows=rows, out=tmp_path / "out", ledger=Ledger())
    with pytest.raises(RequestError, match="both tiers are off"):
        run(rows, problems, ngram=None)
    write_dataset(tmp_path / "documents", [Document("1", "x", "s", "p")], Document)
    with pytest.raises(InputError, match="would overwrite its own input"):
        decontaminate(
            Decontaminate(against=[str(problems)]), rows=tmp_path / "documents", out=tmp_path, ledger=Ledger()
        )


def test_an_empty_dataset_stays_one(tmp_path: Path, problems: Path) -> None:
    write_dataset(tmp_path / "rows", [], Document)
    kept, rejected, ledger = run(tmp_path / "rows", problems)
    assert (kept, rejected, ledger.rows_in, len(ledger.canaries)) == ([], [], 0, 4)


def test_the_same_bytes_from_one_worker_and_two(
    tmp_path: Path, problems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [Document(f"{i:03}", f"{SHARED if i % 7 == 0 else 'other'} {i}", "s", "p") for i in range(100)]
    write_dataset(tmp_path / "rows", documents, Document)
    monkeypatch.setattr(judge, "BATCH_ROWS", 9)
    made: list[Sequence[bytes]] = []
    for workers in (1, 2, 1):
        config = Decontaminate(against=[str(problems)], workers=workers, syntax_threshold=0.9)
        out = tmp_path / f"out{len(made)}"
        decontaminate(config, rows=tmp_path / "rows", out=out, ledger=Ledger())
        made.append([path.read_bytes() for path in sorted(out.rglob("*.parquet"))])
    assert made[0] == made[1] == made[2]
    assert pq.read_table(tmp_path / "out1" / "rejected").num_rows == 15


def test_workers_and_defaults_stay_out_of_the_key() -> None:
    assert Decontaminate(workers=8).semantic() == {}
    assert Decontaminate(against=["humaneval"], ngram=13, syntax_threshold=0.9).semantic() == {
        "against": ["humaneval"],
        "syntax_threshold": 0.9,
    }


# Canaries: each setting that is not read, or read wrongly, fails the run.


def ignoring(**given: Any) -> Any:
    """A Judge that takes its own values for some settings."""

    class Careless(Judge):
        def __init__(self, items: Any, ngram: Any, syntax_threshold: Any, **others: Any) -> None:
            settings = {"ngram": ngram, "syntax_threshold": syntax_threshold, **others, **given}
            super().__init__(items, settings.pop("ngram"), settings.pop("syntax_threshold"), **settings)

    return Careless


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"ngram": 12}, "ngram: 12 words shared.* caught and should have been let through"),
        ({"ngram": 14}, "ngram: 13 words shared.* missed and should have been caught"),
        ({"ngram": None}, "ngram: 13 words shared.* missed"),
        ({"allow": []}, "ngram: 13 words shared and allowed.* caught"),
        ({"count_numbers": True}, "ngram: 13 numbers shared.* caught"),
        ({"syntax_threshold": 0.901}, r"syntax: match rate 0\.900.* missed"),
        ({"syntax_threshold": 0.899}, r"syntax: match rate 0\.899.* caught"),
        ({"syntax_threshold": None}, r"syntax: match rate 0\.900.* missed"),
    ],
)
def test_a_setting_that_is_not_read_fails_the_run(
    tmp_path: Path, problems: Path, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any], said: str
) -> None:
    rows = lines(tmp_path / "rows.jsonl", {"id": "1", "text": "x"})
    run(rows, problems, syntax_threshold=0.9)
    monkeypatch.setattr("hornbook.decontamination.decontaminate.Judge", ignoring(**fault))
    with pytest.raises(CanaryError, match=said):
        run(rows, problems, syntax_threshold=0.9)


def test_a_tier_that_finds_nothing_fails_the_run_and_writes_nothing(
    tmp_path: Path, problems: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = lines(tmp_path / "rows.jsonl", {"id": "1", "text": SHARED})
    monkeypatch.setattr(NgramIndex, "find", lambda _, texts: [None] * len(texts))
    with pytest.raises(CanaryError, match="13 words shared"):
        run(rows, problems)
    assert not (tmp_path / "out").exists()


@given(st.one_of(st.integers(10, 100).map(lambda i: i / 100), st.floats(0.1, 1)))
def test_planted_programs_stand_on_either_side_of_any_threshold(threshold: float) -> None:
    planted = canaries.plant(None, threshold, count_numbers=False)
    findings = Judge(planted.items, None, threshold).findings([row.text for row in planted.rows])
    canaries.check(planted.rows, findings, Ledger())


@given(st.integers(2, 40), st.booleans())
def test_planted_words_stand_on_either_side_of_any_length(n: int, count_numbers: bool) -> None:
    planted = canaries.plant(n, None, count_numbers)
    judge = Judge(planted.items, n, None, allow=planted.allow, count_numbers=count_numbers)
    canaries.check(planted.rows, judge.findings([row.text for row in planted.rows]), Ledger())


def test_batches_hold_every_text_once_in_order() -> None:
    texts = ["x" * (i * 40_000) for i in range(40)] + [""] * 5000
    made = list(batches(texts))
    assert [text for batch in made for text in batch] == texts
    assert all(sum(map(len, batch[:-1])) < judge.BATCH_CHARS and len(batch) <= judge.BATCH_ROWS for batch in made)


def test_rows_are_told_apart_by_their_columns(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "rows.jsonl",
        {"id": "1", "prompt": "def f():\n", "solution": "    pass\n"},
        {"id": "2", "text": "x"},
    )
    rows = read_rows(path)
    assert (rows.kind, list(rows.texts()), len(rows.malformed)) == ("exercises", ["def f():\n    pass\n"], 1)
