"""The table for the terminal, to the letter."""

from __future__ import annotations

from pathlib import Path

from fake_run import build

from hornbook.report.run import Run, Stage, load_run
from hornbook.report.tables import figure_table, findings_text
from hornbook.report.text import NONE
from hornbook.report.upkeep import cost_row

TABLE = """\
                                              bits per byte ↓                    pass@1 ↑   parses ↑
                                   50 unconventional problems   120 held-out compositions
────────────────────────────────────────────────────────────────────────────────────────────────────
raw                                    1.482 (1.422 to 1.542)        0.0 % (0.0 to 0.0)       55.0 %
filtered                               1.470 (1.410 to 1.530)        0.0 % (0.0 to 0.0)       55.0 %
filtered + textbooks                   1.391 (1.331 to 1.451)        0.8 % (0.0 to 9.3)       55.8 %
raw + exercises                        1.122 (1.062 to 1.182)       25.8 % (17.3 to 34.3)     80.8 %
filtered + textbooks + exercises       1.043 (0.983 to 1.103)       37.5 % (29.0 to 46.0)     92.5 %
nearest exercise, copied                   –                         1.7 % (0.0 to 10.2)      56.7 %
"""


def test_the_table_of_a_whole_run(run: Run):
    assert figure_table(run).replace("\u00a0", " ") == TABLE


def test_the_table_without_a_comparison_is_the_same(tmp_path: Path):
    assert figure_table(load_run(build(tmp_path, without=("compare",)))).replace("\u00a0", " ") == TABLE


def test_a_run_without_students_says_so(tmp_path: Path):
    run = load_run(build(tmp_path, without=("compare", "evaluate", "baseline")))
    assert figure_table(run) == "fake: no student has been evaluated in this run\n"
    assert findings_text(run) == ""


def test_the_findings_stand_one_a_line(run: Run):
    lines = findings_text(run).splitlines()
    assert lines[0].startswith("Filtering did not measurably help: −0.012 bits per byte")
    assert sum(not line.startswith("  ") for line in lines) == 8
    assert max(map(len, lines)) <= 100


def test_what_a_teacher_cost_stands_beside_what_its_kept_tokens_cost():
    def cell(**manifest: object) -> str:
        return cost_row(Stage("write_exercises", "exercises", "k", Path(), manifest=manifest))["dollars"]

    rate = {"dollars_per_million_kept_tokens": 57.0}
    assert cell(dollars=1.5, figures={"teacher": {"m": rate}}) == "$1.50, $57.00 a million kept tokens"
    assert cell(dollars=1.5, figures={"teacher": {"m": {"dollars_per_million_kept_tokens": None}}}) == "$1.50"
    assert cell(dollars=0.0, figures={}) == NONE
