"""What this machine lacks for ManiSkill, told without importing it; only a GPU is asked after through SAPIEN."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

VERSION = "3.0.1"
"""Of the package `mani_skill`, which the extra pins and whose rewards most experts are."""
PACKAGES = f"mani_skill and sapien are not installed: pip install mani_skill=={VERSION} sapien==3.0.3"
VULKAN = (
    "no Vulkan driver, which ManiSkill needs to build any scene: sudo apt-get install libvulkan1 mesa-vulkan-drivers "
    "(Mesa 23 or newer draws in software; on Debian 12 add -t bookworm-backports)"
)
CUDA = "sim='physx_cuda' needs an NVIDIA GPU and a torch built for CUDA; without one, use sim='physx_cpu'"

_RELEASES = "https://github.com/sapien-sim/physx-precompiled/releases/download"
_ARCHIVES = {
    ("Windows", "AMD64"): "windows-dll.zip",
    ("Linux", "aarch64"): "linux-aarch64-so.zip",
}
"""Of other systems than Linux on x86_64."""

ASSETS = {
    "TurnFaucet-v1": ("partnet_mobility_faucet", ("info_faucet_train.json",)),
    "OpenCabinetDrawer-v1": ("partnet_mobility_cabinet", ("info_cabinet_drawer_train.json",)),
    "OpenCabinetDoor-v1": ("partnet_mobility_cabinet", ("info_cabinet_door_train.json",)),
}
"""What must be downloaded for an environment: what `download_asset` calls it, and the package's lists of models."""


def missing() -> str | None:
    """What this machine lacks for any of the world's tasks and the command that installs it; None when they can run."""
    if any(importlib.util.find_spec(name) is None for name in ("mani_skill", "sapien")):
        return PACKAGES
    # beside NVIDIA's driver SAPIEN brings a manifest of its own
    return None if any(_drivers()) or shutil.which("nvidia-smi") else VULKAN


def missing_gpu() -> str | None:
    """What this machine lacks for PhysX on a GPU and how to get it; None when it can run. Imports torch and SAPIEN.

    SAPIEN's wheel holds no GPU library: `sapien.physx.enable_gpu` downloads it where it is not, or fails without words.
    """
    import torch

    if not torch.cuda.is_available():
        return CUDA
    library = physx_library()
    if library.is_file():
        return None
    version, archive = library.parent.name, _ARCHIVES.get((platform.system(), platform.machine()), "linux-so.zip")
    return (
        f"PhysX's library for GPUs is not at {library}: python -c 'from sapien import physx; physx.enable_gpu()' "
        f"downloads it; for a machine without internet, unzip {_RELEASES}/{version}/{archive} in {library.parent}"
    )


def physx_library() -> Path:
    """Where SAPIEN looks for PhysX's GPU library (`sapien/physx/__init__.py`)."""
    from sapien import physx

    name = "PhysXGpu_64.dll" if platform.system() == "Windows" else "libPhysXGpu_64.so"
    return Path.home() / ".sapien" / "physx" / str(physx.version()) / name


def missing_assets(env: str) -> str | None:
    """What must be downloaded before `env` can run and the command for it; None where nothing must."""
    if env not in ASSETS:
        return None
    group, lists = ASSETS[env]
    wanted = {model for name in lists for model in _models(name)}
    folder = asset_folder() / "partnet_mobility" / "dataset"
    lacking = sum(not (folder / model).is_dir() for model in wanted)
    if not lacking:
        return None
    return (
        f"{lacking} of the {len(wanted)} models of {env} (PartNet-Mobility) are not in {folder}: "
        f"python -m mani_skill.utils.download_asset {group} -y"
    )


def asset_folder() -> Path:
    """Where ManiSkill looks for what was downloaded."""
    return Path(os.environ.get("MS_ASSET_DIR") or Path.home() / ".maniskill") / "data"


def _drivers() -> Iterator[Path]:
    """Manifests of Vulkan drivers, where the loader looks."""
    named = os.environ.get("VK_DRIVER_FILES") or os.environ.get("VK_ICD_FILENAMES")
    if named:
        yield from (path for path in map(Path, named.split(os.pathsep)) if path.is_file())
        return
    for folder in ("/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"):
        yield from Path(folder).glob("*.json")


@cache
def _models(name: str) -> tuple[str, ...]:
    """The models of one of the package's lists."""
    spec = importlib.util.find_spec("mani_skill")
    if spec is None or spec.origin is None:
        return ()
    path = Path(spec.origin).parent / "assets" / "partnet_mobility" / "meta" / name
    return tuple(json.loads(path.read_text(encoding="utf-8")))
