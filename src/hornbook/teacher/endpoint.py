"""Any OpenAI-compatible endpoint (vLLM, llama.cpp, Ollama, hosted): many requests at once, each answer handed on raw.

The key comes from HORNBOOK_API_KEY or OPENAI_API_KEY; servers of one's own need none. Refusals that pass (429, 5xx, a
lost connection) are tried again after growing waits, as long as the server asks to.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hornbook.config import Config, operational
from hornbook.errors import HornbookError, RequestError, WorkError
from hornbook.extras import require
from hornbook.progress import Meter
from hornbook.teacher.request import Request
from hornbook.teacher.store import ResponseStore

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

KEYS = ("HORNBOOK_API_KEY", "OPENAI_API_KEY")
Body = Mapping[str, Any]
OnAnswer = Callable[[int, dict[str, Any]], None]  # place of the request, raw answer


class Endpoint(Config):
    """Where to ask, up to and with `/v1`, and how hard. None of it shapes an answer."""

    url: str = operational("http://localhost:8000/v1", pattern=r"^https?://")
    concurrency: int = operational(16, ge=1)
    retries: int = operational(6, ge=0)
    timeout_seconds: float = operational(600.0, gt=0)


def post_all(endpoint: Endpoint, path: str, bodies: Sequence[Body], on_answer: OnAnswer) -> None:
    """Post every body, `concurrency` at once; `on_answer(place, raw)` gets each answer when it arrives.

    After a failure nothing new is sent, and what was under way is still received. Raises RequestError when the server
    refuses the request itself, WorkError when it cannot be reached or fails for good.
    """
    if not bodies:
        return
    require("endpoint")
    asyncio.run(post_concurrently(endpoint, path, bodies, on_answer))


async def post_concurrently(endpoint: Endpoint, path: str, bodies: Sequence[Body], on_answer: OnAnswer) -> None:
    """`post_all`, inside a loop of events."""
    from openai import AsyncOpenAI

    failures: list[HornbookError] = []
    waiting = iter(enumerate(bodies))
    key = next((os.environ[name] for name in KEYS if os.environ.get(name)), "none")
    async with AsyncOpenAI(
        base_url=endpoint.url, api_key=key, max_retries=endpoint.retries, timeout=endpoint.timeout_seconds
    ) as client:

        async def work() -> None:
            for place, body in waiting:
                if failures:
                    return
                try:
                    on_answer(place, await post(client, endpoint, path, body))
                except HornbookError as error:
                    failures.append(error)

        await asyncio.gather(*(work() for _ in range(min(endpoint.concurrency, len(bodies)))))
    if failures:
        raise failures[0]


async def post(client: AsyncOpenAI, endpoint: Endpoint, path: str, body: Body) -> dict[str, Any]:
    """One answer, raw."""
    from openai import APIConnectionError, APIStatusError, OpenAIError

    try:
        raw = await client.post(path, body=dict(body), cast_to=object)
    except APIStatusError as error:
        raise refusal(endpoint, path, error) from None
    except APIConnectionError as error:
        cause = error.__cause__ or error
        raise WorkError(
            f"{endpoint.url}{path}: cannot be reached ({cause}); start the server, then run again"
        ) from None
    except (OpenAIError, ValueError) as error:
        raise WorkError(f"{endpoint.url}{path}: {error}") from None
    if not isinstance(raw, dict):
        raise RequestError(f"{endpoint.url}{path}: answered no JSON object; is this an OpenAI-compatible endpoint?")
    return raw


def refusal(endpoint: Endpoint, path: str, error: APIStatusError) -> HornbookError:
    """What to do about a status that stayed after all tries."""
    status, said = error.status_code, " ".join(str(error.message).split())[:200]
    where = f"{endpoint.url}{path}"
    if status in (401, 403):
        return RequestError(f"{where}: {status}, not allowed; set {KEYS[0]} to a key for this endpoint")
    if status in (408, 409, 429) or status >= 500:
        tries = endpoint.retries + 1
        return WorkError(f"{where}: {status} after {tries} tries ({said}); run again to go on: what came is kept")
    return RequestError(f"{where}: {status} ({said})")


def fill(endpoint: Endpoint, requests: Sequence[Request], store: ResponseStore, label: str) -> None:
    """Ask as a chat what the store does not hold; each raw answer is in the store before anyone reads it."""
    missing = list(unknown(requests, store))
    with Meter(label, len(missing), "answers") as meter:

        def keep(place: int, raw: dict[str, Any]) -> None:
            store.put(missing[place].key, raw)
            meter.advance()

        post_all(endpoint, "/chat/completions", [chat_body(request) for request in missing], keep)


def unknown(requests: Sequence[Request], store: ResponseStore) -> Iterator[Request]:
    """Each request without an answer, once."""
    by_key = {request.key: request for request in requests}
    return (request for key, request in by_key.items() if store.get(key) is None)


def chat_body(request: Request) -> dict[str, Any]:
    """A request as a chat completion."""
    return {
        "model": request.model,
        "messages": [{"role": role, "content": content} for role, content in request.messages],
        "temperature": request.temperature,
        "top_p": request.top_p,
        "max_tokens": request.max_tokens,
    }
