"""Each layer of the cell holds what it is there for; without it the same attempt succeeds; broken, the cell refuses."""

from __future__ import annotations

import ast
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pointmass import EXPERT, SCHEMA

from reward_agent.errors import MissingComponentError
from reward_agent.program import Fault, Program
from reward_agent.sandbox import landlock, launch, layers
from reward_agent.sandbox.cell import Cell
from reward_agent.sandbox.launch import UNSAFE, Layers
from reward_agent.sandbox.layers import describe

VISIBLE = SCHEMA.visible()
SAMPLE = np.ones((3, VISIBLE.width)), np.ones((3, 1)), np.ones((3, VISIBLE.width))

ALL = Layers()
ALONE = Layers(bubblewrap=False)
NONE = Layers(False, False, False, False, sealed=False, environment=False)

ATTEMPTS = """
# each of them is loaded when the user changes, who may not be able to read more
import _thread, ctypes, os, resource, socket, numpy as np

def read_file(): return open(FACTS["secret"]).read() == "open sesame"
def list_folder(): return os.path.basename(FACTS["secret"]) in os.listdir(os.path.dirname(FACTS["secret"]))
def read_dotenv(): return "KEY" in open(FACTS["dotenv"]).read()
def write_file(): return os.write(os.open(FACTS["target"], os.O_WRONLY), b"x") == 1
def environment(): return os.environ["REWARD_AGENT_TEST_KEY"] == "sk-secret"
def tcp(): return not socket.create_connection(("127.0.0.1", FACTS["port"]), 2).close()
def udp(): return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", FACTS["port"])) == 1
def unix_socket(): return len(socket.socketpair()) == 2
def fork():
    child = os.fork()
    if child == 0: os._exit(0)
    return os.waitpid(child, 0)[1] == 0
def execute(): return os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)[1] == 0
def signal_parent(): return os.kill(FACTS["parent"], 0) is None
def thread(): return _thread.start_new_thread(int, ()) > 0
def memfd(): return os.memfd_create("x") > 0
def change_mode(): return os.chmod(FACTS["target"], 0o666) is None
def allocate(): return np.empty(1600 << 20, np.uint8).size > 0
def raise_limit():
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
    return True
def write_inputs():
    libc = ctypes.CDLL(None, use_errno=True)
    address = INPUTS.ctypes.data & ~4095
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), 3): raise PermissionError(ctypes.get_errno())
    ctypes.memset(address, 0, 8)
    return True

def compute_reward(state, action, next_state):
    global INPUTS
    INPUTS = state.point.position
    told = {}
    for name in FACTS["attempts"]:
        try: told[name] = bool(globals()[name]())
        except BaseException: told[name] = False
    raise RuntimeError(" ".join(name for name, done in told.items() if done) or "nothing")
"""

