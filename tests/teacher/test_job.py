"""A job's course: the pilot and its forecast, the stop at the cap, giving up on a server that is not there."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from http_status import StatusServer
from test_unruly import Start, check_answers, questions, teacher_for

from endpoint import Server
from hornbook.errors import RequestError, WorkError
from hornbook.teacher.ask import Response, Teacher, Unanswered, consult
from hornbook.teacher.faults import retry_after
from hornbook.teacher.purse import Purse
from hornbook.teacher.store import ResponseStore

CHAT = {"choices": [{"message": {"role": "assistant", "content": "yes"}}]}


def asking(url: str, **values: Any) -> Teacher:
    return Teacher(provider="endpoint", model="m", url=url, **{"concurrency": 4, "retries": 1, "pilot": 0, **values})


def plain(teacher: Teacher, n: int) -> list[Any]:
    return [teacher.request(("user", f"{number}")) for number in range(n)]


def test_a_pilot_says_what_the_whole_job_will_cost_before_it_begins(
    unruly: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = unruly()
    teacher = teacher_for(server.url, pilot=10)
    found = consult(teacher, questions(teacher, 60), tmp_path, "job")
    assert check_answers(found, questions(teacher, 60)).total() == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "  job · pilot of 10: the whole job will take $0.60 to $0.60, 9,000 to 9,000 tokens (95 %)"
    assert said[-1] == "  job · 60 answers, 9,000 tokens, $0.60"
    assert len(server.log) == 60


def test_a_pilots_interval_holds_what_the_job_then_costs(
    serve: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        number = int(body["messages"][0]["content"])
        return {**CHAT, "usage": {"prompt_tokens": 50, "completion_tokens": 100 + 37 * number % 400}}

    server: Server = serve(answer)
    teacher = asking(server.url, pilot=20)
    found = consult(teacher, plain(teacher, 150), tmp_path, "job")
    low, high = (
        int(n.replace(",", "")) for n in re.findall(r"([\d,]+) to ([\d,]+) tokens", capsys.readouterr().err)[0]
    )
    cost = sum(usage.tokens for answer in found for usage in answer.usages)
    assert low < cost < high
    assert high - low < 0.5 * cost


@pytest.mark.parametrize("cap", [{"cap_dollars": 0.3}, {"cap_tokens": 5000}])
def test_a_job_that_is_bound_to_pass_its_cap_is_not_begun(unruly: Start, tmp_path: Path, cap: dict[str, Any]) -> None:
    server = unruly()
    teacher = teacher_for(server.url, pilot=10, **cap)
    said = (
        rf"take \$0.60 to \$0.60, .* over its cap; 50 requests are not answered: raise {next(iter(cap))} and run again"
    )
    with pytest.raises(WorkError, match=said):
        consult(teacher, questions(teacher, 60), tmp_path, "job")
    assert len(server.log) == len(ResponseStore(tmp_path)) == 10


def test_the_cap_is_what_is_told_though_others_fail_after_it(tmp_path: Path) -> None:
    numbers = iter(range(1000))

    def answer(_: Any) -> tuple[int, Any]:
        if (number := next(numbers)) > 20:
            time.sleep(0.5)
            return 500, {}
        return 200, {**CHAT, "usage": {"prompt_tokens": 1, "completion_tokens": 1000 * (number == 20)}}

    with StatusServer(answer) as server:
        teacher = asking(server.url, concurrency=20, cap_tokens=1000)
        with pytest.raises(
            WorkError, match=r"stopped at cap_tokens 1000: 21 answers, .*; 79 requests are not answered"
        ):
            consult(teacher, plain(teacher, 100), tmp_path, "job")


def test_a_small_job_has_no_pilot(unruly: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    teacher = teacher_for(unruly().url, pilot=10)
    consult(teacher, questions(teacher, 49), tmp_path, "job")
    assert "pilot" not in capsys.readouterr().err


def test_a_server_that_only_fails_is_given_up_before_the_job_is_counted_as_failed(
    tmp_path: Path, impatient: None
) -> None:
    with StatusServer(lambda _: (500, {})) as server:
        teacher = asking(server.url)
        with pytest.raises(WorkError, match=r"500 after 2 tries .*run again to go on"):
            consult(teacher, plain(teacher, 500), tmp_path, "job")
    assert len(server.bodies) <= 2 * (10 + 4)
    assert ResponseStore(tmp_path).unanswered(plain(teacher, 1)[0].key) is None


@pytest.mark.parametrize(
    ("status", "data", "kind", "message"),
    [
        (401, {}, RequestError, "401, not allowed; set HORNBOOK_API_KEY"),
        (404, {"error": {"message": "no model m"}}, RequestError, "404 .*no model m"),
        (402, {}, WorkError, "no credit left"),
        (429, {"error": {"message": "pay", "code": "insufficient_quota"}}, WorkError, "no credit left .*run again"),
    ],
)
def test_what_no_other_request_would_survive_ends_the_job_at_once(
    tmp_path: Path, status: int, data: Any, kind: type[Exception], message: str
) -> None:
    with StatusServer(lambda _: (status, data)) as server:
        teacher = asking(server.url)
        with pytest.raises(kind, match=message):
            consult(teacher, plain(teacher, 50), tmp_path, "job")
    assert len(server.bodies) <= 4


def test_a_wait_of_hours_is_a_persons_to_decide(tmp_path: Path) -> None:
    with StatusServer(lambda _: (429, {}, ("Retry-After", "7200"))) as server:
        teacher = asking(server.url)
        with pytest.raises(WorkError, match="429, asks to wait for 7200 s; what came is kept, run again then"):
            consult(teacher, plain(teacher, 50), tmp_path, "job")


def test_a_servers_wait_holds_all_requests(tmp_path: Path) -> None:
    times: list[float] = []

    def answer(_: Any) -> tuple[Any, ...]:
        times.append(time.monotonic())
        return (429, {}, ("Retry-After", "0.5")) if len(times) == 1 else (200, CHAT)

    with StatusServer(answer) as server:
        teacher = asking(server.url, concurrency=1)
        consult(teacher, plain(teacher, 3), tmp_path, "job")
    assert times[1] - times[0] >= 0.5


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2020 07:28:00 GMT"}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after-ms": "x", "retry-after": "2"}, 2.0),
        ({"retry-after-ms": "250", "retry-after": "2"}, 0.25),
    ],
)
def test_retry_after_is_read_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, now=1_792_567_650.0) == seconds  # 2026-10-21 07:27:30 UTC


def test_equal_requests_are_asked_once_and_answered_each(serve: Start, tmp_path: Path) -> None:
    server: Server = serve(lambda _: CHAT)
    teacher = asking(server.url)
    found = consult(teacher, plain(teacher, 1) * 3, tmp_path, "job")
    assert [answer.text for answer in found if isinstance(answer, Response)] == ["yes"] * 3
    assert len(server.asked) == 1


def test_changing_one_row_asks_for_one_row_and_every_setting_is_sent(serve: Start, tmp_path: Path) -> None:
    server: Server = serve(lambda _: CHAT)
    teacher = asking(server.url, temperature=0.7, top_p=0.9, max_tokens=77, parameters={"stop": ["END"]})
    rows = plain(teacher, 20)
    consult(teacher, rows, tmp_path, "job")
    consult(teacher, [*rows[:7], teacher.request(("user", "new")), *rows[8:]], tmp_path, "job")
    assert len(server.asked) == 21
    assert server.asked[-1][1] == {
        "model": "m",
        "messages": [{"role": "user", "content": "new"}],
        "temperature": 0.7,
        "top_p": 0.9,
        "max_tokens": 77,
        "stop": ["END"],
    }


def test_requests_a_minute_are_kept_to(serve: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hornbook.teacher.pace.MINUTE", 0.5)
    times: list[float] = []

    def answer(_: Any) -> dict[str, Any]:
        times.append(time.monotonic())
        return CHAT

    teacher = asking(serve(answer).url, requests_per_minute=5, pilot=2)
    consult(teacher, plain(teacher, 15), tmp_path, "job")
    assert times[14] - times[0] >= 0.95  # 5 at once, 5 half a second later, 5 after a second; the pilot counts too


def test_a_job_runs_inside_a_loop_of_events_as_in_a_notebook(serve: Start, tmp_path: Path) -> None:
    teacher = asking(serve(lambda _: CHAT).url)

    async def notebook() -> int:
        return len(consult(teacher, plain(teacher, 3), tmp_path, "job"))

    assert asyncio.run(notebook()) == 3


def test_without_a_price_the_job_says_so(serve: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    teacher = asking(serve(lambda _: CHAT).url)
    consult(teacher, plain(teacher, 2), tmp_path, "job")
    assert capsys.readouterr().err == "  job · 2 answers, 4 tokens, no price known\n"  # 1 + 1 token each, guessed


def test_a_finished_job_asks_nothing_and_says_nothing(
    unruly: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = teacher_for(unruly().url)
    consult(teacher, questions(teacher, 5), tmp_path, "job")
    capsys.readouterr()
    found = consult(teacher_for("http://127.0.0.1:9/v1"), questions(teacher, 5), tmp_path, "job")
    assert check_answers(found, questions(teacher, 5)).total() == 0
    assert capsys.readouterr().err == ""


def test_the_store_holds_what_was_asked(serve: Start, tmp_path: Path) -> None:
    teacher = asking(serve(lambda _: CHAT).url)
    (request,) = plain(teacher, 1)
    consult(teacher, [request], tmp_path, "job")
    row = ResponseStore(tmp_path).row(request.key)
    assert row is not None
    assert (row["request"]["messages"], row["mode"]) == ([["user", "0"]], "live")
    assert json.loads((tmp_path / "responses.jsonl").read_text())["v"] == 2


def test_a_reply_that_another_request_had_is_not_taken_for_an_answer_even_after_a_restart(
    serve: Start, tmp_path: Path
) -> None:
    asked: list[str] = []

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        asked.append(body["messages"][0]["content"])
        name, said = ("old", "0") if len(asked) <= 2 else (f"{len(asked)}", asked[-1])
        return {"id": name, "choices": [{"message": {"content": said + "!"}}]}

    teacher = asking(serve(answer).url, concurrency=1)
    rows = plain(teacher, 2)
    consult(teacher, rows[:1], tmp_path, "job")
    found = consult(teacher, rows, tmp_path, "job")
    assert [answer.text for answer in found if isinstance(answer, Response)] == ["0!", "1!"]
    assert asked == ["0", "1", "1"]


def test_a_server_whose_replies_are_all_one_is_given_up(serve: Start, tmp_path: Path, impatient: None) -> None:
    teacher = asking(serve(lambda _: {"id": "chatcmpl-1", **CHAT}).url)
    with pytest.raises(WorkError, match="gave reply 'chatcmpl-1' to two requests"):
        consult(teacher, plain(teacher, 50), tmp_path, "job")


def test_a_server_that_remembers_its_answers_may_give_one_to_two_attempts(serve: Start, tmp_path: Path) -> None:
    server: Server = serve(lambda _: {"id": "chatcmpl-1", **CHAT})
    teacher = asking(server.url)
    rows = [teacher.request(("user", "same"), attempt=n) for n in range(3)]
    assert all(isinstance(answer, Response) for answer in consult(teacher, rows, tmp_path, "job"))
    assert len(server.asked) == 3


@pytest.mark.parametrize("way", ["hang", "drip"])
def test_a_try_has_its_time_whether_the_server_is_silent_or_talks_on(unruly: Start, tmp_path: Path, way: str) -> None:
    teacher = asking(unruly(share=1.0, ways=(way,)).url, retries=0, timeout_seconds=0.5)
    began = time.monotonic()
    with pytest.raises(WorkError, match=r"no answer within 0.5 s \(1 tries\); run again"):
        consult(teacher, plain(teacher, 1), tmp_path, "job")
    assert time.monotonic() - began < 10


def test_what_a_server_refused_before_does_not_stop_the_next_run(tmp_path: Path) -> None:
    """Run again, only the twelve are asked for, and they are refused one after another."""

    def answer(body: dict[str, Any]) -> tuple[int, Any]:
        refused = int(body["messages"][0]["content"]) % 5 == 0
        return (400, {"error": {"message": "no"}}) if refused else (200, CHAT)

    with StatusServer(answer) as server:
        teacher = asking(server.url, concurrency=1)
        first = consult(teacher, plain(teacher, 60), tmp_path, "job")
        again = consult(teacher, plain(teacher, 60), tmp_path, "job")
    assert [type(found) for found in again] == [Unanswered if n % 5 == 0 else Response for n in range(60)]
    assert again == first
    assert len(server.bodies) == 60 + 12


def test_a_server_that_went_away_is_given_up_though_requests_failed_before(tmp_path: Path, impatient: None) -> None:
    store = ResponseStore(tmp_path)
    teacher = asking("http://127.0.0.1:9/v1", concurrency=1)
    rows = plain(teacher, 30)
    store.put(rows[0].key, CHAT)
    for row in rows[1:]:
        store.put_unanswered(row.key, "no-connection")
    with pytest.raises(WorkError, match="cannot be reached"):
        consult(teacher, rows, tmp_path, "job")


@pytest.mark.parametrize(("cap", "named"), [({"cap_tokens": 1000}, "cap_tokens"), ({"cap_dollars": 1}, "cap_dollars")])
def test_of_two_caps_the_one_that_was_reached_is_to_be_raised(
    serve: Start, tmp_path: Path, cap: dict[str, Any], named: str
) -> None:
    server: Server = serve(lambda _: {**CHAT, "usage": {"prompt_tokens": 500, "completion_tokens": 0}})
    caps = {"cap_tokens": 10**9, "cap_dollars": 10**6, "prices": {"m": {"input": 1000.0, "output": 0.0}}, **cap}
    teacher = asking(server.url, concurrency=1, **caps)
    told = f"stopped at {named} .*: 2 answers, 1,000 tokens, .1.00, all kept; 3 requests .* raise {named} and run"
    with pytest.raises(WorkError, match=told):
        consult(teacher, plain(teacher, 5), tmp_path, "job")


def test_a_cap_that_leaves_answers_unmended_says_how_many(serve: Start, tmp_path: Path) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 0}
    server: Server = serve(lambda _: {"choices": [{"message": {"content": ""}}], "usage": usage})
    teacher = asking(server.url, concurrency=1, cap_tokens=30)
    with pytest.raises(WorkError, match="3 requests are not answered"):
        consult(teacher, plain(teacher, 3), tmp_path, "job")


def test_an_answer_that_is_nested_beyond_reading_is_a_counted_failure(
    serve: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def post(*_: Any, **__: Any) -> Any:
        raise RecursionError("maximum recursion depth exceeded while decoding a JSON array")

    monkeypatch.setattr("openai.AsyncOpenAI.post", post)
    teacher = asking("http://127.0.0.1:9/v1", retries=0)
    with pytest.raises(WorkError, match="maximum recursion depth"):
        consult(teacher, plain(teacher, 1), tmp_path, "job")


class TestAJobOfSeveralCalls:
    """A purse goes from call to call."""

    def call(self, teacher: Teacher, purse: Purse, words: str, n: int, folder: Path) -> list[Response | Unanswered]:
        rows = [teacher.request(("user", f"{words} {number}")) for number in range(n)]
        found = consult(teacher, rows, folder, words, purse)
        for answer in found:
            purse.note(answer)
        return found

    def server(self) -> StatusServer:
        """Refuses whatever begins with `bad`."""

        def answer(body: dict[str, Any]) -> tuple[int, Any]:
            refused = body["messages"][0]["content"].startswith("bad")
            return (400, {"error": {"message": "no"}}) if refused else (200, CHAT)

        return StatusServer(answer)

    def test_one_refused_request_alone_in_its_call_does_not_fail_the_job(self, tmp_path: Path) -> None:
        with self.server() as server:
            teacher = asking(server.url)
            purse = Purse(teacher)
            self.call(teacher, purse, "good", 3, tmp_path)
            (found,) = self.call(teacher, purse, "bad", 1, tmp_path)
            assert isinstance(found, Unanswered)
            assert found.reason == "refused"
            assert ResponseStore(tmp_path).unanswered(found.key) == "refused"  # a replay repeats it
            with pytest.raises(RequestError, match="400"):
                self.call(teacher, Purse(teacher), "bad", 1, tmp_path)  # a job of nothing else has failed

    def test_ten_in_a_row_end_it_whatever_the_call(self, tmp_path: Path) -> None:
        with self.server() as server:
            teacher = asking(server.url, concurrency=1)
            purse = Purse(teacher)
            self.call(teacher, purse, "good", 3, tmp_path)
            for number in range(3):
                self.call(teacher, purse, f"bad {number}", 3, tmp_path)
            with pytest.raises(RequestError, match="400"):
                self.call(teacher, purse, "bad again", 3, tmp_path)
        assert len(server.bodies) == 3 + 10

    def test_an_answer_in_between_begins_the_count_anew(self, tmp_path: Path) -> None:
        with self.server() as server:
            teacher = asking(server.url, concurrency=1)
            purse = Purse(teacher)
            for number in range(3):
                self.call(teacher, purse, f"good {number}", 1, tmp_path)
                assert len(self.call(teacher, purse, f"bad {number}", 9, tmp_path)) == 9

    def test_the_caps_room_is_that_of_all_calls_and_an_answer_heard_twice_is_counted_once(
        self, serve: Start, tmp_path: Path
    ) -> None:
        server: Server = serve(lambda _: {**CHAT, "usage": {"prompt_tokens": 6, "completion_tokens": 4}})
        teacher = asking(server.url, concurrency=1, cap_tokens=50)
        purse = Purse(teacher)
        for _ in range(3):
            self.call(teacher, purse, "good", 3, tmp_path)
        assert (purse.spent.tokens, purse.spent.answers) == (30, 3)
        with pytest.raises(WorkError, match=r"stopped at cap_tokens 50: 5 answers, 50 tokens, .*; 2 requests"):
            self.call(teacher, purse, "more", 4, tmp_path)
        assert len(server.asked) == 5
