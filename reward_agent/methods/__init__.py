"""Methods: what to ask a model, what to keep, what to say back; one file each.

A method is a class with `next(task, history) -> Action` and `read(task, history, prompt, reply) -> Program | Data |
Fault`: pure functions that never touch a simulator. The loop (`agent.py`) does what the action says, adds the result
to the history, and asks again.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol, cast

from reward_agent.errors import unknown_name
from reward_agent.fewshot import Example
from reward_agent.history import History
from reward_agent.messages import Key, Message
from reward_agent.parameters import Parameterised
from reward_agent.plugins import METHODS
from reward_agent.program import Fault, Program
from reward_agent.subgoals import Subgoal
from reward_agent.task import Task

if TYPE_CHECKING:
    from reward_agent.templates import Templates


@dataclass(frozen=True)
class Prompt:
    """Messages to send, and which reply is wanted."""

    key: Key
    messages: tuple[Message, ...]


@dataclass(frozen=True)
class Data:
    """A reply that is no program and has nothing wrong: kept for the method's next prompt, as a description."""

    text: str


@dataclass(frozen=True)
class Ask:
    """Get these replies (side by side)."""

    prompts: tuple[Prompt, ...]


@dataclass(frozen=True)
class Train:
    """Optimise and evaluate these candidates, `(iteration, candidate)`, side by side."""

    candidates: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Compare:
    """Have the judge compare the trained candidates of an iteration with one another and with the best before."""

    iteration: int


@dataclass(frozen=True)
class Words:
    """Get a person's words on a trained candidate."""

    iteration: int
    candidate: int


@dataclass(frozen=True)
class Done:
    """Stop; the loop retrains and reports the best candidate of the history."""

    reason: str = ""


Action = Ask | Train | Compare | Words | Done


@dataclass(frozen=True)
class Settings:
    """What every method is told by the command line."""

    iterations: int
    candidates: int
    repairs: int = 3
    """Replies asked for after a fault before a candidate is given up."""
    initial: Program | None = None
    """A person's reward to improve. Iteration 0 is then this program alone, put into the history by
    `base.starting_history` and trained without asking; `iterations` rounds of the model follow it."""
    examples: tuple[Example, ...] = ()
    """Other tasks' rewards that the first prompt shows, for a method that `shows_examples`."""
    only_name: bool = False
    """Say the benchmark's name for the task in place of the instruction: what comes then was known beforehand."""
    judged: bool = False
    """A judge compares the candidates of each iteration, and no metric chooses among them."""
    subgoals: tuple[Subgoal, ...] = ()
    """Those that are given, for a method that divides tasks."""
    shaping: Mapping[str, Any] = field(default_factory=dict)
    """What to change of how reaching one pays (`sources.shaping.Shaping`)."""
    without: tuple[str, ...] = ()
    """Parts of the method that are left out, by names of its `ablations`."""

    @property
    def rounds(self) -> int:
        """Iterations in all, numbered from 0."""
        return self.iterations + (self.initial is not None)

    def width(self, iteration: int) -> int:
        """Candidates of this iteration."""
        return 1 if self.initial is not None and iteration == 0 else self.candidates


class Method(Protocol):
    name: str
    sees: str
    """What the model is let see (metric, terms, words, queries): a column in every table."""

    def next(self, task: Task, history: History) -> Action: ...

    def read(self, task: Task, history: History, prompt: Prompt, reply: str) -> Program | Data | Fault:
        """What is in a reply to `prompt`, the history being as it was when that was asked."""
        ...


def find_method(name: str) -> Callable[[Settings, Templates], Method]:
    """What makes the method of this name: the class so named in `methods/<name>.py`, or a user's entry point.

    Raises:
        UsageError: there is none, with the closest valid name.
    """
    users = {point.name: point for point in entry_points(group=METHODS.group)}
    if name in users:
        return cast("Callable[[Settings, Templates], Method]", users[name].load())
    if name not in METHODS.names():
        raise unknown_name("method", name, METHODS.names())
    module = importlib.import_module(f"{__name__}.{name}")
    (found,) = (value for value in vars(module).values() if getattr(value, "name", None) == name)
    return cast("Callable[[Settings, Templates], Method]", found)


def method_for_words(task: Task) -> str:
    """The method that suits a task and a person's words: the one of reward parameters, else the one made for words."""
    return "l2r" if isinstance(task.world, Parameterised) else "text2reward"
