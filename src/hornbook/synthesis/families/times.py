"""Parts on dates, and the families over them."""

from __future__ import annotations

from datetime import date

from hornbook.synthesis.families.base import Family, Part, each, each_more, gather
from hornbook.synthesis.families.ints import SUMMARIES

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
YEAR = "January February March April May June July August September October November December"
MONTHS = YEAR.split()


def weekday(number: int) -> Part:
    """On that day of the week."""
    name = DAYS[number]
    words = (f"is a {name}", f"falls on a {name}")
    return Part(
        f"weekday:{number}",
        lambda d: d.toordinal() % 7 == (number + 1) % 7,
        f"d.weekday() == {number}",
        words,
        name.lower(),
    )


def month(number: int) -> Part:
    """In that month."""
    name = MONTHS[number - 1]
    words = (f"is in {name}", f"falls in {name}")
    return Part(
        f"month:{number}", lambda d: d.isoformat()[5:7] == f"{number:02}", f"d.month == {number}", words, name.lower()
    )


def year(number: int) -> Part:
    """In that year."""
    words = (f"is in {number}", f"falls in {number}")
    return Part(f"year:{number}", lambda d: d.isoformat()[:4] == f"{number}", f"d.year == {number}", words, f"{number}")


def day_above(k: int) -> Part:
    """After the k-th day of its month."""
    return Part(
        f"day_above:{k}",
        lambda d: d >= d.replace(day=k + 1),
        f"d.day > {k}",
        (f"has a day above {k}",),
        f"day_above_{k}",
    )


def day_below(k: int) -> Part:
    """Before the k-th day of its month."""
    return Part(
        f"day_below:{k}", lambda d: d < d.replace(day=k), f"d.day < {k}", (f"has a day below {k}",), f"day_below_{k}"
    )


def month_above(k: int) -> Part:
    """In a later month of its year than the k-th."""
    words = (f"has a month number above {k}",)
    return Part(
        f"month_above:{k}", lambda d: d >= d.replace(month=k + 1, day=1), f"d.month > {k}", words, f"month_above_{k}"
    )


def month_below(k: int) -> Part:
    """In an earlier month of its year than the k-th."""
    words = (f"has a month number below {k}",)
    return Part(
        f"month_below:{k}", lambda d: d < d.replace(month=k, day=1), f"d.month < {k}", words, f"month_below_{k}"
    )


def day_divisible(k: int) -> Part:
    """On a day of its month that is a multiple of k."""
    words = (f"has a day divisible by {k}",)
    return Part(f"day_divisible:{k}", lambda d: d.day in range(k, 32, k), f"d.day % {k} == 0", words, f"day_over_{k}")


DATE_PREDICATES: tuple[Part, ...] = (
    *map(weekday, range(7)),
    *map(month, range(1, 13)),
    *map(year, (2021, 2022, 2023, 2024)),
    *map(day_above, (5, 10, 15, 20)),
    *map(day_below, (8, 12, 18, 25)),
    Part("weekend", lambda d: d.isoweekday() in (6, 7), "d.weekday() >= 5", ("is on a weekend",), "weekend"),
    Part("workday", lambda d: d.isoweekday() < 6, "d.weekday() < 5", ("is a working day",), "workday"),
)

DATE_MEASURES: tuple[Part, ...] = (
    Part("day", lambda d: int(d.isoformat()[8:]), "d.day", ("its day",), "day"),
    Part("month", lambda d: int(d.isoformat()[5:7]), "d.month", ("its month",), "month"),
    Part("year", lambda d: int(d.isoformat()[:4]), "d.year", ("its year",), "year"),
    Part("weekday", lambda d: (d.toordinal() - 1) % 7, "d.weekday()", ("its weekday number",), "weekday"),
    Part("week", lambda d: d.isocalendar()[1], "d.isocalendar().week", ("its week number",), "week"),
)

DATES = Family(
    name="dates",
    slots={"fold": SUMMARIES, "map": DATE_MEASURES, "pred": DATE_PREDICATES},
    args="dates: list[date]",
    kind="dates",
    title="{fold}_{map}_if_{pred}",
    sayings=each("date in dates"),
    more=each_more("date in dates"),
    body=lambda p: gather(p.fold, "for d in dates:", p.pred.code, p.map.code),
    reference=lambda p: lambda dates: p.fold.fn([p.map.fn(d) for d in dates if p.pred.fn(d)]),
    returns=lambda p: p.fold.returns,
    imports="from datetime import date\n\n\n",
)

DAY_SPAN = Family(
    name="day_span",
    slots={"fold": SUMMARIES, "map": DATE_MEASURES, "pred": DATE_PREDICATES},
    args="start: date, n: int",
    kind="day_span",
    title="{fold}_{map}_of_days_if_{pred}",
    sayings=each("date in the n days from start"),
    more=each_more("date in the n days from start"),
    body=lambda p: gather(p.fold, "for i in range(n):", p.pred.code, p.map.code, "d = start + timedelta(days=i)"),
    reference=lambda p: (
        lambda start, n: p.fold.fn(
            [
                p.map.fn(d)
                for d in map(date.fromordinal, range(start.toordinal(), start.toordinal() + n))
                if p.pred.fn(d)
            ]
        )
    ),
    returns=lambda p: p.fold.returns,
    imports="from datetime import date, timedelta\n\n\n",
)
