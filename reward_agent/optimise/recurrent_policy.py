"""A policy with a memory as plain arrays: a long short-term memory by NumPy, and a network on what it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from reward_agent.errors import UsageError
from reward_agent.files import write_atomically
from reward_agent.optimise.policy import ARCHITECTURE, RECURRENT, TENSORS, Policy, Weights
from reward_agent.schema import Array
from reward_agent.scoring import Ready
from reward_agent.task import Bools, Task

OWN = ("memory.input", "memory.state", "memory.bias", "memory.mean", "memory.variance")
"""Tensors of the file beside the head's."""


@dataclass(frozen=True)
class Memory:
    """What it holds of N episodes."""

    hidden: Weights
    """`(N, H)`."""
    cell: Weights
    """`(N, H)`."""


@dataclass(frozen=True)
class RecurrentPolicy:
    """Hochreiter and Schmidhuber's (1997) cell on scaled observations, and a policy on its hidden state. Deterministic.

    It needs to know which episodes begin, so it plays whole ones (`scoring.Planning`), or is stepped by `step`.
    """

    input_weight: Weights
    """`(4H, O)`: of the input, forget, cell and output gates, in this order."""
    state_weight: Weights
    """`(4H, H)`."""
    bias: Weights
    """`(4H,)`."""
    mean: Array
    """Of the observations, `(O,)`."""
    variance: Array
    """Of the observations, `(O,)`."""
    clip: float
    """Largest magnitude of a scaled observation."""
    epsilon: float
    """Added to the variance."""
    head: Policy
    """On hidden states, which it takes as they are."""
    observe_time: bool = False
    rows: int = 0
    """See `scoring.Planning`: as many as the world's."""

    def begin(self, rows: int) -> Memory:
        """An empty one."""
        size = self.state_weight.shape[1]
        return Memory(np.zeros((rows, size), np.float32), np.zeros((rows, size), np.float32))

    def step(self, memory: Memory, observations: Array, begins: Bools) -> tuple[Array, Memory]:
        """Actions `(N, A)`, as `Policy.act` gives them, and the memory after it; of episodes that begin it is emptied.

        Args:
            memory: before it.
            observations: `(N, O)`.
            begins: `(N,)`.

        Raises:
            UsageError: observations of another size.
        """
        if observations.shape[1:] != self.mean.shape:
            raise UsageError(
                f"This policy acts on observations (N, {len(self.mean)}), not on {observations.shape}. "
                "It was trained on another task, or with another `observe_time`."
            )
        scaled = (observations - self.mean) / np.sqrt(self.variance + self.epsilon)
        seen: Weights = np.clip(scaled, -self.clip, self.clip).astype(np.float32)
        keep = np.float32(1.0) - begins[:, None].astype(np.float32)
        hidden, cell = memory.hidden * keep, memory.cell * keep
        gates = seen @ self.input_weight.T + hidden @ self.state_weight.T + self.bias
        inlet, forget, candidate, outlet = (gate.astype(np.float32) for gate in np.split(gates, 4, axis=1))
        cell = np.asarray(_sigmoid(forget) * cell + _sigmoid(inlet) * np.tanh(candidate), np.float32)
        hidden = _sigmoid(outlet) * np.tanh(cell)
        return self.head.act(hidden.astype(np.float64)), Memory(hidden, cell)

    def act(self, observations: Array) -> NoReturn:
        """It cannot act on observations alone.

        Raises:
            UsageError: always, with what to call instead.
        """
        raise UsageError(
            "This policy remembers, so it cannot act on one observation alone. Let it play whole episodes "
            "(`reward_agent.scoring.roll_out(task, policy, seeds)`), or step it: `actions, memory = "
            "policy.step(memory, observations, begins)` after `memory = policy.begin(rows)`."
        )

    @contextmanager
    def ready(self, task: Task, rows: int) -> Iterator[Ready]:
        """See `scoring.Planning`."""
        memory = self.begin(rows)

        def choose(episodes: Any, observations: Array) -> Array:
            nonlocal memory
            actions, memory = self.step(memory, observations, episodes.elapsed == 0)
            return actions

        yield Ready((), choose, remembers=True)

    def save(self, folder: Path) -> None:
        """Write `policy.safetensors` and `policy.json` into `folder`, which is made where it is missing."""
        from safetensors.numpy import save

        folder.mkdir(parents=True, exist_ok=True)
        own = (self.input_weight, self.state_weight, self.bias, self.mean, self.variance)
        tensors = {**self.head.tensors(), **dict(zip(OWN, own, strict=True))}
        facts = {"version": RECURRENT, "head": self.head.architecture(), "clip": self.clip, "epsilon": self.epsilon}
        facts |= {"observe_time": self.observe_time}
        write_atomically(folder / TENSORS, save({name: np.asarray(each, order="C") for name, each in tensors.items()}))
        write_atomically(folder / ARCHITECTURE, (json.dumps(facts, indent=2) + "\n").encode())


def recurrent_from(facts: dict[str, Any], tensors: dict[str, NDArray[Any]], head: Policy) -> RecurrentPolicy:
    """What `save` wrote, with the head made of its part.

    Raises:
        KeyError, TypeError, ValueError: it is another thing.
    """
    input_weight, state_weight, bias, mean, variance = (tensors[name] for name in OWN)
    found = RecurrentPolicy(
        input_weight.astype(np.float32),
        state_weight.astype(np.float32),
        bias.astype(np.float32),
        mean.astype(np.float64),
        variance.astype(np.float64),
        clip=float(facts["clip"]),
        epsilon=float(facts["epsilon"]),
        head=head,
        observe_time=bool(facts["observe_time"]),
    )
    size = head.observation_size
    wanted = ((4 * size, len(found.mean)), (4 * size, size), (4 * size,), found.mean.shape)
    if (found.input_weight.shape, found.state_weight.shape, found.bias.shape, found.variance.shape) != wanted:
        raise ValueError("the shapes of its memory")
    if not all(np.isfinite(tensors[name]).all() for name in OWN):
        raise ValueError("numbers that are not finite")
    return found


def _sigmoid(values: Weights) -> Weights:
    # of half the value by tanh: no overflow
    result: Weights = np.float32(0.5) * (np.tanh(np.float32(0.5) * values) + np.float32(1.0))
    return result
