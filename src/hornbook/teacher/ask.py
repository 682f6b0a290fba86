"""A language model behind one protocol.

    request ──► store has it? ──► raw response ──► parsed by whoever asked
                   │ no                ▲
                   └──► provider ──► store

`readings` (labels given by reading, packaged with hornbook) and `replay` (answers from the store alone, so a
finished run replays with no key) need no network; `endpoint` is any OpenAI-compatible server. `consult` is the door:
a job's requests in, an answer or a reason for each out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol

from pydantic import Field, model_validator

from hornbook.config import Config, operational
from hornbook.errors import MissingResponse
from hornbook.teacher.prices import Price
from hornbook.teacher.request import REASONS, Request, Response, Unanswered, Usage
from hornbook.teacher.store import ResponseStore

if TYPE_CHECKING:
    from hornbook.teacher.purse import Purse

__all__ = ["REASONS", "Provider", "Replay", "Request", "Response", "Teacher", "Unanswered", "Usage", "ask", "consult"]
__all__ += ["open_store"]


class Teacher(Config):
    """Which model is asked, and how. What shapes answers enters the request's key; the rest is how to get them.

    `parameters`: further fields of the request's body, such as {stop: [END], seed: 1, reasoning_effort: low}.
    `url`: up to and with `/v1`. `mode: batch` uses the server's Batch API: half the price, up to a day.
    `concurrency`: the most requests under way; how many there are follows the server's refusals and latency.
    `cap_dollars`, `cap_tokens`: what the answers of one job may cost in all, those already in the store included.
    `pilot`: how many answers are looked at before the rest of a large job is asked for (0: none).
    `prices`: by model, over the packaged table.
    """

    provider: Literal["readings", "replay", "endpoint"] = "readings"
    model: str = "hornbook-readers"
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = Field(2048, gt=0)
    parameters: dict[str, Any] = {}
    url: str = operational("http://localhost:8000/v1", pattern=r"^https?://")
    mode: Literal["live", "batch"] = operational("live")
    concurrency: int = operational(64, ge=1)
    retries: int = operational(6, ge=0)
    timeout_seconds: float = operational(600.0, gt=0)
    requests_per_minute: int | None = operational(None, gt=0)
    tokens_per_minute: int | None = operational(None, gt=0)
    poll_seconds: float = operational(30.0, gt=0)
    pilot: int = operational(20, ge=0)
    cap_dollars: float | None = operational(None, gt=0)
    cap_tokens: int | None = operational(None, gt=0)
    prices: dict[str, Price] = operational({})

    @model_validator(mode="after")
    def names_a_model(self) -> Teacher:
        """A server needs to be told which of its models is meant."""
        if self.provider == "endpoint" and self.model == type(self).model_fields["model"].default:
            raise ValueError("provider endpoint needs `model:`, the name by which the server knows it")
        return self

    def semantic(self) -> dict[str, Any]:
        """An endpoint's answers are on file before anyone reads them: replaying them is the same work."""
        found = super().semantic()
        return found | {"provider": "replay"} if self.provider == "endpoint" else found

    def request(self, *messages: tuple[str, str], schema: str = "", attempt: int = 0) -> Request:
        """A question in this teacher's settings. `messages`: (role, content) pairs."""
        return Request(
            model=self.model,
            messages=messages,
            temperature=self.temperature,
            top_p=self.top_p,
            max_tokens=self.max_tokens,
            schema=schema,
            attempt=attempt,
            parameters=json.dumps(self.parameters, sort_keys=True) if self.parameters else "",
        )


class Provider(Protocol):
    """Answers one request with a raw chat completion."""

    def answer(self, request: Request) -> dict[str, Any]:
        """The raw response. Raises WorkError when there is none."""


class Replay:
    """Answers nothing itself: what the store does not hold is missing."""

    def answer(self, request: Request) -> dict[str, Any]:
        """Always raises MissingResponse."""
        missing(request)


def ask(provider: Provider, requests: Iterable[Request], store: ResponseStore) -> Iterator[Response]:
    """Answer requests in order, from the store where it can. Each new answer is stored raw before it is handed on."""
    for request in requests:
        raw = store.get(request.key)
        if raw is None:
            raw = store.put(request.key, provider.answer(request), request=asdict(request))
        yield Response(request.key, raw)


def consult(
    teacher: Teacher, requests: Sequence[Request], responses: Path, label: str, purse: Purse | None = None
) -> list[Response | Unanswered]:
    """Answer a job's requests, in their order: from the store in `responses` where it can, else by the provider.

    `purse`: the account of a job that calls several times; the caps hold for all of them, and the caller notes there
    what it heard. What ended without a usable answer is `Unanswered` with its reason, for the caller to count. Equal
    requests are asked once. Raises MissingResponse when a replay lacks an answer; WorkError when the endpoint fails for
    good or the cap is reached, with everything kept; RequestError when it refuses the whole job.
    """
    from hornbook.teacher.job import Job, settle
    from hornbook.teacher.readings import Readings

    if teacher.provider == "readings":
        return list(ask(Readings(), requests, open_store(responses)))
    store = open_store(responses)
    if teacher.provider == "endpoint":
        Job(teacher, requests, store, label, purse).run()
    return [settle(request, store) or missing(request) for request in requests]


def missing(request: Request) -> NoReturn:
    """Say that the store knows nothing of a request."""
    raise MissingResponse(
        f"replay: the store holds no response {request.key[:12]} from model {request.model!r}; "
        "run once with the provider that can answer, or restore the run's responses/ folder"
    )


def open_store(folder: Path) -> ResponseStore:
    """The store in a folder, made if need be."""
    return ResponseStore(folder)
