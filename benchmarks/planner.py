"""How fast the planner plans, for both robots of Language to Rewards, by samples and threads, and what takes the time.

    python benchmarks/planner.py --json
    python benchmarks/planner.py --quick

Against the same planner as a plain Python loop (one simulation, stepped by MuJoCo's own bindings, a reward call a step
in this process), and against `mujoco.rollout` for the physics alone; all in one run, as ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import mujoco
import numpy as np
from mujoco import rollout

from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.envs.mujoco.model import Reading, build_model
from reward_agent.envs.mujoco.packing import plan
from reward_agent.envs.mujoco.schema import Columns, derive
from reward_agent.envs.mujoco.world import MachineWorld
from reward_agent.envs.registry import find_task
from reward_agent.optimise.choice import choose_training
from reward_agent.planning.planner import Planner, PlannerSettings
from reward_agent.program import Program
from reward_agent.sandbox.helpers import HELPERS
from reward_agent.sources.cell import CellSource
from reward_agent.static_check import check
from reward_agent.task import Task

TASKS = ("quadruped/lift-paw", "dexterous/lift-box")


class Sizes(NamedTuple):
    """How much is measured."""

    samples: tuple[int, ...]
    """Of a plan; 32, which the plain loop plays too, is among them."""
    steps: int
    """Of an episode that are planned in one measurement."""
    repeats: int
    """Of physics alone; the fastest counts, on both sides."""
    physics: tuple[int, ...]
    """Samples of physics alone."""


WHOLE = Sizes((16, 32, 64, 128), steps=10, repeats=5, physics=(32, 128))
QUICK = Sizes((16, 32), steps=3, repeats=1, physics=(32,))


def settings_of(task: Task) -> PlannerSettings:
    found = choose_training(task, "mpc").settings
    assert isinstance(found, PlannerSettings)
    return found


def batched(task: Task, samples: int, threads: int, steps: int) -> dict[str, Any]:
    """Plans of one iteration, imagined environment steps and the cell's share, as `mpc` works."""
    settings = replace(settings_of(task), samples=samples, threads=threads, iterations=1, every=task.world.dt)
    assert task.expert
    source = CellSource(Program(task.expert.read_text(encoding="utf-8")), task)
    real = Episodes(task, 1, source.fields)
    planner = Planner(task, source, settings, seed=0)
    real.reset(np.ones(1, bool), np.array([0]))
    real.step(planner.act(real))  # pages are touched, the cell has seen a batch of this size
    planner.imagination.steps, planner.imagination.reward_seconds, planner.plans = 0, 0.0, 0
    began = time.perf_counter()
    for _ in range(steps):
        real.step(planner.act(real))
    seconds = time.perf_counter() - began
    found = {
        "samples": samples,
        "threads": threads,
        "plans_per_second": planner.plans / seconds,
        "imagined_steps_per_second": planner.imagination.steps / seconds,
        "real_time_factor": steps * task.world.dt / seconds,
        "share_in_the_cell": planner.imagination.reward_seconds / seconds,
    }
    planner.close()
    real.close()
    source.close()
    return found


class PlainLoop:
    """The same rewards of the same samples one after the other: one simulation, stepped in Python, a call a step."""

    def __init__(self, task: Task) -> None:
        assert task.expert and isinstance(task.world, MachineWorld)
        machine, schema = task.world.machine, task_schema(task).visible()
        self.schema = schema.select(check(Program(task.expert.read_text(encoding="utf-8")), schema).fields)
        quantities = derive(machine, contact_forces=False).quantities
        own = {path: quantities[path] for path in self.schema.by_path if path in quantities}
        readings = plan(own.values()).readings
        self.model = build_model(machine, readings)
        self.data = mujoco.MjData(self.model)
        self.frame_skip, self.dt = machine.native.frame_skip, task.world.dt
        self._read = {path: self._reader(quantity.origin, readings) for path, quantity in own.items()}
        self._reward = load_expert(task)
        self.start = beginning(task)

    def _reader(self, origin: Columns | Reading, readings: tuple[Reading, ...]) -> Callable[[], Any]:
        if isinstance(origin, Columns):
            source, indices = getattr(self.data, origin.source).reshape(-1), list(origin.indices)
            return lambda: source[indices]
        sensor = readings.index(origin)
        first = int(self.model.sensor_adr[sensor])
        values = self.data.sensordata[first : first + int(self.model.sensor_dim[sensor])]
        return lambda: values

    def _state(self, step: int, action: Any) -> Any:
        packed = np.zeros((1, self.schema.width))
        for path, columns in self.schema.columns.items():
            if path in self._read:
                packed[0, columns] = self._read[path]()
            elif path == "episode.time":
                packed[0, columns] = step * self.dt
            elif path == "episode.previous_action":
                packed[0, columns] = action
        return self.schema.view(packed)

    def returns(self, actions: Any) -> Any:
        """Of actions `(S, H, A)`."""
        found = np.zeros(len(actions))
        for sample, sequence in enumerate(actions):
            mujoco.mj_setState(self.model, self.data, self.start, mujoco.mjtState.mjSTATE_INTEGRATION)
            mujoco.mj_forward(self.model, self.data)
            before = self._state(0, np.zeros(sequence.shape[1]))
            for step, action in enumerate(sequence):
                self.data.ctrl[:] = action
                mujoco.mj_step(self.model, self.data, self.frame_skip)
                mujoco.mj_forward(self.model, self.data)
                after = self._state(step + 1, action)
                found[sample] += float(self._reward(before, action[None], after)[0][0])
                before = after
        return found


