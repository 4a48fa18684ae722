"""What the agent sees of a level: seven by seven cells before it, but for those behind walls and shut doors."""

from __future__ import annotations

from functools import cache

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.minigrid.cells import (
    CLOSED,
    CODES,
    DOOR,
    EMPTY,
    LOCKED,
    OPAQUE,
    PORTABLE,
    UNSEEN,
    WALL,
)
from reward_agent.envs.minigrid.level import Level
from reward_agent.schema import Array

SIDE = 7
_OWN = SIDE * (SIDE - 1) + SIDE // 2
"""The agent's own cell of the 49: the middle of the last row."""
_BITS = 1 << np.arange(SIDE)
_UNPACKED = (np.arange(1 << SIDE)[:, None] & _BITS) > 0
_OPAQUE = np.isin(np.arange(CODES), OPAQUE)


@cache
def _offsets(stride: int, facing: int) -> NDArray[np.intp]:
    """From the agent's cell to each of the 49, row by row, the farthest row first."""
    steps = (1, stride, -1, -stride)
    ahead, right = steps[facing], steps[(facing + 1) % 4]
    rows, columns = np.divmod(np.arange(SIDE * SIDE), SIDE)
    offsets: NDArray[np.intp] = ((SIDE - 1 - rows) * ahead + (columns - SIDE // 2) * right).astype(np.intp)
    return offsets


@cache
def _sweep(seen: int, opaque: int) -> tuple[int, int]:
    """What is seen of a row, and thereby of the next: sight goes from each cell that lets it through to both sides
    and, straight and slantwise, ahead. Rows are bits.

    MiniGrid's rule, which goes from left to right and then back.
    """
    ahead = 0
    for way, columns in ((1, range(SIDE - 1)), (-1, range(SIDE - 1, 0, -1))):
        for column in columns:
            if seen >> column & 1 and not opaque >> column & 1:
                seen |= 1 << (column + way)
                ahead |= 1 << (column + way) | 1 << column
    return seen, ahead


def view(level: Level) -> NDArray[np.uint8]:
    """Codes `(49,)` of the cells before the agent, row by row, the farthest first and itself in the middle of the last,
    where what it carries is shown; `UNSEEN` where it sees nothing."""
    codes = np.frombuffer(level.cells, np.uint8)[_offsets(level.stride, level.facing) + level.at]
    opaque = (_OPAQUE[codes].reshape(SIDE, SIDE) @ _BITS).tolist()
    seen, masks = 1 << SIDE // 2, [0] * SIDE
    for row in range(SIDE - 1, -1, -1):
        masks[row], seen = _sweep(seen, opaque[row])
    codes[~_UNPACKED[masks].ravel()] = UNSEEN
    codes[_OWN] = level.carrying
    return codes


class Observer:
    """What a policy observes, as numbers of 0 or 1.

    For each of the 48 cells before the agent (its own is left out), row by row, the farthest first: one number for
    unseen, wall, and each other thing that the task has, an open, a shut and a locked door among them; all are 0 of an
    empty cell. Then one for each direction that the agent may face, and one for each thing that it may carry.
    What it does not see is not in it, nor where on the grid it is. Colours are not either: in none of these tasks does
    one tell anything that the thing itself does not.

    Args:
        kinds: codes of what the task has, shut and locked doors as `DOOR`.
    """

    def __init__(self, kinds: frozenset[int]) -> None:
        shown = [UNSEEN, WALL, *sorted(kinds - {EMPTY, WALL, DOOR}), *((DOOR, CLOSED, LOCKED) if DOOR in kinds else ())]
        self._cells = (np.arange(CODES)[:, None] == np.array(shown)).astype(float)
        self._carried = (np.arange(CODES)[:, None] == np.array(sorted(kinds & {*PORTABLE}), int)).astype(float)
        self._facing = np.eye(4)
        self._before = np.delete(np.arange(SIDE * SIDE), _OWN)
        width = len(self._before) * len(shown) + 4 + self._carried.shape[1]
        self.space = gymnasium.spaces.Box(0.0, 1.0, (width,), np.float32)

    def __call__(self, level: Level) -> Array:
        """Of one instant, `(O,)`."""
        cells = self._cells[view(level)[self._before]].ravel()
        return np.concatenate([cells, self._facing[level.facing], self._carried[level.carrying]])
