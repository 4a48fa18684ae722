"""The worker of Isaac Gym: fit for Python 3.8, and told plainly when it fails, dies or hangs; it outlives nobody."""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import isaac_signals
import numpy as np
import psutil
import pytest
from isaac_cartpole import STANDIN, standin

from reward_agent.envs.isaac import client, server
from reward_agent.envs.isaac.world import IsaacBatch
from reward_agent.errors import RewardAgentError

SERVER = Path(server.__file__).resolve()
N = 2


def made(**changes: object) -> IsaacBatch:
    world = standin("Troubled", **changes)
    batch = world.make(N, world.schema())
    batch.reset(np.ones(N, bool), np.arange(N))
    return batch


def step_on(batch: IsaacBatch) -> None:
    for _ in range(5):
        batch.step(np.zeros((N, 1)))


def soon(happened: Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if happened():
            return True
        time.sleep(0.05)
    return False


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def ran_imports(tree: ast.AST) -> set[str]:
    """Top-level names of what is imported as it runs; not what only type checkers see."""
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and id(node) not in skipped:
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and id(node) not in skipped:
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "importlib.import_module":
            found |= {argument.value for argument in node.args if isinstance(argument, ast.Constant)}
    return found


def test_the_server_is_python_3_8_and_stands_alone() -> None:
    tree = ast.parse(SERVER.read_text(encoding="utf-8"), feature_version=(3, 8))
    theirs = {"numpy", "torch", "isaacgym", "isaacgymenvs"}
    assert ran_imports(tree) - theirs <= sys.stdlib_module_names
    top = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    assert not top & theirs, "torch may only be imported after isaacgym"
    # annotations stay text, so that newer ones do no harm
    assert "annotations" in {
        alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    with pytest.raises(SyntaxError):
        ast.parse("match 1:\n    case _: pass", feature_version=(3, 8))


def python_3_8() -> str | None:
    found = [shutil.which("python3.8"), *sorted(Path.home().glob(".pyenv/versions/3.8.*/bin/python"))]
    for python in filter(None, found):
        told = subprocess.run([str(python), "-V"], capture_output=True, text=True)
        if told.stdout.startswith("Python 3.8"):
            return str(python)
    return None


def test_python_3_8_itself_loads_it() -> None:
    """The whole of it is run there where REWARD_AGENT_STANDIN_PYTHON names a 3.8 with torch: see docs/isaac.md."""
    python = python_3_8()
    if python is None:
        pytest.skip("no Python 3.8 on this machine")
    program = (
        "import socket, runpy, sys; sys.argv = ['server.py']\n"
        f"names = runpy.run_path({str(SERVER)!r}, run_name='server')\n"
        "ours, theirs = socket.socketpair()\n"
        "names['send'](ours, {'do': 'step', 'rows': [1, 2]})\n"
        "print(names['receive'](theirs))\n"
        "ours.close()\n"
        "try:\n    names['receive'](theirs)\nexcept EOFError:\n    print('gone')\n"
    )
    done = subprocess.run([python, "-I", "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["({'do': 'step', 'rows': [1, 2]}, {})", "gone"], done.stderr


def test_the_worker_has_nothing_of_ours() -> None:
    batch = made()
    try:
        process = psutil.Process(batch.worker)
        assert process.cmdline()[2] == str(SERVER)
        assert not set(process.environ()) & {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
        assert Path(process.cwd()).name.startswith("reward-agent-isaac-"), "tasks may write where they stand"
        assert os.getsid(process.pid) == process.pid
        folder = process.cwd()
    finally:
        batch.close()
        batch.close()
    assert gone(process.pid) and not Path(folder).exists()


def test_a_task_that_fails_is_told_with_its_traceback_and_can_go_on() -> None:
    batch = made(trouble="raises")
    try:
        with pytest.raises(RewardAgentError, match=r"(?s)failed to step:.*standin_tasks\.py.*the drawer is stuck"):
            step_on(batch)
        observations, _ = batch.reset(np.ones(N, bool), np.arange(N))
        assert np.isfinite(observations).all()
    finally:
        batch.close()


def test_a_worker_that_dies_is_told_with_its_last_words() -> None:
    batch = made(trouble="dies")
    with pytest.raises(RewardAgentError) as told:
        step_on(batch)
    words = str(told.value)
    assert "ended with exit code 9 while it did 'step'" in words
    assert "PhysX error: out of memory[31m" in words, "control characters are left out"
    assert gone(batch.worker)
    with pytest.raises(RewardAgentError, match="is closed"):
        batch.step(np.zeros((N, 1)))


def test_a_worker_that_is_killed_is_told() -> None:
    batch = made()
    os.kill(batch.worker, signal.SIGKILL)
    with pytest.raises(RewardAgentError, match="was killed by SIGKILL"):
        step_on(batch)


def test_a_worker_that_hangs_is_ended_with_its_children() -> None:
    batch = made(trouble="hangs", step_timeout=2.0)
    worker = psutil.Process(batch.worker)
    began = time.monotonic()
    with pytest.raises(RewardAgentError, match=r"did not answer to 'step' within 2 s .* raise `step_timeout`"):
        step_on(batch)
    assert time.monotonic() - began < 20
    assert gone(worker.pid)
    assert soon(lambda: not [p for p in psutil.process_iter() if session(p.pid) == worker.pid])


def session(pid: int) -> int:
    try:
        return os.getsid(pid) if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE else 0
    except (ProcessLookupError, psutil.Error):
        return 0


@pytest.mark.parametrize("trouble", ["", "hangs"])
def test_a_worker_ends_with_the_process_that_started_it(trouble: str) -> None:
    """Killed between steps, or while the worker is in the middle of one."""
    ours = start_signalled(trouble)
    worker = read_pid(ours)
    time.sleep(1.0)
    ours.kill()
    ours.wait()
    assert soon(lambda: gone(worker)), "the worker lives on"


def test_ctrl_c_stops_at_once_and_leaves_no_worker() -> None:
    ours = start_signalled("hangs")
    worker = read_pid(ours)
    time.sleep(1.0)
    began = time.monotonic()
    os.killpg(ours.pid, signal.SIGINT)
    _, said = ours.communicate(timeout=30)
    assert said.strip().endswith("KeyboardInterrupt")
    assert time.monotonic() - began < 15
    assert soon(lambda: gone(worker))


def start_signalled(trouble: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, isaac_signals.__file__, "Troubled", trouble],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )


def read_pid(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def test_an_interpreter_that_cannot_be_started_is_told() -> None:
    with pytest.raises(RewardAgentError, match=r"/no/such/python does not start"):
        client.Worker("/no/such/python")
    with pytest.raises(OSError, match="No such file"):
        client.has_modules("/no/such/python", ("torch",))
    assert client.has_modules(sys.executable, ("torch", "no_such_module", "isaacgym"), (str(STANDIN),)) == [
        "no_such_module"
    ]


def test_a_task_that_cannot_be_built_is_told() -> None:
    with pytest.raises(RewardAgentError, match=r"(?s)failed to build:.*No module named 'no_such_tasks'"):
        standin(task="no_such_tasks:make").schema()
    with pytest.raises(RewardAgentError, match=r"(?s)failed to build:.*KeyError: 'Ballet'"):
        standin("Ballet").schema()
