"""Metrics of the native goals: Gymnasium's own return, and plain physical quantities beside it.

The native reward of an environment is written once, as the expert program of its task; `native_return` runs
that shipped file as trusted code. Behaviours without a native reward have their metrics in `metrics_flips.py`
and `metrics_legs.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any

import numpy as np

from reward_agent.schema import Array
from reward_agent.task import Episode, Metric

Reward = Callable[..., tuple[Array, dict[str, Array]]]
"""A reward program's entry point: `(state, action, next_state)` to the total `(N,)` and its terms."""


def native_return(expert: Path, fields: tuple[str, ...]) -> Metric:
    """Fitness: the sum over the episode of the reward that Gymnasium's v5 environment gives.

    Of the kinematics at the very end of a step, where Gymnasium reads positions of bodies one sub-step older.

    Args:
        expert: a shipped reward program that equals the native reward; trusted, run in process.
        fields: the paths it reads.
    """

    def score(episode: Episode) -> float:
        reward = load_trusted(expert, episode.constants)
        before, after = _steps(episode.state, slice(None, -1)), _steps(episode.state, slice(1, None))
        total, _ = reward(before, episode.action, after)
        return float(np.sum(total))

    doc = "sum over the episode of Gymnasium's native reward, without contact-force costs"
    return Metric("native_return", "fitness", doc, fields, score)


def distance_travelled(entity: str = "torso") -> Metric:
    """Fitness: metres the named body moved along +x between reset and the last state."""

    def score(episode: Episode) -> float:
        x = getattr(episode.state, entity).position[:, 0]
        return float(x[-1] - x[0])

    doc = f"metres the {entity} moved along +x from reset to the last state"
    return Metric("distance", "fitness", doc, (f"{entity}.position",), score)


def time_alive() -> Metric:
    """Fitness: seconds before the environment's own rule ended the episode, all of it where none did."""

    def score(episode: Episode) -> float:
        steps = len(episode.action) - int(episode.terminated)
        return float(steps * episode.dt)

    return Metric("time_alive", "fitness", "seconds until the episode was terminated or reached its horizon", (), score)


def final_height(entity: str, seconds: float = 1.0) -> Metric:
    """Fitness: mean height of the named body's origin, metres, over the last `seconds` of the episode."""

    def score(episode: Episode) -> float:
        return float(_last(getattr(episode.state, entity).position[:, 2], seconds, episode.dt).mean())

    doc = f"mean height of the {entity}, m, over the last {seconds:g} s"
    return Metric("final_height", "fitness", doc, (f"{entity}.position",), score)


def final_distance(entity: str, goal: str, seconds: float, axes: int = 3) -> Metric:
    """Fitness: minus the mean distance, metres, of two bodies over the last `seconds` of the episode.

    Args:
        axes: 2 measures in the horizontal plane alone, 3 in space.
    """

    def score(episode: Episode) -> float:
        apart = getattr(episode.state, entity).position - getattr(episode.state, goal).position
        lengths = np.linalg.norm(apart[:, :axes], axis=-1)
        return -float(_last(lengths, seconds, episode.dt).mean())

    plane = " in the horizontal plane" if axes == 2 else ""
    doc = f"minus the mean distance, m, from {entity} to {goal}{plane} over the last {seconds:g} s"
    return Metric("final_distance", "fitness", doc, (f"{entity}.position", f"{goal}.position"), score)


def runs(mask: Array | Any) -> list[tuple[int, int]]:
    """First and last index of every maximal run of True in `mask` `(T,)`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], np.asarray(mask, bool), [False]]).astype(np.int8)))
    return [(int(first), int(end) - 1) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def level(orientation: Array) -> Array:
    """Vertical part `(T,)` of a body's own z axis, from quaternions `(T, 4)` wxyz: 1 upright, -1 upside down."""
    return np.asarray(1.0 - 2.0 * (orientation[:, 1] ** 2 + orientation[:, 2] ** 2))


def steps_in(seconds: float, dt: float) -> int:
    """Fewest steps that last at least `seconds`."""
    return int(np.ceil(seconds / dt - 1e-9))


def _last(values: Array, seconds: float, dt: float) -> Array:
    """The states of the last `seconds`, at least one."""
    return values[-max(1, steps_in(seconds, dt)) :]


@cache
def _compiled(path: Path) -> CodeType:
    return compile(path.read_text(encoding="utf-8"), str(path), "exec")


def load_trusted(path: Path, constants: SimpleNamespace) -> Reward:
    """The `compute_reward` of a shipped program, in this process: never for a program that a model wrote."""
    scope: dict[str, Any] = {"constants": constants}
    exec(_compiled(path), scope)
    reward: Reward = scope["compute_reward"]
    return reward


def _steps(node: Any, rows: slice) -> Any:
    """The same namespace tree with every array cut to `rows` of its first axis."""
    if isinstance(node, SimpleNamespace):
        return SimpleNamespace(**{name: _steps(value, rows) for name, value in vars(node).items()})
    return node[rows]
