"""Episodes of Meta-World for tests: the same actions through our world and through Meta-World's own environment."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from reward_agent.envs.metaworld.native import make_native
from reward_agent.schema import Array

ELEVEN = (
    "button-press",
    "door-close",
    "door-unlock",
    "drawer-close",
    "drawer-open",
    "handle-press",
    "handle-press-side",
    "handle-pull",
    "sweep-into",
    "window-close",
    "window-open",
)
"""Text2Reward's."""

Policy = Callable[[Array], Array]
"""Observation `(39,)` to action `(4,)`."""


class Played(NamedTuple):
    """What Meta-World itself gave."""

    observations: Array
    """`(T+1, 39)`, the reset's first."""
    actions: Array
    rewards: Array
    successes: Array


def scripted(env: str, noise: float = 0.0, seed: int = 0) -> Policy:
    """Meta-World's own expert, as one would run it: clipped, and with noise where that is asked for."""
    from metaworld.policies import ENV_POLICY_MAP

    policy, rng = ENV_POLICY_MAP[env](), np.random.default_rng(seed)

    def act(observation: Array) -> Array:
        with warnings.catch_warnings():
            # it says that its constants are clipped, which they are
            warnings.simplefilter("ignore")
            # some of its policies write into what they are given
            action = np.clip(policy.get_action(observation.copy()), -1, 1).astype(np.float64)
        return np.asarray(np.clip(action + rng.normal(0, noise, 4), -1, 1))

    return act


def at_random(seed: int) -> Policy:
    """Uniform actions, biased downwards: to where things are."""
    rng = np.random.default_rng(seed)
    return lambda observation: np.clip(rng.uniform(-1, 1, 4) - (0, 0, 0.4, 0), -1, 1)


def play(env: Any, policy: Policy, seed: int, steps: int, prepare: Callable[[Any], None] = lambda env: None) -> Played:
    """An episode of Meta-World's own `reset` and `step`.

    Args:
        env: from `make_native`, or its name.
        prepare: called after the reset.
    """
    env = make_native(env) if isinstance(env, str) else env
    env.seed(seed)
    observation, _ = env.reset()
    prepare(env)
    observations, actions, rewards, successes = [observation], [], [], []
    for _ in range(steps):
        actions.append(policy(observations[-1]))
        observation, reward, _, _, told = env.step(actions[-1])
        observations.append(observation)
        rewards.append(float(reward))
        successes.append(float(told["success"]))
    return Played(np.array(observations), np.array(actions), np.array(rewards), np.array(successes))
