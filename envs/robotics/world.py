"""Gymnasium-robotics' environments as worlds: any environment's world, with the parts of their models named."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from reward_agent.envs.gymnasium.state import FromFunction, FromObservation, Source, Together
from reward_agent.envs.gymnasium.world import GymnasiumWorld
from reward_agent.envs.robotics.scenes import SCENES
from reward_agent.errors import unknown_name
from reward_agent.schema import Constant

PACKAGE = "gymnasium_robotics"


@dataclass(frozen=True, eq=False)
class RoboticsWorld(GymnasiumWorld):
    """One of gymnasium-robotics' environments; make it with `robotics_world`."""

    def missing(self) -> str | None:
        """What this machine lacks to run it and the command that installs it."""
        return missing()


def robotics_world(env: str) -> RoboticsWorld:
    """The environment of that id, as `FetchPush-v4`.

    Raises:
        UsageError: there is none with named parts; `Task.from_gymnasium` takes any other.
    """
    if env not in SCENES:
        raise unknown_name("robotics environment", env, SCENES)
    scene = SCENES[env]
    sources: list[Source] = [scene.model]
    if scene.goals:
        sources.append(FromObservation(parts=scene.goals))
    return RoboticsWorld(
        factory=f"{PACKAGE}:{env}",
        state=Together((*sources, FromFunction(scene.reached))),
        fields=scene.fields,
        actions=scene.actions,
        constants=tuple(Constant(*constant) for constant in scene.constants),
        name="robotics",
    )


def missing() -> str | None:
    """What this machine lacks for these worlds and the command that installs it; None when they can run."""
    if importlib.util.find_spec(PACKAGE) is None:
        return "gymnasium-robotics not installed: pip install gymnasium-robotics==1.4.2"
    return None
