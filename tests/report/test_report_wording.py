"""What is claimed, and how it is said. The expected sentences were written by hand from the numbers."""

from __future__ import annotations

from typing import Any

import pytest

from hornbook.report.outcome import family_tables
from hornbook.report.students import Arm
from hornbook.report.wording import effect_of, finding, findings, lead, told

FIFTY = "50 unconventional problems"
EXAM = "120 held-out compositions"


def difference(value: float, low: float, high: float, claims: bool, **other: Any) -> dict[str, Any]:
    """A row as compare.py writes it."""
    row = {"a": "raw", "b": "filtered", "benchmark": "unconventional", "measure": "bits_per_byte", "better": "lower"}
    return {**row, "value": value, "low": low, "high": high, "claims": claims, "problems": 50, **other}


def said(row: dict[str, Any], where: str = FIFTY) -> str:
    """The sentence, with plain spaces."""
    return finding(row, where).sentence.replace("\u00a0", " ")


def test_an_interval_over_zero_claims_nothing():
    assert said(difference(-0.0123, -0.0312, 0.0181, False)) == (
        "Filtering did not measurably help: −0.012 bits per byte on the 50 unconventional problems, 95 % interval −0.031 to 0.018."
    )


def test_fewer_bits_help_and_more_hurt():
    assert said(difference(-0.0791, -0.108, -0.0522, True)) == (
        "Filtering helped: −0.079 bits per byte on the 50 unconventional problems, 95 % interval −0.108 to −0.052."
    )
    assert said(difference(0.04, 0.01, 0.0704, True)) == (
        "Filtering hurt: +0.040 bits per byte on the 50 unconventional problems, 95 % interval 0.010 to 0.070."
    )


def test_shares_are_said_in_points_and_more_of_them_helps():
    exam = {"measure": "pass_at_1", "better": "higher", "a": "filtered", "b": "filtered_textbooks"}
    assert said(difference(0.36667, 0.28333, 0.45, True, **exam), EXAM) == (
        "Adding textbooks to “filtered” helped: +36.7 points of pass@1 on the 120 held-out compositions, 95 % interval 28.3 to 45.0."
    )
    assert said(difference(-0.1, -0.2, -0.05, True, **exam), EXAM).startswith(
        "Adding textbooks to “filtered” hurt: −10.0 points"
    )
    assert "did not measurably help: 0.0 points of pass@1" in said(difference(0.0, 0.0, 0.0, False, **exam), EXAM)


def test_the_comparison_decides_what_is_claimed_not_the_report():
    assert finding(difference(-0.5, -0.9, -0.1, False), FIFTY).verdict == "unclear"


def test_a_claimed_end_is_never_rounded_to_zero():
    assert said(difference(-0.0043, -0.0082, -0.0002, True)).endswith("95 % interval −0.0082 to −0.0002.")
    assert said(difference(-0.0043, -0.0082, 0.0002, False)).endswith("95 % interval −0.008 to 0.000.")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("raw", "filtered", "Filtering"),
        ("raw", "filtered_textbooks", "Filtering and adding textbooks"),
        ("filtered+textbooks", "filtered+textbooks+exercises", "Adding exercises to “filtered + textbooks”"),
        ("raw-exercises", "filtered-exercises", "Filtering, both with exercises,"),
        ("base", "tuned", "“tuned” instead of “base”"),
        ("filtered", "raw", "“raw” instead of “filtered”"),
    ],
)
def test_the_effect_is_what_b_has_and_a_has_not(a: str, b: str, expected: str):
    assert effect_of(a, b) == expected


def arm(name: str, value: float, baseline: bool = False) -> Arm:
    """An arm with a pass rate on the held-out compositions."""
    estimate = {"value": value, "low": 0.1, "high": 0.5}
    return Arm(name, name, "arm-0", {"held_out": {"problems": 120, "pass_at_k": {"1": estimate}}}, (), baseline)


def test_every_pair_has_its_sentence_and_the_best_student_leads():
    rows = [
        difference(-0.0123, -0.0312, 0.0181, False),
        difference(-0.0791, -0.108, -0.0522, True, a="filtered", b="filtered_textbooks"),
    ]
    wanted = [("unconventional", "bits_per_byte"), ("held_out", "pass_at_1")]
    found = findings(rows, {"unconventional": FIFTY}, wanted)
    everyone = [arm("low", 0.2), arm("high", 0.375), arm("copy", 0.0167, baseline=True)]
    assert [(verdict, text.replace("\u00a0", " ")) for verdict, text in told(found)] == [
        (
            "unclear",
            "Filtering did not measurably help: −0.012 bits per byte on the 50 unconventional problems, 95 % interval −0.031 to 0.018.",
        ),
        (
            "helped",
            "Adding textbooks to “filtered” helped: −0.079 bits per byte on the 50 unconventional problems, 95 % interval −0.108 to −0.052.",
        ),
    ]
    assert lead(found, everyone, wanted, EXAM).replace("\u00a0", " ") == (
        "Of the 120 held-out compositions, “high” passed 37.5 % (95 % interval 10.0 to 50.0); "
        "copying the nearest training exercise passed 1.7 % (95 % interval 10.0 to 50.0)."
    )


def test_a_pair_without_effect_on_bits_is_also_said_where_it_has_one():
    exam = {"benchmark": "held_out", "measure": "pass_at_1", "better": "higher"}
    rows = [difference(0.2, 0.1, 0.3, True, **exam), difference(-0.01, -0.03, 0.02, False)]
    wanted = [("unconventional", "bits_per_byte"), ("held_out", "pass_at_1")]
    first, second = told(findings(rows, {"unconventional": FIFTY, "held_out": EXAM}, wanted))
    assert first[1].startswith("Filtering did not measurably help: −0.010 bits per byte on the 50 unconventional")
    assert second[1].startswith("Filtering helped: +20.0 points of pass@1 on the 120 held-out compositions")


def test_nothing_compared_claims_nothing():
    assert lead([], [], [], "") == "No two students were compared in this run, so it claims no difference between them."
    wanted = [("held_out", "pass_at_1")]
    assert lead([], [arm("s", 0.0)], wanted, EXAM).startswith("No student passed any of the 120 held-out compositions.")


def test_a_family_table_in_which_nobody_passed_is_a_sentence():
    def scored(value: float) -> Arm:
        families = {name: {"problems": 2, "pass_at_1": value} for name in ("sorting", "games")}
        return Arm("s", "s", "arm-0", {"unconventional": {"problems": 4, "families": families}}, (), False)

    (none,) = family_tables([scored(0.0)])
    assert (none["families"], none["rows"]) == (2, [])
    (some,) = family_tables([scored(0.0), scored(0.5)])
    assert [row["cells"] for row in some["rows"]] == [[("0\u00a0%", 0), ("50\u00a0%", 50)]] * 2
