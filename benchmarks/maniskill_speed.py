"""Steps a second of ManiSkill tasks on one CPU core: its own loop and our batch, by turns in one run. Prints JSON.

    python benchmarks/maniskill_speed.py [--steps 300] [TASK ...]

Its own: ManiSkill's environment with observations of the state, its dense reward and its reset after each horizon.
Ours: the same environment in a batch of one row, with the fields that the expert reads packed, and with every field.
"""

from __future__ import annotations

import argparse
import json
import time
from statistics import median
from typing import Any

import numpy as np

from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.envs.maniskill import tasks
from reward_agent.envs.maniskill.simulator import build
from reward_agent.program import Program
from reward_agent.static_check import check
from reward_agent.task import Task

ROUNDS = 5


def measure(task: Task, steps: int) -> dict[str, Any]:
    """Medians over rounds; each round times all three, one after the other."""
    schema = task_schema(task)
    visible = schema.visible()
    read = check(Program(task.expert.read_text(encoding="utf-8")), visible).fields if task.expert else ()
    world: Any = task.world
    rewarded = {"reward_mode": "normalized_dense"} if task.id != "maniskill/plug-charger" else {"reward_mode": "sparse"}
    theirs = build(
        world, {"obs_mode": "state", "sim_backend": "physx_cpu", "control_mode": world.control_mode, **rewarded}
    )
    ours = {
        "ours, the expert's fields": Episodes(task, 1, read),
        "ours, every field": Episodes(task, 1, visible.by_path),
    }
    rng = np.random.default_rng(0)
    chosen = rng.uniform(-1, 1, (steps, 1, len(schema.action.names))).astype(np.float32)
    taken: dict[str, list[float]] = {name: [] for name in ("ManiSkill's own loop", *ours)}
    for _ in range(ROUNDS):
        begun = time.process_time()
        for number, action in enumerate(chosen):
            if number % task.horizon == 0:
                theirs.reset(seed=number)
            theirs.step(action)
        taken["ManiSkill's own loop"].append(time.process_time() - begun)
        for name, episodes in ours.items():
            begun = time.process_time()
            for number, action in enumerate(chosen):
                if number % task.horizon == 0:
                    episodes.reset(np.ones(1, bool), np.array([number]))
                episodes.step(action)
            taken[name].append(time.process_time() - begun)
    return {name: round(steps / median(seconds)) for name, seconds in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "tasks", nargs="*", default=["pick-cube", "push-cube", "stack-cube", "push-t", "peg-insertion-side"]
    )
    parser.add_argument("--steps", type=int, default=300)
    args = parser.parse_args()
    found = {name: measure(tasks()[f"maniskill/{name}"], args.steps) for name in args.tasks}
    print(json.dumps({"unit": "steps a second of one core's time", "tasks": found}, indent=2))


if __name__ == "__main__":
    main()
