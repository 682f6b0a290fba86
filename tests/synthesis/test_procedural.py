"""The procedural writer: what it writes runs, discriminates, and keeps the two sides apart."""

from __future__ import annotations

import ast
import doctest
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import islice
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.errors import InputError, RequestError
from hornbook.recipe import load_recipe
from hornbook.records import Exercise
from hornbook.synthesis import canonical, shares
from hornbook.synthesis.counting import count_compositions, editions
from hornbook.synthesis.families import FAMILIES, base, render, steps, styles
from hornbook.synthesis.families.base import Composition, at, size
from hornbook.synthesis.families.pools import MAKERS, POOL, pool
from hornbook.synthesis.families.probe import Probe
from hornbook.synthesis.procedural import Procedural, compose, families
from hornbook.synthesis.writer import execute

N, HELD_OUT = 1080, 108
ANY_COMPOSITION = st.sampled_from([*FAMILIES.values()]).flatmap(
    lambda family: st.integers(0, size(family) - 1).map(lambda index: at(family, index))
)


@pytest.fixture(scope="module")
def both() -> tuple[list[Exercise], list[Exercise]]:
    return compose(Procedural(n=N, held_out=HELD_OUT, seed=3))


def recipe(exercise: Exercise) -> dict[str, Any]:
    return dict(json.loads(exercise.provenance.recipe))


def identity(exercise: Exercise) -> tuple[str, str]:
    return exercise.topic, json.dumps(recipe(exercise)["parts"], sort_keys=True)


@cache
def known(family: str, slot: str) -> dict[str, base.Part]:
    return {part.id: part for edition in editions(FAMILIES[family], "full") for part in edition.slots[slot]}


def composition_of(exercise: Exercise) -> Composition:
    """A family whose slots hold nothing but the exercise's parts."""
    family, parts = FAMILIES[exercise.topic], recipe(exercise)["parts"]
    slots = {slot: (known(family.name, slot)[parts[slot]],) for slot in family.slots}
    return Composition(replace(family, slots=slots), (0,) * len(slots))


def docstring(exercise: Exercise) -> str:
    tree = ast.parse(exercise.prompt + exercise.solution)
    return ast.get_docstring(next(node for node in tree.body if isinstance(node, ast.FunctionDef))) or ""


def description(exercise: Exercise) -> str:
    return docstring(exercise).partition("\n\n>>>")[0]


def passes(program: str, exercise: Exercise) -> bool:
    space: dict[str, Any] = {}
    judge: dict[str, Any] = {}
    exec(program, space)
    exec(exercise.tests, judge)
    try:
        judge["check"](space[exercise.name])
    except Exception:
        return False
    return True


def test_as_many_as_asked_for_spread_evenly(both: tuple[list[Exercise], list[Exercise]]) -> None:
    for side, count in zip(both, (N, HELD_OUT), strict=True):
        assert len(side) == count
        shares = Counter(exercise.topic for exercise in side)
        assert set(shares) == set(families())
        assert max(shares.values()) - min(shares.values()) <= 1


def test_every_solution_passes_its_tests(both: tuple[list[Exercise], list[Exercise]]) -> None:
    for exercise in [*both[0], *both[1]]:
        assert passes(exercise.prompt + exercise.solution, exercise)
        assert 5 <= exercise.tests.count("assert candidate(") <= 16


def test_prompt_and_solution_have_the_contracted_shape(both: tuple[list[Exercise], list[Exercise]]) -> None:
    for exercise in [*both[0], *both[1]]:
        assert exercise.prompt.endswith('"""\n')
        assert all(line.startswith("    ") for line in exercise.solution.splitlines())
        assert exercise.name.isidentifier()
        assert exercise.name in exercise.prompt
        assert exercise.provenance.writer == "procedural"


def test_examples_in_docstrings_are_true_and_a_minority(both: tuple[list[Exercise], list[Exercise]]) -> None:
    shown = [exercise for exercise in both[0] if ">>>" in exercise.prompt]
    assert 0.05 * N < len(shown) < 0.3 * N
    for exercise in shown:
        space: dict[str, Any] = {}
        exec(exercise.prompt + exercise.solution, space)
        call, value = docstring(exercise).partition(">>> ")[2].split("\n")
        assert eval(call, space) == eval(value, space)


def test_basic_ones_are_short_enough_for_a_small_student() -> None:
    small = load_recipe("laptop").exercises
    training, _ = compose(Procedural(n=N, seed=3, families=small.families, breadth=small.breadth))
    lengths = sorted(len(exercise.prompt + exercise.solution) for exercise in training)
    assert sum(lengths) / N < 360
    assert lengths[int(0.95 * N)] < 480
    assert lengths[-1] < 640


def test_names_and_docstrings_are_never_reused(both: tuple[list[Exercise], list[Exercise]]) -> None:
    everything = [*both[0], *both[1]]
    assert len({exercise.name for exercise in everything}) == len(everything)
    assert len({exercise.id for exercise in everything}) == len(everything)
    assert len({description(exercise) for exercise in everything}) == len(everything)


def test_held_out_shares_no_composition_and_no_behaviour_with_training_under_any_seed() -> None:
    some = ["fold_list", "search", "running", "windows", "lift"]
    trained = [e for seed in (0, 1) for e in compose(Procedural(n=60, seed=seed, families=some))[0]]
    held = compose(Procedural(n=200, held_out=20, seed=2, families=some))[1]
    assert not {identity(e) for e in trained} & {identity(e) for e in held}
    behaviours = {Probe(composition_of(e)).fingerprint for e in trained}
    assert not behaviours & {Probe(composition_of(e)).fingerprint for e in held}


