"""What of this machine's file system a cell sees: the interpreter, the system's libraries and numpy, no other package.

The folders that packages are installed in may hold this project itself, with the metrics and experts that a reward
must not read. Under bubblewrap something empty lies over each; Landlock, which can only allow, is told of everything
beside them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from reward_agent.errors import MissingComponentError

SYSTEM_LIBRARIES = ("/usr/lib", "/usr/lib64", "/usr/lib32", "/lib", "/lib64", "/lib32", "/nix/store")
LOADER_FILES = ("/etc/ld.so.cache", "/etc/alternatives")
_PACKAGES = tuple(f"{above}/{name}" for above in ("*", "*/lib/*") for name in ("site-packages", "dist-packages"))
"""Where packages lie below a folder of libraries; the longer form is Nix's."""


def interpreter() -> tuple[str, list[str]]:
    """The Python that runs inside, and what of the file system it needs besides the system's libraries.

    The base interpreter, never the virtual environment: that may lie in a project next to its secrets.
    """
    python = str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())
    libraries = [Path(sys.base_prefix, name) for name in ("lib", "lib64")]
    shown = [str(path) for path in libraries if path.is_dir() and str(path) not in SYSTEM_LIBRARIES]
    return python, [python, *shown]


def numpy_folders() -> list[Path]:
    """numpy's own folder and the one of the libraries that come with it, where there is one.

    Raises:
        MissingComponentError: numpy is not installed.
    """
    spec = find_spec("numpy")
    if spec is None or spec.origin is None:
        raise MissingComponentError("numpy is not installed; install it with `pip install numpy`.")
    package = Path(spec.origin).resolve().parent
    bundled = package.with_name("numpy.libs")
    return [package, bundled] if bundled.is_dir() else [package]


def shown(libraries: Iterable[str]) -> list[str]:
    """`libraries` and the system's own, those that are there."""
    return [path for path in dict.fromkeys([*SYSTEM_LIBRARIES, *LOADER_FILES, *libraries]) if Path(path).exists()]


def mounts(libraries: Iterable[str]) -> list[str]:
    """bubblewrap's options that show `libraries` and the system's own, read-only, with packages hidden."""
    words = []
    links = {path for path in shown(libraries) if Path(path).is_symlink()}
    for path in shown(libraries):
        words += ["--symlink", str(Path(path).readlink()), path] if path in links else ["--ro-bind", path, path]
    for path in shown(libraries):
        # what a link leads to is shown, and its packages are hidden, where it really lies
        for folder in () if path in links else _package_folders(Path(path)):
            words += ["--perms", "0755", "--tmpfs", str(folder), "--remount-ro", str(folder)]
    return words


def beside_packages(libraries: Iterable[str]) -> list[str]:
    """What is shown, piece by piece without the folders of packages: for Landlock alone.

    The folders above packages cannot be listed then. Python finds modules in them all the same, by the listing that
    it made before Landlock and keeps until the folder changes.
    """
    places = sorted({Path(path).resolve() for path in shown(libraries)})
    return [str(path) for place in places for path in _beside(place, set(_package_folders(place)))]


def parents(paths: Iterable[str]) -> list[str]:
    """Every folder above `paths`, but the root, outermost first."""
    folders = {str(parent) for path in paths for parent in Path(path).parents}
    return sorted(folder for folder in folders - {"/"} if not Path(folder).is_symlink())


def _package_folders(place: Path) -> Iterator[Path]:
    """Folders that packages are installed in below `place`, by their own names and not by those of links."""
    for pattern in _PACKAGES:
        for path in place.glob(pattern):
            if path.is_dir() and path.resolve() == place.resolve() / path.relative_to(place):
                yield path


def _beside(path: Path, hidden: set[Path]) -> Iterator[Path]:
    """`path` itself where nothing of `hidden` lies in it, else what in it lies beside."""
    if not any(folder.is_relative_to(path) for folder in hidden):
        yield path
    elif path not in hidden:
        for entry in sorted(path.iterdir()):
            # what a link leads to is allowed by its own name, or lies outside
            if not entry.is_symlink():
                yield from _beside(entry, hidden)
