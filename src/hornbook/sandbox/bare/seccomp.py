"""A seccomp filter that leaves a process computing: no sockets, processes, signals, tracing, mounts or new privileges.

The fork server wears the outer filter and hands it down. The inner one takes from a child what only the fork server
needs: it is short, because the kernel translates it anew for every child.

It holds back signals by any road (also those that a descriptor's owner is sent), and memory that others share.

Refused calls fail with EPERM, so that foreign code sees an ordinary PermissionError. Calls newer than the ones listed
here answer ENOSYS.
"""

from __future__ import annotations

import ctypes
import os
import struct

ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
LOAD, EQUAL, ATLEAST, BITS, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
NUMBER, ARCH, ARG0, ARG1, ARG2 = 0, 4, 16, 24, 32
CLONE_THREAD = 0x10000
FIOCLEX, FIONBIO = 0x5451, 0x5421
SIGNALLING = (8, 10, 15, 1024, 1026)  # F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY: signals to anyone
SOCK_STREAM, SOCK_TYPE = 1, 0xF
O_TRUNC, O_ACCMODE = os.O_TRUNC, os.O_ACCMODE
FIRST_COMMON = 424  # from here on, numbers are the same on every architecture
COMMON_ALLOWED = (436, 439, 441, 449, 452)  # close_range, faccessat2, epoll_pwait2, futex_waitv, fchmodat2
RESTRICT = 446  # landlock_restrict_self
FORK_SERVER = ("fork", "vfork", "kill", "prctl")  # these, clone and RESTRICT are what only the fork server may use

# name: (x86_64, aarch64); -1 where the call does not exist
REFUSED = {
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "bind": (49, 200), "listen": (50, 201),
    "accept4": (288, 242), "fork": (57, -1), "vfork": (58, -1), "execve": (59, 221), "execveat": (322, 281),
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "ptrace": (101, 117), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "kcmp": (312, 272), "unshare": (272, 97), "setns": (308, 268),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "swapon": (167, 224),
    "swapoff": (168, 225), "reboot": (169, 142), "sethostname": (170, 161), "setdomainname": (171, 162),
    "init_module": (175, 105), "delete_module": (176, 106), "finit_module": (313, 273), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "quotactl": (179, 60), "acct": (163, 89),
    "syslog": (103, 116), "personality": (135, 92), "memfd_create": (319, 279), "setpriority": (141, 140),
    "sched_setscheduler": (144, 119), "sched_setparam": (142, 118), "sched_setattr": (314, 274),
    "sched_setaffinity": (203, 122), "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195),
    "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192), "msgget": (68, 186),
    "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "ioprio_set": (251, 30), "migrate_pages": (256, 238), "move_pages": (279, 239), "inotify_init": (253, -1),
    "inotify_init1": (294, 26), "sync": (162, 81), "syncfs": (306, 267), "seccomp": (317, 277), "prctl": (157, 167),
    "mknod": (133, -1), "mknodat": (259, 33),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "fanotify_init": (300, 262),
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setresuid": (117, 147), "setresgid": (119, 149), "setgroups": (116, 159), "setfsuid": (122, 151),
    "setfsgid": (123, 152), "capset": (126, 91), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "adjtimex": (159, 171), "clock_adjtime": (305, 266), "setsid": (112, 157), "setpgid": (109, 154),
    "io_setup": (206, 0), "modify_ldt": (154, -1), "iopl": (172, -1), "ioperm": (173, -1), "uselib": (134, -1),
    "lookup_dcookie": (212, 18), "vhangup": (153, 58),
}  # fmt: skip
# What Landlock does not guard: who may use a file, its times and attributes, and (in early kernels) its length.
OUTSIDE_LANDLOCK = {
    "chmod": (90, -1), "fchmod": (91, 52), "fchmodat": (268, 53), "chown": (92, -1), "fchown": (93, 55),
    "lchown": (94, -1), "fchownat": (260, 54), "utime": (132, -1), "utimes": (235, -1), "futimesat": (261, -1),
    "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16), "truncate": (76, 45),
    "fchmodat2": (452, 452),
}  # fmt: skip
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
SPECIAL = {
    "clone": (56, 220), "clone3": (435, 435), "prlimit64": (302, 261), "ioctl": (16, 29), "fcntl": (72, 25),
    "socketpair": (53, 199), "open": (2, -1), "openat": (257, 56),
}  # fmt: skip


