"""Findings in plain words. A difference is claimed only where its interval excludes zero; else it is called unclear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hornbook.report.students import Arm, label_of, pieces
from hornbook.report.text import BITS_DIGITS, Estimate, decimal, measure_interval, percent

MOST_DIGITS = 6


@dataclass(frozen=True)
class Finding:
    """A difference between two arms. `verdict` is helped, hurt or unclear; `amount` and `interval` are texts."""

    verdict: str
    effect: str
    amount: str
    interval: str
    where: str
    measure: str

    @property
    def sentence(self) -> str:
        """The finding as one sentence."""
        return f"{self.effect} {self.what}: {self.amount} on the {self.where}, 95\u00a0% interval {self.interval}."

    @property
    def what(self) -> str:
        """The verb."""
        return {"helped": "helped", "hurt": "hurt"}.get(self.verdict, "did not measurably help")


def finding(difference: Mapping[str, Any], where: str) -> Finding:
    """Put one row of the comparison's differences (b - a) into words. `where` names the problems."""
    measure = difference["measure"]
    amount, interval = amounts(measure, difference)
    effect = effect_of(difference["a"], difference["b"])
    return Finding(verdict_of(difference), effect, amount, interval, where, measure)


def verdict_of(difference: Mapping[str, Any]) -> str:
    """`unclear` unless the difference claims something; then whether it lies on the better side."""
    if not difference["claims"]:
        return "unclear"
    lower = difference["better"] == "lower"
    return "helped" if (difference["value"] < 0) == lower else "hurt"


def amounts(measure: str, difference: Mapping[str, Any]) -> tuple[str, str]:
    """The difference with its sign and unit, and its interval. Digits are added until a claimed end is not zero."""
    scale, digits, unit = (1, BITS_DIGITS, "bits per byte") if measure == "bits_per_byte" else (100, 1, points(measure))
    ends = [scale * difference[end] for end in ("value", "low", "high")]
    while difference["claims"] and digits < MOST_DIGITS and any(round(end, digits) == 0 for end in ends):
        digits += 1
    value, low, high = (decimal(end, digits) for end in ends)
    plus = "+" if ends[0] > 0 and float(value) != 0 else ""
    return f"{plus}{value} {unit}", f"{low} to {high}"


def points(measure: str) -> str:
    """The unit of a difference of shares."""
    return {"pass_at_1": "points of pass@1"}.get(measure, f"points of {measure.replace('_', ' ')}")


def effect_of(a: str, b: str) -> str:
    """What b has that a has not, as the subject of a sentence.

    >>> effect_of("raw", "filtered"), effect_of("filtered", "filtered_textbooks")
    ('Filtering', 'Adding textbooks to “filtered”')
    >>> effect_of("raw_exercises", "filtered_textbooks_exercises")
    'Filtering and adding textbooks, both with exercises,'
    """
    first, second = pieces(a), pieces(b)
    gone = [piece for piece in first if piece not in second]
    new = [piece for piece in second if piece not in first]
    common = [piece for piece in first if piece in second]
    if not gone and new and common:
        return f"Adding {' and '.join(new)} to “{label_of(a)}”"
    if gone == ["raw"] and "filtered" in new:
        rest = [piece for piece in new if piece != "filtered"]
        adding = f" and adding {' and '.join(rest)}" if rest else ""
        alike = f", both with {' and '.join(common)}," if common else ""
        return f"Filtering{adding}{alike}"
    return f"“{label_of(b)}” instead of “{label_of(a)}”"


def findings(
    differences: Sequence[Mapping[str, Any]], labels: Mapping[str, str], wanted: Sequence[tuple[str, str]]
) -> list[Finding]:
    """The findings on the wanted (benchmark, measure) pairs, pair of arms by pair of arms."""
    rank = {place: number for number, place in enumerate(wanted)}
    chosen = [d for d in differences if (d["benchmark"], d["measure"]) in rank]
    pairs = {pair: number for number, pair in reversed(list(enumerate((d["a"], d["b"]) for d in chosen)))}
    chosen.sort(key=lambda d: (pairs[d["a"], d["b"]], rank[d["benchmark"], d["measure"]]))
    return [finding(d, labels.get(d["benchmark"], d["benchmark"])) for d in chosen]


def told(found: Sequence[Finding]) -> list[tuple[str, str]]:
    """The list under the title, as (verdict, sentence): one sentence a pair of arms, on the first measure it has.

    A pair whose first measure claims nothing while another does gets a sentence for that one too.
    """
    said: dict[str, list[Finding]] = {}
    for item in found:
        earlier = said.setdefault(item.effect, [])
        if not earlier or (item.verdict != "unclear" and all(e.verdict == "unclear" for e in earlier)):
            earlier.append(item)
    return [(item.verdict, item.sentence) for items in said.values() for item in items]


def lead(found: Sequence[Finding], everyone: Sequence[Arm], wanted: Sequence[tuple[str, str]], where: str) -> str:
    """The sentence under the title: how far the best student came, and whether anything was compared."""
    nothing = "No two students were compared in this run, so it claims no difference between them."
    return " ".join([*best_student(everyone, wanted, where), *([] if found else [nothing])])


def best_student(everyone: Sequence[Arm], wanted: Sequence[tuple[str, str]], where: str) -> list[str]:
    """What the student with the highest pass@1 passed, and the baseline beside it. Figures only: no claim."""
    place = next((pair for pair in wanted if pair[1] == "pass_at_1"), None)
    scored = [(arm, e) for arm in everyone if place and (e := arm.estimate(*place))]
    students = [(arm, e) for arm, e in scored if not arm.baseline]
    if not students:
        return []
    arm, best = max(students, key=lambda pair: pair[1]["value"])
    if best["value"] == 0:
        return [f"No student passed any of the {where}."]
    found = f"Of the {where}, “{arm.label}” passed {passed(best)}"
    copies = [e for arm, e in scored if arm.baseline]
    return [f"{found}; copying the nearest training exercise passed {passed(copies[0])}." if copies else f"{found}."]


def passed(estimate: Estimate) -> str:
    """A pass rate with its interval, in a sentence."""
    return f"{percent(estimate['value'])} (95\u00a0% interval {measure_interval('pass_at_1', estimate)})"
