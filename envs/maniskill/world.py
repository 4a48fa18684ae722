"""The `maniskill` world: one of ManiSkill3's environments, on a CPU or a GPU."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

from reward_agent.envs.maniskill import readiness
from reward_agent.envs.rows import RowBatch
from reward_agent.errors import UsageError, unknown_name
from reward_agent.schema import StateSchema
from reward_agent.task import Batch

if TYPE_CHECKING:
    from reward_agent.envs.maniskill.witness import ManiSkillWitness

Sim = Literal["physx_cpu", "physx_cuda"]


@dataclass(frozen=True)
class ManiSkill:
    """An environment of ManiSkill3, by the name it is registered under.

    Its own names and options are looked at when its schema is asked for or it is made, for nothing of the simulator is
    imported before; `UsageError` tells of wrong ones then.
    """

    env: str = "PickCube-v1"
    sim: Sim = "physx_cpu"
    """`physx_cpu`: each row has a simulation of its own. `physx_cuda`: all rows are simulated together on a GPU."""
    control_mode: str = "pd_joint_delta_pos"
    """How actions move the robot; see `names.CONTROL_MODES`."""
    robot: str = ""
    """Another robot than the environment's own, as `fetch`."""
    name: str = "maniskill"
    parallel_envs: int = 8

    def __post_init__(self) -> None:
        if self.sim not in ("physx_cpu", "physx_cuda"):
            raise unknown_name("way of simulating ManiSkill", self.sim, ("physx_cpu", "physx_cuda"))

    @property
    def dt(self) -> float:
        """Seconds of simulated time a step."""
        from reward_agent.envs.maniskill.schema import derive

        return derive(self).dt

    @property
    def horizon(self) -> int:
        """Steps after which ManiSkill truncates."""
        from reward_agent.envs.maniskill.simulator import spec

        return int(spec(self.env).max_episode_steps)

    def schema(self) -> StateSchema:
        """Every field this environment has.

        Raises:
            MissingComponentError: it cannot be built here.
            UsageError: no such environment or control mode.
        """
        from reward_agent.envs.maniskill.schema import derive

        return derive(self).schema

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> Batch:
        """A batch that packs just `fields`, a selection of `schema()`; `threads` are processes here, none on a GPU.

        Raises:
            MissingComponentError: it cannot be built here.
            UsageError: a field is not of this environment.
        """
        from reward_agent.envs.maniskill.row import ManiSkillRow
        from reward_agent.envs.maniskill.scenes import SceneBatch
        from reward_agent.envs.maniskill.schema import derive

        known = derive(self).quantities
        for field in fields.fields:
            if field.path not in known:
                raise unknown_name(f"state field of {self.env}", field.path, known)
        if self.sim == "physx_cuda":
            return SceneBatch(self, num_envs, fields)
        return cast(Batch, RowBatch(partial(ManiSkillRow, self, fields), num_envs, fields, workers=threads))

    def missing(self) -> str | None:
        """What this machine lacks to run it and the command that installs it; None when it can run."""
        lacking = readiness.missing() or readiness.missing_assets(self.env)
        if lacking is None and self.sim == "physx_cuda":
            lacking = readiness.missing_gpu()
        return lacking

    def witness(self) -> ManiSkillWitness:
        """ManiSkill's own environment, read through SAPIEN's objects.

        Raises:
            UsageError: on a GPU, where a row is no function of its own seed.
        """
        from reward_agent.envs.maniskill.witness import ManiSkillWitness

        if self.sim == "physx_cuda":
            raise UsageError("A witness goes by the seed of one row; use sim='physx_cpu' for it.")
        return ManiSkillWitness(self)
