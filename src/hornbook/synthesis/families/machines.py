"""Families of machines: one of three states, a lift, a thermostat."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from hornbook.synthesis.families.base import Choice, Family, Part, lines
from hornbook.synthesis.families.literals import numbers
from hornbook.synthesis.families.results import DETAILED


def state(name: str) -> Part:
    """A state that a signal leads to."""
    return Part(name, lambda: name, f'"{name}"', (name,), name)


STATES = tuple(map(state, ("idle", "busy", "done")))


def machine(p: Choice) -> Callable[[str], Any]:
    """What a machine does, signal by signal."""
    after = {
        ("idle", "a"): p.idle_a.fn(),
        ("idle", "b"): p.idle_b.fn(),
        ("busy", "a"): p.busy_a.fn(),
        ("busy", "b"): p.busy_b.fn(),
        ("done", "a"): p.done_a.fn(),
        ("done", "b"): p.done_b.fn(),
    }
    worth = {"idle": p.idle.value, "busy": p.busy.value, "done": p.done.value}

    def states(signals: str, now: str) -> list[str]:
        return [after[now, signals[0]], *states(signals[1:], after[now, signals[0]])] if signals else []

    return lambda signals: p.fold.fn([worth[now] for now in states(signals, "idle")])


MACHINE = Family(
    name="machine",
    slots={
        "idle_a": STATES,
        "idle_b": STATES,
        "busy_a": STATES,
        "busy_b": STATES,
        "done_a": STATES,
        "done_b": STATES,
        "idle": numbers((1, 2, 3)),
        "busy": numbers((4, 5, 6)),
        "done": numbers((7, 8, 9)),
        "fold": DETAILED,
    },
    args="signals: str",
    kind="signals",
    title="{fold}_of_machine_{idle_a}_{idle_b}_{busy_a}_{busy_b}_{done_a}_{done_b}_at_{idle}_{busy}_{done}",
    sayings=(
        "A machine is idle at first. The signal a takes it from idle to {idle_a}, from busy to {busy_a} and from "
        "done to "
        "{done_a}; the signal b takes it from idle to {idle_b}, from busy to {busy_b} and from done to {done_b}. After "
        "each of signals the result is the number of its state: idle {idle}, busy {busy}, done {done}. Return {fold}.",
        "The text signals has the letters a and b. When idle, a machine becomes {idle_a} on a and {idle_b} on b; when "
        "busy, {busy_a} on a and {busy_b} on b; when done, {done_a} on a and {done_b} on b. It begins idle. Each "
        "signal "
        "gives as its result the number of the state after it: {idle} for idle, {busy} for busy, {done} for done. "
        "Return {fold}.",
    ),
    body=lambda p: lines(
        "rules = {",
        f'    "idle": {{"a": {p.idle_a.code}, "b": {p.idle_b.code}}},',
        f'    "busy": {{"a": {p.busy_a.code}, "b": {p.busy_b.code}}},',
        f'    "done": {{"a": {p.done_a.code}, "b": {p.done_b.code}}},',
        "}",
        f'numbers = {{"idle": {p.idle.code}, "busy": {p.busy.code}, "done": {p.done.code}}}',
        'state = "idle"',
        "found = []",
        "for signal in signals:",
        "    state = rules[state][signal]",
        "    found.append(numbers[state])",
        f"return {p.fold.code}",
    ),
    reference=machine,
    returns=lambda p: p.fold.returns,
    allowed=lambda p: "idle" not in (p.idle_a.id, p.idle_b.id),
)


def rides(p: Choice, calls: list[int]) -> list[int]:
    """The time of every ride, floor by floor."""
    stops = [p.start.value, *(call for call in calls if call in range(p.top.value + 1))]
    return [p.door.value + p.up.value * len(range(a, b)) + p.down.value * len(range(b, a)) for a, b in pairwise(stops)]


LIFT = Family(
    name="lift",
    slots={
        "top": numbers(range(6, 12)),
        "start": numbers(range(5)),
        "up": numbers(range(3, 8)),
        "down": numbers((1, 2)),
        "door": numbers(range(1, 17)),
        "fold": DETAILED,
    },
    args="calls: list[int]",
    kind="calls",
    title="{fold}_of_lift_from_{start}_to_{top}_up_{up}_down_{down}_door_{door}",
    sayings=(
        "A lift stands on floor {start} of a house with the floors 0 to {top}. It answers the calls in order and "
        "ignores "
        "those for floors that do not exist. A ride takes {up} seconds for each floor up or {down} for each floor "
        "down, "
        "and {door} for the door (only these if it is there already). The results are the seconds of the rides. Return "
        "{fold}.",
        "Simulate a lift that begins on floor {start} and goes to the floors in calls one after the other, leaving out "
        "any below 0 or above {top}. For each ride the result is its time: {door}, plus {up} times the floors it goes "
        "up or {down} times the floors it goes down. Return {fold}.",
    ),
    body=lambda p: lines(
        "found = []",
        f"floor = {p.start.code}",
        "for call in calls:",
        f"    if not 0 <= call <= {p.top.code}:",
        "        continue",
        "    if call > floor:",
        f"        found.append({p.door.code} + {p.up.code} * (call - floor))",
        "    else:",
        f"        found.append({p.door.code} + {weighted(p.down.value, 'floor - call')})",
        "    floor = call",
        f"return {p.fold.code}",
    ),
    reference=lambda p: lambda calls: p.fold.fn(rides(p, calls)),
    returns=lambda p: p.fold.returns,
)


def weighted(factor: int, code: str) -> str:
    """The value so many times."""
    return f"{factor} * ({code})" if factor > 1 else code


def switched(p: Choice) -> Callable[[list[int]], Any]:
    """What a thermostat does: the last reading outside the band decides."""

    def function(readings: list[int]) -> Any:
        found = []
        for i, reading in enumerate(readings):
            telling = [r for r in readings[: i + 1] if not p.low.value <= r < p.high.value]
            on = telling[-1] < p.low.value if telling else p.begin.id == "on"
            found.append(reading + p.gain.value if on else reading - p.loss.value)
        return p.fold.fn(found)

    return function


BEGINNINGS: tuple[Part, ...] = (
    Part("on", lambda: True, "True", ("on",), "on"),
    Part("off", lambda: False, "False", ("off",), "off"),
)


THERMOSTAT = Family(
    name="thermostat",
    slots={
        "low": numbers(range(12, 18)),
        "high": numbers(range(18, 24)),
        "gain": numbers(range(1, 10)),
        "loss": numbers(range(1, 10)),
        "begin": BEGINNINGS,
        "fold": DETAILED,
    },
    args="readings: list[int]",
    kind="temperatures",
    title="{fold}_of_heater_{begin}_below_{low}_from_{high}_plus_{gain}_minus_{loss}",
    sayings=(
        "A heater is {begin} at first. A reading below {low} switches it on, a reading of {high} or more "
        "switches it off, any other leaves it as it is. Then the reading becomes a result: {gain} is added to it if "
        "the "
        "heater is on, {loss} is taken from it if not. Return {fold}.",
        "Go through the readings of a thermostat that starts with its heater {begin}. First each reading may switch: "
        "below {low} the heater goes on; if the reading is at least {high} it goes off. After that the "
        "result is "
        "the reading plus {gain} with the heater on, and the reading minus {loss} with it off. Return {fold}.",
    ),
    body=lambda p: lines(
        f"on = {p.begin.code}",
        "found = []",
        "for reading in readings:",
        f"    if reading < {p.low.code}:",
        "        on = True",
        f"    elif reading >= {p.high.code}:",
        "        on = False",
        f"    found.append(reading + {p.gain.code} if on else reading - {p.loss.code})",
        f"return {p.fold.code}",
    ),
    reference=switched,
    returns=lambda p: p.fold.returns,
)
