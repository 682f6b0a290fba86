"""What a report says of a proxy training: TEST DATA, measured by nobody."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fake_run import Builder, add_corpus, add_evaluation, add_training, add_written, corpus, loss

from hornbook.report.proxy import decision, proxy_table, repeats, settings
from hornbook.report.render import SECTIONS, render
from hornbook.report.run import load_run
from hornbook.report.tables import figure_table


def row(name: str, value: float, away: float, claims: bool, raw: float) -> dict[str, Any]:
    """A cut-off on a target; every interval is 0.02 to either side."""

    def around(middle: float) -> dict[str, Any]:
        ends = {"value": middle, "low": round(middle - 0.02, 6), "high": round(middle + 0.02, 6)}
        return ends if middle else {"value": 0.0, "low": 0.0, "high": 0.0}

    against = {"against_best": {**around(away), "claims": claims}, "against_raw": {**around(raw), "claims": raw != 0}}
    return {"name": name, **around(value), **against}


def found(best: str = "top5", chosen: str = "top20", epochs: float = 2.5) -> dict[str, Any]:
    """What `decide` would have written."""
    cuts = [
        ("raw", {"share": 1.0}, 9000, 0.01),
        ("top20", {"share": 0.2}, 1800, 0.3),
        ("top5", {"share": 0.05}, 450, epochs),
    ]
    counts = {"tokens": 1_250_000, "trained": 262_144}
    rows = [
        row("raw", 2.61, 0.11, True, 0.0),
        row("top20", 2.515, 0.015, False, -0.095),
        row("top5", 2.5, 0.0, False, -0.11),
    ]
    beside = [row("raw", 2.9, 0.0, False, 0.0), row("top20", 3.0, 0.1, True, 0.1), row("top5", 3.1, 0.2, True, 0.2)]
    return {
        "rule": "the loosest cut-off whose interval against the best does not exclude zero",
        "seeds": [0, 1, 2],
        "cuts": [{"name": n, "select": s, "documents": d, "epochs": e, **counts} for n, s, d, e in cuts],
        "targets": [
            {"target": "held-out", "texts": 139, "best": best, "chosen": chosen, "cuts": rows},
            {"target": "unconventional", "texts": 50, "best": "raw", "chosen": "raw", "cuts": beside},
            {"target": "my/<b>own</b>.jsonl", "texts": 7, "best": "raw", "chosen": "raw", "cuts": beside},
        ],
    }  # fmt: skip


TABLE = """\
cut-off   documents   tokens   epochs   bits per byte ↓          against the best           against raw
─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
raw           9,000   1.25 M     0.01   2.610 (2.590 to 2.630)   +0.110 (0.090 to 0.130)    –
top20         1,800   1.25 M     0.30   2.515 (2.495 to 2.535)   +0.015 (−0.005 to 0.035)   −0.095 (−0.115 to −0.075)
top5            450   1.25 M     2.50   2.500 (2.480 to 2.520)   –                          −0.110 (−0.130 to −0.090)

