"""Training steps a second with a reward in the cell, beside the way others train on a reward of their own.

    python benchmarks/throughput.py --json > throughput.json

All train PPO with the same settings (64 environments, 128 steps, batch 1,024, 5 epochs, two layers of 64) on the same
reward formula, one torch thread each:

- ours: a whole training as `reward-agent eval` runs it, batched physics and update on 2 threads, the reward program in
  the locked cell; and the same on 1 thread;
- dummy, subproc: stable-baselines3 over `DummyVecEnv` and `SubprocVecEnv` of Gymnasium's environments, each in a
  wrapper that calls a Python reward function, with `VecNormalize`;
- shipped (HalfCheetah): a peer's settings as it ships them (Prompt2Policy: `SubprocVecEnv` of 1 environment,
  `VecNormalize`, 256x256, RL-Zoo's preset).

Each environment has a process of its own, in which the variants take turns (`--repeats` times `--steps` steps each, the
median counts): their ratios hold on a busy machine too. CPU time is given beside wall-clock, for what uses two cores.
Reported apart, as shares of our training time: the program's own arithmetic (the same program called in process on the
same rows), and crossing into the cell (all else that training spent in the reward).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

os.environ |= {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
}

import gymnasium
import numpy as np
import psutil

from reward_agent.envs.registry import find_task
from reward_agent.optimise import find_optimiser
from reward_agent.optimise.ppo import PPOSettings
from reward_agent.program import Program, Rewards
from reward_agent.schema import Array
from reward_agent.sources.cell import CellSource
from reward_agent.task import Bools, Task

TASKS = {
    "HalfCheetah-v5": "mujoco/halfcheetah-run",
    "Hopper-v5": "mujoco/hopper-forward",
    "Ant-v5": "mujoco/ant-forward",
    "Humanoid-v5": "mujoco/humanoid-walk",
}
SHIPPED_STEPS = 1024
"""Of the shipped settings a turn: two of their rollouts."""
CALLS = 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=32_768, help="environment steps of a variant a turn")
    parser.add_argument("--envs", nargs="+", choices=TASKS, default=list(TASKS), metavar="ENV", help=" ".join(TASKS))
    parser.add_argument("--repeats", type=int, default=5, help="turns of each variant")
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else on standard output")
    parser.add_argument("--one", choices=TASKS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one, args.steps, args.repeats)))
        return
    results = {}
    for env in args.envs:
        print(f"{env} ...", file=sys.stderr, flush=True)
        given = ["--one", env, "--steps", str(args.steps), "--repeats", str(args.repeats)]
        done = subprocess.run([sys.executable, __file__, *given], stdout=subprocess.PIPE, text=True, check=True)
        results[env] = json.loads(done.stdout.splitlines()[-1])
        if not args.json:
            print(describe(env, results[env]), flush=True)
    if args.json:
        settings = {"steps": args.steps, "repeats": args.repeats, "cores": os.cpu_count()}
        print(json.dumps({"settings": settings, "environments": results}, indent=2))


def describe(env: str, result: dict[str, Any]) -> str:
    rates = ", ".join(f"{name} {rate:,.0f}" for name, rate in result["steps_per_second"].items())
    ratios = ", ".join(f"{value:.1f}x {name}" for name, value in result["ours_over"].items())
    cell = result["reward"]
    return (
        f"{env}: steps/s {rates}; ours is {ratios}; of our training time {cell['crossing_percent']:.1f} % is crossing "
        f"into the cell, {cell['arithmetic_percent']:.1f} % the program's arithmetic"
    )


def measure(env: str, steps: int, repeats: int) -> dict[str, Any]:
    """Every variant in turns, in this process."""
    import torch

    torch.set_num_threads(1)
    settings = PPOSettings(num_envs=64, rollout=128, batch_size=1024, epochs=5, hidden=(64, 64))
    # workers are forked before our own threads exist
    variants: dict[str, Variant] = {"subproc": Stock(stock(env, settings, subproc=True), steps)}
    if env == "HalfCheetah-v5":
        variants["shipped"] = Stock(shipped(env), SHIPPED_STEPS)
    variants["dummy"] = Stock(stock(env, settings, subproc=False), steps)
    ours = Ours(env, settings, steps, threads=2)
    variants |= {"ours": ours, "ours_one_thread": Ours(env, settings, steps, threads=1)}
    turns: dict[str, list[Turn]] = {name: [] for name in variants}
    for turn in range(repeats + 1):
        for name, variant in variants.items():
            taken = variant.turn()
            turns[name] += [taken] if turn else []  # the first turn warms up
    rates = {name: statistics.median(t.steps / t.wall for t in taken) for name, taken in turns.items()}
    reward = reward_costs(env, ours, turns["ours"])
    for variant in variants.values():
        variant.close()
    return {
        "steps_per_second": {name: round(rate, 1) for name, rate in rates.items()},
        "ours_over": {name: round(rates["ours"] / rate, 2) for name, rate in rates.items() if name != "ours"},
        "steps_per_cpu_second": {
            name: round(statistics.median(t.steps / t.cpu for t in taken), 1) for name, taken in turns.items()
        },
        "all_steps_per_second": {name: [round(t.steps / t.wall, 1) for t in taken] for name, taken in turns.items()},
        "reward": reward,
    }


class Turn(NamedTuple):
    """What a turn took."""

    steps: int
    wall: float
    """[s]"""
    cpu: float
    """Of this process and its children [s]."""
    in_reward: float = 0.0
    """Seconds in the reward source."""


class Variant(Protocol):
    def turn(self) -> Turn: ...

    def close(self) -> None: ...


class Stopwatch:
    """Wall-clock and CPU time of this process and its children."""

    def __init__(self) -> None:
        self.began = self._now()

    def turn(self, steps: int, in_reward: float = 0.0) -> Turn:
        wall, cpu = (now - then for now, then in zip(self._now(), self.began, strict=True))
        return Turn(steps, wall, cpu, in_reward)

    @staticmethod
    def _now() -> tuple[float, float]:
        me = psutil.Process()
        times = [process.cpu_times() for process in (me, *me.children(recursive=True))]
        return time.perf_counter(), sum(t.user + t.system for t in times)


class Stock:
    """A stable-baselines3 algorithm that goes on learning each turn."""

    def __init__(self, model: Any, steps: int) -> None:
        self.model, self.steps, self.first = model, steps, True

    def turn(self) -> Turn:
        watch, before = Stopwatch(), 0 if self.first else self.model.num_timesteps
        self.model.learn(self.steps, log_interval=None, reset_num_timesteps=self.first)
        self.first = False
        return watch.turn(self.model.num_timesteps - before)

    def close(self) -> None:
        self.model.env.close()


class Ours:
    """`optimise.find_optimiser("ppo")`, a whole training each turn, in one cell."""

    def __init__(self, env: str, settings: PPOSettings, steps: int, threads: int) -> None:
        self.task, program = task_and_program(env)
        self.source = Timed(CellSource(program, self.task))
        self.steps, self.settings = steps, dataclasses.asdict(dataclasses.replace(settings, threads=threads))

    def turn(self) -> Turn:
        self.source.seconds = 0.0
        watch = Stopwatch()
        done = find_optimiser("ppo")(self.task, self.source, self.steps, 0, settings=self.settings)
        return watch.turn(done.steps, self.source.seconds)

    def close(self) -> None:
        self.source.close()


def task_and_program(env: str) -> tuple[Task, Program]:
    task = find_task(TASKS[env])
    assert task.expert is not None
    return task, Program(task.expert.read_text())


class Timed:
    """A reward source that adds up the time spent in it, and keeps the last transitions."""

    def __init__(self, source: CellSource) -> None:
        self.source, self.seconds = source, 0.0
        self.term_names, self.fields = source.term_names, source.fields
        self.rows: tuple[Any, ...] = ()

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        start = time.perf_counter()
        rewards = self.source(state, action, next_state, was_reset)
        self.seconds += time.perf_counter() - start
        self.rows = state, action, next_state, was_reset
        return rewards

    def close(self) -> None:
        self.source.close()


def reward_costs(env: str, ours: Ours, turns: list[Turn]) -> dict[str, float]:
    """What the reward took of our training time: the program's own arithmetic, and crossing into the cell."""
    state, action, next_state, was_reset = ours.source.rows
    steps, rows = was_reset.shape
    flat = [array.reshape(steps * rows, -1) for array in (state, action, next_state)]
    program = in_process(env, *flat, ours.source.fields)
    ways: dict[str, Callable[[], Any]] = {"cell": lambda: ours.source.source(*ours.source.rows), "program": program}
    samples: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(CALLS):
        for name, call in ways.items():
            start = time.perf_counter()
            call()
            samples[name].append(time.perf_counter() - start)
    cell, arithmetic = (statistics.median(samples[name]) for name in ("cell", "program"))
    in_training = statistics.median(turn.in_reward / turn.wall for turn in turns)
    own = statistics.median(arithmetic * turn.steps / (steps * rows) / turn.wall for turn in turns)
    return {
        "rows_a_call": steps * rows,
        "cell_microseconds": round(1e6 * cell, 1),
        "program_microseconds": round(1e6 * arithmetic, 1),
        "in_training_percent": round(100 * in_training, 2),
        "arithmetic_percent": round(100 * own, 2),
        "crossing_percent": round(100 * (in_training - own), 2),
    }


