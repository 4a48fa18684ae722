"""Episodes of MiniGrid for tests: actions that get somewhere and actions that do not, and levels drawn by hand."""

from __future__ import annotations

from functools import cache

import numpy as np

from reward_agent.envs.minigrid.cells import EMPTY, GOAL, LOCKED, WALL
from reward_agent.envs.minigrid.level import MARGIN, Level
from reward_agent.envs.minigrid.names import HORIZONS
from reward_agent.envs.minigrid.native import Native
from reward_agent.envs.minigrid.scripted import Scripted
from reward_agent.envs.minigrid.text import AGENT, CHARACTERS

ENVS = tuple(HORIZONS)
DOOR_KEY, CORRIDOR, PICKUP, LAVA = (
    "MiniGrid-DoorKey-6x6-v0",
    "MiniGrid-KeyCorridorS3R2-v0",
    "MiniGrid-UnlockPickup-v0",
    "MiniGrid-LavaCrossingS9N2-v0",
)


def actions(env: str, seed: int, steps: int, noise: float) -> list[int]:
    """Of the scripted policy, with a share of random ones; they end where the episode does."""
    native, scripted, rng = Native(env), Scripted(), np.random.default_rng(seed)
    native.reset(seed)
    taken = []
    for _ in range(steps):
        planned = scripted.next(native.level)
        action = int(rng.integers(6)) if planned is None or rng.random() < noise else planned
        taken.append(action)
        if native.step(action):
            break
    return taken


@cache
def plays(env: str) -> list[tuple[int, list[int]]]:
    """Seeds and actions: straight to success, with some noise, with much, and at random."""
    return [(seed, actions(env, seed, 100, noise)) for seed, noise in enumerate((0.0, 0.3, 0.6, 1.0, 0.2, 0.5))]


def drawn(*rows: str, carrying: int = EMPTY, target: int = GOAL) -> Level:
    """A level in the characters of screens; a locked door is the lock."""
    stride = len(rows[0]) + 2 * MARGIN
    codes = {mark: code for code, (mark, _) in CHARACTERS.items()} | dict.fromkeys(AGENT, EMPTY)
    cells = bytearray([WALL]) * (stride * (len(rows) + 2 * MARGIN))
    at, facing = 0, 0
    for y, row in enumerate(rows):
        for x, mark in enumerate(row):
            cell = (y + MARGIN) * stride + x + MARGIN
            cells[cell] = codes[mark]
            if mark in AGENT:
                at, facing = cell, AGENT.index(mark)
    return Level(bytes(cells), stride, at, facing, carrying, target, max(cells.find(LOCKED), 0))
