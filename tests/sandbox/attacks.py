"""The attacks: one adversary each, what it tries, and what came of it at every level of isolation.

They stand in `attacks/*.txt`, a file for each group. `=== NAME` begins an attack, followed by its program; `--- tests`
brings tests of its own, `--- then` the program that comes next in the same worker and must find nothing. An attack
marked `naive` scores a pass in a harness that runs tests beside the program: that proves it real. `{canary!r}` and the
like stand for things planted outside.

    python tests/sandbox/attacks.py            the matrix of levels and attacks
    python tests/sandbox/attacks.py --write    the same, and put it into docs/sandbox.md
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hornbook.sandbox.launch import LEVELS
from hornbook.sandbox.pool import BROKEN, LATE, Crew
from hornbook.sandbox.probe import probe_level, shared_segment, victim
from hornbook.sandbox.run import Sandbox, setting_of

HERE = Path(__file__).parent / "attacks"
DOCUMENT = Path(__file__).parents[2] / "docs" / "sandbox.md"
GROUPS = {
    "forge": "Forged verdicts: a wrong program that would pass",
    "exit": "Exits: leaving with a success",
    "bomb": "Resource bombs",
    "compile": "Bombs for the compiler",
    "frame": "Malformed and forged frames",
    "escape": "Escapes: files, environment, network, processes, kernel",
    "leak": "State left for the next program",
    "hostile-tests": "Untrusted tests against the judge",
}
SQUARE = "def f(x): return x * x\n"
CHECK = "def check(candidate):\n    assert candidate(3) == 9\n    assert candidate(5) == 25\n    assert candidate(-2) == 4\n"
NOTHING = "def check(candidate): assert candidate() == []\n"
LIMITS = {"cpu_seconds": 1, "wall_seconds": 2.0, "workers": 2, "memory_mb": 256}
BEGIN, END = "<!-- attacks: begin -->", "<!-- attacks: end -->"


@dataclass(frozen=True)
class Attack:
    """One adversary. `then`: the next program, where that is what matters. `naive`: it fools a naive harness."""

    group: str
    name: str
    source: str
    tests: str
    then: str
    naive: bool


def read_attacks() -> list[Attack]:
    """All attacks, in order."""
    found = []
    for group in GROUPS:
        text = (HERE / f"{group}.txt").read_text("utf-8")
        for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
            title, _, body = part.partition("\n")
            name, _, flag = title.partition(" | ")
            source, tests, then = sections(body)
            if group == "leak":  # what a level refuses leaves nothing either
                lines = "".join(f"    {line}\n" for line in source.splitlines())
                source = f"try:\n{lines}except (OSError, AssertionError): pass\ndef f(): return []\n"
            found.append(Attack(group, name, source or SQUARE, tests, then, flag == "naive"))
    assert len({attack.name for attack in found}) == len(found), "two attacks of one name"
    return found


def sections(body: str) -> tuple[str, str, str]:
    """The program, its tests and the next program."""
    source, *rest = re.split(r"^--- (\w+)\n", body, flags=re.MULTILINE)
    parts = dict(zip(rest[::2], rest[1::2], strict=True))
    return source, parts.get("tests", CHECK), parts.get("then", "")


ATTACKS = read_attacks()


@dataclass
class Planted:
    """Things outside that must not be reached, and what they looked like before."""

    marks: dict[str, Any]
    sockets: list[socket.socket]
    before: tuple[Any, ...] = ()

    def state(self) -> tuple[Any, ...]:
        """What an attack would have changed."""
        canary, folder = Path(self.marks["canary"]), self.marks["folder"]
        about = canary.stat()
        pid = self.marks["victim"]
        running = Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] in "SR"
        marks = tuple(os.listxattr(canary))
        owner = (about.st_mode, about.st_uid, about.st_mtime_ns, marks)
        return canary.read_text(), owner, sorted(os.listdir(folder)), running, [called(s) for s in self.sockets]

    def untouched(self) -> bool:
        """Whether nothing outside was changed, reached or killed."""
        return self.state() == self.before


def called(sock: socket.socket) -> bool:
    """Whether somebody connected or sent something."""
    try:
        sock.recv(1) if sock.type == socket.SOCK_DGRAM else sock.accept()
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def plant() -> Iterator[Planted]:
    """Plant what attacks are after."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hornbook-test-"))
        Path(folder, "canary").write_text("chirp")
        server, name = stack.enter_context(socket.create_server(("127.0.0.1", 0))), f"\0hornbook-test-{os.getpid()}"
        sockets = [server]
        for address, kind in (
            (name, socket.SOCK_STREAM),
            (name + "-d", socket.SOCK_DGRAM),
            (f"{folder}/socket", socket.SOCK_DGRAM),
        ):
            sockets.append(stack.enter_context(socket.socket(socket.AF_UNIX, kind)))
            sockets[-1].bind(address)
        sockets[1].listen()
        for sock in sockets:
            sock.setblocking(False)
        pid, segment = stack.enter_context(victim()), stack.enter_context(shared_segment())
        address = int(Path(f"/proc/{pid}/maps").read_text().split("-")[0], 16)
        packages = [*(sysconfig.get_path(kind) for kind in ("purelib", "platlib")), "/usr/lib/python3/dist-packages"]
        marks = {"canary": f"{folder}/canary", "folder": folder, "home": os.path.expanduser("~"), "here": __file__}
        marks |= {"port": server.getsockname()[1], "abstract": name, "datagram": name + "-d", "python": sys.executable}
        marks |= {"victim": pid, "segment": segment, "address": address, "packages": packages}
        planted = Planted(marks | {"null": "\0", "surrogate": "\ud800"}, sockets)
        planted.before = planted.state()
        yield planted


