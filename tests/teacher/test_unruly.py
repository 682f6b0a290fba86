"""A job against a real server that fails: every request ends with its own answer or a counted reason, none twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from unruly import WAYS, Unruly

from hornbook.errors import WorkError
from hornbook.teacher.ask import REASONS, Request, Response, Teacher, Unanswered, consult
from hornbook.teacher.prices import Price
from hornbook.teacher.store import FILE, ResponseStore

Start = Callable[..., Unruly]
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"echo": {"type": "string"}},
        "required": ["echo"],
        "additionalProperties": False,
    }
)
UNDOUBTED = tuple(way for way in WAYS if way != "duplicate-reply")
CONCURRENCY = 32
ONE = Price(input=50.0, output=100.0)  # 100 and 50 tokens: a cent an answer


def teacher_for(url: str, **values: Any) -> Teacher:
    settings = {"concurrency": CONCURRENCY, "timeout_seconds": 1.5, "pilot": 0, "prices": {"m": ONE}}
    return Teacher(provider="endpoint", model="m", url=url, **{**settings, **values})


def questions(teacher: Teacher, n: int) -> list[Request]:
    return [teacher.request(("user", f"question {number}"), schema=SCHEMA) for number in range(n)]


def check_answers(found: Sequence[Response | Unanswered], requests: Sequence[Request]) -> Counter[str]:
    """Each answer is that to its own question; the reasons of the rest, counted."""
    assert [answer.key for answer in found] == [request.key for request in requests]
    for answer, request in zip(found, requests, strict=True):
        if isinstance(answer, Response):
            assert answer.json == {"echo": request.messages[0][1]}
    return Counter(answer.reason for answer in found if isinstance(answer, Unanswered))


def all_end(server: Unruly, folder: Path, n: int) -> None:
    teacher = teacher_for(server.url)
    requests = questions(teacher, n)
    reasons = check_answers(consult(teacher, requests, folder, "job"), requests)
    assert set(reasons) <= set(REASONS)
    assert reasons.total() <= 0.02 * n
    assert {way for _, way in server.log} == {"fine", *WAYS}
    bad = sum(way != "fine" for _, way in server.log)
    assert 0.25 <= bad / len(server.log) <= 0.35
    # What was received in full was not asked for again; of empty answers, each was once.
    assert max(server.whole.values()) == 1
    replayed = consult(Teacher(provider="replay", model="m"), requests, folder, "job")
    assert check_answers(replayed, requests) == reasons


@pytest.mark.usefixtures("impatient")
def test_each_of_150_requests_ends_with_its_own_answer_or_a_reason(unruly: Start, tmp_path: Path) -> None:
    all_end(unruly(share=0.3), tmp_path, 150)


@pytest.mark.slow
def test_each_of_2000_requests_ends_with_its_own_answer_or_a_reason(unruly: Start, tmp_path: Path) -> None:
    all_end(unruly(share=0.3, seed=1), tmp_path, 2000)


CLIENT = """
import sys
from pathlib import Path
from hornbook.teacher import pace
from test_unruly import consult, questions, teacher_for
pace.SHORTEST_WAIT = 0.005
teacher = teacher_for(sys.argv[1])
consult(teacher, questions(teacher, int(sys.argv[3])), Path(sys.argv[2]), "job")
"""


def client(server: Unruly, folder: Path, n: int) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    command = [sys.executable, "-c", CLIENT, server.url, str(folder), str(n)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path})


def survives(server: Unruly, folder: Path, n: int, kills: int, seed: int) -> None:
    """Kill the client at random moments; what it had received in full is never sent again, by any later try.

    Without duplicate replies: whose a reply is that reached one try, and another after the kill, nobody can know.
    """
    draw, requests = random.Random(seed), questions(teacher_for(server.url), n)
    sent = {request.key: json.dumps([{"role": "user", "content": request.messages[0][1]}]) for request in requests}
    kept_before: list[tuple[set[str], int]] = []  # what was on file at a kill, and how much the server had seen
    in_flight: set[str] = set()
    for _ in range(kills):
        begun = len(server.log)
        process = client(server, folder, n)
        server.await_arrivals(begun + draw.randint(1, n // (kills + 1)))
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.1)  # the server reads what stands in its sockets
        store = ResponseStore(folder)
        kept = {asked for key, asked in sent.items() if (store.get(key) or {}).get("choices")}
        lost = {asked for asked, _ in server.log[begun:] if server.under_way[asked] or server.whole[asked]} - kept
        assert len(lost & set(sent.values())) <= CONCURRENCY
        in_flight |= lost
        kept_before.append((kept, len(server.log)))
    assert client(server, folder, n).wait(240) == 0
    for kept, seen in kept_before:
        assert not kept & {asked for asked, _ in server.log[seen:]}
    assert {asked for asked, times in server.whole.items() if times > 1} <= in_flight
    found = consult(Teacher(provider="replay", model="m"), requests, folder, "job")
    assert check_answers(found, requests).total() <= 0.02 * n


def test_a_killed_job_sends_nothing_again_that_it_received(unruly: Start, tmp_path: Path) -> None:
    survives(unruly(share=0.3, ways=UNDOUBTED), tmp_path, 120, kills=2, seed=0)


def test_two_processes_at_one_job_share_its_answers(unruly: Start, tmp_path: Path) -> None:
    server, n = unruly(seconds=0.02), 400
    both = [client(server, tmp_path, n) for _ in range(2)]
    assert [process.wait(120) for process in both] == [0, 0]
    requests = questions(teacher_for(server.url), n)
    found = consult(Teacher(provider="replay", model="m"), requests, tmp_path, "job")
    assert check_answers(found, requests).total() == 0
    assert len((tmp_path / FILE).read_bytes().splitlines()) == n
    assert n <= len(server.log) <= 1.4 * n  # twice only what both had in flight


@pytest.mark.slow
def test_five_kills(unruly: Start, tmp_path: Path) -> None:
    survives(unruly(share=0.3, seed=2, ways=UNDOUBTED), tmp_path, 2000, kills=5, seed=1)


@pytest.mark.parametrize("cap", [{"cap_dollars": 1.0}, {"cap_tokens": 15_000}])
def test_spending_passes_the_cap_by_no_more_than_what_is_in_flight(
    unruly: Start, tmp_path: Path, cap: dict[str, Any]
) -> None:
    server = unruly()
    teacher = teacher_for(server.url, **cap)
    requests = questions(teacher, 400)
    with pytest.raises(WorkError, match=rf"job: stopped at {next(iter(cap))} .*all kept; 2\d\d requests are not answ"):
        consult(teacher, requests, tmp_path, "job")
    store = ResponseStore(tmp_path)
    assert 100 <= len(store) < 100 + CONCURRENCY
    assert len(server.log) == len(store)
    with pytest.raises(WorkError, match="stopped at"):  # the cap is the job's, not the try's
        consult(teacher, requests, tmp_path, "job")
    assert len(server.log) == len(store)
    found = consult(teacher_for(server.url), requests, tmp_path, "job")
    assert check_answers(found, requests).total() == 0
    assert len(server.log) == 400
