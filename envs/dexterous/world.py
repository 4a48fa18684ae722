"""The `dexterous` world: the hand as a machine in each of its scenes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from reward_agent.envs import dexterous
from reward_agent.envs.dexterous import parameters, primitives
from reward_agent.envs.dexterous.names import ROBOTS
from reward_agent.envs.dexterous.native import NATIVE, scene_of
from reward_agent.envs.dexterous.scenes import SPECS, constants
from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.mujoco.world import MachineWorld
from reward_agent.errors import unknown_name
from reward_agent.parameters import RewardApi

CONTROL = (
    "a dexterous hand on an arm that moves and turns it freely, palm down at first; an action is a target for each "
    "joint, -1 and 1 the ends of its range, and zeros hold the hand open over the middle of the table"
)
"""What the robot is, for `Task.control`."""


@dataclass(frozen=True)
class DexterousWorld(MachineWorld):
    """One of `native.NATIVE`.

    Raises:
        UsageError: there is no such environment.
    """

    env: str = "table"

    def __post_init__(self) -> None:
        if self.env not in NATIVE:
            raise unknown_name("environment of the dexterous world", self.env, NATIVE)

    @property
    def name(self) -> str:
        return "dexterous"

    @property
    def machine(self) -> Machine:
        return _machine(self.env)

    def reward_api(self) -> RewardApi:
        """See `parameters.Parameterised`."""
        return parameters.reward_api(scene_of(self.env))

    def primitives(self) -> RewardApi:
        """See `parameters.Parameterised`."""
        return primitives.primitives(scene_of(self.env))

    def missing(self) -> str | None:
        """What this machine lacks to run it and the command that installs it."""
        return dexterous.missing()


@cache
def _machine(env: str) -> Machine:
    scene = scene_of(env)
    return Machine(
        name=env,
        spec=SPECS[scene],
        native=NATIVE[env],
        robot=ROBOTS[scene],
        servos="a servo",
        constants=lambda model: constants(scene),
    )