def test_every_part_of_a_held_out_composition_is_in_training(both: tuple[list[Exercise], list[Exercise]]) -> None:
    trained = {part for exercise in both[0] for part in recipe(exercise)["parts"].items()}
    for exercise in both[1]:
        assert set(recipe(exercise)["parts"].items()) <= trained


def test_no_training_solution_passes_a_held_out_exercise(both: tuple[list[Exercise], list[Exercise]]) -> None:
    training, held_out = both
    for exercise in held_out:
        for other in training:
            if other.topic == exercise.topic:
                assert not passes(exercise.prompt + other.solution, exercise)


def test_every_neighbour_fails_the_tests(both: tuple[list[Exercise], list[Exercise]]) -> None:
    """Of those whose parts are in training, at least."""
    seen: dict[str, dict[str, dict[str, base.Part]]] = {}
    for exercise in both[0]:
        for slot, part in vars(composition_of(exercise).choice).items():
            seen.setdefault(exercise.topic, {}).setdefault(slot, {})[part.id] = part
    for exercise in both[1][:54]:
        assert passes(exercise.prompt + exercise.solution, exercise)
        slots = {slot: tuple(parts.values()) for slot, parts in seen[exercise.topic].items()}
        parts = recipe(exercise)["parts"]
        picks = tuple([*options].index(parts[slot]) for slot, options in seen[exercise.topic].items())
        for neighbour in Composition(replace(FAMILIES[exercise.topic], slots=slots), picks).neighbours():
            assert not passes(exercise.prompt + render.solution(neighbour), exercise)


def test_same_seed_same_rows_and_another_seed_other_rows() -> None:
    first, again, other = (compose(Procedural(n=135, held_out=13, seed=seed)) for seed in (7, 7, 8))
    assert first == again
    assert len({identity(e) for e in first[0]} & {identity(e) for e in other[0]}) < 14


def test_same_rows_in_another_process() -> None:
    program = (
        "from hornbook.synthesis.procedural import *; import hashlib\n"
        "print(hashlib.sha256(repr(compose(Procedural(n=60, held_out=6, families=['tally', 'dates']))).encode()).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] != ""


@settings(max_examples=150, deadline=None)
@given(composition=ANY_COMPOSITION, seed=st.integers(0, 99))
def test_text_and_parts_agree_for_any_composition(composition: Composition, seed: int) -> None:
    if not composition.family.allowed(composition.choice):
        return
    probe = Probe(composition)
    for telling in range(render.tellings(composition)):
        text = render.description(composition, telling)
        assert "{" not in text
        assert text.endswith(".")
    execute(render.prompt(composition, "f", text) + render.solution(composition), "f", probe)
    tests = probe.choose_tests(Random(seed))
    assert tests is None or len(set(tests)) == len(tests) >= 5


def test_a_text_that_disagrees_with_its_parts_is_caught() -> None:
    composition = at(FAMILIES["fold_list"], 0)
    wrong = render.prompt(composition, "f", "Wrong.") + "    return 12345\n"
    with pytest.raises(AssertionError, match="the parts say"):
        execute(wrong, "f", Probe(composition))


@settings(max_examples=30, deadline=None)
@given(family=st.sampled_from([*FAMILIES.values()]), data=st.data())
def test_numbering_reaches_every_composition(family: base.Family, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size(family) - 1))
    other = data.draw(st.integers(0, size(family) - 1))
    assert (at(family, index) == at(family, other)) == (index == other)


def test_parts_have_their_own_ids_words_and_slugs() -> None:
    for family in FAMILIES.values():
        for parts in family.slots.values():
            assert len({part.id for part in parts}) == len({part.slug for part in parts}) == len(parts)


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_pools_hold_distinct_inputs(kind: str) -> None:
    assert len({repr(arguments) for arguments in pool(kind)}) == POOL


@pytest.mark.parametrize("module", [base, styles, steps, canonical, shares])
def test_doctests(module: Any) -> None:
    found = doctest.testmod(module)
    assert found.failed == 0 < found.attempted


def test_counts() -> None:
    counts = count_compositions()
    assert list(counts) == families()
    assert len(counts) >= 20
    assert sum(counts.values()) >= 200_000


def test_a_family_used_up_is_told_again_in_other_words() -> None:
    training, _ = compose(Procedural(n=1400, families=["chars"], breadth="basic"))
    times_told = Counter(identity(exercise) for exercise in training)
    assert len(times_told) < len(training)
    assert len({description(exercise) for exercise in training}) == len(training)
    assert len({exercise.name for exercise in training}) == len(training)


def test_unknown_family_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"'grid_cell'.*'grid_cells'"):
        compose(Procedural(n=5, families=["grid_cell"]))


def test_more_than_there_are_is_refused_naming_the_most() -> None:
    with pytest.raises(RequestError, match=r"n: 99999999 .* at most \d+; lower n"):
        compose(Procedural(n=99_999_999, families=["chars"]))
    with pytest.raises(RequestError, match=r"held_out: 500 .* at most \d+ "):
        compose(Procedural(n=20, held_out=500, families=["positions"]))


def test_compositions_are_drawn_without_repeating(both: tuple[list[Exercise], list[Exercise]]) -> None:
    seen = Counter(identity(exercise) for exercise in islice(both[0], N))
    assert set(seen.values()) == {1}
