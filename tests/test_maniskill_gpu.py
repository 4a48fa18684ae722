"""PhysX on a GPU: what must be there and in which order, as SAPIEN's own switch has it. No GPU is needed for that."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sapien")

CPU_FIRST = """
from reward_agent.envs.maniskill.simulator import enable_gpu
from reward_agent.envs.maniskill.world import ManiSkill
from reward_agent.errors import UsageError
ManiSkill("PushCube-v1").schema()
try:
    enable_gpu()
except UsageError as error:
    print("refused:", error)
"""
GPU_FIRST = """
import torch
torch.cuda.is_available = lambda: True  # the one thing that this machine cannot tell of itself
from sapien import physx
from reward_agent.envs.maniskill.world import ManiSkill
world = ManiSkill("PushCube-v1", sim="physx_cuda")
assert world.missing() is None, world.missing()
schema = world.schema()
assert physx.is_gpu_enabled()
assert schema == ManiSkill("PushCube-v1").schema()
print("derived")
"""
LIBRARY = "from reward_agent.envs.maniskill.readiness import physx_library; print(physx_library())"
LACKING = """
import torch
torch.cuda.is_available = lambda: True
from reward_agent.envs.maniskill.world import ManiSkill
print(ManiSkill(sim="physx_cuda").missing())
"""
SAPIENS_OWN = "from sapien import physx; physx.enable_gpu()"


def run(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    """With nothing to be reached on the net, and libraries looked for in `home` first."""
    nowhere = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), "http://127.0.0.1:9")
    env = os.environ | nowhere | {"HOME": str(home), "LD_LIBRARY_PATH": str(home)}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300)


def with_libraries(home: Path) -> Path:
    """Files that can be loaded stand where SAPIEN loads the driver's and PhysX's libraries from."""
    spec = importlib.util.find_spec("_ctypes")
    assert spec is not None and spec.origin is not None
    library = Path(run(LIBRARY, home).stdout.strip())
    library.parent.mkdir(parents=True, exist_ok=True)
    for path in (library, home / "libcuda.so"):
        shutil.copy(spec.origin, path)
    return library


def test_a_missing_library_is_told_with_the_place_and_address_that_sapien_has(tmp_path: Path) -> None:
    told, own = run(LACKING, tmp_path).stdout, run(SAPIENS_OWN, tmp_path).stdout
    library = Path(run(LIBRARY, tmp_path).stdout.strip())
    assert f"not at {library}" in told and f"python -c '{SAPIENS_OWN}'" in told
    address = told.partition("unzip ")[2].split()[0]
    assert address.endswith(".zip") and address in own
    assert f"library to {library.parent} from" in own


@pytest.mark.needs("vulkan")
def test_the_gpu_is_enabled_before_a_schema_is_derived(tmp_path: Path) -> None:
    with_libraries(tmp_path)
    done = run(GPU_FIRST, tmp_path)
    assert done.stdout == "derived\n", done.stderr


@pytest.mark.needs("vulkan")
def test_a_gpu_after_scenes_on_the_cpu_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with_libraries(tmp_path)
    done = run(CPU_FIRST, tmp_path)
    assert done.stdout.startswith("refused: ") and "fresh process" in done.stdout, done.stderr
