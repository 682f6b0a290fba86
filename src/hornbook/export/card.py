"""Dataset and model cards: Markdown with the front matter that a hub reads. Every figure comes from an artifact."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hornbook.export import evidence
from hornbook.export.bundle import EXPECTED, RECIPE
from hornbook.export.gate import UNKNOWN, Census
from hornbook.export.lineage import Link
from hornbook.export.training import behind_data
from hornbook.report.text import visible

HERE = Path(__file__).parent
SHOWN = 30  # rows of a long table; the whole of it is in a JSON file
SIZES = ["1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T"]  # the hub's bounds
HUB_IDS = """
afl-3.0 apache-2.0 artistic-2.0 bsl-1.0 bsd-2-clause bsd-3-clause bsd-3-clause-clear cc0-1.0 cc-by-2.0 cc-by-3.0
cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 ecl-2.0 epl-1.0 epl-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gpl-2.0 gpl-3.0 lgpl-2.1
lgpl-3.0 isc mit ms-pl mpl-2.0 ncsa odc-by ofl-1.1 osl-3.0 postgresql unlicense wtfpl zlib
"""


def size_category(rows: int) -> str:
    """The hub's word for how many rows there are.

    >>> size_category(12), size_category(1000), size_category(250_000)
    ('n<1K', '1K<n<10K', '100K<n<1M')
    """
    place = max(0, len(str(rows)) - 3)  # how many bounds it has reached
    if place == 0:
        return f"n<{SIZES[0]}"
    return f"{SIZES[place - 1]}<n<{SIZES[place]}" if place < len(SIZES) else f"n>{SIZES[-1]}"


def hub_license(ids: Sequence[str]) -> dict[str, Any]:
    """The `license` of a card. A licence without a word on the hub is `other`, and named.

    >>> hub_license(["GPL-3.0-only", "MIT"]), hub_license(["PSF-2.0"])["license_name"]
    ({'license': ['gpl-3.0', 'mit']}, 'psf-2.0')
    """
    words = {x.lower().removesuffix("-only").removesuffix("-or-later") for x in ids}
    others = sorted(words - {*HUB_IDS.split(), UNKNOWN})
    found = sorted(words - {*others}) + ["other"] * bool(others) or [UNKNOWN]
    name = {"license_name": others[0] if len(others) == 1 else "several"} if others else {}
    link = {"license_link": "LICENSES.json"} if others else {}
    return {"license": found[0] if len(found) == 1 else found} | name | link


def write_dataset_card(title: str, kind: str, made: Link, census: Census, configs: Any, out: Path) -> None:
    """README.md of a dataset."""
    behind = made.behind()
    written = bool(census.writers)
    front = {
        "pretty_name": title,
        **hub_license(census.ids),
        "language": ["en"] if kind == "sections" else ["code"],
        "task_categories": ["text-generation"],
        "tags": ["python", "code", "hornbook", *(["synthetic"] if written else [])],
        "size_categories": [size_category(census.rows)],
        "configs": configs,
    }
    write(out, "dataset.md", front, made, census, behind, title=title, kind=kind)


def write_model_card(title: str, about: dict[str, Any], made: Link, census: Census, out: Path) -> None:
    """README.md of a model. Whoever publishes it chooses its licence; that of its data stands in the table."""
    front = {
        "license": "other",
        "license_name": "licences-of-the-training-data",
        "license_link": "LICENSES.json",
        "language": ["code"],
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["python", "code", "hornbook"],
    }
    write(out, "model.md", front, made, census, behind_data(made), title=title, **about)


def write(
    out: Path, template: str, front: dict[str, Any], made: Link, census: Census, behind: list[Link], **more: Any
) -> None:
    """Fill a template."""
    page = environment().get_template(template).render(
        front=yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=100),
        made=made,
        census=census,
        sources=sorted(census.of_source.items(), key=lambda item: (-item[1], item[0])),
        licenses=sorted(census.licenses.items(), key=lambda item: (-item[1], item[0])),
        funnel=evidence.funnel(behind),
        checks=evidence.contamination(behind),
        teachers=evidence.teachers(behind),
        dollars=sum(link.manifest.get("dollars") or 0 for link in behind),
        versions=evidence.versions(behind),
        lost=made.lost(),
        recipe=RECIPE if (out / RECIPE).exists() else "",
        answers=(out / "responses").exists(),
        inputs="inputs/" in ((out / RECIPE).read_text("utf-8") if (out / RECIPE).exists() else ""),
        expected=EXPECTED,
        shown=SHOWN,
        **more,
    )  # fmt: skip
    (out / "README.md").write_text(page, "utf-8", errors="replace")


def environment() -> Environment:
    """Templates beside this file; a name that is not there is an error."""
    found = Environment(loader=FileSystemLoader(HERE), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.filters |= {"cell": cell, "count": lambda value: "–" if value is None else f"{value:,}"}
    return found


def cell(value: object) -> str:
    """A value within a Markdown table or sentence: one line, nothing that reads as markup.

    >>> cell("a|b\\n<i>")
    'a\\\\|b &lt;i>'
    """
    text = " ".join(visible(str(value)).split())
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "'")
