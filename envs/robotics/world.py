"""Gymnasium-robotics' environments as worlds: any environment's world, with the parts of their models named."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import gymnasium

from reward_agent.envs.gymnasium.making import Env, name_of
from reward_agent.envs.gymnasium.state import FromFunction, FromObservation, Source, Together
from reward_agent.envs.gymnasium.world import GymnasiumWorld
from reward_agent.envs.robotics.scenes import SCENES
from reward_agent.errors import unknown_name
from reward_agent.schema import Constant

PACKAGE, VERSION = "gymnasium_robotics", "1.4.2"
DENSE = f"Gymnasium-Robotics {VERSION}"
"""`reward_version` of an expert that equals the dense reward of the environment."""
NOTICE = "AdroitHandRelocateDense-v1, AdroitHandHammerDense-v1, AdroitHandDoorDense-v1 environment's reward functions"
"""How what the package says of Adroit whenever it is imported begins."""


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
        factory=partial(make_without_notice, f"{PACKAGE}:{env}"),
        state=Together((*sources, FromFunction(scene.reached))),
        fields=scene.fields,
        actions=scene.actions,
        constants=tuple(Constant(*constant) for constant in scene.constants),
        name="robotics",
    )


def make_without_notice(env: str, **options: Any) -> Env:
    """The environment of an id with its package before it, as `gymnasium_robotics:FetchPush-v4`.

    Every process that imports the package is told on stderr, whatever it makes, that the dense rewards of Adroit's
    `-v1` are not those of other versions of the package, and to take `-v2` of a later one. The version that is pinned
    here has no newer id; its rewards are what the experts equal, and docs/robotics.md says what is odd in them. Any
    other notice is still shown.
    """
    from farama_notifications import notifications

    notices = notifications.get(PACKAGE, {})
    for version in [version for version, notice in notices.items() if notice.startswith(NOTICE)]:
        del notices[version]
    return gymnasium.make(env, disable_env_checker=True, **options)


def missing() -> str | None:
    """What this machine lacks for these worlds and the command that installs it; None when they can run."""
    if importlib.util.find_spec(PACKAGE) is None:
        return f"gymnasium-robotics not installed: pip install gymnasium-robotics=={VERSION}"
    return None
