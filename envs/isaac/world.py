"""The `isaac` world: an IsaacGymEnvs-style `VecTask` in an interpreter of the user's, and N environments as a batch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.isaac.client import Worker, has_modules, mapped
from reward_agent.envs.isaac.links import LinksAtReset
from reward_agent.envs.isaac.schema import GROUPS, Derived, TaskTensor, derive
from reward_agent.errors import MissingComponentError, UsageError, unknown_name
from reward_agent.schema import Array, StateSchema
from reward_agent.task import Bools, Ints, Step

if TYPE_CHECKING:
    from reward_agent.envs.isaac.witness import IsaacWitness

VARIABLE = "REWARD_AGENT_ISAAC_PYTHON"
"""Environment variable that names the interpreter that has Isaac Gym."""


@dataclass(frozen=True)
class IsaacGym:
    """One `VecTask`.

    Raises:
        UsageError: `state` names no group.
    """

    task: str = "Cartpole"
    """IsaacGymEnvs' name, or `module:callable`, which makes a `VecTask` of `num_envs`, `device` and the options."""
    python: str = ""
    """The interpreter that has Isaac Gym; where empty, the variable REWARD_AGENT_ISAAC_PYTHON names it."""
    device: str = "cuda:0"
    """Where it simulates."""
    state: tuple[str, ...] = ("actors", "joints")
    """Which groups are fields: `actors`, `joints`, `links`."""
    tensors: tuple[TaskTensor, ...] = ()
    """Fields of the task's own."""
    action_names: tuple[str, ...] = ()
    """What each action drives; `action_0` and so on where empty."""
    clears: tuple[str, ...] = ("actions",)
    """Tensors of the task whose rows are zeroed at a reset, since its `reset_idx` leaves them to the last episode; with
    `name=other`, the rows of `other` are copied instead."""
    step_seconds: float = 0.0
    """Simulated time of a step; 0 takes the simulator's step times `control_freq_inv`, which is wrong for a task that
    simulates further in its hooks, as AnymalTerrain."""
    options: tuple[tuple[str, Any], ...] = ()
    """Further arguments of the callable, or of `isaacgymenvs.make`."""
    paths: tuple[str, ...] = ()
    """Folders where the worker also looks for modules."""
    start_timeout: float = 600.0
    """Seconds that building the task may take."""
    step_timeout: float = 120.0
    """Seconds that one step or reset may take."""
    name: str = "isaac"
    parallel_envs: int = 256

    def __post_init__(self) -> None:
        for group in self.state:
            if group not in GROUPS:
                raise unknown_name("group of state", group, GROUPS)

    @property
    def dt(self) -> float:
        """Seconds of simulated time a step."""
        return float(_told(self)["dt"])

    def schema(self) -> StateSchema:
        """Every field; a worker is started once to ask for names.

        Raises:
            MissingComponentError: there is no interpreter with Isaac Gym.
        """
        return self._derived().schema

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> IsaacBatch:
        """A batch that packs just `fields`, a selection of `schema()`; `threads` is the simulator's own affair.

        Raises:
            MissingComponentError: there is no interpreter with Isaac Gym.
            UsageError: a field is not of this task.
        """
        derived = self._derived()
        for field in fields.fields:
            if field.path not in derived.columns:
                raise unknown_name(f"state field of {self.task}", field.path, derived.columns)
        return IsaacBatch(self, num_envs, fields, derived)

    def columns(self) -> Mapping[str, tuple[int, ...]]:
        """Of each field, which of the worker's numbers it is."""
        return self._derived().columns

    def witness(self) -> IsaacWitness:
        """Joints and native reward by other calls of the simulator.

        Raises:
            UsageError: on a GPU.
        """
        from reward_agent.envs.isaac.witness import IsaacWitness

        return IsaacWitness(self)

    def missing(self) -> str | None:
        """What this machine lacks to run it."""
        needs = () if ":" in self.task else ("isaacgymenvs",)
        return lacking(self.python, needs, self.paths)

    def start(self, num_envs: int) -> tuple[Worker, Mapping[str, Any]]:
        """A worker with `num_envs` environments, and what it tells of them."""
        if (lacks := self.missing()) is not None:
            raise MissingComponentError(f"The task {self.task} cannot run here: {lacks}")
        worker = Worker(self.python or os.environ[VARIABLE])
        try:
            told, _ = worker.ask(
                "build",
                self.start_timeout,
                task=self.task,
                num_envs=num_envs,
                device=self.device,
                options=dict(self.options),
                paths=[str(Path(path).resolve()) for path in self.paths],
                links="links" in self.state,
                tensors=[tensor.attribute for tensor in self.tensors],
                clears=self.clears,
            )
        except BaseException:
            worker.close()
            raise
        return worker, told

    def _derived(self) -> Derived:
        return derive(_told(self), self.state, self.tensors, self.action_names)


