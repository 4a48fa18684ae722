"""Landlock: the process gives up every file, TCP port and outside signal but those named. Standard library only.

The kernel's own rules (Documentation/userspace-api/landlock.rst). A ruleset binds the calling thread and what it
starts later: call `restrict` before any thread exists.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1

_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_FILE_RIGHTS = _EXECUTE | _READ_FILE


def abi() -> int:
    """Version of Landlock that this kernel speaks; 0 where there is none."""
    return max(int(_libc().syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)), 0)


def restrict(readable: Iterable[str], *, minimum: int = 1) -> int:
    """Leave nothing of the file system but reading (and mapping as code) what lies under `readable`.

    From version 4 on no TCP either; from 6 on no abstract sockets and no signals outwards.

    Returns:
        The version in force.

    Raises:
        OSError: the kernel refused, or speaks a version below `minimum`; or a path is missing.
    """
    version = abi()
    if version < minimum:
        raise OSError(f"Landlock version {version} is below the {minimum} that is needed")
    # all rights on files that this version knows are handled, that is refused unless a rule grants them
    files = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    network = 0b11 if version >= 4 else 0
    scoped = 0b11 if version >= 6 else 0
    attributes = struct.pack("<QQQ", files, network, scoped)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    libc = _libc()
    ruleset = _checked(libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0), "create a ruleset")
    try:
        for path in readable:
            _allow(libc, ruleset, path)
        _checked(libc.syscall(_RESTRICT_SELF, ruleset, 0), "restrict")
    finally:
        os.close(ruleset)
    return version


def _allow(libc: ctypes.CDLL, ruleset: int, path: str) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        folder = stat.S_ISDIR(os.fstat(place).st_mode)
        rights = _FILE_RIGHTS | (_READ_DIR if folder else 0)
        rule = struct.pack("<Qi", rights, place)
        _checked(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0), f"allow {path}")
    finally:
        os.close(place)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock could not {what}: {os.strerror(number)}")
    return int(result)
