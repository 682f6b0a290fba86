"""Plain data to bytes and back: the only thing that crosses between a candidate, its tests and the judge.

One tag byte, then the content; lengths are four bytes, little-endian. Decoding builds nothing but the types named here,
checks every length before it allocates, and raises Malformed on anything else. Subclasses are sent as their plain base
(an always-equal list arrives as a list). What is not plain goes to `refer`, which answers with a reference.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import datetime
from typing import Any

from .plain import BUILDERS, BY_TAG, NAME_OF, NAMED, REBUILT, SEQUENCES, Malformed, plain_base

MAX_BYTES = 8 << 20
MAX_DEPTH = 100
CLOSE = 1 << 62  # integers below this in size travel packed when a whole list is made of them
PLAIN_BASES = (int, float, complex, str, bytes, tuple, list, dict, set, frozenset)


class Unfit(ValueError):
    """A value that may not cross: too large or too deep."""


class Ref:
    """A reference to an object that stays where it is. `mine`: it lives with whoever encodes the reference."""

    __slots__ = ("mine", "number")

    def __init__(self, number: int, mine: bool) -> None:
        self.number, self.mine = number, mine


def encode(value: Any, refer: Callable[[Any], Ref | None] | None = None, limit: int = MAX_BYTES) -> bytes:
    """Plain data as bytes; whatever else goes through `refer`. Raises Unfit when too large, too deep, or not plain.

    >>> decode(encode({"a": [1, 2.5, (None, True)]}))
    {'a': [1, 2.5, (None, True)]}
    """
    writer = Writer(refer, limit)
    writer.put(value, 0)
    return b"".join(writer.parts)


class Writer:
    """Collects the parts of one message."""

    def __init__(self, refer: Callable[[Any], Ref | None] | None, limit: int) -> None:
        self.parts: list[bytes] = []
        self.left, self.refer = limit, refer

    def add(self, part: bytes) -> None:
        self.left -= len(part)
        if self.left < 0:
            raise Unfit("the value is too large to leave the sandbox")
        self.parts.append(part)

    def sized(self, tag: bytes, content: bytes) -> None:
        self.add(tag + struct.pack("<I", len(content)) + content)

    def put(self, value: Any, depth: int) -> None:
        """Write a value of an exact plain type; hand other values on."""
        kind = type(value)
        if value is None:
            self.add(b"N")
        elif kind is bool:
            self.add(b"T" if value else b"F")
        elif kind is int:
            self.sized(b"i", value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True))
        elif kind is str:
            self.sized(b"s", value.encode("utf-8", "surrogatepass"))
        elif kind is float:
            self.add(b"f" + struct.pack("<d", value))
        elif kind in SEQUENCES or kind is dict:
            self.container(value, kind, depth)
        else:
            self.rarer(value, kind, depth)

    def container(self, value: Any, kind: type, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise Unfit("the value is nested too deeply (or in itself) to leave the sandbox")
        if kind is dict:
            self.add(b"d" + struct.pack("<I", len(value)))
            for key, item in list(dict.items(value)):
                self.put(key, depth + 1)
                self.put(item, depth + 1)
        elif kind is list and len(value) > 8 and self.packed(value):
            return
        else:
            self.add(SEQUENCES[kind] + struct.pack("<I", len(value)))
            for item in value:
                self.put(item, depth + 1)

    def packed(self, values: list[Any]) -> bool:
        """Write a list of small integers only, or of floats only, at C speed; False when it is neither."""
        kinds = set(map(type, values))
        if kinds == {int} and min(values) > -CLOSE and max(values) < CLOSE:
            self.sized(b"I", struct.pack(f"<{len(values)}q", *values))
        elif kinds == {float}:
            self.sized(b"J", struct.pack(f"<{len(values)}d", *values))
        else:
            return False
        return True

    def rarer(self, value: Any, kind: type, depth: int) -> None:
        if kind is bytes:
            self.sized(b"b", value)
        elif kind is complex:
            self.add(b"j" + struct.pack("<dd", value.real, value.imag))
        elif kind is Ref:
            self.add((b"<" if value.mine else b">") + struct.pack("<I", value.number))
        elif kind in REBUILT and not (kind is datetime and value.tzinfo):
            self.add(REBUILT[kind].tag)
            self.put(REBUILT[kind].parts(value), depth + 1)
        elif id(value) in NAME_OF:
            self.sized(b"@", NAME_OF[id(value)].encode())
        else:
            self.strange(value, kind, depth)

    def strange(self, value: Any, kind: type, depth: int) -> None:
        """A subclass as its plain base; anything else as a reference."""
        for base in PLAIN_BASES:
            if issubclass(kind, base):
                return self.put(plain_base(value, base), depth)
        ref = self.refer(value) if self.refer else None
        if ref is None:
            raise Unfit(f"a value of type {kind.__name__} is not plain data")
        return self.put(ref, depth)


def decode(data: bytes, refer: Callable[[Ref], Any] | None = None) -> Any:
    """The value that `encode` wrote; references go through `refer`. Raises Malformed for any other bytes."""
    value, end = decode_from(data, 0, refer)
    if end != len(data):
        raise Malformed("bytes after the value")
    return value


def decode_from(data: bytes, start: int, refer: Callable[[Ref], Any] | None = None) -> tuple[Any, int]:
    """One value from `start` on, and where it ends."""
    reader = Reader(data, start, refer)
    try:
        return reader.get(0), reader.at
    except Malformed:
        raise
    except (ValueError, TypeError, ArithmeticError, struct.error, RecursionError, MemoryError) as error:
        raise Malformed(type(error).__name__) from None


class Reader:
    """Walks over bytes, trusting none."""

    def __init__(self, data: bytes, at: int, refer: Callable[[Ref], Any] | None) -> None:
        self.data, self.at, self.refer = data, at, refer

    def take(self, count: int) -> bytes:
        end = self.at + count
        if end > len(self.data):
            raise Malformed("cut short")
        part, self.at = self.data[self.at : end], end
        return part

    def length(self) -> int:
        size = int.from_bytes(self.take(4), "little")
        if size > len(self.data) - self.at:
            raise Malformed("longer than the message")
        return size

    def get(self, depth: int) -> Any:
        if depth > MAX_DEPTH + 2:
            raise Malformed("too deep")
        tag = self.take(1)[0]
        if tag in BUILDERS:
            return BUILDERS[tag]([self.get(depth + 1) for _ in range(self.length())])
        if tag in CONSTANTS:
            return CONSTANTS[tag]
        if tag in SCALARS:
            return SCALARS[tag](self)
        if tag == ord("d"):
            return {self.get(depth + 1): self.get(depth + 1) for _ in range(self.length())}
        return self.rebuilt(tag, depth)

    def rebuilt(self, tag: int, depth: int) -> Any:
        """A value made of plain parts whose exact types are checked, so that no reference is ever asked anything."""
        if tag not in BY_TAG:
            raise Malformed("unknown tag")
        parts = self.get(depth + 1)
        if type(parts) is not tuple or any(type(part) not in BY_TAG[tag].takes for part in parts):
            raise Malformed("wrong parts")
        return BY_TAG[tag].build(*parts)

    def text(self) -> str:
        return self.take(self.length()).decode("utf-8", "surrogatepass")

    def numbers(self, letter: str) -> list[Any]:
        content = self.take(self.length())
        return list(struct.unpack(f"<{len(content) // 8}{letter}", content))

    def reference(self, mine: bool) -> Any:
        ref = Ref(int.from_bytes(self.take(4), "little"), mine)
        if self.refer is None:
            raise Malformed("a reference where none may stand")
        return self.refer(ref)

    def named(self) -> Any:
        name = self.text()
        if name not in NAMED:
            raise Malformed("unknown name")
        return NAMED[name]


CONSTANTS = {ord("N"): None, ord("T"): True, ord("F"): False}
SCALARS: dict[int, Callable[[Reader], Any]] = {
    ord("i"): lambda r: int.from_bytes(r.take(r.length()), "little", signed=True),
    ord("f"): lambda r: struct.unpack("<d", r.take(8))[0],
    ord("j"): lambda r: complex(*struct.unpack("<dd", r.take(16))),
    ord("s"): Reader.text,
    ord("b"): lambda r: r.take(r.length()),
    ord("I"): lambda r: r.numbers("q"),
    ord("J"): lambda r: r.numbers("d"),
    ord("<"): lambda r: r.reference(True),
    ord(">"): lambda r: r.reference(False),
    ord("@"): Reader.named,
}
