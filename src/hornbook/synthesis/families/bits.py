"""Families about the digits of a number: its bits, its digits in another base."""

from __future__ import annotations

from hornbook.synthesis.families.base import Family, Part, gather, lines
from hornbook.synthesis.families.encoding import based
from hornbook.synthesis.families.ints import DIGIT_PREDICATES, MAPS
from hornbook.synthesis.families.literals import about, numbers
from hornbook.synthesis.families.results import DETAILED


def bits(n: int) -> list[int]:
    """The places of the bits that are set."""
    return [place for place in range(40) if n // 2**place % 2]


def from_bits(places: set[int]) -> int:
    """The number with bits at these places."""
    return sum(2**place for place in places)


def keep(k: int) -> Part:
    """Only the bits of k."""
    words = (f"keep only the bits that are set in {k}",)
    return Part(f"keep:{k}", lambda n: from_bits({*bits(n)} & {*bits(k)}), f"n &= {k}", words, f"keep_{k}")


def put(k: int) -> Part:
    """The bits of k too."""
    words = (f"set the bits that are set in {k}",)
    return Part(f"set:{k}", lambda n: from_bits({*bits(n)} | {*bits(k)}), f"n |= {k}", words, f"set_{k}")


def flip(k: int) -> Part:
    """The bits of k turned."""
    words = (f"flip the bits that are set in {k}",)
    return Part(f"flip:{k}", lambda n: from_bits({*bits(n)} ^ {*bits(k)}), f"n ^= {k}", words, f"flip_{k}")


def left(k: int) -> Part:
    """All bits moved up."""
    words = (f"shift all bits {k} places to the left", f"multiply by {2**k}")
    return Part(f"left:{k}", lambda n: n * 2**k, f"n <<= {k}", words, f"left_{k}")


def right(k: int) -> Part:
    """All bits moved down."""
    words = (f"shift all bits {k} places to the right", f"divide by {2**k} and round down")
    return Part(f"right:{k}", lambda n: n // 2**k, f"n >>= {k}", words, f"right_{k}")


BIT_STEPS: tuple[Part, ...] = (
    *map(keep, (63, 85, 102, 119, 198, 221, 238)),
    *map(put, (5, 9, 17, 36, 66, 129)),
    *map(flip, (3, 7, 21, 42, 51, 90, 170, 204)),
    *map(left, (2, 3, 4)),
    *map(right, (2, 3)),
    Part("more", lambda n: n + 1, "n += 1", ("add 1",), "add_1"),
)


BIT_RESULTS: tuple[Part, ...] = (
    Part("number", lambda n: n, "n", ("the number that results",), "number"),
    Part("ones", lambda n: len(bits(n)), "n.bit_count()", ("how many bits are set in the end",), "ones"),
    Part("binary", lambda n: based(n, 2), 'f"{n:b}"', ("the binary digits of the number that results",), "binary"),
    Part("hex", lambda n: based(n, 16), 'f"{n:x}"', ("the number that results in hexadecimal, in lower case",), "hex"),
    Part("length", lambda n: max(bits(n), default=-1) + 1, "n.bit_length()",
         ("the number of binary digits it then has, 0 for the number 0",), "length"),
)  # fmt: skip


BITS = Family(
    name="bit_steps",
    slots={"first": BIT_STEPS, "second": BIT_STEPS, "third": BIT_STEPS, "outcome": BIT_RESULTS},
    args="n: int",
    kind="byte",
    title="bits_{first}_{second}_{third}_{outcome}",
    sayings=(
        "The number n is not negative. Change it in three steps: {first}; then {second}; then {third}. Return "
        "{outcome}.",
        "Take the bits of n, a number that is not negative. First {first}, next {second}, and at last {third}. Return "
        "{outcome}.",
    ),
    body=lambda p: lines(p.first.code, p.second.code, p.third.code, f"return {p.outcome.code}"),
    reference=lambda p: lambda n: p.outcome.fn(p.third.fn(p.second.fn(p.first.fn(n)))),
    returns=lambda p: "str" if p.outcome.id in ("binary", "hex") else "int",
    allowed=lambda p: p.first.id != p.second.id != p.third.id,
)


BASE_DIGITS = Family(
    name="base_digits",
    slots={
        "base": numbers((3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 20, 24, 30, 60)),
        "pred": DIGIT_PREDICATES,
        "map": about(MAPS, "the digit"),
        "fold": DETAILED,
    },
    args="n: int",
    kind="natural",
    title="{fold}_of_base_{base}_{map}_if_{pred}",
    sayings=(
        "Find the digits of n in base {base}, as numbers, from the last to the first; the number 0 has none. For each "
        "digit that {pred}, the result is {map}. Return {fold}.",
        "Divide n by {base} again and again, until nothing is left; the remainders are its digits in base {base}, the "
        "last one first (for n = 0 there are none). A digit that {pred} has as its result {map}. Return {fold}.",
    ),
    body=lambda p: gather(p.fold, "while n:", p.pred.code, p.map.code, f"n, x = divmod(n, {p.base.code})"),
    reference=lambda p: (
        lambda n: p.fold.fn(
            [
                p.map.fn(x)
                for place in range(40)
                if n >= p.base.value**place and p.pred.fn(x := n // p.base.value**place % p.base.value)
            ]
        )
    ),
    returns=lambda p: p.fold.returns,
)
