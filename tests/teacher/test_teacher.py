"""Requests and their keys, the store that loses nothing, and the readings that ship with hornbook."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.errors import InfrastructureError, MissingResponse
from hornbook.teacher.ask import Replay, Request, Response, ask
from hornbook.teacher.readings import Readings, readings, reserved, text_digest, twice_read
from hornbook.teacher.store import FILE, ResponseStore

REQUEST = Request("m", (("user", "hello"),))
OTHER = {
    "model": "n",
    "messages": (("system", "hello"),),
    "temperature": 0.5,
    "top_p": 0.5,
    "max_tokens": 7,
    "schema": "{}",
    "attempt": 1,
    "parameters": '{"seed": 1}',
    "repair": 1,
}


def chat(text: str) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": text}}]}


class Counting:
    """A provider that answers with the number of the question."""

    def __init__(self) -> None:
        self.asked = 0

    def answer(self, _: Request) -> dict[str, Any]:
        self.asked += 1
        return chat(f"{self.asked}")


@pytest.mark.parametrize("name", [field.name for field in fields(Request)])
def test_every_field_of_a_request_is_in_its_key(name: str) -> None:
    assert replace(REQUEST, **{name: OTHER[name]}).key != REQUEST.key


def test_messages_cannot_run_into_one_another() -> None:
    one, two = ((("user", "a"), ("user", "b")), (("user", "ab"),))
    assert Request("m", one).key != Request("m", two).key


def test_equal_requests_have_equal_keys() -> None:
    assert Request("m", (("user", "hello"),)).key == REQUEST.key


def test_the_text_of_an_answer_is_its_first_choice() -> None:
    assert Response("k", chat("hello")).text == "hello"


@pytest.mark.parametrize(
    "raw", [{}, {"choices": []}, {"choices": [{}]}, {"choices": None}, {"choices": [{"message": {"content": None}}]}]
)
def test_an_answer_without_content_is_an_empty_text(raw: dict[str, Any]) -> None:
    assert Response("k", raw).text == ""


def test_half_of_a_surrogate_pair_in_an_answer_becomes_writable() -> None:
    assert Response("k", chat("a\ud83d b \U0001f600")).text == "a\ufffd b \U0001f600"


def test_a_question_is_asked_once(tmp_path: Path) -> None:
    provider, store = Counting(), ResponseStore(tmp_path)
    first = [answer.text for answer in ask(provider, [REQUEST, replace(REQUEST, attempt=1), REQUEST], store)]
    again = [answer.text for answer in ask(provider, [REQUEST], ResponseStore(tmp_path))]
    assert (first, again, provider.asked) == (["1", "2", "1"], ["1"], 2)


def test_an_answer_is_stored_before_it_is_handed_on(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path)
    for answer in ask(Counting(), [REQUEST, replace(REQUEST, attempt=1)], store):
        assert ResponseStore(tmp_path).get(answer.key) == answer.raw


def test_what_was_answered_before_a_provider_fails_is_kept(tmp_path: Path) -> None:
    class Failing(Counting):
        def answer(self, request: Request) -> dict[str, Any]:
            if self.asked == 2:
                raise RuntimeError
            return super().answer(request)

    requests = [replace(REQUEST, attempt=n) for n in range(4)]
    with pytest.raises(RuntimeError):
        list(ask(Failing(), requests, ResponseStore(tmp_path)))
    assert [ResponseStore(tmp_path).get(r.key) for r in requests] == [chat("1"), chat("2"), None, None]


def test_replay_says_what_is_missing_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingResponse) as raised:
        list(ask(Replay(), [REQUEST], ResponseStore(tmp_path)))
    assert REQUEST.key[:12] in str(raised.value)
    assert "'m'" in str(raised.value)
    assert "restore the run's responses/ folder" in str(raised.value)


def test_replay_answers_from_the_store(tmp_path: Path) -> None:
    ResponseStore(tmp_path).put(REQUEST.key, chat("stored"))
    assert [answer.text for answer in ask(Replay(), [REQUEST], ResponseStore(tmp_path))] == ["stored"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(response=st.dictionaries(st.text(), JSON, max_size=3))
def test_whatever_json_can_say_is_kept(response: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("store")
    ResponseStore(folder).put("k", response)
    assert ResponseStore(folder).get("k") == response


def test_half_of_a_surrogate_pair_in_a_response_does_not_lose_it(tmp_path: Path) -> None:
    ResponseStore(tmp_path).put("k", chat("\ud83d"))
    assert ResponseStore(tmp_path).get("k") == chat("\ud83d")


@pytest.mark.parametrize(
    "torn", [b"{", b'{"key": "c", "respon', b'{"key": "c"}', b"[1]", b'{"key": "c", "response": "\xc3']
)
def test_a_torn_last_line_costs_itself_alone(tmp_path: Path, torn: bytes) -> None:
    store = ResponseStore(tmp_path)
    store.put("a", {"n": 1})
    with (tmp_path / FILE).open("ab") as stream:
        stream.write(torn)
    ResponseStore(tmp_path).put("b", {"n": 2})
    found = ResponseStore(tmp_path)
    assert [found.get(key) for key in "abc"] == [{"n": 1}, {"n": 2}, None]
    assert len(found) == 2


def test_any_cut_of_the_file_leaves_the_whole_lines(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path)
    for n in range(3):
        store.put(f"{n}", chat("é" * n))
    data = (tmp_path / FILE).read_bytes()
    for size in range(len(data)):
        (tmp_path / FILE).write_bytes(data[:size])
        whole = data[: size + 1].count(b"\n")  # a line that lacks nothing but its end is whole
        assert len(ResponseStore(tmp_path)) == whole, size


def append(folder: str, name: str, count: int) -> None:
    store = ResponseStore(Path(folder))
    for n in range(count):
        store.put(f"{name}{n}", {"text": name * 5000})


def test_two_processes_append_at_once(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    workers = [spawn.Process(target=append, args=(str(tmp_path), name, 40)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    lines = [json.loads(line) for line in (tmp_path / FILE).read_bytes().splitlines()]
    assert sorted(line["key"] for line in lines) == sorted(f"{name}{n}" for name in "ab" for n in range(40))
    assert all(line["response"] == {"text": line["key"][0] * 5000} for line in lines)


def test_one_waits_while_another_writes(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path)
    with (tmp_path / FILE).open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        writer = threading.Thread(target=store.put, args=("k", {}))
        writer.start()
        writer.join(0.2)
        assert (tmp_path / FILE).read_bytes() == b""
    writer.join()
    assert ResponseStore(tmp_path).get("k") == {}


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path)
    (tmp_path / FILE).mkdir()
    with pytest.raises(InfrastructureError, match="the response was not kept"):
        store.put("k", {})
    assert store.get("k") is None


FIELDS = {"distribution", "path", "sha256", "version", "score", "reason", "stratum", "annotator"}


def rows() -> Iterator[dict[str, Any]]:
    return (row for part in readings().values() for row in part)


def test_every_reading_has_its_fields_and_no_text_of_the_file() -> None:
    for row in rows():
        assert set(row) == FIELDS, row
        assert all(isinstance(row[name], str) and row[name] for name in FIELDS - {"score"}), row
        assert 10 <= len(row["reason"]) <= 300, row
        assert "\n" not in row["reason"], row
        assert len(row["sha256"]) == 64, row


def test_scores_are_whole_numbers_from_0_to_5() -> None:
    assert {row["score"] for row in rows()} == {0, 1, 2, 3, 4, 5}
    assert all(type(row["score"]) is int for row in rows())


def test_no_reserved_file_was_read() -> None:
    library = [row["path"] for row in rows() if row["distribution"] == "python"]
    assert len(library) > 20
    assert [path for path in library if text_digest(path)[0] in "01234567"] == []


def test_half_of_the_library_is_reserved_by_the_first_digit_of_its_paths_digest() -> None:
    firsts = {
        "ast.py": "b",
        "heapq.py": "4",
        "json/decoder.py": "3",
        "bisect.py": "4",
        "email/header.py": "e",
    }  # sha256sum
    assert {name: reserved(name) for name in firsts} == {name: digit < "8" for name, digit in firsts.items()}


def test_at_least_two_hundred_files_were_read_and_some_twice_by_two_readers() -> None:
    assert len(readings()) >= 200
    for part in readings().values():
        assert len(part) <= 2
        assert len({row["annotator"] for row in part}) == len(part)
    assert len(twice_read()) == Counter(map(len, readings().values()))[2] > 10


def test_files_of_one_text_have_one_place() -> None:
    for part in readings().values():
        assert len({(row["distribution"], row["path"], row["stratum"]) for row in part}) == 1


def test_two_readings_are_answered_with_their_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {text_digest("x"): [{"score": 2, "reason": "a"}, {"score": 3, "reason": "b"}]}
    monkeypatch.setattr("hornbook.teacher.readings.readings", lambda: known)
    answer = Readings().answer(Request("m", (("system", "rubric"), ("user", "x"))))
    assert json.loads(Response("k", answer).text) == {"reason": "a / b", "score": 2.5}


def test_a_text_that_nobody_read_is_missing() -> None:
    with pytest.raises(MissingResponse, match="nobody has read this text"):
        Readings().answer(Request("m", (("user", "nobody wrote this"),)))
    assert not Readings().knows("nobody wrote this")
