"""Families about dates and times of day: repeated dates, gaps between dates, shifted clocks, hours at work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import Any

from hornbook.synthesis.families.base import Choice, Family, Fold, Part, lines
from hornbook.synthesis.families.ints import MAPS, PREDICATES
from hornbook.synthesis.families.literals import about, numbers
from hornbook.synthesis.families.results import DETAILED, returned
from hornbook.synthesis.families.times import DATE_PREDICATES, DAYS

MOVES: tuple[Part, ...] = (
    Part("later", lambda d: 7 - d.weekday() if d.weekday() > 4 else 0, "d += timedelta(days=7 - d.weekday())",
         ("move to the Monday after",), "to_monday"),
    Part("earlier", lambda d: 4 - d.weekday() if d.weekday() > 4 else 0, "d -= timedelta(days=d.weekday() - 4)",
         ("move to the Friday before",), "to_friday"),
    Part("week", lambda d: 7 if d.weekday() > 4 else 0, "d += timedelta(days=7)", ("move by a whole week",), "by_week"),
)  # fmt: skip


def shown(name: str, fn: Callable[[Any], Any], code: str, words: str, kind: str = "str") -> Fold:
    """How a date `d`, or the minutes `t` of a day, are shown."""
    return Fold(name, fn, code, (words,), name, returns=kind)


SHOWN: tuple[Fold, ...] = (
    shown("iso", lambda d: f"{d.year:04}-{d.month:02}-{d.day:02}", "d.isoformat()", "the text like 2024-05-01"),
    shown("short", lambda d: str(d)[8:] + "." + str(d)[5:7] + ".", 'f"{d.day:02}.{d.month:02}."',
          "day and month as in 01.05."),
    shown("slashes", lambda d: str(d).replace("-", "/"), 'd.strftime("%Y/%m/%d")', "the text like 2024/05/01"),
    shown("weekday", lambda d: DAYS[d.weekday()], 'd.strftime("%A")', "the English name of the weekday"),
    shown("brief", lambda d: DAYS[d.weekday()][:3] + " " + str(d)[8:], 'd.strftime("%a %d")',
          "the weekday in three letters and the day in two digits, as in Mon 07"),
    shown("day", lambda d: int(str(d)[8:]), "d.day", "the day of the month", "int"),
    shown("yearday", lambda d: d.toordinal() - date(d.year, 1, 1).toordinal() + 1, "d.timetuple().tm_yday",
          "the day of the year, counted from 1", "int"),
    shown("pair", lambda d: (d.month, d.day), "(d.month, d.day)", "a tuple of month and day", "tuple[int, int]"),
)  # fmt: skip


def planned(p: Choice) -> Callable[[date, int], Any]:
    """What repeating a date means."""

    def function(start: date, n: int) -> Any:
        days = [date.fromordinal(start.toordinal() + p.first.value + p.every.value * i) for i in range(n)]
        moved = [date.fromordinal(d.toordinal() + p.move.fn(d)) for d in days]
        return [p.shown.fn(d) for d in moved if p.pred.fn(d)]

    return function


WORKABLE = tuple(part for part in DATE_PREDICATES if part.id.split(":")[0] in ("day_above", "day_below", "weekday"))

APPOINTMENTS = Family(
    name="appointments",
    slots={
        "every": numbers(range(2, 21)),
        "first": numbers(range(20)),
        "move": MOVES,
        "pred": tuple(part for part in WORKABLE if part.id not in ("weekday:5", "weekday:6")),
        "shown": SHOWN,
    },
    args="start: date, n: int",
    kind="few_days",
    title="{shown}_every_{every}_after_{first}_{move}_if_{pred}",
    sayings=(
        "Plan n appointments, {every} days from one to the next, the first one {first} days after start. Those that "
        "would be on a Saturday or Sunday {move}; this does not shift the others. In a list return {shown} for each of "
        "the resulting dates that {pred}.",
        "Take n dates: start plus {first} days, and then one every {every} days. Dates at a weekend {move}. Return "
        "a list that has, for each date that then {pred}, {shown}.",
    ),
    body=lambda p: lines(
        "found = []",
        "for i in range(n):",
        f"    d = start + timedelta(days={shift(p.first.value, p.every.code)})",
        "    if d.weekday() >= 5:",
        f"        {p.move.code}",
        f"    if {p.pred.code}:",
        f"        found.append({p.shown.code})",
        "return found",
    ),
    reference=planned,
    returns=lambda p: f"list[{p.shown.returns}]",
    imports="from datetime import date, timedelta\n\n\n",
)


def shift(first: int, every: str) -> str:
    """The days from the start to appointment i."""
    return f"{first} + {every} * i" if first else f"{every} * i"


def day_gaps(p: Choice, dates: list[date]) -> list[int]:
    """The days between dates, found by counting."""
    days = sorted(d.toordinal() for d in dates if p.day.fn(d))
    return [len(range(a, b)) for a, b in pairwise(days)]


DATE_GAPS = Family(
    name="date_gaps",
    slots={
        "day": tuple(part for part in DATE_PREDICATES if part.id[:6] not in ("month:", "year:2")),
        "pred": PREDICATES,
        "map": about(MAPS, "the gap"),
        "fold": DETAILED,
    },
    args="dates: list[date]",
    kind="many_dates",
    title="{fold}_of_gaps_{map}_if_{pred}_of_days_{day}",
    sayings=(
        "Keep each date that {day}, sort, and find the gaps: the numbers of days from each to the next. For each gap "
        "that "
        "{pred}, the result is {map}. Return {fold}.",
        "Leave out a date unless it {day}. Put the rest in order of time; a gap is the number of days between two "
        "neighbours. Among the gaps in order, those that {preds} count, and the result of each is {map}. Return "
        "{fold}.",
    ),
    body=lambda p: lines(
        f"days = sorted(d for d in dates if {p.day.code})",
        "gaps = [(b - a).days for a, b in zip(days, days[1:])]",
        returned(p.fold, p.map.code, f"for x in gaps if {p.pred.code}"),
    ),
    reference=lambda p: lambda dates: p.fold.fn([p.map.fn(x) for x in day_gaps(p, dates) if p.pred.fn(x)]),
    returns=lambda p: p.fold.returns,
    imports="from datetime import date\n\n\n",
)


def two(n: int) -> str:
    """The number in two digits."""
    return f"{n // 10}{n % 10}"


STAMPS: tuple[Fold, ...] = (
    shown("clock", lambda t: two(t // 60) + ":" + two(t % 60), 'f"{t // 60:02}:{t % 60:02}"',
          "the time as hours and minutes in two digits each, as in 07:05"),
    shown("plain", lambda t: two(t // 60) + two(t % 60), 'f"{t // 60:02}{t % 60:02}"', "four digits, as in 0705"),
    shown("letters", lambda t: f"{t // 60}h{t % 60}", 'f"{t // 60}h{t % 60}"', "the time as in 7h5, no zeros in front"),
    shown("half", lambda t: f"{t // 60 - (12 if t >= 720 else 0)}" + (" pm" if t >= 720 else " am"),
          'f"{t // 60 % 12} {\'pm\' if t >= 720 else \'am\'}"',
          "the hour from 0 to 11 with am or pm after a space, as in 7 am"),
    shown("minutes", lambda t: t, "t", "the minutes since midnight", "int"),
    shown("left", lambda t: 1440 - t, "1440 - t", "the minutes up to the next midnight", "int"),
    shown("pair", lambda t: divmod(t, 60), "(t // 60, t % 60)", "a tuple of hour and minute", "tuple[int, int]"),
)  # fmt: skip


def moved_clock(p: Choice) -> Callable[[list[str]], Any]:
    """What moving times of day means, hour by hour."""

    def minutes(text: str) -> int:
        hour: int = (int(text[:2]) + p.hours.value) % 24
        minute: int = int(text[3:]) + p.minutes.value
        return (hour + minute // 60) % 24 * 60 + minute % 60

    def function(times: list[str]) -> Any:
        found = [minutes(text) for text in times]
        return [p.shown.fn(t) for t in found if p.open.value <= t // 60 < p.close.value]

    return function


CLOCKS = Family(
    name="clocks",
    slots={
        "hours": numbers(range(2, 15)),
        "minutes": numbers(range(5, 60, 5)),
        "open": numbers(range(5, 12)),
        "close": numbers(range(15, 23)),
        "shown": STAMPS,
    },
    args="times: list[str]",
    kind="times",
    title="{shown}_of_times_plus_{hours}_{minutes}_open_{open}_to_{close}",
    sayings=(
        "Each of times is a text like 09:30. Add {hours} hours and {minutes} minutes to it, going on after 23:59 with "
        "00:00. Keep the times from {open}:00 on and before {close}:00. Return a list with, for each kept, {shown}.",
        "Move every time of day, given as in 21:05, forward by {hours} hours and {minutes} minutes; past midnight it "
        "starts at 00:00 again. Those whose hour is then at least {open} and less than {close} stay. Return a list "
        "that holds for each of these {shown}.",
    ),
    body=lambda p: lines(
        "found = []",
        "for text in times:",
        '    hour, minute = map(int, text.split(":"))',
        f"    t = (60 * hour + minute + {60 * p.hours.value + p.minutes.value}) % 1440",
        f"    if {p.open.code} <= t // 60 < {p.close.code}:",
        f"        found.append({p.shown.code})",
        "return found",
    ),
    reference=moved_clock,
    returns=lambda p: f"list[{p.shown.returns}]",
)


def shift_pay(p: Choice) -> Callable[[list[str]], Any]:
    """What a day's work means."""

    def minutes(text: str) -> int:
        return int(text[:2]) * 60 + int(text[3:])

    def function(shifts: list[str]) -> Any:
        found = []
        for text in shifts:
            length = minutes(text[6:]) - minutes(text[:5])
            found.append(length - p.rest.value if length > 60 * p.long.value else length)
        return p.fold.fn([p.rate.value * x + p.fee.value for x in found])

    return function


