"""Families of short notations: runs of characters, written out and packed, and sums with rules of their own."""

from __future__ import annotations

from collections.abc import Callable
from operator import add, mul, sub
from typing import Any

from hornbook.synthesis.families.base import Choice, Family, Part, lines, named
from hornbook.synthesis.families.ints import DIGIT_PREDICATES, MAPS
from hornbook.synthesis.families.literals import SEPARATORS, about, numbers
from hornbook.synthesis.families.parsing import spelled
from hornbook.synthesis.families.results import conjunct, operand
from hornbook.synthesis.families.texts import CHAR_MAPS, CHAR_PREDICATES

EXPANDED = Family(
    name="expanded",
    slots={
        "pred": DIGIT_PREDICATES,
        "map": about(MAPS, "the number"),
        "char": about(CHAR_MAPS, "the letter"),
        "sep": SEPARATORS,
    },
    args="code: str",
    kind="run_code",
    title="expand_{map}_if_{pred}_{char}_with_{sep}",
    sayings=(
        "The text code is like 3a12b1c: numbers, each followed by a letter. For each number that {pred} make a piece: "
        "{char}, repeated this many times: {map} (zero or less makes it empty). Join the pieces with {sep}.",
        "Read code, a text such as 2x10y of numbers and the letters after them. Skip a pair unless its number {pred}. "
        "For each other pair make a piece: {char}, repeated so many times: {map} (not at all if that is not positive). "
        "Return the pieces joined by {sep}.",
    ),
    body=lambda p: lines(
        "found = []",
        r'for n, c in re.findall(r"(\d+)([a-z])", code):',
        "    x = int(n)",
        f"    if {p.pred.code}:",
        f"        found.append({operand(p.char.code)} * {operand(p.map.code)})",
        f"return {p.sep.code}.join(found)",
    ),
    reference=lambda p: (
        lambda code: p.sep.value.join(
            "".join(p.char.fn(c) for _ in range(p.map.fn(n))) for n, c in spelled(code) if p.pred.fn(n)
        )
    ),
    returns=lambda _: "str",
    imports="import re\n\n\n",
)

# how a run of `n` characters `c` is written
ARRANGEMENTS: tuple[Part, ...] = (
    named("after", lambda c, n: c + str(n), 'f"{c}{n}"', "the character and then its number, as in a3"),
    named("before", lambda c, n: str(n) + c, 'f"{n}{c}"', "the number and then the character, as in 3a"),
    named("times", lambda c, n: c + "*" + str(n), 'f"{c}*{n}"', "character, star and number, as in a*3"),
    named("paren", lambda c, n: c + "(" + str(n) + ")", 'f"{c}({n})"', "the character and then its number in "
          "parentheses, as in a(3)"),
    named("written", lambda c, n: "".join([c] * n), "c * n", "the character as often as it comes, as in aaa"),
    named("once", lambda c, n: c + "+" * (n > 1), 'c + "+" if n > 1 else c', "the character, with a plus sign "
          "after it if the run is longer than 1"),
)  # fmt: skip


def packed(p: Choice) -> Callable[[str], str]:
    """What writing runs means."""

    def function(text: str) -> str:
        found: list[list[Any]] = []
        for c in text:
            if found and found[-1][0] == c:
                found[-1][1] += 1
            else:
                found.append([c, 1])
        return str(p.sep.value).join(p.form.fn(p.map.fn(c), n) for c, n in found if p.pred.fn(c) and n >= p.least.value)

    return function


