"""The `gymnasium` world: any single environment with Gymnasium's interface."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, cast

from gymnasium import spaces

from reward_agent.envs.gymnasium.describing import describe
from reward_agent.envs.gymnasium.making import Env, Factory, close, make, name_of
from reward_agent.envs.gymnasium.mujoco_state import FromModel, holds_model
from reward_agent.envs.gymnasium.row import EnvRow, Recipe
from reward_agent.envs.gymnasium.spaces import action_spec
from reward_agent.envs.gymnasium.state import FromFunction, FromObservation, Source, StateFunction, Together
from reward_agent.envs.gymnasium.survey import Survey, survey
from reward_agent.envs.rows import RowBatch
from reward_agent.envs.task_files import pack
from reward_agent.errors import unknown_name
from reward_agent.schema import Constant, Entity, Field, StateSchema
from reward_agent.task import Batch

if TYPE_CHECKING:
    from reward_agent.envs.gymnasium.witness import EnvWitness


@dataclass(frozen=True, eq=False)
class GymnasiumWorld:
    """An environment as a world. Nothing is made before it is needed.

    Raises:
        UsageError: observations or actions that cannot be used; a state or a description of it that cannot be.
        MissingComponentError: the environment lacks a package.
        RewardAgentError: it fails, or is not determined by seed and actions.
    """

    factory: Factory
    """A Gymnasium id, or what gives an environment when it is called without arguments. Where it takes `render_mode`,
    films can be made. Training processes import it: define it in a module or in the task's file."""
    state: StateFunction | Source | None = None
    """`state(env, observation)`: values by path, exact at the instant. It sees no reward and no `info`. Derived unless
    given: from a MuJoCo model where the environment has one, and from the observation's keys or columns."""
    fields: Mapping[str, Field | Entity | str] = field(default_factory=dict)
    """What fields and entities mean, by path: text, at whose end a unit may stand in brackets; or `Field`, which can
    be hidden."""
    columns: tuple[str, ...] = ()
    """Paths for the numbers of a flat observation, where there is no `state`."""
    constants: tuple[Constant, ...] = ()
    """Beside `dt`."""
    actions: tuple[str, ...] = ()
    """Names of the action's columns, or of its numbers."""
    action_bounds: tuple[float, float] | None = None
    """For an action space without bounds."""
    seconds: float | None = None
    """Of simulated time a step; what the environment says of itself unless given."""
    name: str = "gymnasium"
    parallel_envs: int = 8

    @property
    def dt(self) -> float:
        """Seconds of simulated time a step; 1 where nothing tells."""
        return self.seconds or self.surveyed.dt

    @property
    def limit(self) -> int | None:
        """Steps after which the environment's own `TimeLimit` truncates."""
        return self.surveyed.limit

    def schema(self) -> StateSchema:
        """Every field, hidden ones included."""
        return self._schema

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> Batch:
        """A batch that packs just `fields`, stepped in `threads` processes where those can import the environment.

        Where they cannot, it steps in this one alone, and a warning says so once.

        Raises:
            UsageError: a field is not of this environment.
        """
        schema = self.schema()
        for wanted in fields.fields:
            if wanted.path not in schema:
                raise unknown_name(f"state field of {name_of(self.factory)}", wanted.path, schema.by_path)
        found = self.surveyed
        recipe = Recipe(self.factory, found.source, found.action, found.small_seeds)
        workers = threads if min(threads, num_envs) > 1 and self._can_be_sent else 1
        return cast(Batch, RowBatch(partial(EnvRow, recipe, fields), num_envs, fields, workers=workers))

    def missing(self) -> str | None:
        """None: what lacks is said when the environment is made."""
        return None

    def standalone(self, paths: Iterable[str]) -> str:
        """See `export.Standalone`. A state function stays its owner's: the file is given it."""
        from reward_agent.envs.gymnasium.standalone import source

        return source(self, tuple(paths))

    def witness(self) -> EnvWitness:
        """See `task.Witness`."""
        from reward_agent.envs.gymnasium.witness import EnvWitness

        return EnvWitness(self)

    @cached_property
    def surveyed(self) -> Survey:
        """What making it and playing a few steps showed."""
        name = name_of(self.factory)
        env = make(self.factory)
        try:
            action = action_spec(env.action_space, name, self.actions, self.action_bounds)
            return survey(env, self.factory, self._source(env), action)
        finally:
            close(env)

    @cached_property
    def _can_be_sent(self) -> bool:
        """Whether other processes can make its environments too; why not is said when it is first asked."""
        parts = {"what makes it": self.factory, "what reads its state": self.surveyed.source}
        faults = {what: fault for what, part in parts.items() if (fault := _fault_of_sending(part))}
        for what, fault in faults.items():
            warnings.warn(
                f"All environments of {name_of(self.factory)} step in one process, whatever `threads` says: {what} "
                f"cannot be sent to others ({fault}). Give a function or class that stands at the top of a module, or "
                "of the task's file: no lambda, none from within another function.",
                stacklevel=4,
            )
        return not faults

    def _source(self, env: Env) -> Source:
        if self.state is not None:
            return FromFunction(self.state) if callable(self.state) else self.state
        if self.columns or not holds_model(env):
            return FromObservation(self.columns)
        nested = isinstance(env.observation_space, spaces.Dict | spaces.Tuple)
        return Together((FromModel(), FromObservation())) if nested else FromModel()

    @cached_property
    def _schema(self) -> StateSchema:
        found = self.surveyed
        fields, entities = describe(found.samples, found.docs, self.fields)
        step = Constant("dt", self.dt, "one step", "s")
        return StateSchema(fields, entities, found.action, (step, *self.constants))


def _fault_of_sending(part: object) -> str:
    """Why other processes cannot be given it, as a lambda that is known to this one alone; '' if they can."""
    try:
        pack(part)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        return " ".join(str(error).split())
    return ""
