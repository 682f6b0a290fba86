"""Keys, digests, the store's folders, manifests and the lock."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hornbook.artifacts import (
    Ledger,
    Node,
    Store,
    append_jsonl,
    digest_file,
    digest_folder,
    digest_json,
    key_of,
    read_json,
    read_jsonl,
    read_manifest,
    write_json,
)
from hornbook.config import Config, operational
from hornbook.errors import CanaryError, InfrastructureError, InputError, RequestError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=12,
)


class Bake(Config):
    degrees: int = 180
    minutes: int = 20
    workers: int = operational(2)


def node(
    config: Config | None = None, *, stage: str = "bake", version: int = 1, facts: Mapping[str, str] | None = None
) -> Node:
    return Node(stage, "bread", version, config or Bake(), {"dough": "knead-bread"}, facts or {})


KEY = key_of(node(), {"dough": "d1"})
MANIFEST = {"key": KEY, "digest": "d", "folders": {}}


def test_a_key_is_the_sha256_of_everything_that_shapes_the_artifact() -> None:
    written = '{"config":{"minutes":25},"facts":{"oven":"gas"},"inputs":{"dough":"d1"},"stage":"bake","version":3}'
    made = key_of(node(Bake(minutes=25), version=3, facts={"oven": "gas"}), {"dough": "d1"})
    assert made == hashlib.sha256(written.encode()).hexdigest()


def test_an_operational_field_leaves_the_key_alone() -> None:
    assert key_of(node(Bake(workers=64)), {"dough": "d1"}) == KEY


def test_a_new_option_at_its_default_leaves_the_key_alone() -> None:
    class BakeWithSteam(Bake):
        steam: bool = False

    assert key_of(node(BakeWithSteam()), {"dough": "d1"}) == KEY


@pytest.mark.parametrize(
    ("changed", "digests"),
    [
        (node(Bake(degrees=181)), {"dough": "d1"}),
        (node(version=2), {"dough": "d1"}),
        (node(stage="boil"), {"dough": "d1"}),
        (node(facts={"oven": "gas"}), {"dough": "d1"}),
        (node(), {"dough": "d2"}),
        (node(), {"batter": "d1"}),
    ],
    ids=["config", "version", "stage", "facts", "input bytes", "input name"],
)
def test_the_key_changes_with(changed: Node, digests: dict[str, str]) -> None:
    assert key_of(changed, digests) != KEY


def test_the_name_of_an_artifact_is_not_in_its_key() -> None:
    other = Node("bake", "cake", 1, Bake(), {"dough": "knead-cake"})
    assert key_of(other, {"dough": "d1"}) == KEY


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, min_size=2, max_size=6), st.randoms())
def test_a_digest_does_not_depend_on_key_order(value: dict[str, Any], chance: Any) -> None:
    shuffled = list(value.items())
    chance.shuffle(shuffled)
    assert digest_json(dict(shuffled)) == digest_json(value)


@given(JSON, JSON)
def test_json_that_differs_has_another_digest(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (digest_json(one) == digest_json(other)) is same


def test_a_files_digest_is_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest_file(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def filled(folder: Path) -> Path:
    (folder / "rows").mkdir(parents=True)
    (folder / "rows" / "part").write_bytes(b"rows")
    (folder / "notes.txt").write_bytes(b"notes")
    return folder


def test_manifests_and_timings_do_not_belong_to_a_folders_digest(tmp_path: Path) -> None:
    bare, dressed = filled(tmp_path / "bare"), filled(tmp_path / "dressed")
    (dressed / "manifest.json").write_text("{}")
    (dressed / "rows" / "timings.jsonl").write_text("{}")
    assert digest_folder(dressed) == digest_folder(bare)


@pytest.mark.parametrize("change", ["bytes", "name", "another file"])
def test_a_folders_digest_changes_with(change: str, tmp_path: Path) -> None:
    folder, other = filled(tmp_path / "one"), filled(tmp_path / "other")
    if change == "bytes":
        (other / "rows" / "part").write_bytes(b"rowS")
    elif change == "name":
        (other / "notes.txt").rename(other / "rows" / "notes.txt")
    else:
        (other / "empty").touch()
    assert digest_folder(other) != digest_folder(folder)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "work")
    made.prepare()
    return made


def begin(store: Store, text: str = "loaf") -> None:
    out = store.unfinished(node(), KEY)
    out.mkdir()
    (out / "bread.txt").write_text(text)


def test_the_folders_are_named_by_stage_name_and_key(store: Store) -> None:
    assert store.folder(node(), KEY) == store.workdir / "artifacts" / f"bake-bread-{KEY[:8]}"
    assert store.unfinished(node(), KEY) == store.workdir / "work" / f"bake-bread-{KEY[:8]}"


def test_a_folder_without_manifest_is_not_done(store: Store) -> None:
    store.folder(node(), KEY).mkdir()
    assert store.manifest(node(), KEY) is None


def test_commit_moves_the_work_and_writes_the_manifest(store: Store) -> None:
    begin(store)
    folder = store.commit(node(), KEY, MANIFEST)
    assert (folder / "bread.txt").read_text() == "loaf"
    assert store.manifest(node(), KEY) == MANIFEST
    assert not store.unfinished(node(), KEY).exists()


def test_commit_replaces_what_a_killed_commit_left(store: Store) -> None:
    half = store.folder(node(), KEY)
    half.mkdir()
    (half / "crumbs.txt").touch()
    begin(store)
    store.commit(node(), KEY, {"key": KEY})
    assert sorted(path.name for path in half.iterdir()) == ["bread.txt", "manifest.json"]


def test_the_manifest_is_written_last(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(store)
    moved = []
    really = os.replace

    def watched(source: Any, target: Any) -> None:
        moved.append(Path(target).name)
        really(source, target)

    monkeypatch.setattr(os, "replace", watched)
    store.commit(node(), KEY, {"key": KEY})
    assert moved == [f"bake-bread-{KEY[:8]}", "manifest.json"]


@pytest.mark.parametrize("text", ['{"key": "', "", "[1]", "\xff\x00", '{"key": "of another artifact"}'])
def test_a_torn_or_foreign_manifest_is_none(store: Store, text: str) -> None:
    begin(store)
    folder = store.commit(node(), KEY, {"key": KEY})
    (folder / "manifest.json").write_bytes(text.encode("latin-1"))
    assert store.manifest(node(), KEY) is None


def test_a_manifest_is_read_under_any_key_when_none_is_given(tmp_path: Path) -> None:
    write_json(tmp_path / "manifest.json", {"key": "x"})
    assert read_manifest(tmp_path) == {"key": "x"}


def test_prepare_makes_the_four_folders_and_leaves_no_probe(store: Store) -> None:
    assert sorted(path.name for path in store.workdir.iterdir()) == ["artifacts", "responses", "runs", "work"]


def test_a_workdir_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RequestError, match="Not a directory; choose another with --workdir"):
        Store(tmp_path / "file" / "work").prepare()


def test_a_lock_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="No such file"), Store(tmp_path / "none").lock():
        pass


def test_a_second_lock_is_refused_and_names_the_holder(store: Store) -> None:
    refused = pytest.raises(RequestError, match=rf"in use by another run \(process {os.getpid()}\)")
    with store.lock(), refused, Store(store.workdir).lock():
        pass


def test_the_lock_is_free_again_after_use(store: Store) -> None:
    with store.lock():
        pass
    with store.lock():
        assert (store.workdir / "lock").read_text() == str(os.getpid())


def test_the_lock_of_a_killed_process_is_free(store: Store) -> None:
    hold = (
        "import sys; from pathlib import Path; from hornbook.artifacts import Store\n"
        "with Store(Path(sys.argv[1])).lock(): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(store.workdir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RequestError, match=f"process {holder.pid}"), store.lock():
        pass
    holder.kill()
    holder.communicate()
    with store.lock():
        pass


@given(value=JSON)
def test_json_reads_back_as_written(value: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("json") / "value.json"
    write_json(path, value)
    assert read_json(path) == value
    assert [item.name for item in path.parent.iterdir()] == ["value.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "value.json"
    write_json(path, "old")

    def full(*_: Any, **__: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InfrastructureError, match="No space left on device; free space"):
        write_json(path, "new")
    assert read_json(path) == "old"


def test_a_json_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.json: no such file"):
        read_json(tmp_path / "none.json")


@pytest.mark.parametrize("data", [b"{", b"\xff"])
def test_a_file_that_is_not_json_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(data)
    with pytest.raises(InputError, match=r"bad\.json: not JSON"):
        read_json(tmp_path / "bad.json")


@given(rows=st.lists(st.dictionaries(st.text(st.characters(codec="utf-8")), JSON, max_size=3), max_size=5))
def test_jsonl_reads_back_as_appended(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "rows.jsonl"
    path.touch()
    for row in rows:
        append_jsonl(path, row)
    assert list(read_jsonl(path)) == rows


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b'{"a": 1}\n\n[2]\n', r"rows.jsonl:3: expected a JSON object, found list"),
        (b'{"a": 1}\n{"a"\n', r"rows.jsonl: not JSON lines"),
        (b'{"a": "\xff"}\n', r"rows.jsonl: not JSON lines in UTF-8"),
    ],
)
def test_a_bad_jsonl_line_is_named(tmp_path: Path, data: bytes, complaint: str) -> None:
    (tmp_path / "rows.jsonl").write_bytes(data)
    with pytest.raises(InputError, match=complaint):
        list(read_jsonl(tmp_path / "rows.jsonl"))


def test_a_jsonl_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        list(read_jsonl(tmp_path / "rows.jsonl"))


def test_a_canary_that_behaves_is_recorded() -> None:
    ledger = Ledger()
    ledger.canary("above", threshold=0.8, expected=True, caught=True)
    assert ledger.canaries == [{"name": "above", "threshold": 0.8, "expected": True, "caught": True}]


@pytest.mark.parametrize(
    ("expected", "complaint"),
    [(True, "was missed and should have been caught"), (False, "was caught and should have been let through")],
)
def test_a_canary_that_misbehaves_fails_the_stage(expected: bool, complaint: str) -> None:
    with pytest.raises(CanaryError, match=f"'planted' at threshold 0.8 {complaint}"):
        Ledger().canary("planted", threshold=0.8, expected=expected, caught=not expected)