Use “select: {share: 0.2}” (top20): the loosest that cannot be told from the best, top5 (+0.015 bits per byte, \
95 % interval −0.005 to 0.035, on the 139 best of the held-out documents).
Equal tokens mean that narrow cut-offs were read more than once: top5 2.5 times.
On the 50 unconventional problems, which do not decide, the rule takes raw.
On the 7 texts of my/<b>own</b>.jsonl, which do not decide, the rule takes raw.
"""


def build(workdir: Path, students: bool = False) -> Path:
    """A run of a proxy training, and of students besides."""
    builder = Builder(workdir, ())
    add_corpus(builder, corpus())
    for seed in (0, 1):
        part = {"top5": {"tokens": 262_144, "documents": 450, "epochs": 2.5}}
        builder.add("pack", f"proxy-top5-{seed}", figures=part, tokens=262_144)
        builder.add("pretrain", f"proxy-top5-{seed}", lambda p, s=seed: loss(p, 6.0, 4.0, s), tokens=262_144)
    builder.add("decide", "proxy", lambda p: (p / "proxy.json").write_text(json.dumps(found())) and None)
    if students:
        add_written(builder)
        add_training(builder)
        add_evaluation(builder)
    return builder.finish(True)


def page_of(folder: Path, out: Path) -> str:
    render(load_run(folder), out)
    return out.read_text("utf-8")


def test_the_table_for_a_terminal(tmp_path: Path) -> None:
    run = load_run(build(tmp_path))
    assert proxy_table(run).replace("\u00a0", " ") == TABLE
    assert figure_table(run) == proxy_table(run)


def test_the_table_stands_before_that_of_the_students(tmp_path: Path) -> None:
    run = load_run(build(tmp_path, students=True))
    assert figure_table(run).startswith(proxy_table(run) + "\n")
    assert "filtered + textbooks + exercises" in figure_table(run)


def test_a_best_that_is_chosen_itself_needs_no_difference() -> None:
    assert decision(found(best="top20")) == (
        "Use “select: {share: 0.2}” (top20): the best on the 139 best of the held-out documents and every looser one "
        "measurably worse."
    )
    assert decision(found(best="raw", chosen="raw")) == (
        "Use “select: {share: 1}” (raw): the best on the 139 best of the held-out documents."
    )


def test_without_a_repeated_cut_the_report_says_what_was_not_measured() -> None:
    assert repeats(found(epochs=0.4)).replace("\u00a0", " ") == (
        "No cut-off was read to its end (of top5, 40 %): what a longer training loses by repeating one is not measured."
    )


@pytest.mark.parametrize(
    ("select", "written"), [({"share": 0.05}, "select: {share: 0.05}"), ({"at_least": 3.0}, "select: {at_least: 3}")]
)
def test_settings_are_written_as_a_recipe_has_them(select: dict[str, float], written: str) -> None:
    assert settings(select) == written


def test_the_page_leads_with_the_decision_and_shows_every_target(tmp_path: Path) -> None:
    page = page_of(build(tmp_path), tmp_path / "page.html").replace("\u00a0", " ")
    assert '<p class="lead">Use “select: {share: 0.2}” (top20)' in page
    assert 'id="proxy-title">How much to keep' in page
    assert "Each cut-off trained 3 small students on 262 k tokens" in page
    assert "7 texts of my/&lt;b&gt;own&lt;/b&gt;.jsonl" in page
    assert "<b>own</b>" not in page
    assert page.count("does not decide; the rule would take raw") == 2
    assert page.count("✓ chosen") == 1
    assert "they say how far to cut if the scores are right, and not whether they are" in page


def test_the_section_stands_before_all_others(tmp_path: Path) -> None:
    page = page_of(build(tmp_path, students=True), tmp_path / "page.html")
    assert re.findall(r'<section id="(\w+)"', page) == list(SECTIONS)
    assert re.findall(r'<a href="#(\w+)"', page)[1:] == list(SECTIONS)


def test_students_of_a_proxy_are_summed_up_and_not_shown_one_by_one(tmp_path: Path) -> None:
    folder = build(tmp_path, students=True)
    run = load_run(folder)
    page = page_of(folder, tmp_path / "page.html")
    mixtures, costs = page.split('id="mixtures"')[1].split('id="costs"')
    assert "proxy-top5" not in mixtures
    assert "proxy-top5" not in costs.split('id="reproduction"')[0]
    assert "pretrain-proxy × 2" in costs
    both = sum(s.manifest["wall_seconds"] for s in run.of("pretrain") if s.name.startswith("proxy-"))
    assert f"{both:.1f} s" in costs
    assert '<p class="lead">Use' not in page  # the students' findings lead


def test_a_run_without_a_proxy_says_nothing_of_one(page: Path) -> None:
    assert "How much to keep" not in page.read_text("utf-8")
