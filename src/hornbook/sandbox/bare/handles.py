"""The stand-in for an object that lives in another process, and what may be asked of it.

Attributes, calls, items, iteration, length, truth and text are asked of the owner, because their answers are plain data
or further handles; conversion to a number only of an instance of a class that the tests name. Equality, order,
membership and arithmetic never are: an object that claims to equal everything, to be less than everything or to differ
from everything by nought would forge its verdict.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from .peer import Peer

# Methods that tests call on plain data. On an object that should have been plain data they are not asked of the owner:
# `candidate(x).issubset(expected)` would let it be its own judge. Instances of a class that the tests name are free.
DATA_METHODS = frozenset(
    name
    for kind in (int, float, complex, str, bytes, list, tuple, dict, set, frozenset, bytearray)
    for name in dir(kind)
    if not name.startswith("_")
)
FINISHED = object()
T = TypeVar("T")


class Handle:
    """An object elsewhere. Two handles are equal only when they are the same one."""

    __slots__ = ("_hornbook_free", "_hornbook_number", "_hornbook_peer")

    def __init__(self, peer: Peer, number: int, free: bool) -> None:
        object.__setattr__(self, "_hornbook_peer", peer)
        object.__setattr__(self, "_hornbook_number", number)
        object.__setattr__(self, "_hornbook_free", free)

    def __getattr__(self, name: str) -> Any:
        check_name(self, name)
        return ask(self, "get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        check_name(self, name)
        ask(self, "set", name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return ask(self, "call", *args, **kwargs)

    def __iter__(self) -> Any:
        return ask(self, "iter")

    def __next__(self) -> Any:
        more = ask(self, "next")
        if more == ():
            raise StopIteration
        return more[0]

    def __len__(self) -> int:
        return expect(int, ask(self, "len"))

    def __bool__(self) -> bool:
        return expect(bool, ask(self, "bool"))

    def __str__(self) -> str:
        return expect(str, ask(self, "str"))

    def __repr__(self) -> str:
        return expect(str, ask(self, "repr"))

    def __int__(self) -> int:
        check_number(self)
        return expect(int, ask(self, "int"))

    def __index__(self) -> int:
        check_number(self)
        return expect(int, ask(self, "index"))

    def __float__(self) -> float:
        check_number(self)
        return expect(float, ask(self, "float"))

    def __getitem__(self, key: Any) -> Any:
        return ask(self, "item", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        ask(self, "setitem", key, value)

    def __delitem__(self, key: Any) -> None:
        ask(self, "delitem", key)


def ask(handle: Handle, operation: str, *args: Any, **kwargs: Any) -> Any:
    """Have the owner of the object perform an operation on it."""
    return handle._hornbook_peer.request(operation, (handle, *args), kwargs)


def check_name(handle: Handle, name: str) -> None:
    """Refuse special names everywhere, and the names of plain data's methods on an object of no named class."""
    special = name.startswith("__") and name != "__name__"
    if special or (name in DATA_METHODS and not handle._hornbook_free):
        raise AttributeError(f"the object has no attribute {name!r} that tests may use")


def check_number(handle: Handle) -> None:
    """Refuse conversion of an object of no named class: one that is another number each time solves any equation."""
    if not handle._hornbook_free:
        raise TypeError("the object is not a number")


def expect(kind: type[T], value: Any) -> T:
    """The answer, if it is plain data of the kind that the operation must give."""
    if type(value) is not kind:
        raise TypeError(f"the object gave a {type(value).__name__} where a {kind.__name__} is due")
    return value


def advance(iterator: Any) -> tuple[Any, ...]:
    """The next item in a tuple, or the empty tuple at the end."""
    item = next(iterator, FINISHED)
    return () if item is FINISHED else (item,)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "call": lambda target, *args, **kwargs: target(*args, **kwargs),
    "get": getattr,
    "set": setattr,
    "iter": iter,
    "next": advance,
    "len": len,
    "bool": bool,
    "str": str,
    "repr": repr,
    "int": int,
    "index": operator.index,
    "float": float,
    "item": operator.getitem,
    "setitem": operator.setitem,
    "delitem": operator.delitem,
}
