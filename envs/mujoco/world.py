"""Machines as worlds, in batches over mjbatch's thread pool; of them the `mujoco` world, Gymnasium's environments."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.mujoco.contact_forces import ContactForces
from reward_agent.envs.mujoco.machine import Machine, gymnasium_machine
from reward_agent.envs.mujoco.model import build_model
from reward_agent.envs.mujoco.native import NATIVE, Native
from reward_agent.envs.mujoco.packing import Packer, plan
from reward_agent.envs.mujoco.schema import Quantity, derive
from reward_agent.errors import UsageError, unknown_name
from reward_agent.schema import Array, StateSchema
from reward_agent.task import Bools, Ints, Step, Viewpoint, Witness


@dataclass(frozen=True)
class MachineWorld(ABC):
    """Simulations of one machine. A world of machines of its own fills in the name and which machine it is."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The family."""

    @property
    @abstractmethod
    def machine(self) -> Machine:
        """What is simulated."""

    @property
    def forces(self) -> bool:
        """Whether contact forces are observed."""
        return False

    @property
    def parallel_envs(self) -> int:
        """See `task.World`."""
        return 64

    @property
    def dt(self) -> float:
        """Seconds of simulated time a step."""
        return self.machine.native.dt

    @property
    def horizon(self) -> int:
        """Steps after which the environment itself truncates."""
        return self.machine.native.horizon

    def schema(self) -> StateSchema:
        """Every field this environment has."""
        return derive(self.machine, self.forces).schema

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> MujocoBatch:
        """A batch that packs just `fields`, a selection of `schema()`.

        Raises:
            UsageError: a field is not of this environment.
        """
        quantities = derive(self.machine, self.forces).quantities
        for field in fields.fields:
            if field.path not in quantities:
                raise unknown_name(f"state field of {self.machine.name}", field.path, quantities)
        return MujocoBatch(self.machine, num_envs, fields, threads, contact_forces=self.forces)

    def witness(self) -> Witness:
        """See `task.Witness`; here the machine alone, stepped by MuJoCo itself."""
        from reward_agent.envs.mujoco.plain_witness import PlainWitness

        return PlainWitness(self.machine)

    def fork(self, saved: Mapping[str, NDArray[Any]], rows: Ints) -> dict[str, NDArray[Any]]:
        """See `task.Forking`."""
        return {name: values[rows] for name, values in saved.items()}

    def missing(self) -> str | None:
        """What this machine lacks to run it and the command that installs it."""
        return missing()


@dataclass(frozen=True)
class MujocoWorld(MachineWorld):
    """One of Gymnasium's MuJoCo environments, with its defaults.

    Raises:
        UsageError: no such environment, or contact forces asked of one that has none.
    """

    env: str = "Hopper-v5"
    contact_forces: bool = False
    """Ant, Humanoid and HumanoidStandup: contact forces in observations (`include_cfrc_ext_in_observation`) and
    as the field `contact_forces.raw`. Gymnasium has them on; here they are off, for they cost one sub-step more, on
    one thread."""

    def __post_init__(self) -> None:
        if self.env not in NATIVE:
            raise unknown_name("MuJoCo environment", self.env, NATIVE)
        if self.contact_forces and NATIVE[self.env].contact_range is None:
            able = ", ".join(env for env, native in NATIVE.items() if native.contact_range is not None)
            raise UsageError(
                f"{self.env} has no contact forces in Gymnasium; these have: {able}. Leave the option out."
            )

    @property
    def name(self) -> str:
        return "mujoco"

    @property
    def machine(self) -> Machine:
        return gymnasium_machine(self.env)

    @property
    def forces(self) -> bool:
        return self.contact_forces

    def standalone(self, paths: Iterable[str]) -> str:
        """Source that reads these fields out of Gymnasium's environment, for exported rewards."""
        from reward_agent.envs.mujoco.standalone import source

        return source(self, paths)

    def witness(self) -> Witness:
        """Gymnasium's own environment."""
        from reward_agent.envs.mujoco.witness import GymnasiumWitness

        return GymnasiumWitness(self)


def missing() -> str | None:
    """What this machine lacks for MuJoCo worlds and the command that installs it; None when they can run."""
    lacking = [name for name in ("mujoco", "mjbatch") if importlib.util.find_spec(name) is None]
    if not lacking:
        return None
    return f"{' and '.join(lacking)} not installed: pip install mujoco==3.11.0 mjbatch==0.1.0"


