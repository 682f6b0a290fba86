"""Confines the calling process, in ways that no later code in it can undo."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from .landlock import Ruleset
from .seccomp import Filter, inner, outer

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER = 1, 4, 38, 36
CAPSET = {"x86_64": 126, "aarch64": 91}
OPEN_FILES = 64
TIMERS = 1024  # counted over all processes of a user
T = TypeVar("T")


class Limits(NamedTuple):
    """What one program may use."""

    cpu_seconds: int
    memory_bytes: int
    file_bytes: int
    output_chars: int


def prctl(option: int, value: int) -> None:
    """One prctl with one argument; a kernel that does not know it is let be."""
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """Be killed when the parent ends, or leave now if it already has."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def drop_privileges() -> None:
    """For the zygote, once: no new privileges, no capabilities, unreadable to its children, no core files."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_DUMPABLE, 0)
    number = CAPSET.get(os.uname().machine)
    if number is not None:
        ctypes.CDLL(None, use_errno=True).syscall(number, struct.pack("Ii", 0x20080522, 0), bytes(24))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Cage:
    """Everything a child puts on before it touches foreign code, or has inherited by then. Prepared in the zygote.

    `walled`: nothing in sight that is of this machine can be written. Else the filter guards what Landlock does not.
    """

    def __init__(
        self, limits: Limits, readable: list[str], writable: list[str], walled: bool, without: list[str]
    ) -> None:
        self.limits = limits
        self.ruleset = None if "landlock" in without else prepared(lambda: Ruleset(readable, writable))
        machine = os.uname().machine
        self.outer = None if "seccomp" in without else prepared(lambda: Filter(outer(machine, walled)))
        self.filter = self.outer and Filter(inner(machine))

    def share(self) -> None:
        """Put on what the zygote can work in, once; its children inherit it."""
        limit(resource.RLIMIT_AS, self.limits.memory_bytes)
        limit(resource.RLIMIT_FSIZE, self.limits.file_bytes)
        limit(resource.RLIMIT_NOFILE, OPEN_FILES)
        limit(resource.RLIMIT_SIGPENDING, TIMERS)
        if self.outer is not None and not self.outer.install():
            os._exit(70)

    def enter(self) -> None:
        """Confine this child. A layer that was prepared and then fails ends it: never run half-confined."""
        limit(resource.RLIMIT_CPU, self.limits.cpu_seconds, grace=1)
        if self.filter is None:
            limit(resource.RLIMIT_NPROC, 0)
        if self.ruleset is not None:
            if not self.ruleset.apply():
                os._exit(70)
            os.close(self.ruleset.fd)
        if self.filter is not None and not self.filter.install():
            os._exit(70)


def limit(what: int, value: int, grace: int = 0) -> None:
    """Lower a resource limit for good. `grace`: how far above the limit that warns stands the one that kills."""
    ceiling = resource.getrlimit(what)[1]
    room = value + grace if ceiling == resource.RLIM_INFINITY else min(value + grace, ceiling)
    resource.setrlimit(what, (min(value, room), room))


def prepared(make: Callable[[], T]) -> T | None:
    """The layer, or None where this kernel or machine has none."""
    try:
        return make()
    except (OSError, KeyError):
        return None
