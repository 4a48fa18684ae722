"""Solves these tasks in the fewest steps, by a breadth-first search over what actions do; it sees the whole grid."""

from __future__ import annotations

from collections import deque

from reward_agent.envs.minigrid.cells import CLOSED, DROP, FORWARD, LAVA, LEFT, LOCKED, PICKUP, RIGHT, TOGGLE
from reward_agent.envs.minigrid.level import Level, after


def plan(level: Level) -> tuple[int, ...] | None:
    """The fewest actions that lead to success; None where none do, as when the box is gone."""
    came: dict[Level, tuple[Level, int] | None] = {level: None}
    waiting = deque([level])
    while waiting:
        now = waiting.popleft()
        if now.success:
            return _actions(came, now)
        for action in _sensible(now):
            there = after(now, action)
            if there not in came and there.cells[there.at] != LAVA:
                came[there] = now, action
                waiting.append(there)
    return None


class Scripted:
    """Plans once and keeps to it, and plans anew where things are not as the plan has them: others may act between."""

    def __init__(self) -> None:
        self._expected: Level | None = None
        self._left: tuple[int, ...] = ()

    def next(self, level: Level) -> int | None:
        """The next action, or None where nothing leads to success."""
        if level != self._expected:
            self._left = plan(level) or ()
        if not self._left:
            return None
        action, *left = self._left
        self._left, self._expected = tuple(left), after(level, action)
        return action


def _sensible(level: Level) -> tuple[int, ...]:
    """Actions that a way of fewest steps can have: it shuts no door and opens no box, and neither helps."""
    there = level.cells[level.front]
    toggle = (TOGGLE,) if there in (CLOSED, LOCKED) else ()
    return (LEFT, RIGHT, FORWARD, PICKUP, DROP, *toggle)


def _actions(came: dict[Level, tuple[Level, int] | None], end: Level) -> tuple[int, ...]:
    actions, step = [], came[end]
    while step is not None:
        before, action = step
        actions.append(action)
        step = came[before]
    return tuple(reversed(actions))
