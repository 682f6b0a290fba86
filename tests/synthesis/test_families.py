"""The families with large spaces: what they mean, worked out by hand, and that their spaces are as rich as they look."""

from __future__ import annotations

import doctest
from datetime import date
from random import Random
from typing import Any

import pytest

from hornbook.synthesis.families import FAMILIES, literals, render, results
from hornbook.synthesis.families.base import Composition, Family, at, size
from hornbook.synthesis.families.probe import Probe

OLDER = 27  # families that test_procedural.py already looks at more closely
LARGE = list(FAMILIES.values())[OLDER:]


def composition(family: str, **parts: str) -> Composition:
    """The composition of these part ids; the first part in every slot that is not named."""
    slots = FAMILIES[family].slots
    picks = [[p.id for p in options].index(parts[slot]) if slot in parts else 0 for slot, options in slots.items()]
    return Composition(FAMILIES[family], tuple(picks))


def some(family: Family, count: int) -> list[Composition]:
    """Allowed compositions drawn at random."""
    rng = Random(family.name)
    drawn = (at(family, rng.randrange(size(family))) for _ in range(9 * count))
    return [c for c in drawn if family.allowed(c.choice)][:count]


GRID = [[1, 2, 3], [4, 5, 6]]
PLAYERS = [
    {"name": "wolf", "team": "red", "scores": [2, 5]},
    {"name": "ant", "team": "blue", "scores": [4]},
    {"name": "bee", "team": "red", "scores": [9, 1, 1]},
]
TREE = (4, (2, None, (3, None, None)), (7, None, None))

