"""An optimiser as a user adds one: this file and the name of its function, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stable_baselines3 import A2C

from reward_agent.checked import Count, Positive
from reward_agent.optimise import Measuring, Optimised, Progress
from reward_agent.optimise.checkpoint import (
    Arrays,
    module_arrays,
    optimiser_arrays,
    restore_module,
    restore_optimiser,
)
from reward_agent.optimise.extract import extract
from reward_agent.optimise.normalise import Normalise
from reward_agent.optimise.policy import Policy
from reward_agent.optimise.presets import LearnerSettings, Preset, choose
from reward_agent.optimise.training import Order, train
from reward_agent.sources import RewardSource
from reward_agent.task import Task


@dataclass(frozen=True)
class A2CSettings(LearnerSettings):
    num_envs: Count = 16
    rollout: Count = 8
    learning_rate: Positive = 3e-3


PRESETS: Mapping[str, Preset[A2CSettings]] = {
    "default": Preset(A2CSettings(), "learns the tiny world"),
    "swim": Preset(A2CSettings(discount=0.9999), "thrust pays off late"),
}


def optimise(
    task: Task,
    source: RewardSource,
    budget: int,
    seed: int,
    *,
    settings: Mapping[str, Any] | None = None,
    checkpoint: Path | None = None,
    tensorboard: Path | None = None,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    measuring: Measuring | None = None,
) -> Optimised:
    chosen = choose(PRESETS, task.preset, settings)
    order = Order(budget, seed, checkpoint, tensorboard, progress, stop, measuring)

    def learner(env: Normalise) -> A2CLearner:
        model = A2C(
            "MlpPolicy",
            env,
            n_steps=chosen.rollout,
            learning_rate=chosen.learning_rate,
            gamma=chosen.discount,
            policy_kwargs={"net_arch": [16, 16], "log_std_init": -0.5},
            device="cpu",
            seed=seed,
        )
        return A2CLearner(model)

    return train("a2c", task, source, chosen, order, learner, every=chosen.num_envs * chosen.rollout)


class A2CLearner:
    def __init__(self, model: A2C) -> None:
        self.model = model

    def arrays(self) -> Arrays:
        policy = self.model.policy
        return module_arrays("policy", policy) | optimiser_arrays("moments", policy.optimizer)

    def restore(self, arrays: Arrays) -> None:
        restore_module("policy", self.model.policy, arrays)
        restore_optimiser("moments", self.model.policy.optimizer, arrays)

    def policy(self, normalise: Normalise, observe_time: bool) -> Policy:
        parts = [self.model.policy.mlp_extractor.policy_net, self.model.policy.action_net]
        return extract(self.model, parts, normalise, observe_time, squash=False)
