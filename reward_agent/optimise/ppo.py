"""Proximal policy optimisation (Schulman et al. 2017) by stable-baselines3, on a batch of environments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_agent.optimise import Optimised, Progress
from reward_agent.optimise.presets import PPOSettings, changed, preset
from reward_agent.sources import RewardSource
from reward_agent.task import Task

if TYPE_CHECKING:
    from reward_agent.optimise.batched_ppo import BatchedPPO
    from reward_agent.optimise.checkpoint import Arrays
    from reward_agent.optimise.policy import Policy
    from reward_agent.optimise.sb3 import Normalise


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
) -> Optimised:
    """See `optimise.Optimiser`. The same seed gives the same weights on one machine."""
    from reward_agent.optimise.training import Order, train

    chosen = changed(preset(task.preset).ppo, settings)
    order = Order(budget, seed, checkpoint, tensorboard, progress, stop)
    every = chosen.num_envs * chosen.rollout
    return train("ppo", task, source, chosen, order, lambda env: _Learner(make(env, chosen, seed)), every=every)


def arguments(settings: PPOSettings, seed: int) -> dict[str, Any]:
    """These settings as stable-baselines3's PPO takes them, whatever environment it is given."""
    from torch import nn

    hidden = list(settings.hidden)
    return {
        "policy": "MlpPolicy",
        "n_steps": settings.rollout,
        "batch_size": settings.batch_size,
        "n_epochs": settings.epochs,
        "learning_rate": settings.learning_rate,
        "gamma": settings.discount,
        "gae_lambda": settings.gae_lambda,
        "clip_range": settings.clip_range,
        "ent_coef": settings.entropy_weight,
        "vf_coef": settings.value_weight,
        "max_grad_norm": settings.max_gradient,
        "policy_kwargs": {
            "net_arch": {"pi": hidden, "vf": hidden},
            "activation_fn": {"tanh": nn.Tanh, "relu": nn.ReLU}[settings.activation],
            "log_std_init": settings.log_std_init,
        },
        "device": "cpu",
        "seed": seed,
    }


def make(env: Normalise, settings: PPOSettings, seed: int) -> BatchedPPO:
    """The algorithm with these settings."""
    from reward_agent.optimise.batched_ppo import BatchedPPO, Tanh

    given = arguments(settings, seed)
    if settings.activation == "tanh":
        given["policy_kwargs"]["activation_fn"] = Tanh
    # eps is stable-baselines3's own for PPO; fused is one pass over all weights
    given["policy_kwargs"]["optimizer_kwargs"] = {"eps": 1e-5, "fused": True}
    model = BatchedPPO(env=env, **given)
    model.threads = settings.threads
    return model


class _Learner:
    def __init__(self, model: BatchedPPO) -> None:
        self.model = model

    def arrays(self) -> Arrays:
        from reward_agent.optimise.checkpoint import module_arrays, optimiser_arrays

        policy = self.model.policy
        return module_arrays("policy", policy) | optimiser_arrays("moments", policy.optimizer)

    def restore(self, arrays: Arrays) -> None:
        from reward_agent.optimise.checkpoint import restore_module, restore_optimiser

        restore_module("policy", self.model.policy, arrays)
        restore_optimiser("moments", self.model.policy.optimizer, arrays)

    def policy(self, normalise: Normalise, observe_time: bool) -> Policy:
        from reward_agent.optimise.extract import ppo_policy

        return ppo_policy(self.model, normalise, observe_time)
