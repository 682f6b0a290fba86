"""Families that encode words and digits: shifted letters, letters as numbers, check digits."""

from __future__ import annotations

from collections.abc import Callable

from hornbook.synthesis.families.base import Choice, Family, Part, lines, named
from hornbook.synthesis.families.literals import SEPARATORS, numbers

ALPHABET = "abcdefghijklmnopqrstuvwxyz"


OTHERS: tuple[Part, ...] = (
    Part("kept", lambda c: c, "c", ("stay as they are",), "kept"),
    Part("raised", lambda c: c.upper(), "c.upper()", ("become capitals",), "capital"),
    Part("gone", lambda _: "", '""', ("are left out",), "gone"),
    *(
        Part(slug, lambda _, c=c: c, f'"{c}"', (f'become "{c}"',), slug)
        for slug, c in (("star", "*"), ("dot", "."), ("hash", "#"), ("line", "_"))
    ),
)


SPARED: tuple[Part, ...] = tuple(
    Part(f"spared:{letters}", lambda c, letters=letters: c in [*letters], f'"{letters}"', (f'"{letters}"',), letters)
    for letters in ("aeiou", "abc", "xyz", "rst", "lmn", "tea", "son", "bed", "ink", "qu")
)


def shifted(p: Choice) -> Callable[[str], str]:
    """What shifting letters means."""

    def code(i: int, c: str) -> str:
        if p.spared.fn(c):
            return str(p.other.fn(c))
        turned = ALPHABET[(p.shift.value + i * p.growth.value) % 26 :] + ALPHABET
        return turned[ALPHABET.index(c)]

    return lambda word: "".join(code(i, c) for i, c in enumerate(word))[:: p.direction.fn()]


DIRECTIONS: tuple[Part, ...] = (
    Part("forward", lambda: 1, "", ("as they come",), "forward"),
    Part("backward", lambda: -1, "[::-1]", ("in reverse",), "backward"),
)


SHIFTED = Family(
    name="shifted",
    slots={
        "shift": numbers(range(1, 26)),
        "growth": numbers(range(1, 16)),
        "spared": SPARED,
        "other": OTHERS,
        "direction": DIRECTIONS,
    },
    args="word: str",
    kind="lower_word",
    title="shift_{shift}_grow_{growth}_spare_{spared}_{other}_{direction}",
    sayings=(
        "Write word, which has only the letters a to z, in a secret way. Number its letters from 0. Letter number i "
        "moves {shift} + {growth} * i places on in the alphabet, where a follows z; but letters in {spared} {other}. "
        "Join the outcome {direction}.",
        "In a word of letters from a to z, those in {spared} {other}; every other letter moves forward in the "
        "alphabet, "
        "going on from z to a. At position i, counted from 0, it moves {growth} times i plus {shift} places. Return "
        "the letters thus had, {direction}, as one text.",
    ),
    body=lambda p: lines(
        'found = ""',
        "for i, c in enumerate(word):",
        f"    if c in {p.spared.code}:",
        "        continue" if p.other.id == "gone" else f"        found += {p.other.code}",
        "    else:",
        f'        place = ord(c) - ord("a") + {p.shift.code} + {stepped(p.growth.value)}',
        '        found += chr(ord("a") + place % 26)',
        f"return found{p.direction.code}",
    ),
    reference=shifted,
    returns=lambda _: "str",
)


def stepped(growth: int) -> str:
    """A multiple of i."""
    return f"{growth} * i" if growth > 1 else "i"


