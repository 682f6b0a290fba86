"""The judge's worker: runs trusted tests, referees untrusted ones, and explains what became of a program.

It speaks with the judge over one socket and with the fork server over another. When the fork server fails, it ends: the
judge sees that, starts both anew and tries once more.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
from _socket import socket, socketpair
from typing import Any

from .codec import decode, encode
from .contain import PR_SET_DUMPABLE, die_with_parent, prctl
from .examine import Outcome, examination, examine, post_source, wanted_names
from .plain import Malformed
from .stream import Gone, Stream, TooLate, send_fds
from .zygote import FATE

BUDGET = 64 << 20  # bytes that a worker reads from one program
END_SECONDS = 60  # within which the fork server must have cleaned up
MEMORY = 4 << 30
Fate = tuple[int, int]  # wait status and CPU in µs


def main(judge_fd: int, zygote_fd: int, settings: dict[str, Any]) -> None:
    """Serve jobs until the judge hangs up."""
    die_with_parent(settings["parent"])
    prctl(PR_SET_DUMPABLE, 0)
    sys.path += settings["packages"]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    judge = Stream(socket(fileno=judge_fd))
    referee = Referee(socket(fileno=zygote_fd), settings["cpu_seconds"], settings["wall_seconds"])
    while True:
        try:
            job = decode(judge.receive())
        except Gone:
            return
        judge.send(encode(referee.job(*job)))


class Referee:
    """Brings candidate and tests together, program by program."""

    def __init__(self, zygote: socket, cpu_seconds: int, wall_seconds: float) -> None:
        self.zygote, self.cpu_seconds, self.wall_seconds = zygote, cpu_seconds, wall_seconds
        zygote.settimeout(END_SECONDS)

    def job(self, kind: str, *parts: Any) -> Any:
        """Do one job: `blocks`, `tests` (untrusted), `trusted`, or `layers`."""
        if kind == "layers":
            self.zygote.send(b"?")
            return decode(self.zygote.recv(4096))
        if kind == "blocks":
            return self.blocks(*parts)
        return self.contained(*parts) if kind == "tests" else self.trusted(*parts)

    def spawn(self, role: bytes, *ends: socket) -> None:
        """Have a child forked that owns these sockets."""
        send_fds(self.zygote, role, [end.fileno() for end in ends])
        for end in ends:
            end.close()

    def end(self) -> list[Fate]:
        """Have all children ended; how each one did."""
        self.zygote.send(b"E")
        answer = self.zygote.recv(4096)
        if not answer:
            sys.exit(3)
        return [FATE.unpack_from(answer, at) for at in range(0, len(answer) - 1, FATE.size)]

    def trusted(self, source: str, tests: str, entry_point: str) -> Outcome:
        """Judge with the tests in this process."""
        ours, theirs = socketpair()
        self.spawn(b"C", theirs)
        peer = examination(Stream(ours, self.wall_seconds, BUDGET))
        random.seed(0)
        try:
            post_source(peer, source, wanted_names(tests, entry_point))
            outcome = examine(peer, tests, entry_point)
        except (Gone, TooLate, ValueError) as error:
            outcome = verdict_of(error)
        finally:
            sys.stdout = sys.__stdout__
            ours.close()
        fates = self.end()
        return self.explain(outcome, fates[0], "") if outcome[0] in ("gone", "late") else blocked(outcome)

    def contained(self, source: str, tests: str, entry_point: str) -> Outcome:
        """Judge with the tests in a child of their own; only their outcome comes back here."""
        between, candidate = socketpair()
        ours, theirs = socketpair()
        self.spawn(b"C", candidate)
        self.spawn(b"T", theirs, between)
        referee = Stream(ours, self.wall_seconds, 1 << 16)
        try:
            referee.send(encode((source, tests, entry_point)))
            outcome = told(decode(referee.receive()))
        except (Gone, TooLate, ValueError) as error:
            outcome = ("tests gone", "") if isinstance(error, (Gone, Malformed)) else verdict_of(error)
        finally:
            ours.close()
        fates = self.end()
        if outcome[0] == "tests gone":
            return self.explain(("gone", ""), fates[-1], "the tests ")
        return self.explain(outcome, fates[0], "") if outcome[0] in ("gone", "late") else blocked(outcome)

    def blocks(self, blocks: list[str]) -> list[tuple[str, str]]:
        """Run code blocks in one child; what each printed and how it failed."""
        ours, theirs = socketpair()
        self.spawn(b"B", theirs)
        stream = Stream(ours, self.wall_seconds, BUDGET)
        done: list[tuple[str, str]] = []
        late = False
        try:
            for block in blocks:
                stream.send(encode(block))
                done.append(told(decode(stream.receive())))
        except (Gone, TooLate, ValueError) as error:
            late = isinstance(error, TooLate)
        ours.close()
        fates = self.end()
        if len(done) < len(blocks):
            status, detail = self.explain(("late" if late else "gone", ""), fates[0], "the block ")
            done.append(("", f"{status}: {detail}"))
        return done + [("", "not run: an earlier block ended the process")] * (len(blocks) - len(done))

    def explain(self, outcome: Outcome, fate: Fate, who: str) -> Outcome:
        """The verdict on a program that ended early or ran out of time, from how its process ended."""
        status, cpu = fate
        if outcome[0] == "late":
            return "timeout", f"{who}ran out of wall time"
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            if number == signal.SIGXCPU or (number == signal.SIGKILL and cpu >= self.cpu_seconds * 0.5e6):
                return "timeout", f"{who}ran out of CPU time"
            if number == signal.SIGSYS:
                return "blocked", f"{who}made a forbidden system call"
            if number == signal.SIGKILL:
                return "crashed", f"{who}broke off the conversation"
            return "crashed", f"{who}died of {signal.Signals(number).name}"
        return "crashed", f"{who}left with exit status {os.WEXITSTATUS(status)}"


def told(answer: Any) -> Outcome:
    """A pair of strings, or Malformed."""
    if type(answer) is not tuple or [type(part) for part in answer] != [str, str]:
        raise Malformed("not an outcome")
    return answer


def verdict_of(error: BaseException) -> Outcome:
    """What an error of the conversation means."""
    if isinstance(error, TooLate):
        return "late", ""
    return ("gone", "") if isinstance(error, (Gone, Malformed)) else ("failed", "the program is too large")


def blocked(outcome: Outcome) -> Outcome:
    """A failure by a permission that the sandbox withheld is `blocked`; an unknown status is a crash."""
    status, detail = outcome
    if status == "failed" and detail.startswith("PermissionError"):
        return "blocked", detail
    return outcome if status in ("passed", "failed") else ("crashed", "the tests told no outcome")
