"""Families of things that are kept: a store, a queue at a desk, a meter with undo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbook.synthesis.families.base import Choice, Family, Fold, Part, lines
from hornbook.synthesis.families.ints import MAPS
from hornbook.synthesis.families.literals import SEPARATORS, about, numbers
from hornbook.synthesis.families.texts import WORD_MAPS, WORD_PREDICATES


def stored(p: Choice) -> Callable[[list[tuple[str, int]]], Any]:
    """What a store does, item by item."""

    def one(name: str, changes: list[int]) -> tuple[int, int]:
        count, orders = p.start.value if p.pred.fn(name) else 0, 0
        for change in changes:
            if count + change >= 0:
                count += change
                short = change < 0 and count < p.least.value
                count, orders = count + short * p.order.value, orders + short
        return count, orders

    def function(moves: list[tuple[str, int]]) -> Any:
        names = [*dict.fromkeys(name for name, _ in moves)]
        ends = {name: one(name, [change for other, change in moves if other == name]) for name in names}
        return p.outcome.fn(ends)

    return function


def ending(name: str, fn: Callable[[Any], Any], code: str, words: str, returns: str) -> Fold:
    """What is returned in the end."""
    return Fold(name, fn, code, (words,), name, returns=returns)


STORE_ENDS: tuple[Fold, ...] = (
    ending("stock", lambda ends: {name: end[0] for name, end in ends.items()}, "stock",
           "a dict from each item in moves to its final number", "dict[str, int]"),
    ending("total", lambda ends: sum(end[0] for end in ends.values()), "sum(stock.values())",
           "the final number of all items together", "int"),
    ending("lines", lambda ends: sorted(f"{end[0]} {name}" for name, end in ends.items()),
           'sorted(f"{n} {item}" for item, n in stock.items())',
           "a sorted list with a text like 4 pears (number, space, item) for each item in moves", "list[str]"),
    ending("orders", lambda ends: (sum(end[1] for end in ends.values()), sum(end[0] for end in ends.values())),
           "orders, sum(stock.values())", "a tuple of how often more was ordered and the final number of all items",
           "tuple[int, int]"),
)  # fmt: skip


STORE = Family(
    name="store",
    slots={
        "start": numbers(range(1, 10)),
        "pred": WORD_PREDICATES,
        "least": numbers(range(2, 8)),
        "order": numbers(range(5, 16)),
        "outcome": STORE_ENDS,
    },
    args="moves: list[tuple[str, int]]",
    kind="stock_moves",
    title="{outcome}_of_store_{start}_if_{pred}_below_{least}_order_{order}",
    sayings=(
        "Each move is an item and a change of its number in a store. At first there are {start} of every item that "
        "{pred}, and 0 of any other. A move that would bring a number below 0 is ignored. If after a move with a "
        "negative change fewer than {least} are left, {order} more of the item are ordered and come at once. Return "
        "{outcome}.",
        "Keep the stock of a shop. An item that {pred} starts with {start}, the others with 0. Apply the moves (item, "
        "change) in order, but not those that would lead below 0. Whenever a change below 0 was applied and less than "
        "{least} remain, add {order}. Return {outcome}.",
    ),
    body=lambda p: lines(
        *(["orders = 0"] if p.outcome.id == "orders" else []),
        "stock = {}",
        "for w, change in moves:",
        f"    n = stock.setdefault(w, {p.start.code} if {p.pred.code} else 0)",
        "    if n + change < 0:",
        "        continue",
        "    n += change",
        f"    if change < 0 and n < {p.least.code}:",
        f"        n += {p.order.code}",
        *(["        orders += 1"] if p.outcome.id == "orders" else []),
        "    stock[w] = n",
        f"return {p.outcome.code}",
    ),
    reference=stored,
    returns=lambda p: p.outcome.returns,
)


def desk(p: Choice) -> Callable[[list[str]], str]:
    """What a desk does: those who come first at the front, each where the rules put them."""

    def function(events: list[str]) -> str:
        waiting: list[str] = []
        served: list[str] = []
        for event in events:
            if event == "next":
                served += waiting[:1]
                waiting = waiting[1:]
            elif len(waiting) in range(p.room.value):
                waiting = [event, *waiting] if p.pred.fn(event) else [*waiting, event]
        return str(p.sep.value).join(p.map.fn(name) for name in p.whom.fn(served, waiting))

    return function


WHOM: tuple[Part, ...] = (
    Part("served", lambda served, _: served, "served", ("everybody served, in order",), "served"),
    Part("waiting", lambda _, waiting: waiting, "queue", ("everybody still in the queue, from the front",), "waiting"),
    Part("all", lambda served, waiting: served + waiting, "[*served, *queue]",
         ("everybody served, in order, and after them everybody still in the queue, from front to back",), "all"),
)  # fmt: skip


DESK = Family(
    name="desk",
    slots={
        "room": numbers(range(2, 8)),
        "pred": WORD_PREDICATES,
        "whom": WHOM,
        "map": about(WORD_MAPS, "the name"),
        "sep": SEPARATORS,
    },
    args="events: list[str]",
    kind="arrivals",
    title="{whom}_{map}_with_{sep}_room_for_{room}_front_if_{pred}",
    sayings=(
        "Every event is next, which serves whoever is at the front of a queue (nobody if it is empty), or the name of "
        "somebody who comes. With {room} in the queue already, a newcomer goes away. Otherwise a name that {pred} "
        "goes to the front, any other to the back. Return a text made of {map} for {whom}, joined by {sep}.",
        "Simulate a queue with room for {room}. A name among events joins at the back, or at the front if it {pred}; "
        "if "
        "the queue is full, it is ignored. The event next serves the one at the front, if there is one. Then take "
        "{whom}: of each the text to return has {map}, with {sep} between them.",
    ),
    body=lambda p: lines(
        "queue = deque()",
        *(["served = []"] if p.whom.id != "waiting" else []),
        "for w in events:",
        '    if w == "next":',
        "        if queue:",
        "            queue.popleft()" if p.whom.id == "waiting" else "            served.append(queue.popleft())",
        f"    elif len(queue) < {p.room.code}:",
        f"        if {p.pred.code}:",
        "            queue.appendleft(w)",
        "        else:",
        "            queue.append(w)",
        f"return {p.sep.code}.join({p.map.code} for w in {p.whom.code})",
    ),
    reference=desk,
    returns=lambda _: "str",
    imports="from collections import deque\n\n\n",
)


def metered(p: Choice) -> Callable[[list[str]], Any]:
    """What a meter shows, from the list of all its values."""

    def function(commands: list[str]) -> Any:
        values = [p.start.value]
        for command in commands:
            if command == "undo":
                values = values[:-1] or values
            elif command == "step":
                values = [*values, p.map.fn(values[-1])]
            else:
                values = [*values, values[-1] + p.factor.value * int(command[4:])]
        return p.reading.fn(values)

    return function


METER_READINGS: tuple[Fold, ...] = (
    ending("value", lambda values: values[-1], "meter.values[-1]", "its value in the end", "int"),
    ending("history", lambda values: values[:-1], "meter.values[:-1]",
           "the list of the earlier values that undo could bring back, the oldest first", "list[int]"),
    ending("depth", lambda values: (len(values) - 1, values[-1]), "len(meter.values) - 1, meter.values[-1]",
           "a tuple of how many undo commands could still have an effect and its value in the end", "tuple[int, int]"),
    ending("change", lambda values: values[-1] - values[0], "meter.values[-1] - meter.values[0]",
           "by how much its value in the end differs from the one at first (negative if smaller)", "int"),
)  # fmt: skip


METER = Family(
    name="meter",
    slots={
        "start": numbers(range(1, 61)),
        "factor": numbers(range(2, 10)),
        "map": about((part for part in MAPS if part.id != "self"), "its value"),
        "reading": METER_READINGS,
    },
    args="commands: list[str]",
    kind="commands",
    title="{reading}_of_meter_from_{start}_add_{factor}_times_step_{map}",
    sayings=(
        "A meter shows {start} at first. The command add n, with a number n, adds {factor} times n to its value; step "
        "replaces its value by {map}; undo takes back the latest add or step not yet taken back, and does nothing if "
        "there is none. Carry out the commands and return {reading}.",
        "Write a class for a meter with the value {start}, and drive it by commands: with add n the value grows by n "
        "times {factor}, with step it becomes {map}, and with undo it goes back to what it was before the last change "
        "that still stands, if any. Return {reading}.",
    ),
    body=lambda p: lines(
        "class Meter:",
        "    def __init__(self, value):",
        "        self.values = [value]",
        "    def change(self, value):",
        "        self.values.append(value)",
        "    def undo(self):",
        "        self.values = self.values[:-1] or self.values",
        f"meter = Meter({p.start.code})",
        "for command in commands:",
        "    x = meter.values[-1]",
        '    if command == "undo":',
        "        meter.undo()",
        "    else:",
        f'        meter.change({p.map.code} if command == "step" else x + {p.factor.code} * int(command[4:]))',
        f"return {p.reading.code}",
    ),
    reference=metered,
    returns=lambda p: p.reading.returns,
)
