"""seccomp: the process gives up every system call but those that numpy needs. Standard library only.

Two stages. The first, before numpy is imported, still lets threads start, the user be dropped and the second stage
be set. The second is final, and in force before a program is loaded: memory, time, and files opened for reading.
No process, no thread, no socket, no signal to anybody, no new kernel interface.

A list of what is allowed, not of what is known to be dangerous: what a new kernel adds is refused as it comes.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass, field

# name: (number on x86_64, number on aarch64); None where that machine has no such call
_ALWAYS: dict[str, tuple[int | None, int | None]] = {
    # pipes and open files
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "lseek": (8, 62),
    "dup": (32, 23),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    # looking at files, which Landlock and the mounts bound
    "stat": (4, None),
    "fstat": (5, 80),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getdents": (78, None),
    "getdents64": (217, 61),
    "getcwd": (79, 17),
    # memory
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "brk": (12, 214),
    "membarrier": (324, 283),
    # threads that exist, and the end
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getcpu": (309, 168),
    "exit": (60, 93),
    "exit_group": (231, 94),
    # signals to itself alone, as a handler for a fault
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    # time and facts about itself
    "time": (201, None),
    "gettimeofday": (96, 169),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "times": (100, 153),
    "getrusage": (98, 165),
    "getrlimit": (97, 163),
    "sysinfo": (99, 179),
    "uname": (63, 160),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "gettid": (186, 178),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "getrandom": (318, 278),
}
_FIRST_STAGE: dict[str, tuple[int | None, int | None]] = {
    "prctl": (157, 167),
    "seccomp": (317, 277),
    "capget": (125, 90),
    "capset": (126, 91),
    "setgroups": (116, 159),
    "setresgid": (119, 149),
    "setresuid": (117, 147),
}
_BY_ARGUMENT: dict[str, tuple[int | None, int | None]] = {
    "open": (2, None),
    "openat": (257, 56),
    "ioctl": (16, 29),
    "fcntl": (72, 25),
    "prlimit64": (302, 261),
    "clone": (56, 220),
    "clone3": (435, 435),
}
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_LAST_KNOWN = 462
_X32_BIT = 0x40000000

_OPEN_FOR_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_IOCTL_ALLOWED = (0x5401, 0x5451)  # TCGETS: is it a terminal; FIOCLEX: close on exec
_FCNTL_ALLOWED = (0, 1, 2, 3, 1030)  # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC
_CLONE_THREAD = 0x00010000
_CLONE_NAMESPACES = 0x7E020080

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_KILL, _ALLOW, _ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
_SET_MODE_FILTER, _SYNCHRONISE_THREADS = 1, 1


def supported() -> bool:
    """There is a filter for this machine's system calls."""
    return platform.machine() in _MACHINES


def build(*, final: bool, machine: str | None = None) -> bytes:
    """The filter of the first or of the final stage, as the kernel's `sock_filter` records.

    Raises:
        OSError: there is none for this machine.
    """
    machine = machine or platform.machine()
    if machine not in _MACHINES:
        raise OSError(f"there is no seccomp filter for {machine}, only for {', '.join(_MACHINES)}")
    column, architecture = _MACHINES[machine]
    number = {name: row[column] for name, row in (_ALWAYS | _FIRST_STAGE | _BY_ARGUMENT).items()}
    code = _Code()
    # another architecture's calls (int 0x80) or x32 would give the numbers below other meanings
    code.load(_ARCHITECTURE)
    code.unless(_EQUAL, architecture, _KILL)
    code.load(_NUMBER)
    if machine == "x86_64":
        code.when(_AT_LEAST, _X32_BIT, _KILL)
    code.when(_AT_LEAST, _LAST_KNOWN + 1, _ERRNO | errno.ENOSYS)
    for name in (*_ALWAYS, *(() if final else _FIRST_STAGE)):
        code.when_number(number[name], _ALLOW)
    # without clone3, whose flags lie in memory, the C library takes clone, whose flags can be seen
    code.when_number(number["clone3"], _ERRNO | errno.ENOSYS)
    code.on_argument(number["open"], 1, [(_ANY_BIT, _OPEN_FOR_WRITING, _ERRNO | errno.EACCES)], _ALLOW)
    code.on_argument(number["openat"], 2, [(_ANY_BIT, _OPEN_FOR_WRITING, _ERRNO | errno.EACCES)], _ALLOW)
    refuse = _ERRNO | errno.EPERM
    code.on_argument(number["ioctl"], 1, [(_EQUAL, c, _ALLOW) for c in _IOCTL_ALLOWED], _ERRNO | errno.ENOTTY)
    code.on_argument(number["fcntl"], 1, [(_EQUAL, c, _ALLOW) for c in _FCNTL_ALLOWED], refuse)
    code.read_own_limits(number["prlimit64"], refuse)
    if not final:
        code.on_argument(
            number["clone"], 0, [(_ANY_BIT, _CLONE_NAMESPACES, refuse), (_ANY_BIT, _CLONE_THREAD, _ALLOW)], refuse
        )
    code.give(refuse)
    return code.bytes()


def install(program: bytes) -> None:
    """Put a filter in force for all threads, for good. Needs no_new_privs.

    Raises:
        OSError: the kernel refused.
    """

    class Header(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    libc = ctypes.CDLL(None, use_errno=True)
    column, _ = _MACHINES[platform.machine()]
    header = Header(len(program) // 8, program)
    call = _FIRST_STAGE["seccomp"][column]
    result = libc.syscall(call, _SET_MODE_FILTER, _SYNCHRONISE_THREADS, ctypes.byref(header))
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp could not be put in force: {os.strerror(number)}")


@dataclass
class _Code:
    """Classic BPF under construction: (code, jump if true, jump if false, constant) a step."""

    steps: list[tuple[int, int, int, int]] = field(default_factory=list)

    def load(self, offset: int) -> None:
        self.steps.append((_LOAD, 0, 0, offset))

    def give(self, action: int) -> None:
        self.steps.append((_RETURN, 0, 0, action))

    def when(self, test: int, value: int, action: int) -> None:
        self.steps.append((test, 0, 1, value))
        self.give(action)

    def unless(self, test: int, value: int, action: int) -> None:
        self.steps.append((test, 1, 0, value))
        self.give(action)

    def when_number(self, number: int | None, action: int) -> None:
        if number is not None:
            self.when(_EQUAL, number, action)

    def on_argument(self, number: int | None, argument: int, tests: list[tuple[int, int, int]], otherwise: int) -> None:
        """For this call, decide by the low 32 bits of one argument, which is all that the kernel reads of these."""
        if number is None:
            return
        body = _Code()
        body.load(_ARGUMENTS + 8 * argument)
        for test, value, action in tests:
            body.when(test, value, action)
        body.give(otherwise)
        self._only_for(number, body)

    def read_own_limits(self, number: int | None, refuse: int) -> None:
        """prlimit64 of itself (process 0) and without a new value (a null pointer, both halves)."""
        if number is None:
            return
        body = _Code()
        for offset in (_ARGUMENTS, _ARGUMENTS + 16, _ARGUMENTS + 20):
            body.load(offset)
            body.unless(_EQUAL, 0, refuse)
        body.give(_ALLOW)
        self._only_for(number, body)

    def _only_for(self, number: int, body: _Code) -> None:
        self.steps.append((_EQUAL, 0, len(body.steps), number))
        self.steps += body.steps

    def bytes(self) -> bytes:
        return b"".join(struct.pack("<HBBI", *step) for step in self.steps)
