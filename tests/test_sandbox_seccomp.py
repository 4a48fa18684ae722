"""The system call filters of both machines, run step by step as the kernel would."""

from __future__ import annotations

import errno
import os
import platform
import struct

import pytest

from reward_agent.sandbox import seccomp
from reward_agent.sandbox.text import clean

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS, EACCES, ENOTTY = (ERRNO | number for number in (errno.EPERM, errno.ENOSYS, errno.EACCES, errno.ENOTTY))
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# numbers from the kernel's tables, apart from those in the filter: (x86_64, aarch64)
CALLS = {
    "read": (0, 63),
    "mmap": (9, 222),
    "openat": (257, 56),
    "ioctl": (16, 29),
    "fcntl": (72, 25),
    "clone": (56, 220),
    "clone3": (435, 435),
    "execve": (59, 221),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "kill": (62, 129),
    "tgkill": (234, 131),
    "ptrace": (101, 117),
    "prlimit64": (302, 261),
    "memfd_create": (319, 279),
    "io_uring_setup": (425, 425),
    "unshare": (272, 97),
    "mount": (165, 40),
    "fchmodat": (268, 53),
    "utimensat": (280, 88),
    "openat2": (437, 437),
    "bpf": (321, 280),
    "keyctl": (250, 219),
    "shmget": (29, 194),
    "userfaultfd": (323, 282),
    "process_vm_readv": (310, 270),
    "pidfd_open": (434, 434),
    "setresuid": (117, 147),
    "prctl": (157, 167),
    "seccomp": (317, 277),
    "sched_setaffinity": (203, 122),
    "truncate": (76, 45),
    "unlinkat": (263, 35),
    "name_to_handle_at": (303, 264),
}


def decide(program: bytes, number: int, arguments: tuple[int, ...] = (), *, architecture: int) -> int:
    """What classic BPF returns for one system call."""
    data = struct.pack("<IIQ6Q", number, architecture, 0, *(*arguments, *(0,) * (6 - len(arguments))))
    steps = [struct.unpack_from("<HBBI", program, at) for at in range(0, len(program), 8)]
    at, value = 0, 0
    while True:
        code, if_true, if_false, k = steps[at]
        at += 1
        if code == 0x20:
            (value,) = struct.unpack_from("<I", data, k)
        elif code == 0x06:
            return k
        else:
            holds = {0x15: value == k, 0x35: value >= k, 0x45: bool(value & k)}[code]
            at += if_true if holds else if_false


def ask(machine: str, call: str, *arguments: int, final: bool = True) -> int:
    number = CALLS[call][0 if machine == "x86_64" else 1]
    program = seccomp.build(final=final, machine=machine)
    return decide(program, number, arguments, architecture=ARCHITECTURE[machine])


@pytest.fixture(params=["x86_64", "aarch64"])
def machine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_numpy_needs_is_allowed(machine: str) -> None:
    assert {ask(machine, call) for call in ("read", "mmap")} == {ALLOW}


def test_all_the_rest_is_refused_in_the_end(machine: str) -> None:
    by_argument = {"read", "mmap", "openat", "ioctl", "fcntl", "clone3", "prlimit64"}
    given = {call: ask(machine, call) for call in CALLS if call not in by_argument}
    assert given == dict.fromkeys(given, EPERM)


def test_the_first_stage_lets_threads_start_and_the_second_be_set(machine: str) -> None:
    assert {ask(machine, call, final=False) for call in ("setresuid", "prctl", "seccomp")} == {ALLOW}
    assert ask(machine, "clone", 0x003D0F00, final=False) == ALLOW  # as pthread_create
    assert ask(machine, "clone", 0x11, final=False) == EPERM  # as fork
    assert ask(machine, "clone", 0x003D0F00 | 0x10000000, final=False) == EPERM  # a user namespace
    assert ask(machine, "clone", 0x003D0F00) == EPERM
    assert ask(machine, "socket", final=False) == ask(machine, "execve", final=False) == EPERM


def test_files_open_for_reading_alone(machine: str) -> None:
    assert ask(machine, "openat", 0, 0, os.O_RDONLY | os.O_CLOEXEC) == ALLOW
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC, os.O_APPEND):
        assert ask(machine, "openat", 0, 0, flags | os.O_CLOEXEC) == EACCES


def test_few_questions_to_devices_and_descriptors(machine: str) -> None:
    assert ask(machine, "ioctl", 1, 0x5401) == ALLOW
    # TIOCSTI, also with bits above the 32 that the kernel reads
    assert ask(machine, "ioctl", 1, 0x5412) == ask(machine, "ioctl", 1, 0x5412 | 1 << 32) == ENOTTY
    assert ask(machine, "fcntl", 1, 1) == ALLOW
    assert ask(machine, "fcntl", 1, 8) == ask(machine, "fcntl", 1, 1033) == EPERM  # F_SETOWN, F_ADD_SEALS


def test_own_limits_can_be_read_and_not_set(machine: str) -> None:
    assert ask(machine, "prlimit64", 0, 7, 0, 0x1000) == ALLOW
    assert ask(machine, "prlimit64", 1, 7, 0, 0x1000) == EPERM
    assert ask(machine, "prlimit64", 0, 7, 0x1000) == ask(machine, "prlimit64", 0, 7, 1 << 32) == EPERM


def test_the_unknown_is_absent_and_the_foreign_deadly(machine: str) -> None:
    program, architecture = seccomp.build(final=True, machine=machine), ARCHITECTURE[machine]
    assert decide(program, 463, architecture=architecture) == decide(program, 600, architecture=architecture) == ENOSYS
    assert ask(machine, "clone3") == ENOSYS
    assert decide(program, 0, architecture=0x40000003) == KILL  # int 0x80
    if machine == "x86_64":
        assert decide(program, 0x40000000, architecture=architecture) == KILL  # x32


def test_other_machines_have_no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="no seccomp filter for riscv64"):
        seccomp.build(final=True, machine="riscv64")
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert not seccomp.supported()


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain text\nwith ümläuts and 漢字", "plain text\nwith ümläuts and 漢字"),
        ("\x1b[2J\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07a\x1b]52;c;aGk=\x1b\\b", "ab"),
        ("over\rwritten\x00\x07\x7f\x9b31m", "overwritten31m"),
        ("\u202etxet\u202c z\u200bw \U000e0041 \ufeff \ud800", "txet zw   "),
        ("a\tb", "a    b"),
    ],
)
def test_text_loses_what_steers_terminals_and_eyes(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_long_text_keeps_its_beginning_and_end() -> None:
    text = clean("begin" + "x" * 1_000_000 + "end", limit=100)
    assert len(text) == 100 and text.startswith("begin") and text.endswith("end")