@cache
def _told(world: IsaacGym) -> Mapping[str, Any]:
    """What a worker with one environment tells; asked once a process."""
    worker, told = world.start(1)
    worker.close()
    return {**told, "dt": world.step_seconds or told["dt"]}


def lacking(python: str = "", needs: tuple[str, ...] = ("isaacgymenvs",), paths: tuple[str, ...] = ()) -> str | None:
    """What stands in the way of Isaac Gym, and what mends it; None when its modules are there."""
    chosen = python or os.environ.get(VARIABLE, "")
    if not chosen:
        return (
            "Isaac Gym is yours to install (Preview 4, from NVIDIA, in a Python 3.8, with a GPU; it was not run here): "
            f"see docs/isaac.md, then `export {VARIABLE}=/path/to/python3.8`"
        )
    return _unfound(chosen, ("isaacgym", "torch", *needs), paths)


@cache
def _unfound(python: str, modules: tuple[str, ...], paths: tuple[str, ...]) -> str | None:
    try:
        absent = has_modules(python, modules, paths)
    except (OSError, ValueError) as error:
        return f"Isaac Gym's interpreter {python} does not run ({error}): set {VARIABLE} to one that does"
    if absent:
        return f"{python} finds no {', '.join(absent)}: install there what docs/isaac.md lists"
    return None


class IsaacBatch:
    """N environments that step together in one worker (`task.Batch`). Make it with `IsaacGym.make`."""

    def __init__(self, world: IsaacGym, num_envs: int, fields: StateSchema, derived: Derived) -> None:
        self.num_envs, self.schema, self._timeout = num_envs, fields, world.step_timeout
        self._links = LinksAtReset(fields, derived.columns, derived.links)
        chosen = [column for field in fields.fields for column in derived.columns[field.path]] + self._links.columns
        self._worker, told = world.start(num_envs)
        try:
            widths = told["actions"], told["observations"], len(chosen), 1
            tables = mapped(self._worker.memory, num_envs, widths)
            self._actions, self._observations, self._states, self._ends = tables
            self._worker.ask("lay", self._timeout, bytes=8 * num_envs * sum(widths), columns=chosen)
            if self._links.columns:
                self.reset(np.ones(num_envs, bool), np.zeros(num_envs, np.int64))
                self.step(np.zeros((num_envs, told["actions"])))
                self._links.learn(self._states)
        except BaseException:
            self.close()
            raise
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (told["observations"],), np.float64)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (told["actions"],), np.float32)

    @property
    def worker(self) -> int:
        """The worker's process id."""
        return self._worker.pid

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        """Begin episodes in the rows of `mask`; all rows are returned.

        On Isaac Gym's CPU pipeline row i comes from `seeds[i]` alone. Its GPU pipeline takes one reset of all rows at
        a time: there, the rows of one call come from all their seeds together.
        """
        rows = np.flatnonzero(mask)
        if len(rows):
            chosen = [int(seed) for seed in np.asarray(seeds)[rows]]
            self._worker.ask("reset", self._timeout, rows=rows.tolist(), seeds=chosen)
            self._links.place(self._states, rows)
        return self._observations.copy(), self._packed()

    def step(self, actions: Array) -> Step:
        """One step of every row, none of which is reset. `truncated` is all False: the horizon is the task's."""
        self._actions[:] = np.clip(actions, -1.0, 1.0)
        self._worker.ask("step", self._timeout)
        terminated = self._ends[:, 0] != 0
        return Step(self._observations.copy(), self._packed(), terminated, np.zeros(self.num_envs, bool))

    def render(self, row: int) -> NDArray[np.uint8]:
        """Not drawn: cameras are each task's own affair. Raises `UsageError`."""
        raise UsageError("Environments of Isaac Gym are not drawn here; watch them in its own viewer.")

    def save(self) -> dict[str, NDArray[Any]]:
        """Root and joint states, the task's own tensors and torch's generator.

        What the simulator keeps of contacts between steps is in none of its tensors: where bodies touch, an episode
        that goes on from here differs in its last bits.
        """
        _, arrays = self._worker.ask("save", self._timeout)
        own = {"observations": self._observations, "states": self._states, "ends": self._ends}
        return {f"isaac.{name}": np.array(value) for name, value in {**arrays, **own}.items()}

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        arrays = {name.removeprefix("isaac."): value for name, value in saved.items() if name.startswith("isaac.")}
        for name in ("observations", "states", "ends"):
            getattr(self, f"_{name}")[:] = arrays.pop(name)
        self._worker.ask("restore", self._timeout, arrays=arrays)

    def testify(self) -> Mapping[str, NDArray[Any]]:
        """For a witness: joints and native reward of row 0, by the simulator's calls for single actors."""
        return self._worker.ask("testify", self._timeout)[1]

    def close(self) -> None:
        self._worker.close()

    def _packed(self) -> Array:
        return self._states[:, : self.schema.width].copy()
