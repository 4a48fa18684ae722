"""Random-network distillation (Burda et al., 2019): a state is new as far as a network that is trained on what was
reached cannot yet tell what another, never trained, gives for it.

As published: inputs by their running mean and deviation, within 5; errors over their running deviation. Changed: small
layers on the packed state, for what a reward reads is no image; the bonus is one more term of the reward.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reward_agent.schema import Array

if TYPE_CHECKING:
    import torch

HIDDEN, FEATURES = 64, 32
LARGEST_INPUT = 5.0
LEARNING_RATE = 1e-3
BATCH = 256
_LEAST = 1e-8
_PREDICTOR, _ADAM = "predictor.", "adam."


class RandomNetwork:
    """How far the predictor is from the target (`novelty.Measure`); it learns from what it is asked, after answering.

    Args:
        width: numbers of a state, D.
        seed: of both networks.
    """

    def __init__(self, width: int, seed: int = 0) -> None:
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self._target, self._predictor = _network(width, layers=1), _network(width, layers=2)
        self._target.requires_grad_(False)
        self._adam = torch.optim.Adam(self._predictor.parameters(), lr=LEARNING_RATE)
        self._seen = _Moments(width)
        self._errors = _Moments(1)

    def __call__(self, states: Array) -> Array:
        """See `novelty.Measure`."""
        import torch

        self._seen.add(states)
        scaled = np.clip((states - self._seen.mean) / self._seen.deviation, -LARGEST_INPUT, LARGEST_INPUT)
        inputs = torch.from_numpy(scaled.astype(np.float32))
        with torch.no_grad():
            wanted = self._target(inputs)
            found = ((self._predictor(inputs) - wanted) ** 2).mean(1).numpy().astype(np.float64)
        self._errors.add(found[:, None])
        self._learn(inputs, wanted)
        return np.asarray(found / self._errors.deviation, np.float64)

    def memory(self) -> dict[str, NDArray[Any]]:
        """The predictor, its optimiser's moments and the running ones; the target comes from the seed."""
        weights = {f"{_PREDICTOR}{name}": value for name, value in self._predictor.state_dict().items()}
        moments = {
            f"{_ADAM}{index}.{name}": value
            for index, state in self._adam.state_dict()["state"].items()
            for name, value in state.items()
        }
        arrays = {name: value.detach().numpy().copy() for name, value in (weights | moments).items()}
        return arrays | self._seen.memory("seen.") | self._errors.memory("errors.")

    def remember(self, memory: Mapping[str, NDArray[Any]]) -> None:
        """Go on from there."""
        import torch

        self._predictor.load_state_dict(
            {name: torch.from_numpy(memory[f"{_PREDICTOR}{name}"].copy()) for name in self._predictor.state_dict()}
        )
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in memory.items():
            if key.startswith(_ADAM):
                index, _, name = key.removeprefix(_ADAM).partition(".")
                state.setdefault(int(index), {})[name] = torch.from_numpy(value.copy())
        self._adam.load_state_dict({**self._adam.state_dict(), "state": state})
        self._seen.remember("seen.", memory)
        self._errors.remember("errors.", memory)

    def _learn(self, inputs: torch.Tensor, wanted: torch.Tensor) -> None:
        """Once through them. Every k-th goes into a batch, so that each holds all times of a rollout."""
        import torch

        batches = -(-len(inputs) // BATCH)
        for at in range(batches):
            loss = ((self._predictor(inputs[at::batches]) - wanted[at::batches]) ** 2).mean()
            self._adam.zero_grad()
            torch.autograd.backward(loss)
            self._adam.step()


class _Moments:
    """Running mean and deviation of columns (Chan et al., 1979)."""

    def __init__(self, width: int) -> None:
        self.mean: Array = np.zeros(width)
        self._squares: Array = np.zeros(width)
        """Of distances from the mean, summed."""
        self._count = 0

    @property
    def deviation(self) -> Array:
        return np.asarray(np.sqrt(self._squares / max(self._count, 1)) + _LEAST, np.float64)

    def add(self, values: Array) -> None:
        """Rows `(M, D)`."""
        count, mean = len(values), values.mean(0)
        total, apart = self._count + count, mean - self.mean
        self._squares = self._squares + ((values - mean) ** 2).sum(0) + apart**2 * (self._count * count / total)
        self.mean = self.mean + apart * (count / total)
        self._count = total

    def memory(self, prefix: str) -> dict[str, NDArray[Any]]:
        own = {"mean": self.mean.copy(), "squares": self._squares.copy(), "count": np.array(self._count)}
        return {prefix + name: value for name, value in own.items()}

    def remember(self, prefix: str, memory: Mapping[str, NDArray[Any]]) -> None:
        self.mean, self._squares = memory[f"{prefix}mean"].copy(), memory[f"{prefix}squares"].copy()
        self._count = int(memory[f"{prefix}count"])


def _network(width: int, layers: int) -> torch.nn.Sequential:
    """So many hidden layers; the predictor has one more than the target, as published."""
    from torch import nn

    sizes = [width, *[HIDDEN] * layers]
    hidden = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(HIDDEN, FEATURES))
