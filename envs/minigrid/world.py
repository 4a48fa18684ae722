"""The `minigrid` world: one of MiniGrid's environments, as batches of rows that can be read as text."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from reward_agent.envs.minigrid.names import HORIZONS
from reward_agent.envs.rows import TextRowBatch
from reward_agent.errors import unknown_name
from reward_agent.schema import StateSchema
from reward_agent.task import Batch

if TYPE_CHECKING:
    from reward_agent.envs.minigrid.witness import MiniGridWitness


@dataclass(frozen=True)
class MiniGrid:
    """A MiniGrid environment whose grid is made from each episode's seed; it has no limit of time of its own here.

    Raises:
        UsageError: no such environment.
    """

    env: str = "MiniGrid-DoorKey-8x8-v0"
    name: str = "minigrid"
    dt: float = 1.0
    parallel_envs: int = 16

    def __post_init__(self) -> None:
        if self.env not in HORIZONS:
            raise unknown_name("MiniGrid environment", self.env, HORIZONS)

    def schema(self) -> StateSchema:
        """Every field this environment has."""
        from reward_agent.envs.minigrid.schema import derive

        return derive(self.env).schema

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> Batch:
        """A batch that packs just `fields`, a selection of `schema()`; `threads` are processes.

        Raises:
            UsageError: a field is not of this environment.
        """
        from reward_agent.envs.minigrid.row import MiniGridRow
        from reward_agent.envs.minigrid.schema import derive

        known = derive(self.env).quantities
        for field in fields.fields:
            if field.path not in known:
                raise unknown_name(f"state field of {self.env}", field.path, known)
        return TextRowBatch(partial(MiniGridRow, self.env, fields), num_envs, fields, workers=threads)

    @property
    def cropped(self) -> str:
        """What a cropped screen shows, for who reads it."""
        return (
            "Only what the agent sees is shown: it stands in the middle of the last row and looks up the screen, "
            "whichever way it faces on the grid."
        )

    def legend(self) -> Mapping[str, str]:
        """See `task.TextWorld`."""
        from reward_agent.envs.minigrid.schema import derive
        from reward_agent.envs.minigrid.text import legend

        return legend(derive(self.env).kinds)

    def witness(self) -> MiniGridWitness:
        """MiniGrid's own environment, read directly."""
        from reward_agent.envs.minigrid.witness import MiniGridWitness

        return MiniGridWitness(self.env)

    def missing(self) -> str | None:
        """What this machine lacks to run it and the command that installs it."""
        return missing()


def missing() -> str | None:
    """What this machine lacks for MiniGrid and the command that installs it; None when it can run."""
    if importlib.util.find_spec("minigrid") is not None:
        return None
    return "minigrid is not installed: pip install 'reward-agent[minigrid]'"