class MujocoBatch:
    """N simulations of one machine (`task.Batch`). Make it with `MachineWorld.make`."""

    def __init__(
        self, machine: Machine, num_envs: int, fields: StateSchema, threads: int, *, contact_forces: bool = False
    ) -> None:
        import mjbatch

        self.num_envs, self.schema = num_envs, fields
        self._native: Native = machine.native
        derived = derive(machine, contact_forces)
        quantities: list[Quantity] = [derived.quantities[field.path] for field in fields.fields]
        needed = plan(quantities, servos=bool(machine.servos))
        self.model = build_model(machine, needed.readings)
        """The `mujoco.MjModel` in use, with sensors for just these fields; the batch has a copy of its own."""
        robot = machine.robot
        self._root, self._view = self.model.body(robot.root).id, robot.view
        # observations that read derived fields want them as the step left them; bringing those up to date must wait
        self._forward_later = needed.needs_forward and bool(self._native.reads)
        forward = needed.needs_forward and not self._forward_later
        self._batch = mjbatch.Batch(self.model, num_envs, max(1, threads), forward=forward)
        self._state = self._batch.bind("state")
        self._ctrl = self._batch.bind("ctrl")
        self._data = SimpleNamespace(**{name: self._batch.bind(name) for name in {"qpos", "qvel", *self._native.reads}})
        self._forces: ContactForces | None = None
        if contact_forces:
            frame_skip = self._native.frame_skip
            self._forces = ContactForces(self.model, num_envs, frame_skip, self._batch.nstate)
        sensors = dict(zip(needed.readings, self.model.sensor_adr, strict=True))
        sizes = dict(zip(needed.readings, self.model.sensor_dim, strict=True))
        columns = {reading: range(adr, adr + sizes[reading]) for reading, adr in sensors.items()}
        self._feet = [quantity.field.path for quantity in quantities if quantity.use == "air time"]
        self._packer = Packer(num_envs, quantities, columns, self._flat, machine.native.dt)
        self._initial = self.model.qpos0.copy(), np.zeros(self.model.nv)
        self._batch.reset()
        self._observations = self._observe()
        low, high = self.model.actuator_ctrlrange.T.astype(np.float32)
        self.action_space = gymnasium.spaces.Box(low, high, dtype=np.float32)
        shape = self._observations.shape[1:]
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, shape, np.float64)
        self._camera: Any = None

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        """Begin episodes in the rows of `mask`, row i as Gymnasium's `reset(seed=seeds[i])`. All rows are returned."""
        mask = np.ascontiguousarray(mask, bool)
        if mask.any():
            draws = {
                row: self._native.draw(np.random.Generator(np.random.PCG64(int(seeds[row]))), *self._initial)
                for row in np.flatnonzero(mask)
            }
            self._batch.reset(mask)
            for row, draw in draws.items():
                self._data.qpos[row], self._data.qvel[row] = draw.qpos, draw.qvel
            self._batch.forward(mask)
            self._packer.begin(mask)
            if self._forces:
                self._forces.begin(mask)
            self._observations[mask] = self._observe()[mask]
        return self._observations.copy(), self._packer.pack()

    def step(self, actions: Array) -> Step:
        """One environment step of every row. `truncated` is all False: the horizon is the task's."""
        native, batch = self._native, self._batch
        self._ctrl[:] = actions  # MuJoCo clips to the control range itself
        if self._forces:
            batch.step(nstep=native.frame_skip, history=self._forces.history)
            self._forces.advance()
        else:
            batch.step(nstep=native.frame_skip)
        observations = self._observe()
        terminated = native.terminated(self._data) if native.terminated else np.zeros(self.num_envs, bool)
        if self._forward_later:
            batch.forward()
        self._packer.advance()
        self._observations = observations.copy()
        return Step(observations, self._packer.pack(), terminated, np.zeros(self.num_envs, bool))

    def render(self, row: int) -> NDArray[np.uint8]:
        """An image `(240, 320, 3)` of one row, from a camera that follows the robot.

        Raises:
            MissingComponentError: no way of drawing off-screen works here.
        """
        from reward_agent.envs.camera import Camera

        if self._camera is None:
            self._camera = Camera(self.model, self._root, self._view)
        image: NDArray[np.uint8] = self._camera.image(self._state[row])
        return image

    @property
    def viewpoint(self) -> Viewpoint:
        """See `task.Posed`; the same as in images."""
        return Viewpoint(self._root, self._view)

    def pose(self, row: int) -> Array:
        """See `task.Posed`."""
        qpos: Array = self._data.qpos[row].copy()
        return qpos

    def save(self) -> dict[str, NDArray[Any]]:
        """Everything `restore` needs to go on bit for bit, warm starts and air times among it."""
        saved = {
            "state": self._state.copy(),
            "observations": self._observations.copy(),
        }
        saved |= {f"air_time.{path}": self._packer.air_time[:, at].copy() for at, path in enumerate(self._feet)}
        if self._forces:
            saved["contact_forces"] = self._forces.values.copy()
        return saved

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        self._state[:] = saved["state"]
        # The batch only takes over elements of `ctrl` that differ from what it last saw: without this call it would
        # compare the next action with the one before the restore, not with the one in the restored state.
        self._batch.forward()
        self._observations = saved["observations"].copy()
        for at, path in enumerate(self._feet):
            self._packer.air_time[:, at] = saved[f"air_time.{path}"]
        if self._forces:
            self._forces.values[:] = saved["contact_forces"]

    def close(self) -> None:
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def _observe(self) -> Array:
        observations = self._native.observe(self._data)
        if self._forces is None or self._native.contact_range is None:
            return observations
        limit = self._native.contact_range
        forces = self._forces.values[:, 1:].reshape(self.num_envs, -1).clip(-limit, limit)
        return np.concatenate([observations, forces], axis=1)

    def _flat(self, source: str) -> Array:
        """A view `(N, …)` of a source, each row laid flat."""
        if source == "cfrc_ext":
            assert self._forces is not None
            values = self._forces.values
        else:
            values = self._batch.bind(source)
        flat: Array = values.reshape(self.num_envs, -1)
        return flat
