"""Families over tables: two of them joined, lists by name, an index."""

from __future__ import annotations

from hornbook.synthesis.families.base import Choice, Family, Part, lines
from hornbook.synthesis.families.ints import MAPS, PREDICATES
from hornbook.synthesis.families.literals import SEPARATORS, about, numbers, texts
from hornbook.synthesis.families.results import COUNT, DETAILED, MEASURES
from hornbook.synthesis.families.tables import KEYS
from hornbook.synthesis.families.texts import TEXT_FOLDS, WORD_MAPS, WORD_PREDICATES

NAMES = about(WORD_MAPS, "the name")


def bill(p: Choice, prices: dict[str, int], orders: list[tuple[str, int]]) -> list[int]:
    """The cost of each order that counts."""
    costs = [
        {name: p.missing.value, **prices}[name] * count - p.off.value * (count >= p.many.value)
        for name, count in orders
    ]
    return [cost for cost in costs if p.pred.fn(cost)]


ORDERS = Family(
    name="orders",
    slots={
        "missing": numbers(range(1, 10)),
        "many": numbers((3, 4, 5, 6)),
        "off": numbers(range(1, 9)),
        "pred": PREDICATES,
        "fold": DETAILED,
    },
    args="prices: dict[str, int], orders: list[tuple[str, int]]",
    kind="shop",
    title="{fold}_of_orders_missing_{missing}_minus_{off}_from_{many}_if_{pred}",
    sayings=(
        "Each order is a pair of a name and a count. It costs count times the price of the name in prices, or "
        "{missing} "
        "each if prices lacks the name, less {off} in all when the count is {many} or more. The results are the costs "
        "that {preds}. Return {fold}.",
        "For each (name, count) in orders find the cost: the count times the name's price, where a name that is not in "
        "prices has price {missing}. From a count of {many} on, the whole order is {off} cheaper. Keep a cost as a "
        "result if it {pred}. Return {fold}.",
    ),
    body=lambda p: lines(
        "found = []",
        "for name, count in orders:",
        f"    x = prices.get(name, {p.missing.code}) * count",
        f"    if count >= {p.many.code}:",
        f"        x -= {p.off.code}",
        f"    if {p.pred.code}:",
        "        found.append(x)",
        f"return {p.fold.code}",
    ),
    reference=lambda p: lambda prices, orders: p.fold.fn(bill(p, prices, orders)),
    returns=lambda p: p.fold.returns,
)


NOWHERE = texts(nowhere="nowhere", none="none", unknown="unknown", mark="?", line="-", absent="absent", hall="hall")


SEATING = Family(
    name="seating",
    slots={
        "map": NAMES,
        "sep": SEPARATORS,
        "missing": NOWHERE,
        "pred": WORD_PREDICATES,
        "fold": tuple(fold for fold in TEXT_FOLDS if fold.id != "letters"),
    },
    args="people: list[tuple[str, str]], rooms: dict[str, str]",
    kind="staff",
    title="{fold}_{map}_{sep}_room_or_{missing}_if_{pred}",
    sayings=(
        "The list people holds pairs of a name and a team, and rooms maps teams to rooms. For each name that {pred}, "
        "make one "
        "text: {map}, then {sep}, then the room of the team, or {missing} for a team without a room. Return {fold}.",
        "Look up the room of each (name, team) in people: rooms gives it by team, and where it does not, take "
        "{missing}. For names that {preds}, the result is {map}, followed by {sep} and the room. Return {fold}.",
    ),
    body=lambda p: lines(
        "found = []",
        "for w, team in people:",
        f"    if {p.pred.code}:",
        f"        room = rooms.get(team, {p.missing.code})",
        f"        found.append({p.map.code} + {p.sep.code} + room)",
        f"return {p.fold.code}",
    ),
    reference=lambda p: (
        lambda people, rooms: p.fold.fn(
            [
                "".join((p.map.fn(name), p.sep.value, {team: p.missing.value, **rooms}[team]))
                for name, team in people
                if p.pred.fn(name)
            ]
        )
    ),
    returns=lambda p: p.fold.returns,
)