def in_process(
    env: str, state: np.ndarray, action: np.ndarray, next_state: np.ndarray, fields: tuple[str, ...]
) -> Callable[[], Any]:
    """The same program called here, as a source without a cell would."""
    from reward_agent.envs.episodes import task_schema
    from reward_agent.sandbox.helpers import HELPERS

    task, program = task_and_program(env)
    schema = task_schema(task).select(fields)
    space: dict[str, Any] = dict(HELPERS) | {"constants": schema.constants_view()}
    exec(compile(program.source, "reward.py", "exec"), space)
    entry = space["compute_reward"]
    views = schema.view(state), schema.view(next_state)

    def call() -> Any:
        total, terms = entry(views[0], action, views[1])
        return np.stack([total, *terms.values()])

    return call


def stock(env: str, settings: PPOSettings, *, subproc: bool) -> Any:
    """stable-baselines3 with the same settings over Gymnasium's environments in Python reward wrappers."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import VecNormalize

    from reward_agent.optimise.ppo import arguments

    vec = vectorised(env, settings.num_envs, subproc=subproc)
    return PPO(env=VecNormalize(vec, gamma=settings.discount), **arguments(settings, 0))


def shipped(env: str) -> Any:
    """Prompt2Policy's trainer for HalfCheetah: its preset has one environment, in a worker."""
    from peers import ZOO_PPO
    from stable_baselines3 import PPO
    from stable_baselines3.common.vec_env import VecNormalize

    settings = ZOO_PPO[env]
    vec = VecNormalize(vectorised(env, 1, subproc=True), gamma=settings["gamma"])
    policy = {"net_arch": {"pi": [256, 256], "vf": [256, 256]}}
    return PPO("MlpPolicy", vec, seed=0, device="cpu", policy_kwargs=policy, **settings)


