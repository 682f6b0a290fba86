"""The table a run ends with, in plain text: rows are students, columns what was measured, as in phi-1's Figure 2.1."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from hornbook.report.outcome import cell
from hornbook.report.proxy import proxy_table
from hornbook.report.run import Run
from hornbook.report.students import MEASURES, Arm, arms, benchmarks, comparison, headlines
from hornbook.report.wording import findings

GAP = "   "
ARROWS = {"bits_per_byte": "↓", "pass_at_1": "↑", "parse_rate": "↑"}
WIDTH = 100


def figure_table(run: Run) -> str:
    """Bits per byte and pass@1 of every student with 95 % intervals, and how many answers parse.

    An arrow says which way is better. Before it the table of a proxy training, where there was one. Without either, one
    line that says so.
    """
    everyone, decided = arms(run, comparison(run)), proxy_table(run)
    if not everyone:
        return decided or f"{run.recipe}: no student has been evaluated in this run\n"
    columns = [("", ["", "", *(arm.label for arm in everyone)])]
    columns += [column(everyone, *place) for place in places(everyone)]
    lines = [GAP.join(text) for text in zip(*(padded(texts, not head) for head, texts in columns), strict=True)]
    rule = "─" * max(len(line) for line in lines)
    table = "\n".join(line.rstrip() for line in [*lines[:2], rule, *lines[2:]]) + "\n"
    return f"{decided}\n{table}" if decided else table


def places(everyone: Sequence[Arm]) -> list[tuple[str, str]]:
    """The headline figures, and the parse rate on the benchmark of the last."""
    wanted = headlines(everyone)
    benchmark = wanted[-1][0] if wanted else ""
    parsed = any(arm.estimate(benchmark, "parse_rate") for arm in everyone)
    return [*wanted, *([(benchmark, "parse_rate")] if parsed else [])]


def column(everyone: Sequence[Arm], benchmark: str, measure: str) -> tuple[str, list[str]]:
    """A column: its name, the problems measured on, and a value with its interval for each arm."""
    pairs = [cell(measure, arm.estimate(benchmark, measure)) for arm in everyone]
    values = padded([value for value, _ in pairs], left=False)
    if measure != "parse_rate":
        ends = padded([f"({ends})" if ends else "" for _, ends in pairs], left=True)
        values = [f"{value} {end}" for value, end in zip(values, ends, strict=True)]
    name = f"{MEASURES[measure]} {ARROWS[measure]}"
    where = "" if measure == "parse_rate" else benchmarks(everyone)[benchmark]
    return name, [name, where, *values]


def padded(texts: Sequence[str], left: bool) -> list[str]:
    """Texts of one width."""
    width = max(map(len, texts))
    return [text.ljust(width) if left else text.rjust(width) for text in texts]


def findings_text(run: Run) -> str:
    """The findings, one a line, wrapped for a terminal; empty when nothing was compared."""
    compared = comparison(run)
    everyone = arms(run, compared)
    found = findings(compared.get("differences", ()), benchmarks(everyone), headlines(everyone))
    return "\n".join(textwrap.fill(item.sentence, WIDTH, subsequent_indent="  ") for item in found)