def step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One instruction of the filter."""
    return struct.pack("=HBBI", code, if_true, if_false, value)


def answer(number: int, verdict: int) -> bytes:
    """Give a verdict on one system call."""
    return step(EQUAL, number, 0, 1) + step(RETURN, verdict)


def outer(machine: str, walled: bool) -> bytes:
    """The fork server's filter for a machine. Raises KeyError for one that is not known here."""
    column, arch = MACHINES[machine]
    refused = {**REFUSED, **({} if walled else OUTSIDE_LANDLOCK)}
    steps = [step(LOAD, ARCH), step(EQUAL, arch, 1, 0), step(RETURN, EPERM), step(LOAD, NUMBER)]
    steps += [step(ATLEAST, 0x40000000, 0, 1), step(RETURN, EPERM), answer(SPECIAL["clone3"][column], ENOSYS)]
    steps += [answer(n[column], EPERM) for name, n in refused.items() if n[column] >= 0 and name not in FORK_SERVER]
    steps += [answer(number, ALLOW) for number in (*COMMON_ALLOWED, RESTRICT)]
    steps += [step(ATLEAST, FIRST_COMMON, 0, 1), step(RETURN, ENOSYS)]
    for name, branch in branches(walled).items():
        if SPECIAL[name][column] >= 0:
            body = b"".join(branch)
            steps += [step(EQUAL, SPECIAL[name][column], 0, len(body) // 8), body]
    return b"".join([*steps, step(RETURN, ALLOW)])


def inner(machine: str) -> bytes:
    """A child's filter, on top of the outer one, which has seen to it that the numbers are this machine's."""
    column, _ = MACHINES[machine]
    steps = [step(LOAD, NUMBER), answer(RESTRICT, ENOSYS)]
    steps += [answer(REFUSED[name][column], EPERM) for name in FORK_SERVER if REFUSED[name][column] >= 0]
    steps += [step(EQUAL, SPECIAL["clone"][column], 1, 0), step(RETURN, ALLOW)]
    steps += [step(LOAD, ARG0), step(BITS, CLONE_THREAD, 0, 1), step(RETURN, ALLOW), step(RETURN, EPERM)]
    return b"".join(steps)


def branches(walled: bool) -> dict[str, list[bytes]]:
    """The calls whose arguments decide."""
    allow, refuse = step(RETURN, ALLOW), step(RETURN, EPERM)
    found = {
        "prlimit64": [step(LOAD, ARG0), step(EQUAL, 0, 0, 1), allow, refuse],
        "ioctl": [step(LOAD, ARG1), answer(FIOCLEX, ALLOW), answer(FIONBIO, ALLOW), refuse],
        "fcntl": [step(LOAD, ARG1), *(answer(command, EPERM) for command in SIGNALLING), allow],
        # A datagram socket may send to any address, even one of a pair.
        "socketpair": [step(LOAD, ARG1), step(AND, SOCK_TYPE), answer(SOCK_STREAM, ALLOW), refuse],
    }
    if not walled:  # early Landlock lets a file that may be read be emptied
        for name, flags in (("open", ARG1), ("openat", ARG2)):
            found[name] = [step(LOAD, flags), step(AND, O_TRUNC | O_ACCMODE), answer(O_TRUNC, EPERM), allow]
    return found


class Filter:
    """A filter, made once and installed per process."""

    def __init__(self, code: bytes) -> None:
        self.buffer = ctypes.create_string_buffer(code, len(code))
        header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(self.buffer))
        self.header = ctypes.create_string_buffer(header, len(header))
        self.prctl = ctypes.CDLL(None, use_errno=True).prctl

    def install(self) -> bool:
        """Confine the calling process; it must have set NO_NEW_PRIVS before. False when the kernel refuses."""
        return bool(self.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(self.header)), 0, 0) == 0)
