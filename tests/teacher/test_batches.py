"""The Batch API over a real connection: ids survive whatever happens to us, and nothing is handed in twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from batch_server import BatchServer
from http_status import StatusServer

from hornbook.errors import HornbookError, RequestError, WorkError
from hornbook.teacher.ask import Request, Response, Teacher, Unanswered, consult
from hornbook.teacher.batches import FILE, Journal
from hornbook.teacher.prices import Price
from hornbook.teacher.purse import Purse
from hornbook.teacher.store import ResponseStore


def asking(url: str, **values: Any) -> Teacher:
    settings = {"mode": "batch", "poll_seconds": 0.05, "retries": 0, "pilot": 0, **values}
    return Teacher(provider="endpoint", model="m", url=url, **settings)


def questions(teacher: Teacher, *texts: str) -> list[Request]:
    return [teacher.request(("user", text)) for text in texts]


def texts(found: list[Response | Unanswered]) -> list[str]:
    return [answer.text if isinstance(answer, Response) else answer.reason for answer in found]


def test_a_batch_is_handed_in_waited_for_and_paid_at_its_price(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with BatchServer(polls=2) as server:
        teacher = asking(server.url, prices={"m": Price(input=10_000, output=10_000)})
        found = consult(teacher, questions(teacher, "a", "b", "c"), tmp_path, "job")
    assert texts(found) == ["a!", "b!", "c!"]  # in order, though the results were not
    assert all(usage.batch for answer in found for usage in answer.usages)
    assert capsys.readouterr().err.splitlines()[-1] == "  job · 3 answers, 60 tokens, $0.30"
    assert len(server.batches) == 1
    assert Journal(tmp_path, teacher.url).open() == {}


@pytest.mark.parametrize(
    ("status", "said"),
    [("completed", ["a!", "refused", "expired"]), ("expired", ["a!", "refused", "expired"])],
)
def test_what_a_batch_leaves_without_an_answer_is_counted(tmp_path: Path, status: str, said: list[str]) -> None:
    with BatchServer(status=status) as server:
        teacher = asking(server.url)
        found = consult(teacher, questions(teacher, "a", "refuse", "forget"), tmp_path, "job")
    assert texts(found) == said


CLIENT = """
import sys
from pathlib import Path
from test_batches import asking, consult, questions
teacher = asking(sys.argv[1])
consult(teacher, questions(teacher, "a", "b"), Path(sys.argv[2]), "job")
"""


def test_a_killed_wait_goes_on_with_the_same_batch(tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    with BatchServer(polls=10**6) as server:
        command = [sys.executable, "-c", CLIENT, server.url, str(tmp_path)]
        process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path})
        until = time.monotonic() + 60
        while not any(batch["looks"] > 2 for batch in list(server.batches.values())):
            assert time.monotonic() < until
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        server.polls = 0
        teacher = asking(server.url)
        assert texts(consult(teacher, questions(teacher, "a", "b"), tmp_path, "job")) == ["a!", "b!"]
        assert len(server.batches) == 1


def test_an_id_that_was_never_written_down_is_found_by_its_nonce(tmp_path: Path) -> None:
    with BatchServer(fail_create=True) as server:
        teacher = asking(server.url)
        rows = questions(teacher, "a", "b")
        with pytest.raises(HornbookError):
            consult(teacher, rows, tmp_path, "job")
        (row,) = Journal(tmp_path, teacher.url).open().values()
        assert "batch" not in row
        server.fail_create = False
        assert texts(consult(teacher, rows, tmp_path, "job")) == ["a!", "b!"]
        assert len(server.batches) == 1


def test_what_never_began_is_handed_in_again_and_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    with BatchServer() as server:
        teacher = asking(server.url)
        rows = questions(teacher, "a", "b")
        Journal(tmp_path, teacher.url).note("n", url=teacher.url, keys=[row.key for row in rows])
        with (tmp_path / FILE).open("ab") as stream:
            stream.write(b'{"v": 1, "nonce": "n", "bat')
        assert texts(consult(teacher, rows, tmp_path, "job")) == ["a!", "b!"]
        assert len(server.asked()) == 2


def test_more_rows_hand_in_the_new_ones_alone_and_keep_what_they_did_not_ask_for(tmp_path: Path) -> None:
    with BatchServer(polls=10**6) as server:
        teacher = asking(server.url)
        rows = questions(teacher, "a", "b", "c", "d")
        journal = Journal(tmp_path, teacher.url)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "hornbook.teacher.batches.time.sleep", lambda _: signal.default_int_handler(signal.SIGINT, None)
            )
            with pytest.raises(KeyboardInterrupt):
                consult(teacher, rows[:3], tmp_path, "job")
        assert len(journal.open()) == 1
        server.polls = 0
        assert texts(consult(teacher, rows[2:], tmp_path, "job")) == ["c!", "d!"]
        assert len(server.asked()) == 4
        assert len(ResponseStore(tmp_path)) == 4  # a and b came with c, and were paid for
        assert texts(consult(teacher, rows, tmp_path, "job")) == ["a!", "b!", "c!", "d!"]
        assert len(server.batches) == 2


@pytest.mark.parametrize("cap", [{"cap_tokens": 100}, {"cap_dollars": 0.001}])
def test_batches_are_no_larger_than_the_cap_has_room_for(tmp_path: Path, cap: dict[str, Any]) -> None:
    with BatchServer() as server:
        teacher = asking(server.url, pilot=2, prices={"m": Price(input=100, output=100)}, max_tokens=20, **cap)
        rows = questions(teacher, *map(str, range(9)))  # 20 tokens each, at $0.001: five fit, or one
        with pytest.raises(WorkError, match=rf"stopped at {next(iter(cap))}"):
            consult(teacher, rows, tmp_path, "job")
    assert len(server.asked()) == {"cap_tokens": 5, "cap_dollars": 1}[next(iter(cap))]


def test_the_caps_room_for_a_batch_is_what_earlier_calls_left(tmp_path: Path) -> None:
    with BatchServer() as server:
        teacher = asking(server.url, max_tokens=20, cap_tokens=100)
        purse = Purse(teacher)
        for answer in consult(teacher, questions(teacher, "a", "b", "c"), tmp_path, "job", purse):
            purse.note(answer)  # 20 tokens each
        with pytest.raises(WorkError, match="stopped at cap_tokens 100: 5 answers, 100 tokens"):
            consult(teacher, questions(teacher, *map(str, range(9))), tmp_path, "job", purse)
    assert len(server.asked()) == 5


def test_what_batches_have_cost_is_not_discounted_twice(tmp_path: Path) -> None:
    with BatchServer() as server:
        price = {"m": Price(input=100, output=100)}  # $0.001 each in a batch; $0.003 is feared before any has come
        teacher = asking(server.url, prices=price, max_tokens=60, cap_dollars=0.0055)
        with pytest.raises(WorkError, match="stopped at cap_dollars"):
            consult(teacher, questions(teacher, *map(str, range(9))), tmp_path, "job")
    assert [len(server.files[f"file_{n}"].splitlines()) for n in (0, 2, 4)] == [1, 4, 1]


def test_a_server_without_batches_is_told_apart(tmp_path: Path) -> None:
    with StatusServer(lambda _: (404, {"error": {"message": "what?"}})) as server:
        teacher = asking(server.url)
        with pytest.raises(RequestError, match="has it no Batch API"):
            consult(teacher, questions(teacher, "a"), tmp_path, "job")
