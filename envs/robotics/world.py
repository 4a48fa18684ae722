"""Gymnasium-robotics' environments as worlds: any environment's world, with the parts of their models named."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

import gymnasium

from reward_agent.envs.gymnasium.making import name_of
from reward_agent.envs.gymnasium.state import FromFunction, FromObservation, Source, Together
from reward_agent.envs.gymnasium.world import GymnasiumWorld
from reward_agent.envs.robotics.scenes import SCENES
from reward_agent.errors import unknown_name
from reward_agent.schema import Constant

PACKAGE, VERSION = "gymnasium_robotics", "1.4.2"
DENSE = f"Gymnasium-Robotics {VERSION}"
"""`reward_version` of an expert that equals the dense reward of the environment."""


@dataclass(frozen=True, eq=False)
class RoboticsWorld(GymnasiumWorld):
    """One of gymnasium-robotics' environments; make it with `robotics_world`."""

    def missing(self) -> str | None:
        """What this machine lacks to run it and the command that installs it."""
        return missing()

    def standalone(self, paths: Iterable[str]) -> str:
        """See `export.Standalone`. The file makes the environment by its id, as anybody does."""
        return GymnasiumWorld.standalone(replace(self, factory=name_of(self.factory)), paths)


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
        factory=partial(gymnasium.make, f"{PACKAGE}:{env}", disable_env_checker=True),
        state=Together((*sources, FromFunction(scene.reached))),
        fields=scene.fields,
        actions=scene.actions,
        constants=tuple(Constant(*constant) for constant in scene.constants),
        name="robotics",
    )


def missing() -> str | None:
    """What this machine lacks for these worlds and the command that installs it; None when they can run."""
    if importlib.util.find_spec(PACKAGE) is None:
        return f"gymnasium-robotics not installed: pip install gymnasium-robotics=={VERSION}"
    return None
