"""Charts on a plane: histogram, strips of dots, curves. Built from the same pieces as the rows of `charts.py`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from hornbook.report.charts import Format, Scale, picture, side, tag, ticks

Curve = Sequence[tuple[float, float]]
Bin = tuple[float, float, float | None, float | None, int]  # predicted, true, bounds of the truth, how many
Named = tuple[str, str, Curve, str]  # name, colour, curve, what stands beside the name
FLOOR = 170  # pixels from the top of a histogram to its base line


def histogram(edges: Sequence[float], counts: Sequence[int], cut: float | None, fmt: Format, label: str) -> Markup:
    """Counts between edges; what lies left of the cut is pale, and the cut is marked."""
    scale, tallest = Scale(edges[0], edges[-1]), max([*counts, 1])
    shapes = [
        column(low, high, count, 150 * count / tallest, scale, cut is not None and low < cut - 1e-9, fmt)
        for (low, high), count in zip(pairwise(edges), counts, strict=True)
    ]
    marks = [mark for mark in ticks(edges[0], edges[-1], 5) if edges[0] <= mark <= edges[-1]]
    texts = [tag("text", f"{m:g}", x=scale.at(m), y=186, class_=f"tick {side(scale.at(m))}") for m in marks]
    base = tag("line", x1="0%", x2="100%", y1=FLOOR, y2=FLOOR, class_="base")
    marked = cut_line(scale, cut, fmt) if cut is not None else []
    return plot(label, picture(192, *shapes, *marked, base, *texts))


def column(low: float, high: float, count: int, height: float, scale: Scale, pale: bool, fmt: Format) -> Markup:
    """One column of a histogram."""
    about = tag("title", f"{fmt(low)} to {fmt(high)}: {count:,}")
    place = {"x": scale.at(low), "width": scale.width(low, high)}
    kind = "column pale" if pale else "column"
    return tag("rect", about, y=f"{FLOOR - height:.1f}", height=f"{height:.1f}", class_=kind, **place)


def cut_line(scale: Scale, cut: float, fmt: Format) -> list[Markup]:
    """The line at the cut and its name, on the roomier side."""
    x = scale.at(cut)
    left = float(x[:-1]) > 70
    place = {"x": x, "dx": -6 if left else 6, "class_": f"tick strong {'end' if left else 'start'}"}
    return [tag("line", x1=x, x2=x, y1=6, y2=FLOOR, class_="cut"), tag("text", f"cut at {fmt(cut)}", y=14, **place)]


def plot(label: str, drawn: Markup) -> Markup:
    """A picture with a name for those who cannot see it."""
    return tag("div", drawn, class_="plot", role="img", aria_label=label)


def strips(points: Sequence[tuple[float, float, str]], top: int, label: str) -> Markup:
    """(given, predicted, class) as dots: one strip a given value, its dots side by side in a fixed pattern."""
    across, height = Scale(-0.7, top + 0.5), 240

    def down(value: float) -> float:
        return 10 + (height - 30) * (1 - min(top, max(0.0, value)) / top)

    levels = range(top + 1)
    drawn = [tag("line", x1="0%", x2="100%", y1=down(m), y2=down(m), class_="grid") for m in levels]
    drawn += [tag("text", f"{m}", x="0%", y=down(m) - 4, class_="tick start") for m in levels]
    drawn += [tag("text", f"{m}", x=across.at(m), y=height, class_="tick middle strong") for m in levels]
    for place, (given, guess, kind) in enumerate(points):
        x = across.at(given + ((place * 0.618034) % 1 - 0.5) * 0.64)
        drawn.append(tag("circle", cx=x, cy=f"{down(guess):.1f}", r=3.2, class_=kind))
    return plot(label, picture(height + 6, *drawn))


def reliability(bins: Sequence[Bin], top: int, label: str) -> Markup:
    """What was predicted, across, and what was true, upwards, with its bounds; on the dashed line they are the same.

    A dot's area follows how many it stands for.
    """
    across, height, most = Scale(-0.15, top + 0.15), 240, max((number for *_, number in bins), default=1)

    def down(value: float) -> float:
        return round(10 + (height - 30) * (1 - min(top, max(0.0, value)) / top), 1)

    levels = range(top + 1)
    drawn = [tag("line", x1="0%", x2="100%", y1=down(m), y2=down(m), class_="grid") for m in levels]
    drawn += [tag("text", f"{m}", x="0%", y=down(m) - 4, class_="tick start") for m in levels]
    drawn += [tag("text", f"{m}", x=across.at(m), y=height, class_="tick middle strong") for m in levels]
    drawn.append(tag("line", x1=across.at(0), x2=across.at(top), y1=down(0), y2=down(top), class_="cut"))
    for (x1, y1, *_), (x2, y2, *_) in pairwise(bins):
        drawn.append(tag("line", x1=across.at(x1), x2=across.at(x2), y1=down(y1), y2=down(y2), class_="base"))
    for said, true, low, high, number in bins:
        about = tag("title", f"{number:,} predicted {said:.2f} on average, and read as {true:.2f}")
        if low is not None and high is not None:
            drawn.append(
                tag("line", x1=across.at(said), x2=across.at(said), y1=down(low), y2=down(high), class_="whisker")
            )
        radius = f"{3 + 6 * math.sqrt(number / most):.1f}"
        drawn.append(tag("circle", about, cx=across.at(said), cy=down(true), r=radius, class_="dot"))
    return tag("div", plot(label, picture(height + 6, *drawn)), class_="arm-1")


def lines(curves: Sequence[Named], xfmt: Format, yfmt: Format, label: str) -> Markup:
    """Named curves as lines, each named at its right end; names keep apart from one another.

    The axis leaves out the highest few of the values, where training begins.
    """
    end = max(x for _, _, curve, _ in curves for x, _ in curve)
    ys = sorted(y for _, _, curve, _ in curves for _, y in curve)
    levels = ticks(ys[0], ys[min(len(ys) - 1, int(0.985 * len(ys)))])
    upright = Scale(levels[0], levels[-1])
    grids = [tag("line", x1=0, x2=1000, y1=y, y2=y, class_="grid") for y in (10 * down(upright, v) for v in levels)]
    drawn = [polyline(curve, colour, end, upright) for _, colour, curve, _ in curves]
    box = {"viewBox": "0 0 1000 1000", "preserveAspectRatio": "none", "width": "100%", "height": 260}
    ylabels = [tag("span", yfmt(v), style=f"top:{down(upright, v):.2f}%") for v in levels]
    xlabels = [tag("span", xfmt(v), style=f"left:{100 * v / end:.2f}%") for v in ticks(0.0, end) if v <= end]
    field = (
        tag("div", *ylabels, class_="ylabels"),
        tag("svg", *grids, *drawn, aria_hidden="true", focusable="false", **box),
        tag("div", *xlabels, class_="xlabels"),
    )
    names = tag("div", *end_names(curves, upright), class_="ends")
    return tag("div", tag("div", *field, class_="field"), names, class_="lines", role="group", aria_label=label)


def down(upright: Scale, value: float) -> float:
    """Percent from the top at which a value stands."""
    return 100 - float(upright.at(value)[:-1])


def polyline(curve: Curve, colour: str, end: float, upright: Scale) -> Markup:
    """One curve."""
    points = " ".join(f"{1000 * x / end:.1f},{10 * down(upright, y):.1f}" for x, y in curve)
    return tag("polyline", points=points, class_=f"curve {colour}")


def end_names(curves: Sequence[Named], upright: Scale) -> list[Markup]:
    """The names of curves beside their right ends."""
    places = apart([down(upright, curve[-1][1]) for _, _, curve, _ in curves], 8.0)
    return [
        tag("span", name, tag("b", note), class_=colour, style=f"top:{place:.2f}%")
        for (name, colour, _, note), place in zip(curves, places, strict=True)
    ]


def apart(places: Sequence[float], gap: float) -> list[float]:
    """The places moved as little as needed for `gap` between neighbours, in order from the top.

    >>> apart([50.0, 52.0, 10.0], gap=7.0)
    [47.5, 54.5, 10.0]
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    for _ in range(50):
        for first, second in pairwise(order):
            short = gap - (moved[second] - moved[first])
            if short > 1e-9:
                moved[first] -= short / 2
                moved[second] += short / 2
    return [round(place, 2) for place in moved]
