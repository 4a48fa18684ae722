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


class RewardWrapper(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Replaces an environment's reward by `compute_reward`'s; `info["reward_terms"]` has the terms.

    Args:
        env: with box actions.
        compute_reward: the program.
        fields: what it reads, by path: the reader's name for it, its shape and its kind.
        reader: reads the state out of the environment.
        dt: seconds a step.
        ends_natively: whether the environment's own rule ends episodes; else only truncation does.
    """

    def __init__(
        self,
        env: Any,
        compute_reward: Callable[..., Any],
        fields: Mapping[str, tuple[str, tuple[int, ...], str]],
        reader: Any,
        dt: float,
        ends_natively: bool = True,
    ) -> None:
        super().__init__(env)
        self._low, self._high = env.action_space.low, env.action_space.high
        self.compute_reward, self.fields, self.reader = compute_reward, fields, reader
        self.dt, self.ends_natively = dt, ends_natively

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        """As the environment's own."""
        observation, info = self.env.reset(**options)
        self._time, self._previous = 0.0, np.zeros_like(self._low)
        self._start = dict(self.reader.begin())
        self._state = self._view(self._start)
        return observation, info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """As the environment's own, with the program's reward; `info["native_reward"]` has the other."""
        applied = np.clip(np.asarray(action, np.float64), self._low, self._high)
        observation, native, terminated, truncated, info = self.env.step(action)
        self._time, self._previous = self._time + self.dt, applied
        after = self._view(self.reader.advance())
        total, terms = self.compute_reward(self._state, applied[None], after)
        self._state = after
        info["native_reward"] = native
        info["reward_terms"] = {name: float(np.asarray(value)[0]) for name, value in terms.items()}
        return observation, float(np.asarray(total)[0]), terminated and self.ends_natively, truncated, info

    def _view(self, values: Mapping[str, Any]) -> SimpleNamespace:
        """The namespace that the program reads, for one environment."""
        root = SimpleNamespace()
        for path, (source, shape, kind) in self.fields.items():
            if path == "episode.time":
                value: Any = self._time
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
