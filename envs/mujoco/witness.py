"""Gymnasium's own environment as the witness of a MuJoCo world: its simulation, its reset, its reward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gymnasium

from reward_agent.envs.mujoco.schema import derive
from reward_agent.envs.mujoco.standalone import StateReader, options, reading_table
from reward_agent.schema import Array

if TYPE_CHECKING:
    from reward_agent.envs.mujoco.world import MujocoWorld


class GymnasiumWitness:
    """One environment of Gymnasium's (`task.Witness`), read as exported rewards read it."""

    def __init__(self, world: MujocoWorld) -> None:
        self._env: Any = gymnasium.make(world.env, **options(world)).unwrapped
        quantities = derive(world.machine, world.contact_forces).quantities
        self._reader = StateReader(self._env, reading_table(world.machine, quantities.values()))
        self._secrets: dict[str, float] = {}

    def reset(self, seed: int) -> Mapping[str, Any]:
        self._env.reset(seed=seed)
        self._secrets = {}
        return self._reader.begin()

    def step(self, action: Array) -> Mapping[str, Any]:
        _, reward, *_ = self._env.step(action)
        self._secrets = {"native_reward": float(reward)}
        return self._reader.advance()

    def secrets(self) -> Mapping[str, float]:
        return self._secrets

    def close(self) -> None:
        self._env.close()
