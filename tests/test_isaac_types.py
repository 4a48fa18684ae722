"""mypy checks the worker's calls against `isaacgym-stubs`, mended so that it can read them."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType

import pytest

CALLS = """
import torch
from isaacgym import gymapi, gymtorch

def right(gym: gymapi.Gym, sim: gymapi.Sim) -> torch.Tensor:
    assert gym.refresh_dof_state_tensor(sim)
    return gymtorch.wrap_tensor(gym.acquire_dof_state_tensor(sim))

def wrong(gym: gymapi.Gym, sim: gymapi.Sim, states: torch.Tensor) -> None:
    gym.acquire_dof_state_tensor(sim, 3)
    gym.refresh_dof_state_tensors(sim)
    gym.set_dof_state_tensor(sim, states)
    gym.get_actor_index(sim, 0, gymapi.DOMAIN_SIM)
    number: str = gym.get_actor_count(gym.get_env(sim, 0))
"""


@pytest.fixture
def plugin(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("mypy_isaacgym", repository / "scripts" / "mypy_isaacgym.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_wrong_calls_of_the_simulator_are_found(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "calls.py").write_text(CALLS)
    config = repository / "pyproject.toml"
    command = [sys.executable, "-m", "mypy", "--config-file", str(config), "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run([*command, str(tmp_path / "calls.py")], capture_output=True, text=True, cwd=repository)
    found = re.findall(r"calls\.py:(\d+): error: .*\[([\w-]+)\]", done.stdout)
    assert found == [
        ("10", "call-arg"),
        ("11", "attr-defined"),
        ("12", "arg-type"),
        ("13", "arg-type"),
        ("14", "assignment"),
    ], done.stdout + done.stderr


def test_only_what_does_not_parse_is_mended(plugin: ModuleType, tmp_path: Path) -> None:
    plugin.lay(tmp_path / "gymapi.pyi")
    theirs = Path(str(distribution("isaacgym-stubs").locate_file("isaacgym-stubs/gymapi.pyi"))).read_text("utf-8")
    mended = (tmp_path / "gymapi.pyi").read_text("utf-8").splitlines()[1:]
    changed = [(old, new) for old, new in zip(theirs.splitlines(), mended, strict=True) if old != new]
    assert changed and all(new == old.replace("def lambda(", "def lambda_(") for old, new in changed)
    with pytest.raises(SyntaxError):
        compile(theirs, "gymapi.pyi", "exec")
    compile("\n".join(mended), "gymapi.pyi", "exec")


def test_the_worker_is_among_what_mypy_checks(repository: Path) -> None:
    """No override of the configuration lets calls of Isaac Gym pass unseen."""
    text = (repository / "pyproject.toml").read_text("utf-8")
    overrides = text.split("[[tool.mypy.overrides]]")[1:]
    assert not any("isaac" in part for part in overrides)
    assert "type: ignore" not in (repository / "envs" / "isaac" / "server.py").read_text("utf-8")
