"""MiniGrid's own environment as the witness of a world: its reset, step and reward, read by other means than rows.

Where a row keeps the grid as numbers and looks things up among them, this one asks MiniGrid's objects where they are
and what they let pass, and finds ways by going over the whole grid until no length changes any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.minigrid.names import SUCCESS
from reward_agent.envs.minigrid.native import make_native
from reward_agent.envs.minigrid.schema import derive
from reward_agent.schema import Array


class MiniGridWitness:
    """One environment of MiniGrid's (`task.Witness`)."""

    def __init__(self, env: str) -> None:
        self._env = make_native(env)
        self._entities = [entity.name for entity in derive(env).schema.entities]
        self._secrets: dict[str, float] = {}
        self._lock: Any = None

    def reset(self, seed: int) -> Mapping[str, Any]:
        self._env.reset(seed=seed)
        self._secrets = {}
        locked = [thing for _, thing in self._things() if thing.type == "door" and thing.is_locked]
        self._lock = locked[0] if locked else None
        return self._values(False)

    def step(self, action: Array) -> Mapping[str, Any]:
        _, reward, terminated, _, _ = self._env.step(int(action[0]))
        success = bool(terminated and reward > 0)
        self._secrets = {"native_reward": float(reward), "success": float(success)}
        return self._values(success)

    def secrets(self) -> Mapping[str, float]:
        return self._secrets

    def close(self) -> None:
        self._env.close()

    def _things(self) -> list[tuple[tuple[int, int], Any]]:
        """Everything on the grid, row by row."""
        grid = self._env.grid
        places = [(x, y) for y in range(grid.height) for x in range(grid.width)]
        return [(place, grid.get(*place)) for place in places if grid.get(*place) is not None]

    def _values(self, success: bool) -> dict[str, Any]:
        from minigrid.core.constants import OBJECT_TO_IDX

        env = self._env
        position, front = np.array(env.agent_pos), np.array(env.front_pos)
        before = env.grid.get(*front)
        values: dict[str, Any] = {
            "agent.position": position.astype(float),
            "agent.direction": int(env.agent_dir),
            "agent.front_position": front.astype(float),
            "agent.front": OBJECT_TO_IDX[before.type if before else "empty"],
            "agent.carrying": OBJECT_TO_IDX[env.carrying.type if env.carrying else "empty"],
            SUCCESS: success,
        }
        costs = self._costs()
        for name in self._entities:
            if name not in ("agent", "outcome"):
                values |= self._of_thing(name, position, costs)
        return values

    def _of_thing(self, name: str, position: NDArray[Any], costs: Array) -> dict[str, Any]:
        carried = self._env.carrying
        if carried is not None and carried.type == name:
            found = [(tuple(position.tolist()), carried)]
        else:
            found = [(place, thing) for place, thing in self._things() if self._is(name, thing)]
        apart = [int(np.abs(np.subtract(place, position)).sum()) for place, _ in found]
        none = float(costs.size)
        nearest: tuple[tuple[int, ...], Any] = found[int(np.argmin(apart))] if found else ((-1, -1), None)
        place, thing = nearest
        values: dict[str, Any] = {
            f"{name}.exists": bool(found),
            f"{name}.position": np.array(place, float),
            f"{name}.distance": float(min(apart, default=int(none))),
        }
        if name != "lava":
            values[f"{name}.path_length"] = _length(costs, place, position) if found else none
        if name.endswith("door"):
            values |= {f"{name}.open": bool(thing.is_open), f"{name}.locked": bool(thing.is_locked)}
        return values

    def _is(self, name: str, thing: Any) -> bool:
        if name == "door":
            return thing is self._lock
        return thing.type == "door" and thing is not self._lock if name == "other_door" else thing.type == name

    def _costs(self) -> Array:
        """What entering each cell costs, `(width, height)`; infinity where nobody gets in."""
        grid = self._env.grid
        costs = np.ones((grid.width, grid.height))
        for place, thing in self._things():
            if thing.type == "lava" or not (thing.can_overlap() or thing.can_pickup() or thing.type == "door"):
                costs[place] = np.inf
            elif not thing.can_overlap():
                costs[place] = 2.0
        return costs


def _length(costs: Array, place: tuple[int, ...], position: NDArray[Any]) -> float:
    """Of the shortest way onto a place, whatever it is that lies there."""
    lengths = np.full(costs.shape, np.inf)
    lengths[tuple(position)] = 0.0
    for _ in range(costs.size):
        lengths = np.minimum(lengths, _beside(lengths) + costs)
    last = _beside(lengths)[place] + 1.0
    length = 0.0 if place == tuple(position) else last
    return float(length) if np.isfinite(length) else float(costs.size)


def _beside(lengths: Array) -> Array:
    """The least length of the four cells beside each."""
    wide = np.pad(lengths, 1, constant_values=np.inf)
    around: Array = np.minimum.reduce([wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]])
    return around
