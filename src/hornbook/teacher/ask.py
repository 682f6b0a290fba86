"""A language model behind one protocol.

    request ──► store has it? ──► raw response ──► parsed by whoever asked
                   │ no                ▲
                   └──► provider ──► store

Providers shipped here need no network: `readings` (labels that people gave by reading, packaged with hornbook) and
`replay` (answers from the store alone, so a finished run replays with no key). `endpoint.fill` asks a server many
requests at once and puts the answers into the store, from which `replay` then serves them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from hornbook.artifacts import digest_json
from hornbook.config import Config
from hornbook.errors import MissingResponse
from hornbook.teacher.store import ResponseStore


class Teacher(Config):
    """Which model is asked, and how. Everything here shapes answers and enters the request's key."""

    provider: Literal["readings", "replay"] = "readings"
    model: str = "hornbook-readers"
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 2048


@dataclass(frozen=True)
class Request:
    """Everything that shapes an answer. `messages`: (role, content) pairs. `attempt` asks anew for another answer."""

    model: str
    messages: tuple[tuple[str, str], ...]
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 2048
    schema: str = ""
    attempt: int = 0

    @property
    def key(self) -> str:
        """Digest of every field."""
        return digest_json(asdict(self))


@dataclass(frozen=True)
class Response:
    """A raw answer, in the form of an OpenAI-compatible chat completion, under its request's key."""

    key: str
    raw: dict[str, Any]

    @property
    def text(self) -> str:
        """The first choice's content; empty when the answer holds none. Halves of surrogate pairs become U+FFFD."""
        try:
            content = str(self.raw["choices"][0]["message"]["content"] or "")
            return content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        except (KeyError, IndexError, TypeError):
            return ""


class Provider(Protocol):
    """Answers one request with a raw chat completion."""

    def answer(self, request: Request) -> dict[str, Any]:
        """The raw response. Raises WorkError when there is none."""


class Replay:
    """Answers nothing itself: what the store does not hold is missing."""

    def answer(self, request: Request) -> dict[str, Any]:
        """Always raises MissingResponse."""
        raise MissingResponse(
            f"replay: the store holds no response {request.key[:12]} from model {request.model!r}; "
            "run once with the provider that can answer, or restore the run's responses/ folder"
        )


def ask(provider: Provider, requests: Iterable[Request], store: ResponseStore) -> Iterator[Response]:
    """Answer requests in order, from the store where it can. Each new answer is stored raw before it is handed on."""
    for request in requests:
        raw = store.get(request.key)
        if raw is None:
            raw = provider.answer(request)
            store.put(request.key, raw)
        yield Response(request.key, raw)


def open_store(folder: Path) -> ResponseStore:
    """The store in a folder, made if need be."""
    return ResponseStore(folder)
