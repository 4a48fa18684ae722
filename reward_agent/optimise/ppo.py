"""Proximal policy optimisation (Schulman et al. 2017) by stable-baselines3, on a batch of environments.

Published settings (RL Baselines3 Zoo, `hyperparams/ppo.yml`, Gymnasium's MuJoCo environments) are made for one
environment and batches of 64 to 256. Here environments step together: by default 64 for 128 steps, so a rollout is
8,192 transitions and a batch 1,024, and an update costs one large product in place of many small ones. Fewer, larger
gradient steps want a rate near the published upper end (3e-4) and a smaller first deviation (log -1), for there are
fewer to shrink it. Where it was measured that shorter rollouts learn more from as many steps, a preset has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from reward_agent.checked import Count, NotNegative, Number, Positive, Range, Share
from reward_agent.errors import UsageError
from reward_agent.optimise import Measuring, Optimised, Progress
from reward_agent.optimise.policy import Activation
from reward_agent.optimise.presets import LearnerSettings, Preset, choose
from reward_agent.sources import RewardSource
from reward_agent.task import Task

if TYPE_CHECKING:
    from reward_agent.optimise.batched_ppo import BatchedPPO
    from reward_agent.optimise.checkpoint import Arrays
    from reward_agent.optimise.normalise import Normalise
    from reward_agent.optimise.policy import Policy


@dataclass(frozen=True)
class PPOSettings(LearnerSettings):
    """Defaults are the `default` preset's."""

    rollout: Count = 128
    """Steps of each environment between updates."""
    batch_size: Annotated[int, Range(2)] = 1024
    """Advantages are scaled by their deviation within it."""
    epochs: Count = 5
    learning_rate: Positive = 3e-4
    gae_lambda: Share = 0.95
    clip_range: Positive = 0.2
    entropy_weight: NotNegative = 0.0
    value_weight: NotNegative = 0.5
    max_gradient: Positive = 0.5
    """Norm the gradient is clipped to."""
    target_kl: NotNegative = 0.0
    """An update ends where the policy has moved from the rollout's by more than 1.5 times this (approximate
    Kullback-Leibler divergence on a batch); 0 sets no limit."""
    log_std_init: Number = -1.0
    """Logarithm of the first deviation of continuous actions."""
    hidden: tuple[Count, ...] = (64, 64)
    """Units of each layer, of the policy and of the value."""
    activation: Activation = "tanh"
    threads: Count = 2
    """For physics and update: 2 where one training runs alone, 1 where several do. It changes no result."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_envs * self.rollout < 2:
            raise UsageError("The settings 'num_envs' and 'rollout' must make a rollout of at least 2 steps, not 1.")


PRESETS: Mapping[str, Preset[PPOSettings]] = {
    "default": Preset(
        PPOSettings(),
        "nothing is known of the task: the cheapest steps, at the rate and discount of the locomotion preset",
    ),
    "locomotion": Preset(
        PPOSettings(num_envs=32, rollout=32, batch_size=256),
        "Zoo: HalfCheetah, Hopper, Walker2d, Ant (discount 0.98-0.99, lambda 0.9-0.95, 5-20 epochs, log_std -2, "
        "normalised observations and rewards); changed: 32 environments for 32 steps, batch 256, one rate of 3e-4, "
        "log_std -1. Measured against 64 for 128 steps with batch 1,024, native return of the final policy, "
        "one figure a seed: HalfCheetah at 300k steps 4,862 and 5,236 against 2,524, 2,054 and 2,768; Hopper at "
        "300k 954, 410, 667 and 400 against 287 and 294; Walker2d at 150k 528 against 285",
    ),
    "acrobatics": Preset(
        PPOSettings(discount=0.995, entropy_weight=0.001, log_std_init=-0.2),
        "the default preset, measured on the hopper's flips: at 8 ms a step the second from crouch to landing "
        "is 125 steps, of which a discount of 0.98 leaves 8 % (falling at once then pays better than leaping) "
        "and 0.995 leaves 53 %; more exploration, for standing still is where it starts",
    ),
    "posture": Preset(
        PPOSettings(discount=0.98, entropy_weight=0.001, log_std_init=-0.7),
        "the default preset, measured on the ant lying down and waving a leg: at 50 ms a step a shorter sight",
    ),
    "manipulation": Preset(
        PPOSettings(discount=0.97, gae_lambda=0.9, hidden=(128, 128)),
        "Zoo: Reacher, Pusher (horizons of 50-100 steps); changed: discount 0.97 for the short horizon, wider layers",
    ),
    "dexterity": Preset(
        PPOSettings(discount=0.97, gae_lambda=0.9, hidden=(128, 128)),
        "as `manipulation`; nothing was measured with a hand of many fingers",
    ),
    "tabletop": Preset(
        PPOSettings(
            num_envs=16,
            rollout=50,
            batch_size=100,
            epochs=10,
            discount=0.95,
            gae_lambda=0.9,
            log_std_init=-0.5,
            hidden=(128, 128),
        ),
        "measured on Meta-World, horizon 200 (`benchmarks/metaworld_rewards.yaml`: 150k steps, two trainings each, "
        "figures in `docs/results.md`); with layers of 64, batch 200, discount 0.97, lambda 0.95 and log_std -1 "
        "door-close came to 1.00, by one seed; `docs/presets.md` has all that was tried",
    ),
    "balance": Preset(
        PPOSettings(rollout=32, batch_size=512, epochs=10, log_std_init=-0.5),
        "Zoo: InvertedPendulum, InvertedDoublePendulum (short rollouts of 32, 5-10 epochs); changed: "
        "64 environments, batch 512",
    ),
    "swim": Preset(
        PPOSettings(
            num_envs=16, rollout=256, batch_size=256, learning_rate=6e-4, discount=0.9999, gae_lambda=0.98, epochs=10
        ),
        "Zoo: Swimmer (4 environments for 1,024 steps, batch 256, 6e-4; discount 0.9999: thrust pays off many strokes "
        "later); changed: 16 environments for 256 steps. Native return at 500k steps, one figure a seed: 94 and 111 "
        "against 14, 19 and 26 with 64 for 256 steps, batch 2,048 and 3e-4",
    ),
    "grid": Preset(
        PPOSettings(
            num_envs=16,
            batch_size=256,
            epochs=4,
            learning_rate=1e-3,
            entropy_weight=0.01,
            normalise_observation=False,
        ),
        "rl-starter-files, which most trainings on MiniGrid go by: 16 environments for 128 steps, batch 256, 4 epochs, "
        "1e-3, entropy 0.01; changed: no convolutions, for observations are numbers of 0 or 1, which are left as they "
        "are. Success on DoorKey-5x5 after 60k steps on its expert, one seed: 1.00, against 0.65 with `default`",
    ),
    "text2reward-maniskill": Preset(
        PPOSettings(
            num_envs=8,
            rollout=400,
            batch_size=400,
            epochs=15,
            discount=0.85,
            target_kl=0.05,
            log_std_init=0.0,
            hidden=(256, 256),
            normalise_observation=False,
            normalise_reward=False,
        ),
        "as published: Text2Reward (Xie et al., ICLR 2024), run_maniskill/ppo.py, for LiftCube (2M steps) and PickCube "
        "(4M steps) of ManiSkill2 with horizons of 100; what it does not name has stable-baselines3's defaults, and "
        "nothing is normalised",
    ),
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
    """See `optimise.Optimiser`. The same seed gives the same weights on one machine."""
    from reward_agent.optimise.training import Order, train

    chosen = choose(PRESETS, task.preset, settings)
    order = Order(budget, seed, checkpoint, tensorboard, progress, stop, measuring)
    every = chosen.num_envs * chosen.rollout
    return train("ppo", task, source, chosen, order, lambda env: PPOLearner(make(env, chosen, seed)), every=every)


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
        "target_kl": settings.target_kl or None,
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


class PPOLearner:
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
        """The Gaussian's mean, or the likeliest number."""
        from reward_agent.optimise.extract import extract

        parts = [self.model.policy.mlp_extractor.policy_net, self.model.policy.action_net]
        return extract(self.model, parts, normalise, observe_time, squash=False)
