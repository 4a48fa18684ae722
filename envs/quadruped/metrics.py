"""Metrics of the quadruped's nine behaviours, of Language to Rewards' tasks (the paper's evaluators were not released).

Most ask for something to hold over the end of an episode, so that passing through it is not enough: a success is held
in at least `SHARE` of the states of that stretch, and the graded metric is that share itself. Angles are of the torso's
own axes, so that no way of writing a rotation matters. Heights of feet are of their undersides.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reward_agent.envs.mujoco.metrics import level, runs, steps_in
from reward_agent.envs.quadruped.names import LEGS
from reward_agent.schema import Array
from reward_agent.task import Bools, Episode, Metric

SHARE = 0.9
"""Of the states of the last stretch in which the behaviour must hold."""
END = 1.0
"""Seconds of that stretch, where the metric names none."""
UPRIGHT = 0.8
"""Least vertical part of the torso's up axis of a robot that is on its feet (37 degrees of tilt)."""
STANDS = 0.15
"""Metres, least height of its torso then."""
FACES = 0.2
"""Radians that the heading may be off (11 degrees)."""
SITS = 0.13
"""Metres, most height of the torso that has sat down; it stands at 0.28 and lies at 0.055."""
FLAT = 0.95
"""Least vertical part of the up axis of a level torso (18 degrees)."""
ON_ITS_BACK = -0.9
"""Most vertical part of the up axis of a robot on its back (within 26 degrees)."""
OVER_FOR = 0.5
"""Seconds on its back without a break."""
SOMERSAULT = 0.87
"""Vertical part of the nose's axis (60 degrees) beyond which it went over its nose or tail, which is no roll."""
SPIN_FOR = 2.0
"""Seconds of spinning at the end."""
SPIN = 1.5
"""Mean rate over them, rad/s."""
STAYS = 1.0
"""Metres from where it began within which it spins."""
LIFTED = 0.05
LIFTED_HIGHER = 0.15
"""Metres of a paw above the floor."""
OFF = 0.03
"""Metres of a paw that is lifted while spinning."""
OFF_SHARE = 0.7
"""Of the states of the spin in which each of those paws is."""
REARED = 0.87
"""Least vertical part of the nose's axis when upright on its hind legs (60 degrees)."""
REARED_HEIGHT = 0.35
"""Metres, least height of the torso then."""
REARED_PAWS = 0.15
"""Metres, least height of both front paws then."""
REARED_FOR = 1.0
"""Seconds upright without a break."""

_TORSO = ("torso.position", "torso.orientation", "torso.contact")
_FEET = tuple(f"{leg}_foot.position" for leg in LEGS)


def faces(name: str, heading: float) -> tuple[Metric, Metric]:
    """Facing a heading (rad), on its feet, over the last second."""
    doc = f"on its feet, its nose within {FACES:g} rad of {name}"

    def holds(episode: Episode) -> Bools:
        nose = _nose(episode)
        apart = np.arctan2(nose[:, 1], nose[:, 0]) - heading
        return (np.abs(np.arctan2(np.sin(apart), np.cos(apart))) <= FACES) & _on_its_feet(episode)

    return _held(doc, _TORSO, holds)


def sits() -> tuple[Metric, Metric]:
    """Low and level over the last second."""
    doc = f"torso at most {SITS:g} m high and level"

    def holds(episode: Episode) -> Bools:
        low: Bools = (episode.state.torso.position[:, 2] <= SITS) & (_up(episode) >= FLAT)
        return low

    return _held(doc, _TORSO, holds)


def lifts(leg: str, height: float) -> tuple[Metric, Metric]:
    """One paw held up over the last second, the robot upright."""
    doc = f"{leg.replace('_', ' ')} paw at least {height:g} m above the floor, the torso upright and {STANDS:g} m high"

    def holds(episode: Episode) -> Bools:
        return (_paw(episode, leg) >= height) & _on_its_feet(episode)

    return _held(doc, (*_TORSO, *_FEET), holds)


def rolls_over() -> tuple[Metric, Metric]:
    """On its back for half a second without a break, having got there by a roll about its long axis."""
    doc = f"on its back for {OVER_FOR:g} s without a break, got there without ever pointing its nose up or down by 60°"

    def share(episode: Episode) -> float:
        over = _up(episode) <= ON_ITS_BACK
        first = int(over.argmax()) if over.any() else len(over)
        if (np.abs(_nose(episode)[:first, 2]) > SOMERSAULT).any():
            return 0.0
        return _longest(over) / steps_in(OVER_FOR, episode.dt)

    return _graded(doc, _TORSO, share)