# family, the parts, the arguments, the value: each worked out by hand from the first saying
WORKED: list[tuple[str, dict[str, str], tuple[Any, ...], Any]] = [
    ("windows", {"size": "2", "measure": "sum", "map": "self", "pred": "above:4", "fold": "list"}, ([1, 2, 4, 5],), [6, 9]),
    ("chunks", {"size": "2", "rest": "kept", "measure": "max", "map": "double", "pred": "positive", "fold": "list"}, ([1, 2, 9, 5, 3],), [4, 18, 6]),
    ("chunks", {"size": "2", "rest": "dropped", "measure": "max", "map": "double", "pred": "positive", "fold": "list"}, ([1, 2, 9, 5, 3],), [4, 18]),
    ("streaks", {"pred": "even", "least": "2", "measure": "count", "map": "self", "fold": "list"}, ([2, 4, 1, 8, 3, 6, 6, 6],), [2, 3]),
    ("all_pairs", {"measure": "gap", "pred": "positive", "map": "self", "fold": "list"}, ([1, 4, 4],), [3, 3]),
    ("side_by_side", {"fill": "5", "measure": "added", "pred": "positive", "fold": "list"}, ([1, 2], [10]), [11, 7]),
    ("two_sets", {"left": "self", "right": "double", "operation": "both", "pred": "positive", "fold": "sorted"}, ([2, 4, 5], [1, 2, 3]), [2, 4]),
    ("two_sets", {"left": "self", "right": "double", "operation": "one", "pred": "positive", "fold": "sorted"}, ([2, 4, 5], [1, 2, 3]), [5, 6]),
    ("one_per_key", {"key": "modulo:3", "pred": "positive", "direction": "backward", "map": "self", "fold": "list"}, ([1, 2, 4, 6],), [6, 4, 2]),
    ("allowance", {"most": "2", "key": "modulo:3", "map": "self", "fold": "list", "pred": "positive"}, ([1, 4, 7, 2, 5], [5]), [1, 4, 2]),
    ("merged_spans", {"gap": "2", "extra": "1", "measure": "length", "map": "self", "fold": "list"}, ([(6, 8), (1, 3), (20, 20)],), [8, 1]),
    ("covered", {"low": "0", "high": "12", "count": "exactly_2", "map": "self", "fold": "list"}, ([(1, 4), (3, 6), (9, 9)],), [3]),
    ("free_gaps", {"open": "0", "close": "16", "least": "2", "map": "self", "fold": "list"}, ([(5, 8), (9, 13), (15, 19), (-3, 1)],), [4, 2]),
    ("by_place", {"place": "diagonal", "pred": "positive", "map": "self", "fold": "list"}, (GRID,), [1, 5]),
    ("columns", {"measure": "sum", "pred": "positive", "map": "self", "fold": "list"}, (GRID,), [5, 7, 9]),
    ("neighbours", {"pred": "even", "side": "cross", "map": "self", "fold": "list"}, (GRID,), [9, 6, 8]),
    ("formula_table", {"start": "1", "formula": "product", "pred": "even", "map": "self", "other": "0"}, (2, 3), [[0, 2, 0], [2, 4, 6]]),
    ("reshaped", {"first": "turned", "second": "totalled", "pred": "even", "map": "negated"}, (GRID,), [[1, -4, 5], [-2, 5, 7], [3, -6, 9]]),
    ("walk", {"width": "3", "height": "2", "edge": "round", "across": "1", "down": "11", "fold": "list"}, ("LLUR",), [2, 1, 12, 13]),
    ("walk", {"width": "3", "height": "2", "edge": "stop", "across": "1", "down": "11", "fold": "list"}, ("LDDR",), [0, 11, 11, 12]),
    ("orders", {"missing": "5", "many": "3", "off": "2", "pred": "positive", "fold": "list"}, ({"tea": 4}, [("tea", 2), ("nut", 3)]), [8, 13]),
    ("seating", {"map": "upper", "sep": "dash", "missing": "none", "pred": "longer:2", "fold": "list"}, ([("ann", "a"), ("bob", "b"), ("jo", "a")], {"a": "R1"}), ["ANN-R1", "BOB-none"]),
    ("lists_by_name", {"key": "upper", "pred": "even", "map": "double", "least": "2", "measure": "sum"}, ({"a": [2, 3, 4], "b": [2]},), {"A": 12}),
    ("word_index", {"key": "initial", "pred": "longer:2", "start": "1", "step": "2", "measure": "places"}, (["ant", "ox", "ape", "bee"],), {"a": [1, 5], "b": [7]}),
    ("players", {"order": "by_name", "measure": "max", "pred": "above:4", "map": "upper", "fold": "list"}, (PLAYERS,), ["BEE", "WOLF"]),
    ("team_totals", {"measure": "sum", "pred": "positive", "map": "self", "outcome": "ranking"}, (PLAYERS,), ["red", "blue"]),
    ("podium", {"first": "short", "second": "high", "top": "2", "map": "plain", "sep": "comma"}, ([("abc", 9), ("ab", 1), ("xy", 5)],), "xy,ab"),
    ("votes", {"map": "plain", "weight": "3", "pred": "longer:3", "least": "2", "outcome": "totals"}, (["fig", "gate", "fig", "elm"],), {"fig": 2, "gate": 3}),
    ("votes", {"map": "plain", "weight": "2", "pred": "longer:3", "least": "2", "outcome": "leader"}, (["fig", "gate", "fig", "elm"],), "fig"),
    ("worked_time", {"day": "8", "block": "10", "rounding": "up", "rate": "2", "fee": "5"}, ("1d 1h 5m",), 5 + 2 * 550),
    ("readings", {"fault": "as:7", "pred": "odd", "map": "self", "fold": "list"}, (["3", "x", "4"],), [3, 7]),
    ("settings", {"key": "lower", "pred": "positive", "map": "self", "again": "sum"}, (["Size: 3", "# size: 9", "end", " size :  4"],), {"size": 7}),
    ("numbers_in_text", {"pattern": "hashed", "pred": "positive", "map": "self", "fold": "list"}, ("a #12 7 b#3",), [12, 3]),
    ("expanded", {"pred": "odd", "map": "self", "char": "raised", "sep": "dash"}, ("3a2b1c",), "AAA-C"),
    ("packed", {"form": "before", "pred": "alpha", "map": "plain", "least": "2", "sep": "dot"}, ("aaa11bcc",), "3a.2c"),
    ("expressions", {"plus": "taken", "minus": "larger", "star": "shifted", "map": "self"}, ("9 + 2 - 8 * 3",), 83),
    ("inside", {"depth": "just_1", "pred": "unvowel", "map": "plain", "sep": "dot"}, ("x(ab(c)d)",), "b.(.).d"),
    ("aligned", {"pred": "positive", "width": "7", "side": "right", "fill": "dot", "sep": "bar", "places": "3"}, ([("ox", 5), ("ant", -1)],), ".....ox|  5"),
    ("wrapped", {"width": "8", "sep": "space", "mark": "quote", "map": "plain", "pred": "longer:2"}, (["fig", "elm", "ox", "island", "ant"],), ["> fig elm", "> island", "> ant"]),
    ("numbered", {"style": "two", "start": "9", "step": "2", "sep": "colon", "map": "plain", "pred": "longer:2"}, (["fig", "ox", "elm"],), ["09:fig", "11:elm"]),
    ("shifted", {"shift": "1", "growth": "2", "spared": "spared:aeiou", "other": "raised", "direction": "backward"}, ("bazz",), "geAc"),
    ("letter_values", {"start": "2", "step": "3", "style": "binary", "spared": "spared:xyz", "sep": "space"}, ("axb",), "10 101"),
    ("check_digits", {"even": "2", "odd": "3", "modulus": "19", "extra": "9", "end": "last", "shape": "appended"}, ("125",), "125-8"),
    ("bit_steps", {"first": "set:9", "second": "left:2", "third": "more", "outcome": "binary"}, (2,), "101101"),
    ("base_digits", {"base": "7", "pred": "positive", "map": "self", "fold": "list"}, (50,), [1, 1]),
    ("remainders", {"start": "3", "factor": "2", "plus": "5", "modulus": "11", "kept": "all", "fold": "list"}, (4,), [3, 0, 5, 4]),
    ("two_before", {"first": "1", "second": "2", "rule": "next", "modulus": "7", "fold": "list"}, (5,), [1, 2, 4, 0, 5]),
    ("countdown", {"stop": "1", "divisor": "3", "minus": "2", "map": "self", "fold": "list"}, (11,), [11, 9, 3]),
    ("divisors", {"measure": "sum", "pred": "even", "map": "self", "fold": "list"}, (15,), [16, 8, 8, 16]),
    ("routes", {"short": "1", "long": "3", "pred": "divisible:4", "factor": "2", "plus": "1"}, (5,), 3),
    ("coins", {"big": "20", "middle": "8", "low": "3", "fee": "1", "outcome": "kinds"}, (51,), ([20, 8, 3], 1)),
    ("appointments", {"every": "7", "first": "1", "move": "later", "pred": "day_above:5", "shown": "iso"}, (date(2024, 5, 3), 2), ["2024-05-06", "2024-05-13"]),
    ("date_gaps", {"day": "workday", "pred": "positive", "map": "self", "fold": "list"}, ([date(2024, 5, 6), date(2024, 5, 4), date(2024, 5, 2)],), [4]),
    ("clocks", {"hours": "2", "minutes": "30", "open": "9", "close": "20", "shown": "clock"}, (["06:30", "06:29", "17:31", "22:00"],), ["09:00"]),
    ("shifts", {"long": "4", "rest": "30", "rate": "2", "fee": "10", "fold": "list"}, (["08:00-12:00", "08:00-12:01"],), [490, 432]),
    ("nested_numbers", {"pred": "positive", "map": "self", "depth": "ten", "fold": "list"}, ([1, [2, [-3, 4]], 5],), [11, 22, 34, 15]),
    ("trees", {"order": "node_between", "pred": "positive", "map": "self", "fold": "list"}, (TREE,), [2, 3, 4, 7]),
    ("trees", {"order": "node_last", "pred": "positive", "map": "self", "fold": "list"}, (TREE,), [3, 2, 7, 4]),
    ("paths", {"sep": "slash", "key": "upper", "pred": "positive", "map": "double"}, ({"a": {"b": 3, "c": -1}, "d": 4},), {"A/B": 6, "D": 8}),
    ("weights", {"box": "1", "factor": "2", "map": "self", "fold": "largest"}, ([3, [1, 4]],), 19),
    ("machine", {"idle_a": "busy", "idle_b": "done", "busy_a": "done", "busy_b": "idle", "done_a": "idle", "done_b": "done", "idle": "1", "busy": "4", "done": "7", "fold": "list"}, ("aabaa",), [4, 7, 7, 1, 4]),
    ("lift", {"top": "6", "start": "2", "up": "3", "down": "1", "door": "5", "fold": "list"}, ([4, 7, 1, 1],), [11, 8, 5]),
    ("thermostat", {"low": "15", "high": "18", "gain": "2", "loss": "1", "begin": "off", "fold": "list"}, ([16, 14, 17, 18],), [15, 16, 19, 17]),
    ("store", {"start": "3", "pred": "longer:3", "least": "2", "order": "5", "outcome": "stock"}, ([("gate", -2), ("fig", -1), ("fig", 1)],), {"gate": 6, "fig": 1}),
    ("desk", {"room": "2", "pred": "longer:3", "whom": "all", "map": "plain", "sep": "dash"}, (["fig", "gate", "ox", "next", "elm"],), "gate-fig-elm"),
    ("meter", {"start": "5", "factor": "2", "map": "double", "reading": "history"}, (["add 3", "step", "undo", "step"],), [5, 11]),
    ("tariff", {"first": "10", "second": "20", "low": "2", "middle": "5", "high": "8", "fee": "3", "least": "35"}, (32,), 139),
    ("tariff", {"first": "10", "second": "20", "low": "2", "middle": "5", "high": "8", "fee": "3", "least": "35"}, (4,), 35),
    ("entry_price", {"young": "6", "old": "64", "child": "10", "senior": "15", "adult": "20", "extra": "3", "many": "5", "off": "2"}, (65, "sun", 6), 16),
    ("account", {"start": "10", "limit": "5", "fee": "2", "large": "12", "bonus": "3", "summary": "both"}, ([12, -30, -28, 5],), (0, 1)),
    ("postage", {"light": "4", "heavy": "8", "price": "3", "middle": "9", "top": "13", "surcharge": "6", "fold": "list"}, ([(4, "home"), (5, "island"), (9, "abroad")],), [3, 15, 26]),
    ("shared_costs", {"fee": "4", "guests": "1", "round": "5", "gift": "2"}, ({"a": 20, "b": 7},), {"a": -7, "b": 8}),
]  # fmt: skip


