"""What a proxy training found: cut-offs beside one another, and which one to use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from hornbook.artifacts import read_json
from hornbook.evaluation.proxy import ARM, RAW
from hornbook.evaluation.target import HELD_OUT
from hornbook.report.charts import Dot, dots_with_intervals
from hornbook.report.run import Run, Stage
from hornbook.report.students import MEASURES, benchmark_label
from hornbook.report.text import NONE, count, decimal, measure_interval, percent, shortened, tokens, visible
from hornbook.report.wording import amounts
from hornbook.tasks.load import UNCONVENTIONAL

BITS = "bits_per_byte"
SUMMED = ("wall_seconds", "cpu_seconds", "tokens", "rows_in", "rows_out")
STUDENTS = ("pack", "pretrain", "target_bits")  # stages of which each proxy student has one


def others(run: Run) -> Run:
    """The run without the proxies' students, of whom there are too many to show one by one."""
    return replace(run, stages=tuple(s for s in run.stages if not (s.stage in STUDENTS and s.name.startswith(ARM))))


def gathered(run: Run) -> Run:
    """The run with what the proxies' students cost summed up, a stage of each kind."""
    kept = others(run)
    sums = [summed(kind, [s for s in run.of(kind) if s not in kept.stages]) for kind in STUDENTS]
    return replace(kept, stages=(*kept.stages, *(stage for stage in sums if stage is not None)))


def summed(kind: str, stages: Sequence[Stage]) -> Stage | None:
    """Stages of one kind as one: the sum of their costs, the highest of their peaks; None where there are none."""
    if not stages:
        return None
    costs = {name: sum(stage.manifest.get(name) or 0 for stage in stages) for name in SUMMED}
    peak = max(stage.manifest.get("peak_memory_bytes") or 0 for stage in stages)
    name, cached = f"proxy × {len(stages)}", all(stage.cached for stage in stages)
    return Stage(kind, name, "", stages[0].folder, cached, {**costs, "peak_memory_bytes": peak})


def found_by(run: Run) -> dict[str, Any]:
    """What the proxy training of a run found; empty when it has none."""
    stages = run.holding("proxy.json", "decide")
    return dict(read_json(stages[0].folder / "proxy.json")) if stages else {}


def proxy(run: Run) -> dict[str, Any]:
    """The section: a chart and a table for each target, the first of which decided."""
    found = found_by(run)
    if not found:
        return {}
    cuts = {cut["name"]: cut for cut in found["cuts"]}
    targets = [panel(target, cuts) for target in found["targets"]]
    about = {"rule": found["rule"], "seeds": len(found["seeds"]), "trained": tokens(found["cuts"][0]["trained"])}
    return {"targets": targets, "decision": decision(found), "epochs": repeats(found), **about}


