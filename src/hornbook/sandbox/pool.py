"""Hands jobs to workers, watches the clock, restarts what dies.

A worker that dies is replaced and its job tried once more; a second death is the machinery's failure, never a verdict.
A worker that overstays is killed: the program made the tests themselves loop.
"""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Generic, TypeVar

from hornbook.errors import InfrastructureError
from hornbook.sandbox.bare.codec import decode, encode
from hornbook.sandbox.bare.plain import Malformed
from hornbook.sandbox.bare.stream import Gone, Stream, TooLate
from hornbook.sandbox.launch import Pair, Setting, start

GRACE_SECONDS = 5.0  # a worker notices a late program itself; past this it must be stuck in the tests
ANSWER_SECONDS = 60.0  # for a worker to finish an answer that it began
LATE, BROKEN = object(), object()  # results that are not a worker's answer

J = TypeVar("J")


@dataclass
class Slot(Generic[J]):
    """One worker's place: its processes while they live, and the job in hand."""

    core: int | None = None
    pair: Pair | None = None
    stream: Stream | None = None
    job: J | None = None
    message: bytes = b""
    deadline: float = 0.0
    tries: int = 0


class Crew(Generic[J]):
    """A number of workers. Use as a context manager: nothing that it started outlives it."""

    def __init__(self, setting: Setting, size: int) -> None:
        self.setting = setting
        self.slots: list[Slot[J]] = [Slot(core) for core in places(size)]
        self.started = False

    def __enter__(self) -> Crew[J]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for slot in self.slots:
            dismiss(slot)

    def work(self, jobs: Iterable[tuple[J, tuple[Any, ...]]]) -> Iterator[tuple[J, Any]]:
        """Yield every job with its answer, LATE or BROKEN, as they finish."""
        source = iter(jobs)
        idle, busy = list(self.slots), []
        while True:
            while idle and (job := next(source, None)) is not None:
                slot = idle.pop()
                slot.job, slot.message, slot.tries = job[0], encode(job[1]), 0
                self.hand_over(slot)
                busy.append(slot)
            if not busy:
                return
            for slot, answer in self.wait(busy):
                busy.remove(slot)
                idle.append(slot)
                yield slot.job, answer  # type: ignore[misc]

    def hand_over(self, slot: Slot[J]) -> None:
        """Send a slot's job to its worker, starting one if there is none. InfrastructureError if none ever started."""
        slot.tries += 1
        if slot.pair is None:
            try:
                slot.pair = start(replace(self.setting, core=slot.core))
            except InfrastructureError:
                if not self.started:
                    raise
                return  # the machine broke in mid-run, and `wait` sees it: what was judged before is not lost
            self.started = True
            slot.stream = Stream(slot.pair.sock, ANSWER_SECONDS)
        assert slot.stream is not None
        slot.deadline = time.monotonic() + self.setting.wall_seconds + GRACE_SECONDS
        slot.stream.deadline = slot.deadline + ANSWER_SECONDS
        try:
            slot.stream.send(slot.message)
        except (Gone, TooLate):
            return  # `wait` sees the closed socket

    def wait(self, busy: list[Slot[J]]) -> list[tuple[Slot[J], Any]]:
        """Wait until a worker answers, dies or overstays; the slots that are done."""
        if lost := [(slot, BROKEN) for slot in busy if slot.pair is None]:
            return lost
        with selectors.DefaultSelector() as selector:
            for slot in busy:
                assert slot.pair is not None
                selector.register(slot.pair.sock, selectors.EVENT_READ, slot)
            pause = max(0.0, min(slot.deadline for slot in busy) - time.monotonic())
            ready = [key.data for key, _ in selector.select(pause)]
        done = [(slot, self.collect(slot)) for slot in ready]
        now = time.monotonic()
        for slot in busy:
            if slot not in ready and now > slot.deadline:
                dismiss(slot)
                done.append((slot, LATE))
        return [(slot, answer) for slot, answer in done if answer is not None]

    def collect(self, slot: Slot[J]) -> Any:
        """The answer of a worker that has one; None when it died and the job was handed to its successor."""
        assert slot.stream is not None
        try:
            return decode(slot.stream.receive())
        except (Gone, TooLate, Malformed):
            dismiss(slot)
        if slot.tries > 1:
            return BROKEN
        self.hand_over(slot)
        return None


def places(size: int) -> list[int | None]:
    """A processor for each worker, round and round; none when they are fewer than the processors, which others use."""
    cores = sorted(os.sched_getaffinity(0))
    return [cores[number % len(cores)] if size >= len(cores) else None for number in range(size)]


def dismiss(slot: Slot[Any]) -> None:
    """End a slot's processes."""
    if slot.pair is not None:
        slot.pair.stop()
        slot.pair = slot.stream = None