@pytest.mark.parametrize(("family", "parts", "given", "value"), WORKED)
def test_meaning_worked_out_by_hand(family: str, parts: dict[str, str], given: tuple[Any, ...], value: Any) -> None:
    assert composition(family, **parts).function()(*given) == value


def test_every_large_family_has_a_worked_value() -> None:
    assert {family.name for family in LARGE} == {name for name, *_ in WORKED}


@pytest.mark.parametrize("family", LARGE, ids=lambda family: family.name)
def test_text_and_parts_agree_in_words_that_are_whole_sentences(family: Family) -> None:
    for one in some(family, 12):
        probe = Probe(one)
        for telling in range(min(render.tellings(one), 6)):
            text = render.description(one, telling)
            assert text.endswith(".")
            assert not {"{", "}", "\\", '"""', "  "} & {text[i : i + n] for n in (1, 2, 3) for i in range(len(text))}
            assert not text.startswith(family.args.split(":")[0].capitalize() + " ")
        space: dict[str, Any] = {}
        exec(render.prompt(one, "f", text) + render.solution(one), space)
        assert [space["f"](*given) for given in probe.pool] == probe.values


@pytest.mark.parametrize("family", LARGE, ids=lambda family: family.name)
def test_solutions_are_short(family: Family) -> None:
    for one in some(family, 12):
        rows = render.solution(one).splitlines()
        assert len(rows) <= 16
        assert max(map(len, rows)) <= 120


@pytest.mark.parametrize("family", LARGE, ids=lambda family: family.name)
def test_compositions_differ_in_behaviour_and_in_name(family: Family) -> None:
    chosen = some(family, 40)
    assert len({Probe(one).fingerprint for one in chosen}) >= 0.9 * len({one.picks for one in chosen})
    assert len({render.title(one) for one in chosen}) == len({one.picks for one in chosen})


def test_spaces_are_large() -> None:
    sizes = {family.name: size(family) for family in LARGE}
    assert len(sizes) >= 66
    assert min(sizes.values()) > 20_000
    assert sum(count >= 50_000 for count in sizes.values()) >= 55
    assert sum(sizes.values()) > 12_000_000


def test_doctests() -> None:
    for module in (literals, results):
        done = doctest.testmod(module)
        assert done.attempted > 0
        assert done.failed == 0