def vectorised(env: str, count: int, *, subproc: bool) -> Any:
    from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor

    options = {"include_cfrc_ext_in_observation": False} if env in ("Ant-v5", "Humanoid-v5") else {}
    made = [lambda: RewardWrapper(gymnasium.make(env, **options), REWARDS[env])] * count
    # forked workers start at once; their speed is that of any other
    return VecMonitor(SubprocVecEnv(made, start_method="fork") if subproc else DummyVecEnv(made))


Reward = Callable[[np.ndarray, np.ndarray, Any], tuple[float, dict[str, float]]]


class RewardWrapper(gymnasium.Wrapper[Any, Any, Any, Any]):
    """How peers put a reward of their own into an environment: a Python function called after each step."""

    def __init__(self, env: gymnasium.Env[Any, Any], reward: Reward) -> None:
        super().__init__(env)
        self.reward = reward

    def step(self, action: Any) -> Any:
        simulation: Any = self.env.unwrapped
        before = centre(simulation) if self.reward is humanoid else simulation.data.qpos.copy()
        observation, _, terminated, truncated, info = self.env.step(action)
        total, terms = self.reward(before, np.asarray(action), simulation)
        return observation, total, terminated, truncated, info | {"reward_terms": terms}


def half_cheetah(before: np.ndarray, action: np.ndarray, env: Any) -> tuple[float, dict[str, float]]:
    terms = {"forward": (env.data.qpos[0] - before[0]) / env.dt, "effort": -0.1 * np.square(action).sum()}
    return float(sum(terms.values())), terms


def hopper(before: np.ndarray, action: np.ndarray, env: Any) -> tuple[float, dict[str, float]]:
    position, velocity = env.data.qpos, env.data.qvel
    bounded = np.all(np.abs(position[2:]) < 100) and np.all(np.abs(velocity) < 100)
    healthy = bounded and position[1] > 0.7 and abs(position[2]) < 0.2
    terms = {
        "forward": (position[0] - before[0]) / env.dt,
        "healthy": 1.0 if healthy else 0.0,
        "effort": -1e-3 * np.square(action).sum(),
    }
    return float(sum(terms.values())), terms


def ant(before: np.ndarray, action: np.ndarray, env: Any) -> tuple[float, dict[str, float]]:
    position = env.data.qpos
    terms = {
        "forward": (position[0] - before[0]) / env.dt,
        "healthy": 1.0 if 0.2 <= position[2] <= 1.0 else 0.0,
        "effort": -0.5 * np.square(action).sum(),
    }
    return float(sum(terms.values())), terms


def humanoid(before: np.ndarray, action: np.ndarray, env: Any) -> tuple[float, dict[str, float]]:
    terms = {
        "forward": 1.25 * (centre(env)[0] - before[0]) / env.dt,
        "healthy": 5.0 if 1.0 < env.data.qpos[2] < 2.0 else 0.0,
        "effort": -0.1 * np.square(action).sum(),
    }
    return float(sum(terms.values())), terms


def centre(env: Any) -> np.ndarray:
    """Centre of mass, `(3,)`."""
    mass = env.model.body_mass
    weighted: np.ndarray = mass @ env.data.xipos / mass.sum()
    return weighted


REWARDS: dict[str, Reward] = {
    "HalfCheetah-v5": half_cheetah,
    "Hopper-v5": hopper,
    "Ant-v5": ant,
    "Humanoid-v5": humanoid,
}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
