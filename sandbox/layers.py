"""What can lock up a reward program on this machine, found out by trying: for `reward-agent doctor`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

from reward_agent.errors import MissingComponentError
from reward_agent.sandbox import landlock, launch, seccomp
from reward_agent.sandbox.cell import Cell
from reward_agent.sandbox.memory import share

_SYSCTLS = Path("/proc/sys")
_FORBIDS = (
    ("kernel/unprivileged_userns_clone", "0", "1"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
    ("user/max_user_namespaces", "0", "15000"),
)
"""Kernel settings that keep users from making namespaces: which, the value that forbids, one that allows. The first is
Debian's, the second Ubuntu's."""
_CONTAINER = (
    "where this is a container, start it with `--security-opt seccomp=unconfined --security-opt apparmor=unconfined`, "
    "or with `--privileged`"
)


class LayerReport(NamedTuple):
    """One line of the doctor's."""

    layer: str
    works: bool
    detail: str
    fix: str
    """The command or step that mends it; empty when it works."""


def describe() -> list[LayerReport]:
    """Each layer on its own, and last a real cell with all of them. Takes about half a second."""
    if sys.platform != "linux":
        return [LayerReport("cell", False, f"no sandbox layers on {sys.platform}", "use Linux, or WSL 2 on Windows")]
    return [_bubblewrap(), _landlock(), _seccomp(), _sealed_memory(), _cell()]


def _bubblewrap() -> LayerReport:
    reason = launch.probe_bubblewrap()
    if reason is None:
        kind = "as root, then an unprivileged user" if os.geteuid() == 0 else "by a user namespace"
        return LayerReport("bubblewrap", True, f"{launch.find_bubblewrap()} makes a sandbox {kind}", "")
    if launch.find_bubblewrap() is None:
        return LayerReport("bubblewrap", False, reason, launch.INSTALL_BUBBLEWRAP)
    return LayerReport("bubblewrap", False, reason, _allow_namespaces())


def _allow_namespaces() -> str:
    """What lets bubblewrap make namespaces here: settings of this kernel that forbid it, else those of a container."""
    commands = [
        f"sudo sysctl -w {name.replace('/', '.')}={allows}"
        for name, forbids, allows in _FORBIDS
        if (_SYSCTLS / name).is_file() and (_SYSCTLS / name).read_text().strip() == forbids
    ]
    return " && ".join(commands) or _CONTAINER


def _landlock() -> LayerReport:
    version = landlock.abi()
    if version >= launch.GOOD_LANDLOCK:
        return LayerReport("landlock", True, f"version {version}", "")
    detail = f"version {version}" if version else "not in this kernel"
    enough = version >= launch.ENOUGH_LANDLOCK
    wanted = launch.GOOD_LANDLOCK if enough else launch.ENOUGH_LANDLOCK
    fix = f"a kernel with Landlock version {wanted} (Linux {'6.12' if enough else '6.2'}); not needed with bubblewrap"
    return LayerReport("landlock", enough, detail, fix)


def _seccomp() -> LayerReport:
    if seccomp.supported():
        return LayerReport("seccomp", True, f"a filter for {os.uname().machine}", "")
    return LayerReport("seccomp", False, f"no filter for {os.uname().machine}", "use an x86_64 or aarch64 machine")


def _sealed_memory() -> LayerReport:
    try:
        descriptor, mapping = share(4096, writeable=False)
    except OSError as error:
        return LayerReport("sealed memory", False, str(error), "use Linux 5.1 or newer")
    os.close(descriptor)
    mapping.close()
    return LayerReport("sealed memory", True, "the kernel keeps inputs read-only", "")


def _cell() -> LayerReport:
    start = time.perf_counter()
    try:
        with Cell() as cell:
            took = (time.perf_counter() - start) * 1000
            return LayerReport("cell", True, f"starts in {took:.0f} ms behind {', '.join(cell.layers)}", "")
    except MissingComponentError as error:
        return LayerReport("cell", False, str(error), launch.INSTALL_BUBBLEWRAP)
