"""What came out: arms side by side, differences, the similarity split, loss curves, completions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from hornbook.report.charts import Dot, Format, dots_with_intervals
from hornbook.report.plots import lines
from hornbook.report.run import Run
from hornbook.report.students import MEASURES, Arm, benchmark_label, benchmarks, label_of, loss_curve
from hornbook.report.text import NONE, decimal, excerpt, measure_interval, measure_value, percent, tokens, words
from hornbook.report.wording import amounts, effect_of, verdict_of

TITLES = {"bits_per_byte": "Bits per byte", "pass_at_1": "pass@1"}
BETTER = {"bits_per_byte": "lower is better", "pass_at_1": "higher is better"}
BADGES = {
    "passed": ("pass", "✓ passed"),
    "failed": ("fail", "✗ failed"),
    "timeout": ("warn", "◷ timeout"),
    "crashed": ("fail", "✗ crashed"),
    "blocked": ("warn", "⊘ blocked"),
    "infrastructure": ("none", "? not judged"),
    "missing": ("none", "– no answer"),
}
OPEN = 2  # prompts of each benchmark laid open


def axis_format(measure: str) -> Format:
    """How a measure's axis is written."""
    return (lambda v: decimal(v, 2)) if measure == "bits_per_byte" else (lambda v: percent(v, 0))