SHIFTS = Family(
    name="shifts",
    slots={
        "long": numbers(range(3, 9)),
        "rest": numbers(range(15, 65, 5)),
        "rate": numbers(range(2, 10)),
        "fee": numbers(range(10, 110, 10)),
        "fold": DETAILED,
    },
    args="shifts: list[str]",
    kind="shifts",
    title="{fold}_of_shifts_rest_{rest}_over_{long}_hours_times_{rate}_plus_{fee}",
    sayings=(
        "A shift is a text like 08:15-16:00, from a time to a later one of the same day. From a shift of more than "
        "{long} hours a rest of {rest} minutes is taken off. For each shift the result is {rate} times the minutes "
        "that are left, plus {fee}. Return {fold}.",
        "Find how long each of shifts lasts in minutes; they look like 09:00-13:30. If one is longer than {long} "
        "hours, "
        "subtract {rest} minutes. The result of each is {fee} plus {rate} times this. Return {fold}.",
    ),
    body=lambda p: lines(
        "def minutes(text):",
        '    hour, minute = text.split(":")',
        "    return 60 * int(hour) + int(minute)",
        "found = []",
        "for shift in shifts:",
        '    start, end = map(minutes, shift.split("-"))',
        "    x = end - start",
        f"    if x > {60 * p.long.value}:",
        f"        x -= {p.rest.code}",
        f"    found.append({p.fee.code} + {p.rate.code} * x)",
        f"return {p.fold.code}",
    ),
    reference=shift_pay,
    returns=lambda p: p.fold.returns,
)
