"""How episodes are judged: by the environment's own criterion, and by how near they come where it never holds."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from reward_agent.envs.robotics.goals import REACHED
from reward_agent.task import Episode, Metric

BY = "by gymnasium-robotics' own test"


def success_at_end(criterion: str) -> Metric:
    """Success: `criterion` holds at the last step, as gymnasium-robotics' `is_success` of that step says."""
    doc = f"at the last step, {criterion}"
    at_end = f"at the last step, {BY}"
    return Metric("success", "success", doc, (REACHED,), lambda e: float(e.state.goal.reached[-1]), at_end)


def success_held(criterion: str, steps: int) -> Metric:
    """Success: `criterion` holds in more than `steps` of the episode's steps.

    As counted where these tasks first appeared (Rajeswaran et al. 2018, DAPG): more than 25, for the pen 20.
    """

    def score(episode: Episode) -> float:
        return float(episode.state.goal.reached[1:].sum() > steps)

    when = f"in more than {steps} steps of the episode, "
    return Metric("success", "success", when + criterion, (REACHED,), score, when + BY)


def success_once(criterion: str) -> Metric:
    """Success: `criterion` holds at any step, the reset left out."""
    doc = f"at any step, {criterion}"
    once = f"once, {BY}"
    return Metric("success_once", "success", doc, (REACHED,), lambda e: float(e.state.goal.reached[1:].any()), once)


def final_distance(first: str, second: str) -> Metric:
    """Fitness: minus the distance between the two at the last state, in m."""

    def score(episode: Episode) -> float:
        one, other = (_at(episode.state, f"{name}.position")[-1] for name in (first, second))
        return -float(np.linalg.norm(one - other))

    doc = f"minus the distance [m] from {first} to {second} at the last state"
    return Metric("final_distance", "fitness", doc, (f"{first}.position", f"{second}.position"), score)


def final_reach(pairs: dict[str, str]) -> Metric:
    """Fitness: minus the root of the summed squared distances at the last state, in m, as the environment has it.

    Args:
        pairs: field of a place to field of where it should be.
    """

    def score(episode: Episode) -> float:
        apart = [_at(episode.state, one)[-1] - _at(episode.state, other)[-1] for one, other in pairs.items()]
        return -float(np.linalg.norm(apart))

    doc = "minus the root of the summed squared distances [m] of the five tips from their goals at the last state"
    return Metric("final_distance", "fitness", doc, (*pairs, *pairs.values()), score)


def final_angle(of: str = "whole") -> Metric:
    """Fitness: minus the angle that the object still has to turn at the last state, in rad.

    Args:
        of: `whole` for the object as it is, `axis` for its z axis alone.
    """

    def score(episode: Episode) -> float:
        one, other = episode.state.object.orientation[-1], episode.state.goal.orientation[-1]
        if of == "axis":
            return -float(np.arccos(np.clip(_z_axis(one) @ _z_axis(other), -1.0, 1.0)))
        return -2.0 * float(np.arccos(np.clip(abs(one @ other), 0.0, 1.0)))

    what = "the object's z axis" if of == "axis" else "the object"
    doc = f"minus the angle [rad] between {what} and its goal at the last state"
    return Metric("final_angle", "fitness", doc, ("object.orientation", "goal.orientation"), score)


def work_left() -> Metric:
    """Fitness: minus what is left to do with a hammer at the last state, in m; the nail's way counts ten times.

    The nail alone would tell nothing of episodes in which it was never hit.
    """
    pairs = {"palm": "hammer", "hammer_head": "nail", "nail": "nail_goal"}

    def score(episode: Episode) -> float:
        ways = [final_distance(one, other).score(episode) for one, other in pairs.items()]
        return ways[0] + ways[1] + 10 * ways[2]

    doc = "minus the distances [m] at the last state: palm to hammer, its head to the nail, ten times nail to its end"
    fields = tuple(f"{name}.position" for name in dict.fromkeys((*pairs, *pairs.values())))
    return Metric("work_left", "fitness", doc, fields, score)


def final_value(name: str, path: str, doc: str, of: Callable[[Any], float] = float) -> Metric:
    """Fitness: what `of` makes of a field at the last state."""
    return Metric(name, "fitness", doc, (path,), lambda episode: of(_at(episode.state, path)[-1]))


def final_alignment(top: str, bottom: str, target_top: str, target_bottom: str) -> Metric:
    """Fitness: minus the angle between the two axes at the last state, in rad."""
    paths = tuple(f"{name}.position" for name in (top, bottom, target_top, target_bottom))

    def score(episode: Episode) -> float:
        one, other, third, fourth = (_at(episode.state, path)[-1] for path in paths)
        first, second = one - other, third - fourth
        cosine = first @ second / (np.linalg.norm(first) * np.linalg.norm(second))
        return -float(np.arccos(np.clip(cosine, -1.0, 1.0)))

    return Metric("final_angle", "fitness", "minus the angle [rad] from the target's at the last state", paths, score)


def _at(state: SimpleNamespace, path: str) -> Any:
    value: Any = state
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _z_axis(quaternion: Any) -> Any:
    w, x, y, z = quaternion
    return np.array([2 * (x * z + w * y), 2 * (y * z - w * x), w * w - x * x - y * y + z * z])
