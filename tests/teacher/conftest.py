"""Servers for the teacher's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from unruly import Unruly

from tiny import corpus, tokenizer

__all__ = ["corpus", "impatient", "tokenizer", "unruly"]


@pytest.fixture
def unruly() -> Iterator[Callable[..., Unruly]]:
    """Start unruly servers, closed when the test is over."""
    servers: list[Unruly] = []

    def start(*given: Any, **named: Any) -> Unruly:
        servers.append(Unruly(*given, **named))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between tries a hundred times as short."""
    monkeypatch.setattr("hornbook.teacher.pace.SHORTEST_WAIT", 0.005)
