"""How a cell is started: which layers this machine has, the command line, the environment, what is visible inside."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reward_agent.errors import MissingComponentError
from reward_agent.sandbox import filesystem, landlock, seccomp
from reward_agent.sandbox.limits import Limits

FOLDER = Path(__file__).resolve().parent
"""Where the files that run inside lie."""
INSIDE = ("bootstrap.py", "helpers.py", "landlock.py", "protocol.py", "seccomp.py", "views.py", "worker.py")
UNPRIVILEGED = 65532
"""User and group that a cell started by root becomes."""
ENOUGH_LANDLOCK, GOOD_LANDLOCK = 3, 6
"""Versions: what is required where there is no bubblewrap, and from where on signals are held too."""
INSTALL_BUBBLEWRAP = "sudo apt-get install -y bubblewrap"

_ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "HOME": "/",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}
_NAMESPACES = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")


@dataclass(frozen=True)
class Layers:
    """Which layers a cell is to have. Only tests take single ones away, to show what each is good for."""

    bubblewrap: bool = True
    landlock: bool = True
    seccomp: bool = True
    rlimits: bool = True
    sealed: bool = True
    environment: bool = True

    @property
    def any(self) -> bool:
        """Something locks the process from inside."""
        return self.landlock or self.seccomp or self.rlimits


UNSAFE = Layers(False, False, False, False, True, True)


@dataclass(frozen=True)
class Launch:
    """What starts one cell."""

    command: list[str]
    environment: dict[str, str]
    config: dict[str, Any]
    """For the bootstrap, as JSON."""


def find_bubblewrap() -> str | None:
    """The distribution's own first: on Ubuntu, AppArmor lets that one alone make user namespaces."""
    return "/usr/bin/bwrap" if os.access("/usr/bin/bwrap", os.X_OK) else shutil.which("bwrap")


def probe_bubblewrap() -> str | None:
    """Why bubblewrap cannot be used here; None when it can. Tells by running it."""
    if find_bubblewrap() is None:
        return "bubblewrap is not installed"
    python, libraries = filesystem.interpreter()
    command = [*_box(libraries, filesystem.numpy_folders(), {}), "--", python, "-I", "-S", "-c", ""]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, env={})
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap cannot run: {error}"
    if done.returncode == 0:
        return None
    return f"bubblewrap cannot make a sandbox: {done.stderr.decode(errors='replace').strip()}"


def choose_layers() -> Layers:
    """The layers this machine has, outermost first; all of them where possible.

    Raises:
        MissingComponentError: too little to run generated code behind.
    """
    if sys.platform != "linux":
        raise MissingComponentError(
            f"Reward programs run only behind Linux's sandbox layers, and this is {platform.system()}. Use Linux (on "
            "Windows, WSL 2; on macOS, a container or virtual machine), or run them unprotected with --unsafe."
        )
    if not seccomp.supported():
        raise MissingComponentError(
            f"There is no system call filter for {platform.machine()} processors, and reward programs do not run "
            "without one. Use an x86_64 or aarch64 machine, or run them unprotected with --unsafe."
        )
    reason, version = probe_bubblewrap(), landlock.abi()
    if reason is not None and version < ENOUGH_LANDLOCK:
        raise MissingComponentError(
            f"Nothing here can lock up a reward program: {reason}, and the kernel's Landlock is "
            f"{f'version {version}' if version else 'absent'} where {ENOUGH_LANDLOCK} is needed (Linux 6.2). "
            f"Install it with `{INSTALL_BUBBLEWRAP}`, or run programs unprotected with --unsafe."
        )
    return Layers(bubblewrap=reason is None, landlock=version > 0)


def prepare(layers: Layers, limits: Limits, descriptors: tuple[int, int, int, int]) -> Launch:
    """What starts one cell that inherits the pipes of requests and replies and the memories of inputs and outputs."""
    if os.name != "posix":
        raise MissingComponentError("Reward programs cannot run on Windows itself, not even unprotected: use WSL 2.")
    python, libraries = filesystem.interpreter()
    numpy = filesystem.numpy_folders()
    fixed = dict(_ENVIRONMENT) if layers.environment else dict(os.environ)
    root = os.geteuid() == 0
    home = Path("/cell") if layers.bubblewrap else FOLDER
    packages = [home / p.name for p in numpy] if layers.bubblewrap else numpy
    seen = filesystem.shown if layers.bubblewrap else filesystem.beside_packages
    visible = [*map(str, (home, *packages)), *seen(libraries)]
    config = {
        "locked": layers.any,
        "user": UNPRIVILEGED if root and layers.any else 0,
        "rlimits": limits.rlimits() if layers.rlimits else {},
        "landlock": (1 if layers.bubblewrap else ENOUGH_LANDLOCK) if layers.landlock else 0,
        "seccomp": layers.seccomp,
        "sealed": layers.sealed and sys.platform == "linux",
        "numpy": str(packages[0]),
        # root's own interpreter may be closed to the user we become, so that numpy could not load these later
        "preload": ["numpy.fft", "numpy.polynomial", "numpy.random"] if root and not layers.bubblewrap else [],
        "input_bytes": limits.input_bytes,
        "output_bytes": limits.output_bytes,
        "readable": list(dict.fromkeys(visible)),
    }
    words = [python, "-I", "-S", "-B", "-u", "-X", "utf8", "-W", "ignore", str(home / "bootstrap.py")]
    words += map(str, descriptors)
    if layers.bubblewrap:
        words = [*_box(libraries, numpy, fixed), "--", *words]
    return Launch(words, fixed, config)


def _isolation(bwrap: str) -> list[str]:
    """bubblewrap's options but for mounts and environment."""
    words = [*_NAMESPACES, "--hostname", "cell", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if os.geteuid() != 0:
        return ["--unshare-user", *(["--disable-userns"] if _knows(bwrap, "--disable-userns") else []), *words]
    # real root needs no user namespace, but rights enough to become somebody else once inside
    return [*words, *(word for name in ("SETUID", "SETGID", "SETPCAP") for word in ("--cap-add", f"CAP_{name}"))]


def _box(libraries: list[str], numpy: list[Path], environment: dict[str, str]) -> list[str]:
    """bubblewrap's command line: an empty read-only root with the interpreter, numpy and the files that run inside."""
    bwrap = find_bubblewrap()
    if bwrap is None:
        raise MissingComponentError(f"bubblewrap is not installed; install it with `{INSTALL_BUBBLEWRAP}`.")
    words = [bwrap, *_isolation(bwrap), "--clearenv"]
    for name, value in environment.items():
        words += ["--setenv", name, value]
    for folder in filesystem.parents([*libraries, "/etc/alternatives", "/cell/x", "/usr/lib"]):
        # made one by one: those that bubblewrap makes itself are closed to the user we become
        words += ["--perms", "0755", "--dir", folder]
    words += filesystem.mounts(libraries)
    for package in numpy:
        words += ["--ro-bind", str(package), f"/cell/{package.name}"]
    for name in INSIDE:
        words += ["--ro-bind", str(FOLDER / name), f"/cell/{name}"]
    return [*words, "--chdir", "/", "--remount-ro", "/"]


def _knows(bwrap: str, option: str) -> bool:
    """bubblewrap 0.8 added some; without them the system call filter alone refuses new user namespaces."""
    help_text = subprocess.run([bwrap, "--help"], stdin=subprocess.DEVNULL, capture_output=True, timeout=20).stdout
    return option.encode() in help_text
