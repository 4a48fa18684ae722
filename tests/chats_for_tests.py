"""What tests of sessions share: one on the tiny world with a scripted model, and looks that cost nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import runs_for_tests as runs
from runs_for_tests import Scripted

from reward_agent.chat import ChatSettings, Look, Session, go_on, start
from reward_agent.chat.settings import ROUNDS
from reward_agent.config import RunConfig
from reward_agent.messages import Key, Message, Reply
from reward_agent.program import Fault, Program
from reward_agent.task import Task

SMALL = {"iterations": ROUNDS, "candidates": 1, "budget": 512, "select_episodes": 4, "jobs": 1}


class Glance:
    """A look without any simulation: its numbers are those of the program's length."""

    def __init__(self, *, factor: float = 2.0) -> None:
        self.seen: list[tuple[str, str]] = []
        self.factor = factor

    def look(self, task: Task, program: Program) -> Look | Fault:
        self.seen.append((task.instruction, program.source))
        size = float(len(program.source))
        return Look(
            terms={"near": (size, size + 1.0)},
            total=(size, size + 1.0),
            metrics={"success": 0.0, "closeness": -1.0 / size},
            seconds=3.0,
            real_time_factor=self.factor,
        )


def prompt(model: Scripted, index: int = -1) -> str:
    """All of a request, the last one unless told."""
    return "\n".join(message.text for message in model.asked[index][1])


class Slow:
    """A model that takes its time, and says so."""

    name = "slow:one"

    def __init__(self) -> None:
        self.asked = 0

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        self.asked += 1
        time.sleep(60)
        return Reply("too late", model="slow")


def config(**changes: Any) -> RunConfig:
    return runs.config("x", **SMALL | {"method": "text2reward"} | changes)


def begin(
    root: Path, llm: Any, *, settings: ChatSettings | None = None, looker: Any = None, name: str = "one", **changes: Any
) -> Session:
    """A new session; its looks are glances unless the settings say how."""
    session = start(config(**changes), settings, llm=llm, root=root, name=name)
    return _glancing(session, looker, settings)


def again(folder: Path, llm: Any, *, settings: ChatSettings | None = None, looker: Any = None) -> Session:
    return _glancing(go_on(folder, llm=llm), looker, settings)


def _glancing(session: Session, looker: Any, settings: ChatSettings | None) -> Session:
    if settings is None or looker is not None:
        glance = looker or Glance()
        session.showing.make_looker = lambda turn, number: glance
    return session


def same(left: Any, right: Any) -> bool:
    """Equality in which nan is nan."""
    return repr(left) == repr(right)


__all__ = ["Glance", "Scripted", "Slow", "again", "begin", "config", "same"]
