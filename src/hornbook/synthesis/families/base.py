"""What a family of exercises is made of.

A *part* is one small idea (a predicate, a map, a fold) with a meaning (`fn`), a spelling in Python (`code`), and words.
A *family* has slots, each filled by a part; a *composition* is a family with one part in every slot. The family says
twice what a composition means: `reference` composes the parts' callables, `body` composes their spellings. The two must
agree when the body is executed, so neither can be wrong alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from types import SimpleNamespace
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """One idea: `fn` is its meaning, `code` its spelling, `words` the ways to say it, `slug` its place in names."""

    id: str
    fn: Callable[..., Any]
    code: str
    words: tuple[str, ...]
    slug: str


def named(name: str, fn: Callable[..., Any], code: str, *words: str) -> Part:
    """A part whose name is both its id and its slug."""
    return Part(name, fn, code, words, name)


@dataclass(frozen=True, slots=True)
class Fold(Part):
    """How results are gathered in a loop: `init`, then `step` of every result `{e}`, then return `code`.

    `fn` takes the list of results. `returns` is the type of what comes out. `over` says the same of a list `found` of
    the results, where `code` does not (its `init` is another).
    """

    init: str = "found = []"
    step: str = "found.append({e})"
    returns: str = "int"
    over: str = ""


Choice = SimpleNamespace  # slot name → part, read as attributes: `p.pred.code`


@dataclass(frozen=True)
class Family:
    """A kind of exercise.

    `args`: the parameters, with types. `kind`: the pool of inputs that fits them. `name`: a format over slugs.
    `sayings`: formats over words; `{pred}` speaks of one thing ("is even"), `{preds}` of many ("are even"), `{p.pred}`
    is the part itself.
    `allowed`: which choices make sense; those that do not are never composed.
    `also`: other ways to spell the body, by style; a body made by `gather` has them of itself (`styles.py`).
    `more`: further sayings, for the full breadth.
    """

    name: str
    slots: Mapping[str, Sequence[Part]]
    args: str
    kind: str
    title: str
    sayings: tuple[str, ...]
    body: Callable[[Choice], str]
    reference: Callable[[Choice], Callable[..., Any]]
    returns: Callable[[Choice], str] = lambda _: "int"
    imports: str = ""
    allowed: Callable[[Choice], bool] = lambda _: True
    also: Mapping[str, Callable[[Choice], str]] = field(default_factory=dict)
    more: tuple[str, ...] = ()


Picks = tuple[int, ...]  # the index of the part in every slot


@dataclass(frozen=True)
class Composition:
    """A family with a part in every slot."""

    family: Family
    picks: Picks

    @cached_property
    def choice(self) -> Choice:
        """The parts by slot name."""
        return choose(self.family, self.picks)

    @property
    def part_ids(self) -> dict[str, str]:
        """Slot name → part id: the composition's identity, together with the family's name."""
        return {slot: part.id for slot, part in vars(self.choice).items()}

    def function(self) -> Callable[..., Any]:
        """What the composition means, from the parts' callables."""
        return self.family.reference(self.choice)

    def neighbours(self, most: int = 60) -> Iterator[Composition]:
        """Allowed compositions that differ in exactly one part: for each slot all, or `most` drawn of more."""
        draw = random.Random(repr(self.picks))
        for place, parts in enumerate(self.family.slots.values()):
            for pick in range(len(parts)) if len(parts) <= most else draw.sample(range(len(parts)), most):
                if pick != self.picks[place]:
                    other = Composition(self.family, (*self.picks[:place], pick, *self.picks[place + 1 :]))
                    if self.family.allowed(other.choice):
                        yield other


def choose(family: Family, picks: Picks) -> Choice:
    """The parts at `picks`, by slot name."""
    return Choice(**{slot: parts[i] for (slot, parts), i in zip(family.slots.items(), picks, strict=True)})


def size(family: Family) -> int:
    """How many ways there are to fill the slots, allowed or not."""
    return prod(len(parts) for parts in family.slots.values())


