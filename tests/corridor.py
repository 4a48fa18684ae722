"""A tiny world of characters for tests: a corridor with a key on its way and a door at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import gymnasium
import numpy as np
from tiny import TinyBatch

from reward_agent.crediting import Glimpse, Reached
from reward_agent.crediting.trajectories import Trajectory
from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.llm.base import LLM
from reward_agent.messages import Key, Message
from reward_agent.program import Fault
from reward_agent.schema import ActionSpec, Array, Entity, Field, StateSchema
from reward_agent.subgoals import Subgoal
from reward_agent.task import Episode, Metric, Screen, Step, Task

LENGTH, KEY_AT = 7, 3
PICKED = "You pick up the key."
ACTIONS = ("left", "right", "pickup")
NAMES = ("has_key", "at_door")

SCHEMA = StateSchema(
    fields=(
        Field("agent.at", "square", kind="int"),
        Field("agent.has_key", "it carries the key", kind="bool"),
        Field("game.won", "at the door with the key", kind="bool", hidden=True),
    ),
    entities=(Entity("agent", "Agent", "who walks"), Entity("game", "Game", "what only the metric sees")),
    action=ActionSpec(names=ACTIONS, discrete=True, idle=2),
)


@dataclass(frozen=True)
class Corridor:
    name: str = "corridor"
    parallel_envs: int = 8
    dt: float = 1.0

    def schema(self) -> StateSchema:
        return SCHEMA

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> CorridorBatch:
        return CorridorBatch(num_envs, fields)

    def missing(self) -> str | None:
        return None

    def legend(self) -> Mapping[str, str]:
        return {"@": "the agent", "k": "the key", "+": "the door", ".": "floor"}


class CorridorBatch(TinyBatch):
    """Rows of square, key in hand, and whether it was just picked up."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields, 3, gymnasium.spaces.Discrete(len(ACTIONS)))

    def step(self, actions: Array) -> Step:
        action, at = actions[:, 0], self._x[:, 0]
        self._x[:, 0] = np.clip(at - (action == 0) + (action == 1), 0, LENGTH - 1)
        self._x[:, 2] = (action == 2) & (at == KEY_AT) & (self._x[:, 1] == 0)
        self._x[:, 1] = np.maximum(self._x[:, 1], self._x[:, 2])
        return Step(self._x.copy(), self._pack(), self._values()["game.won"], np.zeros(self.num_envs, bool))

    def screen(self, row: int) -> Screen:
        at, has_key, picked = self._x[row]
        squares = ["."] * (LENGTH - 1) + ["+"]
        if not has_key:
            squares[KEY_AT] = "k"
        squares[int(at)] = "@"
        drawn = "".join(squares)
        return Screen(drawn, drawn, PICKED if picked else "", ("a key",) if has_key else ())

    def _begin(self, generator: np.random.Generator) -> Any:
        return generator.integers(KEY_AT), 0.0, 0.0

    def _values(self) -> dict[str, Any]:
        at, has_key, _ = self._x.T
        return {"agent.at": at, "agent.has_key": has_key, "game.won": (at == LENGTH - 1) & (has_key > 0)}


def truth(before: Screen, after: Screen) -> dict[str, bool]:
    """What a person says of two screens."""
    return {"has_key": after.message == PICKED, "at_door": before.full[-1] == "+" and after.full[-1] == "@"}


def recorded(seed: int, actions: Sequence[str]) -> Trajectory:
    """An episode of these actions, with what a person says of its screens."""
    episodes = Episodes(task, 1, task_schema(task).visible().by_path)
    try:
        episodes.reset(np.ones(1, bool), np.array([seed]))
        screens, states = [episodes.screen(0)], [episodes.states[0].copy()]
        for name in actions:
            states.append(episodes.step(np.array([[float(ACTIONS.index(name))]])).states[0].copy())
            screens.append(episodes.screen(0))
    finally:
        episodes.close()
    return Trajectory(
        id=f"t{seed:03d}",
        task=task.id,
        seed=seed,
        by="hand",
        actions=tuple(actions),
        screens=tuple(screens),
        fields=tuple(episodes.schema.by_path),
        states=np.array(states),
        reached=tuple(truth(before, after) for before, after in pairwise(screens)),
    )


def _won(episode: Episode) -> bool:
    return bool(episode.state.game.won[-1])


task = Task(
    id="corridor/door",
    instruction="fetch the key and go to the door",
    world=Corridor(),
    horizon=24,
    metrics=(Metric("success", "success", "at the door with the key", ("game.won",), _won),),
    goal="game.won",
    subgoals=(Subgoal("has_key", "the key was picked up"), Subgoal("at_door", "the agent came to the door")),
    budget=20_000,
)


@dataclass(frozen=True)
class ModelReader:
    """Asks a model about the screens of a batch in one message: for each, a line of what was reached."""

    llm: LLM
    names: tuple[str, ...] = NAMES

    def read(self, glimpses: Sequence[Glimpse]) -> list[Reached | Fault]:
        lines = [f"{g.before.full} {g.action} {g.after.full} {g.after.message}" for g in glimpses]
        reply = self.llm.complete([Message("user", "\n".join(lines))], Key(0, 0, 0))
        said = reply.text.split("\n")
        assert len(said) == len(glimpses), reply.text
        return [
            Fault("reply", "says nothing of it") if line == "?" else {name: name in line.split() for name in self.names}
            for line in said
        ]


def answered(prompt: str) -> str:
    """What a model that sees well replies to `ModelReader`."""
    found = []
    for line in prompt.split("\n"):
        before, _, after, message = line.split(" ", 3)
        seen = truth(Screen(before, before, "", ()), Screen(after, after, message, ()))
        found.append(" ".join(name for name in NAMES if seen[name]) or "none")
    return "\n".join(found)
