"""Options and fixtures every test shares.

A test that needs something the machine may lack is marked `@pytest.mark.needs("bubblewrap")`. Without the thing it is
skipped, with the reason; under `--require all` (as CI runs) it fails instead: nothing real is skipped in silence.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

# before torch or MuJoCo is imported: two threads of torch collapse when the cores are shared
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def _bubblewrap() -> str | None:
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return "bubblewrap is not installed (apt-get install bubblewrap)"
    done = subprocess.run([bwrap, "--ro-bind", "/", "/", "true"], capture_output=True, text=True)
    return None if done.returncode == 0 else f"bubblewrap cannot start here: {done.stderr.strip()}"


def _rendering() -> str | None:
    from reward_agent.envs.rendering import working_backend

    return None if working_backend() else "no off-screen OpenGL works (apt-get install libosmesa6)"


def _rliable() -> str | None:
    from reward_agent.errors import MissingComponentError
    from reward_agent.sweep.components import require_all

    try:
        require_all()
    except MissingComponentError as error:
        return str(error)
    return None


NEEDS = {
    "bubblewrap": _bubblewrap,
    "rendering": _rendering,
    "rliable": _rliable,
    "venv": lambda: None if importlib.util.find_spec("venv") else "python3-venv is missing",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require", default="", help="'all', or names of what must be there, with commas between")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"needs(name): uses one of {', '.join(NEEDS)}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    required = item.config.getoption("--require").split(",")
    for mark in item.iter_markers("needs"):
        (name,) = mark.args
        lacking = NEEDS[name]()
        if lacking is None:
            continue
        if "all" in required or name in required:
            pytest.fail(f"required, but {lacking}", pytrace=False)
        pytest.skip(lacking)


@pytest.fixture
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parent.parent
