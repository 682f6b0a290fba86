"""Small charts that keep their letters readable at any width.

Horizontal places are percentages and vertical ones pixels, so a chart stretches and its text does not. Rows of a chart
are HTML (label, picture, value), which a phone stacks and a wide page puts side by side. Everything is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

Format = Callable[[float], str]


def tag(name: str, *children: str, **attributes: object) -> Markup:
    """An element; attribute names lose a trailing underscore, and other underscores become hyphens.

    >>> str(tag("text", "a < b", x="1%", class_="tick"))
    '<text x="1%" class="tick">a &lt; b</text>'
    """
    written = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return Markup("<{}{}>{}</{}>").format(name, Markup(written), Markup("").join(children), name)


@dataclass(frozen=True)
class Scale:
    """A straight map from values to percent of the width."""

    low: float
    high: float

    def at(self, value: float) -> str:
        """Where a value stands, kept within the picture."""
        share = (value - self.low) / ((self.high - self.low) or 1)
        return f"{100 * min(1.0, max(0.0, share)):.2f}%"

    def width(self, first: float, second: float) -> str:
        """How wide the stretch between two values is."""
        return f"{max(0.0, float(self.at(second)[:-1]) - float(self.at(first)[:-1])):.2f}%"


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round values that span low to high.

    >>> ticks(0.0, 0.47)
    [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    """
    raw = ((high - low) or 1.0) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * min((1, 2, 5, 10), key=lambda m: abs(math.log(m * power / raw)))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(place * step, 10) for place in range(first, last + 1)]


@dataclass(frozen=True)
class Dot:
    """A value with its interval, in a colour class; `note` is what stands beside it."""

    label: str
    value: float
    low: float
    high: float
    note: str
    colour: str
    detail: str = ""


def dots_with_intervals(rows: Sequence[Dot], fmt: Format, label: str, zero: bool = False) -> Markup:
    """One row a value: its interval as a line and the value as a dot. `zero` draws the line of no difference."""
    values = [end for row in rows for end in (row.low, row.high, row.value)] + ([0.0] if zero else [])
    marks = ticks(min(values), max(values), 3)
    scale = Scale(marks[0], marks[-1])
    drawn = [chart_row(row.label, dot(row, scale, marks, zero), row.note, row.colour, row.detail) for row in rows]
    return chart(label, *drawn, axis(scale, marks, fmt), kind="dots")


def dot(row: Dot, scale: Scale, marks: Sequence[float], zero: bool) -> Markup:
    """The picture of one value."""
    lines = [grid(scale.at(mark), "zero" if zero and mark == 0 else "grid") for mark in marks]
    ends = [
        tag("line", x1=scale.at(end), x2=scale.at(end), y1=12, y2=24, class_="whisker") for end in (row.low, row.high)
    ]
    middle = tag("line", x1=scale.at(row.low), x2=scale.at(row.high), y1=18, y2=18, class_="whisker")
    return picture(36, *lines, middle, *ends, tag("circle", cx=scale.at(row.value), cy=18, r=6.5, class_="dot"))


def grid(x: str, kind: str) -> Markup:
    """A vertical line over the height of a row."""
    return tag("line", x1=x, x2=x, y1=0, y2="100%", class_=kind)


def axis(scale: Scale, marks: Sequence[float], fmt: Format) -> Markup:
    """The row of tick labels under a chart."""
    texts = [tag("text", fmt(mark), x=scale.at(mark), y=14, class_=f"tick {side(scale.at(mark))}") for mark in marks]
    return tag("div", tag("span"), picture(20, *texts), tag("span"), class_="row axis", aria_hidden="true")


def side(place: str) -> str:
    """Which way a text at that place is anchored, so that it stays in the picture."""
    share = float(place[:-1])
    return "start" if share < 6 else "end" if share > 94 else "middle"


def picture(height: int, *children: str) -> Markup:
    """An SVG as wide as its place."""
    return tag("svg", *children, width="100%", height=height, aria_hidden="true", focusable="false")


def chart_row(label: str, drawn: Markup, note: str, colour: str = "", detail: str = "") -> Markup:
    """Label, picture and value."""
    small = [tag("small", detail)] if detail else []
    name = tag("span", label, *small, class_="label")
    return tag("div", name, drawn, tag("span", note, class_="note"), class_=f"row {colour}".strip())


def chart(label: str, *rows: str, kind: str) -> Markup:
    """A group of rows with a name for those who cannot see it."""
    return tag("div", *rows, class_=f"chart {kind}", role="group", aria_label=label)


@dataclass(frozen=True)
class Bar:
    """A bar from `start` to `end`; `gone` shades what left at its end."""

    label: str
    end: float
    note: str
    colour: str = ""
    start: float = 0.0
    gone: float = 0.0
    detail: str = ""


def bars(rows: Sequence[Bar], label: str) -> Markup:
    """Horizontal bars on a common scale from zero, the longest as wide as the picture."""
    scale = Scale(0.0, max((row.end + row.gone for row in rows), default=1.0))
    return chart(label, *(bar(row, scale) for row in rows), kind="bars")


def bar(row: Bar, scale: Scale) -> Markup:
    """One bar, and behind it what was removed."""
    shapes = [
        tag("rect", x=scale.at(row.start), y=4, width=scale.width(row.start, row.end), height=12, rx=2, class_="bar")
    ]
    if row.gone:
        wide = scale.width(row.end, row.end + row.gone)
        shapes.append(tag("rect", x=scale.at(row.end), y=4, width=wide, height=12, class_="gone"))
    return chart_row(row.label, picture(20, *shapes), row.note, row.colour, row.detail)


def funnel(steps: Iterable[tuple[str, float, float, str, str]], label: str) -> Markup:
    """Steps of (label, left over, removed here, note, detail): what is left shrinks from row to row."""
    rows = [
        Bar(name, left, note, "loss" if removed else "stage", gone=removed, detail=detail)
        for name, left, removed, note, detail in steps
    ]
    return bars(rows, label)


def stacked(parts: Sequence[tuple[str, float, str]], label: str) -> Markup:
    """One bar of (name, value, colour) parts, each named inside where it is wide enough."""
    scale, start, shapes = Scale(0.0, sum(value for _, value, _ in parts)), 0.0, []
    for name, value, colour in parts:
        wide = scale.width(start, start + value)
        shapes.append(
            tag("rect", tag("title", name), x=scale.at(start), y=0, width=wide, height=26, class_=f"part {colour}")
        )
        start += value
    return tag("div", picture(26, *shapes), class_="stack", role="img", aria_label=label)
