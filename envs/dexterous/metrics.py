"""Metrics of the hand's eight tasks: whether it was done, and how far it got.

Each task has one number for a state that says how well it stands, and the worst of that number over `HOLD` seconds
counts: what holds for an instant, or by a throw, does not. A success is that number at or over its bar.

**Held.** An object is held when its middle is within `REACH` of the palm's point and it goes no faster than `CALM`.
Over half a second nothing in free fall stays that slow: it was carried. The middle must then be `HIGH` over the table.

**At rest.** Moving an object ends with it on the table, at the height that its size gives to within `LEVEL`. There,
and where one is to be turned, it goes no faster than `STILL` in all of the last half second: the hand may still have
hold of it, but it is not in flight.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reward_agent.envs.dexterous.names import TIPS
from reward_agent.envs.dexterous.scenes import APPLE, BOX, DRAWER_RANGE, FAUCET_RANGE
from reward_agent.envs.mujoco.metrics import level, steps_in
from reward_agent.schema import Array
from reward_agent.task import Bools, Episode, Metric

HOLD = 0.5
"""Seconds for which a state must hold without a break."""
TOUCH = 0.01
"""Metres between a fingertip's point, 5 mm inside it, and the object's surface."""
TOUCH_FOR = 0.2
"""Seconds of touch without a break."""
HIGH = 0.45
"""Metres of the object's middle over the table: half a metre, less a tenth for a planner that stops just short."""
REACH = 0.12
"""Metres between the object's middle and the palm's point."""
CALM = 0.5
"""Most m/s of an object that is held."""
GAP = 0.03
"""Metres between the surfaces of apple and box that are next to each other."""
NUDGED = 0.05
"""Metres that the box may have moved while the apple was brought to it."""
UPRIGHT = 0.95
"""Least vertical part of the box's own z axis (18 degrees of tilt), up or down."""
LEVEL = 0.015
"""Metres by which the height of an object's middle may differ from that of one that rests on the table."""
STILL = 0.3
"""Most m/s of an object that is left where it is, or that a hand still has hold of."""
OPEN = 0.75
"""Share of the range of faucet and drawer."""


def touched(thing: str = "box") -> tuple[Metric, Metric]:
    """Success and fitness of touching an object with a fingertip."""
    fields = (*_pose(thing), *(f"{tip}.position" for tip in TIPS))

    def nearness(episode: Episode) -> float:
        places = np.stack([getattr(episode.state, tip).position for tip in TIPS], axis=1)
        apart = _to_surface(episode.state, thing, places)
        # one and the same fingertip all the time
        return max(_best_stretch(-apart[:, tip], TOUCH_FOR, episode.dt, -1.0) for tip in range(len(TIPS)))

    doc = f"a fingertip within {TOUCH * 100:g} cm of the surface of the {thing} for {TOUCH_FOR:g} s"
    graded = f"minus the least distance, m, that a fingertip kept from the {thing}'s surface for {TOUCH_FOR:g} s"
    return _pair("touch", doc, graded, fields, nearness, -TOUCH)


def lifted(*things: str) -> tuple[Metric, Metric]:
    """Success and fitness of lifting one or more objects, all at once."""
    fields = ("palm.position", *(f"{thing}.{name}" for thing in things for name in ("position", "linear_velocity")))

    def height(episode: Episode) -> float:
        each = [_height_held(episode.state, thing) for thing in things]
        return _best_stretch(np.min(each, axis=0), HOLD, episode.dt, 0.0)

    them = " and ".join(things)
    held = f"within {REACH:g} m of the palm and no faster than {CALM:g} m/s"
    doc = f"the {them} held at {HIGH:g} m over the table or higher for {HOLD:g} s: {held}"
    graded = f"greatest height, m, at or over which the {them} stayed held for {HOLD:g} s; 0 where never"
    return _pair("lift", doc, graded, fields, height, HIGH)


def moved() -> tuple[Metric, Metric]:
    """Success and fitness of bringing the apple to the box, the box staying where it is."""
    fields = (*_pose("box"), "apple.position", "apple.linear_velocity")

    def nearness(episode: Episode) -> float:
        state = episode.state
        apart = _to_surface(state, "box", state.apple.position[:, None])[:, 0] - APPLE
        box = state.box.position
        stayed = np.linalg.norm(box - box[0], axis=-1) <= NUDGED
        counts = stayed & _rests(state, "apple", APPLE)
        return _at_the_end(-np.where(counts, apart, np.maximum(apart, _FAR)), episode.dt)

    doc = (
        f"in all of the last {HOLD:g} s the apple rests on the table within {GAP * 100:g} cm of the box (surface to "
        f"surface), which is no further than {NUDGED * 100:g} cm from where it was at reset"
    )
    graded = (
        f"minus the largest gap, m, between them in the last {HOLD:g} s; at most -{_FAR:g} where one does not count"
    )
    return _pair("move", doc, graded, fields, nearness, -GAP)


