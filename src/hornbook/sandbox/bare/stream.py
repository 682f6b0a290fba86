"""Frames on a stream socket: a length of four bytes, then that many bytes. Caps and a deadline protect the reader."""

from __future__ import annotations

import struct
import time

# `socket` itself would load enumerations and selectors, and every fork pays for memory.
from _socket import CMSG_SPACE, SCM_RIGHTS, SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET, socket
from collections.abc import Sequence

from .codec import MAX_BYTES

FRAME = MAX_BYTES + 4096
HEADER = struct.Struct("<I")


class Gone(BaseException):
    """The process on the other side is gone, or speaks garbage. Not an Exception: tests must not swallow it."""


class TooLate(BaseException):
    """The deadline passed while waiting for the other side."""


class Stream:
    """One end of a conversation. `seconds`: until the deadline, None for none; `budget`: bytes it will read in all."""

    def __init__(self, sock: socket, seconds: float | None = None, budget: int | None = None) -> None:
        self.sock, self.budget = sock, budget
        self.buffer = b""
        self.deadline = None if seconds is None else time.monotonic() + seconds
        if seconds is not None:
            whole = struct.pack("ll", int(seconds) + 1, 0)
            sock.setsockopt(SOL_SOCKET, SO_RCVTIMEO, whole)
            sock.setsockopt(SOL_SOCKET, SO_SNDTIMEO, whole)

    def send(self, content: bytes) -> None:
        """Send one frame. Raises Gone or TooLate."""
        try:
            self.sock.sendall(HEADER.pack(len(content)) + content)
        except BlockingIOError:
            raise TooLate from None
        except OSError:
            raise Gone from None

    def receive(self) -> bytes:
        """Wait for one frame. Raises Gone at the end of the stream or over the caps, TooLate past the deadline."""
        self.fill(HEADER.size)
        (size,) = HEADER.unpack_from(self.buffer)
        if size > FRAME:
            raise Gone
        self.fill(HEADER.size + size)
        content, self.buffer = self.buffer[HEADER.size : HEADER.size + size], self.buffer[HEADER.size + size :]
        return content

    def fill(self, size: int) -> None:
        """Read until the buffer holds at least `size` bytes."""
        if len(self.buffer) >= size:
            return
        parts, have = [self.buffer], len(self.buffer)
        while have < size:
            part = self.read()
            parts.append(part)
            have += len(part)
        self.buffer = b"".join(parts)

    def read(self) -> bytes:
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise TooLate
        try:
            part = self.sock.recv(1 << 16)
        except BlockingIOError:
            raise TooLate from None
        except OSError:
            raise Gone from None
        if not part:
            raise Gone
        self.spend(len(part))
        return part

    def spend(self, count: int) -> None:
        if self.budget is not None:
            self.budget -= count
            if self.budget < 0:
                raise Gone

    def close(self) -> None:
        """Close this end."""
        self.sock.close()


def send_fds(sock: socket, message: bytes, fds: Sequence[int]) -> None:
    """Send a message and descriptors with it."""
    sock.sendmsg([message], [(SOL_SOCKET, SCM_RIGHTS, struct.pack(f"{len(fds)}i", *fds))])


def receive_fds(sock: socket) -> tuple[bytes, list[int]]:
    """The next short message and the descriptors, two at most, that came with it."""
    message, ancillary, _, _ = sock.recvmsg(16, CMSG_SPACE(8))
    sent = b"".join(content for _, kind, content in ancillary if kind == SCM_RIGHTS)
    return message, list(struct.unpack(f"{len(sent) // 4}i", sent))
