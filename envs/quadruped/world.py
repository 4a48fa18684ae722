"""The `quadruped` world: a twelve-motor robot of our own, or one of MuJoCo Menagerie's."""

from __future__ import annotations

from dataclasses import dataclass

from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.mujoco.world import MachineWorld
from reward_agent.envs.quadruped import menagerie, parameters, primitives
from reward_agent.envs.quadruped.robot import quadruped
from reward_agent.envs.quadruped.words import words
from reward_agent.parameters import RewardApi

CONTROL = "a quadruped with three servos a leg; an action is a target for each joint, 0 holds the standing pose"
"""What the robot is, for `Task.control`."""


@dataclass(frozen=True)
class QuadrupedWorld(MachineWorld):
    """A robot on a floor.

    Raises:
        UsageError: no such robot, with the closest valid name.
    """

    robot: str = ""
    """One of Menagerie's (`menagerie.ROBOTS`); empty for the robot that ships."""

    def __post_init__(self) -> None:
        if self.robot:
            menagerie.known(self.robot)

    @property
    def name(self) -> str:
        return "quadruped"

    @property
    def machine(self) -> Machine:
        """What is simulated.

        Raises:
            MissingComponentError: the files of a robot of Menagerie's are not here.
        """
        return menagerie.menagerie_machine(self.robot) if self.robot else quadruped()

    def missing(self) -> str | None:
        """What this machine lacks to run it and the command that installs it."""
        return super().missing() or (menagerie.missing(self.robot) if self.robot else None)

    def reward_api(self) -> RewardApi:
        """See `parameters.Parameterised`."""
        return parameters.reward_api(words(self.machine))

    def primitives(self) -> RewardApi:
        """See `parameters.Parameterised`."""
        return primitives.primitives(words(self.machine))
