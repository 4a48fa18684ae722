"""Observations and rewards scaled by their running moments, as stable-baselines3 does it, at a lower cost a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecNormalize
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn

from reward_agent.optimise.sb3 import Advance, Rewarded, TaskVecEnv
from reward_agent.schema import Array


class Normalise(VecNormalize):  # type: ignore[misc]
    """`VecNormalize` for flat observations: the same statistics and results, at under half the cost a step."""

    returns: Array
    venv: TaskVecEnv

    def step_wait(self) -> VecEnvStepReturn:
        observations, dones, infos = self.advance()
        return observations, self.rewards().rewards[0], dones, infos

    def advance(self) -> Advance:
        """As `TaskVecEnv.advance`, scaled."""
        observations, dones, infos = self.venv.advance()
        self.old_obs = observations
        if self.training and self.norm_obs:
            self._update(self.obs_rms, observations)
        if dones.any():
            for row in np.flatnonzero(dones):
                infos[row]["terminal_observation"] = self.normalize_obs(infos[row]["terminal_observation"])
        return Advance(self.normalize_obs(observations), dones, infos)

    def rewards(self) -> Rewarded:
        """As `TaskVecEnv.rewards`, scaled: each step's by the statistics up to it."""
        raw, dones = self.venv.rewards()
        rewards = raw.astype(np.float32)
        self.old_reward = rewards[-1]
        if not self.norm_reward:
            return Rewarded(rewards, dones)
        scaled = np.empty_like(rewards)
        for step, (reward, done) in enumerate(zip(rewards, dones, strict=True)):
            if self.training:
                self.returns = self.returns * self.gamma + reward
                self._update(self.ret_rms, self.returns)
                self.returns[done] = 0
            scaled[step] = self.normalize_reward(reward)
        return Rewarded(scaled, dones)

    def normalize_obs(self, obs: Any) -> Any:
        """As `VecNormalize`, without its defensive deep copy."""
        if not self.norm_obs:
            return obs
        scaled = (obs - self.obs_rms.mean) / np.sqrt(self.obs_rms.var + self.epsilon)
        return np.minimum(np.maximum(scaled, -self.clip_obs), self.clip_obs).astype(np.float32)

    @staticmethod
    def _update(statistics: Any, batch: NDArray[Any]) -> None:
        """Merge a batch's moments (Chan et al. 1979), in float64."""
        rows = len(batch)
        values = batch.astype(np.float64)
        mean = values.sum(0) / rows
        values -= mean
        squares = np.einsum("i...,i...->...", values, values)
        total = statistics.count + rows
        delta = mean - statistics.mean
        statistics.var = (
            statistics.var * statistics.count + squares + delta * delta * (statistics.count * rows / total)
        ) / total
        statistics.mean = statistics.mean + delta * (rows / total)
        statistics.count = total

    def save_statistics(self) -> dict[str, NDArray[Any]]:
        """Everything `restore_statistics` needs to go on bit for bit."""
        saved = {"returns": self.returns}
        for name, statistics in self._statistics():
            saved[f"{name}.mean"] = np.array(statistics.mean, np.float64)
            saved[f"{name}.var"] = np.array(statistics.var, np.float64)
            saved[f"{name}.count"] = np.array(statistics.count, np.float64)
        return {f"normalise.{k}": v.copy() for k, v in saved.items()}

    def restore_statistics(self, saved: Mapping[str, NDArray[Any]]) -> None:
        self.returns = saved["normalise.returns"].copy()
        for name, statistics in self._statistics():
            statistics.mean = saved[f"normalise.{name}.mean"].copy()
            statistics.var = saved[f"normalise.{name}.var"].copy()
            statistics.count = float(saved[f"normalise.{name}.count"])

    def _statistics(self) -> tuple[tuple[str, Any], ...]:
        # of observations that are left as they are, there are none
        return (("return", self.ret_rms), *([("observation", self.obs_rms)] if self.norm_obs else []))
