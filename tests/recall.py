"""A tiny world for who remembers: a cue is shown in the first step, and wanted back in the last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from tiny import TinyBatch

from reward_agent.schema import ActionSpec, Array, Entity, Field, StateSchema
from reward_agent.task import Episode, Metric, Step, Task

LENGTH = 4

SCHEMA = StateSchema(
    fields=(
        Field("cue.value", "what was shown, 0 or 1", kind="int"),
        Field("cue.asked", "the last step of the episode was done", kind="bool"),
        Field("cue.said", "the number chosen in the step before", kind="int"),
    ),
    entities=(Entity("cue", "Cue", "what is to be remembered"),),
    action=ActionSpec(names=("zero", "one"), discrete=True),
)


@dataclass(frozen=True)
class Recall:
    name: str = "recall"
    parallel_envs: int = 8
    dt: float = 1.0

    def schema(self) -> StateSchema:
        return SCHEMA

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> RecallBatch:
        return RecallBatch(num_envs, fields)

    def missing(self) -> str | None:
        return None


class RecallBatch(TinyBatch):
    """Observed are what is shown now (-1, 1, or 0 after the first step) and the share of the episode that is over."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields, 2, gymnasium.spaces.Discrete(2))
        self._cue, self._said = np.zeros(num_envs), np.zeros(num_envs)

    def step(self, actions: Array) -> Step:
        self._said = actions[:, 0].copy()
        self._x[:, 0] = 0.0
        self._x[:, 1] += 1 / LENGTH
        over = self._x[:, 1] > 1 - 1e-6
        return Step(self._x.copy(), self._pack(), over, np.zeros(self.num_envs, bool))

    def reset(self, mask: Any, seeds: Any) -> tuple[Array, Array]:
        made = super().reset(mask, seeds)
        self._cue[mask] = self._x[mask, 0] > 0
        self._said[mask] = 0
        return made[0], self._pack()

    def save(self) -> dict[str, Any]:
        return {**super().save(), "cue": self._cue.copy(), "said": self._said.copy()}

    def restore(self, saved: Any) -> None:
        super().restore(saved)
        self._cue, self._said = saved["cue"].copy(), saved["said"].copy()

    def _begin(self, generator: np.random.Generator) -> Any:
        return generator.choice([-1.0, 1.0]), 0.0

    def _values(self) -> dict[str, Any]:
        return {"cue.value": self._cue, "cue.asked": self._x[:, 1] > 1 - 1e-6, "cue.said": self._said}


def _right(episode: Episode) -> bool:
    return bool(episode.state.cue.said[-1] == episode.state.cue.value[-1])


task = Task(
    id="recall/cue",
    instruction="say in the last step what was shown in the first",
    world=Recall(),
    horizon=LENGTH + 1,
    metrics=(Metric("success", "success", "the last answer is the cue", ("cue.said", "cue.value"), _right),),
    budget=20_000,
)
PROGRAM = """
def compute_reward(state, action, next_state):
    right = next_state.cue.asked & (next_state.cue.said == next_state.cue.value)
    return right * 1.0, {"right": right * 1.0}
"""
