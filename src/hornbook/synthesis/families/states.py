"""Families that carry a state from one number to the next: running totals, stacks, queues, repeated steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from hornbook.synthesis.families.base import Choice, Family, Part, lines
from hornbook.synthesis.families.ints import DOUBLE, MAPS, NEGATED, PREDICATES, minus, plus, quotient, times

UPDATES: tuple[Part, ...] = (
    Part("sum", lambda total, e: e + total, "total += {e}", ("add {map}",), "sum"),
    Part(
        "largest",
        lambda total, e: sorted((total, e))[1],
        "total = max(total, {e})",
        ("take {map} if that is larger",),
        "max",
    ),
    Part("swing", lambda total, e: e - total, "total = {e} - total", ("take {map} minus the total",), "swing"),
)
OUTCOMES: tuple[Part, ...] = (
    Part("totals", list, "found", ("the list of totals",), "list"),
    Part(
        "highest",
        lambda found: sorted(found)[-1] if found else 0,
        "max(found, default=0)",
        ("the largest total or 0",),
        "largest",
    ),
    Part("added", lambda found: sum(found), "sum(found)", ("the sum of the totals",), "sum"),
)


def running(p: Choice) -> Callable[[list[int]], Any]:
    """What a running total with resets means."""

    def after(total: int, x: int) -> int:
        new: int = 0 if p.pred.fn(x) else p.update.fn(total, p.map.fn(x))
        return new

    return lambda values: p.outcome.fn([*accumulate(values, after, initial=0)][1:])


def expression(p: Choice) -> str:
    """The new total as an expression."""
    forms = {"sum": "total + {e}", "largest": "max(total, {e})", "swing": "{e} - total"}
    return forms[p.update.id].format(e=p.map.code)


RUNNING = Family(
    name="running",
    slots={"update": UPDATES, "map": MAPS, "pred": PREDICATES, "outcome": OUTCOMES},
    args="values: list[int]",
    kind="ints",
    title="{outcome}_running_{update}_{map}_reset_{pred}",
    sayings=(
        "Keep a total. For a number in values that {pred} set it to 0, for any other {update}. Return {outcome}.",
        "Start a total at 0. Reset it at each number in values that {pred}, else {update}. Return {outcome}.",
    ),
    body=lambda p: lines(
        "total = 0",
        "found = []",
        "for x in values:",
        f"    if {p.pred.code}:",
        "        total = 0",
        "    else:",
        f"        {p.update.code.format(e=p.map.code)}",
        "    found.append(total)",
        f"return {p.outcome.code}",
    ),
    also={
        "library": lambda p: lines(
            f"steps = accumulate(values, lambda total, x: 0 if {p.pred.code} else {expression(p)}, initial=0)",
            "found = list(steps)[1:]",
            f"return {p.outcome.code}",
        )
    },
    reference=running,
    returns=lambda p: "list[int]" if p.outcome.id == "totals" else "int",
)


def shelf(name: str) -> tuple[Part, ...]:
    """What can be said of a stack or queue at the end."""
    return (
        Part("all", list, name, (f"the {name}",), name),
        Part("size", len, f"len({name})", (f"the size of the {name}",), f"{name}_size"),
        Part("sum", sum, f"sum({name})", (f"the sum of the {name}",), f"{name}_sum"),
        Part(
            "top",
            lambda s: s[-1] if s else 0,
            f"{name}[-1] if {name} else 0",
            (f"the last of the {name} or 0",),
            f"{name}_last",
        ),
    )


REMOVALS: tuple[Part, ...] = (
    Part("newest", lambda stack: stack[:-1], "stack.pop()", ("the newest",), "newest"),
    Part("oldest", lambda stack: stack[1:], "stack.pop(0)", ("the oldest",), "oldest"),
)


def stacked(p: Choice) -> Callable[[list[int]], Any]:
    """What pushing and popping means."""

    def function(values: list[int]) -> Any:
        stack: list[int] = []
        for x in values:
            stack = p.removal.fn(stack) if p.pred.fn(x) else [*stack, p.map.fn(x)]
        return p.outcome.fn(stack)

    return function


STACK = Family(
    name="stack",
    slots={"removal": REMOVALS, "map": MAPS, "pred": PREDICATES, "outcome": shelf("stack")},
    args="values: list[int]",
    kind="ints",
    title="{outcome}_push_{map}_drop_{removal}_if_{pred}",
    sayings=(
        "A number in values that {pred} removes {removal} on a stack, any other puts {map} on it. Return {outcome}.",
        "Go through values with a stack: remove {removal} if the number {pred}, else push {map}. Return {outcome}.",
    ),
    body=lambda p: lines(
        "stack = []",
        "for x in values:",
        f"    if {p.pred.code}:",
        "        if stack:",
        f"            {p.removal.code}",
        "    else:",
        f"        stack.append({p.map.code})",
        f"return {p.outcome.code}",
    ),
    reference=stacked,
    returns=lambda p: "list[int]" if p.outcome.id == "all" else "int",
)


def room(k: int) -> Part:
    """A queue of at most k."""
    return Part(f"room:{k}", lambda found: [*deque(found, k)], f"{k}", (f"{k}",), f"{k}")


QUEUE = Family(
    name="queue",
    slots={"room": tuple(map(room, (1, 2, 3, 4, 5))), "map": MAPS, "pred": PREDICATES, "outcome": shelf("queue")},
    args="values: list[int]",
    kind="ints",
    title="{outcome}_of_{room}_{map}_if_{pred}",
    sayings=(
        "For each number in values that {pred}, queue {map}, keeping the last {room}. Return {outcome}.",
        "Put {map} in a queue of at most {room} for each number in values that {pred}. Return {outcome}.",
    ),
    body=lambda p: lines(
        "queue = []",
        "for x in values:",
        f"    if {p.pred.code}:",
        f"        queue.append({p.map.code})",
        f"    if len(queue) > {p.room.code}:",
        "        queue.pop(0)",
        f"return {p.outcome.code}",
    ),
    also={
        "library": lambda p: lines(
            f"queue = deque(maxlen={p.room.code})",
            "for x in values:",
            f"    if {p.pred.code}:",
            f"        queue.append({p.map.code})",
            "return list(queue)" if p.outcome.id == "all" else f"return {p.outcome.code}",
        ),
        "comprehension": lambda p: lines(
            f"found = [{p.map.code} for x in values if {p.pred.code}]",
            f"queue = found[-{p.room.code}:]",
            f"return {p.outcome.code}",
        ),
    },
    reference=lambda p: lambda values: p.outcome.fn(p.room.fn([p.map.fn(x) for x in values if p.pred.fn(x)])),
    returns=lambda p: "list[int]" if p.outcome.id == "all" else "int",
)

STEPS: tuple[Part, ...] = (
    DOUBLE,
    NEGATED,
    *map(times, (3,)),
    *map(plus, (1, 2, 3, 5, 10)),
    *map(minus, (1, 2, 4)),
    *(quotient(k, word) for k, word in ((2, "half"), (3, "third"))),
)


def rounds(k: int) -> Part:
    """k times."""
    return Part(f"rounds:{k}", lambda: k, f"{k}", (f"{k}",), f"{k}")


def repeated(p: Choice) -> Callable[[int], int]:
    """What repeating a step means."""

    def function(x: int) -> int:
        for _ in [None] * p.rounds.fn():
            x = (p.map if p.pred.fn(x) else p.other).fn(x)
        return x

    return function


REPEAT = Family(
    name="repeat",
    slots={"map": STEPS, "pred": PREDICATES, "other": STEPS, "rounds": tuple(map(rounds, (2, 3, 4, 5)))},
    args="x: int",
    kind="number",
    title="repeat_{rounds}_{map}_if_{pred}_else_{other}",
    sayings=(
        "Do this {rounds} times: turn x into {map} if it {pred}, and into {other} if not. Return x.",
        "Replace x {rounds} times, by {map} if it {pred} and by {other} if not. Return x.",
    ),
    body=lambda p: lines(
        f"for _ in range({p.rounds.code}):",
        f"    if {p.pred.code}:",
        f"        x = {p.map.code}",
        "    else:",
        f"        x = {p.other.code}",
        "return x",
    ),
    also={
        "recursion": lambda p: lines(
            "def step(x, left):",
            "    if left == 0:",
            "        return x",
            f"    x = {p.map.code} if {p.pred.code} else {p.other.code}",
            "    return step(x, left - 1)",
            f"return step(x, {p.rounds.code})",
        )
    },
    reference=repeated,
    allowed=lambda p: p.map.id != p.other.id,
)
