"""What was written for the students: a textbook section and a few exercises, for showing, and how varied all are."""

from __future__ import annotations

import re
from typing import Any

from hornbook.report.run import Run, Stage, by_id, column, head
from hornbook.report.text import NONE, count, excerpt, license_of, percent, shortened, visible, words
from hornbook.synthesis.limits import MEASURES

WRITERS = ("write_textbooks", "write_exercises")
UNJUDGED = {"distinct_1": "distinct words", "distinct_2": "distinct 2-grams"}


def written(run: Run) -> dict[str, Any]:
    """A section of the textbooks and three exercises of different topics."""
    found: dict[str, Any] = {}
    for stage in run.holding("sections", "write_textbooks")[:1]:
        rows = head(stage.folder / "sections", ("text", "topic", "audience", "style", "license", "verified"), 1)
        found["textbooks"] = counts(stage)
        found["sections"] = [{**row, "license": license_of(row), "blocks": blocks(row["text"])} for row in rows]
    for stage in run.holding("exercises", "write_exercises")[:1]:
        found["exercises"] = counts(stage)
        found["tasks"] = exercises(stage)
    if found:
        found["diversity"] = diversity(run)
    return found


def diversity(run: Run) -> dict[str, Any]:
    """The diversity meter's table, a pair of columns (mean page, worst page) a writer; empty without its figures."""
    metered = [(s, s.figures["diversity"]) for s in run.of(*WRITERS) if s.figures.get("diversity")]
    names = [name for name in (*MEASURES, *UNJUDGED) if any(name in about["measures"] for _, about in metered)]
    return (
        {
            "writers": [
                {"name": words(stage.name), "rows": count(about["rows"]), "collapsed": count(about["collapsed_pages"])}
                | {"pages": count(about["pages"]), "openers": openers(about)}
                for stage, about in metered
            ],
            "rows": [measure(name, [about["measures"].get(name) or {} for _, about in metered]) for name in names],
        }
        if metered
        else {}
    )


def measure(name: str, writers: list[dict[str, Any]]) -> dict[str, Any]:
    """One row of the table."""
    limit = next((about["limit"] for about in writers if about.get("limit")), None)
    bound = "≤" if name in MEASURES and MEASURES[name].most else "≥"
    return {
        "words": MEASURES[name].words if name in MEASURES else UNJUDGED[name],
        "limit": f"{bound} {limit:g}" if limit else NONE,
        "values": [(figure(about.get("mean")), figure(about.get("worst"))) for about in writers],
    }


def figure(value: float | None) -> str:
    """A measure to three digits; a dash where there is none."""
    return NONE if value is None else f"{value:.3g}"


def openers(about: dict[str, Any], most: int = 3) -> str:
    """The commonest openers with their shares of all rows."""
    top = about["facets"].get("openers", {}).get("top", [])[:most]
    return ", ".join(f"“{visible(shortened(str(label)))}” {percent(share)}" for label, share in top)


def counts(stage: Stage) -> dict[str, Any]:
    """How many rows a writer wrote, and how many were refused for what."""
    refused = ", ".join(f"{count(n)} {words(reason)}" for reason, n in sorted(stage.rejected.items()) if n)
    return {"rows": count(stage.manifest.get("rows_out")), "refused": refused}


def exercises(stage: Stage, most: int = 3) -> list[dict[str, Any]]:
    """Exercises of different topics."""
    folder = stage.folder / "exercises"
    topics = dict(reversed(list(zip(column(folder, "topic"), column(folder, "id"), strict=True))))
    wanted = {topics[topic] for topic in sorted(topics)[:most]}
    rows = by_id(folder, ("name", "prompt", "solution", "tests", "topic", "mutants", "mutants_killed"), wanted)
    return [
        {
            "topic": words(row["topic"]),
            "name": visible(row["name"]),
            "program": excerpt(row["prompt"] + row["solution"], 40),
            "tests": excerpt(row["tests"], 12),
            "mutants": row["mutants"],
            "killed": row["mutants_killed"],
        }
        for row in sorted(rows.values(), key=lambda row: str(row["topic"]))
    ]


def blocks(markdown: str, most: int = 14) -> list[tuple[str, Any]]:
    """The first blocks of a Markdown text as (kind, text): heading, code, output, item or prose.

    >>> blocks("# Loops\\n\\nA loop repeats.\\n\\n```python\\nprint(1)\\n```\\n")
    [('heading', 'Loops'), ('prose', [('', 'A loop repeats.')]), ('code', 'print(1)')]
    """
    found: list[tuple[str, Any]] = []
    for place, chunk in enumerate(re.split(r"^```(\w*)[^\n]*\n(.*?)^```\s*$", markdown, flags=re.M | re.S)):
        if place % 3 == 1:
            language = chunk
        elif place % 3 == 2:
            found.append(("code" if language in ("python", "py", "") else "output", excerpt(chunk, 30)))
        else:
            parts = re.split(r"\n\s*\n|\n(?=(?:[-*]|\d+\.) )", chunk)
            found += [block for part in parts if (block := prose(part.strip()))[1]]
    return found[:most]


def prose(part: str) -> tuple[str, Any]:
    """A block of Markdown that is not code; prose as runs of (style, text)."""
    if part.startswith("#"):
        return "heading", visible(part.splitlines()[0].lstrip("# "))
    return ("item" if re.match(r"([-*]|\d+\.) ", part) else "prose"), inline(visible(part))


def inline(text: str) -> list[tuple[str, str]]:
    """Runs of (style, text), style being code, em or nothing.

    >>> inline("use `for`, *often*")
    [('', 'use '), ('code', 'for'), ('', ', '), ('em', 'often')]
    """
    runs = re.split(r"(`[^`\n]+`|\*{1,2}[^*\s][^*]*\*{1,2})", text)
    styles = {"`": "code", "*": "em"}
    return [(styles[run[0]], run.strip("`*")) if place % 2 else ("", run) for place, run in enumerate(runs) if run]
