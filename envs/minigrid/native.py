"""A MiniGrid environment, stepped by itself, without the observation that it makes at every step.

That observation takes 30 times as long as all the rest of a step, and `view` makes the same from the grid.
"""

from __future__ import annotations

from typing import Any

from reward_agent.envs.minigrid.cells import CLOSED, DOOR, DROP, EMPTY, GOAL, KINDS, LOCKED, PICKUP, TOGGLE, WALL
from reward_agent.envs.minigrid.level import MARGIN, Level


def make_native(env: str) -> Any:
    """A `minigrid` environment by its id, without wrappers, so without a limit of time that counts."""
    import gymnasium
    import minigrid  # noqa: F401  (registers its environments)

    return gymnasium.make(env, disable_env_checker=True).unwrapped


def code_of(thing: Any) -> int:
    """The code of what a cell holds, an object of MiniGrid's or None."""
    if thing is None:
        return EMPTY
    if thing.type == "door":
        return DOOR if thing.is_open else LOCKED if thing.is_locked else CLOSED
    return KINDS[thing.type]


class Native:
    """One environment and its episode; `level` is this instant of it."""

    level: Level

    def __init__(self, env: str) -> None:
        self.env = make_native(env)
        self.env.gen_obs = lambda: {}
        self._cells = bytearray()
        self._stride = self.env.width + 2 * MARGIN

    def reset(self, seed: int) -> None:
        """Begin the episode of `seed`."""
        self.env.reset(seed=seed)
        grid, stride = self.env.grid, self._stride
        self._cells = bytearray([WALL]) * (stride * (grid.height + 2 * MARGIN))
        for y in range(grid.height):
            row = self._index(0, y)
            self._cells[row : row + grid.width] = bytes(code_of(grid.get(x, y)) for x in range(grid.width))
        wanted = getattr(self.env, "obj", None)
        self.level = Level(
            cells=bytes(self._cells),
            stride=stride,
            at=self._index(*self.env.agent_pos),
            facing=int(self.env.agent_dir),
            carrying=EMPTY,
            target=GOAL if wanted is None else code_of(wanted),
            lock=max(self._cells.find(LOCKED), 0),
        )

    def step(self, action: int) -> bool:
        """One step; whether MiniGrid ends the episode by it."""
        front = self.level.front
        _, _, terminated, _, _ = self.env.step(action)
        cells = self.level.cells
        # these change nothing but the cell before the agent, and the others no cell at all
        if action in (PICKUP, DROP, TOGGLE):
            x, y = self.level.place(front)
            now = code_of(self.env.grid.get(x, y))
            if now != cells[front]:
                self._cells[front] = now
                cells = bytes(self._cells)
        self.level = self.level._replace(
            cells=cells,
            at=self._index(*self.env.agent_pos),
            facing=int(self.env.agent_dir),
            carrying=code_of(self.env.carrying),
        )
        return bool(terminated)

    def carried(self) -> tuple[str, ...]:
        """What the agent carries, in words."""
        thing = self.env.carrying
        return () if thing is None else (f"{thing.color} {thing.type}",)

    def _index(self, x: int, y: int) -> int:
        index: int = (int(y) + MARGIN) * self._stride + int(x) + MARGIN
        return index
