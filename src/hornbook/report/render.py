"""Artifacts → one HTML page. Computes nothing: every number on the page stands in an artifact of the run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hornbook.errors import InfrastructureError
from hornbook.report import material, outcome, proxy, students, upkeep, wording, written
from hornbook.report.run import Run

HERE = Path(__file__).parent
SECTIONS = {
    "proxy": "How much to keep",
    "arms": "Students side by side",
    "differences": "Paired differences",
    "split": "Similar and not similar",
    "funnel": "The corpus, step by step",
    "selection": "Kept and dropped",
    "classifier": "The classifier",
    "mixtures": "Mixtures",
    "losses": "Loss",
    "completions": "The same prompts",
    "written": "Textbooks and exercises",
    "contamination": "Contamination",
    "costs": "Time and memory",
    "reproduction": "Reproduce",
}


def render(run: Run, out: Path) -> None:
    """Write the report of a run as one self-contained page: no scripts, nothing fetched.

    Sections whose artifacts are absent are left out. Raises InputError for an unreadable artifact.
    """
    page = environment().get_template("page.html").render(view(run))
    beside = out.with_name(out.name + ".part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(page, "utf-8", errors="replace")
        os.replace(beside, out)
    except OSError as error:
        raise InfrastructureError(f"{out}: {error.strerror}; free space or choose another place") from None


def environment() -> Environment:
    """Templates beside this file; everything is escaped, and a name that is not there is an error."""
    return Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def view(run: Run) -> dict[str, Any]:
    """What the template shows. A section that has nothing to show is falsy and left out."""
    compared = students.comparison(run)
    everyone = students.arms(run, compared)
    wanted = students.headlines(everyone)
    without = proxy.others(run)
    sections: dict[str, Any] = {
        "proxy": proxy.proxy(run),
        "arms": side_by_side(everyone, wanted),
        "differences": outcome.difference_table(compared),
        "split": similarity(everyone, compared),
        "funnel": material.corpus_funnel(run),
        "selection": material.selection(run),
        "classifier": material.classifier(run),
        "mixtures": material.mixtures(without),
        "losses": outcome.losses(without, everyone),
        "completions": outcome.completions(everyone, compared),
        "written": written.written(run),
        "contamination": {"tiers": upkeep.contamination(run), "canaries": upkeep.canaries(run)},
        "costs": upkeep.costs(proxy.gathered(run)),
        "reproduction": upkeep.reproduction(run),
    }
    if not any(sections["contamination"].values()):
        sections["contamination"] = {}
    contents = [(name, title) for name, title in SECTIONS.items() if sections[name]]
    return {"run": run, "contents": contents, "titles": SECTIONS, **opening(run, compared, everyone), **sections}


def opening(run: Run, compared: dict[str, Any], everyone: list[students.Arm]) -> dict[str, Any]:
    """How far the best student came, what each ingredient was worth, and the run at a glance."""
    wanted, labels = students.headlines(everyone), students.benchmarks(everyone)
    found = wording.findings(compared.get("differences", ()), labels, wanted)
    decided = proxy.decision(proxy.found_by(run)) if proxy.found_by(run) else ""
    where = next((labels[benchmark] for benchmark, measure in wanted if measure == "pass_at_1"), "")
    return {
        "lead": wording.lead(found, everyone, wanted, where) if everyone or not decided else decided,
        "findings": wording.told(found),
        "tiles": list(upkeep.tiles(run, everyone)),
        "isolation": upkeep.isolation(run),
    }


def side_by_side(everyone: list[students.Arm], wanted: list[tuple[str, str]]) -> dict[str, Any]:
    """Charts, the whole table and the tables per family; empty without evaluated arms."""
    if not everyone:
        return {}
    return {
        "everyone": everyone,
        "panels": outcome.panels(everyone, wanted),
        "table": outcome.arms_table(everyone),
        "families": outcome.family_tables(everyone),
    }


def similarity(everyone: list[students.Arm], compared: dict[str, Any]) -> dict[str, Any]:
    """The split by similarity to training exercises; empty without a comparison."""
    if not compared.get("benchmarks"):
        return {}
    tables = outcome.split_tables(everyone, compared)
    return {"tau": compared.get("tau"), "tables": tables, "unsplit": outcome.unsplit(compared)}
