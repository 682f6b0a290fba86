"""Namespaces of our own, made without root and without bubblewrap: a world with an interpreter in it and nothing else.

The calling process keeps watch outside; its child goes on as process 1 of the new world. That child sees no other
process, no network, none of this machine's files but the interpreter (read-only), and a scratch folder of limited size.
Needs user namespaces and Linux 5.12. Every step that fails raises OSError: there is no half-built world.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import struct
from typing import Any

from .contain import PR_SET_PDEATHSIG, prctl

NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    *(0x00020000, 0x02000000, 0x04000000, 0x08000000),
    *(0x10000000, 0x20000000, 0x40000000),
)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE = 442, -100, 0x8000
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
NOBODY = 65534
INODES = 65_536  # that a program may fill its scratch folder with

libc = ctypes.CDLL(None, use_errno=True)


def enter(world: dict[str, Any]) -> None:
    """Go on as process 1 of a new world. The process that called stays outside, waits and ends with the child's status.

    `world`: `root` (an empty folder, hidden from then on), `readable`, `hidden` and `devices` (paths), `scratch` (path
    and bytes).
    """
    user, group = os.getuid(), os.getgid()
    done(libc.unshare(NEWUSER | NEWNS | NEWNET | NEWPID | NEWIPC | NEWUTS | NEWCGROUP), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{NOBODY} {user} 1"),
        ("gid_map", f"{NOBODY} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as stream:
            stream.write(text)
    watch, alive = os.pipe()
    child = os.fork()
    if child:
        os.close(watch)
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    os.close(alive)
    die_with_watcher(watch)
    build(world)


def die_with_watcher(watch: int) -> None:
    """Be killed when the process outside ends, or leave now if it already has; its process id means nothing in here."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if select.select([watch], [], [], 0)[0]:
        os._exit(1)
    os.close(watch)


def build(world: dict[str, Any]) -> None:
    """Put the world together on an empty file system, make it the root and let go of the old one."""
    root = world["root"]
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755")
    for path in world["readable"]:
        show(root, path, devices=False)
    for path in world["hidden"]:
        mount("tmpfs", root + path, "tmpfs", MS_NOSUID | MS_NODEV | MS_RDONLY, "size=4k,mode=755")
    for path in world["devices"]:
        show(root, path, devices=True)
    scratch, size = world["scratch"]
    os.mkdir(root + scratch)
    mount("tmpfs", root + scratch, "tmpfs", MS_NOSUID | MS_NODEV, f"size={size},nr_inodes={INODES},mode=700")
    os.symlink(scratch, root + "/tmp")
    os.chdir(root)
    done(libc.syscall(PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    done(libc.umount2(b".", MNT_DETACH), "umount")
    os.chdir("/")
    mount(None, "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    done(libc.sethostname(b"sandbox", 7), "sethostname")


def show(root: str, path: str, devices: bool) -> None:
    """Let a path of this machine be seen in the new world at the same place; a folder or file only to be read."""
    if not os.path.exists(path):
        return
    target = root + path
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    elif not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    mount(path, target, None, MS_BIND | MS_REC)
    wanted = MS_NOSUID if devices else MS_RDONLY | MS_NOSUID | MS_NODEV
    attributes = struct.pack("4Q", wanted, 0, 0, 0)
    done(
        libc.syscall(MOUNT_SETATTR, AT_FDCWD, os.fsencode(target), AT_RECURSIVE, attributes, len(attributes)),
        "mount_setattr",
    )


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """One mount. Raises OSError."""
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, data)]
    done(libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]), "mount")


def done(result: int, what: str) -> None:
    """Raise OSError when a system call failed."""
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
