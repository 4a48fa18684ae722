"""How a session looks at what its rewards lead to. Kept in `run.json` beside the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from shlex import quote
from typing import Any, Literal, get_args

from reward_agent.errors import UsageError, unknown_name
from reward_agent.invocation import command
from reward_agent.methods import find_method
from reward_agent.plugins import NOBODY, SCORES
from reward_agent.task import Task

How = Literal["planner", "training", "none"]
PLANNER = "mpc"
"""The optimiser that acts on a reward at once, without a training."""
SHORT = 50_000
"""Environment steps of a training that is a look, where nobody says how many; no more than the task's own."""
ROUNDS = 1_000
"""What the method is told: a session ends when the person ends it."""


@dataclass(frozen=True)
class ChatSettings:
    """Raises `UsageError` where a value cannot be meant."""

    look: How | None = None
    """None leaves it to the task: by the planner where its own optimiser is one, else by a training."""
    budget: int | None = None
    """Environment steps of a training that is a look; `SHORT` unless given."""
    seconds: float | None = None
    """Of simulated time that a planner plays; an episode unless given."""
    carry_on: bool = False
    """A planner's look begins where the one before it ended, instead of at a reset."""
    preset: str | None = None
    """Of the planner's settings; the task's own unless given."""
    planner: Mapping[str, Any] = field(default_factory=dict)
    """What to change of the planner's settings."""

    def __post_init__(self) -> None:
        if self.look is not None and self.look not in get_args(How):
            raise unknown_name("way to look at a reward", self.look, get_args(How))
        if self.budget is not None and self.budget < 1:
            raise UsageError(f"A look needs a budget of at least 1 step, not {self.budget}.")
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise UsageError(f"A look must last for more than 0 s, not {self.seconds:g}.")

    def way(self, task: Task) -> Literal["planner", "training"]:
        """How a reward is looked at where one is; under `none` that is where it is asked for."""
        if self.look == "planner" or self.look == "training":
            return self.look
        return "planner" if task.optimiser == PLANNER else "training"

    def settled(self, task: Task) -> ChatSettings:
        """With nothing left open.

        Raises:
            UsageError: an option is of the other way to look.
        """
        way = self.way(task)
        given = {
            "--carry-on": self.carry_on,
            "--look-seconds": self.seconds is not None,
            "A preset of the planner": self.preset is not None,
            "A setting of the planner": bool(self.planner),
        }
        if way == "training" and (names := [name for name, is_given in given.items() if is_given]):
            raise UsageError(
                f"{names[0]} is for looks by the planner, and rewards of {task.id} are looked at by a short training, "
                "whose episodes begin and end by themselves: `--look-budget` says how long it is. Leave it out, or add "
                "`--look planner`."
            )
        if way == "planner" and self.budget is not None:
            raise UsageError(
                f"--look-budget is for looks by a training, and rewards of {task.id} are looked at by the planner: "
                "`--look-seconds` says how long it plays. Leave it out, or add `--look training`."
            )
        return replace(
            self,
            look=self.look or way,
            budget=self.budget or min(SHORT, task.budget),
            seconds=self.seconds or task.horizon * task.world.dt,
        )


def require_trainer(optimiser: str) -> None:
    """Raises `UsageError` where `/train` cannot make a policy with it."""
    if optimiser == PLANNER:
        raise UsageError(
            f"--optimiser is what `/train` makes a policy with, and {PLANNER} trains nothing: it plans anew at every "
            "step. Leave it out (ppo trains then); `--look planner` is how rewards are looked at by planning."
        )


def require_answers(llm: str | None, method: str, task: str, way: str) -> None:
    """Raises `UsageError` where nobody would answer what the person says; `task` is named as they named it."""
    silent = method == SCORES or hasattr(find_method(method), "begins_with")
    nobody = {f"--method {method}": silent, f"--llm {NOBODY}": (llm or "").partition(":")[0] == NOBODY}
    if given := [option for option, is_given in nobody.items() if is_given]:
        by = f" --optimiser {PLANNER} --episodes 1 --budget 20000" if way == "planner" else ""
        raise UsageError(
            f"In a chat somebody answers what you say, and with {' and '.join(f'`{each}`' for each in given)} nobody "
            f"would. To look at a reward of your own, `{command()} chat {quote(task)} --init FILE --llm manual`, and "
            f"then `/look`, asks nobody either; `{command()} eval FILE --task {quote(task)}{by}` scores it."
        )
