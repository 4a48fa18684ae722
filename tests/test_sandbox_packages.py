"""No installed package but numpy can be read from within a cell, be there a virtual environment or not."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from reward_agent.program import Fault, Program
from reward_agent.sandbox import filesystem, launch
from reward_agent.sandbox.cell import Cell
from reward_agent.sandbox.launch import Layers
from reward_agent.sandbox.limits import Limits
from reward_agent.schema import ActionSpec, StateSchema

BASE = Path(sysconfig.get_path("purelib", vars={"base": sys.base_prefix}))
"""Where the base interpreter has its packages."""

INSIDE = """
import os

def told(folder):
    try: return os.listdir(folder)
    except OSError: return []

def readable(path):
    try: return open(path, "rb").close() is None
    except OSError: return False

raise RuntimeError(f"listed {[name for f in FOLDERS for name in told(f)]}, read {[p for p in FILES if readable(p)]}")
"""

WITHOUT_VENV = """
import sys
from pathlib import Path
import numpy as np
from reward_agent.sandbox import launch
sys.path.insert(0, sys.argv[1])
from test_sandbox_packages import seen

packages = Path(np.__file__).parents[1]
secret = packages / "pytest" / "__init__.py"
assert sys.prefix == sys.base_prefix and secret.is_file()
layers = launch.Layers(bubblewrap=sys.argv[2] == "bubblewrap")
if layers.bubblewrap and (lacking := launch.probe_bubblewrap()):
    sys.exit(f"no box in a box: {lacking}")
print(seen(layers, [packages], [secret, packages / "numpy" / "__init__.py"]))
"""


LOCKED = """
import ctypes, json, mmap
from reward_agent.sandbox import landlock
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS, without which Landlock is for root alone
landlock.restrict({!r})
"""


def said(layers: Layers, source: str) -> str:
    """What a program says with which it ends, in a cell with these layers."""
    schema = StateSchema((), (), ActionSpec(("push",), (-1.0,), (1.0,)))
    with Cell(_layers=layers) as cell:
        given = cell.load(Program(source), schema, (np.ones((2, 0)), np.ones((2, 1)), np.ones((2, 0))))
    assert isinstance(given, Fault)
    return given.message


def seen(layers: Layers, folders: list[Path], files: list[Path]) -> str:
    """What a program in a cell can list and read of these."""
    return said(layers, f"FOLDERS = {[*map(str, folders)]}\nFILES = {[*map(str, files)]}\n{INSIDE}")


def files_of_packages() -> list[Path]:
    files = sorted(path for path in BASE.glob("*/*.py"))[:20]
    if not files:
        pytest.skip(f"the base interpreter has no packages in {BASE}")
    return files


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize("landlock", [True, False])
def test_under_bubblewrap_the_folder_of_packages_is_empty(landlock: bool) -> None:
    layers = Layers(landlock=landlock, seccomp=landlock)
    assert seen(layers, [BASE], files_of_packages()) == "RuntimeError: listed [], read []"


@pytest.mark.needs("bubblewrap")
def test_under_bubblewrap_nothing_can_be_put_where_packages_lie() -> None:
    layers = Layers(landlock=False, seccomp=False, rlimits=False)
    assert "Read-only file system" in said(layers, f"open({str(BASE / 'new.py')!r}, 'w')")


def test_landlock_alone_lets_a_process_read_the_standard_library_and_no_package() -> None:
    """In this very user's process, whom file permissions do not stop, as they may stop a cell that root started."""
    readable = launch.prepare(Layers(bubblewrap=False), Limits(), (0, 1, 2, 3)).config["readable"]
    library = Path(sysconfig.get_path("stdlib"))
    files = [*files_of_packages(), library / "colorsys.py", library / "json" / "tool.py"]
    script = LOCKED.format(readable) + f"FOLDERS, FILES = {[str(BASE)]!r}, {[*map(str, files)]!r}\n" + INSIDE
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stderr.endswith(f"RuntimeError: listed [], read {[*map(str, files[-2:])]}\n"), done.stderr


def test_the_standard_library_can_still_be_imported_behind_landlock_alone() -> None:
    readable = launch.prepare(Layers(bubblewrap=False), Limits(), (0, 1, 2, 3)).config["readable"]
    script = LOCKED.format(readable) + "import colorsys, decimal, sched, xml.dom\nprint('imported')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "imported\n", done.stderr


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize("layer", ["bubblewrap", "landlock"])
def test_without_a_virtual_environment_numpy_alone_is_shown(layer: str, tmp_path: Path) -> None:
    """The base interpreter is run with this environment's packages in the place of its own."""
    here = sysconfig.get_path("purelib")
    python = filesystem.interpreter()[0]
    outer = [str(launch.find_bubblewrap()), "--dev-bind", "/", "/", "--ro-bind", here, str(BASE)]
    script = tmp_path / "script.py"
    script.write_text(WITHOUT_VENV)
    tests = str(Path(__file__).parent)
    done = subprocess.run([*outer, python, str(script), tests, layer], capture_output=True, text=True)
    if done.stderr.startswith("no box in a box"):
        pytest.skip(done.stderr)  # as AppArmor has it on Ubuntu 24.04
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    numpy = BASE / "numpy" / "__init__.py"
    # under bubblewrap numpy lies elsewhere; root's own files may be closed to the user that a cell becomes
    hidden = layer == "bubblewrap" or (os.geteuid() == 0 and not BASE.stat().st_uid and not _open_to_all(numpy))
    assert lines[-1] == f"RuntimeError: listed [], read {[] if hidden else [str(numpy)]}"


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in path.parents)


def test_pieces_beside_packages_are_found_whatever_the_folders_are_like(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystem, "SYSTEM_LIBRARIES", ())
    monkeypatch.setattr(filesystem, "LOADER_FILES", ())
    place = tmp_path / "lib"
    for name in (
        "python3.11/json",
        "python3.11/site-packages/secret",
        "python3/dist-packages",
        "x/lib/y/site-packages",
    ):
        (place / name).mkdir(parents=True)
    (place / "python3.11" / "os.py").touch()
    (place / "libpython.so").touch()
    (place / "python").symlink_to("python3.11")
    (place / "gone").symlink_to("nowhere")
    (place / "out").symlink_to("/etc")
    (tmp_path / "lib64").symlink_to("lib")
    shown = filesystem.beside_packages([str(place), str(tmp_path / "lib64"), str(tmp_path / "absent")])
    assert [str(Path(path).relative_to(place)) for path in shown] == [
        "libpython.so",
        "python3.11/json",
        "python3.11/os.py",
    ]
    words = filesystem.mounts([str(place), str(tmp_path / "lib64")])
    hidden = {words[at + 1] for at, word in enumerate(words) if word == "--tmpfs"}
    names = ("python3.11/site-packages", "python3/dist-packages", "x/lib/y/site-packages")
    assert hidden == {str(place / name) for name in names}
