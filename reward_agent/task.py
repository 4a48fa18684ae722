"""What a task is: a world, an instruction, metrics and a budget; and what a world must give (`World`, `Batch`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple, Protocol, TypedDict, Unpack, runtime_checkable

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.errors import UsageError
from reward_agent.schema import Array, Constant, Entity, Field, StateSchema
from reward_agent.subgoals import Subgoal

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
ActionSpace = gymnasium.spaces.Box | gymnasium.spaces.Discrete


class Step(NamedTuple):
    """What one step of a batch leaves behind; nothing has been reset, so terminal states are real.

    All of it is on the host, from simulators on a GPU too: PPO learns there, and cells read the host's shared memory.
    """

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

    @property
    def action_space(self) -> ActionSpace:
        """Flat, `(A,)`; or discrete, its numbers from 0 on."""
        ...

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        """Reset the rows where `mask` `(N,)`, row i from `seeds[i]` alone; all rows' observations and states."""
        ...

    def step(self, actions: Array) -> Step:
        """Apply actions `(N, A)`, within the action space, to every row; `(N, 1)` holds a discrete one's numbers."""
        ...

    def render(self, row: int) -> NDArray[np.uint8]:
        """An image `(H, W, 3)` of one environment."""
        ...

    def save(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore` needs to go on bit for bit."""
        ...

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None: ...

    def close(self) -> None: ...


class Viewpoint(NamedTuple):
    """From where a simulation of a MuJoCo model is best looked at."""

    body: int
    """Number of the body to look at."""
    view: tuple[float, float, float] | None = None
    """Distance (m), azimuth and elevation (degrees) from it; None for the model's own camera, `track`."""


@runtime_checkable
class Posed(Protocol):
    """A batch of simulations of one MuJoCo model, which a live view (`live`) can show."""

    @property
    def model(self) -> Any:
        """The `mujoco.MjModel`."""
        ...

    @property
    def viewpoint(self) -> Viewpoint: ...

    def pose(self, row: int) -> Array:
        """`qpos` `(nq,)` of one row as it is now; a fresh array."""
        ...


class Screen(NamedTuple):
    """What a person at the screen of a world of characters sees at one instant."""

    crop: str
    """The agent's surroundings, a line of characters a row."""
    full: str
    """All that is on the screen, without empty margins."""
    message: str
    """What the game says; empty where it says nothing."""
    inventory: tuple[str, ...]
    """What the agent carries, in words."""


@runtime_checkable
class OnScreen(Protocol):
    """A batch whose environments can be read as text."""

    def screen(self, row: int) -> Screen:
        """Of one row as it is now."""
        ...


@runtime_checkable
class TextWorld(Protocol):
    """A world whose batches are `OnScreen`.

    One whose cropped screens do not have the agent in their middle says in an attribute `cropped` what they show.
    """

    def legend(self) -> Mapping[str, str]:
        """What characters of its screens stand for."""
        ...


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


@runtime_checkable
class Forking(Protocol):
    """A world whose running episodes can be copied, as planners need: one that is played on leaves the other as is."""

    def fork(self, saved: Mapping[str, NDArray[Any]], rows: Ints) -> dict[str, NDArray[Any]]:
        """From what a batch of R rows saved, what a batch of `len(rows)` restores: its row i as `rows[i]` was."""
        ...


class Witness(Protocol):
    """The simulator's own environment, read directly: what a world's batches are held against (`conformance`).

    It goes by the same seeds and actions as one row of a batch, and reads the state by other means than the batch does.
    Where its numbers agree with ours only roughly, an attribute `tolerance` says how closely: a share of the largest
    value of a field. Without it that is 1e-9, and 1e-5 where values are of single precision.
    """

    def reset(self, seed: int) -> Mapping[str, Any]:
        """Begin an episode; values at reset by path of `World.schema()`, of as many fields as can be told."""
        ...

    def step(self, action: Array) -> Mapping[str, Any]:
        """Apply an action `(A,)`; the same fields after it. Never resets by itself."""
        ...

    def secrets(self) -> Mapping[str, float]:
        """What no reward may read, of the last step: the native reward, success flags. Empty after a reset."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Witnessed(Protocol):
    """A world that has a witness."""

    def witness(self) -> Witness: ...


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
    counts: str = ""
    """When and by whose test a success counts, in words that all tasks judged in this way share: rates of such tasks
    may be averaged. Where it is empty, `doc` is what it counts, and no other task shares it."""


@dataclass(frozen=True)
class Termination:
    """A rule of the task's own that ends an episode."""

    doc: str
    fields: tuple[str, ...]
    ends: Callable[[SimpleNamespace], Bools]
    """Reads the state `(N, …)`, says which rows end."""


class GymnasiumOptions(TypedDict, total=False):
    """What `Task.from_gymnasium` may be told; beside these, the fields of a card."""

    metric: Metric | Callable[[Episode], float]
    """Judges an episode. A plain function may read every field; annotated `-> bool` it tells a success, otherwise a
    fitness; the first paragraph of its docstring says what it counts."""
    metrics: Sequence[Metric | Callable[[Episode], float]]
    """Several; the first is the key of selection. `metrics=()` says that no number tells how good a behaviour is, and a
    judge is to compare them."""
    state: Callable[[Any, Any], Mapping[str, Any]]
    """`state(env, observation)`, the environment without its wrappers: a dictionary of numbers and arrays by path
    (`cart.position`), exact at the instant; shapes and kinds are taken from what it returns. It is given neither reward
    nor `info`, and should return nothing of the kind. Without it: the bodies, joints, sites and actuators of a MuJoCo
    model where there is one, else the keys of a nested observation, else `columns`."""
    fields: Mapping[str, Field | Entity | str]
    """Meaning of fields and of entities by path: `"along the rail, right is positive [m]"`, or a `Field`."""
    columns: Sequence[str]
    """Paths for the numbers of a flat observation, instead of `state`."""
    constants: Mapping[str, float | Sequence[float]] | Sequence[Constant]
    """Numbers that never change, read as `constants.name`."""
    actions: Sequence[str]
    """Names of the action's columns, or of its numbers where it is discrete."""
    action_bounds: tuple[float, float]
    """Of actions that have none."""
    dt: float
    """Seconds of simulated time a step, where the environment does not tell."""
    parallel_envs: int
    """See `World.parallel_envs`; 8."""
    id: str
    """`own/` and the environment's name unless given."""
    horizon: int
    """The environment's own limit of steps unless given."""
    terminates: Literal["native", "never"] | Termination
    hide: tuple[str, ...]
    rename: Mapping[str, str]
    preset: str
    budget: int
    expert: Path | None
    control: str
    family: str
    benchmark: str


@dataclass(frozen=True)
class Task:
    """One world, one instruction in plain language, a budget; metrics, or none where only a comparison can tell."""

    id: str
    """`world/name`, as `mujoco/hopper-forward`."""
    instruction: str
    world: World
    horizon: int
    """Steps after which an episode is truncated."""
    metrics: tuple[Metric, ...]
    """The first is the key of selection, the next break its ties. Empty for an instruction alone: no number tells how
    near a behaviour comes, so candidates are compared by a judge."""
    terminates: Literal["native", "never"] | Termination = "native"
    """`native`: the environment's own rule; `never`: only the horizon ends an episode."""
    goal: str = ""
    """Path of a hidden flag that is true where what is wanted is reached: the sparse reward that subgoals are paid
    beside. No program reads it."""
    subgoals: tuple[Subgoal, ...] = ()
    """Steps on the way to it, in order, for who wants them given. None in disguise: their words would undo it."""
    hide: tuple[str, ...] = ()
    """Fields, entities or `constants.<name>` that rewards may not read here."""
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
    corrections: tuple[str, ...] = ()
    """What a person says after the instruction, one turn after the other, for a method that holds a conversation;
    metrics judge what is wanted in the end."""
    optimiser: str = "ppo"
    """What turns rewards into behaviour here unless another is named."""
    disguised_from: Task | None = None
    """The task that this is in other words and axes (`envs/disguise.py`), with the same scores; its expert reward is
    trained and compared there."""

    def __post_init__(self) -> None:
        """Raises `UsageError` where a card cannot be meant so."""
        for name in ("horizon", "budget"):
            if getattr(self, name) < 1:
                raise UsageError(f"The task {self.id} has {name}={getattr(self, name)}; it must be at least 1.")
        if self.expert is not None and not self.expert.is_file():
            raise UsageError(
                f"The task {self.id} names the expert reward {self.expert}, which is no file: give its path beside the "
                "card, as `Path(__file__).parent / 'expert.py'`, or leave `expert` out."
            )

    @classmethod
    def from_gymnasium(
        cls, factory: str | Callable[..., Any], instruction: str, **options: Unpack[GymnasiumOptions]
    ) -> Task:
        """A task in any `gymnasium.Env`, from a sentence and a metric.

        Args:
            factory: a Gymnasium id, or a class or function that makes an environment when it is called without
                arguments; where it takes `render_mode`, films can be made. The environment is made and played for a few
                steps at once, so that what is wrong with it is told here. Trainings run in processes that import it:
                define it in a module, or in the task's own file.
            instruction: the sentence.
            options: see `GymnasiumOptions`; a metric is needed, or the word that there is none (`metrics=()`).

        Raises:
            UsageError: no metric, no horizon, spaces that cannot be used, or a state that cannot be one.
            MissingComponentError: the environment lacks a package.
            RewardAgentError: it fails, or its episodes are not determined by their seed and actions.
        """
        # a world is above this layer, and tasks know none but this: it is the one for everybody's own environments
        task: Task = import_module("reward_agent.envs.gymnasium").make_task(factory, instruction, options)
        return task

    @property
    def undisguised(self) -> Task:
        """The task as it is known, whose expert reward serves this one as well."""
        return self.disguised_from or self

    @property
    def graded(self) -> Metric | None:
        """What models are shown as `task_score`: the first fitness, or the first metric where none is one; None of a
        task without metrics."""
        return next((metric for metric in self.metrics if metric.kind == "fitness"), next(iter(self.metrics), None))
