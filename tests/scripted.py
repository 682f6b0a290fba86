"""A language model that answers from a function, through the real store and the real replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hornbook.synthesis.llm import asking
from hornbook.teacher.ask import Request, Response, Teacher, Unanswered, consult
from hornbook.teacher.store import ResponseStore

TEACHER = Teacher(provider="replay", model="m", temperature=0.5)
Answer = Callable[[str, Request], str | None]


class Script:
    """`answer(label, request)` gives a text, or None for no answer. `asked`: what was not in the store, by label."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, Request]] = []

    def consult(
        self, teacher: Teacher, requests: Sequence[Request], responses: Path, label: str, *_: Any
    ) -> list[Response | Unanswered]:
        """Fill the store, then replay it."""
        store = ResponseStore(responses)
        dumb = set()
        for request in requests:
            if store.get(request.key) is None and request.key not in dumb:
                self.asked.append((label, request))
                if (text := self.answer(label, request)) is None:
                    dumb.add(request.key)
                else:
                    store.put(request.key, {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})
        heard = iter(consult(teacher, [r for r in requests if r.key not in dumb], responses, label))
        return [Unanswered(r.key, "timeout") if r.key in dumb else next(heard) for r in requests]

    def labels(self) -> list[str]:
        """What was asked, in order."""
        return [label for label, _ in self.asked]

    def keys(self, label: str) -> list[str]:
        """The keys of what was asked under a label."""
        return [request.key for name, request in self.asked if name == label]

    def texts(self, label: str) -> list[str]:
        """The words of what was asked under a label."""
        return [request.messages[-1][1] for name, request in self.asked if name == label]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], Script]:
    """Put a scripted model in the teacher's place."""

    def start(answer: Answer) -> Script:
        script = Script(answer)
        monkeypatch.setattr(asking, "consult", script.consult)
        return script

    return start