PACKED = Family(
    name="packed",
    slots={
        "form": ARRANGEMENTS,
        "pred": CHAR_PREDICATES,
        "map": about((part for part in CHAR_MAPS if part.id != "thrice"), "that character"),
        "least": numbers((1, 2, 3)),
        "sep": SEPARATORS,
    },
    args="text: str",
    kind="runs",
    title="runs_{form}_{map}_if_{pred}_least_{least}_with_{sep}",
    sayings=(
        "Split text into runs, as long as possible, of one and the same character. Take only runs of {least} or more "
        "characters, and only if the character {pred}. Then put in place of the character: {map}. Write each run as "
        "{form}, and join what is written with {sep}.",
        "Find the runs of equal characters in text. Only runs of a character that {pred} count, and only with a length "
        "of {least} or more. Each run's character is first replaced by {map}; the run is then written as {form}. "
        "Return "
        "all that, joined by {sep}.",
    ),
    body=lambda p: lines(
        "found = []",
        "for c, run in groupby(text):",
        "    n = len(list(run))",
        f"    if {conjunct(p.pred.code)} and n >= {p.least.code}:" if p.least.value > 1 else f"    if {p.pred.code}:",
        *([f"        c = {p.map.code}"] if p.map.id != "plain" else []),
        f"        found.append({p.form.code})",
        f"return {p.sep.code}.join(found)",
    ),
    reference=packed,
    returns=lambda _: "str",
    imports="from itertools import groupby\n\n\n",
)


def operation(name: str, fn: Callable[[int, int], int], code: str, words: str) -> Part:
    """What a sign stands for."""
    return Part(name, fn, f"lambda a, b: {code}", (words,), name)


OPERATIONS: tuple[Part, ...] = (
    operation("added", add, "a + b", "a plus b"),
    operation("taken", sub, "a - b", "a minus b"),
    operation("multiplied", mul, "a * b", "a times b"),
    operation("larger", lambda a, b: sorted((a, b))[1], "max(a, b)", "the larger of a and b"),
    operation("smaller", lambda a, b: sorted((a, b))[0], "min(a, b)", "the smaller of a and b"),
    operation("twice", lambda a, b: a + b + b, "a + 2 * b", "a plus twice b"),
    operation("halved", lambda a, b: a + (b - b % 2) // 2, "a + b // 2", "a plus half of b rounded down"),
    operation("squared", lambda a, b: a - b**2, "a - b * b", "a minus the square of b"),
    operation("counted", lambda a, b: a + b + 1, "a + b + 1", "a plus b plus 1"),
    operation("back", lambda a, b: -(a - b), "b - a", "b minus a"),
    operation("gap", lambda a, b: max(a - b, b - a), "abs(a - b)", "the distance of a and b"),
    operation("shifted", lambda a, b: a * 10 + b, "10 * a + b", "ten times a plus b"),
    operation("thrice", lambda a, b: a + a + a - b, "3 * a - b", "three times a minus b"),
)


def evaluated(p: Choice) -> Callable[[str], int]:
    """What an expression means, from its end."""
    meaning = {"+": p.plus.fn, "-": p.minus.fn, "*": p.star.fn}

    def value(tokens: list[str]) -> int:
        *rest, sign, last = ["0", "+", *tokens] if len(tokens) == 1 else tokens
        result: int = int(last) if len(tokens) == 1 else meaning[sign](value(rest), int(last))
        return result

    return lambda text: p.map.fn(value(text.split()))


EXPRESSIONS = Family(
    name="expressions",
    slots={
        "plus": OPERATIONS,
        "minus": OPERATIONS,
        "star": OPERATIONS,
        "map": about((part for part in MAPS if part.id not in ("capped:5", "capped:8", "raised:3")), "the value"),
    },
    args="text: str",
    kind="expression",
    title="calculate_{map}_plus_{plus}_minus_{minus}_star_{star}",
    sayings=(
        "The text is a sum like 4 + 2 * 3 - 1, with spaces between numbers and signs. Work it out strictly from left "
        "to right, where a is the value so far and b the next number: + means {plus}, - means {minus}, and * means "
        "{star}. Return {map}.",
        "Evaluate a text such as 7 * 2 + 5 without any precedence: begin with the first number, and at each sign "
        "combine the value so far, a, with the number that follows, b. The sign + makes {plus}, - makes {minus}, * "
        "makes {star}. When all is read, return {map}.",
    ),
    body=lambda p: lines(
        "rules = {",
        f'    "+": {p.plus.code},',
        f'    "-": {p.minus.code},',
        f'    "*": {p.star.code},',
        "}",
        "first, *rest = text.split()",
        "x = int(first)",
        "for sign, number in zip(rest[::2], rest[1::2]):",
        "    x = rules[sign](x, int(number))",
        f"return {p.map.code}",
    ),
    reference=evaluated,
)
