"""The state of a MuJoCo world read out of Gymnasium's own environment, as source that needs nothing of this package.

`StateReader` is copied into exported rewards; `source` writes the table that it goes by.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import mujoco
import numpy as np

from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.mujoco.model import base_model
from reward_agent.envs.mujoco.schema import Columns, Quantity, derive

if TYPE_CHECKING:
    from reward_agent.envs.mujoco.world import MujocoWorld

BASE_ENV = '''def base_env(**options):
    """The environment and what reads its state; `options` go to `gymnasium.make`."""
    env = gymnasium.make(ENVIRONMENT, max_episode_steps=HORIZON, **{**OPTIONS, **options})
    return env, StateReader(env, TABLE)'''


class StateReader:
    """Named quantities of a MuJoCo environment, exact at the instant, as the table says how to read each."""

    def __init__(self, env: Any, table: Mapping[str, tuple[Any, ...]]) -> None:
        self.model, self.live = env.unwrapped.model, env.unwrapped.data
        # a copy is brought up to date, so that reading never changes what is simulated
        self.data = mujoco.MjData(self.model)
        self.dt, self.table = env.unwrapped.dt, table
        self.air_time = {path: 0.0 for path, (how, *_) in table.items() if how == "air time"}

    def begin(self) -> dict[str, Any]:
        """Values after a reset."""
        self._update()
        self.air_time = dict.fromkeys(self.air_time, 0.0)
        return self._values()

    def advance(self) -> dict[str, Any]:
        """Values after a step."""
        self._update()
        for path in self.air_time:
            touches = self._touches(*self.table[path][1:])
            self.air_time[path] = 0.0 if touches else self.air_time[path] + self.dt
        return self._values()

    def _update(self) -> None:
        mujoco.mj_copyData(self.data, self.model, self.live)
        mujoco.mj_forward(self.model, self.data)
        mujoco.mj_subtreeVel(self.model, self.data)

    def _values(self) -> dict[str, Any]:
        return {path: self._value(path, *entry) for path, entry in self.table.items()}

    def _value(self, path: str, how: str, *where: Any) -> Any:
        if how == "air time":
            return self.air_time[path]
        if how == "touches":
            return self._touches(*where)
        if how == "array":
            name, indices = where
            # contact forces are the environment's to compute, after its step
            data = self.live if name == "cfrc_ext" else self.data
            return np.asarray(getattr(data, name)).reshape(-1)[indices]
        body, offset = where
        arm = self.data.xmat[body].reshape(3, 3) @ np.asarray(offset)
        if how == "position":
            return self.data.xpos[body] + arm
        motion = np.zeros(6)
        mujoco.mj_objectVelocity(self.model, self.data, mujoco.mjtObj.mjOBJ_XBODY, body, motion, 0)
        return motion[:3] if how == "spin" else motion[3:] + np.cross(motion[:3], arm)

    def _touches(self, floor: int, geoms: Any) -> bool:
        pairs = self.data.contact.geom
        return any((a == floor and b in geoms) or (b == floor and a in geoms) for a, b in pairs)


def source(world: MujocoWorld, paths: Iterable[str]) -> str:
    """See `export.Standalone`."""
    quantities = derive(world.machine, world.contact_forces).quantities
    entries = reading_table(world.machine, (quantities[path] for path in paths))
    table = [f"    {path!r}: {entry!r}," for path, entry in entries.items()]
    reader = inspect.getsource(StateReader).strip()
    return "\n".join(
        [
            "import gymnasium",
            "import mujoco",
            "",
            f"ENVIRONMENT, OPTIONS = {world.env!r}, {options(world)!r}",
            "TABLE = {  # how each quantity is read: see StateReader",
            *table,
            "}",
            "",
            "",
            reader,
            "",
            "",
            BASE_ENV,
        ]
    )


def options(world: MujocoWorld) -> dict[str, Any]:
    """What `gymnasium.make` must be told for the same environment."""
    if world.machine.native.contact_range is None:
        return {}
    return {"include_cfrc_ext_in_observation": world.contact_forces}


def reading_table(machine: Machine, quantities: Iterable[Quantity]) -> dict[str, tuple[Any, ...]]:
    """How `StateReader` is to read each quantity, by path."""
    return {quantity.field.path: _entry(machine, quantity) for quantity in quantities}


def _entry(machine: Machine, quantity: Quantity) -> tuple[Any, ...]:
    model, origin = base_model(machine), quantity.origin
    if isinstance(origin, Columns):
        if origin.source != "site_xpos":
            return "array", origin.source, list(origin.indices)
        # the site may be one of ours, which Gymnasium's own model does not have
        site = origin.indices[0] // 3
        return "position", int(model.site_bodyid[site]), model.site_pos[site].tolist()
    if origin.sensor == "contact":
        if origin.kind == "geom":
            geoms = [int(model.geom(origin.name).id)]
        else:
            geoms = np.flatnonzero(model.geom_bodyid == model.body(origin.name).id).tolist()
        return quantity.use, int(model.geom(machine.robot.floor).id), geoms
    if origin.sensor == "subtreelinvel":
        body = int(model.body(origin.name).id)
        return "array", "subtree_linvel", list(range(3 * body, 3 * body + 3))
    how = "spin" if origin.sensor == "frameangvel" else "velocity"
    if origin.kind == "site":
        site = int(model.site(origin.name).id)
        return how, int(model.site_bodyid[site]), model.site_pos[site].tolist()
    return how, int(model.body(origin.name).id), [0.0, 0.0, 0.0]
