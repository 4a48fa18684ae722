"""The first thing that runs inside the cell: takes every right away, then hands over to the worker.

Standard library only. The order matters: Landlock binds a thread and its children, so it comes before numpy, which
may start threads; the last system call filter comes after numpy and before any program. Every step raises when it
does not take, and then the process ends without having run anything: the cell fails closed.

    python bootstrap.py REQUESTS REPLIES INPUTS OUTPUTS     (descriptors; the configuration comes over the first)
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import mmap
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 1, 4, 24, 38, 47
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAP_VERSION_3 = 0x20080522
_SETGID, _SETUID = 1 << 6, 1 << 7
_AMBIENT_CLEAR_ALL = 4
_MOST_DESCRIPTORS = 1 << 16


def main(arguments: list[str]) -> None:
    requests, replies, inputs, outputs = map(int, arguments)
    _close_all_but(0, 1, 2, requests, replies, inputs, outputs)
    _pretend_package(Path(__file__).resolve().parent)
    # only now can the other files of this folder be imported
    from reward_agent.sandbox import protocol

    os.write(replies, protocol.REPLY.pack(0, protocol.HELLO, os.getpid(), 0))
    config = _read_config(requests, protocol.LENGTH)
    version = _lock(config)
    _load("numpy", Path(config["numpy"], "__init__.py"))
    from reward_agent.sandbox import worker

    for name in config["preload"]:
        importlib.import_module(name)
    if config["sealed"]:
        _must_fail(lambda: mmap.mmap(inputs, config["input_bytes"]), "the inputs are sealed, and yet can be written to")
    _lock_finally(config)
    channels = worker.Channels(requests, replies, inputs, outputs, config["input_bytes"], config["output_bytes"])
    worker.serve(channels, version)


def _lock(config: dict[str, Any]) -> int:
    """Everything that must precede numpy. Returns the Landlock version in force."""
    os.umask(0o077)
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if not config["locked"]:
        return 0
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _drop_capabilities(keep=_SETGID | _SETUID if config["user"] else 0)
    if config["rlimits"]:
        for name, value in config["rlimits"].items():
            _limit(getattr(resource, name), value)
    version = 0
    if config["landlock"]:
        from reward_agent.sandbox import landlock

        version = landlock.restrict(config["readable"], minimum=config["landlock"])
        _must_fail(lambda: os.open("/", os.O_RDONLY), "Landlock is set, and yet / can be opened")
    _prctl(_PR_SET_DUMPABLE, 0)
    if config["seccomp"]:
        from reward_agent.sandbox import seccomp

        seccomp.install(seccomp.build(final=False))
    return version


def _lock_finally(config: dict[str, Any]) -> None:
    """What numpy could not have been imported under; after this a program may come."""
    if not config["locked"]:
        return
    if config["user"]:
        # as late as this because the interpreter's files may be readable by root alone
        os.setgroups([])
        os.setresgid(config["user"], config["user"], config["user"])
        os.setresuid(config["user"], config["user"], config["user"])
        _drop_capabilities(keep=0)
        # a change of user resets both of these
        _prctl(_PR_SET_DUMPABLE, 0)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if config["rlimits"]:
        for name, value in config["rlimits"].items():
            if resource.getrlimit(getattr(resource, name))[1] > value:
                raise OSError(f"{name} is set, and yet above {value}")
    if config["seccomp"]:
        from reward_agent.sandbox import seccomp

        seccomp.install(seccomp.build(final=True))
        _must_fail(lambda: socket.socket().close(), "seccomp is set, and yet a socket can be had")


def _close_all_but(*kept: int) -> None:
    for before, after in pairwise([*sorted(kept), _MOST_DESCRIPTORS]):
        if before + 1 < after:  # of an empty range, os.closerange(0, 0) closes all
            os.closerange(before + 1, after)


def _pretend_package(folder: Path) -> None:
    """Make this folder's files importable under their usual names, without the package, whose code stays outside."""
    for name, places in (("reward_agent", []), ("reward_agent.sandbox", [str(folder)])):
        package = ModuleType(name)
        package.__path__ = places
        sys.modules[name] = package


def _load(name: str, path: Path) -> None:
    """Import one file, or a package by its `__init__.py`, without search paths."""
    inside = [str(path.parent)] if path.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=inside)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def _read_config(requests: int, length: struct.Struct) -> dict[str, Any]:
    (size,) = length.unpack(os.read(requests, length.size))
    data = b""
    while len(data) < size:
        part = os.read(requests, size - len(data))
        if not part:
            raise EOFError("the parent went away")
        data += part
    config: dict[str, Any] = json.loads(data)
    return config


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)  # nobody but root may raise it
    resource.setrlimit(kind, (value, value))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}) was refused: {os.strerror(number)}")


def _drop_capabilities(*, keep: int) -> None:
    """Leave no capability but the bits of `keep`, and none that could come back."""
    libc = ctypes.CDLL(None, use_errno=True)
    if keep:
        for capability in range(64):
            # the bounding set is root's alone to shrink; it ends at the first capability the kernel does not know
            if libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) != 0:
                break
    libc.prctl(_PR_CAP_AMBIENT, ctypes.c_ulong(_AMBIENT_CLEAR_ALL), 0, 0, 0)
    header = struct.pack("<Ii", _CAP_VERSION_3, 0)
    # effective, permitted, inheritable; low words, then high words
    if libc.syscall(_CAPSET[os.uname().machine], header, struct.pack("<6I", keep, keep, 0, 0, 0, 0)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"capabilities could not be dropped: {os.strerror(number)}")


def _must_fail(attempt: Callable[[], object], otherwise: str) -> None:
    """Try what a layer has to refuse: a layer that is set but does nothing must not go unnoticed."""
    try:
        attempt()
    except PermissionError:
        return
    raise OSError(otherwise)


if __name__ == "__main__":
    main(sys.argv[1:])
