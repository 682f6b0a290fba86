"""The licence gate: what goes out, what is refused with which words, and what the licences of ancestors decide."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from workdirs import Workdir, corpus, document, exercise

from hornbook.errors import RequestError
from hornbook.export.export import Export, export
from hornbook.export.gate import AllowList, licenses_of
from runs import Command


def exported(workdir: Workdir, what: str = "selected", **how: Any) -> dict[str, Any]:
    return export(Export(**how), what, out=workdir.root / "out", workdir=workdir.root)


def refusal(workdir: Workdir, what: str = "selected", **how: Any) -> str:
    """The words of a refusal, after which nothing may have been written."""
    with pytest.raises(RequestError) as refused:
        exported(workdir, what, **how)
    assert sorted(path.name for path in workdir.root.iterdir()) == ["artifacts", "runs"]
    return str(refused.value)


def ids(folder: Path) -> list[str]:
    found: list[str] = pq.read_table(folder, columns=["id"])["id"].to_pylist()
    return found


@pytest.mark.parametrize(
    ("claim", "found"),
    [
        (["MIT"], {"MIT"}),
        (["MIT OR GPL-3.0-only", "Zlib"], {"MIT", "GPL-3.0-only", "Zlib"}),
        ("Apache-2.0 WITH LLVM-exception", {"Apache-2.0 WITH LLVM-exception"}),
        ([], set()),
        (None, set()),
        ([None], set()),
        ("", set()),
        (["NOASSERTION"], set()),
        (["unknown"], set()),
    ],
)
def test_the_cell_of_a_licence_column_is_read(claim: Any, found: set[str]) -> None:
    assert licenses_of(claim) == found


@pytest.mark.parametrize(
    ("allow", "refused"),
    [
        (["permissive"], ["GPL-3.0-only", "GPL-3.0-only WITH GCC-exception-3.1", "MPL-2.0"]),
        (["permissive", "mpl-2.0"], ["GPL-3.0-only", "GPL-3.0-only WITH GCC-exception-3.1"]),
        (["MIT"], ["Apache-2.0 WITH LLVM-exception", "GPL-3.0-only", "GPL-3.0-only WITH GCC-exception-3.1", "MPL-2.0"]),
        (["GPL-3.0-only, MPL-2.0"], ["Apache-2.0 WITH LLVM-exception", "MIT"]),
    ],
)
def test_an_allow_list_holds_what_it_names_and_nothing_more(allow: list[str], refused: list[str]) -> None:
    given = ["MIT", "Apache-2.0 WITH LLVM-exception", "GPL-3.0-only", "GPL-3.0-only WITH GCC-exception-3.1", "MPL-2.0"]
    assert AllowList.of(allow).refused(given) == refused


@pytest.mark.parametrize("allow", [[], [""], ["MIT,"]])
def test_an_empty_allow_list_is_refused(allow: list[str]) -> None:
    with pytest.raises(RequestError, match="--allow"):
        AllowList.of(allow)


def test_one_unknown_licence_among_thousands_is_refused_with_its_count(tmp_path: Path) -> None:
    rows = [document(f"{n:05}", "MIT") for n in range(5000)] + [document("stray")]
    assert refusal(corpus(tmp_path, rows)) == (
        "selected: the licences of 1 of 5,001 rows do not allow it: 1 unknown; "
        "--unknown drop leaves unknown ones out, --unknown keep takes them along"
    )


def test_dropping_leaves_out_the_unknown_rows_and_no_other_and_keeps_scores_aligned(tmp_path: Path) -> None:
    rows = [document(f"{n:05}", *(["MIT"] if n % 3 else [])) for n in range(5000)]
    found = exported(corpus(tmp_path, rows), unknown="drop")
    kept = [f"{n:05}" for n in range(5000) if n % 3]
    assert ids(tmp_path / "out" / "data") == kept
    assert (found["rows"], found["dropped"], found["license"]) == (3333, 1667, ["MIT"])
    scores = pq.read_table(tmp_path / "out" / "attributes" / "scores").to_pylist()
    assert scores == [{"id": name, "score": float(int(name) % 5)} for name in kept]


def test_keeping_takes_unknown_rows_along_and_says_so(tmp_path: Path) -> None:
    found = exported(corpus(tmp_path, [document("a", "MIT"), document("b")]), unknown="keep")
    assert (found["license"], found["licenses"]) == (["MIT", "unknown"], {"MIT": 1})
    assert "| unknown | 1 |" in (tmp_path / "out" / "README.md").read_text()


def test_dropping_everything_is_refused(tmp_path: Path) -> None:
    said = refusal(corpus(tmp_path, [document("a")]), unknown="drop")
    assert said == "selected: nothing to export, all 1 rows are of unknown licence"


def test_the_way_that_a_refusal_names_works_as_it_stands(tmp_path: Path, hornbook: Command) -> None:
    rows = [document("a", "MIT"), document("b", "GPL-3.0-only"), document("c", "MPL-2.0", "GPL-3.0-only")]
    made = corpus(tmp_path, rows)
    where = ("--workdir", tmp_path, "--out", tmp_path / "out")
    complaint = hornbook("export", "selected", *where).complaint(2)
    assert complaint == (
        "selected: the licences of 2 of 3 rows do not allow it: 2 GPL-3.0-only, 1 MPL-2.0; "
        "--allow permissive,GPL-3.0-only,MPL-2.0 lets these licences out"
    )
    assert not (made.root / "out").exists()
    way = complaint.rpartition("; ")[2].split()[:2]
    found = hornbook("export", "selected", *where, *way, "--json").json
    assert (found["rows"], found["license"]) == (3, ["GPL-3.0-only", "MIT", "MPL-2.0"])


def reversal(root: Path, parent: list[Any], *children: Any) -> Workdir:
    """Exercises made from documents that a writer read."""
    made = Workdir(root)
    made.add("curate-corpus", {"documents": parent})
    made.add("write_exercises-exercises", {"exercises": children}, {"documents": "curate-corpus/documents"})
    made.add("decontaminate-exercises", {"exercises": children}, {"rows": "write_exercises-exercises/exercises"})
    made.finish()
    return made


def test_a_parents_licence_counts_for_what_was_made_from_it(tmp_path: Path) -> None:
    made = reversal(
        tmp_path, [document("d", "GPL-2.0-only"), document("e", "MIT")], exercise("f", "MIT", parents=["d"])
    )
    assert "1 GPL-2.0-only" in refusal(made, "exercises")


def test_a_grandparents_licence_counts_too_and_a_circle_ends(tmp_path: Path) -> None:
    line = [document("a", "LGPL-3.0-only", parents=["c"]), document("b", "MIT", parents=["a"]), document("c", "MIT", parents=["b"])]  # fmt: skip
    assert "1 LGPL-3.0-only" in refusal(reversal(tmp_path, line, exercise("f", "MIT", parents=["c"])), "exercises")


def test_what_is_made_from_an_unknown_parent_is_unknown(tmp_path: Path) -> None:
    made = reversal(tmp_path, [document("d"), document("e", "MIT")], exercise("f", "MIT", parents=["d", "e"]))
    assert "1 unknown" in refusal(made, "exercises")


def test_an_unknown_parent_hides_no_licence_that_is_known(tmp_path: Path) -> None:
    """Own licence GPL, one parent unknown, one MPL: keeping what is unknown lets neither of the others out."""
    rows = [document("d"), document("e", "MPL-2.0")]
    made = reversal(tmp_path, rows, exercise("f", "GPL-3.0-only", parents=["d", "e"]))
    assert refusal(made, "exercises", unknown="keep") == (
        "exercises: the licences of 1 of 1 rows do not allow it: 1 GPL-3.0-only, 1 MPL-2.0; "
        "--allow permissive,GPL-3.0-only,MPL-2.0 lets these licences out"
    )
    found = exported(made, "exercises", unknown="keep", allow=["GPL-3.0-only", "MPL-2.0"])
    assert found["license"] == ["GPL-3.0-only", "MPL-2.0", "unknown"]


def test_a_row_that_is_both_refused_and_unknown_is_one_row(tmp_path: Path) -> None:
    made = reversal(tmp_path, [document("d")], exercise("f", "GPL-3.0-only", parents=["d"]), exercise("g", "MIT"))
    assert "the licences of 1 of 2 rows do not allow it: 1 GPL-3.0-only, 1 unknown" in refusal(made, "exercises")


def test_a_parent_is_attributed_for_what_was_made_from_it(tmp_path: Path) -> None:
    made = reversal(tmp_path, [document("d", "BSD-3-Clause", source="sums", version="2.1")], exercise("f", "MIT", parents=["d"]))  # fmt: skip
    exported(made, "exercises")
    assert "- sums 2.1: BSD-3-Clause" in (tmp_path / "out" / "NOTICE").read_text()


def test_a_row_whose_ancestor_is_missing_goes_by_its_own_licence_and_is_counted(tmp_path: Path) -> None:
    made = reversal(tmp_path, [document("d", "MIT")], exercise("f", "MIT", parents=["gone"]), exercise("g", "MIT", parents=["d"]))  # fmt: skip
    assert exported(made, "exercises")["license"] == ["MIT"]
    assert (
        "1 name a parent whose row is not behind this dataset any more" in (tmp_path / "out" / "README.md").read_text()
    )


def test_licences_stand_by_row_and_by_source(tmp_path: Path) -> None:
    rows = [document("a", "MIT", "Zlib"), document("b", "MIT"), document("c", "CC0-1.0", source="free")]
    exported(corpus(tmp_path, rows))
    assert json.loads((tmp_path / "out" / "LICENSES.json").read_text()) == {
        "rows": 3,
        "licenses": {"CC0-1.0": 1, "MIT": 2, "Zlib": 1},
        "unknown": 0,
        "sources": [
            {"source": "free", "version": "1.0", "licenses": {"CC0-1.0": 1}},
            {"source": "lib", "version": "1.0", "licenses": {"MIT": 2, "Zlib": 1}},
        ],
    }
    notice = (tmp_path / "out" / "NOTICE").read_text()
    assert "- lib 1.0: MIT, Zlib" in notice
    assert "free" not in notice  # CC0 asks for nothing
    assert "add them before you publish: lib 1.0." in notice


def test_the_licence_text_of_an_installed_source_is_in_the_notice(tmp_path: Path) -> None:
    from importlib.metadata import version

    rows = [document("a", "BSD-3-Clause", source="Jinja2", version=version("jinja2"))]
    rows += [document("b", "BSD-3-Clause", source="markupsafe", version="0.0.1")]
    exported(corpus(tmp_path, rows))
    notice = (tmp_path / "out" / "NOTICE").read_text()
    assert "Redistribution and use in source and binary forms" in notice
    assert "add them before you publish: markupsafe 0.0.1." in notice
