"""What is asked of a teacher, what came back, and what ended without an answer."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from hornbook.artifacts import digest_json
from hornbook.teacher.schema import object_in

LATER = ("parameters", "repair")  # fields added since keys were first given out: left out of the key while empty


@dataclass(frozen=True)
class Request:
    """Everything that shapes an answer. `messages`: (role, content) pairs. `attempt` asks anew for another answer.

    `schema`: the JSON schema that the answer must fit, as text; empty for free text. `parameters`: further fields of
    the request's body (stop, seed, top_k …) as the text of a JSON object. `repair`: 1 when it mends an unusable answer.
    """

    model: str
    messages: tuple[tuple[str, str], ...]
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 2048
    schema: str = ""
    attempt: int = 0
    parameters: str = ""
    repair: int = 0

    @cached_property
    def key(self) -> str:
        """Digest of every field. A field that older stores do not know counts only when it says something."""
        fields = asdict(self)
        return digest_json({name: value for name, value in fields.items() if name not in LATER or value})

    @property
    def bytes(self) -> int:
        """Length of the messages in UTF-8."""
        return sum(len(content.encode("utf-8", "surrogatepass")) for _, content in self.messages)


@dataclass(frozen=True)
class Usage:
    """Tokens of one received answer. `guessed`: the server did not count, four bytes are taken for a token."""

    prompt_tokens: int
    completion_tokens: int
    batch: bool = False
    guessed: bool = False

    @property
    def tokens(self) -> int:
        """Both together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class Response:
    """A raw answer, in the form of an OpenAI-compatible chat completion, under its request's key.

    `usages`: what was received for it, the answer that was mended included. `schema`: the request's.
    """

    key: str
    raw: dict[str, Any]
    usages: tuple[Usage, ...] = ()
    schema: str = ""

    @property
    def text(self) -> str:
        """The first choice's content; empty when the answer holds none. Halves of surrogate pairs become U+FFFD.

        Some servers give content in parts, of which those of type `text` count and thoughts do not.
        """
        try:
            content = self.raw["choices"][0]["message"]["content"] or ""
            if isinstance(content, list):
                content = "".join(str(part["text"]) for part in content if part["type"] == "text")
            return str(content).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        except (KeyError, IndexError, TypeError):
            return ""

    @property
    def finish_reason(self) -> str:
        """Why the model stopped: `stop`, `length`, `content_filter`, … Empty when the answer does not say."""
        try:
            return str(self.raw["choices"][0]["finish_reason"] or "")
        except (KeyError, IndexError, TypeError):
            return ""

    @property
    def json(self) -> Any:
        """The JSON object in the text, as `object_in` finds it. Raises ValueError when there is none."""
        return object_in(self.text, json.loads(self.schema) if self.schema else None)


@dataclass(frozen=True)
class Unanswered:
    """A request that ended without a usable answer. `reason` is one of `REASONS`, `usages` what was paid for.

    `said`: the text of the last answer that could not be used, where there was one.
    """

    key: str
    reason: str
    usages: tuple[Usage, ...] = ()
    said: str = field(default="", compare=False)


REASONS = {
    "no-connection": "the server could not be reached, or hung up",
    "timeout": "no whole answer in time",
    "rate-limited": "429 to the last",
    "server-error": "408, 409 or 5xx to the last",
    "malformed": "the answer was no JSON object",
    "duplicate": "the server gave the reply to another request",
    "refused": "the server refuses this very request",
    "expired": "a batch ended before this request's turn",
    "empty": "an answer without content",
    "length": "cut off at max_tokens",
    "filtered": "withheld by the server's content filter",
    "schema": "does not fit its schema, nor did its repair",
}
