"""The fork server: a lean warm interpreter inside the wall that forks a confined child for every program.

It never reads foreign code: programs reach their child over the child's own socket, which arrives here as a descriptor.

    b"C" + 1 descriptor     fork a candidate that talks on it
    b"T" + 2 descriptors    fork untrusted tests: the referee's socket, the candidate's socket
    b"B" + 1 descriptor     fork a runner of code blocks
    b"E"                    end: kill all children, clean up; answers (status, CPU in µs) per child, in order
    b"?"                    answers which layers are on
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import struct
import sys
from _socket import socket, socketpair
from typing import Any

from .candidate import serve_blocks, serve_candidate
from .codec import decode, encode
from .contain import PR_SET_CHILD_SUBREAPER, Cage, Limits, die_with_parent, drop_privileges, prctl
from .examine import compiled, examination, examine, post_source, wanted_names
from .handles import Handle
from .namespaces import enter
from .peer import Peer, allow_all
from .stream import Gone, Stream, receive_fds

WARM = (
    *("typing", "math", "collections", "itertools", "functools", "heapq", "bisect", "string", "copy", "random", "re"),
    "operator",
)
FATE = struct.Struct("<iQ")
WARM_ROUNDS = 20
LAYERS = ("landlock", "seccomp", "alone")


def main(fd: int, settings: dict[str, Any]) -> None:
    """Serve until the worker hangs up."""
    if settings["parent"]:
        die_with_parent(settings["parent"])
    if settings["world"]:
        enter(settings["world"])
    os.chdir(settings["home"])
    os.environ.clear()
    sys.orig_argv.clear()  # this machine's paths stand in it
    sys.path[:] = [path for path in sys.path if path != settings["bare"]] + settings["packages"]
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    layers = (settings["readable"], settings["writable"], settings["alone"], settings["without"])
    cage = Cage(Limits(*settings["limits"]), *layers)
    drop_privileges()
    warm_up()
    cage.share()
    Zygote(socket(fileno=fd), cage, settings["home"], settings["alone"] and os.getpid() < 10).serve()


def warm_up() -> None:
    """Import and run what every program needs, then keep the collector from touching (and copying) it."""
    register, os.register_at_fork = os.register_at_fork, lambda **_: None  # `random` would seed every child anew
    modules = {name: importlib.import_module(name) for name in WARM}
    os.register_at_fork = register
    modules["random"].seed(0)
    for _ in range(WARM_ROUNDS):
        rehearse()
    compiled.cache_clear()
    gc.collect()
    gc.freeze()


def rehearse() -> None:
    """Hold a short conversation with ourselves, so that children find the code they run already specialised."""
    ours, theirs = socketpair()
    tests, candidate = examination(Stream(ours)), Peer(Stream(theirs), allow_all, str, len)
    candidate.refer(lambda *parts: parts)
    parts = ([1, 2.5, "text"], {"a": {1}, "b": (True, None)})
    serial = tests.post("call", (Handle(tests, 0, False), *parts), {})
    candidate.answer(*candidate.next_frame())
    tests.settle(serial, ((), *parts))
    exec(compile("def f(a: int) -> list:\n    return [b for b in a]\nclass A:\n    pass\n", "", "exec"), {})
    wanted_names("import math\ndef check(candidate):\n    assert candidate(1) == 2\n", "f")
    ours.close()
    theirs.close()


class Zygote:
    """Forks children and ends them. `alone`: every other process in its namespace is one of its children."""

    def __init__(self, control: socket, cage: Cage, home: str, alone: bool) -> None:
        self.control, self.cage, self.home, self.alone = control, cage, home, alone
        self.children: list[int] = []

    def serve(self) -> None:
        """Answer the worker's messages."""
        while True:
            message, fds = receive_fds(self.control)
            if message == b"E":
                self.control.send(b"".join(FATE.pack(*fate) for fate in self.end()) or b"-")
            elif message == b"?":
                on = (self.cage.ruleset is not None, self.cage.filter is not None, self.alone)
                self.control.send(encode(dict(zip(LAYERS, on, strict=True))))
            elif message:
                self.spawn(message, fds)
            else:
                self.end()
                return

    def spawn(self, role: bytes, fds: list[int]) -> None:
        """Fork a child for a role; its sockets are its own."""
        pid = os.fork()
        if pid == 0:
            self.child(role, [socket(fileno=fd) for fd in fds])
        self.children.append(pid)
        for fd in fds:
            os.close(fd)

    def child(self, role: bytes, sockets: list[socket]) -> None:
        """Confine this child, then play the role. Never returns."""
        try:
            self.control.close()
            self.cage.enter()
            output = self.cage.limits.output_chars
            if role == b"C":
                serve_candidate(Stream(sockets[0]), output)
            elif role == b"B":
                serve_blocks(Stream(sockets[0]), output)
            else:
                run_tests(Stream(sockets[0]), Stream(sockets[1]))
        except BaseException:
            os._exit(71)
        finally:
            os._exit(0)

    def end(self) -> list[tuple[int, int]]:
        """Kill all children and tidy up; how each ended."""
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
        fates = []
        for pid in self.children:
            _, status, usage = os.wait4(pid, 0)
            fates.append((status, int((usage.ru_utime + usage.ru_stime) * 1e6)))
        self.children.clear()
        if self.cage.filter is None:
            self.kill_strays()
        sweep(self.home)
        return fates

    def kill_strays(self) -> None:
        """End what children left behind: all other processes of the namespace, or those that became ours."""
        while True:
            if self.alone:
                try:
                    os.kill(-1, signal.SIGKILL)
                except ProcessLookupError:
                    return
            try:
                pid, _ = os.waitpid(-1, 0 if self.alone else os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                kill_own_children()


def sweep(home: str) -> None:
    """Empty the scratch folder, so that no program finds what another one left. Folders are flattened, not descended
    into, and unlocked first: neither depth nor permissions keep anything alive."""
    moved = 0
    while entries := list(os.scandir(home)):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            for inner in list(os.scandir(entry.path)):
                moved += 1
                os.rename(inner.path, f"{home}/.swept-{moved}")
            os.rmdir(entry.path)


def kill_own_children() -> None:
    """Kill the direct children that the kernel lists for this process."""
    with open(f"/proc/self/task/{os.getpid()}/children") as stream:
        for pid in stream.read().split():
            os.kill(int(pid), signal.SIGKILL)


def run_tests(referee: Stream, candidate: Stream) -> None:
    """Untrusted tests in this child: send the candidate its program, examine it, tell the referee."""
    source, tests, entry_point = decode(referee.receive())
    peer = examination(candidate)
    try:
        post_source(peer, source, wanted_names(tests, entry_point))
        outcome = examine(peer, tests, entry_point)
    except Gone:
        outcome = ("gone", "")
    referee.send(encode(outcome))
