"""How fast an endpoint is asked: the window, the limits per minute, the waits. Clocks are fake, values worked out by hand."""

from __future__ import annotations

import asyncio
import random

import pytest

from hornbook.teacher.pace import Pace, PerMinute, Window, backoff


def test_a_window_doubles_each_round_until_a_sign_of_overload() -> None:
    window = Window(64)
    sizes = []
    for _ in range(3):
        for _ in range(int(window.size)):
            window.answered(1.0)
        sizes.append(window.size)
    assert sizes == [16, 32, 64]
    window.answered(1.0)
    assert window.size == 64  # the most


def test_a_refusal_halves_a_window_once_for_all_that_was_under_way_and_growth_is_slow_after_it() -> None:
    window = Window(64)
    window.overloaded(sent_at=0.0, now=1.0)
    window.overloaded(sent_at=0.5, now=1.1)  # sent before the first was known
    assert window.size == 4
    window.overloaded(sent_at=1.0, now=2.0)
    assert window.size == 2
    for _ in range(2):
        window.answered(1.0)
    assert window.size == pytest.approx(2 + 1 / 2 + 1 / 2.5)
    for now in range(3, 20):
        window.overloaded(sent_at=now, now=now)
    assert window.size == 1


def test_a_round_four_times_as_slow_as_the_calmest_takes_off_a_tenth() -> None:
    window = Window(8)
    for _ in range(8):
        window.answered(1.0)
    for _ in range(8):
        window.answered(4.0)
    assert window.size == 8  # not beyond four times
    for _ in range(8):
        window.answered(4.3)
    assert window.size == pytest.approx(7.2)


def test_no_minute_holds_more_than_allowed() -> None:
    limit, now, sent = PerMinute(10), 0.0, []
    draw = random.Random(0)
    while len(sent) < 200:
        now += draw.uniform(0, 3)
        if (seconds := limit.wait(3, now)) > 0:
            now += seconds
            assert limit.wait(3, now) <= 1e-9
        limit.take(3, now)
        sent.append(now)
    for start in sent:
        assert sum(3 for at in sent if start <= at < start + 60 - 1e-6) <= 10
    assert now < 200 / 3 * 60 + 120  # three a minute, as many as there may be


def test_the_wait_is_until_enough_has_passed() -> None:
    limit = PerMinute(10)
    limit.take(6, 0.0)
    limit.take(4, 10.0)
    assert limit.wait(1, 20.0) == 40.0  # the six of 0.0 leave at 60
    assert limit.wait(7, 20.0) == 50.0  # the four must leave too
    assert limit.wait(99, 20.0) == 50.0  # what never fits goes alone
    assert limit.wait(10, 70.0) == 0.0
    assert PerMinute(None).wait(10**9, 0.0) == 0.0


def test_waits_are_spread_over_all_of_a_growing_interval() -> None:
    waits = [backoff(4, None) for _ in range(2000)]  # uniform on 0 to 0.5 · 2³
    assert min(waits) < 0.1
    assert 3.9 < max(waits) <= 4.0
    assert sum(waits) / 2000 == pytest.approx(2.0, abs=0.15)
    assert max(backoff(30, None) for _ in range(200)) <= 60


def test_what_the_server_asks_for_is_waited_for_whole() -> None:
    assert all(7.0 <= backoff(1, 7.0) <= 7.7 for _ in range(100))


def test_a_pause_holds_everyone_and_places_are_given_back() -> None:
    async def use() -> list[float]:
        pace, starts = Pace(2), []
        pace.pause(0.2)
        began = pace.clock()

        async def one() -> None:
            async with pace.turn(1) as at:
                starts.append(at - began)
                assert pace.under_way <= 2
                await asyncio.sleep(0.01)
                raise ValueError

        await asyncio.gather(*(one() for _ in range(5)), return_exceptions=True)
        assert pace.under_way == 0
        return starts

    starts = asyncio.run(use())
    assert len(starts) == 5
    assert min(starts) >= 0.19
