"""PPO with a long short-term memory, by sb3-contrib, for policies that must remember what they saw.

Actor and critic have a memory each. It is slower than `ppo`, which serves wherever what is observed is enough.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from reward_agent.checked import Count, Range
from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.optimise import Measuring, Optimised, Progress
from reward_agent.optimise.ppo import PPOSettings, arguments
from reward_agent.optimise.presets import Preset, choose
from reward_agent.sources import RewardSource
from reward_agent.task import Task

if TYPE_CHECKING:
    from reward_agent.optimise.checkpoint import Arrays
    from reward_agent.optimise.normalise import Normalise
    from reward_agent.optimise.recurrent_policy import RecurrentPolicy

STATES = ("pi.hidden", "pi.cell", "vf.hidden", "vf.cell")


@dataclass(frozen=True)
class RecurrentPPOSettings(PPOSettings):
    """Those of PPO, and the memory's."""

    num_envs: Count = 16
    batch_size: Annotated[int, Range(2)] = 512
    """Advantages are scaled by their deviation within it."""
    memory: Count = 64
    """Units of the actor's memory, and of the critic's."""

    def __post_init__(self) -> None:
        super().__post_init__()
        steps = self.num_envs * self.rollout
        if steps % self.batch_size == 1:
            raise UsageError(
                f"A rollout of num_envs * rollout = {steps} steps in batches of {self.batch_size} leaves one step for "
                "the last batch, and the advantage of one step has no deviation to be scaled by. Set 'batch_size' to "
                f"a divisor of {steps}, or to {steps} itself."
            )


PRESETS: Mapping[str, Preset[RecurrentPPOSettings]] = {
    "default": Preset(RecurrentPPOSettings(), "as `ppo`'s own, with fewer environments; nothing was measured"),
    "grid": Preset(
        RecurrentPPOSettings(
            batch_size=256, epochs=4, learning_rate=1e-3, entropy_weight=0.01, normalise_observation=False
        ),
        "as `ppo`'s own",
    ),
}


def missing() -> str | None:
    """What this machine lacks for it and the command that installs it."""
    if importlib.util.find_spec("sb3_contrib") is not None:
        return None
    return (
        "The optimiser recurrent_ppo needs sb3-contrib, which is not installed: pip install 'reward-agent[recurrent]'"
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
        MissingComponentError: sb3-contrib is not installed.
    """
    if (lacking := missing()) is not None:
        raise MissingComponentError(lacking)
    from reward_agent.optimise.training import Order, train

    chosen = choose(PRESETS, task.preset, settings)
    order = Order(budget, seed, checkpoint, tensorboard, progress, stop, measuring)
    every = chosen.num_envs * chosen.rollout
    return train("recurrent_ppo", task, source, chosen, order, lambda env: Learner(env, chosen, seed), every=every)


class Learner:
    """See `training.Learner`."""

    def __init__(self, env: Normalise, settings: RecurrentPPOSettings, seed: int) -> None:
        from reward_agent.optimise.batched_recurrent_ppo import BatchedRecurrentPPO, SequencePolicy

        given = arguments(settings, seed) | {"policy": SequencePolicy}
        given["policy_kwargs"] |= {"lstm_hidden_size": settings.memory, "optimizer_kwargs": {"eps": 1e-5}}
        self.model = BatchedRecurrentPPO(env=env, **given)

    def arrays(self) -> Arrays:
        from reward_agent.optimise.checkpoint import module_arrays, optimiser_arrays

        policy, states = self.model.policy, self.model._last_lstm_states
        held = {name: state.numpy() for name, state in zip(STATES, (*states.pi, *states.vf), strict=True)}
        return module_arrays("policy", policy) | optimiser_arrays("moments", policy.optimizer) | held

    def restore(self, arrays: Arrays) -> None:
        import torch
        from sb3_contrib.common.recurrent.type_aliases import RNNStates

        from reward_agent.optimise.checkpoint import restore_module, restore_optimiser

        restore_module("policy", self.model.policy, arrays)
        restore_optimiser("moments", self.model.policy.optimizer, arrays)
        held = [torch.from_numpy(arrays[name].copy()) for name in STATES]
        self.model._last_lstm_states = RNNStates((held[0], held[1]), (held[2], held[3]))

    def policy(self, normalise: Normalise, observe_time: bool) -> RecurrentPolicy:
        """The Gaussian's mean, or the likeliest number."""
        from reward_agent.optimise.extract import extract_recurrent

        return extract_recurrent(self.model, normalise, observe_time)
