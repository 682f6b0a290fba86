"""Files in stores: listed, read and counted as those of this machine; what fails is told from what is damaged."""

import gzip
import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from hornbook.artifacts import Ledger, Store, digest_folder
from hornbook.corpus.curate import Curate, curate
from hornbook.corpus.sources import named_files
from hornbook.errors import InfrastructureError, InputError
from hornbook.facts import source_facts
from hornbook.records import Document, Rejected, read_dataset


def program(seed: int) -> str:
    body = "".join(f"    value_{seed}_{n} = number + {n}\n" for n in range(40))
    return f"def function_{seed}(number):\n{body}    return number\n"


def parquet(rows: list[dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), stream)
    return stream.getvalue()


FILES = {
    "a.py": program(1).encode(),
    "sub/b.py": program(2).encode(),
    "sub/node_modules/c.py": program(3).encode(),
    "empty.py": b"",
    "huge.txt": b"x" * 1_000_001,
    "ignored.csv": b"1,2",
    "t.jsonl.gz": gzip.compress(json.dumps({"text": program(4)}).encode()),
    "t.parquet": parquet([{"content": program(n), "max_stars_count": n} for n in (5, 6)]),
    "bad.parquet": b"PAR1",
}


class Broken(MemoryFileSystem):
    """A store of which some files cannot be read, each in its own way."""

    protocol = "broken"
    faults: dict[str, Exception] = {}

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.replace("broken://", "memory://")))

    def fail(self, path: str) -> None:
        for name, error in self.faults.items():
            if path.endswith(name):
                raise error

    def _open(self, path: str, *args: Any, **options: Any) -> Any:
        self.fail(path)
        return super()._open(path, *args, **options)

    def cat_file(self, path: str, *args: Any, **options: Any) -> Any:
        self.fail(path)
        return super().cat_file(path, *args, **options)


fsspec.register_implementation("broken", Broken, clobber=True)


@pytest.fixture(autouse=True)
def store() -> Iterator[MemoryFileSystem]:
    memory = fsspec.filesystem("memory")
    for name, data in FILES.items():
        memory.pipe(f"/bucket/mine/{name}", data)
    Broken.faults = {}
    yield memory
    memory.rm("/bucket", recursive=True)


def run(path: str, out: Path) -> tuple[list[Document], list[Rejected], Ledger]:
    ledger = Ledger()
    curate(Curate(python=False, paths=[path], workers=1), out=out, ledger=ledger)
    return list(read_dataset(out / "documents", Document)), list(read_dataset(out / "rejected", Rejected)), ledger


def names(given: str) -> list[str]:
    return [item.name for item in named_files(given)]


def test_a_store_gives_the_same_rows_as_this_machine(tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_bytes(data)
    with zipfile.ZipFile(tmp_path / "mine.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            archive.writestr(f"mine/{name}", data)
    documents, rejected, ledger = run("memory://bucket/mine", tmp_path / "remote")
    assert sorted(document.path for document in documents) == [
        "a.py",
        "sub/b.py",
        "t.jsonl.gz:1",
        "t.parquet:1",
        "t.parquet:2",
    ]
    assert {json.loads(document.metadata).get("stars") for document in documents} == {None, 5, 6}
    assert ledger.rejected == {"empty": 1, "too-large": 1, "unreadable": 1}
    for other in (f"zip://mine::{tmp_path}/mine.zip", f"file://{tmp_path}/mine", str(tmp_path / "mine")):
        again, refused, _ = run(other, tmp_path / "other")
        assert again == documents
        assert [(row.id, row.reason, row.detail) for row in refused] == [
            (row.id, row.reason, row.detail) for row in rejected
        ]
    assert digest_folder(tmp_path / "remote" / "documents") == digest_folder(tmp_path / "other" / "documents")


def test_urls_name_files_folders_and_globs() -> None:
    assert names("memory://bucket/mine/*.py") == ["mine:a.py", "mine:empty.py"]
    assert names("memory://bucket/mine/sub/b.py") == ["sub:b.py"]
    assert names("memory://bucket/mine/sub") == ["sub:b.py"]
    assert "mine:sub/b.py" in names("memory://bucket/mine/**/*.py")


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("s3://bucket/x", "Install s3fs"),
        ("nosuch://bucket/x", "Protocol not known: nosuch"),
        ("memory://bucket/nothing", "no such file or folder"),
        ("memory://bucket/mine/*.rst", r"nothing there ends in \.py"),
        ("memory://bucket/mine/ignored.csv", r"ignored\.csv ends in none of \.py"),
        ("zip://*.py::nowhere.zip", "no such file or folder"),
    ],
)
def test_what_cannot_be_listed_is_refused(given: str, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if given.startswith("s3"):
        monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(InputError, match=complaint):
        names(given)


def test_a_file_that_a_store_refuses_is_counted(tmp_path: Path) -> None:
    Broken.faults = {"/a.py": PermissionError("no"), "t.parquet": FileNotFoundError("gone")}
    _, rejected, ledger = run("broken://bucket/mine", tmp_path / "out")
    assert ledger.rejected["unreadable"] == 3
    assert {row.detail.split(":")[1] for row in rejected if row.reason == "unreadable"} == {
        "a.py",
        "t.parquet",
        "bad.parquet",
    }


@pytest.mark.parametrize("name", ["/a.py", "t.parquet", "t.jsonl.gz"])
def test_a_store_that_fails_ends_the_run(tmp_path: Path, name: str) -> None:
    Broken.faults = {name: TimeoutError("too slow")}
    with pytest.raises(InfrastructureError, match=r"the store failed on .*: TimeoutError: too slow; run again"):
        run("broken://bucket/mine", tmp_path / "out")


def test_a_damaged_member_of_an_archive_is_counted(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.py", program(number))
    data = bytearray((tmp_path / "t.zip").read_bytes())
    data[data.index(b"value_1_7")] ^= 1
    (tmp_path / "t.zip").write_bytes(data)
    documents, rejected, _ = run(f"zip://::{tmp_path}/t.zip", tmp_path / "out")
    assert sorted(document.path for document in documents) == ["0.py", "2.py"]
    assert [row.detail for row in rejected] == ["t.zip:1.py: damaged: BadZipFile"]


@pytest.mark.timeout(30)
def test_the_key_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.py")
    config = Curate(python=False, paths=[str(tmp_path)])
    assert source_facts(config, Store(tmp_path / "none"))["sources"]


def test_the_key_follows_what_the_store_tells(store: MemoryFileSystem, tmp_path: Path) -> None:
    config = Curate(python=False, paths=["memory://bucket/mine"])
    first = source_facts(config, Store(tmp_path))
    assert source_facts(config, Store(tmp_path)) == first
    store.pipe("/bucket/mine/a.py", program(9).encode())
    assert source_facts(config, Store(tmp_path)) != first