def fill(text: str, marks: dict[str, Any]) -> str:
    """A text with the planted things' names put in."""
    for name, value in marks.items():
        text = text.replace("{" + name + "!r}", repr(value)).replace("{" + name + "}", str(value))
    return text


def outcomes(level: str, attacks: list[Attack]) -> tuple[dict[str, Any], bool]:
    """What workers answer on the attacks (name → verdict, or the next program's verdict), and whether all is untouched.

    A first answer is enough: how time-outs are run again is tested elsewhere.
    """
    found: dict[str, Any] = {}
    with plant() as planted:
        for size, chosen in ((2, [a for a in attacks if not a.then]), (1, [a for a in attacks if a.then])):
            jobs = [job for attack in chosen for job in jobs_of(attack, planted.marks)]
            if jobs:
                with Crew(setting_of(Sandbox(level=level, **LIMITS)), size) as crew:
                    found |= dict(crew.work(jobs))
        return found, planted.untouched()


def jobs_of(attack: Attack, marks: dict[str, Any]) -> list[tuple[str, tuple[str, str, str, str]]]:
    """A worker's jobs for an attack: the program, and then the next one."""
    kind = "tests" if attack.group == "hostile-tests" else "trusted"
    tests = NOTHING if attack.then else fill(attack.tests, marks)
    jobs = [(attack.name, (kind, fill(attack.source, marks), tests, "f"))]
    if attack.then:
        jobs.append((attack.name, (kind, fill(attack.then, marks), tests, "f")))
    return jobs


def stopped(attack: Attack, answer: Any) -> bool:
    """Whether an attack failed: no pass for it, or a pass for the program after it, and never a broken machine."""
    if answer is BROKEN:
        return False
    status = "timeout" if answer is LATE else answer[0]
    return status == "passed" if attack.then else status in ("failed", "crashed", "blocked", "timeout")


def matrix(levels: list[str]) -> str:
    """The table of levels and attacks, in Markdown. Exits with 1 below when a cell is not ✓."""
    found = {level: outcomes(level, ATTACKS) for level in levels}
    lines = [f"| attack | {' | '.join(levels)} |", f"|---|{'---|' * len(levels)}"]
    for group, title in GROUPS.items():
        lines.append(f"| **{title}** |{' |' * len(levels)}")
        for attack in (a for a in ATTACKS if a.group == group):
            cells = ["✓" if stopped(attack, found[level][0][attack.name]) else "✗" for level in levels]
            lines.append(f"| {attack.name} | {' | '.join(cells)} |")
    cells = ["✓" if found[level][1] else "✗" for level in levels]
    lines.append(f"| *afterwards: canary, sockets and sibling process untouched* | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    """Print the matrix; 1 when something got through."""
    levels = [level for level in LEVELS if probe_level(level) is not None]
    table = matrix(levels)
    print(table)
    if "--write" in sys.argv and levels == list(LEVELS):
        before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
        DOCUMENT.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.partition(END)[2]}", "utf-8")
    return int("✗" in table)


if __name__ == "__main__":
    sys.exit(main())
