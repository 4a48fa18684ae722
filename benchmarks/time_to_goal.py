"""Wall-clock to native returns: ours against stable-baselines3 (our settings, RL-Zoo's), SBX, and
Prompt2Policy's presets.

    python benchmarks/time_to_goal.py --json [--seeds 3] [--tasks HalfCheetah-v5 ...] [--cap 600]

Every training gets one core. Its clock stands still while its deterministic policy is scored (five episodes
of Gymnasium's own environment, every `--every` seconds of training). A training ends at its highest
threshold or at the cap; one that did not get there is censored: its time counts as "more than the cap".
Medians over seeds. Results are kept in `benchmarks/results/time_to_goal.jsonl`; what is there is not run
again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import statistics
import time
from pathlib import Path
from typing import Any

import psutil
from jobs import add_arguments, run_jobs
from peers import act_of, native_returns, sb3_at_our_settings, sbx_sac, zoo_ppo

from reward_agent.task import Task

THRESHOLDS = {"HalfCheetah-v5": [4800, 9000], "Hopper-v5": [1500], "Walker2d-v5": [1500]}
TASKS = {
    "HalfCheetah-v5": "mujoco/halfcheetah-run",
    "Hopper-v5": "mujoco/hopper-forward",
    "Walker2d-v5": "mujoco/walker2d-walk",
}
TRAINERS = ["ours", "sb3-our-settings", "sb3-rl-zoo", "sbx-sac", "prompt2policy"]
KEPT = Path(__file__).parent / "results" / "time_to_goal.jsonl"


class Clock:
    """Training time: stands still while a policy is scored; says when the training is over.

    Keeps both wall-clock and CPU time (the process's and its children's). On one core that nothing else uses the two
    agree; on a shared machine CPU time is what the training would have taken alone.
    """

    def __init__(self, env_id: str, *, every: float, cap: float, kind: str) -> None:
        self.env_id, self.every, self.cap, self.kind = env_id, every, cap, kind
        self.curve: list[dict[str, float]] = []
        self._spent = {"wall": -time.perf_counter(), "cpu": -_cpu_seconds()}
        self._due = every

    def over(self, steps: int, act: Any) -> bool:
        """Score the policy if it is time to; True once the goal or the cap is reached. `act` makes it when needed."""
        before = {"wall": time.perf_counter(), "cpu": _cpu_seconds()}
        trained = {kind: self._spent[kind] + now for kind, now in before.items()}
        if trained[self.kind] < min(self._due, self.cap):
            return False
        score = statistics.mean(native_returns(self.env_id, act(), [1000 + i for i in range(5)]))
        after = {"wall": time.perf_counter(), "cpu": _cpu_seconds()}
        for kind in self._spent:
            self._spent[kind] -= after[kind] - before[kind]
        self._due = trained[self.kind] + self.every
        self.curve.append({**trained, "steps": steps, "return": score})
        return trained[self.kind] >= self.cap or score >= max(THRESHOLDS[self.env_id])


def _cpu_seconds() -> float:
    me = psutil.Process()
    times = [process.cpu_times() for process in [me, *me.children(recursive=True)]]
    return sum(t.user + t.system for t in times)


class GoalReachedError(Exception):
    """Leaves a training from within."""


def watch(clock: Clock) -> Any:
    """A stable-baselines3 callback that scores the policy as the clock says and ends the training when it is over."""
    from stable_baselines3.common.callbacks import BaseCallback

    class Watch(BaseCallback):
        def _look(self) -> None:
            if clock.over(self.model.num_timesteps, lambda: act_of(self.model)):
                raise GoalReachedError

        def _on_step(self) -> bool:
            if self.n_calls % 64 == 0:
                self._look()
            return True

        def _on_rollout_start(self) -> None:
            self._look()

    return Watch()


def make_trainer(trainer: str, env_id: str, seed: int) -> Any:
    """A stable-baselines3 algorithm, ready to learn."""
    import torch

    from reward_agent.envs.registry import find_task

    torch.set_num_threads(1)
    task = find_task(TASKS[env_id])
    if trainer == "ours":
        return ours(task, seed)
    if trainer == "sb3-our-settings":
        return sb3_at_our_settings(env_id, seed, task.preset)
    if trainer == "sbx-sac":
        return sbx_sac(env_id, seed)
    return zoo_ppo(env_id, seed, prompt2policy=trainer == "prompt2policy")


def ours(task: Task, seed: int) -> Any:
    """What `reward-agent eval` trains: the expert reward in the cell, the task's preset, one physics thread."""
    from reward_agent.optimise.normalise import Normalise
    from reward_agent.optimise.ppo import PRESETS, make
    from reward_agent.optimise.sb3 import TaskVecEnv
    from reward_agent.program import Program
    from reward_agent.sources.cell import CellSource

    assert task.expert is not None
    settings = PRESETS[task.preset].settings
    source = CellSource(Program(task.expert.read_text()), task)
    env = TaskVecEnv(task, source, settings.num_envs, seed, threads=1)
    return make(Normalise(env, norm_reward=settings.normalise_reward, gamma=settings.discount), settings, seed)


