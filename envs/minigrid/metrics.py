"""Metrics of MiniGrid tasks: its own success, how far an episode came towards it, and how soon it succeeded."""

from __future__ import annotations

import numpy as np

from reward_agent.envs.minigrid.cells import KEY
from reward_agent.envs.minigrid.names import SUCCESS
from reward_agent.task import Bools, Episode, Metric


def success() -> Metric:
    """Success: after a step the agent stood on the goal, or carried what it was to pick up."""
    doc = "MiniGrid's own: the agent came to stand on the goal, or to carry what it was to pick up"
    counts = "once, by MiniGrid's own test, which ends the episode"
    return Metric("success", "success", doc, (SUCCESS,), lambda episode: float(_passed(episode).any()), counts)


def stages() -> Metric:
    """Fitness, of tasks with a lock: the share of three stages that were passed at any time."""

    def score(episode: Episode) -> float:
        held, unlocked = episode.state.agent.carrying == KEY, ~episode.state.door.locked
        return float(np.mean([held.any(), unlocked.any(), _passed(episode).any()]))

    doc = "share of the stages passed at any time: the key in hand, the door unlocked, success"
    return Metric("stages", "fitness", doc, ("agent.carrying", "door.locked", SUCCESS), score)


def way_made() -> Metric:
    """Fitness, of tasks with lava: the share of the way to the goal that was made at the end, 0 in lava."""

    def score(episode: Episode) -> float:
        lengths, burnt = episode.state.goal.path_length, episode.state.lava.distance == 0
        return 0.0 if burnt.any() else float(1.0 - lengths[-1] / lengths[0])

    doc = "1 - (length of the way to the goal at the end) / (the same at reset); 0 for who walked into lava"
    return Metric("way_made", "fitness", doc, ("goal.path_length", "lava.distance"), score)


def quickness(horizon: int) -> Metric:
    """Fitness: the share of the horizon that was left at success, 0 without one; it tells successes apart.

    Args:
        horizon: the task's.
    """

    def score(episode: Episode) -> float:
        passed = _passed(episode)
        return 1.0 - (int(np.argmax(passed)) + 1) / horizon if passed.any() else 0.0

    doc = f"1 - (steps to success) / {horizon}, the horizon; 0 without success"
    return Metric("quickness", "fitness", doc, (SUCCESS,), score)


def _passed(episode: Episode) -> Bools:
    passed: Bools = episode.state.outcome.success[1:]
    return passed
