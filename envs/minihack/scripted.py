"""A player by hand, who goes by what is on the map: explores, fetches the key, unlocks, descends."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from reward_agent.envs.minihack.game import Seen
from reward_agent.envs.minihack.glyphs import NUMBER
from reward_agent.envs.minihack.schema import carries_key, says

Square = tuple[int, int]
"""Row and column."""
_MOVES = {
    "north": (-1, 0),
    "east": (0, 1),
    "south": (1, 0),
    "west": (0, -1),
    "northeast": (-1, 1),
    "southeast": (1, 1),
    "southwest": (1, -1),
    "northwest": (-1, -1),
}
_WALKED_ON = frozenset(NUMBER[name] for name in ("floor", "open_door", "stairs_down", "stairs_up", "key", "thing"))
_DOORS = frozenset((NUMBER["open_door"], NUMBER["closed_door"]))


@dataclass
class Player:
    """Plays one episode after another: call it with what is seen, `begin` before each.

    Args:
        actions: the environment's, by number.
        random: breaks what cannot be decided, as where nothing is left to explore.
    """

    actions: tuple[str, ...]
    random: np.random.Generator
    _doors: set[Square] = field(default_factory=set)
    """Where a door was seen: whoever stands in one hides it."""
    _visited: set[Square] = field(default_factory=set)
    """Nothing more is seen from there, but by searching."""

    def begin(self) -> None:
        self._doors.clear()
        self._visited.clear()

    def __call__(self, seen: Seen) -> int:
        """The number of the next action."""
        self._doors |= set(_where(seen, NUMBER["open_door"])) | set(_where(seen, NUMBER["closed_door"]))
        self._visited.add(seen.at)
        return self.actions.index(next(self._wanted(seen), None) or self._wander())

    def _wanted(self, seen: Seen) -> Iterator[str]:
        """Ways to go on, the best first."""
        carries = carries_key(seen)
        if way := self._way(seen, set(_where(seen, NUMBER["stairs_down"]))):
            yield way[0]
        if "apply" in self.actions:
            if not carries and says("sees_key", seen):
                yield "pickup"
            if not carries and (way := self._way(seen, set(_where(seen, NUMBER["key"])))):
                yield way[0]
        shut = _where(seen, NUMBER["closed_door"])
        beside = {
            (row + down, column + right): move
            for row, column in shut
            for move, (down, right) in _MOVES.items()
            if not (down and right)
        }
        if shut and (carries or "apply" not in self.actions):
            if seen.at in beside:
                yield "apply" if carries else _opposite(beside[seen.at])
            elif way := self._way(seen, set(beside)):
                yield way[0]
        if way := self._way(seen, self._frontier(seen)):
            yield way[0]

    def _frontier(self, seen: Seen) -> set[Square]:
        """Squares that one can stand on beside something that was never seen."""
        known = np.pad(seen.kinds != NUMBER["unknown"], 1, constant_values=True)
        height, width = seen.kinds.shape
        around = [known[1 + d : 1 + d + height, 1 + r : 1 + r + width] for d, r in _MOVES.values()]
        blind = ~np.all(around, axis=0)
        return {
            (int(row), int(column)) for row, column in np.argwhere(blind & np.isin(seen.kinds, list(_WALKED_ON)))
        } - self._visited

    def _way(self, seen: Seen, to: set[Square]) -> list[str]:
        """Moves to the nearest of these squares; nothing where none can be reached, or one is here."""
        before: dict[Square, tuple[Square, str] | None] = {seen.at: None}
        waiting = deque([seen.at])
        while waiting:
            here = waiting.popleft()
            if here in to:
                moves = []
                while (step := before[here]) is not None:
                    here = step[0]
                    moves.append(step[1])
                return moves[::-1]
            for move, (down, right) in _MOVES.items():
                there = (here[0] + down, here[1] + right)
                if there not in before and self._can(seen, here, there, diagonal=bool(down and right)):
                    before[there] = here, move
                    waiting.append(there)
        return []

    def _can(self, seen: Seen, here: Square, there: Square, *, diagonal: bool) -> bool:
        height, width = seen.kinds.shape
        if not (0 <= there[0] < height and 0 <= there[1] < width) or int(seen.kinds[there]) not in _WALKED_ON:
            return False
        # nobody walks through a door askew
        return not (diagonal and ({here, there} & self._doors))

    def _wander(self) -> str:
        moves = [name for name in self.actions if name in _MOVES]
        return moves[int(self.random.integers(len(moves)))]


def _where(seen: Seen, number: int) -> list[Square]:
    return [(int(row), int(column)) for row, column in np.argwhere(seen.kinds == number)]


def _opposite(move: str) -> str:
    return {"north": "south", "south": "north", "east": "west", "west": "east"}[move]
