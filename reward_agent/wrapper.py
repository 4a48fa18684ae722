"""A reward program on an ordinary Gymnasium environment. `export` copies this class's text: it uses nothing of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Protocol

import gymnasium
import numpy as np


class Reader(Protocol):
    """Reads the state of an environment, by field."""

    def begin(self) -> Mapping[str, Any]:
        """Values after a reset."""
        ...

    def advance(self) -> Mapping[str, Any]:
        """Values after a step."""
        ...


class SubgoalReward:
    """What subgoals pay, as in training; called as `compute_reward` is, step after step.

    Args:
        subgoals: the program.
        weight: of a subgoal, the first time that an episode reaches it.
        decay: what each step of the episode multiplies that by.
        ordered: a subgoal counts only once all that are named before it were reached, or with them.
        potential: pay the difference of a potential, the weight of all that was reached so far.
        discount: of the potential.
    """

    def __init__(
        self,
        subgoals: Callable[..., Any],
        weight: float = 0.1,
        decay: float = 1.0,
        ordered: bool = False,
        potential: bool = False,
        discount: float = 0.99,
    ) -> None:
        self.subgoals, self.weight, self.decay = subgoals, weight, decay
        self.ordered, self.potential, self.discount = ordered, potential, discount
        self.begin()

    def begin(self) -> None:
        """An episode begins: nothing is reached."""
        self.reached: dict[str, Any] = {}
        self.age = 0

    def __call__(
        self, state: Any, action: Any, next_state: Any, terminated: bool = False
    ) -> tuple[Any, dict[str, Any]]:
        """The total and what each subgoal pays; `terminated` where the step ended the episode, but for the horizon."""
        terms, all_before = {}, True
        for name, now in self.subgoals(state, action, next_state).items():
            before = self.reached.get(name, np.zeros_like(now))
            after = before | now
            if self.ordered:
                all_before = all_before & after
                after = before | all_before
            if self.potential:
                # nothing is left to come where an episode has ended
                terms[name] = self.weight * (self.discount * (after & (not terminated)) - before)
            else:
                terms[name] = self.weight * self.decay**self.age * (after & ~before)
            self.reached[name] = after
        self.age += 1
        return sum(terms.values()), terms


class RewardWrapper(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Replaces an environment's reward by `compute_reward`'s; `info["reward_terms"]` has the terms.

    Where the program tells subgoals, what they pay is added to the environment's own reward.

    Where the program reads `episode.time`, observations end with the share of the horizon that has passed, as those
    that its policy was trained on.

    Args:
        env: with flat box or discrete actions; with flat box observations where the program reads the time.
        compute_reward: the program.
        fields: what it reads, by path: the reader's name for it, its shape and its kind.
        reader: reads the state out of the environment.
        dt: seconds a step.
        horizon: steps that an episode lasts at most.
        ends_natively: whether the environment's own rule ends episodes; else only truncation does.
    """

    def __init__(
        self,
        env: Any,
        compute_reward: Any,
        fields: Mapping[str, tuple[str, tuple[int, ...], str]],
        reader: Any,
        dt: float,
        horizon: int,
        ends_natively: bool = True,
    ) -> None:
        super().__init__(env)
        self._space: Any = env.action_space
        self._discrete = isinstance(self._space, gymnasium.spaces.Discrete)
        self.compute_reward, self.fields, self.reader = compute_reward, fields, reader
        self.dt, self.horizon, self.ends_natively = dt, horizon, ends_natively
        self._pays_subgoals = hasattr(compute_reward, "begin")  # an instance of SubgoalReward
        self._observes_time = "episode.time" in fields
        if self._observes_time:
            space = env.observation_space
            low, high = (np.append(bound, at).astype(space.dtype) for bound, at in ((space.low, 0), (space.high, 1)))
            self.observation_space = gymnasium.spaces.Box(low, high, dtype=space.dtype)

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """As the environment's own, with the time where the program reads it."""
        observation, info = self.env.reset(**options)
        if self._pays_subgoals:
            self.compute_reward.begin()
        self._elapsed, self._previous = 0, np.array(-1) if self._discrete else np.zeros_like(self._space.low)
        self._start = dict(self.reader.begin())
        self._state = self._view(self._start)
        return self._observe(observation), info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """As the environment's own, with the program's reward; `info["native_reward"]` has the other.

        A discrete action may also be an array that holds one number, as a policy of ours gives.
        """
        if self._discrete:
            action = np.int64(np.asarray(action).item())
            applied = action - self._space.start
        else:
            applied = np.clip(np.asarray(action, np.float64), self._space.low, self._space.high)
        observation, native, terminated, truncated, info = self.env.step(action)
        self._elapsed, self._previous = self._elapsed + 1, applied
        after = self._view(self.reader.advance())
        told = (bool(terminated),) if self._pays_subgoals else ()
        total, terms = self.compute_reward(self._state, applied[None], after, *told)
        self._state = after
        info["native_reward"] = native
        info["reward_terms"] = {name: float(np.asarray(value)[0]) for name, value in terms.items()}
        reward, ends = float(np.asarray(total)[0]), terminated and self.ends_natively
        if self._pays_subgoals:
            reward += float(native)
        return self._observe(observation), reward, ends, truncated, info

    def _observe(self, observation: Any) -> Any:
        if not self._observes_time:
            return observation
        return np.append(observation, self._elapsed / self.horizon).astype(self.observation_space.dtype)

    def _view(self, values: Mapping[str, Any]) -> SimpleNamespace:
        """The namespace that the program reads, for one environment."""
        root = SimpleNamespace()
        for path, (source, shape, kind) in self.fields.items():
            if path == "episode.time":
                value: Any = self._elapsed * self.dt
            elif path == "episode.previous_action":
                value = self._previous
            else:
                value = (self._start if path.startswith("start.") else values)[source]
            dtype = {"float": np.float64, "int": np.int64, "bool": np.bool_}[kind]
            *parents, name = path.split(".")
            node = root
            for parent in parents:
                if not hasattr(node, parent):
                    setattr(node, parent, SimpleNamespace())
                node = getattr(node, parent)
            setattr(node, name, np.array(value, np.float64).reshape(1, *shape).astype(dtype))
        return root
