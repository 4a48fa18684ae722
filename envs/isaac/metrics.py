"""Metrics of the nine tasks that Eureka and ICPL set in Isaac Gym, exact from states alone.

They follow the fitness functions of Eureka (arXiv 2310.12931, appendix) in what they measure; where a paper's function
is a running mean over a batch of environments, this is its value for one episode.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from reward_agent.schema import Array
from reward_agent.task import Episode, Metric

OPEN = 0.39
"""Metres of the drawer from which FrankaCabinet counts as open."""
ALIGNED = 0.1
"""Radians within which a hand's object counts as turned to its goal."""


def time_alive() -> Metric:
    """Fitness: seconds before the task's own rule ended the episode, all of it where none did."""

    def score(episode: Episode) -> float:
        return float((len(episode.action) - int(episode.terminated)) * episode.dt)

    return Metric("time_alive", "fitness", "seconds until the episode was terminated or reached its horizon", (), score)


def distance_forward(actor: str) -> Metric:
    """Fitness: metres that the actor's root moved along +x between reset and the last state."""

    def score(episode: Episode) -> float:
        x = getattr(episode.state, actor).position[:, 0]
        return float(x[-1] - x[0])

    doc = f"metres the {actor} moved along +x from reset to the last state"
    return Metric("distance", "fitness", doc, (f"{actor}.position",), score)


def nearness(actor: str, place: tuple[float, float, float], seconds: float = 1.0) -> Metric:
    """Fitness: minus the mean distance, metres, of the actor from a place over the last `seconds`."""

    def score(episode: Episode) -> float:
        apart = np.linalg.norm(getattr(episode.state, actor).position - np.array(place), axis=-1)
        return -float(apart[-max(1, round(seconds / episode.dt)) :].mean())

    doc = f"minus the mean distance, m, from the {actor} to {place} over the last {seconds:g} s"
    return Metric("nearness", "fitness", doc, (f"{actor}.position",), score)


def opened(joint: str) -> tuple[Metric, Metric]:
    """Success: the joint is further out than `OPEN` in the last state; fitness: how far out it is there, metres."""
    path = f"joints.{joint}.position"

    def out(episode: Episode) -> float:
        return float(getattr(episode.state.joints, joint).position[-1])

    success = f"{joint} is more than {OPEN:g} m out in the last state"
    return (
        Metric("success", "success", success, (path,), lambda episode: float(out(episode) > OPEN)),
        Metric("opening", "fitness", f"metres that {joint} is out in the last state", (path,), out),
    )


def tracking(actor: str, command: str) -> Metric:
    """Fitness: minus the mean over states of how far velocity is from what was asked.

    The error is the length of the horizontal velocity's error (m/s) plus that of the yaw rate (rad/s), both in the
    actor's own frame.
    """

    def score(episode: Episode) -> float:
        body, asked = getattr(episode.state, actor), _at(episode.state, command)
        linear = to_own_frame(body.orientation, body.linear_velocity)[:, :2]
        yaw = to_own_frame(body.orientation, body.angular_velocity)[:, 2]
        errors = np.linalg.norm(linear - asked[:, :2], axis=-1) + np.abs(yaw - asked[:, 2])
        return -float(errors[1:].mean())

    doc = "minus the mean error of velocity: horizontal, m/s, plus yaw rate, rad/s, in the robot's frame"
    names = ("orientation", "linear_velocity", "angular_velocity")
    return Metric("tracking", "fitness", doc, (*(f"{actor}.{name}" for name in names), command), score)


def goals_reached(actor: str, goal: str) -> Metric:
    """Fitness: states after the first in which the actor is turned to its goal within `ALIGNED`.

    The task sets another goal at the step that follows such a state, so that each counts once.
    """

    def score(episode: Episode) -> float:
        apart = angle_between(getattr(episode.state, actor).orientation, getattr(episode.state, goal).orientation)
        return float((apart[1:] <= ALIGNED).sum())

    doc = f"goals to which the {actor} was turned within {ALIGNED:g} rad, one after another"
    return Metric("goals_reached", "fitness", doc, (f"{actor}.orientation", f"{goal}.orientation"), score)


def to_own_frame(orientation: Array, vector: Array) -> Array:
    """World vectors `(..., 3)` as seen from frames with quaternions wxyz `(..., 4)`."""
    w, axis = orientation[..., :1], -orientation[..., 1:]
    twice = 2.0 * np.cross(axis, vector)
    turned: Array = vector + w * twice + np.cross(axis, twice)
    return turned


def angle_between(one: Array, other: Array) -> Array:
    """Radians, 0 to pi, of the turn between unit quaternions `(..., 4)`."""
    cosine = np.abs((one * other).sum(-1)).clip(0.0, 1.0)
    angle: Array = 2.0 * np.arccos(cosine)
    return angle


def _at(state: SimpleNamespace, path: str) -> Any:
    node: Any = state
    for name in path.split("."):
        node = getattr(node, name)
    return node
