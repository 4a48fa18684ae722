"""One instant of a grid, and what can be told of it: where things are, the ways to them, what an action leads to."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from reward_agent.envs.minigrid.cells import (
    BOX,
    CLOSED,
    DOOR,
    DOORS,
    DROP,
    EMPTY,
    ENTERED,
    FORWARD,
    GOAL,
    KEY,
    LEFT,
    LOCKED,
    PICKUP,
    PORTABLE,
    RIGHT,
    TOGGLE,
)

MARGIN = 6
"""Cells of wall around the grid: as far as the agent sees."""


_COSTS = dict.fromkeys((EMPTY, GOAL, DOOR), 1) | dict.fromkeys((CLOSED, LOCKED, *PORTABLE), 2)
"""Of a move onto a cell; nothing leads through the others."""


class Level(NamedTuple):
    """A grid at one instant. A cell goes by its index: row by row, the margin included."""

    cells: bytes
    """Codes of `cells.py`, with the margin."""
    stride: int
    """Cells of a row."""
    at: int
    """Where the agent is."""
    facing: int
    """0 right, 1 down, 2 left, 3 up."""
    carrying: int
    """What it carries; `EMPTY` for nothing."""
    target: int
    """What it is to stand on (`GOAL`) or to carry."""
    lock: int
    """The door that was locked at reset; 0 where none was."""

    @property
    def width(self) -> int:
        return self.stride - 2 * MARGIN

    @property
    def height(self) -> int:
        return len(self.cells) // self.stride - 2 * MARGIN

    @property
    def front(self) -> int:
        """The cell before the agent."""
        return self.at + self.ahead(self.facing)

    @property
    def success(self) -> bool:
        """The agent stands on the goal, or carries what it was to pick up."""
        return self.carrying == self.target or self.cells[self.at] == self.target == GOAL

    def ahead(self, facing: int) -> int:
        """From a cell to the next in a direction."""
        return (1, self.stride, -1, -self.stride)[facing]

    def place(self, cell: int) -> tuple[int, int]:
        """Column and row, from 0 at the top left."""
        row, column = divmod(cell, self.stride)
        return column - MARGIN, row - MARGIN

    def distance(self, cell: int) -> int:
        """From the agent, columns plus rows."""
        row, column = divmod(cell, self.stride)
        own_row, own_column = divmod(self.at, self.stride)
        return abs(row - own_row) + abs(column - own_column)

    def holding(self, code: int) -> list[int]:
        """All cells that hold this, in reading order."""
        found, at = [], self.cells.find(code)
        while at >= 0:
            found.append(at)
            at = self.cells.find(code, at + 1)
        return found

    def doors(self) -> list[int]:
        """All doors, in reading order."""
        return sorted(cell for code in DOORS for cell in self.holding(code))

    def nearest(self, cells: Iterable[int]) -> int:
        """The one at the least distance, the first of them in reading order; 0 where there is none."""
        return min(cells, key=lambda cell: (self.distance(cell), cell), default=0)

    @property
    def no_path(self) -> int:
        """What stands for the length of a way that does not exist: more than any that does."""
        return self.width * self.height

    def path_length(self, cell: int) -> int:
        """Fewest moves that lead onto a cell, whatever is on it, the last of which counts one; see `lengths`."""
        if cell == self.at:
            return 0
        known = lengths(self)
        around = (known.get(cell + self.ahead(facing)) for facing in range(4))
        return min((length + 1 for length in around if length is not None), default=self.no_path)


@lru_cache(maxsize=1)
def lengths(level: Level) -> dict[int, int]:
    """Fewest moves from the agent to every cell that walls and lava do not keep it from.

    A shut door, locked or not, and a thing in the way count one more, for it takes an action to be rid of them. Turns
    do not count. So a length changes by little in a step, whatever the step does.
    """
    cells, strides = level.cells, [level.ahead(facing) for facing in range(4)]
    known, no_path = {level.at: 0}, level.no_path
    # moves cost one or two: cells wait in the order of their lengths in three lists
    waiting: list[list[int]] = [[level.at], [], []]
    length = 0
    while any(waiting):
        for cell in waiting[0]:
            if known[cell] < length:
                continue
            for step in strides:
                cost = _COSTS.get(cells[cell + step])
                if cost is not None and length + cost < known.get(cell + step, no_path):
                    known[cell + step] = length + cost
                    waiting[cost].append(cell + step)
        waiting = [waiting[1], waiting[2], []]
        length += 1
    return known


def after(level: Level, action: int) -> Level:
    """What an action leads to by MiniGrid's rules, where there is one lock at most, which any key fits, and boxes are
    empty."""
    if action == LEFT:
        return level._replace(facing=(level.facing - 1) % 4)
    if action == RIGHT:
        return level._replace(facing=(level.facing + 1) % 4)
    front = level.front
    there = level.cells[front]
    if action == FORWARD:
        return level._replace(at=front) if there in ENTERED else level
    if action == PICKUP and there in PORTABLE and level.carrying == EMPTY:
        return level._replace(cells=_with(level.cells, front, EMPTY), carrying=there)
    if action == DROP and there == EMPTY and level.carrying != EMPTY:
        return level._replace(cells=_with(level.cells, front, level.carrying), carrying=EMPTY)
    if action == TOGGLE and (there != LOCKED or level.carrying == KEY):
        turned = {DOOR: CLOSED, CLOSED: DOOR, LOCKED: DOOR, BOX: EMPTY}.get(there)
        return level if turned is None else level._replace(cells=_with(level.cells, front, turned))
    return level


def _with(cells: bytes, at: int, code: int) -> bytes:
    changed = bytearray(cells)
    changed[at] = code
    return bytes(changed)
