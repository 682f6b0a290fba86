"""Families over spans from a start to an end: merged, counted, and the gaps between them."""

from __future__ import annotations

from hornbook.synthesis.families.base import Choice, Family, Part, gather, lines, named
from hornbook.synthesis.families.ints import MAPS
from hornbook.synthesis.families.literals import about, numbers
from hornbook.synthesis.families.pairs import SPAN_MEASURES
from hornbook.synthesis.families.results import DETAILED, returned

Spans = list[tuple[int, int]]


def merged(spans: Spans, gap: int) -> Spans:
    """The spans, those at most `gap` apart made one, until none are."""
    parts = sorted(spans)
    for i, (a, b) in enumerate(parts):
        for j, (c, d) in enumerate(parts[i + 1 :], i + 1):
            if c - b <= gap and a - d <= gap:
                rest = [span for k, span in enumerate(parts) if k not in (i, j)]
                return merged([*rest, (min(a, c), max(b, d))], gap)
    return parts


MERGED_SPANS = Family(
    name="merged_spans",
    slots={
        "gap": numbers(range(8)),
        "extra": numbers(range(1, 10)),
        "measure": SPAN_MEASURES,
        "map": about(MAPS, "the finding"),
        "fold": DETAILED,
    },
    args="spans: list[tuple[int, int]]",
    kind="many_spans",
    title="{fold}_of_merged_{gap}_plus_{extra}_{measure}_{map}",
    sayings=(
        "Each span (a, b) has a start a and an end b, never smaller. First make every span end {extra} later. Then "
        "merge spans that overlap, touch, or leave at most {gap} between the end of one and the start of the next. "
        "For each merged span, by rising start, the finding is {measure}, and the result is {map}. Return {fold}.",
        "Lengthen the spans (a, b), where a <= b: {extra} is added to b. Two of them become one span if the later "
        "starts no more than {gap} after the end of the earlier; merge until no more can be. Take the spans by rising "
        "start. The finding for each is {measure}, and the result is {map}. Return {fold}.",
    ),
    body=lambda p: lines(
        "merged = []",
        "for a, b in sorted(spans):",
        f"    if merged and a - merged[-1][1] <= {p.gap.code}:",
        f"        merged[-1][1] = max(merged[-1][1], b + {p.extra.code})",
        "    else:",
        f"        merged.append([a, b + {p.extra.code}])",
        f"findings = [{p.measure.code} for a, b in merged]",
        returned(p.fold, p.map.code, "for x in findings"),
    ),
    reference=lambda p: (
        lambda spans: p.fold.fn(
            [p.map.fn(p.measure.fn(*span)) for span in merged([(a, b + p.extra.value) for a, b in spans], p.gap.value)]
        )
    ),
    returns=lambda p: p.fold.returns,
)

# a test of a count `n`
COUNTS: tuple[Part, ...] = (
    *(named(f"exactly_{k}", lambda n, k=k: n == k, f"n == {k}", f"exactly {k}") for k in (0, 1, 2)),
    *(named(f"at_least_{k}", lambda n, k=k: n >= k, f"n >= {k}", f"{k} or more") for k in (1, 2, 3)),
    *(named(f"up_to_{k}", lambda n, k=k: n in range(k + 1), f"n <= {k}", f"{k} or fewer") for k in (1, 2)),
    named("even_many", lambda n: not n & 1, "n % 2 == 0", "an even number"),
    named("odd_many", lambda n: bool(n & 1), "n % 2 == 1", "an odd number"),
)

COVERED = Family(
    name="covered",
    slots={
        "low": numbers(range(6)),
        "high": numbers(range(12, 22, 2)),
        "count": COUNTS,
        "map": about(MAPS, "the point"),
        "fold": DETAILED,
    },
    args="spans: list[tuple[int, int]]",
    kind="spans",
    title="{fold}_{map}_of_{low}_to_{high}_in_{count}",
    sayings=(
        "A span (a, b) covers a whole number if it is at least a and less than b. For each whole number from {low} to "
        "{high}, both included, count the spans that cover it. Where {count} do, the point counts, and the result is "
        "{map}. Return {fold}.",
        "Points are the whole numbers {low}, ..., {high}. A span (a, b) covers the points from a up to, but not "
        "including, b. For each point covered by {count} of the spans, the result is {map}. Return {fold}.",
    ),
    body=lambda p: gather(
        p.fold,
        f"for x in range({p.low.code}, {p.high.value + 1}):",
        p.count.code,
        p.map.code,
        "n = sum(a <= x < b for a, b in spans)",
    ),
    reference=lambda p: (
        lambda spans: p.fold.fn(
            [
                p.map.fn(x)
                for x in range(p.low.value, p.high.value + 1)
                if p.count.fn(len([1 for span in spans if x in range(*span)]))
            ]
        )
    ),
    returns=lambda p: p.fold.returns,
)


def free(p: Choice, bookings: Spans) -> list[int]:
    """The results of the free stretches, from booking to booking."""
    starts, ends = [a for a, _ in sorted(bookings)], [b for _, b in sorted(bookings)]
    since = [max([p.open.value, *ends[:i]]) for i in range(len(ends) + 1)]
    lengths = [min(stop, p.close.value) - start for start, stop in zip(since, [*starts, p.close.value], strict=True)]
    return [p.map.fn(x) for x in lengths if x >= p.least.value]


FREE_GAPS = Family(
    name="free_gaps",
    slots={
        "open": numbers(range(-2, 6)),
        "close": numbers(range(16, 32, 2)),
        "least": numbers(range(2, 6)),
        "map": about(MAPS, "the length"),
        "fold": DETAILED,
    },
    args="bookings: list[tuple[int, int]]",
    kind="meetings",
    title="{fold}_{map}_of_gaps_{open}_to_{close}_least_{least}",
    sayings=(
        "A room is open from hour {open} to hour {close}, and a booking (a, b) takes it from a to b; some bookings "
        "overlap or reach beyond these hours. Find the free stretches of {least} hours or more, in order. For each "
        "one the result is {map}. Return {fold}.",
        "Between hour {open} and hour {close}, the bookings (a, b) leave some time free. Take the length of every "
        "unbroken free stretch that lasts at least {least} hours, in order; the result of each is {map}. Return "
        "{fold}.",
    ),
    body=lambda p: lines(
        "found = []",
        "x = 0",
        f"for hour in range({p.open.code}, {p.close.value + 1}):",
        f"    if hour < {p.close.code} and not any(a <= hour < b for a, b in bookings):",
        "        x += 1",
        "    else:",
        f"        if x >= {p.least.code}:",
        f"            found.append({p.map.code})",
        "        x = 0",
        f"return {p.fold.code}",
    ),
    reference=lambda p: lambda bookings: p.fold.fn(free(p, bookings)),
    returns=lambda p: p.fold.returns,
)
