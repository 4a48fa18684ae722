"""Metrics of ManiSkill's tasks: its own success, once and at the end, and what of the way was gone, in numbers."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from reward_agent.envs.maniskill.schema import SUCCESS
from reward_agent.schema import Array
from reward_agent.task import Episode, Metric

LAST = 5
"""States at the end of an episode that a final distance is the mean of: a quarter of a second."""
BY = "by ManiSkill's `evaluate()`"
REACH = 0.25
"""Share of `progress` that bringing the hand to the thing makes."""

Remaining = Callable[[SimpleNamespace, SimpleNamespace], Array]
"""How far the goal is, `(T+1,)`, by an episode's states and the task's constants; 0 where it is met."""


def success() -> Metric:
    """ManiSkill's success, at any state after the first action."""
    doc = "1 where ManiSkill's `evaluate()` tells success at any state after the first action, else 0"
    once = f"once, {BY}"
    return Metric("success", "success", doc, (SUCCESS,), lambda episode: float(_verdicts(episode)[1:].any()), once)


def success_at_end() -> Metric:
    """ManiSkill's success, at the last state."""
    doc = "1 where ManiSkill's `evaluate()` tells success at the last state, else 0"
    at_end = f"at the last state, {BY}"
    return Metric("success_at_end", "success", doc, (SUCCESS,), lambda episode: float(_verdicts(episode)[-1]), at_end)


def native(*others: Metric) -> tuple[Metric, ...]:
    """Success, what grades it, and success at the end: a task's metrics in their order."""
    return success(), *others, success_at_end()


def lifted(height: float, slow: float) -> tuple[Metric, Metric]:
    """Success, once and at the end, of lifting the cube: ManiSkill2's LiftCube, which ManiSkill3 has no more.

    Args:
        height: that the cube's centre must be above where it is when it lies on the table [m].
        slow: at which every joint of the arm must be, at most [rad/s].
    """
    fields = ("cube.position", "joints.velocities")

    def holds(episode: Episode) -> Array:
        rest = episode.constants.table_top + episode.constants.cube_half_size[2]
        high = episode.state.cube.position[:, 2] >= rest + height
        result: Array = high & (np.abs(episode.state.joints.velocities).max(axis=1) <= slow)
        return result

    what = f"the cube's centre is {height:g} m or more above its place on the table and no joint of the arm is faster "
    what += f"than {slow:g} rad/s"
    once = f"1 where {what} at any state after the first action, else 0"
    return (
        Metric("success", "success", once, fields, lambda episode: float(holds(episode)[1:].any())),
        Metric(
            "success_at_end",
            "success",
            f"1 where {what} at the last state, else 0",
            fields,
            lambda episode: float(holds(episode)[-1]),
        ),
    )


def progress(thing: str, remaining: Remaining, doc: str, *fields: str, hand: str = "gripper") -> Metric:
    """Fitness from 0 to 1: a quarter for bringing the hand to the thing, the rest for bringing the thing to the goal.

    Each part is the share of the distance at reset that is gone, within 0 and 1: of the hand's at the nearest, of the
    goal's as the mean over the last `LAST` states. Where there was nothing to go, all of it is gone.

    Args:
        thing: the entity that the hand must reach; its origin counts.
        remaining: the distance to the goal.
        doc: what that distance is.
        fields: that `remaining` reads.
        hand: the entity that must reach it.
    """

    def score(episode: Episode) -> float:
        state = episode.state
        apart = np.linalg.norm(getattr(state, hand).position - getattr(state, thing).position, axis=1)
        far = np.asarray(remaining(state, episode.constants), float)
        return REACH * _gone(apart[0], apart.min()) + (1 - REACH) * _gone(far[0], far[-LAST:].mean())

    text = (
        f"0 to 1: {REACH:g} for the share of the way from the {hand} to the {thing} that was gone at the nearest, "
        f"{1 - REACH:g} for the share that is gone of {doc}, mean of the last {LAST} states"
    )
    read = dict.fromkeys((f"{hand}.position", f"{thing}.position", *fields))
    return Metric("progress", "fitness", text, tuple(read), score)


def coverage() -> Metric:
    """Fitness of PushT from 0 to 1: ManiSkill's share of the goal that the T covers, at the end."""
    path = "evaluation.coverage"
    doc = "0 to 1: share of the goal's area that the T covers, by ManiSkill's picture of 64 by 64 points, "
    doc += f"mean of the last {LAST} states"
    return Metric(
        "coverage", "fitness", doc, (path,), lambda episode: float(episode.state.evaluation.coverage[-LAST:].mean())
    )


def distance(first: Any, second: Any, axes: int = 3) -> Array:
    """Between two points `(…, 3)`; with `axes=2` in the horizontal plane alone."""
    result: Array = np.linalg.norm((first - second)[..., :axes], axis=-1)
    return result


def angle_between(first: Array, second: Array) -> Array:
    """Least angle [rad] that turns one orientation `(…, 4)` into the other."""
    result: Array = 2 * np.arccos(np.clip(np.abs((first * second).sum(-1)), 0.0, 1.0))
    return result


def _verdicts(episode: Episode) -> Array:
    return np.asarray(episode.state.evaluation.success, bool)


def _gone(start: float, now: float) -> float:
    """The share of a distance that is gone."""
    return 1.0 if start <= 0 else float(np.clip(1.0 - now / start, 0.0, 1.0))