def spins(paws: tuple[str, ...] = ()) -> tuple[Metric, Metric]:
    """Turning fast on its feet over the last two seconds, without going away; some paws lifted, where there are any."""
    doc = f"over the last {SPIN_FOR:g} s: turns by at least {SPIN * SPIN_FOR:g} rad, on its feet, within {STAYS:g} m"
    if paws:
        names = " and ".join(paw.replace("_", " ") for paw in paws)
        doc += f", the {names} paws each {OFF:g} m off the floor for {OFF_SHARE:.0%} of the time"

    def share(episode: Episode) -> float:
        steps = steps_in(SPIN_FOR, episode.dt)
        nose, place = _nose(episode), episode.state.torso.position[:, :2]
        turned = np.unwrap(np.arctan2(nose[:, 1], nose[:, 0]))
        went = np.linalg.norm(place - place[0], axis=-1)[-steps:].max()
        if len(turned) <= steps or went > STAYS or _on_its_feet(episode)[-steps:].mean() < SHARE:
            return 0.0
        parts = [abs(float(turned[-1] - turned[-1 - steps])) / (SPIN * SPIN_FOR)]
        parts += [float((_paw(episode, paw)[-steps:] >= OFF).mean()) / OFF_SHARE for paw in paws]
        return min(parts)

    return _graded(doc, (*_TORSO, *_FEET), share)


def rears() -> tuple[Metric, Metric]:
    """Upright on its hind legs for a second without a break."""
    doc = (
        f"for {REARED_FOR:g} s without a break: nose up by 60° or more, torso {REARED_HEIGHT:g} m high and off the "
        f"floor, both front paws {REARED_PAWS:g} m above it"
    )

    def share(episode: Episode) -> float:
        torso = episode.state.torso
        up = (_nose(episode)[:, 2] >= REARED) & (torso.position[:, 2] >= REARED_HEIGHT) & ~torso.contact
        for leg in LEGS[:2]:
            up &= _paw(episode, leg) >= REARED_PAWS
        return _longest(up) / steps_in(REARED_FOR, episode.dt)

    return _graded(doc, (*_TORSO, *_FEET), share)


def _held(doc: str, fields: tuple[str, ...], holds: Callable[[Episode], Bools]) -> tuple[Metric, Metric]:
    """Over the last second."""

    def share(episode: Episode) -> float:
        return float(holds(episode)[-steps_in(END, episode.dt) :].mean()) / SHARE

    return _graded(f"{doc}, in {SHARE:.0%} of the states of the last {END:g} s", fields, share)


def _graded(doc: str, fields: tuple[str, ...], share: Callable[[Episode], float]) -> tuple[Metric, Metric]:
    """A success where `share` is 1 or more, and how much of it there is."""
    counts = "Language to Rewards' behaviours, judged once an episode by this package's tests"
    success = Metric("success", "success", doc, fields, lambda e: float(share(e) >= 1.0 - 1e-9), counts)
    return success, Metric("progress", "fitness", f"0 to 1: {doc}", fields, lambda e: min(share(e), 1.0))


def _nose(episode: Episode) -> Array:
    """Where the torso's own x axis points in the world, `(T + 1, 3)`."""
    w, x, y, z = episode.state.torso.orientation.T
    return np.stack((1 - 2 * (y**2 + z**2), 2 * (x * y + w * z), 2 * (x * z - w * y)), axis=-1)


def _up(episode: Episode) -> Array:
    """Vertical part of the torso's up axis, `(T + 1,)`."""
    return level(episode.state.torso.orientation)


def _on_its_feet(episode: Episode) -> Bools:
    torso = episode.state.torso
    stands: Bools = (_up(episode) >= UPRIGHT) & (torso.position[:, 2] >= STANDS) & ~torso.contact
    return stands


def _paw(episode: Episode, leg: str) -> Array:
    """Height of a paw's underside, m, `(T + 1,)`."""
    height: Array = getattr(episode.state, f"{leg}_foot").position[:, 2] - episode.constants.foot_radius
    return height


def _longest(mask: Bools) -> int:
    return max((last - first + 1 for first, last in runs(mask)), default=0)