HOLDS: dict[str, tuple[Layers, set[str]]] = {
    "bubblewrap": (
        Layers(True, False, False, False, sealed=False, environment=False),
        {"read_file", "list_folder", "read_dotenv", "write_file", "tcp", "execute", "signal_parent", "change_mode"},
    ),
    "landlock": (
        Layers(False, True, False, False, sealed=False, environment=False),
        {"read_file", "list_folder", "read_dotenv", "write_file", "tcp", "execute", "signal_parent"},
    ),
    "seccomp": (
        Layers(False, False, True, False, sealed=False, environment=False),
        {"write_file", "tcp", "udp", "unix_socket", "fork", "execute", "signal_parent"}
        | {"thread", "memfd", "change_mode", "raise_limit"},
    ),
    "rlimits": (
        Layers(False, False, False, True, sealed=False, environment=False),
        {"write_file", "fork", "execute", "allocate", "raise_limit"},
    ),
    "sealed memory": (Layers(False, False, False, False, sealed=True, environment=False), {"write_inputs"}),
    "environment": (Layers(False, False, False, False, sealed=False, environment=True), {"environment"}),
}
EVERY = sorted(set().union(*(held for _, held in HOLDS.values())))


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """Something to steal, to spoil and to call, all of which anybody on this machine may reach."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "secret").write_text("open sesame")
    (folder / ".env").write_text("KEY=sk-secret")
    (folder / "target").touch()
    (folder / "target").chmod(0o666)
    monkeypatch.setenv("REWARD_AGENT_TEST_KEY", "sk-secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_accept, args=(server,), daemon=True).start()
        yield {
            "secret": str(folder / "secret"),
            "dotenv": str(folder / ".env"),
            "target": str(folder / "target"),
            "port": server.getsockname()[1],
            "parent": os.getpid(),
        }
    shutil.rmtree(folder)


def _accept(server: socket.socket) -> None:
    try:
        while True:
            server.accept()[0].close()
    except OSError:
        return


def done(layers: Layers, facts: dict[str, object], attempts: list[str]) -> set[str]:
    """Those of the attempts that succeed in a cell with just these layers."""
    source = f"FACTS = {json.dumps(facts | {'attempts': attempts})}\n" + ATTEMPTS
    with Cell(_layers=layers) as cell:
        given = cell.load(Program(source), VISIBLE, SAMPLE)
    assert isinstance(given, Fault)
    kind, _, told = given.message.partition(": ")
    assert kind == "RuntimeError", given.message
    return set(told.split()) - {"nothing"}


def test_without_layers_every_attempt_succeeds(facts: dict[str, object]) -> None:
    assert done(NONE, facts, EVERY) == set(EVERY)


@pytest.mark.parametrize("layer", HOLDS)
def test_each_layer_alone_holds_its_own(layer: str, facts: dict[str, object]) -> None:
    layers, held = HOLDS[layer]
    if layers.bubblewrap and (lacking := launch.probe_bubblewrap()):
        pytest.skip(lacking)
    assert done(layers, facts, sorted(held)) == set()


@pytest.mark.needs("bubblewrap")
def test_all_layers_hold_everything(facts: dict[str, object]) -> None:
    assert done(ALL, facts, EVERY) == set()


def test_the_layers_without_bubblewrap_hold_everything(facts: dict[str, object]) -> None:
    assert done(ALONE, facts, EVERY) == set()


@pytest.mark.needs("bubblewrap")
def test_inside_there_is_nothing_but_the_interpreter_and_numpy() -> None:
    source = "import os\nraise RuntimeError(' '.join(sorted(os.listdir('/') + os.listdir('/cell'))))"
    layers = Layers(landlock=False, seccomp=False)
    with Cell(_layers=layers) as cell:
        given = cell.load(Program(source), VISIBLE, SAMPLE)
    assert isinstance(given, Fault)
    seen = set(given.message.removeprefix("RuntimeError: ").split())
    assert {"cell", "usr", "numpy", "worker.py"} <= seen
    assert not seen & {"proc", "dev", "sys", "tmp", "home", "cell.py", "launch.py", "reward_agent"}


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the files that run inside, to break."""
    folder = tmp_path / "inside"
    folder.mkdir(mode=0o755)
    for name in launch.INSIDE:
        shutil.copy(launch.FOLDER / name, folder)
    monkeypatch.setattr(launch, "FOLDER", folder)
    return folder


def test_the_copy_that_is_broken_below_works_unbroken(copied: Path) -> None:
    with Cell() as cell:
        assert cell.load(Program(EXPERT), VISIBLE, SAMPLE) == ("near", "effort")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        # a layer that fails
        ("landlock.py", "_RESTRICT_SELF = 444, 445, 446", "_RESTRICT_SELF = 444, 445, 100000", "Landlock could not"),
        ("seccomp.py", '"seccomp": (317, 277)', '"seccomp": (100000, 100000)', "seccomp could not"),
        ("bootstrap.py", "_CAP_VERSION_3 = 0x20080522", "_CAP_VERSION_3 = 1", "capabilities could not be dropped"),
        # a layer that says it is in force and is not
        ("landlock.py", "    version = abi()\n", "    return 7\n", "Landlock is set, and yet"),
        ("seccomp.py", "    libc = ctypes", "    return\n    libc = ctypes", "seccomp is set, and yet"),
        ("bootstrap.py", "resource.setrlimit(kind, (value, value))", "pass", "is set, and yet above"),
    ],
)
def test_a_broken_layer_keeps_the_cell_from_starting(copied: Path, file: str, old: str, new: str, message: str) -> None:
    text = (copied / file).read_text()
    assert old in text
    (copied / file).write_text(text.replace(old, new))
    with pytest.raises(MissingComponentError, match=message):
        Cell()


def test_unsealed_inputs_keep_the_cell_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    from reward_agent.sandbox import memory

    monkeypatch.setattr(memory, "_FUTURE_WRITE", 0)
    with pytest.raises(MissingComponentError, match="inputs are sealed, and yet"):
        Cell()


