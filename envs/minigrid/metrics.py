"""Metrics of every MiniGrid task: its own success, and how soon it came."""

from __future__ import annotations

import numpy as np

from reward_agent.envs.minigrid.schema import SUCCESS
from reward_agent.task import Episode, Metric


def success() -> Metric:
    """Success: after a step the agent stood on the goal, or carried what it was to pick up."""
    doc = "MiniGrid's own: the agent came to stand on the goal, or to carry what it was to pick up"
    counts = "once, by MiniGrid's own test, which ends the episode"
    return Metric("success", "success", doc, (SUCCESS,), lambda episode: float(_passed(episode).any()), counts)


def quickness(horizon: int) -> Metric:
    """Fitness: the share of the horizon that was left at success, 0 without one. It breaks ties of success.

    Args:
        horizon: the task's.
    """

    def score(episode: Episode) -> float:
        passed = _passed(episode)
        return 1.0 - (int(np.argmax(passed)) + 1) / horizon if passed.any() else 0.0

    doc = f"1 - (steps to success) / {horizon}, the horizon; 0 without success"
    return Metric("quickness", "fitness", doc, (SUCCESS,), score)


def _passed(episode: Episode) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    passed: np.ndarray[tuple[int], np.dtype[np.bool_]] = episode.state.outcome.success[1:]
    return passed
