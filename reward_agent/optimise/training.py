"""One training of a stable-baselines3 algorithm on a task: boundaries, curves, progress, checkpoints, stop.

What all of them share. An algorithm gives its own state as arrays (`Learner`); everything else is here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback

from reward_agent.optimise import Curves, Measuring, Optimised, Progress, checkpoint
from reward_agent.optimise.checkpoint import Arrays, Checkpoint, prefixed, unprefixed
from reward_agent.optimise.normalise import Normalise
from reward_agent.optimise.policy import Policy
from reward_agent.optimise.presets import LearnerSettings
from reward_agent.optimise.recurrent_policy import RecurrentPolicy
from reward_agent.optimise.sb3 import Drained, TaskVecEnv
from reward_agent.sources import CountingSource, RewardSource
from reward_agent.task import Task

SAVING_SHARE = 0.05
"""Saving may take this share of the training's time: a large replay buffer is written less often."""


def identity(optimiser: str, task: Task, source: RewardSource, seed: int, settings: LearnerSettings) -> dict[str, Any]:
    """What must agree for a checkpoint to be gone on from. The budget may grow; threads change nothing."""
    free = {"threads", "checkpoint_seconds"}
    values = {name: value for name, value in asdict(settings).items() if name not in free}
    return {
        "optimiser": optimiser,
        "task": task.id,
        "terms": list(source.term_names),
        "fields": list(source.fields),
        "seed": seed,
        "settings": {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()},
    }


class Learner(Protocol):
    """An algorithm, and its own state beyond what every algorithm has."""

    model: BaseAlgorithm

    def arrays(self) -> Arrays:
        """Weights, optimisers' moments and buffers."""
        ...

    def restore(self, arrays: Arrays) -> None: ...

    def policy(self, normalise: Normalise, observe_time: bool) -> Policy | RecurrentPolicy:
        """The deterministic policy as it is now."""
        ...


@dataclass
class Record:
    """Rows of the curves so far."""

    term_names: tuple[str, ...]
    steps: list[int] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    lengths: list[float] = field(default_factory=list)
    terms: list[list[float]] = field(default_factory=list)

    def add(self, steps: int, drained: Drained) -> None:
        self.steps.append(steps)
        self.returns.append(drained.episode_return)
        self.lengths.append(drained.episode_length)
        self.terms.append([drained.terms[name] for name in self.term_names])

    def curves(self) -> Curves:
        terms = np.array(self.terms, np.float64).reshape(-1, len(self.term_names))
        return Curves(
            steps=np.array(self.steps, np.int64),
            episode_return=np.array(self.returns, np.float64),
            episode_length=np.array(self.lengths, np.float64),
            terms={name: terms[:, i].copy() for i, name in enumerate(self.term_names)},
        )

    def arrays(self) -> Arrays:
        curves = self.curves()
        return {
            "steps": curves.steps,
            "returns": curves.episode_return,
            "lengths": curves.episode_length,
            "terms": np.array(self.terms, np.float64).reshape(-1, len(self.term_names)),
        }

    def restore(self, arrays: Arrays) -> None:
        self.steps = [int(value) for value in arrays["steps"]]
        self.returns, self.lengths = arrays["returns"].tolist(), arrays["lengths"].tolist()
        self.terms = arrays["terms"].tolist()


@dataclass(frozen=True)
class Order:
    """What a training is told besides its algorithm; see `optimise.Optimiser`."""

    budget: int
    seed: int
    checkpoint: Path | None = None
    tensorboard: Path | None = None
    progress: Callable[[Progress], None] | None = None
    stop: Callable[[], bool] | None = None
    measuring: Measuring | None = None


