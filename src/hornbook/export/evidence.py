"""What a card says, read from manifests and from the gate's census: the funnel, contamination, writers and cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hornbook.export.bundle import without_places
from hornbook.export.lineage import Link

TIERS = {"ngram": "ngram", "syntax": "syntax_threshold"}  # tier → the setting that is its threshold
EXAMS = ("references", "siblings")  # inputs of a decontamination that are examinations
COUNTS = ("rows_in", "rows_out", "rejected", "tokens", "dollars", "canaries", "figures", "versions", "facts", "version")
TRAINING = ("pretrain", "finetune")


def stage_entry(link: Link) -> dict[str, Any]:
    """One stage for manifest.json: settings, inputs by digest, counts and figures; no time, no place."""
    inputs = {name: {"name": given.name, "digest": given.digest} for name, given in link.inputs.items()}
    counts = {name: link.manifest[name] for name in COUNTS if name in link.manifest}
    digest = {name: link.manifest[name] for name in ("key", "digest") if name in link.manifest}
    named = {"stage": link.stage, "name": link.name, "config": link.manifest.get("config") or {}, "inputs": inputs}
    return dict(without_places(named | digest | counts))


def funnel(behind: Sequence[Link]) -> list[dict[str, Any]]:
    """Rows in, out and rejected by reason, a stage a row; trainings, which count steps, are left out."""
    return [
        {
            "stage": link.id,
            "rows_in": link.manifest.get("rows_in", 0),
            "rows_out": link.manifest.get("rows_out", 0),
            "rejected": sorted((link.manifest.get("rejected") or {}).items(), key=lambda item: (-item[1], item[0])),
        }
        for link in behind
        if link.stage not in TRAINING
    ]


def contamination(behind: Sequence[Link]) -> list[dict[str, Any]]:
    """Every check against examinations: what was checked, at which thresholds, what was removed, and the canaries."""
    return [contamination_of(link) for link in behind if link.stage == "decontaminate"]


def contamination_of(link: Link) -> dict[str, Any]:
    """One check. `items`: tier → examination item → rows removed because of it, most first."""
    config = link.manifest.get("config") or {}
    exams = [given.name for name, given in sorted(link.inputs.items()) if name.partition(".")[0] in EXAMS]
    items: dict[str, dict[str, int]] = {}
    for hit, rows in sorted((link.figures.get("hits") or {}).items(), key=lambda hit: (-hit[1], hit[0])):
        tier, _, item = hit.partition(" ")
        items.setdefault(tier, {})[item] = rows
    return {
        "stage": link.id,
        "benchmarks": [Path(name).name for name in config.get("against", ())] + exams,
        "items_checked": link.figures.get("items"),
        "tiers": {tier: config[name] for tier, name in TIERS.items() if config.get(name) is not None},
        "rows_in": link.manifest.get("rows_in", 0),
        "removed": {tier: (link.manifest.get("rejected") or {}).get(tier, 0) for tier in TIERS},
        "items": items,
        "canaries": canaries(link.manifest.get("canaries") or ()),
    }


def canaries(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Planted rows: how many should have been caught and were, how many should have passed and did."""
    found: Counter[str] = Counter()
    for row in rows:
        kind = "above" if row["expected"] else "below"
        found[kind] += 1
        found[f"{kind}_right"] += row["caught"] == row["expected"]
    return {name: found[name] for name in ("above", "above_right", "below", "below_right")}


def teachers(behind: Sequence[Link]) -> list[dict[str, Any]]:
    """What each stage's teachers were asked, and what the answers cost."""
    return [
        {"stage": link.id, "model": model, **{name: about.get(name) for name in ("requests", "answers", "dollars")}}
        for link in behind
        for model, about in sorted((link.figures.get("teacher") or {}).items())
    ]


def versions(behind: Sequence[Link]) -> dict[str, str]:
    """The versions that shaped the data; the last stage's, where they differ."""
    found: dict[str, str] = {}
    for link in behind:
        found |= {name: str(value) for name, value in (link.manifest.get("versions") or {}).items()}
    return dict(sorted(found.items()))