# how a number `n` is written
def based(n: int, base: int) -> str:
    """The digits of a number that is not negative."""
    rest = based(n // base, base) if n >= base else ""
    return rest + "0123456789abcdef"[n % base]


SPELLINGS: tuple[Part, ...] = (
    named("decimal", lambda n: based(n, 10), "str(n)", "as a decimal number"),
    named("three", lambda n: ("00" + based(n, 10))[-max(3, len(based(n, 10))) :], 'f"{n:03}"',
          "as a decimal number of at least 3 digits, with zeros in front"),
    named("hex", lambda n: based(n, 16), 'f"{n:x}"', "in hexadecimal, in lower case"),
    named("binary", lambda n: based(n, 2), 'f"{n:b}"', "in binary"),
    named("octal", lambda n: based(n, 8), 'f"{n:o}"', "in octal"),
)  # fmt: skip


LETTER_VALUES = Family(
    name="letter_values",
    slots={
        "start": numbers(range(2, 28)),
        "step": numbers(range(1, 9)),
        "style": SPELLINGS,
        "spared": SPARED,
        "sep": SEPARATORS,
    },
    args="word: str",
    kind="lower_word",
    title="values_{start}_by_{step}_{style}_without_{spared}_with_{sep}",
    sayings=(
        "The letter a has the value {start}, b is worth {step} more, c again {step} more, and so on up to z. Return "
        "the "
        "values of the letters of word, without the letters in {spared}, each written {style}, and joined by {sep}.",
        "Turn word, made of the letters a to z, into numbers: {start} for a, and for each later letter of the alphabet "
        "{step} more than for the one before. Letters in {spared} are passed over. Write each number {style}, and join "
        "them with {sep}.",
    ),
    body=lambda p: lines(
        "found = []",
        "for c in word:",
        f"    if c not in {p.spared.code}:",
        f'        n = {p.start.code} + {p.step.code} * (ord(c) - ord("a"))'
        if p.step.value > 1
        else f'        n = {p.start.code} + ord(c) - ord("a")',
        f"        found.append({p.style.code})",
        f"return {p.sep.code}.join(found)",
    ),
    reference=lambda p: (
        lambda word: p.sep.value.join(
            p.style.fn(range(p.start.value, 999, p.step.value)[ALPHABET.index(c)]) for c in word if not p.spared.fn(c)
        )
    ),
    returns=lambda _: "str",
)


def checked(p: Choice) -> Callable[[str], object]:
    """What a check digit means."""

    def function(digits: str) -> object:
        order = [int(c) for c in p.end.fn(digits)]
        total = p.extra.value + sum(x * (p.odd.value if i % 2 else p.even.value) for i, x in enumerate(order))
        return p.shape.fn(total % p.modulus.value, digits)

    return function


ENDS: tuple[Part, ...] = (
    Part("first", lambda digits: digits, "digits", ("first",), "first"),
    Part("last", lambda digits: digits[::-1], "reversed(digits)", ("last",), "last"),
)


SHAPES: tuple[Part, ...] = (
    Part("number", lambda check, _: check, "check", ("the check number",), "number"),
    Part("appended", lambda check, digits: digits + "-" + str(check), 'f"{digits}-{check}"',
         ("digits, a dash and the check number as one text",), "appended"),
    Part("before", lambda check, digits: str(check) + "/" + digits, 'f"{check}/{digits}"',
         ("the check number, a slash and digits as one text",), "before"),
)  # fmt: skip


CHECK_DIGITS = Family(
    name="check_digits",
    slots={
        "even": numbers(range(2, 8)),
        "odd": numbers(range(1, 10)),
        "modulus": numbers((19, 23, 29, 31, 37, 41, 43, 47, 53)),
        "extra": numbers(range(19)),
        "end": ENDS,
        "shape": SHAPES,
    },
    args="digits: str",
    kind="digits",
    title="check_{shape}_{even}_{odd}_mod_{modulus}_plus_{extra}_from_{end}",
    sayings=(
        "Find a check number for a text of digits. Beginning with the {end} digit, multiply the digits by {even} and "
        "{odd} in turn; add the products and {extra}. The check number is the remainder of this sum by {modulus}. "
        "Return {shape}.",
        "Weigh the digits of a text, the {end} with {even}, its neighbour with {odd}, then {even} and {odd} by turns. "
        "Start the sum at {extra}, add every digit times its weight, and take the remainder by {modulus} as check "
        "number. Return {shape}.",
    ),
    body=lambda p: lines(
        f"total = {p.extra.code}",
        f"for i, c in enumerate({p.end.code}):",
        f"    total += int(c) * ({p.even.code} if i % 2 == 0 else {p.odd.code})",
        f"check = total % {p.modulus.code}",
        f"return {p.shape.code}",
    ),
    reference=checked,
    returns=lambda p: "int" if p.shape.id == "number" else "str",
    allowed=lambda p: p.even.id != p.odd.id,
)