def panels(everyone: Sequence[Arm], wanted: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """One dot-and-interval chart a headline figure."""
    labels = benchmarks(everyone)
    return [
        {
            "title": TITLES[measure],
            "where": labels[benchmark],
            "better": BETTER[measure],
            "chart": arms_chart(everyone, benchmark, measure, labels[benchmark]),
        }
        for benchmark, measure in wanted
    ]


def arms_chart(everyone: Sequence[Arm], benchmark: str, measure: str, where: str) -> Markup:
    """All arms that have the measure."""
    rows = [
        Dot(arm.label, e["value"], e["low"], e["high"], measure_value(measure, e["value"]), arm.colour)
        for arm in everyone
        if (e := arm.estimate(benchmark, measure))
    ]
    label = f"{MEASURES[measure]} on {where}, {BETTER[measure]}; " + "; ".join(f"{r.label}: {r.note}" for r in rows)
    return dots_with_intervals(rows, axis_format(measure), label)


def arms_table(everyone: Sequence[Arm]) -> dict[str, Any]:
    """Every measure of every benchmark: columns of (benchmark label, measure), rows of (value, interval) cells."""
    labels = benchmarks(everyone)
    places = [
        (benchmark, measure)
        for benchmark in labels
        for measure in MEASURES
        if any(arm.estimate(benchmark, measure) for arm in everyone)
    ]
    groups = [(labels[b], sum(place[0] == b for place in places)) for b in labels]
    rows = [
        {"arm": arm, "cells": [cell(measure, arm.estimate(b, measure)) for b, measure in places]} for arm in everyone
    ]
    return {"groups": groups, "columns": [MEASURES[measure] for _, measure in places], "rows": rows}


def cell(measure: str, estimate: Mapping[str, float] | None) -> tuple[str, str]:
    """A value and its interval."""
    if estimate is None:
        return NONE, ""
    return measure_value(measure, estimate["value"]), measure_interval(measure, estimate)


def family_tables(everyone: Sequence[Arm]) -> list[dict[str, Any]]:
    """pass@1 per family, for every benchmark that has at least two families; no rows where nobody passed anything."""
    found = []
    for benchmark, label in benchmarks(everyone).items():
        names = sorted({f for arm in everyone for f in arm.results.get(benchmark, {}).get("families", {})})
        if len(names) > 1:
            rows = [family_row(everyone, benchmark, name) for name in names]
            passed = any(shade for row in rows for _, shade in row["cells"])
            found.append({"where": label, "families": len(names), "rows": rows if passed else []})
    return found


def family_row(everyone: Sequence[Arm], benchmark: str, name: str) -> dict[str, Any]:
    """One family: its number of problems, and (text, shade in percent) for each arm."""
    known = [arm.family(benchmark, name) for arm in everyone]
    cells = [(percent(k["pass_at_1"], 0), round(100 * k["pass_at_1"])) if k else (NONE, 0) for k in known]
    return {"name": words(name), "problems": max(int(k["problems"]) for k in known if k), "cells": cells}


def difference_table(compared: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All paired differences, grouped by what was measured, each group with its chart."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in compared.get("differences", ()):
        groups.setdefault((row["benchmark"], row["measure"]), []).append(row)
    sizes = {name: about.get("problems") for name, about in compared.get("benchmarks", {}).items()}
    ordered = sorted(groups.items(), key=lambda item: (item[0][1] != "bits_per_byte", item[0][0] != "unconventional"))
    return [
        difference_group(benchmark_label(benchmark, sizes.get(benchmark)), measure, rows)
        for (benchmark, measure), rows in ordered
    ]


def difference_group(where: str, measure: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The differences of one measure on one benchmark."""
    made = [difference_row(measure, row) for row in rows]
    dots = [
        Dot(f"{m['b']}", r["value"], r["low"], r["high"], m["short"], m["verdict"], f"minus {m['a']}")
        for m, r in zip(made, rows, strict=True)
    ]
    label = f"Paired differences in {MEASURES.get(measure, measure)} on {where}; " + "; ".join(
        f"{m['b']} minus {m['a']}: {m['amount']}, 95 % interval {m['interval']}" for m in made
    )
    fmt = axis_format(measure) if measure == "bits_per_byte" else lambda v: decimal(100 * v, 0)
    return {
        "where": where,
        "measure": TITLES.get(measure, measure),
        "better": BETTER.get(measure, ""),
        "rows": made,
        "chart": dots_with_intervals(dots, fmt, label, zero=True),
    }


def difference_row(measure: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """One difference in words and numbers."""
    amount, interval = amounts(measure, row)
    return {
        "effect": effect_of(row["a"], row["b"]).rstrip(","),
        "a": label_of(row["a"]),
        "b": label_of(row["b"]),
        "amount": amount,
        "short": amount.split(" ", 1)[0],
        "interval": interval,
        "problems": row.get("problems"),
        "verdict": verdict_of(row),
    }


def split_tables(everyone: Sequence[Arm], compared: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Like the paper's Table 3: each arm on problems with and without a similar training exercise."""
    found = []
    for name, about in compared.get("benchmarks", {}).items():
        for measure in ("pass_at_1", "bits_per_byte"):
            rows = [split_row(arm, name, measure) for arm in everyone if arm.splits]
            if 0 < about["similar"] < about["problems"] and any(c[0] != NONE for row in rows for c in row["cells"][:2]):
                where = benchmark_label(name, about["problems"])
                found.append({"where": where, "measure": TITLES[measure], "rows": rows, **about})
    return found


def split_row(arm: Arm, benchmark: str, measure: str) -> dict[str, Any]:
    """One arm: similar, not similar, all."""
    sides = {s["split"]: s for s in arm.splits if (s["benchmark"], s["measure"]) == (benchmark, measure)}
    cells = [cell(measure, sides.get(side)) for side in ("similar", "not similar")]
    return {"arm": arm, "cells": [*cells, cell(measure, arm.estimate(benchmark, measure))]}


def unsplit(compared: Mapping[str, Any]) -> list[str]:
    """What to say of benchmarks that have problems on one side only."""
    said = []
    for name, about in compared.get("benchmarks", {}).items():
        if about["similar"] in (0, about["problems"]):
            how = "None" if about["similar"] == 0 else "Each"
            said.append(f"{how} of the {benchmark_label(name, about['problems'])} has a similar training exercise.")
    return said


def losses(run: Run, everyone: Sequence[Arm]) -> list[dict[str, Any]]:
    """Loss curves: one chart for pretraining, one for finetuning."""
    colours = {arm.name: arm for arm in everyone}
    found = []
    for kind, title in (("pretrain", "Pretraining"), ("finetune", "Finetuning")):
        curves = []
        for place, stage in enumerate(run.holding("loss.jsonl", kind)):
            colour = colours[stage.name].colour if stage.name in colours else f"arm-{place}"
            if curve := loss_curve(stage):
                last = decimal(stage.figures.get("last_loss", curve[-1][1]))
                curves.append((label_of(stage.name), colour, curve, last))
        if curves:
            label = f"{title} loss by tokens seen; last: " + "; ".join(f"{n} {last}" for n, _, _, last in curves)
            found.append({"title": title, "chart": lines(curves, tokens, lambda v: f"{v:.4g}", label)})
    return found


def completions(everyone: Sequence[Arm], compared: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same prompts with every student's answer beside one another, by benchmark."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in compared.get("completions", ()):
        cards = [answer_card(arm, row["arms"][arm.name]) for arm in everyone if arm.name in row["arms"]]
        shown = groups.setdefault(row["benchmark"], [])
        task = {"id": row["task_id"], "family": words(row.get("family") or ""), "open": len(shown) < OPEN}
        shown.append(
            {**task, "prompt": excerpt(row["prompt"], 30), "gold": excerpt(row["solution"], 20), "cards": cards}
        )
    return [{"where": benchmark_label(name, None), "tasks": tasks} for name, tasks in groups.items()]


def answer_card(arm: Arm, answer: Mapping[str, str]) -> dict[str, Any]:
    """One student's answer, and what became of it."""
    kind, badge = BADGES.get(answer["status"], ("none", answer["status"]))
    return {"arm": arm, "text": excerpt(answer["completion"], 24), "kind": kind, "badge": badge}
