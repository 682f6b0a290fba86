"""Starts a worker and its fork server at a level of isolation.

Levels, strongest first; each child wears Landlock, seccomp and limits at every one of them:

    bubblewrap  a world of its own (user, network, mount and process namespaces) made by bubblewrap
    namespaces  the same world made by the fork server itself
    landlock    this machine's world, of which programs may only read the interpreter; they cannot write files
    none        limits, and whatever else works here; nothing is promised. Only with `--unsafe-exec`
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.errors import InfrastructureError
from hornbook.sandbox.bare.codec import decode, encode
from hornbook.sandbox.bare.stream import Stream

LEVELS = ("bubblewrap", "namespaces", "landlock")
WALLED = ("bubblewrap", "namespaces")
UNSAFE = "none"
BARE = Path(__file__).parent / "bare"
SCRATCH, INSIDE = "/scratch", "/hornbook"
SCRATCH_BYTES = 256 << 20
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"}
FLAGS = ("-s", "-S", "-P")  # what -I means, but for the hash seed that it would ignore


@dataclass(frozen=True)
class Setting:
    """What a worker and its fork server are started with. `without`: layers to leave out, as an older kernel would."""

    level: str
    limits: tuple[int, int, int, int]  # CPU seconds, memory, file size, output: see bare.contain.Limits
    wall_seconds: float
    packages: tuple[str, ...] = ()
    core: int | None = None  # the processor that the pair stays on; None: any
    without: tuple[str, ...] = ()


@dataclass
class Pair:
    """A worker and its fork server, and the socket to the worker."""

    worker: subprocess.Popen[bytes]
    zygote: subprocess.Popen[bytes]
    sock: socket.socket
    home: str | None = None

    def stop(self) -> None:
        """Kill both, wait for them, remove what they used."""
        self.sock.close()
        for process in (self.worker, self.zygote):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # a wall that is still being built has more than one process
            process.wait()
        if self.home:
            shutil.rmtree(self.home, ignore_errors=True)


def start(setting: Setting) -> Pair:
    """Start a pair. Its processes end when this one does, or when the pair is stopped.

    Raises InfrastructureError when a process cannot be started.
    """
    try:
        return open_pair(setting)
    except OSError as error:
        raise InfrastructureError(
            f"the sandbox cannot start at level {setting.level!r} ({error.strerror}); see `hornbook doctor`"
        ) from None


def open_pair(setting: Setting) -> Pair:
    """Start the two processes and connect them."""
    ours, judge = socket.socketpair()
    worker_end, zygote_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    home = None if setting.level == "bubblewrap" else tempfile.mkdtemp(prefix="hornbook-")
    with judge, worker_end, zygote_end, on_core(setting.core):
        zygote = open_process(zygote_command(setting, zygote_end.fileno(), home), zygote_end.fileno())
        worker = open_process(
            worker_command(setting, judge.fileno(), worker_end.fileno()), judge.fileno(), worker_end.fileno()
        )
    return Pair(worker, zygote, ours, home)


@contextlib.contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Processes that this thread starts meanwhile stay on one processor.

    Worker, fork server and child take turns at every message: on one processor they find each other's data in its cache
    and need not be woken on another (a fifth to a quarter more programs a second, measured).
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before if core is None else {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def open_process(command: list[str], *fds: int) -> subprocess.Popen[bytes]:
    """Start a process with nothing of ours but these descriptors."""
    null = subprocess.DEVNULL
    return subprocess.Popen(
        command, stdin=null, stdout=null, stderr=null, pass_fds=fds, env=ENVIRONMENT, cwd="/", process_group=0
    )


def python(folder: str, call: str) -> list[str]:
    """The command that calls a function of the `bare` package on a bare interpreter."""
    module = call.split(".")[0]
    code = f"import sys; sys.path.insert(0, {folder!r}); from bare import {module}; {call}"
    return [sys.executable, *FLAGS, "-c", code]


def worker_command(setting: Setting, judge_fd: int, zygote_fd: int) -> list[str]:
    """How to start the worker."""
    settings = {
        "parent": os.getpid(),
        "packages": list(setting.packages),
        "cpu_seconds": setting.limits[0],
        "wall_seconds": setting.wall_seconds,
    }
    return python(str(BARE.parent), f"worker.main({judge_fd}, {zygote_fd}, {settings!r})")


def zygote_command(setting: Setting, fd: int, home: str | None) -> list[str]:
    """How to start the fork server, behind its wall where the level has one."""
    walled, wrapped = setting.level in WALLED, setting.level == "bubblewrap"
    folder = INSIDE if wrapped else str(BARE.parent)
    settings: dict[str, Any] = {
        "parent": 0 if wrapped else os.getpid(),
        "world": own_world(setting, home) if setting.level == "namespaces" else None,
        "home": SCRATCH if walled else home,
        "bare": folder,
        "alone": walled,
        "limits": list(setting.limits),
        "readable": [*library_parts(), *setting.packages, "/dev/zero", "/dev/urandom"],
        "writable": [SCRATCH, "/dev/null"] if walled else ["/dev/null"],
        "without": list(setting.without),
        "packages": list(setting.packages),
    }
    command = python(folder, f"zygote.main({fd}, {settings!r})")
    return [*bubblewrap(setting), "--", os.path.realpath(command[0]), *command[1:]] if wrapped else command


def own_world(setting: Setting, home: str | None) -> dict[str, Any]:
    """What the world holds that the fork server makes for itself: see bare.namespaces.enter."""
    return {
        "root": home,
        "readable": [*system_paths(), *setting.packages],
        "hidden": hidden_paths(setting),
        "devices": list(DEVICES),
        "scratch": [SCRATCH, SCRATCH_BYTES],
    }


def bubblewrap(setting: Setting) -> list[str]:
    """The wall: an empty world with the interpreter in it, read-only, and a scratch folder of limited size."""
    program = shutil.which("bwrap")
    if program is None:
        raise OSError(errno.ENOENT, "bubblewrap is not installed")
    command = [
        program,
        "--unshare-all",
        "--unshare-user",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
    ]
    command += ["--cap-drop", "ALL", "--uid", "65534", "--gid", "65534", "--hostname", "sandbox"]
    for name, value in ENVIRONMENT.items():
        command += ["--setenv", name, value]
    for path in [*system_paths(), *setting.packages]:
        command += ["--ro-bind-try", path, path]
    for path in hidden_paths(setting):
        command += ["--tmpfs", path]
    for path in DEVICES:
        command += ["--dev-bind", path, path]
    command += ["--ro-bind", str(BARE), f"{INSIDE}/bare", "--remount-ro", "/"]
    return [
        *command[:-2],
        "--size",
        str(SCRATCH_BYTES),
        "--tmpfs",
        SCRATCH,
        "--symlink",
        SCRATCH,
        "/tmp",
        *command[-2:],
    ]


def system_paths() -> list[str]:
    """What an interpreter needs to run: itself, its library, the system's shared libraries."""
    executable = os.path.realpath(sys.executable)
    roots = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", sys.base_prefix, sys.base_exec_prefix]
    if sys.base_prefix in ("/usr", "/usr/local", "/"):
        roots = [r for r in roots if r != sys.base_prefix] + [sysconfig.get_path("stdlib"), "/usr/local/lib"]
    return list(dict.fromkeys(path for path in [*roots, executable] if os.path.exists(path)))