LISTS_BY_NAME = Family(
    name="lists_by_name",
    slots={
        "key": KEYS,
        "pred": PREDICATES,
        "map": about(MAPS, "the number"),
        "least": numbers((1, 2, 3)),
        "measure": (*MEASURES, COUNT),
    },
    args="groups: dict[str, list[int]]",
    kind="groups",
    title="{measure}_by_{key}_of_{map}_if_{pred}_least_{least}",
    sayings=(
        "The dict groups maps names to lists of numbers. From each list make a new one: for each number that {pred}, "
        "in order, "
        "{map}. Leave out names unless their new list has {least} or more numbers. Return a dict that has {key} as "
        "key and, as "
        "value, a finding about the new list: {measure}.",
        "For each name and list in groups, keep the numbers that {preds} and put {map} in place of each. Where {least} "
        "or more are kept, the dict to return has an entry: the key is {key}, the value is, for the list so made, "
        "{measure}.",
    ),
    body=lambda p: lines(
        "found = {}",
        "for w, values in groups.items():",
        f"    kept = [{p.map.code} for x in values if {p.pred.code}]",
        f"    if len(kept) >= {p.least.code}:" if p.least.value > 1 else "    if kept:",
        f"        found[{p.key.code}] = {p.measure.code.format(v='kept')}",
        "return found",
    ),
    reference=lambda p: (
        lambda groups: {
            p.key.fn(name): p.measure.fn(kept)
            for name in groups
            if len(kept := [*map(p.map.fn, filter(p.pred.fn, groups[name]))]) >= p.least.value
        }
    ),
    returns=lambda _: "dict[str, int]",
)


WORD_KEYS: tuple[Part, ...] = (
    *about((part for part in WORD_MAPS if part.id in ("initial", "final", "start2", "tail", "trimmed")), "the word"),
    Part("itself", lambda w: w, "w", ("the word itself",), "word"),
    Part("ends", lambda w: "".join(w[i] for i in (0, len(w) - 1)), "w[0] + w[-1]", ("its first and last letter",),
         "ends"),
)  # fmt: skip


WORD_INDEX = Family(
    name="word_index",
    slots={
        "key": WORD_KEYS,
        "pred": WORD_PREDICATES,
        "start": numbers(range(10)),
        "step": numbers(range(1, 6)),
        "measure": (
            Part("places", list, "places", ("the list of its places",), "places"),
            Part("last", lambda v: [*v].pop(), "places[-1]", ("its last place",), "last"),
            Part("first", lambda v: next(iter(v)), "places[0]", ("its first place",), "first"),
            Part("sum", lambda v: sum(v), "sum(places)", ("the sum of its places",), "sum"),
            Part(
                "reach", lambda v: v[-1] - v[0], "places[-1] - places[0]", ("its last place minus its first",), "reach"
            ),
            Part("count", lambda v: sum(1 for _ in v), "len(places)", ("the number of its places",), "count"),
        ),
    },
    args="words: list[str]",
    kind="many_words",
    title="{measure}_by_{key}_from_{start}_step_{step}_if_{pred}",
    sayings=(
        "The first word in words has place {start}, and every next word a place {step} higher. Each word that {pred} "
        "has a key: {key}. Return a dict from each key to {measure}.",
        "Number all words from {start} on, in steps of {step}. Of the words that {preds}, gather the numbers "
        "as places under a key, {key}. Return a dict that gives for each key {measure}.",
    ),
    body=lambda p: lines(
        "index = {}",
        "for i, w in enumerate(words):",
        f"    if {p.pred.code}:",
        f"        index.setdefault({p.key.code}, []).append({numbered(p)})",
        "return index"
        if p.measure.id == "places"
        else f"return {{key: {p.measure.code} for key, places in index.items()}}",
    ),
    reference=lambda p: lambda words: {key: p.measure.fn(places) for key, places in indexed(p, words).items()},
    returns=lambda p: "dict[str, list[int]]" if p.measure.id == "places" else "dict[str, int]",
)


def numbered(p: Choice) -> str:
    """The place of word i."""
    stepped = f"{p.step.code} * i" if p.step.value > 1 else "i"
    return f"{p.start.code} + {stepped}" if p.start.value else stepped


def indexed(p: Choice, words: list[str]) -> dict[str, list[int]]:
    """The places by key."""
    places = zip(range(p.start.value, 999, p.step.value), words, strict=False)
    entries = [(p.key.fn(w), at) for at, w in places if p.pred.fn(w)]
    return {key: [at for other, at in entries if other == key] for key, _ in entries}