def run_job(job: dict[str, Any]) -> dict[str, Any]:
    clock = Clock(job["env"], every=job["every"], cap=job["cap"], kind=job["clock"])
    model = make_trainer(job["trainer"], job["env"], job["seed"])
    with contextlib.suppress(GoalReachedError):
        model.learn(10**9, callback=watch(clock))
    in_time = [point for point in clock.curve if point[job["clock"]] <= job["cap"]]
    reached = {
        str(goal): next((point[job["clock"]] for point in in_time if point["return"] >= goal), None)
        for goal in THRESHOLDS[job["env"]]
    }
    return {"reached": reached, "curve": clock.curve}


def summarise(results: list[dict[str, Any]], cap: float) -> dict[str, Any]:
    """Median seconds by environment, goal and trainer (null: censored), and how many times ours that is."""
    table: dict[str, Any] = {}
    for env_id in sorted({r["job"]["env"] for r in results}):
        for goal in map(str, THRESHOLDS[env_id]):
            row: dict[str, Any] = {}
            for trainer in TRAINERS:
                mine = [r for r in results if r["job"]["env"] == env_id and r["job"]["trainer"] == trainer]
                seconds = [math.inf if r["reached"][goal] is None else r["reached"][goal] for r in mine]
                if seconds:
                    median = statistics.median(seconds)
                    row[trainer] = {
                        "seeds": len(seconds),
                        "median_s": None if math.isinf(median) else round(median, 1),
                        "reached": sum(map(math.isfinite, seconds)),
                        "best_return": round(max(point["return"] for r in mine for point in r["curve"])),
                    }
            ours = row.get("ours", {}).get("median_s")
            if ours:
                for entry in row.values():
                    entry["times_ours"] = round((entry["median_s"] or cap) / ours, 2)
                    entry["is_lower_bound"] = entry["median_s"] is None
            table[f"{env_id} >= {goal}"] = row
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--tasks", nargs="+", default=list(THRESHOLDS), choices=list(THRESHOLDS))
    parser.add_argument("--trainers", nargs="+", default=TRAINERS, choices=TRAINERS)
    parser.add_argument("--cap", type=float, default=600, help="seconds of training")
    parser.add_argument("--every", type=float, default=10, help="seconds between scorings")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: for a machine others use too")
    args = parser.parse_args()
    if args.job:
        print(json.dumps(run_job(args.job)))
        return
    jobs = [
        {"env": env_id, "trainer": trainer, "seed": seed, "cap": args.cap, "every": args.every, "clock": args.clock}
        for seed in range(args.seeds)
        for env_id in args.tasks
        for trainer in args.trainers
    ]
    results = run_jobs(Path(__file__), jobs, KEPT, cores=args.cores)
    report = {"cap_s": args.cap, "clock": args.clock, "one_core_each": True, "goals": summarise(results, args.cap)}
    print(json.dumps(report, indent=None if args.json else 2))


if __name__ == "__main__":
    main()