def panel(target: Mapping[str, Any], cuts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """One target: differences against the best as a chart, and everything as a table."""
    rows = [row_of(row, cuts[row["name"]], target) for row in target["cuts"]]
    where = target_label(target["target"], target["texts"])
    about = {"best": target["best"], "chosen": target["chosen"], "held_out": target["target"] == HELD_OUT}
    return {"where": where, "rows": rows, "chart": chart(target), **about}


def row_of(row: Mapping[str, Any], cut: Mapping[str, Any], target: Mapping[str, Any]) -> dict[str, Any]:
    """One cut-off in a table."""
    return {
        "name": row["name"],
        "chosen": row["name"] == target["chosen"],
        "best": row["name"] == target["best"],
        "select": settings(cut["select"]),
        "documents": count(cut["documents"]),
        "tokens": tokens(cut["tokens"]),
        "epochs": decimal(cut["epochs"], 2),
        "cells": [
            (decimal(row["value"]), measure_interval(BITS, row)),
            difference(row["against_best"], row["name"] == target["best"]),
            difference(row["against_raw"], row["name"] == RAW),
        ],
    }


def difference(found: Mapping[str, Any], itself: bool) -> tuple[str, str]:
    """A difference and its interval; a dash for a cut-off against itself."""
    if itself:
        return NONE, ""
    amount, interval = amounts(BITS, found)
    return amount.split(" ", 1)[0], interval


def chart(target: Mapping[str, Any]) -> Markup:
    """Differences against the best with their intervals; a hollow dot cannot be told from it."""
    dots = []
    for row in target["cuts"]:
        away = row["against_best"]
        kind = "hurt" if away["claims"] else "unclear"
        itself = row["name"] == target["best"]
        amount, _ = difference(away, itself)
        about = "the best" if itself else ""
        dots.append(Dot(row["name"], away["value"], away["low"], away["high"], amount, kind, about))
    label = f"{MEASURES[BITS]} more than the best, {target['best']}; " + "; ".join(f"{d.label}: {d.note}" for d in dots)
    return dots_with_intervals(dots, lambda v: decimal(v, 2), label, zero=True)


def target_label(name: str, texts: int) -> str:
    """A target for people."""
    if name == HELD_OUT:
        return f"{count(texts)} best of the held-out documents"
    if name == UNCONVENTIONAL:
        return benchmark_label(name, texts)
    return f"{count(texts)} texts of {visible(shortened(name))}"


def settings(select: Mapping[str, float]) -> str:
    """What a recipe says to have a cut-off.

    >>> settings({"share": 0.2})
    'select: {share: 0.2}'
    """
    return "select: {" + ", ".join(f"{key}: {value:g}" for key, value in select.items()) + "}"


def decision(found: Mapping[str, Any]) -> str:
    """The decision as a sentence with its reason."""
    first = found["targets"][0]
    cut = next(cut for cut in found["cuts"] if cut["name"] == first["chosen"])
    use = f"Use “{settings(cut['select'])}” ({first['chosen']})"
    where = target_label(first["target"], first["texts"])
    if first["chosen"] == first["best"]:
        worse = " and every looser one measurably worse" if found["cuts"][0]["name"] != first["best"] else ""
        return f"{use}: the best on the {where}{worse}."
    away = next(row for row in first["cuts"] if row["name"] == first["chosen"])["against_best"]
    amount, interval = amounts(BITS, away)
    told = f"{amount}, 95\u00a0% interval {interval}, on the {where}"
    return f"{use}: the loosest that cannot be told from the best, {first['best']} ({told})."


def repeats(found: Mapping[str, Any]) -> str:
    """How often the students read what each cut-off leaves, and what follows."""
    cuts = found["cuts"]
    often = [f"{cut['name']} {decimal(cut['epochs'], 1)} times" for cut in cuts if cut["epochs"] > 1]
    if often:
        return f"Equal tokens mean that narrow cut-offs were read more than once: {', '.join(often)}."
    most = max(cuts, key=lambda cut: cut["epochs"])
    share = f"of {most['name']}, {percent(most['epochs'], 0)}"
    return f"No cut-off was read to its end ({share}): what a longer training loses by repeating one is not measured."


def proxy_table(run: Run) -> str:
    """The same for a terminal: a table of the target that decides, the decision, and what other targets say."""
    found = found_by(run)
    if not found:
        return ""
    cuts, (first, *beside) = {cut["name"]: cut for cut in found["cuts"]}, found["targets"]
    rows = [row_of(row, cuts[row["name"]], first) for row in first["cuts"]]
    head = ["cut-off", "documents", "tokens", "epochs", "bits per byte ↓", "against the best", "against raw"]
    lines = [head] + [[r["name"], r["documents"], r["tokens"], r["epochs"], *map(told, r["cells"])] for r in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ["   ".join(aligned(line, widths)).rstrip() for line in lines]
    agreed = [
        f"On the {target_label(t['target'], t['texts'])}, which do not decide, the rule takes {t['chosen']}."
        for t in beside
    ]
    rule = "─" * max(map(len, table))
    return "\n".join([table[0], rule, *table[1:], "", decision(found), repeats(found), *agreed]) + "\n"


def told(cell: Sequence[str]) -> str:
    """A value with its interval."""
    value, ends = cell
    return f"{value} ({ends})" if ends else value


def aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Names to the left, counts to the right."""
    return [t.rjust(w) if 0 < n < 4 else t.ljust(w) for n, (t, w) in enumerate(zip(line, widths, strict=True))]
