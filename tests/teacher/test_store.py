"""The store across processes, versions and kills. What it promises within one process is in test_teacher.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hornbook.teacher.ask import Request, Teacher, consult
from hornbook.teacher.request import Unanswered
from hornbook.teacher.store import FILE, ResponseStore

REQUEST = Request("m", (("user", "hello"),))
OLD_KEY = "3d7e1174b173d546b50dd5859222edf845f22e4eac3a81ebc53432fe82c7f93c"  # of REQUEST, by the first version
REPLAY = Teacher(provider="replay", model="m")


def chat(text: str, **more: object) -> dict[str, object]:
    return {"choices": [{"message": {"role": "assistant", "content": text}, **more}]}


def test_what_was_asked_before_requests_had_more_fields_is_found_again(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"key": OLD_KEY, "response": chat("old")}) + "\n")
    (found,) = consult(REPLAY, [REQUEST], tmp_path, "job")
    assert found.text == "old"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "later",
    [{"v": 3, "key": "k", "blob": "…"}, {"v": 3, "key": "k", "response": "elsewhere"}, {"v": 3}, {"v": 3, "key": 1}],
)
def test_a_row_of_a_later_version_is_passed_over(tmp_path: Path, later: dict[str, object]) -> None:
    (tmp_path / FILE).write_text(json.dumps(later) + "\n")
    store = ResponseStore(tmp_path)
    assert store.get("k") is None
    store.put("k", {"n": 1})
    assert ResponseStore(tmp_path).get("k") == {"n": 1}


def test_a_row_of_a_later_version_that_has_what_we_need_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"v": 3, "key": "k", "response": {"n": 1}, "more": 2}) + "\n")
    assert ResponseStore(tmp_path).get("k") == {"n": 1}


def test_a_row_says_what_was_asked(tmp_path: Path) -> None:
    ResponseStore(tmp_path).put("k", {"n": 1}, request={"model": "m"}, mode="live")
    (line,) = (tmp_path / FILE).read_text().splitlines()
    assert json.loads(line) == {"v": 2, "key": "k", "response": {"n": 1}, "request": {"model": "m"}, "mode": "live"}


def test_a_line_that_another_process_ends_while_it_is_read_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, reader = tmp_path / FILE, ResponseStore(tmp_path)
    line = json.dumps({"v": 2, "key": "k", "response": {"n": 1}}) + "\n"
    note = reader._note

    def slow(read: bytes, start: int) -> bool:
        found = note(read, start)
        with path.open("a") as stream:
            stream.write(line[path.stat().st_size :])
        return found

    path.write_text(line[:20])
    monkeypatch.setattr(reader, "_note", slow)
    assert not reader.holds("k")  # it was not whole yet
    assert reader.holds("k")
    reader.put("k", {"n": 2})
    assert path.read_text() == line


def test_two_stores_see_what_the_other_wrote_and_the_first_answer_counts(tmp_path: Path) -> None:
    one, other = ResponseStore(tmp_path), ResponseStore(tmp_path)
    assert one.put("k", {"n": 1}) == {"n": 1}
    assert other.holds("k")
    assert other.put("k", {"n": 2}) == {"n": 1}
    assert one.get("k") == other.get("k") == {"n": 1}
    assert len((tmp_path / FILE).read_bytes().splitlines()) == 1


def test_what_another_process_appends_behind_a_torn_line_is_seen(tmp_path: Path) -> None:
    one, other = ResponseStore(tmp_path), ResponseStore(tmp_path)
    one.put("a", {"n": 1})
    with (tmp_path / FILE).open("ab") as stream:
        stream.write(b'{"v": 2, "key": "b", "resp')
    assert other.get("b") is None
    one.put("c", {"n": 3})
    assert [other.get(key) for key in "abc"] == [{"n": 1}, None, {"n": 3}]


def test_why_there_is_no_answer_is_replayed_until_one_comes(tmp_path: Path) -> None:
    ResponseStore(tmp_path).put_unanswered(REQUEST.key, "timeout")
    assert consult(REPLAY, [REQUEST], tmp_path, "job") == [Unanswered(REQUEST.key, "timeout")]
    ResponseStore(tmp_path).put(REQUEST.key, chat("late"))
    (found,) = consult(REPLAY, [REQUEST], tmp_path, "job")
    assert found.text == "late"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (chat("half a sen", finish_reason="length"), "length"),
        (chat("…", finish_reason="content_filter"), "filtered"),
        (chat(" "), "empty"),
        ({"choices": []}, "empty"),
    ],
)
def test_an_answer_that_is_none_is_counted_by_its_reason(tmp_path: Path, raw: dict[str, object], reason: str) -> None:
    ResponseStore(tmp_path).put(REQUEST.key, raw)
    (found,) = consult(REPLAY, [REQUEST], tmp_path, "job")
    assert isinstance(found, Unanswered)
    assert found.reason == reason


def test_an_endpoints_answers_make_the_same_artifact_when_replayed() -> None:
    asking = Teacher(provider="endpoint", model="m", url="http://h/v1", cap_dollars=1, concurrency=3)
    assert asking.semantic() == REPLAY.semantic() == {"provider": "replay", "model": "m"}
    assert Teacher(provider="endpoint", model="m", parameters={"seed": 1}).semantic() != REPLAY.semantic()


def test_an_endpoint_needs_a_models_name() -> None:
    with pytest.raises(ValueError, match="provider endpoint needs `model:`"):
        Teacher(provider="endpoint")


def test_a_reply_is_known_again_by_its_id_and_every_byte(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path)
    store.put("k", {"id": "a", "n": 1})
    store.put("l", {"n": 1})
    for known in (store, ResponseStore(tmp_path)):
        assert known.owner({"id": "a", "n": 1}) == "k"
        assert [known.owner(other) for other in ({"id": "a", "n": 2}, {"id": "b", "n": 1}, {"n": 1})] == [None] * 3
