"""Soft actor-critic (Haarnoja et al. 2018) by stable-baselines3, on a batch of environments.

Layers, activation, discount and buffer are stable-baselines3's defaults. The rest is set by hand for eight environments
that step together: half a gradient step a transition for a whole one, each on a batch of 512 for 256, at a rate of
7e-4 for 3e-4, with tau 0.01 for 0.005; 5,000 random steps for 100; an entropy weight that begins at 0.1 for 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from reward_agent.checked import Count, Positive, Range
from reward_agent.errors import UsageError
from reward_agent.optimise import Measuring, Optimised, Progress
from reward_agent.optimise.policy import Activation
from reward_agent.optimise.presets import LearnerSettings, Preset, choose
from reward_agent.sources import RewardSource
from reward_agent.task import Task

if TYPE_CHECKING:
    from reward_agent.optimise.checkpoint import Arrays
    from reward_agent.optimise.normalise import Normalise
    from reward_agent.optimise.policy import Policy

STORED = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


ORIGIN = (
    "set by hand from stable-baselines3's defaults, for eight environments that step together; no measurement stands "
    "behind it, and it is not tuned for this class of tasks"
)
PPO_DISCOUNT = f"{ORIGIN}: only the discount is that of PPO's preset"


@dataclass(frozen=True)
class SACSettings(LearnerSettings):
    """Defaults are the default and the locomotion preset's."""

    num_envs: Count = 8
    train_freq: Count = 1
    """Steps of all environments between updates."""
    gradient_steps: Count = 4
    """In an update."""
    batch_size: Count = 512
    learning_rate: Positive = 7e-4
    tau: Annotated[float, Range(0, 1, above=True)] = 0.01
    """Share of the critics that enters their targets."""
    target_update_interval: Count = 1
    """Gradient steps between that, counted in each update anew as stable-baselines3 does: the first always does it."""
    learning_starts: Annotated[int, Range(0)] = 5_000
    """Steps of uniformly random actions before the first update."""
    buffer_size: Count = 1_000_000
    hidden: tuple[Count, ...] = (256, 256)
    activation: Activation = "relu"
    entropy_start: Positive = 0.1
    """The entropy's weight at first; it is learnt, at `learning_rate` a gradient step on its logarithm."""
    normalise_reward: bool = False
    """Divide by the running deviation of the discounted return, which leaves rewards small beside the entropy."""
    boundary: Count = 1_000
    """Environment steps between points of the curves, progress and checkpoints."""


PUBLISHED: Mapping[str, Any] = {
    "learning_rate": 3e-4,
    "tau": 0.005,
    "learning_starts": 4_000,
    "normalise_observation": False,
}
"""What both of Text2Reward's have."""

PRESETS: Mapping[str, Preset[SACSettings]] = {
    "default": Preset(SACSettings(), ORIGIN),
    "locomotion": Preset(SACSettings(), ORIGIN),
    "acrobatics": Preset(SACSettings(discount=0.995), PPO_DISCOUNT),
    "posture": Preset(SACSettings(discount=0.98), PPO_DISCOUNT),
    "manipulation": Preset(SACSettings(discount=0.97, learning_rate=1e-3), f"{PPO_DISCOUNT}, and the rate is higher"),
    "dexterity": Preset(SACSettings(discount=0.97, learning_rate=1e-3), f"{PPO_DISCOUNT}, and the rate is higher"),
    "tabletop": Preset(
        SACSettings(gradient_steps=2, batch_size=256, learning_rate=1e-3, discount=0.97, learning_starts=2_000),
        "measured once: Meta-World's button-press with its dense reward, horizon 200, one seed: success 0.35 at 10k "
        "and 20k steps, 0.85 at 30k, in 91 s of one core; six runs of PPO with discounts of 0.95 and 0.97 had 0.10 to "
        "0.80 at 40k steps, in 11-14 s",
    ),
    "balance": Preset(SACSettings(learning_starts=1_000), f"{ORIGIN}: only the random steps are fewer"),
    "swim": Preset(SACSettings(discount=0.9999), PPO_DISCOUNT),
    "grid": Preset(SACSettings(), f"{ORIGIN}: SAC takes continuous actions alone, as few grids have"),
    "text2reward-metaworld": Preset(
        SACSettings(
            **PUBLISHED,
            gradient_steps=1,
            batch_size=512,
            target_update_interval=2,
            hidden=(256, 256, 256),
            entropy_start=0.1,
        ),
        "as published: Text2Reward (Xie et al., ICLR 2024), run_metaworld/sac.py, for eleven tasks of Meta-World (1M "
        "steps, horizons of 500): 8 environments, one gradient step for each step of all (with which the targets' "
        "interval of 2 does nothing in stable-baselines3); what it does not name has stable-baselines3's defaults, and "
        "nothing is normalised",
    ),
    "text2reward-maniskill": Preset(
        SACSettings(
            **PUBLISHED,
            train_freq=8,
            gradient_steps=4,
            batch_size=1024,
            discount=0.95,
            entropy_start=0.2,
        ),
        "as published: Text2Reward (Xie et al., ICLR 2024), run_maniskill/sac.py, for TurnFaucet and OpenCabinetDrawer "
        "(4M steps), OpenCabinetDoor and PushChair (8M) and StackCube of ManiSkill2 with horizons of 200; what it does "
        "not name has stable-baselines3's defaults, and nothing is normalised",
    ),
}


