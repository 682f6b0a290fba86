"""What counts as plain data: the names, types and containers that the codec carries."""

from __future__ import annotations

import builtins
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple


class Malformed(ValueError):
    """Bytes that the codec never wrote."""


# Builtins that are sent by name: types, and functions that do nothing but compute.
FUNCTIONS = [
    *(
        "abs",
        "all",
        "any",
        "ascii",
        "bin",
        "bool",
        "bytearray",
        "bytes",
        "callable",
        "chr",
        "complex",
        "dict",
        "divmod",
    ),
    *("enumerate", "filter", "float", "format", "frozenset", "hash", "hex", "id", "int", "isinstance", "issubclass"),
    *("iter", "len", "list", "map", "max", "min", "next", "object", "oct", "ord", "pow", "print", "range", "repr"),
    *("reversed", "round", "set", "slice", "sorted", "str", "sum", "tuple", "type", "zip"),
]
ERRORS = [n for n, v in vars(builtins).items() if isinstance(v, type) and issubclass(v, BaseException)]
NAMED: dict[str, Any] = {name: getattr(builtins, name) for name in FUNCTIONS + ERRORS} | {"NoneType": type(None)}
NAME_OF: dict[int, str] = {id(value): name for name, value in NAMED.items()}  # by identity: equality is never asked

SEQUENCES: dict[type, bytes] = {list: b"L", tuple: b"(", set: b"{", frozenset: b"z"}
BUILDERS: dict[int, Callable[[Any], Any]] = {ord("L"): list, ord("("): tuple, ord("{"): set, ord("z"): frozenset}


def new_datetime(*numbers: int) -> datetime:
    """A naive datetime from its seven numbers and its fold."""
    year, month, day, hour, minute, second, microsecond, fold = numbers
    return datetime(year, month, day, hour, minute, second, microsecond, fold=fold)


class Rebuild(NamedTuple):
    """How a type travels: its tag, its parts, the exact types a part may have, and the way back."""

    tag: bytes
    parts: Callable[[Any], tuple[Any, ...]]
    takes: tuple[type, ...]
    build: Callable[..., Any]


REBUILT: dict[type, Rebuild] = {
    range: Rebuild(b"r", lambda v: (v.start, v.stop, v.step), (int,), range),
    bytearray: Rebuild(b"y", lambda v: (bytes(v),), (bytes,), bytearray),
    deque: Rebuild(b"q", lambda v: (list(v), v.maxlen), (list, int, type(None)), deque),
    Counter: Rebuild(b"c", lambda v: (dict(v),), (dict,), Counter),
    OrderedDict: Rebuild(b"o", lambda v: (dict(v),), (dict,), OrderedDict),
    Decimal: Rebuild(b"m", lambda v: (str(v),), (str,), Decimal),
    Fraction: Rebuild(b"/", lambda v: (v.numerator, v.denominator), (int,), Fraction),
    date: Rebuild(b"D", lambda v: (v.year, v.month, v.day), (int,), date),
    datetime: Rebuild(b"M", lambda v: (*v.timetuple()[:6], v.microsecond, v.fold), (int,), new_datetime),
    timedelta: Rebuild(b"t", lambda v: (v.days, v.seconds, v.microseconds), (int,), timedelta),
    slice: Rebuild(b":", lambda v: (v.start, v.stop, v.step), (int, type(None)), slice),
}
BY_TAG = {rebuild.tag[0]: rebuild for rebuild in REBUILT.values()}


def plain_base(value: Any, base: Any) -> Any:
    """The content of a subclass instance as the base type, without asking the subclass."""
    if base is dict:
        return dict(dict.items(value))
    if base in SEQUENCES:
        return base(base.__iter__(value))
    if base is str:
        return str.__str__(value)
    if base is bytes:
        return bytes.__getitem__(value, slice(None))
    return base.__pos__(value)
