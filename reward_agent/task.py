"""What a task is: a world, an instruction, metrics and a budget; and what a world must give (`World`, `Batch`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple, Protocol

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.errors import UsageError
from reward_agent.schema import Array, StateSchema

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Step(NamedTuple):
    """What one step of a batch leaves behind; nothing has been reset, so terminal states are real."""

    observations: Array
    """What a policy sees, `(N, O)`."""
    states: Array
    """Packed by the batch's schema, `(N, D)`."""
    terminated: Bools
    """`(N,)`."""
    truncated: Bools
    """`(N,)`; the horizon was reached."""


class Batch(Protocol):
    """N environments that step together. Arrays handed out are the caller's to keep (fresh, not live views)."""

    num_envs: int
    schema: StateSchema
    """The fields this batch packs, in this order."""
    observation_space: gymnasium.spaces.Box
    action_space: gymnasium.spaces.Box

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        """Reset the rows where `mask` `(N,)`, row i from `seeds[i]` alone; all rows' observations and states."""
        ...

    def step(self, actions: Array) -> Step:
        """Apply actions `(N, A)`, clipped to the action space, to every row."""
        ...

    def render(self, row: int) -> NDArray[np.uint8]:
        """An image `(H, W, 3)` of one environment."""
        ...

    def save(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs to go on bit for bit."""
        ...

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None: ...

    def close(self) -> None: ...


class World(Protocol):
    """An adapter to a family of simulated environments, set to one of them."""

    @property
    def name(self) -> str:
        """The family, as `mujoco`."""
        ...

    @property
    def dt(self) -> float:
        """Seconds of simulated time a step."""
        ...

    @property
    def parallel_envs(self) -> int:
        """How many environments at once are worth their making where any number would do, as in scoring."""
        ...

    def schema(self) -> StateSchema:
        """Every field this environment has, hidden ones included."""
        ...

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> Batch:
        """A batch that packs just `fields`, a selection of `schema()`."""
        ...

    def missing(self) -> str | None:
        """What this machine lacks to run it and the command that installs it; None when it can run."""
        ...


class Episode(NamedTuple):
    """One whole episode, for a metric. `state` and `constants` are namespaces by the schema's paths."""

    state: SimpleNamespace
    """Every field has a leading axis of T+1: the state at reset first, the last state last."""
    action: Array
    """`(T, A)`, as applied."""
    terminated: bool
    constants: SimpleNamespace
    dt: float
    """Seconds a step."""


Kind = Literal["success", "fitness"]


@dataclass(frozen=True)
class Metric:
    """Trusted code that judges whole episodes; higher is better. A reward can never read it."""

    name: str
    kind: Kind
    doc: str
    """What it counts exactly, in one line or two."""
    fields: tuple[str, ...]
    """Paths it reads; they may be hidden from rewards."""
    score: Callable[[Episode], float]
    """A success is 1.0 or 0.0."""


@dataclass(frozen=True)
class Termination:
    """A rule of the task's own that ends an episode."""

    doc: str
    fields: tuple[str, ...]
    ends: Callable[[SimpleNamespace], Bools]
    """Reads the state `(N, …)`, says which rows end."""


@dataclass(frozen=True)
class Task:
    """One world, one instruction in plain language, one or more metrics, a budget."""

    id: str
    """`world/name`, as `mujoco/hopper-forward`."""
    instruction: str
    world: World
    horizon: int
    """Steps after which an episode is truncated."""
    metrics: tuple[Metric, ...]
    """The first is the key of selection, the next break its ties."""
    terminates: Literal["native", "never"] | Termination = "native"
    """`native`: the environment's own rule; `never`: only the horizon ends an episode."""
    hide: tuple[str, ...] = ()
    """Fields or entities that rewards may not read here."""
    rename: Mapping[str, str] = field(default_factory=dict)
    preset: str = "default"
    """Name of the optimiser preset of this task's class."""
    budget: int = 1_000_000
    """Environment steps of one training."""
    expert: Path | None = None
    """A reward program by hand, in the contract."""
    reward_version: str = ""
    """Which published reward `expert` is the formula of, as `Meta-World v2`; empty where it is nobody's but ours."""
    control: str = ""
    """What the robot is, in one line for prompts."""
    family: str = ""
    """What tasks share that are one another in disguise, as opening and closing the same window: none of them may be
    an example for another. Empty for a task on its own."""
    benchmark: str = ""
    """The name that people know it by, as `Meta-World button-press-v3`; empty where it is nobody's but ours."""
    disguised_from: Task | None = None
    """The task that this is in other words and axes (`envs/disguise.py`), with the same scores; its expert reward is
    trained and compared there."""

    def __post_init__(self) -> None:
        """Raises `UsageError` where a card cannot be meant so."""
        for name in ("horizon", "budget"):
            if getattr(self, name) < 1:
                raise UsageError(f"The task {self.id} has {name}={getattr(self, name)}; it must be at least 1.")
        if not self.metrics:
            raise UsageError(f"The task {self.id} has no metric; name at least one that judges an episode.")
        if self.expert is not None and not self.expert.is_file():
            raise UsageError(
                f"The task {self.id} names the expert reward {self.expert}, which is no file: give its path beside the "
                "card, as `Path(__file__).parent / 'expert.py'`, or leave `expert` out."
            )

    @property
    def undisguised(self) -> Task:
        """The task as it is known, whose expert reward serves this one as well."""
        return self.disguised_from or self

    @property
    def graded(self) -> Metric:
        """What models are shown as `task_score`: the first fitness, or the first metric where none is one."""
        return next((metric for metric in self.metrics if metric.kind == "fitness"), self.metrics[0])
