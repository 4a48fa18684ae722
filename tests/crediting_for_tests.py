"""What tests of crediting share: glimpses of a key room that are written by hand, and a task with screens of text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pointmass

from reward_agent.crediting import Glimpse
from reward_agent.subgoals import Subgoal
from reward_agent.task import Screen, Task, World

SUBGOALS = (Subgoal("has_key", "the key was picked up"), Subgoal("opened", "the door was opened"))
CARRIED = ("a sword", "a key")


@dataclass(frozen=True)
class Lettered:
    """A world with a legend; nobody steps it."""

    inner: World = field(default_factory=lambda: pointmass.task.world)

    def __getattr__(self, name: str) -> object:
        return getattr(self.inner, name)

    def legend(self) -> Mapping[str, str]:
        return {"@": "the agent", "`": "a boulder"}


TASK = Task("own/lettered", "find the key", Lettered(), 10, pointmass.task.metrics)


def screen(number: int, message: str = "") -> Screen:
    return Screen(f"...\n.@{number % 10}\n...", f"-----\n|.@{number % 10}|\n-----", message, CARRIED[: 1 + number % 2])


def glimpse(number: int, action: str = "north") -> Glimpse:
    return Glimpse(screen(number), action, screen(number + 1, f"message {number}"))


def answer(*reached: tuple[bool, bool]) -> str:
    """A whole reply: of one transition, or of several."""
    said = [{"has_key": key, "opened": opened} for key, opened in reached]
    return json.dumps(said[0] if len(said) == 1 else {str(number): each for number, each in enumerate(said, 1)})
