"""How episodes of the hand go: their length, what a policy sees, and where things are at the start."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from reward_agent.envs.dexterous.hand import SERVOS
from reward_agent.envs.dexterous.scenes import APPLE, BOX, FAUCET_RANGE, TIMESTEP
from reward_agent.envs.mujoco.native import Data, Draw, Native
from reward_agent.schema import Array

FRAME_SKIP = 8
"""Physics steps in a step of the environment, which lasts 40 ms."""
HORIZON = 200

ARM = 0.02
"""m either way along each of the arm's three slides, at the start."""
PLACES = ((-0.15, -0.10), (0.15, 0.15))
"""Lowest and highest x and y of the middles of box and apple, m."""
APART = 0.20
"""Least distance between the middles of box and apple, m."""
TOGETHER = (0.085, 0.11)
"""That distance in `table-together`: 2 to 4 cm between a side of the box and the apple."""
FAUCET, DRAWER = (0.10, 0.05, 0.5), (0.10, 0.03, 0.2)
"""How far they stand from the middle either way along x and y (m) and about the vertical (rad)."""
AJAR = 0.1
"""How far the faucet may be open at the start, rad."""

_HAND = len(SERVOS)
_MIDDLE = np.array([(servo.low + servo.high) / 2 for servo in SERVOS])


def _observe(d: Data) -> Array:
    return np.concatenate([d.qpos, d.qvel.clip(-10, 10)], axis=1)


def _hand(rng: np.random.Generator, qpos: Array) -> Array:
    """The hand open and still over the middle, in the pose that an action of zeros holds, but for the arm's slides."""
    start = qpos.copy()
    start[:_HAND] = _MIDDLE
    start[:3] += rng.uniform(-ARM, ARM, 3)
    return start


def _draw_table(rng: np.random.Generator, qpos: Array, qvel: Array, *, lying: bool, together: bool) -> Draw:
    """Box and apple at rest on the table, the box turned anyhow about the vertical."""
    start = _hand(rng, qpos)
    nearest, farthest = TOGETHER if together else (APART, np.inf)
    while True:
        box, apple = rng.uniform(*PLACES), rng.uniform(*PLACES)
        if nearest <= np.linalg.norm(apple - box) <= farthest:
            break
    yaw = rng.uniform(-np.pi, np.pi) / 2
    turned = np.array([np.cos(yaw), 0.0, 0.0, np.sin(yaw)])
    if lying:
        side = rng.integers(4) * np.pi / 2  # a quarter turn about one of four level axes
        half = 0.5**0.5
        tipped = np.array([half, half * np.cos(side), half * np.sin(side), 0.0])
        turned = _product(turned, tipped)
    start[_HAND : _HAND + 7] = (*box, BOX[0] if lying else BOX[2], *turned)
    start[_HAND + 7 :] = (*apple, APPLE, 1.0, 0.0, 0.0, 0.0)
    return Draw(start, qvel.copy())


def _draw_faucet(rng: np.random.Generator, qpos: Array, qvel: Array) -> Draw:
    start = _hand(rng, qpos)
    start[_HAND : _HAND + 3] = _place(rng, FAUCET)
    start[_HAND + 3] = FAUCET_RANGE[0] + rng.uniform(0.0, AJAR)
    return Draw(start, qvel.copy())


def _draw_drawer(rng: np.random.Generator, qpos: Array, qvel: Array) -> Draw:
    start = _hand(rng, qpos)
    start[_HAND : _HAND + 3] = _place(rng, DRAWER)
    return Draw(start, qvel.copy())


def _place(rng: np.random.Generator, spread: tuple[float, float, float]) -> Array:
    return rng.uniform(-1.0, 1.0, 3) * spread


def _product(a: Array, b: Array) -> Array:
    """Of two quaternions wxyz: the turn `b`, then `a`."""
    w, v = a[0] * b[0] - a[1:] @ b[1:], a[0] * b[1:] + b[0] * a[1:] + np.cross(a[1:], b[1:])
    return np.concatenate([[w], v])


def _native(draw: Callable[[np.random.Generator, Array, Array], Draw]) -> Native:
    return Native(TIMESTEP, FRAME_SKIP, HORIZON, _observe, draw)


NATIVE: dict[str, Native] = {
    "table": _native(partial(_draw_table, lying=False, together=False)),
    "table-lying": _native(partial(_draw_table, lying=True, together=False)),
    "table-together": _native(partial(_draw_table, lying=False, together=True)),
    "faucet": _native(_draw_faucet),
    "drawer": _native(_draw_drawer),
}
"""By environment: its scene (`scene_of`), and after a dash how it starts. The box stands, or lies on one of its long
sides; it and the apple are apart, or close enough together to be taken at once."""


def scene_of(env: str) -> str:
    """Which of `scenes.SPECS` an environment of `NATIVE` has."""
    return env.partition("-")[0]
