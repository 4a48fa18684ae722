"""One episode under the planner: how it ends is told as scoring tells it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from pointmass import ForkingPointMass, PointMassBatch, forking_task

from reward_agent.planning.performance import Performing
from reward_agent.planning.planner import PlannerSettings
from reward_agent.planning.policy import PlannedPolicy
from reward_agent.program import Rewards
from reward_agent.schema import Array, StateSchema
from reward_agent.scoring import play
from reward_agent.task import Bools, Episode, Step, Task

QUICK = PlannerSettings(samples=8, seconds=0.5, threads=1)
FIELDS = ("point.position",)


class Away:
    """A reward source of our own: how little is left to the end of the line. Never positive, so to leave is a gain."""

    term_names = ("away",)
    fields = FIELDS

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        away = np.abs(next_state[..., 0]) - 4.0
        return Rewards(away, away[..., None])

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Limited(ForkingPointMass):
    """It truncates episodes itself, a metre from the middle."""

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> PointMassBatch:
        return LimitedBatch(num_envs, fields)


class LimitedBatch(PointMassBatch):
    def step(self, actions: Array) -> Step:
        step = super().step(actions)
        return step._replace(truncated=np.abs(self._x[:, 0]) > 1.0)


def both(task: Task) -> tuple[Performing, Episode, Episode]:
    """How the same episode is told by a look, and in scoring."""
    scored: list[Episode] = []
    policy = PlannedPolicy(None, QUICK, 0, source=Away())
    play(task, policy, [5], set(FIELDS), lambda _, episode: scored.append(episode), num_envs=1)
    with Performing(task, Away(), QUICK, 0, fields=FIELDS) as performing:
        performing.begin(5)
        played = performing.go_on(task.horizon)
        return performing, performing.episode(played), scored[0]


def test_a_termination_is_one_in_the_very_last_step_too() -> None:
    performing, looked, scored = both(forking_task())
    steps = len(scored.action)
    assert looked.terminated and scored.terminated and steps < forking_task().horizon and performing.over
    performing, looked, scored = both(replace(forking_task(), horizon=steps))
    assert len(looked.action) == len(scored.action) == steps
    assert looked.terminated and scored.terminated and performing.over


@pytest.mark.parametrize("task", [replace(forking_task(), world=Limited()), replace(forking_task(), horizon=9)])
def test_a_truncation_is_no_termination(task: Task) -> None:
    performing, looked, scored = both(task)
    assert len(looked.action) == len(scored.action) and not looked.terminated and not scored.terminated
    assert performing.ended and performing.over == (len(looked.action) < task.horizon)


def test_another_episode_begins_unended() -> None:
    with Performing(forking_task(), Away(), QUICK, 0) as performing:
        performing.begin(5)
        performing.go_on(60)
        assert performing.ended and performing.over
        performing.begin(6)
        assert len(performing.go_on(3).actions) == 3 and not performing.over
