"""A machine stepped by MuJoCo's own bindings as the witness of its world, where no environment of others has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mujoco
import numpy as np

from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.mujoco.model import base_model
from reward_agent.envs.mujoco.schema import derive
from reward_agent.envs.mujoco.standalone import StateReader, reading_table
from reward_agent.schema import Array


class _Simulation:
    """What `StateReader` wants of an environment."""

    def __init__(self, machine: Machine) -> None:
        self.model, self.dt = base_model(machine), machine.native.dt
        self.data = mujoco.MjData(self.model)

    @property
    def unwrapped(self) -> _Simulation:
        return self


class PlainWitness:
    """One simulation (`task.Witness`). It has no native reward and no flags: there are no secrets to tell of."""

    def __init__(self, machine: Machine) -> None:
        self._machine, self._simulation = machine, _Simulation(machine)
        quantities = derive(machine, contact_forces=False).quantities
        self._reader = StateReader(self._simulation, reading_table(machine, quantities.values()))

    def reset(self, seed: int) -> Mapping[str, Any]:
        model, data = self._simulation.model, self._simulation.data
        mujoco.mj_resetData(model, data)
        generator = np.random.Generator(np.random.PCG64(seed))
        draw = self._machine.native.draw(generator, model.qpos0.copy(), np.zeros(model.nv))
        data.qpos[:], data.qvel[:] = draw.qpos, draw.qvel
        mujoco.mj_forward(model, data)
        return self._reader.begin()

    def step(self, action: Array) -> Mapping[str, Any]:
        self._simulation.data.ctrl[:] = action
        mujoco.mj_step(self._simulation.model, self._simulation.data, self._machine.native.frame_skip)
        return self._reader.advance()

    def secrets(self) -> Mapping[str, float]:
        return {}

    def close(self) -> None:
        pass
