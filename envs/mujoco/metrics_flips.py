"""Metrics of the hopper's flips: a full turn in one flight, off and onto the foot, and a stand afterwards.

A *flight* is a maximal run of states in which no body touches the floor, that follows a state in which the foot
did. Four things must hold of it, so that nothing else passes for one:

- nothing but the foot has touched the floor since the episode began;
- it begins with the torso within `LEAN` of upright (a torso folded head down beforehand has half a turn in store);
- between its states the centre of mass falls freely (no support that came and went between two states);
- the torso turns smoothly (no jump of the pitch that no motion explains).

Its turn is the change of the root joint's angle, which is never wrapped, from its first to its last state:
turning there and back cancels, and two half turns with a touch between them are two flights. After a flight of at
least a full turn it has landed when it stands, from within `SETTLE` of touching down, for `HOLD`: foot on the
floor, torso within `TILT` of upright and above `HEIGHT`, and still nothing but the foot on the floor. From touching
down to standing the torso must stay within `LEAN` of upright: one and a half turns and a half turn back are none.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Literal

import numpy as np

from reward_agent.envs.mujoco.metrics import runs, steps_in
from reward_agent.schema import Array
from reward_agent.task import Bools, Episode, Metric, Termination

HOLD = 0.3
"""Seconds to stand after landing."""
SETTLE = 1.0
"""Seconds after touching down within which the stand begins."""
TILT = 0.35
"""Radians from upright (20 degrees)."""
LEAN = np.pi / 2
"""Radians from upright that the torso may lean when it takes off, and from touching down until it stands."""
HEIGHT = 0.7
"""Metres; below it Gymnasium calls the hopper unhealthy. It stands at 1.25."""

_JUMP = 0.5  # rad between two states: four times faster than any turn seen
_FREE_FALL = 0.05  # share of gravity by which the fall may differ from free
FIELDS = (
    "torso.position",
    "torso.contact",
    "thigh.contact",
    "leg.contact",
    "foot.contact",
    "joints.root_pitch.angle",
    "center_of_mass.velocity",
)

Direction = Literal["front", "back"]


def flip_success(direction: Direction) -> Metric:
    """Success: a full turn in the air in this direction, landed on the foot and upright for 0.3 s."""
    doc = (
        f"a full turn {'forwards' if direction == 'front' else 'backwards'} within one flight that begins and "
        f"ends on the foot, then upright on the foot for {HOLD:g} s, with no other body ever on the floor"
    )
    return Metric("success", "success", doc, FIELDS, lambda episode: float(flip_progress(episode, direction) >= 2.0))


def flip_fitness(direction: Direction) -> Metric:
    """Fitness in 0 to 2: the share of a full turn in the best flight, then of the stand of 0.3 s."""
    doc = "best flight's share of a full turn (0 to 1), plus, after a full turn, its share of the stand (0 to 1)"
    return Metric("flip_progress", "fitness", doc, FIELDS, lambda episode: flip_progress(episode, direction))


def only_foot_may_touch() -> Termination:
    """Ends an episode when the hopper has fallen: torso, thigh or leg touches the floor."""
    fields = ("torso.contact", "thigh.contact", "leg.contact")
    doc = "the torso, the thigh or the leg touches the floor; the foot may"
    return Termination(doc, fields, _fallen)


def flip_progress(episode: Episode, direction: Direction) -> float:
    """How far the best flight of the episode got towards a flip, 0 to 2; 2 is a flip.

    A positive root pitch turns the torso about +y, forwards.
    """
    state, sign = episode.state, {"front": 1.0, "back": -1.0}[direction]
    fallen = _fallen(state)
    end = int(np.argmax(fallen)) if fallen.any() else len(fallen)
    pitch = sign * state.joints.root_pitch.angle
    foot = state.foot.contact
    tilt = np.abs((pitch + np.pi) % (2 * np.pi) - np.pi)
    standing = (foot & (tilt <= TILT) & (state.torso.position[:, 2] >= HEIGHT))[:end]
    leaning = tilt > LEAN
    best = 0.0
    for first, last in runs(~foot[:end]):
        if first == 0 or leaning[first - 1] or not _is_flight(episode, pitch, first, last):
            continue
        turn = float(np.clip((pitch[last] - pitch[first]) / (2 * np.pi), 0.0, 1.0))
        if turn >= 1.0:
            turn += min(_longest_stand(standing, leaning, last + 1, episode.dt) / HOLD, 1.0)
        best = max(best, turn)
    return best


def _fallen(state: SimpleNamespace) -> Bools:
    return np.asarray(state.torso.contact | state.thigh.contact | state.leg.contact)


def _is_flight(episode: Episode, pitch: Array, first: int, last: int) -> bool:
    if np.abs(np.diff(pitch[first - 1 : last + 2])).max() > _JUMP:
        return False
    fall = np.diff(episode.state.center_of_mass.velocity[first : last + 1, 2]) / episode.dt
    gravity = episode.constants.gravity
    return bool(np.all(np.abs(fall + gravity) <= _FREE_FALL * gravity))


def _longest_stand(standing: Bools, leaning: Bools, landing: int, dt: float) -> float:
    """Seconds of the longest stand that begins within `SETTLE` of the state `landing`, before any lean."""
    latest = steps_in(SETTLE, dt)
    if leaning[landing:].any():
        latest = min(latest, int(np.argmax(leaning[landing:])))
    spans = [last - first for first, last in runs(standing[landing:]) if first <= latest]
    # a hair more, so that 0.3 s of states at 0.1 s count as 0.3 s
    return max(spans, default=0) * dt + 1e-9
