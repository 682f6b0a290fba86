"""Finds the strongest level of isolation that holds here, by trying to break each from the inside."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hornbook.errors import InfrastructureError
from hornbook.sandbox.bare.stream import Gone, TooLate
from hornbook.sandbox.launch import LEVELS, Setting, layers, start
from hornbook.sandbox.pool import Crew

# Each attempt prints "open" when it gets through. {file}, {folder}, {port}, {name}, {pid}: planted outside.
ATTEMPTS = {
    "network": "import socket\nsocket.create_connection(('127.0.0.1', {port}), 2)\nprint('open')",
    "sockets": "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('\\0{name}')\nprint('open')",
    "files": "print('open' if open({file!r}).read() else '')",
    "writing": "open({folder!r} + '/planted', 'w').close()\nprint('open')",
    "environment": "import os\nif os.environ: print('open')\n"
    "if b'HASHSEED' in open('/proc/self/environ', 'rb').read(): print('open')",
    "signals": "import os\nos.kill(os.getppid(), 0)\nprint('open')",
    "processes": "import os\npid = os.fork()\nif pid == 0: os._exit(0)\nprint('open')",
    "tracing": "import ctypes\nif ctypes.CDLL(None).ptrace(16, {pid}, 0, 0) == 0: print('open')",
}
# A level counts only when everything it promises was tried and held.
PROMISES = {
    "bubblewrap": frozenset(ATTEMPTS),
    "landlock": frozenset(ATTEMPTS),
    "seccomp": frozenset({"network", "sockets", "signals", "processes", "tracing"}),
    "rlimits": frozenset[str](),
}
ADVICE = {
    "bubblewrap": "",
    "landlock": "install bubblewrap and allow user namespaces: programs then see no other process, and get a scratch "
    "folder",
    "seccomp": "programs can reach this machine's files: use a kernel with Landlock (5.13 or later), or install "
    "bubblewrap and allow user namespaces",
    "rlimits": "hostile programs can reach files and network: install bubblewrap and allow user namespaces, or run "
    "hornbook in a container or virtual machine of its own",
}
PROBE_LIMITS = (5, 512 << 20, 1 << 20, 1 << 16)


@dataclass(frozen=True)
class Isolation:
    """The level in use, which attempts to break it were stopped, and how to reach a stronger one."""

    level: str
    probes: dict[str, bool] = field(default_factory=dict)
    advice: str = ""


@functools.cache
def probe() -> Isolation:
    """The strongest level whose every promise holds on this machine. Tried once per process.

    Raises InfrastructureError when not even the weakest level can run a program.
    """
    for level in LEVELS:
        found = probe_level(level)
        if found is not None and all(found.probes[name] for name in PROMISES[level]):
            return found
    raise InfrastructureError(
        "the sandbox cannot start a Python interpreter of its own; "
        "check that processes may be started and temporary files written here"
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
    return found["landlock"] if setting.level == "landlock" else found["seccomp"] or setting.level != "seccomp"


@contextlib.contextmanager
def victim() -> Iterator[int]:
    """A process for programs to attack: tracing stops its target, which must not be this process."""
    command = [sys.executable, "-S", "-c", "import time; time.sleep(60)"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def planted() -> Iterator[dict[str, object]]:
    """Things outside that a program inside must not reach."""
    with (
        tempfile.TemporaryDirectory(prefix="hornbook-probe-") as folder,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
        victim() as pid,
    ):
        canary = Path(folder) / "canary"
        canary.write_text("chirp", "utf-8")
        name = f"hornbook-{os.getpid()}-{id(server)}"
        abstract.bind("\0" + name)
        abstract.listen()
        yield {
            "file": str(canary),
            "folder": folder,
            "port": server.getsockname()[1],
            "name": name,
            "pid": pid,
        }
