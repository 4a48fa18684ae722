"""Checkpoints of a training at a rollout boundary: one safetensors file, no pickle, written whole or not at all."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from reward_agent.errors import UsageError
from reward_agent.files import atomic

Arrays = dict[str, NDArray[Any]]

FILE = "training.safetensors"


class Checkpoint(NamedTuple):
    arrays: Arrays
    facts: dict[str, Any]
    """Plain data: counters, and what training this is."""


def write(folder: Path, checkpoint: Checkpoint) -> None:
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.asarray(array, order="C") for name, array in checkpoint.arrays.items()}
    with atomic(folder / FILE) as temporary:
        save_file(arrays, temporary, metadata={"facts": json.dumps(checkpoint.facts)})


def read(folder: Path, identity: Mapping[str, Any]) -> Checkpoint | None:
    """The checkpoint in `folder`, if there is one.

    Raises:
        UsageError: it is of another training than `identity` says, or no checkpoint at all.
    """
    from safetensors import SafetensorError, safe_open

    path = folder / FILE
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            facts = json.loads(file.metadata()["facts"])
            arrays = {name: file.get_tensor(name) for name in sorted(file.keys())}
    except (SafetensorError, KeyError, ValueError) as error:
        raise UsageError(f"{path} is no checkpoint of this package ({error}). Delete it to train anew.") from error
    differing = [key for key in identity if facts.get("identity", {}).get(key) != identity[key]]
    if differing:
        raise UsageError(
            f"{path} is the checkpoint of another training: it differs in {', '.join(differing)}. "
            f"Delete {folder} to train anew, or give another folder."
        )
    return Checkpoint(arrays, facts)


def module_arrays(name: str, module: torch.nn.Module) -> Arrays:
    return {f"{name}.{key}": value.detach().cpu().numpy() for key, value in module.state_dict().items()}


def restore_module(name: str, module: torch.nn.Module, arrays: Arrays) -> None:
    module.load_state_dict({key: torch.from_numpy(arrays[f"{name}.{key}"].copy()) for key in module.state_dict()})


def optimiser_arrays(name: str, optimiser: torch.optim.Optimizer) -> Arrays:
    """The moments and step counts; rates and the like come from the settings."""
    return {
        f"{name}.{index}.{key}": value.detach().cpu().numpy()
        for index, state in optimiser.state_dict()["state"].items()
        for key, value in state.items()
    }


def restore_optimiser(name: str, optimiser: torch.optim.Optimizer, arrays: Arrays) -> None:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in arrays.items():
        if key.startswith(name + "."):
            index, _, moment = key.removeprefix(name + ".").partition(".")
            state.setdefault(int(index), {})[moment] = torch.from_numpy(value.copy())
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def generator_arrays() -> Arrays:
    """The states of torch's and numpy's generators, which stable-baselines3 draws from."""
    _, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    return {
        "torch": torch.get_rng_state().numpy(),
        "numpy.keys": np.asarray(keys),
        "numpy.position": np.array([position, has_gauss]),
        "numpy.gauss": np.array([gauss]),
    }


def restore_generators(arrays: Arrays) -> None:
    torch.set_rng_state(torch.from_numpy(arrays["torch"].copy()))
    position, has_gauss = (int(value) for value in arrays["numpy.position"])
    np.random.set_state(("MT19937", arrays["numpy.keys"].copy(), position, has_gauss, float(arrays["numpy.gauss"][0])))


@contextmanager
def own_torch_state() -> Iterator[None]:
    """One torch thread, and the caller's generators and thread count as they were afterwards.

    Two threads of torch on shared cores are many times slower than one; and one gives the same sums each time.
    """
    threads, generators, python = torch.get_num_threads(), generator_arrays(), random.getstate()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        restore_generators({name: value.copy() for name, value in generators.items()})
        random.setstate(python)


def prefixed(prefix: str, arrays: Arrays) -> Arrays:
    return {f"{prefix}/{name}": value for name, value in arrays.items()}


def unprefixed(prefix: str, arrays: Arrays) -> Arrays:
    start = prefix + "/"
    return {name.removeprefix(start): value for name, value in arrays.items() if name.startswith(start)}
