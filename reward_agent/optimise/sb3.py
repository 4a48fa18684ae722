"""A task as stable-baselines3 wants it: a batch of environments with the rewards of a source.

It can also `advance` without rewards and ask for those of all the steps since in one call: an algorithm that needs no
reward before its rollout ends wakes the reward's process once a rollout, and the program's arrays are long.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from reward_agent.envs.episodes import TIME, Episodes
from reward_agent.optimise.watching import Watching
from reward_agent.schema import Array
from reward_agent.scoring import EVALUATION_SEEDS
from reward_agent.sources import EpisodicSource, RememberingSource, RewardSource, TallyingSource, WatchingSource
from reward_agent.task import Task

RESET_SEEDS = EVALUATION_SEEDS
"""Training episodes begin from seeds below this; seeds for evaluation lie above (`scoring.SeedPlan`)."""

MEMORY = "source."
"""Begins the names of what a source remembers, in a checkpoint."""
EPISODE_WINDOW = 100
"""Finished episodes that `return` and `length` of the curves are means of."""


class Drained(NamedTuple):
    """What happened since the last rollout boundary."""

    episode_return: float
    """Mean of the last finished episodes by the reward trained on; nan before the first."""
    episode_length: float
    terms: dict[str, float]
    """Mean per step."""
    reached: tuple[int, ...] = ()
    """Of a source that tells (`sources.TallyingSource`): episodes that ended, and how many had reached each subgoal."""


class Advance(NamedTuple):
    """A step of all rows, before any reward."""

    observations: NDArray[np.float32]
    """`(N, O)`; of the next episode where one ended."""
    dones: NDArray[np.bool_]
    infos: list[dict[str, Any]]


class Rewarded(NamedTuple):
    """Rewards of T successive steps of N rows."""

    rewards: NDArray[np.floating[Any]]
    """`(T, N)`."""
    dones: NDArray[np.bool_]
    """`(T, N)`: where an episode ended."""


class _Unrewarded(NamedTuple):
    """A step that no reward was asked for yet."""

    state: Array
    action: Array
    next_state: Array
    was_reset: NDArray[np.bool_]
    terminated: NDArray[np.bool_]
    dones: NDArray[np.bool_]


class TaskVecEnv(VecEnv):  # type: ignore[misc]
    """N episodes of a task that reset themselves, with the reward of a source.

    Args:
        task: whose episodes; it ends them by its own rule.
        source: gives the rewards; the caller closes it, unless `owns_source`.
        num_envs: N.
        seed: every episode's own seed comes from one generator begun with it.
        threads: for the physics.
        observe_time: append the share of the horizon that has passed to observations; by default where the source
            reads `episode.time`, for a policy must see what its reward depends on.
    """

    def __init__(
        self,
        task: Task,
        source: RewardSource,
        num_envs: int,
        seed: int,
        *,
        threads: int = 1,
        observe_time: bool | None = None,
        owns_source: bool = False,
    ) -> None:
        self.task, self.source, self._owns_source = task, source, owns_source
        self.observe_time = TIME in source.fields if observe_time is None else observe_time
        self.episodes = Episodes(task, num_envs, source.fields, threads=threads, observe_time=self.observe_time)
        space = self.episodes.observation_space
        seen = Box(space.low.astype(np.float32), space.high.astype(np.float32))
        super().__init__(num_envs, seen, self.episodes.action_space)
        columns = self.episodes.schema.columns
        wanted = [path for path in columns if path in set(source.fields)]
        # a reward may read nothing of the state where the task's own ending does
        indices = [np.zeros(0, np.int64), *(_indices(columns[path]) for path in wanted)]
        self._columns = None if len(wanted) == len(columns) else np.concatenate(indices)
        self._generator = np.random.default_rng(seed)
        self._actions = self.episodes.actions.idle(num_envs)
        self._began = np.ones(num_envs, bool)
        self._returns: Array = np.zeros(num_envs)
        self._lengths = np.zeros(num_envs, np.int64)
        self._finished: deque[tuple[float, int]] = deque(maxlen=max(EPISODE_WINDOW, num_envs))
        self._term_sums: Array = np.zeros(len(source.term_names))
        self._term_rows = 0
        self._quiet: list[dict[str, Any]] = [{} for _ in range(num_envs)]
        self._unrewarded: list[_Unrewarded] = []
        self._watching = (
            Watching(self.episodes, source) if isinstance(source, WatchingSource) and source.watched else None
        )

    def reset(self) -> NDArray[np.float32]:
        """Begin N new episodes; `(N, O)`."""
        self._unrewarded.clear()
        if self._watching:
            self._watching.forget()
        self._returns[:] = 0
        self._lengths[:] = 0
        return self._restart(np.ones(self.num_envs, bool)).astype(np.float32)

    def step_async(self, actions: NDArray[Any]) -> None:
        self._actions = self.episodes.actions.applied(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Step every row, ask for its reward, and begin new episodes where one ended.

        Raises:
            SourceFaultError: the reward program failed for good.
        """
        observations, dones, infos = self.advance()
        rewards = self.rewards().rewards[0].astype(np.float32)
        if dones.any():
            ended = np.flatnonzero(dones)
            for row, (total, length) in zip(ended, list(self._finished)[-len(ended) :], strict=True):
                infos[row]["episode"] = {"r": total, "l": length, "t": 0.0}
        return observations, rewards, dones, infos

    def advance(self) -> Advance:
        """Take the actions of `step_async` in every row; the step's rewards are among the next `rewards()`."""
        before, began = self._packed(self.episodes.states), self._began
        if self._watching:
            self._watching.before()
        step = self.episodes.step(self._actions)
        dones = step.terminated | step.truncated
        self._unrewarded.append(
            _Unrewarded(before, self._actions, self._packed(step.states), began, step.terminated, dones)
        )
        if self._watching:
            self._watching.after(dones)
        observations = step.observations.astype(np.float32)
        infos = self._quiet
        if dones.any():
            infos = self._infos(dones, step.truncated, observations)
            observations = self._restart(dones).astype(np.float32)
        elif began.any():
            self._began = np.zeros(self.num_envs, bool)
        return Advance(observations, dones, infos)

    def rewards(self) -> Rewarded:
        """Rewards of the T steps advanced since the last call, from one call of the source.

        Raises:
            SourceFaultError: the reward program failed for good.
        """
        state, action, next_state, was_reset, terminated, dones = map(np.stack, zip(*self._unrewarded, strict=True))
        self._unrewarded.clear()
        if self._watching:
            self._watching.show()
        if isinstance(self.source, EpisodicSource):
            rewards = self.source.of_episodes(state, action, next_state, was_reset, terminated)
        else:
            rewards = self.source(state, action, next_state, was_reset)
        self._term_sums += rewards.terms.sum((0, 1))
        self._term_rows += dones.size
        for total, ended in zip(rewards.total, dones, strict=True):
            self._returns += total
            self._lengths += 1
            if ended.any():
                self._finished.extend(zip(self._returns[ended].tolist(), self._lengths[ended].tolist(), strict=True))
                self._returns[ended] = 0
                self._lengths[ended] = 0
        return Rewarded(rewards.total, dones)

    def drain(self) -> Drained:
        """Returns and lengths of the last episodes, and the terms' means since the last call."""
        rows = max(self._term_rows, 1)
        terms = {n: float(s) / rows for n, s in zip(self.source.term_names, self._term_sums, strict=True)}
        self._term_sums[:] = 0
        self._term_rows = 0
        tally = self.source.tally().tolist() if isinstance(self.source, TallyingSource) else []
        if not self._finished:
            return Drained(float("nan"), float("nan"), terms, tuple(tally))
        returns, lengths = np.array(self._finished).T
        return Drained(float(returns.mean()), float(lengths.mean()), terms, tuple(tally))

    def save(self) -> dict[str, NDArray[Any]]:
        """Everything `restore` needs to go on bit for bit."""
        own = {
            "generator": _text(json.dumps(self._generator.bit_generator.state)),
            "began": self._began,
            "returns": self._returns,
            "lengths": self._lengths,
            "finished": np.array(self._finished, np.float64).reshape(-1, 2),
            "term_sums": self._term_sums,
            "term_rows": np.array(self._term_rows),
        }
        if isinstance(self.source, RememberingSource):
            own |= {f"{MEMORY}{name}": value for name, value in self.source.memory().items()}
        return {f"vecenv.{k}": v.copy() for k, v in own.items()} | self.episodes.save()

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        own = {k.removeprefix("vecenv."): v.copy() for k, v in saved.items() if k.startswith("vecenv.")}
        self._generator.bit_generator.state = json.loads(own["generator"].tobytes())
        self._began, self._returns, self._lengths = own["began"], own["returns"], own["lengths"]
        self._finished.clear()
        self._finished.extend((float(r), int(n)) for r, n in own["finished"])
        self._term_sums, self._term_rows = own["term_sums"], int(own["term_rows"])
        if isinstance(self.source, RememberingSource):
            self.source.remember({k.removeprefix(MEMORY): v for k, v in own.items() if k.startswith(MEMORY)})
        self.episodes.restore(saved)
        if self._watching:
            self._watching.forget()

    def close(self) -> None:
        self.episodes.close()
        if self._owns_source:
            self.source.close()

    def get_images(self) -> Sequence[NDArray[np.uint8] | None]:
        return [self.episodes.render(row) for row in range(self.num_envs)]

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        value = None if attr_name == "render_mode" else getattr(self, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise AttributeError(f"the rows of a batch have no attributes of their own, so none is {attr_name!r}")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        raise AttributeError(f"the rows of a batch have no methods of their own, so none is {method_name!r}")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False for _ in self._get_indices(indices)]

    def _packed(self, states: Array) -> Array:
        """Just the source's columns: a task's own termination may have added some."""
        return states if self._columns is None else states[:, self._columns]

    def _restart(self, mask: NDArray[np.bool_]) -> Array:
        seeds = np.zeros(self.num_envs, np.int64)
        seeds[mask] = self._generator.integers(RESET_SEEDS, size=int(mask.sum()))
        self._began = mask
        return self.episodes.reset(mask, seeds)

    def _infos(
        self, dones: NDArray[np.bool_], truncated: NDArray[np.bool_], observations: NDArray[np.float32]
    ) -> list[dict[str, Any]]:
        """Infos of a step in which rows ended, as stable-baselines3 wants them."""
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for row in np.flatnonzero(dones):
            infos[row] = {
                "terminal_observation": observations[row],
                "TimeLimit.truncated": bool(truncated[row]),
            }
        return infos


def _indices(columns: slice) -> NDArray[np.int64]:
    return np.arange(columns.start, columns.stop)


def _text(value: str) -> NDArray[np.uint8]:
    return np.frombuffer(value.encode(), np.uint8).copy()
