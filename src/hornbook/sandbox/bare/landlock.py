"""Landlock: which paths a process may read or write, what it may signal, and no TCP. Needs no privilege."""

from __future__ import annotations

import ctypes
import os
import struct

CREATE, ADD, RESTRICT = 444, 445, 446
READ_FILE, READ_DIR, WRITE_FILE, TRUNCATE = 1 << 2, 1 << 3, 1 << 1, 1 << 14
FILE_RIGHTS = READ_FILE | WRITE_FILE | 1 | TRUNCATE | 1 << 15
FS_BITS = {1: 13, 2: 14, 3: 15, 4: 15}  # ABI → how many file rights it knows; 16 from ABI 5 on


class Ruleset:
    """A ruleset made once and applied per process. Raises OSError when the kernel has no Landlock."""

    def __init__(self, readable: list[str], writable: list[str]) -> None:
        self.call = ctypes.CDLL(None, use_errno=True).syscall
        self.abi = self.call(CREATE, None, 0, 1)
        if self.abi < 1:
            raise OSError("no Landlock in this kernel")
        self.rights = (1 << FS_BITS.get(self.abi, 16)) - 1
        fields = [self.rights] + [3] * (self.abi >= 4) + [3] * (self.abi >= 6)  # files, TCP, scopes
        attributes = struct.pack(f"{len(fields)}Q", *fields)
        self.fd = self.call(CREATE, attributes, len(attributes), 0)
        if self.fd < 0:
            raise OSError("Landlock refused its ruleset")
        for path in readable:
            self.allow(path, READ_FILE | READ_DIR)
        for path in writable:
            self.allow(path, self.rights & ~1)

    def allow(self, path: str, rights: int) -> None:
        """Allow rights on a file or on everything under a folder; a path that is not there is left out."""
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        if not os.path.isdir(path):
            rights &= FILE_RIGHTS
        self.call(ADD, self.fd, 1, struct.pack("=Qi", rights & self.rights, fd), 0)
        os.close(fd)

    def apply(self) -> bool:
        """Confine the calling process; it must have set NO_NEW_PRIVS before. False when the kernel refuses."""
        return bool(self.call(RESTRICT, self.fd, 0) == 0)
