"""A file counts as compiled exactly when an import would not compile it again."""

import os
import py_compile
from pathlib import Path

import pytest

from hornbook.corpus import compiled as room
from hornbook.corpus.compiled import compiled, library_folders
from hornbook.corpus.reading import verdict_row
from hornbook.corpus.rules import Cleaning, Refusal, clean

SOURCE = b"def double(x):\n    return 2 * x\n"
BY_TIME, BY_HASH = py_compile.PycInvalidationMode.TIMESTAMP, py_compile.PycInvalidationMode.CHECKED_HASH
UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in a folder that passes for the interpreter's own."""
    monkeypatch.setattr(room, "library_folders", lambda: (f"{tmp_path}/",))
    (tmp_path / "double.py").write_bytes(SOURCE)
    return tmp_path / "double.py"


@pytest.mark.parametrize(("mode", "expected"), [(BY_TIME, True), (BY_HASH, True), (UNCHECKED, False)])
def test_what_was_compiled_as_it_stands(source: Path, mode: py_compile.PycInvalidationMode, expected: bool) -> None:
    assert not compiled(str(source), SOURCE)
    py_compile.compile(str(source), invalidation_mode=mode)
    assert compiled(str(source), SOURCE) == expected


def test_a_file_that_changed_since(source: Path) -> None:
    py_compile.compile(str(source), invalidation_mode=BY_TIME)
    assert not compiled(str(source), SOURCE + b"\n")  # another size
    os.utime(source, (1, 1))
    assert not compiled(str(source), SOURCE)  # another time
    py_compile.compile(str(source), invalidation_mode=BY_HASH)
    assert not compiled(str(source), SOURCE.replace(b"2", b"3"))  # other bytes


def test_bytecode_of_another_interpreter(source: Path) -> None:
    made = Path(str(py_compile.compile(str(source), invalidation_mode=BY_TIME)))
    made.write_bytes(b"\x01\x02\x0d\x0a" + made.read_bytes()[4:])
    assert not compiled(str(source), SOURCE)


def test_a_declared_encoding_is_parsed_all_the_same(source: Path) -> None:
    data = b"#!/usr/bin/python\n# -*- coding: latin-1 -*-\n" + SOURCE
    source.write_bytes(data)
    py_compile.compile(str(source), invalidation_mode=BY_HASH)
    assert not compiled(str(source), data)


def test_a_persons_own_folder_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "double.py").write_bytes(SOURCE)
    py_compile.compile(str(tmp_path / "double.py"), invalidation_mode=BY_HASH)
    assert not compiled(str(tmp_path / "double.py"), SOURCE)
    assert any(os.__file__.startswith(folder) for folder in library_folders())


def test_what_is_compiled_is_not_parsed_and_every_other_rule_is_asked(source: Path) -> None:
    broken = SOURCE * 10 + b"def (:\n"
    source.write_bytes(broken)
    row = verdict_row(broken, "s", "double.py", str(source), Cleaning(), True)
    assert row["reason"] == "not-python"
    header = room.as_hashed(broken)  # a lie that no compiler tells
    (source.parent / "__pycache__").mkdir()
    Path(room.cache_from_source(str(source))).write_bytes(header)
    assert verdict_row(broken, "s", "double.py", str(source), Cleaning(), True)["reason"] is None
    made = clean(b"x", "double.py", Cleaning(), compiled=True)
    assert isinstance(made, Refusal)
    assert made.reason == "too-short"
