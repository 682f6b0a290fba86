"""Families of rates and decisions: tariffs, tickets, accounts, parcels, taxes by bracket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbook.synthesis.families.base import Choice, Family, Fold, lines
from hornbook.synthesis.families.literals import numbers
from hornbook.synthesis.families.results import DETAILED


def tariff(p: Choice) -> Callable[[int], int]:
    """What a tariff means, unit by unit."""

    def price(unit: int) -> int:
        if unit < p.first.value:
            return int(p.low.value)
        return int(p.middle.value if unit < p.first.value + p.second.value else p.high.value)

    return lambda units: max(p.least.value, p.fee.value + sum(price(unit) for unit in range(units)))


TARIFF = Family(
    name="tariff",
    slots={
        "first": numbers(range(10, 40, 5)),
        "second": numbers(range(20, 60, 10)),
        "low": numbers((2, 3, 4)),
        "middle": numbers((5, 6, 7)),
        "high": numbers((8, 9, 10, 11, 12)),
        "fee": numbers(range(3, 30, 3)),
        "least": numbers(range(35, 60, 5)),
    },
    args="units: int",
    kind="amount",
    title="tariff_{first}_at_{low}_then_{second}_at_{middle}_then_{high}_fee_{fee}_least_{least}",
    sayings=(
        "Return the bill for so many units. The first {first} units cost {low} each, the next {second} cost {middle} "
        "each, and all further ones {high} each. A fee of {fee} is added. A bill is never less than {least}.",
        "A bill starts with a fee of {fee}. To it come {low} for each of the first {first} units, {middle} for each of "
        "the {second} after those, and {high} for every unit beyond. If it ends below {least}, it becomes {least}. "
        "Return the bill for the given units.",
    ),
    body=lambda p: lines(
        f"first = min(units, {p.first.code})",
        f"second = min(max(units - {p.first.code}, 0), {p.second.code})",
        f"rest = max(units - {p.first.value + p.second.value}, 0)",
        f"bill = {p.fee.code} + {p.low.code} * first + {p.middle.code} * second + {p.high.code} * rest",
        f"return max(bill, {p.least.code})",
    ),
    reference=tariff,
)


def entry(p: Choice) -> Callable[[int, str, int], int]:
    """What entry costs, from the rules one by one."""
    prices: dict[str, int] = {"child": p.child.value, "senior": p.senior.value, "adult": p.adult.value}

    def function(age: int, day: str, group: int) -> int:
        kind = "child" if age in range(p.young.value) else "senior" if age not in range(p.old.value + 1) else "adult"
        extra: int = {"sat": p.extra.value, "sun": p.extra.value}.get(day, 0)
        return int(prices[kind] + extra - (p.off.value if group > p.many.value else 0))

    return function


ENTRY_PRICE = Family(
    name="entry_price",
    slots={
        "young": numbers((6, 10, 14)),
        "old": numbers((59, 64, 69)),
        "child": numbers(range(10, 15)),
        "senior": numbers(range(15, 20)),
        "adult": numbers(range(20, 28)),
        "extra": numbers(range(1, 7)),
        "many": numbers((2, 5, 9)),
        "off": numbers(range(1, 6)),
    },
    args="age: int, day: str, group: int",
    kind="visitor",
    title="entry_{child}_under_{young}_{senior}_over_{old}_else_{adult}_weekend_{extra}_group_{many}_off_{off}",
    sayings=(
        "Return the price of entry. It is {child} for a person younger than {young}, {senior} for one older than "
        "{old}, "
        "and {adult} for all others. When day is sat or sun, it is {extra} more. In a group of more than {many} it is "
        "{off} less.",
        "How much does one person pay? The price is {child} below the age of {young}, {senior} above the age of {old}, "
        "and {adult} in between. Add {extra} if day is sat or sun (days are mon, tue, wed, thu, fri, sat, sun), and "
        "take {off} off if group, the number of people, is larger than {many}.",
    ),
    body=lambda p: lines(
        f"if age < {p.young.code}:",
        f"    price = {p.child.code}",
        f"elif age > {p.old.code}:",
        f"    price = {p.senior.code}",
        "else:",
        f"    price = {p.adult.code}",
        'if day in ("sat", "sun"):',
        f"    price += {p.extra.code}",
        f"if group > {p.many.code}:",
        f"    price -= {p.off.code}",
        "return price",
    ),
    reference=entry,
)


def summary(name: str, fn: Callable[[list[int], list[int]], Any], code: str, words: str, returns: str) -> Fold:
    """What is told of an account: from its balances and what it refused."""
    return Fold(name, fn, code, (words,), name, returns=returns)


SUMMARY: tuple[Fold, ...] = (
    summary("balance", lambda balances, _: balances[-1], "balance", "the final balance", "int"),
    summary("refused", lambda _, refused: refused, "refused", "the list of refused amounts", "list[int]"),
    summary("both", lambda balances, refused: (balances[-1], len(refused)), "balance, len(refused)",
            "a tuple of the final balance and how many were refused", "tuple[int, int]"),
    summary("text", lambda balances, refused: f"{balances[-1]} ({len(refused)} refused)",
            'f"{balance} ({len(refused)} refused)"',
            "a text of the final balance and how many were refused, like 12 (1 refused)", "str"),
)  # fmt: skip


def account(p: Choice) -> Callable[[list[int]], Any]:
    """What an account does."""

    def function(amounts: list[int]) -> Any:
        balances, refused = [p.start.value], []
        for amount in amounts:
            change = amount if amount >= 0 else amount - p.fee.value
            if amount >= p.large.value:
                change += p.bonus.value
            if amount < 0 and balances[-1] + change < -p.limit.value:
                refused.append(-amount)
            else:
                balances.append(balances[-1] + change)
        return p.summary.fn(balances, refused)

    return function


ACCOUNT = Family(
    name="account",
    slots={
        "start": numbers(range(0, 60, 5)),
        "limit": numbers(range(5, 40, 5)),
        "fee": numbers((1, 2, 3, 4)),
        "large": numbers((10, 12, 15, 18, 20)),
        "bonus": numbers((1, 2, 3, 4, 5, 6)),
        "summary": SUMMARY,
    },
    args="amounts: list[int]",
    kind="amounts",
    title="{summary}_from_{start}_limit_{limit}_fee_{fee}_bonus_{bonus}_from_{large}",
    sayings=(
        "An account starts with {start}. A positive amount, or 0, is paid in, with a bonus of {bonus} on top if it is "
        "{large} or more. A negative amount is paid out as -amount plus a fee of {fee}; if that would bring the "
        "balance "
        "below -{limit}, nothing happens and -amount is noted as refused. Return {summary}.",
        "Go through amounts with an account that has {start} at first. Amounts of 0 or more are added, those from "
        "{large} on with {bonus} extra. For a negative one its size and a fee of {fee} are taken off, unless less than "
        "-{limit} would be left: then its size is refused. Return {summary}.",
    ),
    body=lambda p: lines(
        f"balance, refused = {p.start.code}, []",
        "for amount in amounts:",
        f"    if amount >= {p.large.code}:",
        f"        balance += amount + {p.bonus.code}",
        "    elif amount >= 0:",
        "        balance += amount",
        f"    elif balance + amount - {p.fee.code} < {-p.limit.value}:",
        "        refused.append(-amount)",
        "    else:",
        f"        balance += amount - {p.fee.code}",
        f"return {p.summary.code}",
    ),
    reference=account,
    returns=lambda p: {"balance": "int", "refused": "list[int]", "both": "tuple[int, int]", "text": "str"}[
        p.summary.id
    ],
)


def postage(p: Choice) -> Callable[[list[tuple[int, str]]], Any]:
    """What sending parcels costs."""

    def cost(weight: int, zone: str) -> int:
        prices = [p.price.value, p.middle.value, p.top.value]
        base = prices[sum(weight > limit for limit in (p.light.value, p.heavy.value))]
        return int(base * (2 if zone == "abroad" else 1) + (p.surcharge.value if zone == "island" else 0))

    return lambda parcels: p.fold.fn([cost(*parcel) for parcel in parcels])


POSTAGE = Family(
    name="postage",
    slots={
        "light": numbers(range(2, 7)),
        "heavy": numbers(range(8, 13)),
        "price": numbers(range(3, 8)),
        "middle": numbers(range(8, 13)),
        "top": numbers(range(13, 18)),
        "surcharge": numbers(range(1, 8)),
        "fold": DETAILED,
    },
    args="parcels: list[tuple[int, str]]",
    kind="parcels",
    title="{fold}_of_postage_{price}_to_{light}_{middle}_to_{heavy}_else_{top}_island_{surcharge}",
    sayings=(
        "A parcel is a pair of a weight and a zone. It costs {price} up to a weight of {light}, {middle} above that "
        "and "
        "up to {heavy}, and {top} beyond. For the zone abroad this is doubled, for the zone island {surcharge} is "
        "added. "
        "The results are the costs of the parcels, in order. Return {fold}.",
        "Find the cost of each parcel (weight, zone): {price} if it weighs at most {light}, otherwise {middle} if it "
        "weighs at most {heavy}, else {top}. Parcels to the zone island cost {surcharge} more, those to the zone "
        "abroad "
        "twice as much. These costs are the results. Return {fold}.",
    ),
    body=lambda p: lines(
        "found = []",
        "for weight, zone in parcels:",
        f"    if weight <= {p.light.code}:",
        f"        cost = {p.price.code}",
        f"    elif weight <= {p.heavy.code}:",
        f"        cost = {p.middle.code}",
        "    else:",
        f"        cost = {p.top.code}",
        '    if zone == "abroad":',
        "        cost *= 2",
        '    elif zone == "island":',
        f"        cost += {p.surcharge.code}",
        "    found.append(cost)",
        f"return {p.fold.code}",
    ),
    reference=postage,
    returns=lambda p: p.fold.returns,
)


def shared(p: Choice) -> Callable[[dict[str, int]], Any]:
    """Who gets what back when costs are shared."""

    def function(paid: dict[str, int]) -> Any:
        people = sorted(paid)
        total = sum(paid.values()) + p.fee.value
        share = -(-total // (len(people) + p.guests.value))
        share += -share % p.round.value
        return {name: share - paid[name] - (p.gift.value if paid[name] == max(paid.values()) else 0) for name in people}

    return function


SHARED_COSTS = Family(
    name="shared_costs",
    slots={
        "fee": numbers(range(0, 60, 2)),
        "guests": numbers(range(1, 8)),
        "round": numbers((2, 3, 4, 5, 6, 8, 10)),
        "gift": numbers(range(1, 41)),
    },
    args="paid: dict[str, int]",
    kind="paid",
    title="share_plus_{fee}_with_{guests}_guests_rounded_to_{round}_minus_{gift}",
    sayings=(
        "The dict paid, never empty, says how much each person has paid. All of it and another {fee} are to be "
        "shared by these persons "
        "and {guests} guests: one share is the sum divided by their number, rounded up to a multiple of {round}. Each "
        "person still owes a share minus what was paid; those who paid most owe {gift} less. Return a dict from person "
        "to what is owed, which may be negative.",
        "Costs of a trip are the values of paid, of which there is at least one, plus {fee}. They are divided among "
        "the persons in paid and {guests} more, "
        "rounding the share up to the next multiple of {round}. Return a dict that says for every person in paid the "
        "share minus the sum paid, and {gift} less than that for whoever paid the largest sum (several may).",
    ),
    body=lambda p: lines(
        f"total = sum(paid.values()) + {p.fee.code}" if p.fee.value else "total = sum(paid.values())",
        f"parts = {p.round.code} * (len(paid) + {p.guests.code})",
        f"share = -(-total // parts) * {p.round.code}",
        "most = max(paid.values())",
        "owed = {}",
        "for name, x in paid.items():",
        f"    owed[name] = share - x - {p.gift.code} if x == most else share - x",
        "return owed",
    ),
    reference=shared,
    returns=lambda _: "dict[str, int]",
)