def hidden_paths(setting: Setting) -> list[str]:
    """Folders of installed packages beside the library: a benchmark may be among them."""
    library = sysconfig.get_path("stdlib", vars={"base": sys.base_prefix, "installed_base": sys.base_prefix})
    candidates = [f"{library}/site-packages", f"{library}/dist-packages", "/usr/lib/python3/dist-packages"]
    return [path for path in candidates if os.path.isdir(path) and path not in setting.packages]


def library_parts() -> list[str]:
    """The standard library's entries one by one, and the system's shared libraries, without installed packages."""
    library = Path(os.__file__).parent
    parts = [path for path in library.iterdir() if path.name not in ("site-packages", "dist-packages")]
    for root in dict.fromkeys(Path(path).resolve() for path in ("/usr/lib", "/usr/lib64", "/lib", "/lib64")):
        parts += [path for path in root.glob("*") if not path.name.startswith("python")]
    return [*sorted(map(str, parts)), "/etc/ld.so.cache"]


def layers(pair: Pair) -> dict[str, bool]:
    """Which layers a pair's fork server has on. Raises OSError or ValueError when the pair does not work."""
    stream = Stream(pair.sock, seconds=30)
    stream.send(encode(("layers",)))
    found: dict[str, bool] = decode(stream.receive())
    return found