def train(
    optimiser: str,
    task: Task,
    source: RewardSource,
    settings: LearnerSettings,
    order: Order,
    make: Callable[[Normalise], Learner],
    *,
    every: int,
) -> Optimised:
    """Run the algorithm that `make` gives to the budget or until `order.stop`, from its checkpoint where there is one.

    Args:
        every: environment steps between boundaries.

    Raises:
        SourceFaultError: the reward program failed for good.
        UsageError: the checkpoint is of another training.
    """
    with checkpoint.own_torch_state():
        env = TaskVecEnv(task, source, settings.num_envs, order.seed, threads=settings.threads)
        try:
            normalise = Normalise(
                env,
                norm_obs=settings.normalise_observation,
                norm_reward=settings.normalise_reward,
                gamma=settings.discount,
            )
            learner = make(normalise)
            who = identity(optimiser, task, source, order.seed, settings)
            boundary = _Boundary(learner, env, normalise, order, who, every, settings.checkpoint_seconds)
            boundary.resume()
            _learn(learner.model, boundary)
            policy = learner.policy(normalise, env.observe_time)
        finally:
            env.close()
    return Optimised(
        policy=policy,
        curves=boundary.record.curves(),
        steps=learner.model.num_timesteps,
        seconds=boundary.seconds,
        bad_rewards=boundary.counts[1],
        measured=tuple(values for _, values in boundary.measured),
        measured_at=tuple(steps for steps, _ in boundary.measured),
    )


def _learn(model: BaseAlgorithm, boundary: _Boundary) -> None:
    remaining = boundary.order.budget - model.num_timesteps
    try:
        if remaining > 0:
            model.learn(remaining, callback=boundary, log_interval=None, reset_num_timesteps=False)
    except _StopTraining:
        pass
    finally:
        boundary.close()


class _StopTraining(Exception):  # noqa: N818
    """Leaves `learn` at a rollout boundary: stable-baselines3's own way out is after a step, within a rollout."""


