"""Parts on words and characters, and the families over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hornbook.synthesis.families.base import Family, Fold, Part, each, each_more, gather, lines, named

VOWELS = "aeiou"


def longer(k: int) -> Part:
    """More than k letters."""
    words = (f"has more than {k} letters", f"is longer than {k} letters")
    return Part(f"longer:{k}", lambda w: len(w) > k, f"len(w) > {k}", words, f"longer_{k}")


def shorter(k: int) -> Part:
    """Fewer than k letters."""
    words = (f"has fewer than {k} letters", f"is shorter than {k} letters")
    return Part(f"shorter:{k}", lambda w: len(w) < k, f"len(w) < {k}", words, f"shorter_{k}")


def exactly(k: int) -> Part:
    """k letters."""
    words = (f"has exactly {k} letters",)
    return Part(f"exactly:{k}", lambda w: len(w) == k, f"len(w) == {k}", words, f"of_{k}")


def starting(c: str) -> Part:
    """Begins with c."""
    return Part(f"starting:{c}", lambda w: w[0] == c, f'w.startswith("{c}")', (f'starts with "{c}"',), f"starting_{c}")


def finishing(c: str) -> Part:
    """Finishes with c."""
    return Part(f"finishing:{c}", lambda w: w[-1] == c, f'w.endswith("{c}")', (f'ends with "{c}"',), f"ending_{c}")


def holding(c: str) -> Part:
    """Has c somewhere."""
    return Part(f"holding:{c}", lambda w: w.count(c) > 0, f'"{c}" in w', (f'contains "{c}"',), f"with_{c}")


def lacking(c: str) -> Part:
    """Has c nowhere."""
    words = (f'does not contain "{c}"',)
    return Part(f"lacking:{c}", lambda w: w.count(c) == 0, f'"{c}" not in w', words, f"without_{c}")


WORD_PREDICATES: tuple[Part, ...] = (
    *map(longer, (2, 3, 4, 5)),
    *map(shorter, (4, 5, 6)),
    *map(exactly, (3, 4, 5)),
    *map(starting, "bemor"),
    *map(finishing, "rnte"),
    *map(holding, "aeior"),
    *map(lacking, "aeon"),
    Part("vowel_start", lambda w: w[0] in VOWELS, 'w[0] in "aeiou"', ("starts with a vowel",), "vowel_first"),
    Part("vowel_end", lambda w: w[-1] in VOWELS, 'w[-1] in "aeiou"', ("ends with a vowel",), "vowel_last"),
    Part("palindrome", lambda w: w == "".join(reversed(w)), "w == w[::-1]", ("is a palindrome",), "palindrome"),
    Part(
        "repeating",
        lambda w: any(w.count(c) > 1 for c in w),
        "len(set(w)) < len(w)",
        ("has a repeated letter",),
        "repeating",
    ),
)

# a map of a word to a text
WORD_MAPS: tuple[Part, ...] = (
    named("plain", lambda w: w, "w", "it as it is"),
    named("upper", lambda w: "".join(chr(ord(c) - 32) for c in w), "w.upper()", "it in upper case"),
    named("capital", lambda w: w[0].upper() + w[1:], "w.capitalize()", "it capitalized"),
    named("mirror", lambda w: "".join(reversed(w)), "w[::-1]", "it reversed"),
    named("initial", lambda w: next(iter(w)), "w[0]", "its first letter"),
    named("final", lambda w: [*w][-1], "w[-1]", "its last letter"),
    named("tail", lambda w: "".join([*w][1:]), "w[1:]", "it without its first letter"),
    named("trimmed", lambda w: "".join([*w][:-1]), "w[:-1]", "it without its last letter"),
    named("twice", lambda w: w + w, "w * 2", "it written twice"),
    named("shout", lambda w: f"{w}!", 'w + "!"', 'it followed by "!"'),
    named("start2", lambda w: w.removesuffix(w[2:]), "w[:2]", "its first 2 letters"),
    named("start3", lambda w: w.removesuffix(w[3:]), "w[:3]", "its first 3 letters"),
)


def text_fold(name: str, fn: Callable[[list[str]], Any], code: str, words: str, returns: str = "list[str]") -> Fold:
    """A fold of texts."""
    return Fold(name, fn, code, (words,), name, returns=returns)


TEXT_FOLDS: tuple[Fold, ...] = (
    text_fold("list", list, "found", "a list of the results"),
    text_fold("sorted", sorted, "sorted(found)", "the results sorted"),
    text_fold("reversed", lambda f: [*reversed(f)], "found[::-1]", "the results in reverse"),
    text_fold("spaced", lambda f: " ".join(f), '" ".join(found)', "the results joined by spaces", "str"),
    text_fold("dashed", lambda f: "-".join(f), '"-".join(found)', "the results joined by dashes", "str"),
    text_fold("letters", lambda f: sum(map(len, f)), 'len("".join(found))', "the total length of the results", "int"),
)

WORDS = Family(
    name="words",
    slots={"fold": TEXT_FOLDS, "map": WORD_MAPS, "pred": WORD_PREDICATES},
    args="words: list[str]",
    kind="words",
    title="{fold}_{map}_if_{pred}",
    sayings=each("word in words"),
    more=each_more("word in words"),
    body=lambda p: gather(p.fold, "for w in words:", p.pred.code, p.map.code),
    reference=lambda p: lambda words: p.fold.fn([p.map.fn(w) for w in words if p.pred.fn(w)]),
    returns=lambda p: p.fold.returns,
)


def letter(c: str) -> Part:
    """That letter."""
    return Part(f"letter:{c}", lambda x: x in {c}, f'c == "{c}"', (f'is "{c}"', f'equals "{c}"'), f"{c}")


def other_than(c: str) -> Part:
    """Another character."""
    return Part(f"other_than:{c}", lambda x: x not in {c}, f'c != "{c}"', (f'is not "{c}"',), f"not_{c}")


def among(letters: str) -> Part:
    """One of those letters."""
    return Part(
        f"among:{letters}", lambda x: x in [*letters], f'c in "{letters}"', (f'is in "{letters}"',), f"in_{letters}"
    )


def not_among(letters: str) -> Part:
    """None of those letters."""
    words = (f'is not in "{letters}"',)
    return Part(
        f"not_among:{letters}", lambda x: x not in [*letters], f'c not in "{letters}"', words, f"not_in_{letters}"
    )


def before(c: str) -> Part:
    """Earlier than c in the alphabet."""
    return Part(f"before:{c}", lambda x: ord(x) < ord(c), f'c < "{c}"', (f'comes before "{c}"',), f"before_{c}")


def after(c: str) -> Part:
    """Later than c in the alphabet."""
    return Part(f"after:{c}", lambda x: ord(x) > ord(c), f'c > "{c}"', (f'comes after "{c}"',), f"after_{c}")


CHAR_PREDICATES: tuple[Part, ...] = (
    Part("digit", lambda c: c in "0123456789", "c.isdigit()", ("is a digit",), "digit"),
    Part("alpha", lambda c: c.upper() != c.lower(), "c.isalpha()", ("is a letter",), "letter"),
    Part("upper", lambda c: "A" <= c <= "Z", "c.isupper()", ("is upper case",), "upper"),
    Part("lower", lambda c: "a" <= c <= "z", "c.islower()", ("is lower case",), "lower"),
    Part("vowel", lambda c: c in [*VOWELS], 'c in "aeiou"', ("is a vowel",), "vowel"),
    Part("unvowel", lambda c: c not in [*VOWELS], 'c not in "aeiou"', ("is not a vowel",), "not_vowel"),
    *map(letter, "abceos"),
    *map(other_than, "abceos"),
    *map(among, ("abc", "xyz", "rst", "bed", "son", "tea")),
    *map(not_among, ("abc", "xyz", "rst", "bed", "son", "tea")),
    *map(before, "dgmp"),
    *map(after, "ehnr"),
)

# a map of a character to a text
CHAR_MAPS: tuple[Part, ...] = (
    named("plain", lambda c: c, "c", "it as it is"),
    named("raised", lambda c: chr(ord(c) - 32) if "a" <= c <= "z" else c, "c.upper()", "it in upper case"),
    named("lowered", lambda c: chr(ord(c) + 32) if "A" <= c <= "Z" else c, "c.lower()", "it in lower case"),
    named("twice", lambda c: c + c, "c * 2", "it written twice"),
    named("thrice", lambda c: c + c + c, "c * 3", "it written 3 times"),
    named("shout", lambda c: f"{c}!", 'c + "!"', 'it followed by "!"'),
    named("dashed", lambda c: f"-{c}", '"-" + c', 'it after "-"'),
    named("boxed", lambda c: f"[{c}]", 'f"[{c}]"', "it in brackets"),
    named("next", lambda c: chr(ord(c) + 1), "chr(ord(c) + 1)", "the next character"),
)


def mark(c: str, slug: str) -> Part:
    """Always that character."""
    return Part(f"mark:{c}", lambda _: c, f'"{c}"', (f'"{c}"',), slug)


MARKS: tuple[Part, ...] = (
    named("itself", lambda c: c, "c", "itself"),
    *(mark(c, slug) for c, slug in (("*", "star"), ("_", "line"), (".", "dot"), ("#", "hash"))),
)
CHAR_FOLDS: tuple[Fold, ...] = (
    Fold("text", "".join, "found", ("the joined text",), "text", 'found = ""', "found += {e}", over='"".join(found)'),
    Fold(
        "mirror",
        lambda f: "".join(f)[::-1],
        "found[::-1]",
        ("the joined text reversed",),
        "mirror",
        'found = ""',
        "found += {e}",
        over='"".join(found)[::-1]',
    ),
    Fold("commas", ",".join, '",".join(found)', ("the results joined by commas",), "commas"),
    Fold("spaces", " ".join, '" ".join(found)', ("the results joined by spaces",), "spaces"),
)

CHARS = Family(
    name="chars",
    slots={"fold": CHAR_FOLDS, "map": CHAR_MAPS, "pred": CHAR_PREDICATES},
    args="text: str",
    kind="text",
    title="{fold}_{map}_if_{pred}",
    sayings=each("character of text"),
    more=each_more("character of text"),
    body=lambda p: gather(p.fold, "for c in text:", p.pred.code, p.map.code),
    reference=lambda p: lambda text: p.fold.fn([p.map.fn(c) for c in text if p.pred.fn(c)]),
    returns=lambda _: "str",
)

CHAR_SWAP = Family(
    name="char_swap",
    slots={"map": CHAR_MAPS, "pred": CHAR_PREDICATES, "other": MARKS},
    args="text: str",
    kind="text",
    title="{map}_if_{pred}_else_{other}",
    sayings=(
        "Replace each character of text that {pred} by {map}, and any other character by {other}.",
        "Turn each character of text into {map} if it {pred}, and into {other} if not.",
    ),
    body=lambda p: lines(
        'found = ""',
        "for c in text:",
        f"    if {p.pred.code}:",
        f"        found += {p.map.code}",
        "    else:",
        f"        found += {p.other.code}",
        "return found",
    ),
    also={
        "comprehension": lambda p: f'return "".join({p.map.code} if {p.pred.code} else {p.other.code} for c in text)',
        "pipeline": lambda p: f'return "".join(map(lambda c: {p.map.code} if {p.pred.code} else {p.other.code}, text))',
    },
    reference=lambda p: lambda text: "".join((p.map if p.pred.fn(c) else p.other).fn(c) for c in text),
    returns=lambda _: "str",
    allowed=lambda p: p.map.code != p.other.code,
)
