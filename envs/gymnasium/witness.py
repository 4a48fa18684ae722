"""An environment of one's own as the witness of its world: one instance, stepped and read directly (`task.Witness`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from reward_agent.envs.gymnasium.making import Env, close, make
from reward_agent.envs.gymnasium.mujoco_state import FromModel
from reward_agent.envs.gymnasium.spaces import applied_as
from reward_agent.envs.gymnasium.state import Read, Source, Together
from reward_agent.envs.gymnasium.survey import fold
from reward_agent.envs.mujoco_model import motion_by_jacobian
from reward_agent.schema import Array

if TYPE_CHECKING:
    from reward_agent.envs.gymnasium.world import GymnasiumWorld

REWARD = "native_reward"


class EnvWitness:
    """The user's own function or the observation, asked without packing; a MuJoCo model by other means than a batch.

    That is `mj_forward` on a whole copy of the data, and Jacobians for velocities.
    """

    def __init__(self, world: GymnasiumWorld) -> None:
        self._found = world.surveyed
        self._env: Env = make(world.factory)
        self._apply = applied_as(self._env.action_space, self._found.action)
        self._reads = [_read(source, self._env) for source in _parts(self._found.source)]
        self._secrets: dict[str, float] = {}

    def reset(self, seed: int) -> Mapping[str, Any]:
        """See `Witness.reset`."""
        observation, _ = self._env.reset(seed=fold(seed) if self._found.small_seeds else seed)
        self._secrets = {}
        return self._values(observation)

    def step(self, action: Array) -> Mapping[str, Any]:
        """See `Witness.step`."""
        observation, reward, _, _, info = self._env.step(self._apply(action))
        told = {name: value for name, value in info.items() if _is_secret(name, value)}
        self._secrets = {REWARD: float(reward)} | {f"info {name}": float(value) for name, value in told.items()}
        return self._values(observation)

    def secrets(self) -> Mapping[str, float]:
        """The native reward, and what of `info` is a truth value or calls itself a success, reward or score."""
        return self._secrets

    def close(self) -> None:
        close(self._env)

    def _values(self, observation: Any) -> dict[str, Any]:
        return {path: value for read in self._reads for path, value in read(observation).items()}


def _is_secret(name: str, value: Any) -> bool:
    """Other numbers of `info` may well be plain quantities that a state shows too, as a speed."""
    if isinstance(value, bool | np.bool_):
        return True
    named = any(word in name.lower() for word in ("success", "reward", "score", "solved"))
    return named and np.ndim(value) == 0 and bool(np.isreal(value))


def _parts(source: Source) -> list[Source]:
    if isinstance(source, Together):
        return [inner for each in source.sources for inner in _parts(each)]
    return [source]


def _read(source: Source, env: Env) -> Read:
    if not isinstance(source, FromModel):
        return source.bind(env, None)
    table = source.table(env.unwrapped, None)
    return lambda observation: _model_values(env.unwrapped, table)


def _model_values(inner: Any, table: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    import mujoco

    model, data = inner.model, mujoco.MjData(inner.model)
    mujoco.mj_copyData(data, model, inner.data)
    mujoco.mj_forward(model, data)
    values: dict[str, Any] = {}
    for path, (how, where) in table.items():
        if how in ("velocity", "spin"):
            kind, number = where
            if kind == "mjOBJ_SITE":
                body, place = int(model.site_bodyid[number]), data.site_xpos[number]
            else:
                body, place = number, data.xpos[number]
            velocity, spin = motion_by_jacobian(model, data, body, place)
            values[path] = velocity if how == "velocity" else spin
        elif how == "contact":
            body = model.geom_bodyid[where[0]]
            values[path] = any(body in model.geom_bodyid[pair] for pair in data.contact.geom)
        else:
            values[path] = np.array(getattr(data, how)[where])
    return values
