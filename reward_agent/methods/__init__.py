"""Methods: what to ask a model, what to keep, what to say back. Pure functions of task and history; one file each.

A method is a class with `next(task, history) -> Action` and `read(reply) -> Program | Fault`; it never touches a
simulator. The loop (`agent.py`) does what the action says, adds the result to the history, and asks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from reward_agent.history import History
from reward_agent.messages import Key, Message
from reward_agent.program import Fault, Program
from reward_agent.task import Task


@dataclass(frozen=True)
class Prompt:
    """Messages to send, and which reply is wanted."""

    key: Key
    messages: tuple[Message, ...]


@dataclass(frozen=True)
class Ask:
    """Get these replies (side by side)."""

    prompts: tuple[Prompt, ...]


@dataclass(frozen=True)
class Train:
    """Optimise and evaluate these candidates, `(iteration, candidate)`, side by side."""

    candidates: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Words:
    """Get a person's words on a trained candidate."""

    iteration: int
    candidate: int


@dataclass(frozen=True)
class Done:
    """Stop; the loop retrains and reports the best candidate of the history."""

    reason: str = ""


Action = Ask | Train | Words | Done


@dataclass(frozen=True)
class Settings:
    """What every method is told by the command line."""

    iterations: int
    candidates: int
    repairs: int = 3
    """Replies asked for after a fault before a candidate is given up."""
    temperature: float = 1.0


class Method(Protocol):
    name: str
    sees: str
    """What the model is let see (metric, terms, words, queries): a column in every table."""

    def next(self, task: Task, history: History) -> Action: ...

    def read(self, reply: str) -> Program | Fault: ...