def beginning(task: Task) -> Any:
    """The integration state that the episode of seed 0 begins with, `(nstate,)`: all plans here are made from it."""
    assert isinstance(task.world, MachineWorld)
    batch = task.world.make(1, task.world.schema().select([]))
    batch.reset(np.ones(1, bool), np.zeros(1, np.int64))
    state = batch.save()["state"][0]
    batch.close()
    return state


def load_expert(task: Task) -> Callable[..., Any]:
    """The shipped expert, in this process."""
    assert task.expert
    scope: dict[str, Any] = {**HELPERS, "constants": task_schema(task).constants_view()}
    exec(compile(task.expert.read_text(encoding="utf-8"), str(task.expert), "exec"), scope)
    reward: Callable[..., Any] = scope["compute_reward"]
    return reward


def plain(task: Task, samples: int) -> dict[str, Any]:
    """One iteration of a plan of the plain loop."""
    settings, loop = settings_of(task), PlainLoop(task)
    horizon = max(1, round(settings.seconds / task.world.dt))
    generator = np.random.default_rng(0)
    actions = np.clip(generator.normal(0, settings.noise, (samples, horizon, loop.model.nu)), -1, 1)
    began = time.perf_counter()
    loop.returns(actions)
    seconds = time.perf_counter() - began
    return {
        "samples": samples,
        "plans_per_second": 1 / seconds,
        "imagined_steps_per_second": samples * horizon / seconds,
    }


def seconds_of(what: Callable[[], Any]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def open_loop(task: Task, samples: int, threads: int, repeats: int) -> dict[str, Any]:
    """Physics steps a second of `mujoco.rollout`, and of our batches without the reward."""
    settings, loop = settings_of(task), PlainLoop(task)
    horizon = max(1, round(settings.seconds / task.world.dt))
    generator = np.random.default_rng(0)
    actions = np.clip(generator.normal(0, settings.noise, (samples, horizon, loop.model.nu)), -1, 1)
    controls = np.repeat(actions, loop.frame_skip, axis=1)
    size = mujoco.mj_stateSize(loop.model, mujoco.mjtState.mjSTATE_FULLPHYSICS)
    start = np.empty(size)
    mujoco.mj_setState(loop.model, loop.data, loop.start, mujoco.mjtState.mjSTATE_INTEGRATION)
    mujoco.mj_getState(loop.model, loop.data, start, mujoco.mjtState.mjSTATE_FULLPHYSICS)
    data = [mujoco.MjData(loop.model) for _ in range(threads)]
    with rollout.Rollout(nthread=threads) as pool:
        pool.rollout(loop.model, data, np.tile(start, (samples, 1)), controls[:, :4])
        roll = partial(pool.rollout, loop.model, data, np.tile(start, (samples, 1)), controls)
        theirs = min(seconds_of(roll) for _ in range(repeats))
    batch = task.world.make(samples, task.world.schema().select([]), threads=threads)

    def step_through() -> None:
        for step in range(horizon):
            batch.step(actions[:, step])

    batch.reset(np.ones(samples, bool), np.zeros(samples, np.int64))  # as `beginning`: of the same seed
    batch.step(actions[:, 0])
    ours = np.inf
    for _ in range(repeats):
        batch.reset(np.ones(samples, bool), np.zeros(samples, np.int64))
        ours = min(ours, seconds_of(step_through))
    batch.close()
    steps = samples * horizon * loop.frame_skip
    return {
        "samples": samples,
        "threads": threads,
        "mujoco_rollout_physics_steps_per_second": steps / theirs,
        "batch_physics_steps_per_second": steps / ours,
        "batch_over_rollout": theirs / ours,
    }


def measure(sizes: Sizes) -> dict[str, Any]:
    cores = os.cpu_count() or 1
    found: dict[str, Any] = {
        "machine": {"cores": cores, "python": platform.python_version(), "mujoco": mujoco.__version__}
    }
    for name in TASKS:
        task = find_task(name)
        asked = [(samples, threads) for threads in sorted({1, cores}) for samples in sizes.samples]
        rows = [batched(task, samples, threads, sizes.steps) for samples, threads in asked]
        loop = plain(task, 32)
        same = next(row for row in rows if row["samples"] == 32 and row["threads"] == cores)
        found[name] = {
            "horizon_steps": round(settings_of(task).seconds / task.world.dt),
            "planner": rows,
            "plain_python_loop": loop,
            "times_the_plain_loop": same["imagined_steps_per_second"] / loop["imagined_steps_per_second"],
            "physics_alone": [open_loop(task, samples, cores, sizes.repeats) for samples in sizes.physics],
        }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON (it always is)")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="few samples and few steps: about ten seconds on two cores, where a whole run takes about a minute",
    )
    args = parser.parse_args()
    print(json.dumps(measure(QUICK if args.quick else WHOLE), indent=2))


if __name__ == "__main__":
    main()
