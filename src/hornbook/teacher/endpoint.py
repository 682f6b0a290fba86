"""Any OpenAI-compatible endpoint (vLLM, llama.cpp, Ollama, hosted): many requests at once, each answer handed on raw.

The key comes from HORNBOOK_API_KEY or OPENAI_API_KEY; servers of one's own need none. What may pass (429, 5xx, a lost
connection, a time-out, a torn answer) is tried again after growing waits at random, or as long as the server asks to.

Every request has a connection of its own. On a connection that is kept, a server or proxy that sends one reply twice
shifts all later ones: each would be taken for the answer to the request after it, and nothing in them tells.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from hornbook.config import Config, operational
from hornbook.errors import HornbookError, RequestError, WorkError
from hornbook.extras import require
from hornbook.progress import Meter
from hornbook.teacher.faults import KEYS, Fault, from_status
from hornbook.teacher.pace import Pace, backoff
from hornbook.teacher.request import Request
from hornbook.teacher.store import ResponseStore
from hornbook.teacher.structure import chat_body

if TYPE_CHECKING:
    from openai import AsyncOpenAI

Body = Mapping[str, Any]
OnAnswer = Callable[[int, dict[str, Any]], None]  # place of the request, raw answer
OnFault = Callable[[int, Fault], None]
Check = Callable[[dict[str, Any]], None]  # raises Fault for a raw answer that is to be asked for again
Halt = Callable[[], bool]  # whether nothing more is to be sent
CHAT = "/chat/completions"
PROMPT_BYTES_PER_TOKEN = 4  # for limits of tokens a minute, before the server has counted


class Endpoint(Config):
    """Where to ask, up to and with `/v1`, and how hard. None of it shapes an answer.

    `concurrency`: the most requests under way; how many there are follows the server (see `pace.Window`).
    `timeout_seconds`: for one try, from sending to the last byte.
    """

    url: str = operational("http://localhost:8000/v1", pattern=r"^https?://")
    concurrency: int = operational(16, ge=1)
    retries: int = operational(6, ge=0)
    timeout_seconds: float = operational(600.0, gt=0)
    requests_per_minute: int | None = operational(None, gt=0)
    tokens_per_minute: int | None = operational(None, gt=0)

    def pace(self) -> Pace:
        """How fast to ask; may be shared by several calls of `ask_all`."""
        return Pace(self.concurrency, self.requests_per_minute, self.tokens_per_minute)


def api_key() -> str:
    """The key that the environment holds; `none` for servers of one's own."""
    return next((os.environ[name] for name in KEYS if os.environ.get(name)), "none")


class Client:
    """One endpoint, asked at one pace. An asynchronous context manager; raw answers, or `Fault`."""

    def __init__(self, endpoint: Endpoint, pace: Pace) -> None:
        from openai import AsyncOpenAI

        self.endpoint, self.pace = endpoint, pace
        self.sdk: AsyncOpenAI = AsyncOpenAI(
            base_url=endpoint.url,
            api_key=api_key(),
            max_retries=0,
            timeout=endpoint.timeout_seconds,
            default_headers={"Connection": "close"},
        )

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.sdk.close()

    async def post(self, path: str, body: Body, halted: Halt, check: Check = lambda _: None) -> dict[str, Any]:
        """One answer, tried for as long as that may help. Raises Fault; `Halted` when nothing more is to be sent."""
        for tries in count(1):
            try:
                raw = await self._try(path, body, tries, halted)
                check(raw)
                return raw
            except Fault as fault:
                if not fault.again or tries > self.endpoint.retries:
                    raise
                if halted():
                    raise Halted from None
                seconds = backoff(tries, fault.wait)
                if fault.wait is not None and fault.overload:
                    self.pace.pause(fault.wait)
            await asyncio.sleep(seconds)
        raise AssertionError("unreachable")

    async def _try(self, path: str, body: Body, tries: int, halted: Halt) -> dict[str, Any]:
        """Send once, when it is time to; tell the window how it went."""
        async with self.pace.turn(size_of(body)) as sent_at:
            if halted():
                raise Halted
            try:
                raw = await self._send(path, body, tries)
            except Fault as fault:
                if fault.overload:
                    self.pace.window.overloaded(sent_at, self.pace.clock())
                raise
            self.pace.window.answered(self.pace.clock() - sent_at)
            return raw

    async def _send(self, path: str, body: Body, tries: int) -> dict[str, Any]:
        from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError

        where = f"{self.endpoint.url}{path}"
        try:
            async with asyncio.timeout(self.endpoint.timeout_seconds):
                raw = await self.sdk.post(path, body=dict(body), cast_to=object)
        except APIStatusError as error:
            raise from_status(where, error, tries) from None
        except (APITimeoutError, TimeoutError):
            message = f"{where}: no answer within {self.endpoint.timeout_seconds:g} s ({tries} tries); run again"
            raise Fault("timeout", WorkError(message), overload=True) from None
        except APIConnectionError as error:
            cause = error.__cause__ or error
            message = f"{where}: cannot be reached ({cause}); start the server, then run again"
            raise Fault("no-connection", WorkError(message)) from None
        except (OpenAIError, ValueError, RecursionError) as error:
            raise Fault("malformed", WorkError(f"{where}: {error}")) from None
        if not isinstance(raw, dict):
            message = f"{where}: answered no JSON object; is this an OpenAI-compatible endpoint?"
            raise Fault("malformed", RequestError(message), again=False)
        return raw


