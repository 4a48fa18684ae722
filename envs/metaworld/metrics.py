"""Metrics of every Meta-World task: its own success, and how much of the way was covered."""

from __future__ import annotations

import numpy as np

from reward_agent.envs.metaworld.names import SUCCESS
from reward_agent.task import Episode, Metric

BY = "by Meta-World's own test"


def success() -> Metric:
    """Success: Meta-World's own test passed after at least one step of the episode, as Meta-World counts it."""
    doc = "Meta-World's own test of success passed after at least one step of the episode"
    return Metric("success", "success", doc, (SUCCESS,), lambda episode: float(_passed(episode).any()), f"once, {BY}")


def success_at_end() -> Metric:
    """Success: Meta-World's own test passed after the last step."""
    doc = "Meta-World's own test of success passed after the last step"
    at_end = f"at the last step, {BY}"
    return Metric("success_at_end", "success", doc, (SUCCESS,), lambda episode: float(_passed(episode)[-1]), at_end)


def progress(entity: str, axes: str = "xyz") -> Metric:
    """Fitness: the share of its way to the goal that the named part has covered when the episode ends.

    One minus its distance to the goal at the end over that at reset: 0 where it was, 1 at the goal, and -1 for
    anything further away than twice the way.

    Args:
        entity: whose position.
        axes: of the world, along which the distance is taken.
    """
    columns = ["xyz".index(axis) for axis in axes]

    def score(episode: Episode) -> float:
        apart = getattr(episode.state, entity).position - episode.state.goal.position
        distance = np.linalg.norm(apart[:, columns], axis=-1)
        return float(max(1.0 - distance[-1] / max(distance[0], 1e-9), -1.0))

    along = "" if axes == "xyz" else f", measured along {' and '.join(axes)}"
    doc = f"1 - (distance of {entity} to goal at the end) / (the same at reset), at least -1{along}"
    return Metric("progress", "fitness", doc, (f"{entity}.position", "goal.position"), score)


def _passed(episode: Episode) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    passed: np.ndarray[tuple[int], np.dtype[np.bool_]] = episode.state.outcome.success[1:]
    return passed