def test_a_bubblewrap_that_isolates_nothing_keeps_the_cell_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text('#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\nshift\nexec "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setattr(launch, "find_bubblewrap", lambda: str(fake))
    with pytest.raises(MissingComponentError, match="did not start"):
        Cell(_layers=ALL)


@pytest.mark.parametrize("version", [0, 2])
def test_without_bubblewrap_and_a_late_landlock_no_cell_starts(version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "find_bubblewrap", lambda: None)
    monkeypatch.setattr(landlock, "abi", lambda: version)
    with pytest.raises(MissingComponentError, match="apt-get install -y bubblewrap") as caught:
        Cell()
    assert caught.value.exit_code == 3
    assert [report.works for report in describe()] == [False, False, True, True, False]
    with Cell(unsafe=True) as cell:
        assert cell.layers == ("unsafe",)


def test_without_bubblewrap_landlock_is_enough_from_version_3_and_warned_of_below_6(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(launch, "find_bubblewrap", lambda: None)
    assert launch.choose_layers() == ALONE
    monkeypatch.setattr(launch, "GOOD_LANDLOCK", 1000)
    with pytest.warns(RuntimeWarning, match="without bubblewrap"), Cell() as cell:
        assert cell.layers[0].startswith("landlock")


def test_a_bubblewrap_that_cannot_run_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "find_bubblewrap", lambda: "/bin/false")
    assert launch.probe_bubblewrap() is not None
    assert not launch.choose_layers().bubblewrap


@pytest.mark.parametrize(
    ("settings", "fix"),
    [
        ({}, "--privileged"),
        ({"kernel/unprivileged_userns_clone": "1"}, "--security-opt seccomp=unconfined"),
        ({"kernel/unprivileged_userns_clone": "0"}, "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
        (
            {"kernel/apparmor_restrict_unprivileged_userns": "1", "user/max_user_namespaces": "0"},
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 && "
            "sudo sysctl -w user.max_user_namespaces=15000",
        ),
    ],
)
def test_the_doctor_names_settings_that_this_kernel_has(
    settings: dict[str, str], fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{value}\n")
    monkeypatch.setattr(launch, "find_bubblewrap", lambda: "/bin/false")
    monkeypatch.setattr(layers, "_SYSCTLS", tmp_path)
    (report,) = (report for report in describe() if report.layer == "bubblewrap")
    assert not report.works and fix in report.fix
    assert ("sysctl" in report.fix) == ("sysctl" in fix)


@pytest.mark.needs("bubblewrap")
@pytest.mark.skipif(os.geteuid() != 0, reason="every other test here runs as a normal user already")
def test_a_normal_user_has_the_same_layers(tmp_path: Path) -> None:
    """In a user namespace of its own, root is a normal user without any capability."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os, numpy as np\n"
        "from reward_agent.program import Program\n"
        "from reward_agent.sandbox.cell import Cell\n"
        "from reward_agent.schema import ActionSpec, StateSchema\n"
        "assert os.geteuid() == 1000\n"
        "schema = StateSchema((), (), ActionSpec(('push',), (-1.0,), (1.0,)))\n"
        f"source = {EXPERT!r}.split('def ')[0] + 'def compute_reward(s, a, n): return a[:, 0], dict(push=a[:, 0])'\n"
        "with Cell() as cell:\n"
        "    rows = np.ones((3, 0)), np.ones((3, 1)), np.ones((3, 0))\n"
        "    print(*cell.load(Program(source), schema, rows), *cell(*rows).total, *cell.layers, sep='|')\n"
    )
    command = ["unshare", "--user", "--map-user=1000", "--map-group=1000", sys.executable, str(script)]
    given = subprocess.run(command, capture_output=True, text=True)
    assert given.stdout.startswith("push|1.0|1.0|1.0|bubblewrap|landlock"), given.stderr


def test_the_doctor_is_told_what_works() -> None:
    reports = {report.layer: report for report in describe()}
    assert list(reports) == ["bubblewrap", "landlock", "seccomp", "sealed memory", "cell"]
    assert reports["cell"].works and "seccomp" in reports["cell"].detail
    assert all(report.works or report.fix for report in reports.values())
    assert Layers(False, False, False, False) == UNSAFE


def test_what_runs_inside_imports_nothing_else_of_the_project() -> None:
    known = {f"reward_agent.sandbox.{name.removesuffix('.py')}" for name in launch.INSIDE} | {"numpy"}
    for name in launch.INSIDE:
        for node in ast.walk(ast.parse((launch.FOLDER / name).read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                module = node.module or ""
                own = module == "reward_agent.sandbox"
                names = [f"{module}.{alias.name}" for alias in node.names] if own else [module]
            # array_api_compat is for helpers called on torch tensors, which is never inside
            strange = {n for n in names if n.partition(".")[0] not in sys.stdlib_module_names} - known
            assert strange <= ({"array_api_compat"} if name == "helpers.py" else set()), name
