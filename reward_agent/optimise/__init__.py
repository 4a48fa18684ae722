"""Optimisers: what turns a reward into behaviour. One file each, found by name (`find_optimiser`)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from reward_agent.errors import unknown_name
from reward_agent.optimise.policy import Policy
from reward_agent.plugins import OPTIMISERS
from reward_agent.sources import RewardSource
from reward_agent.task import Task

if TYPE_CHECKING:
    from reward_agent.optimise.recurrent_policy import RecurrentPolicy
    from reward_agent.planning.policy import PlannedPolicy


@dataclass(frozen=True)
class Progress:
    """Where a training stands, sent at every rollout boundary."""

    steps: int
    budget: int
    steps_per_second: float
    episode_return: float
    """Mean of the last finished episodes, by the reward trained on; nan before the first."""
    episode_length: float
    terms: Mapping[str, float] = field(default_factory=dict)
    """Mean per step of each reward term over the last rollout."""
    learning: bool = True
    """False as long as steps are only collected: the policy has not been updated once."""


@dataclass(frozen=True)
class Curves:
    """What a training showed, one row a rollout, `(R,)` each."""

    steps: NDArray[np.int64]
    episode_return: NDArray[np.float64]
    episode_length: NDArray[np.float64]
    terms: Mapping[str, NDArray[np.float64]]
    """Mean per step of each term."""


@dataclass(frozen=True)
class Optimised:
    policy: Policy | PlannedPolicy | RecurrentPolicy
    curves: Curves
    steps: int
    seconds: float
    bad_rewards: int
    """Rewards that were not finite and counted as 0."""
    measured: tuple[Mapping[str, float], ...] = ()
    """What `Measuring.measure` gave, in the order of the points that were reached."""
    measured_at: tuple[int, ...] = ()
    """Environment steps after which it did."""


@dataclass(frozen=True)
class Measuring:
    """What to find out of the policy on the way; the training is the same with and without."""

    points: tuple[int, ...]
    """Environment steps, in rising order. Each is due between two rollouts, at the first such moment not before it."""
    measure: Callable[[Policy | PlannedPolicy | RecurrentPolicy], Mapping[str, float]]
    """Called with the policy as it is then."""


class Optimiser(Protocol):
    def __call__(
        self,
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
        """Train a policy on `source` for `budget` environment steps.

        Args:
            settings: what to change of the task's preset; `threads`, for the physics, may be among it for any.
            checkpoint: a folder; a training found there goes on from its last rollout boundary, bit for bit.
            tensorboard: a folder for TensorBoard events.
            progress: called at every rollout boundary.
            stop: asked at every rollout boundary; True ends the training there, its checkpoint kept.
            measuring: done between rollouts; what was measured before a checkpoint is kept in it.

        Raises:
            SourceFaultError: the reward program failed for good.
        """
        ...


def find_optimiser(name: str) -> Optimiser:
    """The optimiser of that name: `optimise` of this folder's module, or an entry point of `reward_agent.optimisers`.

    An entry point names the function itself. A shipped name cannot be taken.

    Raises:
        UsageError: there is none, with the closest valid name.
    """
    if name not in OPTIMISERS.names():
        raise unknown_name("optimiser", name, OPTIMISERS.names())
    if name in OPTIMISERS.shipped():
        return cast(Optimiser, importlib.import_module(f"{__name__}.{name}").optimise)
    (point, *_) = entry_points(group=OPTIMISERS.group, name=name)
    return cast(Optimiser, point.load())


def check_settings(name: str, task_class: str, settings: Mapping[str, Any]) -> None:
    """Raises `UsageError` where the optimiser does not exist or would refuse these changes to its preset.

    Settings of a user's optimiser are looked at where its module has `PRESETS`, as each of this folder has.
    """
    from reward_agent.optimise.presets import choose

    module = importlib.import_module(find_optimiser(name).__module__)
    if hasattr(module, "PRESETS"):
        choose(module.PRESETS, task_class, settings)
