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
import json
import math
import statistics
import time
from pathlib import Path
from typing import Any

import psutil
from jobs import run_jobs
from peers import act_of, native_returns, sb3_at_our_settings, sbx_sac, zoo_ppo

THRESHOLDS = {"HalfCheetah-v5": [4800, 9000], "Hopper-v5": [2000], "Walker2d-v5": [2000]}
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


def train_ours(env_id: str, seed: int, clock: Clock) -> None:
    from reward_agent.sources.cell import CellSource

    from reward_agent.envs.registry import find_task
    from reward_agent.optimise import Progress, find_optimiser
    from reward_agent.program import Program

    task = find_task(TASKS[env_id])
    over = False

    def watch(progress: Progress) -> None:
        nonlocal over
        over = over or clock.over(progress.steps, lambda: progress.snapshot().act)

    assert task.expert is not None
    source = CellSource(Program(task.expert.read_text()), task)
    find_optimiser("ppo")(task, source, 10**9, seed, settings={"threads": 1}, progress=watch, stop=lambda: over)
    source.close()


def train_peer(trainer: str, env_id: str, seed: int, clock: Clock) -> None:
    import torch
    from stable_baselines3.common.callbacks import BaseCallback

    torch.set_num_threads(1)
    if trainer == "sb3-our-settings":
        from reward_agent.envs.registry import find_task
        from reward_agent.optimise.presets import find_preset

        model = sb3_at_our_settings(env_id, seed, find_preset(find_task(TASKS[env_id]).preset))
    elif trainer == "sbx-sac":
        model = sbx_sac(env_id, seed)
    else:
        model = zoo_ppo(env_id, seed, prompt2policy=trainer == "prompt2policy")

    class Watch(BaseCallback):
        def _on_step(self) -> bool:
            return self.n_calls % 64 != 0 or not clock.over(model.num_timesteps, lambda: act_of(model))

    model.learn(10**9, callback=Watch())


def run_job(job: dict[str, Any]) -> dict[str, Any]:
    clock = Clock(job["env"], every=job["every"], cap=job["cap"], kind=job["clock"])
    if job["trainer"] == "ours":
        train_ours(job["env"], job["seed"], clock)
    else:
        train_peer(job["trainer"], job["env"], job["seed"], clock)
    reached = {
        str(goal): next((point[job["clock"]] for point in clock.curve if point["return"] >= goal), None)
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
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tasks", nargs="+", default=list(THRESHOLDS), choices=list(THRESHOLDS))
    parser.add_argument("--trainers", nargs="+", default=TRAINERS, choices=TRAINERS)
    parser.add_argument("--cap", type=float, default=600, help="seconds of training")
    parser.add_argument("--every", type=float, default=10, help="seconds between scorings")
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: for a machine others use too")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.job:
        print(json.dumps(run_job(json.loads(args.job))))
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