class _Boundary(BaseCallback):  # type: ignore[misc]
    """What happens between two rollouts: nothing here changes what is learnt."""

    def __init__(
        self,
        learner: Learner,
        env: TaskVecEnv,
        normalise: Normalise,
        order: Order,
        identity: Mapping[str, Any],
        every: int,
        checkpoint_seconds: float,
    ) -> None:
        super().__init__()
        self.learner, self.env, self.normalise, self.order = learner, env, normalise, order
        self.identity, self.every, self._least_pause = identity, every, checkpoint_seconds
        self.record = Record(env.source.term_names)
        self._measured: dict[int, tuple[int, Mapping[str, float]]] = {}
        """By point: when it was measured, and what."""
        self._began = self._saved = time.monotonic()
        self._pause = checkpoint_seconds
        self._steps_before = 0
        self._seconds_before = 0.0
        self._writer: Any = None

    @property
    def seconds(self) -> float:
        """Of the whole training, without measuring."""
        return self._seconds_before + time.monotonic() - self._began

    @property
    def counts(self) -> tuple[int, int]:
        """Rewards of the whole training, and those that were not finite, where the source counts them."""
        source = self.env.source
        return (source.rewards, source.bad_rewards) if isinstance(source, CountingSource) else (0, 0)

    @property
    def measured(self) -> tuple[tuple[int, Mapping[str, float]], ...]:
        """At the points of this order that were reached: steps done then, and what was found."""
        points = self.order.measuring.points if self.order.measuring else ()
        return tuple(self._measured[point] for point in points if point in self._measured)

    def resume(self) -> None:
        """Put everything back as a checkpoint found it, if there is one."""
        found = self.order.checkpoint and checkpoint.read(self.order.checkpoint, self.identity)
        model = self.learner.model
        if found:
            self.learner.restore(unprefixed("learner", found.arrays))
            self.normalise.restore_statistics(found.arrays)
            self.env.restore(unprefixed("env", found.arrays))
            self.record.restore(unprefixed("curves", found.arrays))
            own = unprefixed("model", found.arrays)
            model._last_obs = own["last_obs"].copy()
            model._last_episode_starts = own["last_episode_starts"].copy()
            model._last_original_obs = own["last_original_obs"].copy()
            model.num_timesteps = found.facts["steps"]
            model._n_updates = found.facts["updates"]
            model.action_space.np_random.bit_generator.state = found.facts["action_generator"]
            checkpoint.restore_generators(unprefixed("generators", found.arrays))
            self._seconds_before = found.facts["seconds"]
            # none in a checkpoint of an earlier release, whose points are then measured late, and said to be
            measured = found.facts.get("measurements", {})
            self._measured = {int(point): (steps, values) for point, (steps, values) in measured.items()}
        if isinstance(self.env.source, CountingSource):
            # of this training alone: the source may have served another before, or be new where the training is not
            self.env.source.restore(*(found.facts["rewards"] if found else (0, 0)))
        self._steps_before = model.num_timesteps
        if self.order.tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self.order.tensorboard), purge_step=model.num_timesteps)

    def close(self) -> None:
        if self._writer:
            self._writer.close()

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:
        self._measure()
        if self.model.num_timesteps < (self.record.steps[-1] if self.record.steps else 0) + self.every:
            return
        self._report()
        stopping = self.order.stop is not None and self.order.stop()
        if self.order.checkpoint and (stopping or time.monotonic() - self._saved >= self._pause):
            self._save(self.order.checkpoint)
        if stopping:
            raise _StopTraining

    def _on_training_end(self) -> None:
        self._measure()
        self._report()
        if self.order.checkpoint:
            # so that a training can go on with a larger budget
            self._save(self.order.checkpoint)

    def _measure(self) -> None:
        measuring = self.order.measuring
        if measuring is None:
            return
        reached = [point for point in measuring.points if point <= self.model.num_timesteps]
        if due := [point for point in reached if point not in self._measured]:
            began = time.monotonic()
            values = measuring.measure(self.learner.policy(self.normalise, self.env.observe_time))
            self._measured |= dict.fromkeys(due, (self.model.num_timesteps, values))
            self._began += time.monotonic() - began

    def _report(self) -> None:
        drained, steps = self.env.drain(), self.model.num_timesteps
        self.record.add(steps, drained)
        if self._writer:
            values = {"return": drained.episode_return, "length": drained.episode_length}
            values |= {f"terms/{name}": value for name, value in drained.terms.items()}
            for name, value in values.items():
                self._writer.add_scalar(name, value, steps)
        if self.order.progress:
            elapsed = max(time.monotonic() - self._began, 1e-9)
            rate = (steps - self._steps_before) / elapsed
            self.order.progress(
                Progress(
                    steps=steps,
                    budget=self.order.budget,
                    steps_per_second=rate,
                    episode_return=drained.episode_return,
                    episode_length=drained.episode_length,
                    terms=drained.terms,
                    learning=self.model._n_updates > 0,
                )
            )

    def _save(self, folder: Path) -> None:
        start, model = time.monotonic(), self.model
        last = {
            "last_obs": model._last_obs,
            "last_episode_starts": model._last_episode_starts,
            # only algorithms with a replay buffer keep it
            "last_original_obs": model._last_obs if model._last_original_obs is None else model._last_original_obs,
        }
        arrays = {
            **prefixed("learner", self.learner.arrays()),
            **self.normalise.save_statistics(),
            **prefixed("env", self.env.save()),
            **prefixed("curves", self.record.arrays()),
            **prefixed("model", last),
            **prefixed("generators", checkpoint.generator_arrays()),
        }
        facts = {
            "identity": dict(self.identity),
            "steps": model.num_timesteps,
            "updates": model._n_updates,
            "action_generator": model.action_space.np_random.bit_generator.state,
            "seconds": self.seconds,
            "rewards": self.counts,
            "measurements": self._measured,
        }
        checkpoint.write(folder, Checkpoint(arrays, facts))
        self._saved = time.monotonic()
        self._pause = max(self._least_pause, (self._saved - start) / SAVING_SHARE)