class Halted(Exception):
    """Nothing more is to be sent."""


Question = Callable[[Client, Halt], Awaitable[dict[str, Any]]]


def size_of(body: Body) -> int:
    """The tokens that a request may take, as providers reckon for their limits: its text, and all it may answer."""
    texts = [str(message.get("content", "")) for message in body.get("messages", ())] + [str(body.get("prompt", ""))]
    most = body.get("max_tokens") or body.get("max_completion_tokens") or 0
    return sum(map(len, texts)) // PROMPT_BYTES_PER_TOKEN + int(most)


def post_all(endpoint: Endpoint, path: str, bodies: Sequence[Body], on_answer: OnAnswer) -> None:
    """Post every body, several at once; `on_answer(place, raw)` gets each answer when it arrives.

    After a failure nothing new is sent, and what was under way is still received. Raises RequestError when the server
    refuses the request itself, WorkError when it cannot be reached or fails for good.
    """

    def fail(_: int, fault: Fault) -> None:
        raise fault.error

    def one(body: Body, client: Client, halted: Halt) -> Awaitable[dict[str, Any]]:
        return client.post(path, body, halted)

    ask_all(endpoint, endpoint.pace(), [partial(one, body) for body in bodies], on_answer, fail)


def ask_all(
    endpoint: Endpoint,
    pace: Pace,
    questions: Sequence[Question],
    on_answer: OnAnswer,
    on_fault: OnFault,
    enough: Halt = lambda: False,
) -> None:
    """Ask every question, several at once. Whoever handles an answer or a fault may raise, which ends the work.

    Once it is `enough`, or after an error, nothing new is sent, and what is under way is still received.
    """
    if questions:
        require("endpoint")
        run(ask_concurrently(endpoint, pace, questions, on_answer, on_fault, enough))


async def ask_concurrently(
    endpoint: Endpoint,
    pace: Pace,
    questions: Sequence[Question],
    on_answer: OnAnswer,
    on_fault: OnFault,
    enough: Halt,
) -> None:
    """`ask_all`, inside a loop of events."""
    pace.begin()
    errors: list[HornbookError] = []
    waiting = iter(enumerate(questions))

    def halted() -> bool:
        return bool(errors) or enough()

    async def one(client: Client, place: int, question: Question) -> None:
        try:
            raw = await question(client, halted)
        except Fault as fault:
            on_fault(place, fault)
        else:
            on_answer(place, raw)

    async def work(client: Client) -> None:
        for place, question in waiting:
            try:
                await one(client, place, question)
            except HornbookError as error:
                errors.append(error)
            except Halted:
                return
            if halted():
                return

    async with Client(endpoint, pace) as client:
        await asyncio.gather(*(work(client) for _ in range(min(endpoint.concurrency, len(questions)))))
    if errors:
        raise errors[0]


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end, also from within a loop of events, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def fill(endpoint: Endpoint, requests: Sequence[Request], store: ResponseStore, label: str) -> None:
    """Ask as a chat what the store does not hold; each raw answer is in the store before anyone reads it."""
    missing = unknown(requests, store)
    with Meter(label, len(missing), "answers") as meter:

        def keep(place: int, raw: dict[str, Any]) -> None:
            store.put(missing[place].key, raw, request=asdict(missing[place]))
            meter.advance()

        post_all(endpoint, CHAT, [chat_body(request) for request in missing], keep)


def unknown(requests: Sequence[Request], store: ResponseStore) -> list[Request]:
    """Each request without an answer, once."""
    by_key = {request.key: request for request in requests}
    return [request for key, request in by_key.items() if not store.holds(key)]
