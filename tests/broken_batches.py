"""Point masses with one defect each in what they save, hand out, end, score or do: see `broken_worlds`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from pointmass import SCHEMA, PointMassBatch

from reward_agent.schema import ActionSpec, Array, StateSchema
from reward_agent.task import Bools, Episode, Ints, Metric, Step


class Forgets(PointMassBatch):
    """Its velocity is not saved."""

    def restore(self, saved: Mapping[str, Any]) -> None:
        self._x[:, [0, 2]] = saved["x"][:, [0, 2]]


class SavesAView(PointMassBatch):
    def save(self) -> dict[str, Any]:
        return {"x": self._x}


class SavesObjects(PointMassBatch):
    def save(self) -> dict[str, Any]:
        return super().save() | {"generator": np.random.default_rng(0)}


class LiveViews(PointMassBatch):
    """Hands out its own array as observations."""

    def step(self, actions: Array) -> Step:
        return super().step(actions)._replace(observations=self._x)


class LiveStates(PointMassBatch):
    """Hands out the same buffer of states again and again."""

    def _pack(self) -> Array:
        fresh = super()._pack()
        buffer: Array = self.__dict__.setdefault("_buffer", np.empty(fresh.shape))
        buffer[:] = fresh
        return buffer


class Writes(PointMassBatch):
    """Uses the caller's array of actions for its own ends."""

    def step(self, actions: Array) -> Step:
        step = super().step(actions)
        actions[:] = self._x[:, :1]
        return step


# episodes


class StartsAnew(PointMassBatch):
    """Ends an episode at 0.2 m and begins the next within the step, as many environments' wrappers do."""

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        self.seeds = np.where(mask, seeds, getattr(self, "seeds", seeds))
        return super().reset(mask, seeds)

    def step(self, actions: Array) -> Step:
        step = super().step(actions)
        over = np.abs(self._x[:, 0]) > 0.2
        if over.any():
            super().reset(over, self.seeds + 1)
        return Step(self._x.copy(), self._pack(), over, step.truncated)

    def save(self) -> dict[str, Any]:
        return super().save() | {"seeds": self.seeds.copy()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        super().restore(saved)
        self.seeds = saved["seeds"].copy()


class OwnLimit(PointMassBatch):
    """Truncates after 45 steps, the task after 60."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.elapsed = np.zeros(num_envs)

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        self.elapsed[mask] = 0
        return super().reset(mask, seeds)

    def step(self, actions: Array) -> Step:
        self.elapsed += 1
        return super().step(actions)._replace(truncated=self.elapsed >= 45)

    def save(self) -> dict[str, Any]:
        return super().save() | {"elapsed": self.elapsed.copy()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        super().restore(saved)
        self.elapsed = saved["elapsed"].copy()


class Fails(PointMassBatch):
    def step(self, actions: Array) -> Step:
        raise ValueError("the simulator is gone")


def metric(
    score: Callable[[Episode], Any], kind: str = "fitness", fields: tuple[str, ...] = ("point.position",)
) -> Any:
    return (Metric("odd", kind, "an odd metric", fields, score),)  # type: ignore[arg-type]


def moody(episode: Episode) -> float:
    """Another score each time."""
    episode.state.point.position[:] += 1.0
    return float(episode.state.point.position.mean())


# actions


class Numb(PointMassBatch):
    """Goes its way whatever is done."""

    def step(self, actions: Array) -> Step:
        return super().step(np.full_like(actions, 0.3))


class HalfNumb(PointMassBatch):
    """Its second column moves nothing."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)


class Unbounded(PointMassBatch):
    """Its action space has no bounds where the schema has some, so that nothing is clipped."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.action_space = gymnasium.spaces.Box(-np.inf, np.inf, (1,), np.float32)


class Wide(PointMassBatch):
    """Its action space has other bounds than the schema's action."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.action_space = gymnasium.spaces.Box(-2.0, 2.0, (1,), np.float32)


class Numbered(PointMassBatch):
    """Pushed left, not at all, or right: actions are numbers `(N, 1)`."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.action_space = gymnasium.spaces.Discrete(3)  # type: ignore[assignment]

    def step(self, actions: Array) -> Step:
        return super().step(actions - 1.0)


NUMBERED = replace(SCHEMA, action=ActionSpec(("left", "wait", "right"), discrete=True))


# words


def fast_enough(state: Any) -> Bools:
    result: Bools = np.abs(state.point.velocity) > 1.0
    return result
