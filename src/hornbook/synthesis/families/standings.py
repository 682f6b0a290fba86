"""Families about standings: players and their teams, sorted pairs, votes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from operator import itemgetter
from typing import Any

from hornbook.synthesis.families.base import Choice, Family, Fold, Part, lines, named
from hornbook.synthesis.families.ints import MAPS, PREDICATES
from hornbook.synthesis.families.joins import NAMES
from hornbook.synthesis.families.literals import SEPARATORS, about, numbers
from hornbook.synthesis.families.results import COUNT, MEASURES, operand
from hornbook.synthesis.families.texts import TEXT_FOLDS, WORD_MAPS, WORD_PREDICATES

BY_NAME = itemgetter("name")


ORDERINGS: tuple[Part, ...] = (
    Part("given", lambda players: players, "players", ("in the given order",), "given"),
    Part("by_name", lambda players: sorted(players, key=BY_NAME), 'sorted(players, key=lambda q: q["name"])',
         ("in the order of their names",), "by_name"),
    Part("backward", lambda players: [*reversed(players)], "players[::-1]", ("from the last to the first",),
         "backward"),
)  # fmt: skip


PLAYERS = Family(
    name="players",
    slots={
        "order": ORDERINGS,
        "measure": (*MEASURES, COUNT),
        "pred": PREDICATES,
        "map": NAMES,
        "fold": tuple(fold for fold in TEXT_FOLDS if fold.id not in ("sorted", "letters")),
    },
    args="players: list[dict[str, Any]]",
    kind="players",
    title="{fold}_{map}_of_players_{order}_{measure}_if_{pred}",
    sayings=(
        "A player is a dict with a text under 'name' and a list of numbers, never empty, under 'scores'. Go through "
        "players {order}. Of the list of scores find {measure}; if this {pred}, the result is {map}. Return {fold}.",
        "Each of the players has a 'name' and a non-empty list of 'scores'. The finding for a player is about that "
        "list: {measure}. Take the players {order}; for every one whose finding {pred}, the result is {map}. "
        "Return {fold}.",
    ),
    body=lambda p: lines(
        "found = []",
        f"for player in {p.order.code}:",
        '    w, scores = player["name"], player["scores"]',
        f"    x = {p.measure.code.format(v='scores')}",
        f"    if {p.pred.code}:",
        f"        found.append({p.map.code})",
        f"return {p.fold.code}",
    ),
    reference=lambda p: (
        lambda players: p.fold.fn(
            [p.map.fn(player["name"]) for player in p.order.fn(players) if p.pred.fn(p.measure.fn(player["scores"]))]
        )
    ),
    returns=lambda p: p.fold.returns,
    imports="from typing import Any\n\n\n",
)


def teams(p: Choice, players: list[dict[str, Any]]) -> dict[str, int]:
    """The total of each team."""
    gains = [(q["team"], x) for q in players if p.pred.fn(x := p.measure.fn(q["scores"]))]
    return {team: sum(p.map.fn(x) for name, x in gains if name == team) for team, _ in gains}


def outcome(name: str, fn: Callable[[dict[str, int]], Any], code: str, words: str, returns: str) -> Fold:
    """What is returned of a dict of totals."""
    return Fold(name, fn, code, (words,), name, returns=returns)


def leader(totals: dict[str, int]) -> str:
    """The name with the largest total, the earliest of several."""
    return min((name for name in totals if totals[name] == max(totals.values())), default="")


RANKED = "sorted(totals, key=lambda name: (-totals[name], name))"


OUTCOMES: tuple[Fold, ...] = (
    outcome("totals", dict, "totals", "a dict from {of} to total", "dict[str, int]"),
    outcome(
        "leader",
        leader,
        'min(totals, key=lambda name: (-totals[name], name), default="")',
        'the {of} with the largest total (on a tie the one first in the alphabet, and "" if there is none)',
        "str",
    ),
    outcome(
        "ranking",
        lambda totals: sorted(sorted(totals), key=totals.__getitem__, reverse=True),
        RANKED,
        "the list of {of}s by falling total, those with equal totals in the order of the alphabet",
        "list[str]",
    ),
    outcome(
        "pairs",
        lambda totals: [(name, totals[name]) for name in sorted(totals)],
        "sorted(totals.items())",
        "a list of pairs of {of} and total, sorted by {of}",
        "list[tuple[str, int]]",
    ),
    outcome(
        "lines",
        lambda totals: [f"{name}: {totals[name]}" for name in sorted(totals)],
        'sorted(f"{name}: {n}" for name, n in totals.items())',
        "a sorted list of texts, each made of {of}, colon, space and total",
        "list[str]",
    ),
)


def outcomes(of: str) -> tuple[Fold, ...]:
    """The outcomes, said of the totals of such things."""
    return tuple(replace(fold, words=tuple(text.replace("{of}", of) for text in fold.words)) for fold in OUTCOMES)


TEAM_TOTALS = Family(
    name="team_totals",
    slots={
        "measure": (*MEASURES, COUNT),
        "pred": PREDICATES,
        "map": about(MAPS, "the finding"),
        "outcome": outcomes("team"),
    },
    args="players: list[dict[str, Any]]",
    kind="players",
    title="{outcome}_of_teams_{measure}_{map}_if_{pred}",
    sayings=(
        "Each player is a dict with the texts 'name' and 'team' and a non-empty list 'scores'. The finding for a "
        "player "
        "is about the scores: {measure}. If it {pred}, the player's team gains {map}. Teams that never gain anything "
        "are left out. Return {outcome}.",
        "Add up what teams gain. A player with 'team' and a non-empty list of 'scores' has as finding, of that list, "
        "{measure}; where it {pred}, the team's total grows by {map}. Only teams with such a player have a total. "
        "Return {outcome}.",
    ),
    body=lambda p: lines(
        "totals = {}",
        "for player in players:",
        '    team, scores = player["team"], player["scores"]',
        f"    x = {p.measure.code.format(v='scores')}",
        f"    if {p.pred.code}:",
        f"        totals[team] = totals.get(team, 0) + {operand(p.map.code)}",
        f"return {p.outcome.code}",
    ),
    reference=lambda p: lambda players: p.outcome.fn(teams(p, players)),
    returns=lambda p: p.outcome.returns,
    imports="from typing import Any\n\n\n",
)

# a sort key of a pair of a name and a score
ORDERS_OF_PAIRS: tuple[Part, ...] = (
    named("high", lambda pair: -pair[1], "-q[1]", "larger scores first"),
    named("low", lambda pair: pair[1], "q[1]", "smaller scores first"),
    named("short", lambda pair: len(pair[0]), "len(q[0])", "shorter names first"),
    named("long", lambda pair: -len(pair[0]), "-len(q[0])", "longer names first"),
    named("final", lambda pair: ord(pair[0][-1]), "q[0][-1]", "by the last letter of the name, from a to z"),
    named("initial", lambda pair: ord(pair[0][0]), "q[0][0]", "by the first letter of the name, from a to z"),
    named("alphabet", lambda pair: pair[0], "q[0]", "in the order of the alphabet"),
    named(
        "digit", lambda pair: pair[1] - pair[1] // 10 * 10, "q[1] % 10", "smaller remainders of the score by 10 first"
    ),
    named("parity", lambda pair: pair[1] & 1, "q[1] % 2", "even scores before odd ones"),
    named("near", lambda pair: max(pair[1] - 5, 5 - pair[1]), "abs(q[1] - 5)", "scores nearer to 5 first"),
)


CLASHES = ({"short", "long"}, {"high", "low"})  # after the one, the other decides nothing


PODIUM = Family(
    name="podium",
    slots={
        "first": ORDERS_OF_PAIRS,
        "second": ORDERS_OF_PAIRS,
        "top": numbers(range(2, 7)),
        "map": NAMES,
        "sep": SEPARATORS,
    },
    args="scores: list[tuple[str, int]]",
    kind="records",
    title="{map}_with_{sep}_of_top_{top}_{first}_then_{second}",
    sayings=(
        "Sort the pairs of name and score: {first}; where that decides nothing, {second}; where that decides nothing "
        "either, as they stood. Of the first {top} pairs, or of all if there are fewer, the results are, each time, "
        "{map}. Return the results as one text, joined by {sep}.",
        "Put scores, a list of (name, score), in order: {first}; among equals {second}; among those equal in both, the "
        "given order stays. Keep at most {top} from the front. For each of them the result is {map}. Return the "
        "results as one text, joined by {sep}.",
    ),
    body=lambda p: lines(
        f"ranked = sorted(scores, key=lambda q: ({p.first.code}, {p.second.code}))",
        f"found = [{p.map.code} for w, _ in ranked[:{p.top.code}]]",
        f"return {p.sep.code}.join(found)",
    ),
    reference=lambda p: (
        lambda scores: p.sep.value.join(
            [
                p.map.fn(pair[0])
                for i, pair in enumerate(sorted(sorted(scores, key=p.second.fn), key=p.first.fn))
                if i < p.top.value
            ]
        )
    ),
    returns=lambda _: "str",
    allowed=lambda p: {p.first.id, p.second.id} not in CLASHES and p.first.id not in ("alphabet", p.second.id),
)


def ballots(p: Choice, votes: list[str]) -> dict[str, int]:
    """The totals that are large enough."""
    heavy, light = (Counter(p.map.fn(w) for w in votes if p.pred.fn(w) == truth) for truth in (True, False))
    totals = {name: p.weight.value * heavy[name] + light[name] for name in {**heavy, **light}}
    return {name: n for name, n in totals.items() if not n < p.least.value}


VOTES = Family(
    name="votes",
    slots={
        "map": about(WORD_MAPS, "the vote"),
        "weight": numbers(range(2, 10)),
        "pred": WORD_PREDICATES,
        "least": numbers(range(2, 6)),
        "outcome": outcomes("name"),
    },
    args="votes: list[str]",
    kind="many_words",
    title="{outcome}_of_votes_{map}_weight_{weight}_if_{pred}_least_{least}",
    sayings=(
        "Every vote is a word. It goes to a name, which is {map}, and counts {weight} if the vote {pred}, else 1. "
        "Names with a "
        "total below {least} are dropped. Return {outcome}.",
        "Count votes. A vote that {pred} weighs {weight}, any other 1, and the name it is for is {map}. Only "
        "names with a total of {least} or more matter. Return {outcome}.",
    ),
    body=lambda p: lines(
        "totals = Counter()",
        "for w in votes:",
        f"    totals[{p.map.code}] += {p.weight.code} if {p.pred.code} else 1",
        f"totals = {{name: n for name, n in totals.items() if n >= {p.least.code}}}",
        f"return {p.outcome.code}",
    ),
    reference=lambda p: lambda votes: p.outcome.fn(ballots(p, votes)),
    returns=lambda p: p.outcome.returns,
    imports="from collections import Counter\n\n\n",
)