def refuses(task: Task) -> str | None:
    """Why this optimiser cannot train on the task, and which can; None where it can."""
    action = task.world.schema().action
    if not action.discrete:
        return None
    return (
        f"SAC acts with continuous numbers, and {task.id} has {len(action.names)} numbered actions "
        f"({', '.join(action.names)}). Train it by `ppo`, which has both: `--optimiser ppo`, or leave the option out."
    )


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
    """See `optimise.Optimiser`. The same seed gives the same weights on one machine.

    Raises:
        UsageError: the task's actions are discrete.
    """
    from reward_agent.optimise.training import Order, train

    if why := refuses(task):
        raise UsageError(why)
    chosen = choose(PRESETS, task.preset, settings)
    order = Order(budget, seed, checkpoint, tensorboard, progress, stop, measuring)

    def learner(env: Normalise) -> SACLearner:
        return SACLearner(make(env, chosen, seed, budget))

    return train("sac", task, source, chosen, order, learner, every=chosen.boundary)


def arguments(settings: SACSettings, seed: int) -> dict[str, Any]:
    """These settings as stable-baselines3's SAC takes them, whatever environment it is given."""
    from torch import nn

    return {
        "policy": "MlpPolicy",
        "learning_rate": settings.learning_rate,
        "buffer_size": settings.buffer_size,
        "learning_starts": settings.learning_starts,
        "batch_size": settings.batch_size,
        "tau": settings.tau,
        "gamma": settings.discount,
        "train_freq": settings.train_freq,
        "gradient_steps": settings.gradient_steps,
        "target_update_interval": settings.target_update_interval,
        "ent_coef": f"auto_{settings.entropy_start}",
        "policy_kwargs": {
            "net_arch": list(settings.hidden),
            "activation_fn": {"tanh": nn.Tanh, "relu": nn.ReLU}[settings.activation],
        },
        "device": "cpu",
        "seed": seed,
    }


def make(env: Any, settings: SACSettings, seed: int, budget: int) -> Any:
    """The algorithm with these settings; its buffer is just larger than `budget` transitions can fill.

    A buffer that the budget alone had filled could not be told from one that has begun to forget, and could not go on
    under a larger budget.
    """
    from stable_baselines3 import SAC

    # an update may come after more steps than the budget's last
    room = budget + 2 * settings.num_envs * settings.train_freq
    return SAC(env=env, **arguments(settings, seed) | {"buffer_size": min(settings.buffer_size, room)})


class SACLearner:
    def __init__(self, model: Any) -> None:
        self.model = model

    def _optimisers(self) -> dict[str, Any]:
        model = self.model
        return {
            "actor_moments": model.actor.optimizer,
            "critic_moments": model.critic.optimizer,
            "entropy_moments": model.ent_coef_optimizer,
        }

    def arrays(self) -> Arrays:
        from reward_agent.optimise.checkpoint import module_arrays, optimiser_arrays

        arrays = module_arrays("policy", self.model.policy)
        arrays["log_entropy_weight"] = self.model.log_ent_coef.detach().numpy()
        for name, optimiser in self._optimisers().items():
            arrays |= optimiser_arrays(name, optimiser)
        buffer = self.model.replay_buffer
        filled = buffer.buffer_size if buffer.full else buffer.pos
        arrays["replay.position"] = np.array(buffer.pos)
        return arrays | {f"replay.{name}": getattr(buffer, name)[:filled] for name in STORED}

    def restore(self, arrays: Arrays) -> None:
        import torch

        from reward_agent.optimise.checkpoint import restore_module, restore_optimiser

        restore_module("policy", self.model.policy, arrays)
        with torch.no_grad():
            self.model.log_ent_coef.copy_(torch.from_numpy(arrays["log_entropy_weight"].copy()))
        for name, optimiser in self._optimisers().items():
            restore_optimiser(name, optimiser, arrays)
        self._restore_replay(arrays)

    def policy(self, normalise: Normalise, observe_time: bool) -> Policy:
        """The tanh of the Gaussian's mean, scaled to the bounds."""
        from reward_agent.optimise.extract import extract

        parts = [self.model.actor.latent_pi, self.model.actor.mu]
        return extract(self.model, parts, normalise, observe_time, squash=True)

    def _restore_replay(self, arrays: Arrays) -> None:
        buffer = self.model.replay_buffer
        # of more than the buffer holds, nothing is learnt any more: the budget was made smaller, and is used up
        filled = min(len(arrays["replay.rewards"]), buffer.buffer_size)
        for name in STORED:
            getattr(buffer, name)[:filled] = arrays[f"replay.{name}"][:filled]
        buffer.full, buffer.pos = filled == buffer.buffer_size, int(arrays["replay.position"])
