"""Gymnasium's own cart-pole as a world of numbered actions, one environment at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.rows import RowBatch, RowStep
from reward_agent.schema import ActionSpec, Array, Entity, Field, StateSchema
from reward_agent.task import Episode, Metric, Task

REWARD = '''
import numpy as np

def compute_reward(state, action, next_state):
    """Stay up, near the middle."""
    alive = np.ones(len(action))
    middle = -0.1 * np.abs(next_state.cart.position)
    return alive + middle, {"alive": alive, "middle": middle}
'''

SCHEMA = StateSchema(
    fields=(
        Field("cart.position", "where the cart is on its rail", "m"),
        Field("cart.velocity", "how fast it rolls", "m/s"),
        Field("pole.angle", "from upright", "rad"),
        Field("pole.angular_velocity", "how fast it falls", "rad/s"),
    ),
    entities=(Entity("cart", "Cart", "a cart on a rail"), Entity("pole", "Pole", "a pole on a hinge on the cart")),
    action=ActionSpec(names=("left", "right"), discrete=True),
)


class CartPoleRow:
    def __init__(self, fields: StateSchema) -> None:
        self._env: gymnasium.Env[Any, Any] = gymnasium.make("CartPole-v1", max_episode_steps=10**9)
        self._wanted = [SCHEMA.columns[field.path].start for field in fields.fields]
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (4,))
        self.action_space = gymnasium.spaces.Discrete(2)
        self._state: Array = np.zeros(4)

    def reset(self, seed: int) -> Array:
        self._state = np.asarray(self._env.reset(seed=seed)[0], np.float64)
        return self._state

    def step(self, action: Array) -> RowStep:
        observation, _, terminated, truncated, _ = self._env.step(int(action[0]))
        self._state = np.asarray(observation, np.float64)
        return RowStep(self._state, terminated, truncated)

    def state(self) -> Array:
        return self._state[self._wanted]

    def render(self) -> NDArray[np.uint8]:
        return np.zeros((2, 2, 3), np.uint8)

    def close(self) -> None:
        self._env.close()


@dataclass(frozen=True)
class CartPole:
    name: str = "cartpole"
    dt: float = 0.02
    parallel_envs: int = 8

    def schema(self) -> StateSchema:
        return SCHEMA

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> RowBatch:
        return RowBatch(partial(CartPoleRow, fields), num_envs, fields, workers=threads)

    def missing(self) -> str | None:
        return None


def _held(episode: Episode) -> float:
    return len(episode.action) / 200


task = Task(
    id="cartpole/balance",
    instruction="keep the pole up",
    world=CartPole(),
    horizon=200,
    metrics=(Metric("held", "fitness", "share of 200 steps before it fell", (), _held),),
    budget=12_000,
)
