"""Meta-World's scripted policies: what they reach, random actions hardly ever do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reward_agent.schema import Array


def demonstrator(env: str) -> Callable[[Array], Array]:
    """The policy by hand of an environment: actions `(N, 4)` for its own observations `(N, O)`."""
    from metaworld.policies import ENV_POLICY_MAP

    policy = ENV_POLICY_MAP[env]()

    def act(observations: Array) -> Array:
        # some of its policies write into what they are given
        actions = [policy.get_action(observation.copy()) for observation in observations]
        return np.clip(np.array(actions, np.float64), -1.0, 1.0)

    return act
