"""The `quadruped` world: a twelve-motor robot of our own, or one of MuJoCo Menagerie's."""

from __future__ import annotations

from dataclasses import dataclass

from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.mujoco.world import MachineWorld
from reward_agent.envs.quadruped import parameters, primitives
from reward_agent.envs.quadruped.robot import quadruped
from reward_agent.parameters import RewardApi

CONTROL = "a quadruped with three servos a leg; an action is a target for each joint, 0 holds the standing pose"
"""What the robot is, for `Task.control`."""


@dataclass(frozen=True)
class QuadrupedWorld(MachineWorld):
    """The robot that ships, on a floor."""

    @property
    def name(self) -> str:
        return "quadruped"

    @property
    def machine(self) -> Machine:
        return quadruped()

    def reward_api(self) -> RewardApi:
        """See `parameters.Parameterised`."""
        return parameters.reward_api()

    def primitives(self) -> RewardApi:
        """See `parameters.Parameterised`."""
        return primitives.primitives()
