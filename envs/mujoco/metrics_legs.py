"""Metrics of the ant's behaviours: lying down, and waving a leg.

**Lying.** The ant's ankles stop 30 degrees below its body's plane, so its belly cannot reach the floor; right way
up, it lies when its legs are spread to their stops, torso at 0.38 m (it stands at 0.5 to 0.6 m). A state lies when
the torso is no higher than `LOW` and level, all four feet and nothing else touch the floor, and nothing moves. On
its back it is lower still, at 0.25 m: that does not count, nor does an episode in which the ant ever tipped over.

**Waving.** A leg is up when its foot's tip clears the floor by `CLEARANCE` while the torso is up and level, each
of the other three feet has touched the floor within `BOUNCE`, nothing else touches it, and the torso has gone no
further than `DRIFT` in the last second: it stands. While the leg stays up without a break, swings are counted:
turns of its hip from one extreme to the opposite one by at least `SWING`, each lasting at least `QUICKEST`, that
also move the foot around the torso in the world. Wagging the body under a foot that stays where it
is, or jitter, is no wave.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from reward_agent.envs.mujoco.metrics import level, runs, steps_in
from reward_agent.schema import Array
from reward_agent.task import Bools, Episode, Metric

LEGS = ("front_left", "front_right", "back_left", "back_right")

LOW = 0.40
"""Metres, height of the torso's centre."""
LEVEL = 0.95
"""Least vertical part of the torso's own up axis (18 degrees of tilt)."""
TIPPED = 0.5
"""Vertical part of the up axis below which the ant has tipped over (60 degrees)."""
STILL = (0.1, 0.3, 0.3)
"""Most m/s of the torso, rad/s of the torso, rad/s of any joint."""
DOWN_BY = 2.0
"""Seconds in which to lie down; every later state must lie."""
LIE_FOR = 1.0
"""Seconds that must then remain, at least."""

CLEARANCE = 0.15
"""Metres between the floor and the underside of the foot's tip."""
UP = 0.9
"""Least vertical part of the torso's up axis while waving (26 degrees of tilt)."""
STAND = 0.35
"""Metres, least height of the torso while waving."""
BOUNCE = 0.1
"""Seconds for which a foot that the ant stands on may leave the floor."""
DRIFT = 0.3
"""Metres that the torso may go in a second while waving."""
SWING = 0.4
"""Radians at the hip from one extreme to the next; its whole range is 1.05."""
MOVED = 0.2
"""Radians that the foot must have moved around the torso in the world from one extreme to the next."""
QUICKEST = 0.1
"""Seconds; a swing that lasts less is jitter."""
WAVES = 3
"""Full waves, there and back: twice as many swings."""

_BODIES = ("torso", *(f"{leg}_thigh" for leg in LEGS))
_FEET = tuple(f"{leg}_foot" for leg in LEGS)
LIE_FIELDS = (
    "torso.position",
    "torso.orientation",
    "torso.linear_velocity",
    "torso.angular_velocity",
    "joints.velocities",
    *(f"{body}.contact" for body in (*_BODIES, *_FEET)),
)
WAVE_FIELDS = (
    "torso.position",
    "torso.orientation",
    *(f"joints.{leg}_hip.angle" for leg in LEGS),
    *(f"{foot}.position" for foot in _FEET),
    *(f"{body}.contact" for body in (*_BODIES, *_FEET)),
)


def lie_success() -> Metric:
    """Success: lying at every state from 2 s on to the end, at least 1 s, never having tipped over."""
    doc = (
        f"from {DOWN_BY:g} s to the end, at least {LIE_FOR:g} s: torso at most {LOW:g} m high and level, on all "
        "four feet and nothing else, motionless; never tipped over"
    )
    return Metric("success", "success", doc, LIE_FIELDS, _lies)


def lie_fitness() -> Metric:
    """Fitness in 0 to 1: after 2 s, half the share of states that lie, half how low the level torso is."""
    doc = (
        f"over the states from {DOWN_BY:g} s on: half the share that lie, half the mean lowness while level "
        f"(0 at 0.75 m, 1 at {LOW:g} m)"
    )
    return Metric("lying", "fitness", doc, LIE_FIELDS, _lying)


def wave_success() -> Metric:
    """Success: three full waves of one leg without putting it down."""
    doc = (
        f"one foot kept {CLEARANCE:g} m off the floor through {WAVES} full waves of at least {SWING:g} rad at the hip, "
        "the ant standing level on the other three"
    )
    return Metric("success", "success", doc, WAVE_FIELDS, lambda episode: float(_most_swings(episode) >= 2 * WAVES))


