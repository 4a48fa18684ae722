"""What happens in a run, as it happens: frozen values that the command line shows and any caller may follow.

A resumed run tells again what its journal holds, with `recorded` true, so that a view can be built from events alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from reward_agent.history import Interval, Judgement, Outcome, Whose
from reward_agent.messages import Key, Message, Reply
from reward_agent.program import Fault, Program
from reward_agent.subgoals import Subgoal

Phase = Literal["candidate", "final", "expert"]


@dataclass(frozen=True)
class Trial:
    """Which training: of a candidate, or one of those from scratch at the end."""

    phase: Phase
    iteration: int
    """0 for final and expert trainings."""
    index: int
    """The candidate's, or which of the final seeds."""

    def __str__(self) -> str:
        if self.phase == "candidate":
            return f"iteration {self.iteration}, candidate {self.index}"
        return f"{self.phase} training {self.index}"


@dataclass(frozen=True)
class Started:
    run: str
    folder: Path
    task: str
    instruction: str
    method: str
    sees: str
    """What the method lets the model see."""
    llm: str
    layers: tuple[str, ...]
    """Of the sandbox, in force."""
    resumed: bool
    variant: str = ""
    """What its prompts show or hide, as `1 example (mujoco/ant-forward)`."""
    judge: str = ""
    """Who compares the candidates; empty where a metric chooses."""


@dataclass(frozen=True)
class Asked:
    """A prompt goes to the model; not told again on a resume where the reply is in the journal."""

    key: Key
    messages: tuple[Message, ...]


@dataclass(frozen=True)
class Replied:
    key: Key
    reply: Reply
    tokens: int
    """Of the whole run so far."""
    usd: float
    recorded: bool


@dataclass(frozen=True)
class Unanswered:
    """A request failed for good: once the replies beside it are taken, the run stops, to be resumed."""

    key: Key
    message: str


@dataclass(frozen=True)
class Faulted:
    """A reply holds no program that can be trained."""

    key: Key
    program: Program | None
    faults: tuple[Fault, ...]
    recorded: bool


@dataclass(frozen=True)
class Described:
    """A reply that is no program and should be none, as the description of a motion: the method asks on with it."""

    key: Key
    text: str
    recorded: bool


@dataclass(frozen=True)
class Accepted:
    """A program passed check and probe."""

    key: Key
    program: Program
    warnings: tuple[str, ...]
    recorded: bool
    subgoals: tuple[Subgoal, ...] = ()
    """Those that it tells; none of a reward."""


@dataclass(frozen=True)
class TrainingStarted:
    trial: Trial
    budget: int
    doing: str = "training"
    """What the optimiser calls it; one that learns nothing says so."""


@dataclass(frozen=True)
class TrainingProgress:
    """At each rollout boundary of a training."""

    trial: Trial
    steps: int
    budget: int
    steps_per_second: float
    episode_return: float
    """By the reward trained on; nan before the first episode has ended."""
    episode_length: float
    terms: Mapping[str, float]
    """Mean per step."""


@dataclass(frozen=True)
class Scoring:
    """Where the score of a policy stands whose every episode takes long: it is planned as it is played."""

    trial: Trial
    done: int
    episodes: int
    """In all."""
    seconds_left: float
    """By what those that are done took; nan before the first."""


@dataclass(frozen=True)
class Looking:
    """A step of a look by the planner."""

    seconds: float
    """Of simulated time, played so far."""
    of: float
    """To play at most."""


@dataclass(frozen=True)
class Evaluated:
    """A training ended and its policy was scored on the select seeds, or its program failed."""

    trial: Trial
    outcome: Outcome | Fault
    recorded: bool


@dataclass(frozen=True)
class Judged:
    """A judge compared the candidates of an iteration."""

    iteration: int
    judgement: Judgement
    recorded: bool


@dataclass(frozen=True)
class Spoke:
    iteration: int
    candidate: int
    words: str
    whose: Whose
    recorded: bool


@dataclass(frozen=True)
class Best:
    """A candidate is better than all before it."""

    iteration: int
    candidate: int
    metrics: Mapping[str, Interval]


@dataclass(frozen=True)
class Noted:
    """Something the user should know that stops nothing."""

    text: str


@dataclass(frozen=True)
class Finished:
    result: Any
    """The `agent.Result`."""


Event = (
    Started
    | Asked
    | Replied
    | Unanswered
    | Described
    | Faulted
    | Accepted
    | TrainingStarted
    | TrainingProgress
    | Scoring
    | Looking
    | Evaluated
    | Judged
    | Spoke
    | Best
    | Noted
    | Finished
)
Events = Callable[[Event], None]


def ignore(event: Event) -> None:
    """For callers that follow nothing."""