def upright() -> tuple[Metric, Metric]:
    """Success and fitness of setting the box upright that lay on its side."""
    return _stands(1.0, "upright", "lid up", lambda start: start <= 0.5)


def flipped() -> tuple[Metric, Metric]:
    """Success and fitness of turning the box upside down that stood upright."""
    return _stands(-1.0, "flip", "lid down", lambda start: start <= -0.5)


def turned_on() -> tuple[Metric, Metric]:
    """Success and fitness of opening the faucet."""
    return _opened("turn_on", "faucet", "angle", FAUCET_RANGE)


def opened() -> tuple[Metric, Metric]:
    """Success and fitness of opening the drawer."""
    return _opened("open", "drawer", "position", DRAWER_RANGE)


_FAR = 0.2


def _pair(
    name: str, doc: str, graded: str, fields: tuple[str, ...], value: Callable[[Episode], float], bar: float
) -> tuple[Metric, Metric]:
    return (
        Metric("success", "success", doc, fields, lambda episode: float(value(episode) >= bar)),
        Metric(name, "fitness", graded, fields, value),
    )


def _stands(sign: float, name: str, way: str, began: Callable[[float], bool]) -> tuple[Metric, Metric]:
    """The box's z axis is along `sign` times the vertical, where it was not at reset; on the table or in the hand."""

    def score(episode: Episode) -> float:
        state = episode.state
        up = sign * level(state.box.orientation)
        if not began(float(up[0])):
            return -1.0
        return _at_the_end(np.where(_speed(state, "box") <= STILL, up, np.minimum(up, 0.0)), episode.dt)

    doc = (
        f"in all of the last {HOLD:g} s the box is {way}, tilted by at most 18 degrees, no faster than {STILL:g} m/s, "
        "on the table or in the hand; at reset it was not"
    )
    graded = (
        f"least share of the box's z axis that is vertical, {way}, in the last {HOLD:g} s; at most 0 where it is faster"
    )
    return _pair(name, doc, graded, (*_pose("box"), "box.linear_velocity"), score, UPRIGHT)


def _opened(name: str, joint: str, quantity: str, ends: tuple[float, float]) -> tuple[Metric, Metric]:
    def score(episode: Episode) -> float:
        value = getattr(getattr(episode.state.joints, joint), quantity)
        return _at_the_end((value - ends[0]) / (ends[1] - ends[0]), episode.dt)

    doc = f"in all of the last {HOLD:g} s the {joint} is open by at least {OPEN:.0%} of its range"
    graded = f"least share of its range by which the {joint} is open in the last {HOLD:g} s"
    return _pair(name, doc, graded, (f"joints.{joint}.{quantity}",), score, OPEN)


def _pose(thing: str) -> tuple[str, ...]:
    return (f"{thing}.position", f"{thing}.orientation") if thing == "box" else (f"{thing}.position",)


def _to_surface(state: Any, thing: str, points: Array) -> Array:
    """Metres `(T, K)` from points `(T, K, 3)` to the surface of box or apple; negative inside."""
    offset = points - getattr(state, thing).position[:, None]
    if thing == "apple":
        return np.asarray(np.linalg.norm(offset, axis=-1) - APPLE)
    past = np.abs(_into(state.box.orientation[:, None], offset)) - np.array(BOX)
    outside = np.linalg.norm(past.clip(0.0), axis=-1)
    return np.asarray(outside + past.max(-1).clip(None, 0.0))


def _into(orientation: Array, vectors: Array) -> Array:
    """World vectors `(…, 3)` in the frame of quaternions wxyz `(…, 4)`."""
    w, v = orientation[..., :1], -orientation[..., 1:]
    twice = 2.0 * np.cross(v, vectors)
    return np.asarray(vectors + w * twice + np.cross(v, twice))


def _speed(state: Any, thing: str) -> Array:
    return np.asarray(np.linalg.norm(getattr(state, thing).linear_velocity, axis=-1))


def _height_held(state: Any, thing: str) -> Array:
    """Metres `(T,)` of its middle over the table in states in which it is held, 0 in others."""
    place = getattr(state, thing).position
    near = np.linalg.norm(place - state.palm.position, axis=-1) <= REACH
    return np.where(near & (_speed(state, thing) <= CALM), place[:, 2], 0.0)


def _rests(state: Any, thing: str, height: float) -> Bools:
    """States `(T,)` in which it is on the table, its middle at `height`, and still."""
    level = np.abs(getattr(state, thing).position[:, 2] - height) <= LEVEL
    return np.asarray(level & (_speed(state, thing) <= STILL))


def _best_stretch(values: Array, seconds: float, dt: float, never: float) -> float:
    """The greatest value that all states of some stretch of `seconds` reach; `never` where no stretch is that long."""
    states = steps_in(seconds, dt) + 1
    if len(values) < states:
        return never
    return float(np.lib.stride_tricks.sliding_window_view(values, states).min(-1).max())


def _at_the_end(values: Array, dt: float) -> float:
    """The least value in the last `HOLD` seconds."""
    return float(values[-steps_in(HOLD, dt) - 1 :].min())