def wave_fitness() -> Metric:
    """Fitness in 0 to 2: the best leg's share of time held up, plus its share of the three waves."""

    def score(episode: Episode) -> float:
        held = max(float(_held_up(episode, leg).mean()) for leg in LEGS)
        return held + min(_most_swings(episode) / (2 * WAVES), 1.0)

    doc = f"best leg's share of time held up (0 to 1) plus its share of {WAVES} full waves (0 to 1)"
    return Metric("waving", "fitness", doc, WAVE_FIELDS, score)


def _touches(episode: Episode, names: tuple[str, ...]) -> Bools:
    """`(T, len(names))`."""
    return np.stack([getattr(episode.state, name).contact for name in names], axis=-1).astype(bool)


def _lying_states(episode: Episode) -> Bools:
    torso = episode.state.torso
    speed, spin, joint = STILL
    still = (
        (np.linalg.norm(torso.linear_velocity, axis=-1) <= speed)
        & (np.linalg.norm(torso.angular_velocity, axis=-1) <= spin)
        & (np.abs(episode.state.joints.velocities).max(-1) <= joint)
    )
    low = (torso.position[:, 2] <= LOW) & (level(torso.orientation) >= LEVEL)
    on_feet = _touches(episode, _FEET).all(-1) & ~_touches(episode, _BODIES).any(-1)
    return np.asarray(still & low & on_feet)


def _lies(episode: Episode) -> float:
    down = steps_in(DOWN_BY, episode.dt)
    lying = _lying_states(episode)[down:]
    enough = len(lying) - 1 >= steps_in(LIE_FOR, episode.dt)
    tipped = bool((level(episode.state.torso.orientation) < TIPPED).any())
    return float(enough and not tipped and bool(lying.all()))


def _lying(episode: Episode) -> float:
    down = steps_in(DOWN_BY, episode.dt)
    lying = _lying_states(episode)[down:]
    if not len(lying):
        return 0.0
    torso = episode.state.torso
    lowness = np.clip((0.75 - torso.position[down:, 2]) / (0.75 - LOW), 0.0, 1.0)
    is_level = level(torso.orientation)[down:] >= LEVEL
    return float(0.5 * lying.mean() + 0.5 * (lowness * is_level).mean())


def _held_up(episode: Episode, leg: str) -> Bools:
    """States `(T,)` in which this leg is up and the ant stands on the three others."""
    state, radius = episode.state, episode.constants.foot_radius
    raised = getattr(state, f"{leg}_foot").position[:, 2] - radius >= CLEARANCE
    others = _touches(episode, tuple(foot for foot in _FEET if foot != f"{leg}_foot"))
    upright = (level(state.torso.orientation) >= UP) & (state.torso.position[:, 2] >= STAND)
    carried = _lately(others, steps_in(BOUNCE, episode.dt)).all(-1)
    at, ago = state.torso.position[:, :2], steps_in(1.0, episode.dt)
    before = at[np.maximum(np.arange(len(at)) - ago, 0)]
    stays = np.linalg.norm(at - before, axis=-1) <= DRIFT
    return np.asarray(raised & upright & carried & stays & ~_touches(episode, _BODIES).any(-1))


def _lately(happened: Bools, steps: int) -> Bools:
    """`(T, k)`: at this state or at one of the `steps` before it; before the first, nothing is held against it."""
    padded = np.concatenate([np.ones((steps, happened.shape[1]), bool), happened])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, steps + 1, axis=0).any(-1))


def _most_swings(episode: Episode) -> int:
    """Most swings of one leg within one stretch of being held up."""
    most = 0
    for leg in LEGS:
        foot = getattr(episode.state, f"{leg}_foot").position - episode.state.torso.position
        around = np.unwrap(np.arctan2(foot[:, 1], foot[:, 0]))
        hip = getattr(episode.state.joints, f"{leg}_hip").angle
        for first, last in runs(_held_up(episode, leg)):
            most = max(most, _swings(hip[first : last + 1], around[first : last + 1], episode.dt))
    return most


def _swings(hip: Array, around: Array, dt: float) -> int:
    """Swings in row: there, back, there. One that is too quick or leaves the foot where it is counts for nothing."""
    pivots = _extremes(hip, SWING)
    shortest = steps_in(QUICKEST, dt)
    good = [last - first >= shortest and abs(around[last] - around[first]) >= MOVED for first, last in pairwise(pivots)]
    return max((last - first + 1 for first, last in runs(np.array(good))), default=0)


def _extremes(values: Array, least: float) -> list[int]:
    """Indices of successive extremes of `values` that lie at least `least` apart, the last excursion included."""
    low = high = 0
    pivots: list[int] = []
    rising: bool | None = None
    for i, value in enumerate(values):
        if value > values[high]:
            high = i
        if value < values[low]:
            low = i
        if rising is not True and value - values[low] >= least:
            pivots.append(low)
            rising, high = True, i
        elif rising is not False and values[high] - value >= least:
            pivots.append(high)
            rising, low = False, i
    if rising is not None:
        pivots.append(high if rising else low)
    return pivots