def at(family: Family, index: int) -> Composition:
    """The composition of that number, in mixed radix over the slots."""
    picks = []
    for parts in family.slots.values():
        index, pick = divmod(index, len(parts))
        picks.append(pick)
    return Composition(family, tuple(picks))


VERBS = frozenset({"is", "has", "does", "ends", "starts", "contains", "falls", "comes", "leaves", "lies"})


def plural(words: str) -> str:
    """A predicate said of many things.

    >>> plural("is divisible by 3"), plural("ends in 7"), plural("has two digits"), plural("is not a multiple of 3")
    ('are divisible by 3', 'end in 7', 'have two digits', 'are not multiples of 3')
    >>> plural("has a day above 5"), plural("is a Monday")
    ('have a day above 5', 'are Mondays')
    >>> plural("is a multiple of 4 or ends in 7"), plural("is below 2 or above 7")
    ('are multiples of 4 or end in 7', 'are below 2 or above 7')
    """
    for joint in (" and ", " or "):
        first, found, second = words.partition(joint)
        if found and second.split()[0] in VERBS:
            return f"{plural(first)}{joint}{plural(second)}"
    verb, _, rest = words.partition(" ")
    many = {"is": "are", "has": "have", "does": "do"}.get(verb, verb.removesuffix("s"))
    denial, article, noun = (
        rest.rpartition("a ") if verb == "is" and rest.startswith(("a ", "not a ")) else ("", "", "")
    )
    if article:
        head, of, tail = noun.partition(" of ")
        rest = f"{denial}{head}s{of}{tail}"
    return f"{many} {rest}"


def lines(*rows: str) -> str:
    """Join the rows of a body."""
    return "\n".join(rows)


class Loop(str):
    """The text of a loop that gathers, which remembers its parts so that it can be told in other styles."""

    fold: Any
    head: str
    test: str
    result: str
    before: tuple[str, ...]


def gather(fold: Any, head: str, test: str, result: str, *before: str) -> Loop:
    """A loop that gathers: `init`; `head`; inside it the rows `before`, then `if test:` the fold's step on `result`."""
    step = fold.step.format(e=result)
    inner = [f"    {row}" for row in before]
    guarded = [f"    if {test}:", f"        {step}"] if test else [f"    {step}"]
    loop = Loop(lines(fold.init, head, *inner, *guarded, f"return {fold.code}"))
    loop.fold, loop.head, loop.test, loop.result, loop.before = fold, head, test, result, before
    return loop


def each(place: str) -> tuple[str, ...]:
    """The sayings of filter, map, fold over `place`: "number in values", "digit of n"."""
    one, _, where = place.partition(" ")
    return (
        f"For each {one} {where} that {{pred}}, take {{map}}. Return {{fold}}.",
        f"Keep the {one}s {where} that {{preds}}, turn each into {{map}} and return {{fold}}.",
        f"Return {{fold}} when every {one} {where} that {{pred}} gives {{map}}.",
    )


def measured(place: str) -> tuple[str, ...]:
    """The sayings of measure, filter, fold over `place`: "row of grid"."""
    return (
        f"Find {{measure}} for each {place}. Keep those that {{preds}} and return {{fold}}.",
        f"For each {place} find {{measure}}. Return {{fold}}, using only those that {{preds}}.",
        f"Return {{fold}} of {{measure}} for each {place}, if that {{pred}}.",
    )


def each_more(place: str) -> tuple[str, ...]:
    """Further sayings of filter, map, fold over `place`."""
    one, _, where = place.partition(" ")
    return (
        f"Go through each {one} {where}. If it {{pred}}, its result is {{map}}. Return {{fold}}.",
        f"Of the {one}s {where} that {{preds}}, take {{map}} each, in their order. Return {{fold}}.",
        f"Skip a {one} {where} unless it {{pred}}; otherwise take {{map}}. Return {{fold}}.",
    )


def measured_more(place: str) -> tuple[str, ...]:
    """Further sayings of measure, filter, fold over `place`."""
    return (
        f"Compute {{measure}} for each {place}. Where it {{pred}}, it is one of the results. Return {{fold}}.",
        f"Return {{fold}} over {{measure}} of each {place}, leaving out any value unless it {{pred}}.",
    )
