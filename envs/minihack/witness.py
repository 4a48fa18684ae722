"""MiniHack's own environment as the witness of the world, read by what NetHack says of each square in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from reward_agent.envs.minihack.game import DEAD as DEATH
from reward_agent.envs.minihack.game import WON as WIN
from reward_agent.envs.minihack.game import begin, make_native, step
from reward_agent.envs.minihack.scenes import SCENES
from reward_agent.envs.minihack.schema import DEAD, NOWHERE, WON
from reward_agent.schema import Array

WORDS = {
    "key": r"\bkey\b",
    "closed_door": r"^closed door$",
    "open_door": r"^open door$",
    "stairs_down": r"^staircase down$",
    "stairs_up": r"^staircase up$",
    "boulder": r"^a boulder$",
    "water": r"^water$",
    "lava": r"lava",
}
"""What NetHack calls a square, by the entity that it is."""


class MiniHackWitness:
    """One game (`task.Witness`)."""

    def __init__(self, env: str, level: int | None) -> None:
        self._env = make_native(env, ("screen_descriptions", "inv_strs", "blstats", "glyphs"))
        self._level, self._scene = level, SCENES[env]
        self._secrets: dict[str, float] = {}

    def reset(self, seed: int) -> Mapping[str, Any]:
        self._secrets = {}
        self._told = self._values(begin(self._env, seed, self._level))
        return self._told | {WON: False, DEAD: False}

    def step(self, action: Array) -> Mapping[str, Any]:
        observation, reward, end = step(self._env, int(action[0]))
        self._secrets = {"native_reward": reward, "success": float(end == WIN)}
        if end != DEATH:  # which clears the map
            self._told = self._values(observation)
        return self._told | {WON: end == WIN, DEAD: end == DEATH}

    def secrets(self) -> Mapping[str, float]:
        return self._secrets

    def close(self) -> None:
        self._env.close()

    def _values(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        letters = observation["screen_descriptions"]
        squares = {
            (int(x), int(y)): bytes(letters[y, x]).split(b"\0")[0].decode("latin-1")
            for y, x in np.argwhere(letters[..., 0])
        }
        at = next(square for square, said in squares.items() if said.endswith("called Agent"))
        values: dict[str, Any] = {"agent.position": at}
        if self._scene.carries_key:
            values["inventory.key"] = self._env.key_in_inventory("key") is not None
        for name in self._scene.things:
            if name not in WORDS:
                continue
            found = [square for square, said in squares.items() if re.search(WORDS[name], said) and square != at]
            far = [max(abs(x - at[0]), abs(y - at[1])) for x, y in found]
            values[f"{name}.count"], values[f"{name}.exists"] = len(found), bool(found)
            values[f"{name}.distance"] = min(far, default=NOWHERE)
            values[f"{name}.position"] = found[int(np.argmin(far))] if found else (NOWHERE, NOWHERE)
        return values
