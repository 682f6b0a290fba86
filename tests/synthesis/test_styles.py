"""Styles of solution, wider parts, mutants in the choice of tests, and the count of compositions."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.records import Exercise
from hornbook.synthesis import writer
from hornbook.synthesis.counting import allowed, count_compositions, disjoint, editions
from hornbook.synthesis.families import FAMILIES, ints, ranges, texts, wide
from hornbook.synthesis.families.base import Composition, Fold, Part, at, gather, size
from hornbook.synthesis.families.mutated import MOST_ROUNDS, Endless, mutated
from hornbook.synthesis.families.probe import Probe
from hornbook.synthesis.families.steps import STEPS, after
from hornbook.synthesis.families.styles import Spelling, difficulty, retold, spellings, style_of
from hornbook.synthesis.procedural import Procedural, compose, stream
from hornbook.synthesis.shares import numbers
from hornbook.synthesis.writer import ONE_OF, agrees

SUM = ints.FOLDS[0]
ANY_EDITION = st.sampled_from([*FAMILIES.values()]).flatmap(lambda family: st.sampled_from(editions(family, "full")))


def recipe(exercise: Exercise) -> dict[str, Any]:
    return dict(json.loads(exercise.provenance.recipe))


@settings(max_examples=150, deadline=None)
@given(family=ANY_EDITION, data=st.data())
def test_every_style_of_any_composition_means_the_same(family: Any, data: st.DataObject) -> None:
    composition = at(family, data.draw(st.integers(0, size(family) - 1)))
    if family.allowed(composition.choice):
        probe = Probe(composition)
        found = spellings(composition)
        assert len({spelling.style for spelling in found}) == len({spelling.body for spelling in found}) == len(found)
        assert [s.style for s in found if not agrees(probe, s)] == []


def test_a_loop_is_told_in_every_style() -> None:
    told = retold(gather(SUM, "for a, b in zip(left, right):", "x > 3", "x * x", "x = a - b"))
    assert told == {
        "guard": "total = 0\nfor a, b in zip(left, right):\n    x = a - b\n    if x <= 3:\n        continue\n"
        "    total += x * x\nreturn total",
        "comprehension": "return sum(x * x for a, b in zip(left, right) for x in [a - b] if x > 3)",
        "pipeline": "",
        "generator": "def results():\n    for a, b in zip(left, right):\n        x = a - b\n        if x > 3:\n"
        "            yield x * x\nreturn sum(results())",
        "recursion": "def results(rest):\n    if not rest:\n        return []\n    a, b = rest[0]\n    x = a - b\n"
        "    taken = [x * x] if x > 3 else []\n    return taken + results(rest[1:])\n"
        "return sum(results(list(zip(left, right))))",
    }


def test_a_fold_that_no_list_says_is_told_as_a_loop_only() -> None:
    own = Fold("odd", len, "n", ("",), "odd", "n = 0", "n += 1")
    assert [*retold(gather(own, "for x in values:", "x", "x"))] == ["guard"]
    assert [*retold(gather(SUM, "while values:", "x", "x", "x = values.pop()"))] == ["guard"]


@pytest.mark.parametrize(
    ("body", "style", "level"),
    [
        ("return x + 1", "expression", 1),
        ("if x:\n    return 1\nreturn 2", "branches", 1),
        ("return [y for y in x if y > 1]", "comprehension", 1),
        ("for y in x:\n    if y:\n        return y", "loop", 1),
        ("for y in x:\n    if y and not z:\n        return y", "loop", 2),
        ("for y in x:\n    if 1 < y < 4 and z:\n        return y", "loop", 2),
        ("for y in x:\n    if 1 < y < 4 and z or a:\n        return y", "loop", 3),
        ("def g():\n    yield 1\nreturn list(g())", "generator", 1),
        ("def g(y):\n    return g(y[1:]) if y else 0\nreturn g(x)", "recursion", 1),
    ],
)
def test_styles_and_levels_are_read_off_the_body(body: str, style: str, level: int) -> None:
    assert (style_of(body), difficulty(body)) == (style, level)


def test_a_retold_body_that_means_something_else_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Spelling("wrong", "return 12345")
    monkeypatch.setattr(writer, "spellings", lambda c: [*spellings(c)[:1], wrong, wrong, wrong, wrong])
    made, _ = compose(Procedural(n=20, families=["digits"]))
    assert {recipe(exercise)["style"] for exercise in made} == {"loop"}


def test_styles_and_levels_are_drawn_and_recorded() -> None:
    made, _ = compose(Procedural(n=120, families=["fold_list", "running"], seed=2))
    styles = Counter(recipe(exercise)["style"] for exercise in made)
    assert set(styles) == {"loop", "guard", "comprehension", "pipeline", "generator", "recursion", "library"}
    for exercise in made:
        body = "\n".join(line[4:] for line in exercise.solution.splitlines())
        assert recipe(exercise)["difficulty"] == difficulty(body)
    hard, _ = compose(Procedural(n=30, families=["fold_list", "running"], difficulty=[3]))
    assert {recipe(exercise)["difficulty"] for exercise in hard} == {3}


def test_basic_ones_keep_to_basic_parts_and_the_familys_own_style() -> None:
    made, _ = compose(Procedural(n=60, families=["fold_list", "make_list"], breadth="basic"))
    basic = {part.id for slots in (ints.FOLDS, ints.LISTS, ints.MAPS, ints.PREDICATES) for part in slots}
    for exercise in made:
        assert set(recipe(exercise)["parts"].values()) <= basic
        assert recipe(exercise)["style"] == {"fold_list": "loop", "make_list": "comprehension"}[exercise.topic]


def test_no_two_wide_parts_mean_the_same_and_no_chain_what_one_condition_means() -> None:
    parts, chains = wide.conditions(texts.CHAR_PREDICATES) or ((), [])
    told = [wide.meaning(part, ranges.CHARACTERS) for part in [*parts, *chains]]
    basic = len(texts.CHAR_PREDICATES)
    assert len(set(told)) == len(told) - (basic - len(set(told[:basic])))
    assert len(chains) > 1000
    for part in islice(chains, 0, None, 97):
        assert (
            0
            < sum(bool(part.fn(c)) == eval(part.code, {"c": c}) for (c,) in ranges.CHARACTERS)
            == len(ranges.CHARACTERS)
        )


@pytest.mark.parametrize("name", ["fold_list", "zipped", "spans", "grid_rows", "dates", "words", "chars", "digits"])
def test_wide_slots_hold_different_ids_and_slugs(name: str) -> None:
    for edition in editions(FAMILIES[name], "full"):
        for parts in edition.slots.values():
            some = [parts[i] for i in range(0, len(parts), 1 + len(parts) // 3000)]
            assert len({part.id for part in some}) == len({part.slug for part in some}) == len(some)


def test_a_second_step_is_said_without_ambiguity() -> None:
    by_id = {step.id: step for step in STEPS}
    less, part = ints.away(9), Part("double", lambda x: x + x, "x * 2", ("its double",), "double")
    said = {(p.id, s): after(p, by_id[s]) for p in (less, part) for s in ("plus:3", "mod:7", "capped:5")}
    assert [(made.code, made.words[0], made.fn(10)) for made in said.values()] == [
        ("9 - x + 3", "(9 minus it) plus 3", 2),
        ("(9 - x) % 7", "the remainder by 7 of (9 minus it)", 6),
        ("min(9 - x, 5)", "the smaller of (9 minus it) and 5", -1),
        ("x * 2 + 3", "its double plus 3", 23),
        ("(x * 2) % 7", "the remainder by 7 of its double", 6),
        ("min(x * 2, 5)", "the smaller of its double and 5", 5),
    ]


def test_mutants_run_here_and_those_without_end_are_stopped() -> None:
    found = mutated("def f(n):\n    s = 0\n    while n > 0:\n        s += n\n        n -= 1\n    return s\n", "f")
    results = []
    for mutant in found:
        try:
            results.append(mutant(3))
        except Exception as error:
            results.append(type(error).__name__)
    assert MOST_ROUNDS == 2000
    # s = 1; not; n >= 0, n < 0, n > 1; s -= n; n += 1, n -= 2, n -= 0; return None
    assert results == [7, 0, 6, 0, 5, -6, "Endless", 4, "Endless", None]
    none, more, less = mutated("from itertools import count\ndef f():\n    return next(count(2))\n", "f")
    assert (none(), more(), less()) == (None, 3, 1)
    _, never, *_ = mutated("from itertools import count\ndef f():\n    return [n for n in count() if n < 0]\n", "f")
    with pytest.raises(Endless):
        never()


def test_tests_are_chosen_to_kill_mutants() -> None:
    composition = next(
        c
        for c in (at(FAMILIES["fold_list"], i) for i in range(9999))
        if list(c.part_ids.values()) == ["sum", "times:3", "above:5"]
    )
    probe = Probe(composition)
    boundary = lambda values: sum(3 * x for x in values if x >= 5)  # noqa: E731
    for seed in range(20):
        tests = probe.choose_tests(Random(seed), [boundary])
        assert tests is not None
        assert any(5 in probe.pool[i][0] for i in tests)


def test_a_row_that_no_few_tests_can_prove_is_not_written() -> None:
    """One mutant in five may pass, one in four may not."""
    probe = Probe(at(FAMILIES["make_list"], 4 * 7 + 0))
    same = probe.composition.function()
    assert probe.choose_tests(Random(0), [same, *[lambda _: None] * 3]) is None
    assert probe.choose_tests(Random(0), [same, *[lambda _: None] * 4]) is not None


def test_small_families_are_drawn_from_less() -> None:
    sizes = {name: sum(map(size, editions(FAMILIES[name], "full"))) for name in ("positions", "queue")}
    made, _ = compose(Procedural(n=60, families=["positions", "queue"], breadth="basic"))
    shares = Counter(exercise.topic for exercise in made)
    assert shares == {
        "positions": size(FAMILIES["positions"]) // ONE_OF,
        "queue": 60 - size(FAMILIES["positions"]) // ONE_OF,
    }
    assert sizes["positions"] // ONE_OF > 100


def test_seeds_hardly_overlap() -> None:
    first, other = (compose(Procedural(n=200, seed=seed))[0] for seed in (11, 12))
    assert len({e.id for e in first} & {e.id for e in other}) < 2


@pytest.mark.parametrize("total", [1, 50, 100_000])
def test_numbers_come_in_any_order_and_never_twice(total: int) -> None:
    drawn = [*islice(numbers(total, Random(1)), 5000)]
    assert len(set(drawn)) == len(drawn) == min(total, 5000)
    assert set(drawn) <= set(range(total))


def test_rows_come_as_they_are_written() -> None:
    rows = stream(Procedural(n=10_000_000, families=["fold_list"]))
    assert [held_out for _, held_out in islice(rows, 3)] == [False] * 3


def test_compositions_are_counted_as_listed() -> None:
    family = FAMILIES["swap_list"]
    listed = sum(family.allowed(at(family, i).choice) for i in range(size(family)))
    assert count_compositions("basic")["swap_list"] == listed < size(family)
    edition = disjoint(FAMILIES["char_swap"])[0]
    exact = sum(edition.allowed(at(edition, i).choice) for i in range(size(edition)))
    assert allowed(edition) == exact
    assert sum(count_compositions().values()) >= 10_000_000


def test_a_sampled_count_never_exceeds_the_exact_one(monkeypatch: pytest.MonkeyPatch) -> None:
    edition = disjoint(FAMILIES["char_swap"])[0]
    exact = allowed(edition)
    monkeypatch.setattr("hornbook.synthesis.counting.ENUMERATED", 10)
    assert 0.9 * exact < allowed(edition) < exact


def test_editions_share_no_composition() -> None:
    found = disjoint(FAMILIES["spans"])
    ids = [{tuple(Composition(e, p).part_ids.values()) for p in picks(e, Random(4))} for e in found]
    assert all(not a & b for i, a in enumerate(ids) for b in ids[:i])


def picks(edition: Any, rng: Random) -> list[tuple[int, ...]]:
    return [at(edition, rng.randrange(size(edition))).picks for _ in range(2000)]
