"""A tiny world for tests in which everything turns: a thing in space that goes where actions along x, y and z say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from tiny import TinyBatch

from reward_agent.schema import ActionSpec, Array, Constant, Entity, Field, StateSchema
from reward_agent.task import Episode, Metric, Step, Task, Termination

SCHEMA = StateSchema(
    fields=(
        Field("drone.position", "where it is; z is its height", "m", (3,)),
        Field("drone.orientation", "quaternion wxyz", "", (4,)),
        Field("drone.rotor_speeds", "of its three rotors", "rad/s", (3,)),
        Field("drone.wrench", "force and torque", "", (6,), frame="world"),
        Field("drone.shoved", "by somebody", "m", (3,), frame="none"),
        Field("judge.inside", "it is inside", kind="bool", hidden=True),
    ),
    entities=(Entity("drone", "QuickDrone", "flies along +x"), Entity("judge", "Judge", "sees what only metrics see")),
    action=ActionSpec(
        ("move in x", "move in y", "move in z", "grip of the drone"), (-1, -2, -3, -4), (1, 2, 3, 4), unit="m"
    ),
    constants=(
        Constant("drone_size", (0.1, 0.2, 0.3), "half of it along x, y and z", "m"),
        Constant("limits", (1.0, 2.0, 3.0), "of its joints", "rad"),
        Constant("floor", 0.0, "z of the floor", "m"),
    ),
)


@dataclass(frozen=True)
class Space:
    """A drone with fields, constants and actions of every kind that turns, and some that do not."""

    name: str = "space"
    parallel_envs: int = 4
    dt: float = 0.1

    def schema(self) -> StateSchema:
        return SCHEMA

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> SpaceBatch:
        return SpaceBatch(num_envs, fields)

    def missing(self) -> None:
        return None


class SpaceBatch(TinyBatch):
    """Rows of x, y, z and grip."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        low, high = (np.array(bound, np.float32) for bound in (SCHEMA.action.low, SCHEMA.action.high))
        super().__init__(num_envs, fields, 4, gymnasium.spaces.Box(low, high))

    def step(self, actions: Array) -> Step:
        self._x += 0.1 * actions
        no = np.zeros(self.num_envs, bool)
        return Step(self._x.copy(), self._pack(), no, no)

    def _begin(self, generator: np.random.Generator) -> Any:
        return generator.normal(size=4)

    def _values(self) -> dict[str, Any]:
        place, grip = self._x[:, :3], self._x[:, 3:]
        turn = np.concatenate([np.ones_like(grip), 0.1 * place], axis=1)
        return {
            "drone.position": place,
            "drone.orientation": turn / np.linalg.norm(turn, axis=1, keepdims=True),
            "drone.rotor_speeds": 2.0 * place,
            "drone.wrench": np.concatenate([3.0 * place, 4.0 * place], axis=1),
            "drone.shoved": 5.0 * place,
            "judge.inside": grip > 0,
        }


def _reached(episode: Episode) -> float:
    """Reads everything that turns, and some that does not."""
    state, constants = episode.state, episode.constants
    assert state.drone.position.shape == (len(episode.action) + 1, 3)
    lengths = (state.drone.position / constants.drone_size) @ np.array([1.0, 10.0, 100.0])
    wrench = state.drone.wrench @ np.arange(6.0)
    begun = state.start.drone.position @ np.array([3.0, 2.0, 1.0])
    actions = episode.action @ np.array([1.0, 2.0, 3.0, 4.0])
    before = state.episode.previous_action @ np.array([4.0, 3.0, 2.0, 1.0])
    others = (state.drone.shoved + state.drone.rotor_speeds) @ constants.limits
    assert state.judge.inside.dtype == bool
    return float((lengths + wrench + begun + others).sum() + actions.sum() + before.sum() + state.judge.inside.sum())


READ = ("drone.position", "drone.wrench", "start.drone.position", "episode.previous_action", "drone.shoved")
task = Task(
    id="space/fly",
    instruction="fly the drone along +x, above z = 1",
    world=Space(),
    horizon=20,
    metrics=(Metric("reached", "fitness", "all", (*READ, "drone.rotor_speeds", "judge.inside"), _reached),),
    terminates=Termination("the drone is below z = -3", ("drone.position",), lambda s: s.drone.position[:, 2] < -3),
    control="a drone",
    benchmark="Drones fly-v1",
)
