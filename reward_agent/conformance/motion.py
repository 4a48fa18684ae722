"""Are velocities the rates of the positions beside them? For fields that no witness tells.

Over a step from one instant to the next the rate of a position is the mean of the velocity, and that is not known:
only the velocity at both ends is. It is taken to lie about their mean, no further off than they differ, and a tenth of
the usual speed to spare. An impact in between breaks that rightly, and so does a thing that is put elsewhere; both are
rare, so that a share of the steps may disagree. Measured on eleven robots thrown about by random actions, at most one
step in twenty does; with a wrong sign, about half do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from reward_agent.conformance.finding import Finding, failed, listed, passed
from reward_agent.conformance.subject import Subject
from reward_agent.conformance.values import is_quaternion
from reward_agent.schema import Array, Field

NAME = "motion"
RATES = (
    ("position", "linear_velocity"),
    ("position", "velocity"),
    ("positions", "velocities"),
    ("angle", "velocity"),
    ("angles", "velocities"),
    ("orientation", "angular_velocity"),
)
"""Fields of one entity of which the second is the rate of the first."""
SPARE = 0.1
STILL = 1e-3
"""Slower than this, in units a second, counts as still."""
FEW = 0.2
"""Share of steps that may disagree."""


class _Motion(NamedTuple):
    """Over all steps of all traces; `(T, width)` each."""

    rate: Array
    before: Array
    after: Array
    step: Array
    """`(T,)`: the number of the step."""


def motion(subject: Subject) -> Iterator[Finding]:
    """Positions move as the velocities beside them say."""
    told = set(subject.testimony[0].told) if subject.testimony else set()
    pairs = [pair for pair in _pairs(subject) if not {field.path for field in pair} <= told]
    wrong, moving = [], 0
    for position, velocity in pairs:
        seen = _motion(subject, position, velocity)
        moved = max(float(np.abs(part).max(initial=0.0)) for part in (seen.rate, seen.before, seen.after)) > STILL
        moving += moved
        disagree = _disagreeing(seen)
        if moved and disagree.mean() > FEW:
            wrong.append(_told(position, velocity, seen, disagree))
    if wrong:
        yield failed(
            NAME,
            wrong[0] + (f" Also: {listed(wrong[1:], 2)}" if wrong[1:] else ""),
            contract="A velocity is the rate of the position (or angle, or orientation) of its own entity, in the "
            "world's axes and the unit the schema says; a step lasts `World.dt`.",
            change="Look for a body's own axes, another point of the body (its centre of mass), another unit or sign, "
            "quaternions that are not wxyz, values from before the step, or a wrong `dt`. Where the two mean different "
            "things, give them names that say so.",
        )
    elif pairs:
        yield passed(NAME, f"Pairs of a position and its rate: {len(pairs)}, of which {moving} moved and agree.")
    else:
        beside = " that the witness does not tell of" if told else ""
        yield passed(NAME, f"No velocity{beside} has a position beside it.")


def _pairs(subject: Subject) -> Iterator[tuple[Field, Field]]:
    fields = subject.schema.by_path
    for field in fields.values():
        for name, rate in RATES:
            velocity = fields.get(f"{field.entity}.{rate}")
            if field.name != name or velocity is None:
                continue
            turns = is_quaternion(field) and velocity.shape == (3,) and velocity.unit == "rad/s"
            if turns or (field.shape == velocity.shape and velocity.unit == f"{field.unit}/s"):
                yield field, velocity


def _motion(subject: Subject, position: Field, velocity: Field) -> _Motion:
    places, speeds = subject.schema.columns[position.path], subject.schema.columns[velocity.path]
    dt = subject.task.world.dt
    parts = []
    for trace in subject.traces:
        at = trace.stepped
        before, after = trace.states[at - 1], trace.states[at]
        if is_quaternion(position):
            turned = _rotation(before[:, places], after[:, places])
        else:
            turned = after[:, places] - before[:, places]
            if position.unit == "rad":  # an angle may be kept within a turn
                turned = np.where(np.abs(turned) > np.pi, turned - 2 * np.pi * np.round(turned / (2 * np.pi)), turned)
        parts.append(_Motion(turned / dt, before[:, speeds], after[:, speeds], trace.steps[at].astype(float)))
    return _Motion(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _disagreeing(seen: _Motion) -> Array:
    """`(T,)`: steps whose rate is not what the velocities allow."""
    mean = (seen.before + seen.after) / 2
    off, apart = np.linalg.norm(seen.rate - mean, axis=1), np.linalg.norm(seen.after - seen.before, axis=1)
    usual = float(np.sqrt((mean**2).sum(axis=1).mean()))
    result: Array = off > apart + SPARE * usual + STILL
    return result


def _told(position: Field, velocity: Field, seen: _Motion, disagree: Array) -> str:
    at = int(np.argmax(disagree))
    rate, before, after = (_numbers(part[at]) for part in (seen.rate, seen.before, seen.after))
    return (
        f"`{velocity.path}` is not the rate of `{position.path}` in {disagree.mean():.0%} of {len(disagree)} steps: "
        f"over step {int(seen.step[at])} the rate is {rate} {velocity.unit}, the velocity {before} and then {after}."
    )


def _numbers(values: Array) -> str:
    shown = ", ".join(f"{value:.3g}" for value in values[:4])
    return f"({shown}{', …' if len(values) > 4 else ''})" if len(values) > 1 else shown


def _rotation(before: Array, after: Array) -> Array:
    """The rotation that leads from one orientation to another, in the world's axes, as a vector `(T, 3)` in rad."""
    w, v = before[:, :1], -before[:, 1:]
    real = after[:, :1] * w - (after[:, 1:] * v).sum(axis=1, keepdims=True)
    imaginary = after[:, :1] * v + w * after[:, 1:] + np.cross(after[:, 1:], v)
    imaginary *= np.where(real < 0, -1.0, 1.0)
    length = np.linalg.norm(imaginary, axis=1, keepdims=True)
    angle = 2 * np.arctan2(length, np.abs(real))
    rotation: Array = imaginary * (angle / np.maximum(length, 1e-12))
    return rotation
