"""What it took, and what keeps it honest: contamination, canaries, time and memory, how to reproduce."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import yaml
from markupsafe import Markup

from hornbook.artifacts import ISOLATION, read_json
from hornbook.report.charts import Bar, bars
from hornbook.report.material import further
from hornbook.report.run import Run, Stage, head
from hornbook.report.students import Arm
from hornbook.report.text import NONE, count, excerpt, seconds, size, tokens, visible, words

EVIDENCE = 6  # removed rows shown for each dataset


def contamination(run: Run) -> dict[str, Any]:
    """What decontamination removed from each dataset, by tier, with evidence."""
    stages = run.of("decontaminate")
    tiers = sorted({reason for stage in stages for reason in stage.rejected} | {"ngram"})
    rows = [contamination_row(stage, tiers) for stage in stages]
    return {"tiers": [words(tier) for tier in tiers], "rows": rows} if rows else {}


def contamination_row(stage: Stage, tiers: list[str]) -> dict[str, Any]:
    """One dataset: rows in, removed by tier, rows out, evidence."""
    columns = ("id", "reason", "detail", "excerpt")
    shown = head(stage.folder / "rejected", columns, EVIDENCE) if stage.has("rejected") else []
    evidence = [
        {"id": r["id"], "tier": words(r["reason"]), "detail": visible(r["detail"]), "text": excerpt(r["excerpt"], 6)}
        for r in shown
    ]
    return {
        "name": words(stage.name),
        "rows_in": count(stage.manifest.get("rows_in")),
        "removed": [count(stage.rejected.get(tier, 0)) for tier in tiers],
        "rows_out": count(stage.manifest.get("rows_out")),
        "items": count(stage.figures.get("items")),
        "evidence": evidence,
        "total": sum(stage.rejected.values()),
    }


def canaries(run: Run) -> dict[str, Any]:
    """The planted rows of all stages, and how many did as they should."""
    rows = [
        {
            "stage": stage.id,
            "name": visible(str(row["name"])),
            "threshold": row["threshold"],
            "expected": "caught" if row["expected"] else "let through",
            "found": "caught" if row["caught"] else "let through",
            "right": row["caught"] == row["expected"],
        }
        for stage in run.stages
        for row in stage.manifest.get("canaries") or ()
    ]
    return {"rows": rows, "right": sum(row["right"] for row in rows)} if rows else {}


def costs(run: Run) -> dict[str, Any]:
    """Time and memory per stage, in run order."""
    if not run.stages:
        return {}
    charts = [("Time by the clock", cost_chart(run, "wall_seconds", seconds))]
    charts += [("Peak memory", cost_chart(run, "peak_memory_bytes", size))]
    return {"charts": charts, "rows": [cost_row(stage) for stage in run.stages], **totals(run)}


def cost_chart(run: Run, name: str, write: Callable[[float | None], str]) -> Markup:
    """A bar a stage; those from an earlier run are marked as cached."""
    rows = [(stage, stage.manifest.get(name)) for stage in run.stages]
    found = [Bar(stage.id, value or 0, write(value), "cached" * stage.cached) for stage, value in rows]
    return bars(found, f"{words(name)} of each stage; the table below holds the same figures")


def cost_row(stage: Stage) -> dict[str, Any]:
    """One stage's cost."""
    about = stage.manifest
    return {
        "id": stage.id,
        "wall": seconds(about.get("wall_seconds")),
        "cpu": seconds(about.get("cpu_seconds")),
        "memory": size(about.get("peak_memory_bytes")),
        "rows": f"{count(about['rows_in'])} → {count(about['rows_out'])}" if about.get("rows_in") else NONE,
        "tokens": tokens(about.get("tokens") or None),
        "dollars": spent(stage),
        "cached": stage.cached,
    }


def spent(stage: Stage) -> str:
    """What a stage's teacher cost, and a million of the tokens that ended in its rows."""
    if not stage.manifest.get("dollars"):
        return NONE
    rates = [about.get("dollars_per_million_kept_tokens") for about in (stage.figures.get("teacher") or {}).values()]
    kept = "".join(f", ${rate:,.2f} a million kept tokens" for rate in rates if rate is not None)
    return f"${stage.manifest['dollars']:.2f}{kept}"


def totals(run: Run) -> dict[str, Any]:
    """The sums of the table's columns, and the highest peak."""
    wall = sum(stage.manifest.get("wall_seconds") or 0 for stage in run.stages)
    cpu = sum(stage.manifest.get("cpu_seconds") or 0 for stage in run.stages)
    peak = max((stage.manifest.get("peak_memory_bytes") or 0 for stage in run.stages), default=0)
    dollars = sum(stage.manifest.get("dollars") or 0 for stage in run.stages)
    cached = sum(stage.cached for stage in run.stages)
    texts = {"wall": seconds(wall), "cpu": seconds(cpu), "peak": size(peak), "dollars": f"${dollars:.2f}"}
    return {**texts, "cached": cached}


def tiles(run: Run, everyone: list[Arm]) -> Iterator[tuple[str, str, str]]:
    """The run at a glance: (figure, what it is, detail)."""
    curated = run.of("curate")
    selected = [stage for stage in run.of("select") if not further(stage)]
    if curated:
        kept = selected[0].manifest.get("rows_out") if selected else curated[0].manifest.get("rows_out")
        yield count(kept), "documents kept", f"of {count(curated[0].manifest.get('rows_in'))} files read"
    for stage in run.holding("exercises", "write_exercises")[:1]:
        refused = sum(stage.rejected.values())
        yield count(stage.manifest.get("rows_out")), "exercises written", f"{count(refused)} more refused"
    judged = sum(r.get("samples", 0) for arm in everyone for r in arm.results.values())
    if judged:
        students = sum(not arm.baseline for arm in everyone)
        yield count(judged), "programs judged", f"by executed tests, from {students} students"
    if run.stages:
        about = totals(run)
        yield about["wall"], "of work", f"at most {about['peak']} of memory"


def isolation(run: Run) -> str:
    """How well the judged programs were contained, as the evaluations recorded it."""
    stages = run.holding(ISOLATION, "evaluate", "baseline")
    levels = {str(read_json(stage.folder / ISOLATION).get("level", "")) for stage in stages}
    return ", ".join(sorted(levels - {""}))


def reproduction(run: Run) -> dict[str, Any]:
    """The command, the recipe as resolved, the versions and the artifacts."""
    versions: dict[str, str] = {}
    for stage in run.stages:
        versions |= {name: str(value) for name, value in (stage.manifest.get("versions") or {}).items()}
    return {
        "command": f"hornbook run {run.recipe}",
        "resolved": visible(yaml.safe_dump(dict(run.resolved), sort_keys=False, allow_unicode=True, width=100)),
        "versions": sorted(versions.items()),
        "artifacts": [(stage.id, stage.key[:8], str(stage.manifest.get("digest") or "")[:12]) for stage in run.stages],
    }
