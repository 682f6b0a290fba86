"""Two processes that call each other's objects, where each may be hostile to the other.

    ("?", serial, operation) + arguments    a request; the first argument is the object asked
    ("=", serial, printed) + (value, arguments as they are now, or None)
    ("!", serial, printed) + (names of the error's classes, its arguments)

Requests nest (a candidate may call a function that the tests passed to it) and never overlap.
"""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable
from typing import Any

from .codec import Ref, Unfit, decode, decode_from, encode
from .handles import OPERATIONS, Handle
from .plain import Malformed
from .stream import Gone, Stream, TooLate

Guard = Callable[[str, Any, tuple[Any, ...]], None]
MUTABLE = (list, dict, set, bytearray, deque, tuple)
# Raised by a candidate inside map() or a loop header these would end the tests' loop before its assertions.
QUIET = (StopIteration, StopAsyncIteration, GeneratorExit, KeyboardInterrupt)
EMPTY = encode({})


class CandidateError(Exception):
    """The candidate raised something that has no builtin counterpart."""


def allow_all(operation: str, target: Any, args: tuple[Any, ...]) -> None:
    """The guard of a process with nothing to protect: the candidate's."""


class Peer:
    """One side of the conversation. `guard` raises PermissionError for what the other side may not ask.

    `printed` gives and forgets what was printed here since the last reply; `hear` takes what the other side printed.
    """

    def __init__(self, stream: Stream, guard: Guard, printed: Callable[[], str], hear: Callable[[str], object]) -> None:
        self.stream, self.guard, self.printed, self.hear = stream, guard, printed, hear
        self.exports: list[Any] = []
        self.numbers: dict[int, int] = {}
        self.handles: dict[int, Handle] = {}
        self.serial = 0
        self.broken = False  # the other side died or broke the protocol: whatever the tests concluded is void

    def request(self, operation: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Ask the other side and wait, serving its requests meanwhile. Raises what it raised, or Gone."""
        return self.settle(self.post(operation, args, kwargs), args)

    def post(self, operation: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        """Send a request; returns its serial number."""
        if self.broken:
            raise Gone
        self.serial += 1
        body = self.pack(args) + (self.pack(kwargs) if kwargs else EMPTY)
        self.stream.send(encode(("?", self.serial, operation)) + body)
        return self.serial

    def settle(self, serial: int, args: tuple[Any, ...]) -> Any:
        """Wait for the reply to a request and return its value, or raise its error."""
        try:
            sign, body = self.reply(serial, bool(args) and type(args[0]) is Handle and args[0]._hornbook_free)
            error = rebuild_error(*body) if sign == "!" else None
        except (Malformed, Gone, TooLate) as error:
            self.broken = True
            raise (error if isinstance(error, TooLate) else Gone()) from None
        if error is not None:
            raise error
        value, now = body
        if type(now) is tuple and len(now) == len(args):
            reflect(list(args[1:]), list(now[1:]))
        return value

    def reply(self, serial: int, free: bool) -> tuple[str, tuple[Any, Any]]:
        """Wait for a reply and take it apart. `free`: handles in it belong to a class that the tests name."""
        while True:
            head, at, frame = self.next_frame()
            if head[0] != "?":
                break
            self.answer(head, at, frame)
        if head[0] not in ("=", "!") or head[1] != serial or type(head[2]) is not str:
            raise Malformed("not the reply that was due")
        body = decode(frame[at:], lambda ref: self.resolve(ref, free))
        if type(body) is not tuple or len(body) != 2:
            raise Malformed("a reply has two parts")
        self.hear(head[2])
        return head[0], body

    def next_frame(self) -> tuple[tuple[Any, ...], int, bytes]:
        frame = self.stream.receive()
        head, at = decode_from(frame, 0)
        if type(head) is not tuple or len(head) != 3 or type(head[1]) is not int:
            raise Malformed("not a message")
        return head, at, frame

    def serve(self) -> None:
        """Answer requests until the other side goes away (raises Gone)."""
        while True:
            head, at, frame = self.next_frame()
            if head[0] != "?":
                raise Malformed("a reply to no request")
            self.answer(head, at, frame)

    def answer(self, head: tuple[Any, ...], at: int, frame: bytes) -> None:
        """Perform one request and send the reply, whatever happens."""
        args, middle = decode_from(frame, at, self.resolve)
        kwargs = decode(frame[middle:], self.resolve)
        if type(args) is not tuple or not args or type(kwargs) is not dict or head[2] not in OPERATIONS:
            raise Malformed("not a request")
        try:
            self.guard(head[2], args[0], args[1:])
            value = OPERATIONS[head[2]](*args, **kwargs)
            body = self.pack((value, self.changed(args, frame[at:middle])))
            sign = "="
        except (Gone, TooLate, Malformed):
            raise
        except BaseException as error:
            sign, body = "!", self.pack_error(error)
        self.stream.send(encode((sign, head[1], self.printed())) + body)

    def changed(self, args: tuple[Any, ...], before: bytes) -> tuple[Any, ...] | None:
        """The arguments, when the call changed one in place; else None."""
        if not any(type(arg) in MUTABLE for arg in args[1:]):
            return None
        return args if self.pack(args) != before else None

    def pack(self, value: Any) -> bytes:
        return encode(value, self.refer)

    def pack_error(self, error: BaseException) -> bytes:
        """An error as the names of its classes and its arguments, where these are plain data."""
        names = tuple(kind.__name__ for kind in type(error).__mro__)
        if isinstance(error, QUIET):
            names = ("CandidateError", "Exception")
        try:
            return encode((names, tuple(error.args)), limit=1 << 16)
        except (Unfit, AttributeError):
            return encode((names, ()))

    def refer(self, value: Any) -> Ref:
        """A reference for an object that is not plain data: a handle goes home, our own is exported."""
        if type(value) is Handle:
            if value._hornbook_peer is not self:
                raise Unfit("an object of another program")
            return Ref(value._hornbook_number, mine=False)
        number = self.numbers.get(id(value))
        if number is None:
            number = self.numbers[id(value)] = len(self.exports)
            self.exports.append(value)
        return Ref(number, mine=True)

    def resolve(self, ref: Ref, free: bool = False) -> Any:
        """The object behind a reference: one of ours, or the handle of one of theirs."""
        if not ref.mine:
            if ref.number >= len(self.exports):
                raise Malformed("a reference to nothing")
            return self.exports[ref.number]
        if ref.number not in self.handles:
            self.handles[ref.number] = Handle(self, ref.number, free)
        return self.handles[ref.number]


def rebuild_error(names: Any, args: Any) -> BaseException:
    """The builtin exception that is nearest to the one raised elsewhere; CandidateError where there is none."""
    if type(names) is not tuple or type(args) is not tuple:
        raise Malformed("not an error")
    for name in names:
        kind = getattr(builtins, name, None) if type(name) is str else None
        if isinstance(kind, type) and issubclass(kind, (Exception, SystemExit)) and not issubclass(kind, QUIET):
            try:
                return kind(*args) if kind is not Exception else CandidateError(str(names[0]), *args)
            except Exception:
                break
    return CandidateError(*map(str, names[:1]))


def reflect(old: Any, new: Any) -> Any:
    """Bring changes made to a copy back into the original containers, in place; return what stands for `new`."""
    if type(old) is not type(new):
        return new
    if type(old) is list:
        old[:] = [reflect(a, b) for a, b in zip(old, new, strict=False)] + new[len(old) :]
    elif type(old) is dict:
        merged = {key: reflect(old[key], item) if key in old else item for key, item in new.items()}
        old.clear()
        old.update(merged)
    elif type(old) is tuple and len(old) == len(new):
        parts = [reflect(a, b) for a, b in zip(old, new, strict=True)]
        return old if all(a is b for a, b in zip(old, parts, strict=True)) else tuple(parts)
    elif type(old) in (set, deque, bytearray):
        old.clear()
        old.extend(new) if type(old) is not set else old.update(new)
    else:
        return new
    return old
