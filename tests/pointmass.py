"""A tiny real world for tests: a point on a line, pushed to a goal. Learns in seconds, costs microseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray
from tiny import TinyBatch

from reward_agent.schema import ActionSpec, Array, Constant, Entity, Field, StateSchema
from reward_agent.task import Episode, Ints, Metric, Step, Task

EXPERT = '''
import numpy as np

def compute_reward(state, action, next_state):
    """Be near the goal, with little force."""
    # positive everywhere: a penalty would teach the policy to end the episode early, by leaving
    near = np.exp(-2.0 * np.abs(next_state.point.position - next_state.goal.position))
    effort = -0.01 * (action ** 2).sum(-1)
    return near + effort, {"near": near, "effort": effort}
'''

SCHEMA = StateSchema(
    fields=(
        Field("point.position", "where the point is", "m"),
        Field("point.velocity", "how fast it moves", "m/s"),
        Field("point.moving", "faster than 0.1 m/s", kind="bool"),
        Field("goal.position", "where it should be", "m"),
        Field("secret.reached", "the goal was reached", kind="bool", hidden=True),
    ),
    entities=(
        Entity("point", "Point", "the point that is pushed"),
        Entity("goal", "Goal", "the place to reach"),
        Entity("secret", "Secret", "what only the metric sees"),
    ),
    action=ActionSpec(names=("push",), low=(-1.0,), high=(1.0,), unit="N"),
    constants=(Constant("dt", 0.05, "one step", "s"),),
)


@dataclass(frozen=True)
class PointMass:
    name: str = "pointmass"
    parallel_envs: int = 64
    dt: float = 0.05

    def schema(self) -> StateSchema:
        return SCHEMA

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> PointMassBatch:
        return PointMassBatch(num_envs, fields)

    def missing(self) -> str | None:
        return None


class PointMassBatch(TinyBatch):
    """Rows of position, velocity and goal."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields, 3, gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32))

    def step(self, actions: Array) -> Step:
        self._x[:, 1] = 0.9 * self._x[:, 1] + 0.2 * np.clip(actions[:, 0], -1, 1)
        self._x[:, 0] += 0.05 * self._x[:, 1]
        far = np.abs(self._x[:, 0]) > 3.0
        return Step(self._x.copy(), self._pack(), far, np.zeros(self.num_envs, bool))

    def render(self, row: int) -> NDArray[np.uint8]:
        image = np.zeros((32, 128, 3), np.uint8)
        image[:, int(np.clip(64 + 20 * self._x[row, 0], 0, 127))] = 255
        return image

    def _begin(self, generator: np.random.Generator) -> Any:
        return generator.uniform(-0.1, 0.1), 0.0, generator.choice([-1.0, 1.0])

    def _values(self) -> dict[str, Any]:
        position, velocity, goal = self._x.T
        return {
            "point.position": position,
            "point.velocity": velocity,
            "point.moving": np.abs(velocity) > 0.1,
            "goal.position": goal,
            "secret.reached": np.abs(position - goal) < 0.1,
        }


def _reached(episode: Episode) -> float:
    return float(episode.state.secret.reached[-1])


def _closeness(episode: Episode) -> float:
    return float(-np.abs(episode.state.point.position - episode.state.goal.position).mean())


def pointmass_task(expert: Path | None = None) -> Task:
    """Reach the goal; learnt by PPO within some 20,000 steps."""
    return Task(
        id="pointmass/reach",
        instruction="push the point to the goal and stay there",
        world=PointMass(),
        horizon=60,
        metrics=(
            Metric("success", "success", "within 0.1 m of the goal at the end", ("secret.reached",), _reached),
            Metric("closeness", "fitness", "minus the mean distance", ("point.position", "goal.position"), _closeness),
        ),
        budget=20_000,
        expert=expert,
        control="a point on a line, pushed by one force",
    )


NUMBERED = '''
import numpy as np

def compute_reward(state, action, next_state):
    """Be near the goal, and rest rather than push."""
    near = np.exp(-2.0 * np.abs(next_state.point.position - next_state.goal.position))
    effort = -0.01 * (action != 1)
    return near + effort, {"near": near, "effort": effort}
'''


@dataclass(frozen=True)
class NumberedPointMass(PointMass):
    """The same point, pushed left, not at all or right."""

    def schema(self) -> StateSchema:
        return replace(SCHEMA, action=ActionSpec(names=("left", "rest", "right"), discrete=True, idle=1))

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> PointMassBatch:
        return NumberedPointMassBatch(num_envs, fields)


class NumberedPointMassBatch(PointMassBatch):
    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.action_space = gymnasium.spaces.Discrete(3)

    def step(self, actions: Array) -> Step:
        assert actions.shape == (self.num_envs, 1) and np.isin(actions, [0.0, 1.0, 2.0]).all()
        return super().step(actions - 1.0)


def numbered_task(expert: Path | None = None) -> Task:
    """As `pointmass_task`, by numbered actions."""
    return replace(pointmass_task(expert), id="pointmass/reach-numbered", world=NumberedPointMass())


@dataclass(frozen=True)
class ForkingPointMass(PointMass):
    """The point on its line, whose episodes can be copied."""

    def fork(self, saved: Mapping[str, NDArray[Any]], rows: Ints) -> dict[str, NDArray[Any]]:
        return {name: values[rows] for name, values in saved.items()}


def forking_task() -> Task:
    """As `pointmass_task`, where it can be planned."""
    return replace(pointmass_task(), id="pointmass/reach-forking", world=ForkingPointMass())


def unscored_task(expert: Path | None = None) -> Task:
    """A way to move that no number judges."""
    sentence = "push the point about as a bumblebee flies"
    return replace(pointmass_task(expert), id="pointmass/bumblebee", instruction=sentence, metrics=())


task = pointmass_task()
unscored = unscored_task()
numbered = numbered_task()
forking = forking_task()
