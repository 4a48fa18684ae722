"""How a session looks at what its rewards lead to. Kept in `run.json` beside the configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from reward_agent.config import RunConfig
from reward_agent.errors import UsageError, unknown_name
from reward_agent.parameters import Parameterised
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
    """None leaves it to the task: its optimiser says whether its world can be planned in."""
    budget: int | None = None
    """Environment steps of a training that is a look; `SHORT` unless given."""
    seconds: float | None = None
    """Of simulated time that a planner plays; an episode unless given."""
    carry_on: bool = False
    """A planner's look begins where the one before it ended, instead of at a reset."""

    def __post_init__(self) -> None:
        if self.look is not None and self.look not in get_args(How):
            raise unknown_name("way to look at a reward", self.look, get_args(How))
        if self.budget is not None and self.budget < 1:
            raise UsageError(f"A look needs a budget of at least 1 step, not {self.budget}.")
        if self.seconds is not None and not 0 < self.seconds < float("inf"):
            raise UsageError(f"A look must last for more than 0 s, not {self.seconds:g}.")

    def settled(self, task: Task, optimiser: str | None) -> ChatSettings:
        """With nothing left open; `optimiser` is the one that was asked for, if any."""
        wanted = optimiser or task.optimiser
        return replace(
            self,
            look=self.look or ("planner" if wanted == PLANNER else "training"),
            budget=self.budget or min(SHORT, task.budget),
            seconds=self.seconds or task.horizon * task.world.dt,
        )


def default_method(how: How | None, task: Task) -> str:
    """The method of a session where nobody names one: the one that the planner is for, else the one made for words."""
    return "l2r" if how == "planner" and isinstance(task.world, Parameterised) else "text2reward"


def trainer_of(config: RunConfig) -> RunConfig:
    """How policies are made, whatever looks are made with: settings of the planner are none of a training's."""
    return replace(config, optimiser="ppo", preset=None, settings={}) if config.optimiser == PLANNER else config
