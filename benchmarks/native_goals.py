"""Expert rewards in the cell against stable-baselines3 with Gymnasium's own rewards: same steps, same PPO settings.

    python benchmarks/native_goals.py --json [--seeds 3] [--tasks Hopper-v5 ...]

Both policies are scored in Gymnasium's own environments, deterministic, 20 episodes a training. The ratio of means
(ours over theirs) has a 95 % interval over training seeds (Fieller; null where the seeds leave it unbounded);
"worse" means that the whole interval of the difference of means (Welch) lies below zero. Where returns are
negative, as on Reacher, a ratio below 1 is the better. Results are kept in
`benchmarks/results/native_goals.jsonl`; what is there is not run again.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from jobs import add_arguments, run_jobs
from peers import act_of, native_returns, sb3_at_our_settings
from scipy.special import stdtrit

GOALS = {  # environment: (task, steps)
    "InvertedPendulum-v5": ("mujoco/inverted-pendulum-balance", 100_000),
    "InvertedDoublePendulum-v5": ("mujoco/inverted-double-pendulum-balance", 200_000),
    "Reacher-v5": ("mujoco/reacher-reach", 300_000),
    "Swimmer-v5": ("mujoco/swimmer-swim", 500_000),
    "Hopper-v5": ("mujoco/hopper-forward", 500_000),
    "HalfCheetah-v5": ("mujoco/halfcheetah-run", 1_000_000),
    "Walker2d-v5": ("mujoco/walker2d-walk", 1_000_000),
    "Ant-v5": ("mujoco/ant-forward", 1_000_000),
}
KEPT = Path(__file__).parent / "results" / "native_goals.jsonl"


def run_job(job: dict[str, Any]) -> dict[str, Any]:
    from reward_agent.envs.registry import find_task
    from reward_agent.optimise import find_optimiser
    from reward_agent.program import Program
    from reward_agent.sources.cell import CellSource

    task = find_task(GOALS[job["env"]][0])
    began = time.perf_counter()
    if job["trainer"] == "ours":
        assert task.expert is not None
        source = CellSource(Program(task.expert.read_text()), task)
        act = find_optimiser("ppo")(task, source, job["steps"], job["seed"], settings={"threads": 1}).policy.act
        source.close()
    else:
        import torch

        torch.set_num_threads(1)
        model = sb3_at_our_settings(job["env"], job["seed"], task.preset)
        model.learn(job["steps"])
        act = act_of(model)
    seconds = time.perf_counter() - began
    returns = native_returns(job["env"], act, [2000 + i for i in range(20)])
    return {"return": statistics.mean(returns), "seconds": seconds}


def compare(ours: list[float], theirs: list[float]) -> dict[str, Any]:
    """Ratio and difference of means with 95 % intervals over training seeds: Fieller's and Welch's, by Student's t."""
    a, b = np.array(ours), np.array(theirs)
    mean_a, mean_b = a.mean(), b.mean()
    var_a, var_b = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    spread = max(var_a + var_b, 1e-12)
    freedom = spread**2 / max(var_a**2 / (len(a) - 1) + var_b**2 / (len(b) - 1), 1e-24)
    t = stdtrit(freedom, 0.975)
    gap = mean_a - mean_b + np.array([-1, 1]) * t * math.sqrt(spread)
    # Fieller: all ratios r for which mean_a - r * mean_b is not significantly different from 0
    quadratic = [mean_b**2 - t**2 * var_b, -2 * mean_a * mean_b, mean_a**2 - t**2 * var_a]
    roots = np.roots(quadratic)
    bounded = quadratic[0] > 0 and np.isreal(roots).all()
    return {
        "ours": round(float(mean_a), 1),
        "sb3": round(float(mean_b), 1),
        "ratio": round(float(mean_a / mean_b), 3),
        "ratio_95": [round(float(r), 3) for r in sorted(roots.real)] if bounded else None,
        "difference_95": [round(float(x), 1) for x in gap],
        "worse": bool(gap[1] < 0),
        "seeds": [len(a), len(b)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--tasks", nargs="+", default=list(GOALS), choices=list(GOALS))
    args = parser.parse_args()
    if args.job:
        print(json.dumps(run_job(args.job)))
        return
    jobs = [
        {"env": env_id, "trainer": trainer, "seed": seed, "steps": GOALS[env_id][1]}
        for env_id in args.tasks
        for seed in range(args.seeds)
        for trainer in ("ours", "sb3")
    ]
    results = run_jobs(Path(__file__), jobs, KEPT, cores=args.cores)

    def column(env_id: str, trainer: str, key: str) -> list[float]:
        return [r[key] for r in results if r["job"]["env"] == env_id and r["job"]["trainer"] == trainer]

    table = {}
    for env_id in args.tasks:
        table[env_id] = compare(column(env_id, "ours", "return"), column(env_id, "sb3", "return")) | {
            "steps": GOALS[env_id][1],
            "seconds": {t: round(statistics.median(column(env_id, t, "seconds")), 1) for t in ("ours", "sb3")},
        }
    print(json.dumps(table, indent=None if args.json else 2))


if __name__ == "__main__":
    main()
