"""The `minihack` world: levels of NetHack made by MiniHack, as batches of rows."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from reward_agent.envs.minihack.scenes import SCENES
from reward_agent.envs.rows import TextRowBatch
from reward_agent.errors import unknown_name
from reward_agent.schema import StateSchema

if TYPE_CHECKING:
    from reward_agent.envs.minihack.witness import MiniHackWitness

LEGEND: Mapping[str, str] = {
    "@": "the agent",
    ".": "floor, a doorway or a broken door",
    "#": "a corridor",
    "|": "a wall, or an open door",
    "-": "a wall, or an open door",
    "+": "a closed door",
    ">": "the staircase down",
    "<": "the staircase up",
    "(": "a tool, as a key",
    "`": "a boulder",
    "}": "water or lava",
    " ": "what was not seen yet, or rock",
}


@dataclass(frozen=True)
class MiniHack:
    """One of MiniHack's environments.

    Raises:
        UsageError: no such environment.
    """

    env: str = "KeyRoom-S5"
    """Without `MiniHack-` and the version."""
    level: int | None = None
    """Seed of the level, where all episodes have the same; None draws it anew from each episode's seed."""
    name: str = "minihack"
    dt: float = 1.0
    """A step is a turn of the game."""
    parallel_envs: int = 16

    @property
    def deterministic(self) -> bool:
        """Every episode begins alike."""
        return self.level is not None

    def __post_init__(self) -> None:
        if self.env not in SCENES:
            raise unknown_name("MiniHack environment", self.env, SCENES)

    def schema(self) -> StateSchema:
        """Every field this environment has."""
        from reward_agent.envs.minihack.schema import derive

        return derive(self.env).schema

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> TextRowBatch:
        """A batch that packs just `fields`, a selection of `schema()`; `threads` are processes."""
        from reward_agent.envs.minihack.row import MiniHackRow

        return TextRowBatch(partial(MiniHackRow, self.env, self.level, fields), num_envs, fields, workers=threads)

    def legend(self) -> Mapping[str, str]:
        """What characters of the screen stand for (`task.TextWorld`)."""
        return LEGEND

    def witness(self) -> MiniHackWitness:
        """MiniHack's own environment, read by what it says of the screen in words."""
        from reward_agent.envs.minihack.witness import MiniHackWitness

        return MiniHackWitness(self.env, self.level)

    def missing(self) -> str | None:
        """What this machine lacks to run it and the command that installs it."""
        return missing()


def missing() -> str | None:
    """What this machine lacks for MiniHack and the command that installs it; None when it can run."""
    lacking = [name for name in ("minihack", "nle", "pkg_resources") if importlib.util.find_spec(name) is None]
    return f"{', '.join(lacking)} not installed: pip install 'reward-agent[minihack]'" if lacking else None
