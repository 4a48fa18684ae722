"""The `metaworld` world: one of Meta-World's fifty v3 environments, as batches of rows."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from reward_agent.envs.metaworld.names import SCENES
from reward_agent.envs.rows import RowBatch
from reward_agent.errors import unknown_name
from reward_agent.schema import Array, StateSchema
from reward_agent.task import Batch

if TYPE_CHECKING:
    from reward_agent.envs.metaworld.witness import MetaWorldWitness


@dataclass(frozen=True)
class MetaWorld:
    """A Meta-World environment with its goal observed, and layout and goal drawn anew from each episode's seed.

    Raises:
        UsageError: no such environment.
    """

    env: str = "button-press-v3"
    name: str = "metaworld"
    dt: float = 0.0125
    parallel_envs: int = 8

    def __post_init__(self) -> None:
        if self.env not in SCENES:
            raise unknown_name("Meta-World environment", self.env, SCENES)

    def schema(self) -> StateSchema:
        """Every field this environment has."""
        from reward_agent.envs.metaworld.schema import derive

        return derive(self.env).schema

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> Batch:
        """A batch that packs just `fields`, a selection of `schema()`; `threads` are processes.

        Raises:
            UsageError: a field is not of this environment.
        """
        from reward_agent.envs.metaworld.row import MetaWorldRow
        from reward_agent.envs.metaworld.schema import derive

        known = derive(self.env).quantities
        for field in fields.fields:
            if field.path not in known:
                raise unknown_name(f"state field of {self.env}", field.path, known)
        return RowBatch(partial(MetaWorldRow, self.env, fields), num_envs, fields, workers=threads)

    def witness(self) -> MetaWorldWitness:
        """Meta-World's own environment, read directly."""
        from reward_agent.envs.metaworld.witness import MetaWorldWitness

        return MetaWorldWitness(self.env)

    def demonstrator(self) -> Callable[[Array], Array]:
        """Meta-World's scripted policy: actions `(N, 4)` for observations `(N, 39)`."""
        from reward_agent.envs.metaworld.demonstration import demonstrator

        return demonstrator(self.env)

    def missing(self) -> str | None:
        """What this machine lacks to run it and the command that installs it."""
        return missing()


def missing() -> str | None:
    """What this machine lacks for Meta-World and the command that installs it; None when it can run."""
    if importlib.util.find_spec("metaworld") is not None:
        return None
    return "metaworld is not installed: pip install 'reward-agent[metaworld]'"
