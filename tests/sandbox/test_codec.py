"""The codec: what goes in comes out, and nothing but the named types is ever built."""

from __future__ import annotations

import contextlib
import math
from collections import Counter, OrderedDict, deque, namedtuple
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hornbook.sandbox.bare.codec import MAX_BYTES, MAX_DEPTH, Unfit, decode, encode
from hornbook.sandbox.bare.plain import Malformed

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary(), st.dates(),
    st.datetimes(), st.timedeltas(), st.decimals(allow_nan=False), st.fractions(),
)  # fmt: skip
HASHABLE = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4).map(tuple) | st.frozensets(inner, max_size=4)
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: st.one_of(
        st.lists(inner), st.lists(inner).map(tuple), st.sets(HASHABLE), st.dictionaries(HASHABLE, inner), st.lists(inner).map(deque)
    ),
    max_leaves=20,
)  # fmt: skip


def shape(value):
    """The value with every type spelled out and NaN made comparable; sets and dictionaries as sorted texts."""
    if isinstance(value, (list, tuple, deque)):
        return type(value), [shape(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return type(value), sorted(repr(shape(item)) for item in value)
    if isinstance(value, dict):
        return type(value), sorted(repr((shape(k), shape(v))) for k, v in value.items())
    return type(value), repr(value)


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_round_trip(value):
    assert shape(decode(encode(value))) == shape(value)


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(data):
    with contextlib.suppress(Malformed):
        decode(data)


@settings(max_examples=50, deadline=None)
@given(VALUES, st.data())
def test_damaged_bytes_decode_or_are_refused(value, draw):
    data = bytearray(encode(value))
    data[draw.draw(st.integers(0, len(data) - 1))] ^= draw.draw(st.integers(1, 255))
    with contextlib.suppress(Malformed):
        decode(bytes(data))


@pytest.mark.parametrize(
    "value",
    [
        math.inf, -0.0, 2**100, -(2**63), [2**63] * 20, list(range(50)), [1.5] * 50, [True] * 50, "\ud800", range(1, 9, 2),
        bytearray(b"x"), Counter("aab"), OrderedDict(b=1, a=2), Decimal("NaN"), Fraction(1, 3), date(2020, 2, 29),
        datetime(2020, 1, 1, 5, 6, 7, 8), timedelta(days=-1), slice(1, None), int, len, ValueError, type(None), deque([1], 3),
    ],
    ids=repr,
)  # fmt: skip
def test_particular_values(value):
    found = decode(encode(value))
    assert repr(found) == repr(value)
    assert type(found) is type(value)


class Twisted(list):
    def __eq__(self, other):
        return True

    def __iter__(self):
        raise RuntimeError("asked")

    __hash__ = None


class Colour(IntEnum):
    RED = 3


@pytest.mark.parametrize(
    ("value", "plain"),
    [(Twisted([1, 2]), [1, 2]), (Colour.RED, 3), (namedtuple("P", "x y")(1, 2), (1, 2)), (type("S", (str,), {})("a"), "a"),
     (type("F", (float,), {})(1.5), 1.5), (type("D", (dict,), {})(a=1), {"a": 1}), (type("B", (bytes,), {})(b"x"), b"x")],
    ids=["list", "IntEnum", "named tuple", "str", "float", "dict", "bytes"],
)  # fmt: skip
def test_subclasses_arrive_as_their_plain_base(value, plain):
    found = decode(encode(value))
    assert found == plain
    assert type(found) is type(plain)


def test_caps():
    with pytest.raises(Unfit, match="too large"):
        encode("x" * (MAX_BYTES + 1))
    loop = []
    loop.append(loop)
    with pytest.raises(Unfit, match="nested too deeply"):
        encode(loop)
    deep = 0
    for _ in range(MAX_DEPTH):
        deep = [deep]
    assert decode(encode(deep)) == deep
    with pytest.raises(Malformed):
        decode(b"(\x01\0\0\0" * 200 + b"N")


@pytest.mark.parametrize("value", [object(), lambda: 1, open, eval, math, type("T", (), {})])
def test_what_is_not_plain_is_refused(value):
    with pytest.raises(Unfit, match="not plain data"):
        encode(value)


@pytest.mark.parametrize(
    "data",
    [b"", b"?", b"s\xff\xff\xff\xff", b"i\x04\0\0\0\x01", b"NN", b"@\x04\0\0\0eval", b"<\0\0\0\0", b"{\x01\0\0\0L\0\0\0\0",
     b"d\x01\0\0\0L\0\0\0\0N", b"r(\x01\0\0\0s\x01\0\0\0a", b"mN", b"/(\x02\0\0\0i\x01\0\0\0\x01i\x01\0\0\0\0", b"I\x03\0\0\0abc"],
    ids=repr,
)  # fmt: skip
def test_foreign_bytes_are_refused(data):
    with pytest.raises(Malformed):
        decode(data)
