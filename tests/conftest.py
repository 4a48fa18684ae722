"""Options and fixtures every test shares.

A test that needs something the machine may lack is marked `@pytest.mark.needs("bubblewrap")`. Without the thing it is
skipped, with the reason; under `--require all` (as CI runs) it fails instead: nothing real is skipped in silence.
A test of a GPU is marked `@pytest.mark.gpu`: no command installs one, so `--require all` leaves it skipped, with the
reason, and `--require gpu` does not.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from loopback import SECRET, Loopback

# before torch or MuJoCo is imported: two threads of torch collapse when the cores are shared
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# a shell starts what runs in its background with Ctrl-C ignored, and children inherit that: tests of Ctrl-C would wait
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _bubblewrap() -> str | None:
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return "bubblewrap is not installed (apt-get install bubblewrap)"
    done = subprocess.run([bwrap, "--ro-bind", "/", "/", "true"], capture_output=True, text=True)
    return None if done.returncode == 0 else f"bubblewrap cannot start here: {done.stderr.strip()}"


def _rendering() -> str | None:
    from reward_agent.envs.rendering import working_backend

    return None if working_backend() else "no off-screen OpenGL works (apt-get install libosmesa6)"


_SCENE = """
import sapien
sapien.render.RenderMaterial()
sapien.Scene([sapien.physx.PhysxCpuSystem()]).step()
"""


@cache
def _vulkan() -> str | None:
    """Whether SAPIEN can make a scene here; tried in a process of its own, for a bad driver may crash it."""
    if importlib.util.find_spec("sapien") is None:
        return "sapien is not installed (pip install 'reward-agent[maniskill]')"
    done = subprocess.run([sys.executable, "-c", _SCENE], capture_output=True, text=True)
    if done.returncode == 0:
        return None
    said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return f"SAPIEN makes no scene here: {said} (apt-get install libvulkan1 mesa-vulkan-drivers; Mesa 23 or newer)"


def _gpu() -> str | None:
    import torch

    return None if torch.cuda.is_available() else "there is no NVIDIA GPU that torch can use"


def _rliable() -> str | None:
    from reward_agent.errors import MissingComponentError
    from reward_agent.sweep.components import require_all

    try:
        require_all()
    except MissingComponentError as error:
        return str(error)
    return None


def _view() -> str | None:
    from reward_agent.live.components import missing

    return missing()


def _browser() -> str | None:
    """Playwright's own Chromium or the system's."""
    from browsing import chromium

    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed (pip install playwright)"
    return _view() or (None if chromium() else "there is no Chromium (apt-get install chromium)")


NEEDS = {
    "browser": _browser,
    "bubblewrap": _bubblewrap,
    "metaworld": lambda: None if importlib.util.find_spec("metaworld") else "metaworld is missing (make setup)",
    "minihack": lambda: None if importlib.util.find_spec("minihack") else "minihack is missing (make setup)",
    "minigrid": lambda: None if importlib.util.find_spec("minigrid") else "minigrid is missing (make setup)",
    "recurrent": lambda: None if importlib.util.find_spec("sb3_contrib") else "sb3-contrib is missing (make setup)",
    "rendering": _rendering,
    "vulkan": _vulkan,
    "rliable": _rliable,
    "robotics": lambda: None if importlib.util.find_spec("gymnasium_robotics") else "gymnasium-robotics is missing",
    "view": _view,
    "venv": lambda: None if importlib.util.find_spec("venv") else "python3-venv is missing",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require", default="", help="'all', or names of what must be there, with commas between")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"needs(name): uses one of {', '.join(NEEDS)}")
    config.addinivalue_line("markers", "gpu: uses an NVIDIA GPU")


def pytest_runtest_setup(item: pytest.Item) -> None:
    required = item.config.getoption("--require").split(",")
    for mark in item.iter_markers("needs"):
        (name,) = mark.args
        _require(NEEDS[name](), "all" in required or name in required)
    if item.get_closest_marker("gpu"):
        _require(_gpu(), "gpu" in required)


def _require(lacking: str | None, required: bool) -> None:
    if lacking is None:
        return
    if required:
        pytest.fail(f"required, but {lacking}", pytrace=False)
    pytest.skip(lacking)


@pytest.fixture
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture
def model_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of providers that are a secret to look for, and nothing else in the environment that concerns them."""
    for name in list(os.environ):
        if name.upper().endswith(("_API_KEY", "_AUTH_TOKEN", "_BASE_URL", "_PROXY")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        yield running
