"""Are velocities the rates of the positions beside them? It needs no witness, and catches what one repeats.

Over a step the rate of a position is the mean of the velocity within it, and that is not known: only the velocity at
both ends is. So a pair is only doubted where in many steps the rate lies further from the mean of the two than they
differ; then all steps together decide, by the angle between rates and mean velocities (its cosine) and by their ratio.
Impacts, controllers that swing within a step, and things that are put elsewhere spoil single steps rightly, so the
bounds are wide. What they let pass and what they catch was measured on 85 tasks: see docs/conformance.md.
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
"""Share of the usual speed that a rate may be off besides."""
STILL = 0.05
"""Positions that change more slowly than this, in units a second, are not looked at: what rests also trembles."""
FEW = 0.2
"""Share of steps that may disagree with no more said."""
COSINE, RATIO = 0.5, (0.6, 1.7)
"""Of rates to mean velocities over all steps: the least, and between what."""


class _Motion(NamedTuple):
    """Over all steps of all traces; `(T, width)` each."""

    rate: Array
    before: Array
    after: Array
    step: Array
    """`(T,)`: the number of the step."""


def motion(subject: Subject) -> Iterator[Finding]:
    """Positions move as the velocities beside them say."""
    pairs = list(_pairs(subject))
    wrong, moving = [], 0
    for position, velocity in pairs:
        seen = _motion(subject, position, velocity)
        moved = bool(_usual(seen.rate) > STILL)
        moving += moved
        wrong += [said] if moved and (said := _problem(position, velocity, seen)) else []
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
    else:
        yield passed(NAME, f"Pairs of a position and its rate: {len(pairs)}, of which {moving} moved and agree.")


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


def _problem(position: Field, velocity: Field, seen: _Motion) -> str:
    """Why a velocity is not the rate of a position; empty where it may well be."""
    mean = (seen.before + seen.after) / 2
    off, apart = np.linalg.norm(seen.rate - mean, axis=1), np.linalg.norm(seen.after - seen.before, axis=1)
    disagree = off > apart + SPARE * _usual(mean)
    shared, squared = float((seen.rate * mean).sum()), float((mean**2).sum())
    cosine = shared / max(float(np.sqrt((seen.rate**2).sum() * squared)), 1e-300)
    ratio = shared / max(squared, 1e-300)
    if disagree.mean() <= FEW or (cosine >= COSINE and RATIO[0] <= ratio <= RATIO[1]):
        return ""
    at = int(np.argmax(disagree))
    rate, before, after = (_numbers(part[at]) for part in (seen.rate, seen.before, seen.after))
    return (
        f"`{velocity.path}` is not the rate of `{position.path}` in {disagree.mean():.0%} of {len(disagree)} steps; "
        f"over all of them rates are {ratio:.2g} times what it says, at a cosine of {cosine:.2g}: over step "
        f"{int(seen.step[at])} the rate is {rate} {velocity.unit}, the velocity {before} and then {after}."
    )


def _usual(vectors: Array) -> float:
    """The length of the rows of `(T, width)`, in the mean of squares."""
    return float(np.sqrt((vectors**2).sum(axis=1).mean()))


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
