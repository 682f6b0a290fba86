"""Finds the strongest level of isolation that holds here, by trying to break each from the inside."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hornbook.errors import InfrastructureError, RequestError
from hornbook.sandbox.bare.contain import CAPSET
from hornbook.sandbox.bare.stream import Gone, TooLate
from hornbook.sandbox.launch import LEVELS, UNSAFE, Setting, layers, start
from hornbook.sandbox.pool import Crew

# Each attempt prints "open" when it gets through. {file}, {folder}, {port}, {name}, {pid}, {segment}: planted outside.
CALL = "import ctypes\nlibc = ctypes.CDLL(None)\n"
ATTEMPTS = {
    "network": "import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)\nprint('open')",
    "sockets": "import socket\na, b = socket.socketpair(type=socket.SOCK_DGRAM)\n"
    "a.sendto(b'x', '\\0{name}')\nprint('open')",
    "files": "print('open' if open({file!r}).read() else '')",
    "writing": "open({folder!r} + '/planted', 'w').close()\nprint('open')",
    "permissions": "import os\nos.chmod({file!r}, 0o644)\nprint('open')",
    "environment": "import os\nif os.environ: print('open')\n"
    "if b'HASHSEED' in open('/proc/self/environ', 'rb').read(): print('open')",
    "signals": "import os\nos.kill(os.getppid(), 0)\nprint('open')",
    "owned signals": "import fcntl, os\nfcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, {pid})\nprint('open')",
    "processes": "import os\npid = os.fork()\nif pid == 0: os._exit(0)\nprint('open')",
    "tracing": CALL + "if libc.ptrace(16, {pid}, 0, 0) == 0: print('open')",
    "memory": "print('open' if open('/proc/{pid}/mem', 'rb') else '')",
    "shared memory": CALL + "if libc.shmat({segment}, 0, 0o10000) not in (0, -1): print('open')",
    "privileges": CALL + "if libc.unshare(0x10000000) == 0: print('open')",
}
MEANING = {
    "network": "reaching a port of this machine",
    "sockets": "writing to another program's socket",
    "files": "reading a file planted outside",
    "writing": "writing a file outside",
    "permissions": "changing who may use a file outside",
    "environment": "reading the environment",
    "signals": "sending a signal to its parent",
    "owned signals": "having the kernel send a signal to another process",
    "processes": "starting a process",
    "tracing": "tracing another process",
    "memory": "opening another process's memory",
    "shared memory": "attaching memory that others share",
    "privileges": "making namespaces, to gain privileges",
}
PLACE = {
    "bubblewrap": "programs run in a world of their own, made by bubblewrap",
    "namespaces": "programs run in a world of their own, made by hornbook",
    "landlock": "programs run on this machine's ground and may read the interpreter, nothing else",
    UNSAFE: "programs are not run",
}
LAYERS = {
    "bubblewrap": ("seccomp", "alone"),
    "namespaces": ("seccomp", "alone"),
    "landlock": ("seccomp", "landlock"),
    UNSAFE: (),
}
INSTALL = (
    "install bubblewrap (apt install bubblewrap, dnf install bubblewrap), or allow user namespaces (sysctl "
    "user.max_user_namespaces above 0; on Ubuntu also kernel.apparmor_restrict_unprivileged_userns=0; in a container: "
    "its seccomp profile), or use a kernel with Landlock (5.13 or later)"
)
ADVICE = {
    "bubblewrap": "",
    "namespaces": "as strong as bubblewrap; there is nothing to install",
    "landlock": "programs get no scratch folder, and see that files and processes exist here; for a world of their own "
    "install bubblewrap, or allow user namespaces (sysctl user.max_user_namespaces above 0; on Ubuntu also "
    "kernel.apparmor_restrict_unprivileged_userns=0; in a container: its seccomp profile)",
    UNSAFE: f"hostile programs are not contained: {INSTALL}; or run hornbook in a virtual machine of its own",
}
DROP_CAPABILITIES = (
    "import ctypes, struct; "
    f"ctypes.CDLL(None).syscall({CAPSET}.get(os.uname().machine, -1), struct.pack('Ii', 0x20080522, 0), bytes(24))"
)
PROBE_LIMITS = (5, 512 << 20, 1 << 20, 1 << 16)


@dataclass(frozen=True)
class Isolation:
    """The level in use, which attempts to break it were stopped, and how to reach a stronger one."""

    level: str
    probes: dict[str, bool] = field(default_factory=dict)
    advice: str = ""


@functools.cache
def probe(level: str = "strongest", unsafe: bool = False) -> Isolation:
    """The strongest level whose every promise holds on this machine, or the named one. Tried once per process.

    Raises InfrastructureError when no level holds (unless `unsafe`: then the level is `none`) or the named one does
    not, RequestError when `none` is named without `unsafe`.
    """
    if level == UNSAFE and not unsafe:
        raise RequestError("isolation level 'none' contains nothing: to accept that, add --unsafe-exec")
    for name in LEVELS if level == "strongest" else [level]:
        found = probe_level(name)
        if found is not None and (all(found.probes.values()) or name == UNSAFE):
            return found
    if level != "strongest":
        raise InfrastructureError(
            f"isolation level {level!r} does not hold here; use 'strongest', see `hornbook doctor`"
        )
    if unsafe and (found := probe_level(UNSAFE)):
        return found
    raise InfrastructureError(
        f"no isolation holds on this machine, and programs are not run without it: {INSTALL}; "
        "or accept that programs can reach all that you can, with --unsafe-exec"
    )


def probe_level(level: str) -> Isolation | None:
    """What is stopped at one level; None when the level does not work here at all."""
    setting = Setting(level, PROBE_LIMITS, wall_seconds=30)
    if not starts(setting):
        return None
    with planted() as marks:
        jobs = [(name, ("blocks", [code.format(**marks)])) for name, code in ATTEMPTS.items()]
        with Crew[str](setting, 1) as crew:
            answers = dict(crew.work(jobs))
    held = {name: held_back(answers[name]) for name in ATTEMPTS}
    return Isolation(level, held, ADVICE[level])


def held_back(answer: object) -> bool:
    """Whether an attempt ran and did not get through."""
    return isinstance(answer, list) and "open" not in answer[0][0]


def starts(setting: Setting) -> bool:
    """Whether a worker and its fork server come up at this level, with the layers that its name promises."""
    try:
        pair = start(setting)
    except InfrastructureError:
        return False
    try:
        found = layers(pair)
    except (Gone, TooLate, OSError, ValueError):
        return False
    finally:
        pair.stop()
    return all(found[layer] for layer in LAYERS[setting.level])


@contextlib.contextmanager
def victim() -> Iterator[int]:
    """A process for programs to attack: tracing stops its target, which must not be this process.

    It has no capabilities, which would protect it even from an uncontained program of the same user. It ends with this
    process at the latest, which holds the other end of what it reads.
    """
    code = f"import os; {DROP_CAPABILITIES}; print(flush=True); os.read(0, 1)"
    command, pipe = [sys.executable, "-S", "-c", code], subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise InfrastructureError("the sandbox cannot be tried out: no process to attack would start")
        yield process.pid
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def shared_segment() -> Iterator[int]:
    """A System V segment of memory, by its number; -1 where there is no such thing."""
    libc = ctypes.CDLL(None)
    number = libc.shmget(0, 4096, 0o1600)
    try:
        yield number
    finally:
        libc.shmctl(number, 0, None)


@contextlib.contextmanager
def planted() -> Iterator[dict[str, object]]:
    """Things outside that a program inside must not reach."""
    with (
        tempfile.TemporaryDirectory(prefix="hornbook-probe-") as folder,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as abstract,
        victim() as pid,
        shared_segment() as segment,
    ):
        canary = Path(folder) / "canary"
        canary.write_text("chirp", "utf-8")
        name = f"hornbook-{os.getpid()}-{id(server)}"
        abstract.bind("\0" + name)
        yield {
            "file": str(canary),
            "folder": folder,
            "port": server.getsockname()[1],
            "name": name,
            "pid": pid,
            "segment": segment,
        }
