"""How fast an endpoint is asked: a window that follows its refusals and latency, and limits per minute."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

FIRST = 8  # requests under way before anything is known of the server
SLOWER = 4.0  # times the calmest latency: the server queues what it is given, more at once gains nothing
MINUTE = 60.0
SHORTEST_WAIT, LONGEST_WAIT = 0.5, 60.0


def backoff(tries: int, asked: float | None) -> float:
    """Seconds to wait after `tries` failures: full jitter, so that many clients do not come back together.

    Uniform between 0 and SHORTEST_WAIT · 2^(tries - 1), LONGEST_WAIT at most. What the server asked for (Retry-After)
    is waited for whole, and a tenth more at random.
    """
    if asked is not None:
        return asked * random.uniform(1.0, 1.1)
    return random.uniform(0.0, min(LONGEST_WAIT, SHORTEST_WAIT * 2.0 ** (tries - 1)))


class Window:
    """How many requests may be under way: additive increase, multiplicative decrease (as in TCP).

    Grows by one an answer until the first sign of overload, then by one a window of answers. A refusal halves it, once
    for all that was sent before it was halved. A round (a window of answers) that took SLOWER times the calmest one
    takes off a tenth.
    """

    def __init__(self, most: int) -> None:
        self.size, self.most = float(min(FIRST, most)), most
        self._calm = True  # no sign of overload yet
        self._cut_at = -1.0
        self._round: list[float] = []
        self._calmest: float | None = None

    def answered(self, seconds: float) -> None:
        """An answer came after so long."""
        self.size = min(self.most, self.size + (1.0 if self._calm else 1.0 / self.size))
        self._round.append(seconds)
        if len(self._round) >= self.size:
            latency = sum(self._round) / len(self._round)
            self._round.clear()
            if self._calmest is not None and latency > SLOWER * self._calmest:
                self._calm, self.size = False, max(1.0, self.size * 0.9)
            self._calmest = min(latency, self._calmest * 1.02 if self._calmest else latency)  # slowly forgotten

    def overloaded(self, sent_at: float, now: float) -> None:
        """A request that was sent at `sent_at` was refused, or timed out."""
        if sent_at >= self._cut_at:
            self._calm, self._cut_at = False, now
            self.size = max(1.0, self.size / 2)


class PerMinute:
    """Keeps a sum under `most` in any 60 seconds. None: no limit."""

    def __init__(self, most: int | None) -> None:
        self.most = most
        self._log: deque[tuple[float, int]] = deque()
        self._sum = 0

    def wait(self, amount: int, now: float) -> float:
        """Seconds until `amount` more fit; an amount over the limit fits when nothing else is there."""
        if self.most is None:
            return 0.0
        while self._log and self._log[0][0] <= now - MINUTE:
            self._sum -= self._log.popleft()[1]
        excess, until = self._sum + amount - self.most, now
        for at, spent in self._log:
            if excess <= 0:
                break
            excess, until = excess - spent, at + MINUTE
        return until - now

    def take(self, amount: int, now: float) -> None:
        """Count what is sent now."""
        if self.most is not None:
            self._log.append((now, amount))
            self._sum += amount


class Pace:
    """Lets requests through: as many at once as the window holds, as many a minute as allowed, none in a pause."""

    def __init__(
        self,
        most: int,
        requests_per_minute: int | None = None,
        tokens_per_minute: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.window = Window(most)
        self.requests, self.tokens = PerMinute(requests_per_minute), PerMinute(tokens_per_minute)
        self.clock = clock
        self._quiet_until = 0.0
        self.begin()

    def begin(self) -> None:
        """Before use in another loop of events: what was learnt stays."""
        self._room = asyncio.Condition()
        self.under_way = 0

    @asynccontextmanager
    async def turn(self, tokens: int) -> AsyncIterator[float]:
        """Wait for one's turn to send a request that may take `tokens`; holds a place in the window meanwhile."""
        async with self._room:
            await self._room.wait_for(lambda: self.under_way < int(self.window.size))
            self.under_way += 1
        try:
            while (seconds := self._wait(tokens)) > 0:
                await asyncio.sleep(seconds)
            self.requests.take(1, self.clock())
            self.tokens.take(tokens, self.clock())
            yield self.clock()
        finally:
            self.under_way -= 1
            async with self._room:
                self._room.notify_all()

    def _wait(self, tokens: int) -> float:
        now = self.clock()
        return max(self._quiet_until - now, self.requests.wait(1, now), self.tokens.wait(tokens, now))

    def pause(self, seconds: float) -> None:
        """Send nothing for so long: the server asked all of us to wait."""
        self._quiet_until = max(self._quiet_until, self.clock() + seconds)
