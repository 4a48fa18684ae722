"""Meta-World's scripted expert policies through our world and through Meta-World's own environments, and their speeds.

    python benchmarks/metaworld_scripted.py --json [--episodes 20] [--steps 500]

For each of Text2Reward's eleven tasks the same policy plays the same seeds twice, each time on the observations of the
environment it is in. Told are the share of episodes with success at least once within the card's 200 steps and within
`--steps`, with success after the last step of each, how many episodes have the same observations to the last bit, when
success came, and steps a second: of Meta-World's `step`, and of our row with the fields that the task's expert reward
reads (the packing of its state included). The two take turns, so their ratio holds on a busy machine too.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from typing import Any

import numpy as np

from reward_agent.envs.episodes import task_schema
from reward_agent.envs.metaworld import tasks
from reward_agent.envs.metaworld.names import SUCCESS
from reward_agent.envs.metaworld.native import make_native
from reward_agent.envs.metaworld.row import MetaWorldRow
from reward_agent.program import Program
from reward_agent.schema import Array, StateSchema
from reward_agent.static_check import check
from reward_agent.task import Task

TIMED = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--steps", type=int, default=500, help="of the longer episodes; Meta-World's are 500")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each in timing")
    parser.add_argument("--json", action="store_true", help="one line")
    args = parser.parse_args()
    # its policies ask for more than an action can be, and say so in every process
    warnings.filterwarnings("ignore", message="Constant.s. may be too high")
    table = {
        task.id: play(task, args.episodes, args.steps) | speeds(task, args.repeats)
        for task in tasks().values()
        if task.expert
    }
    print(json.dumps(table, indent=None if args.json else 2))


def play(task: Task, episodes: int, steps: int) -> dict[str, Any]:
    """Successes of both, over the same seeds."""
    schema = task.world.schema().select([SUCCESS])
    row, env = MetaWorldRow(environment(task), schema), make_native(environment(task))
    ours, theirs, same = [], [], 0
    for seed in range(episodes):
        observations, successes = through_ours(row, task, seed, steps)
        own_observations, own_successes = through_theirs(env, task, seed, steps)
        ours.append(successes)
        theirs.append(own_successes)
        same += np.array_equal(observations, own_observations) and np.array_equal(successes, own_successes)
    first = [int(np.argmax(successes)) + 1 for successes in ours if successes.any()]
    return {
        "episodes": episodes,
        "same_to_the_last_bit": same,
        **{
            f"{who}_{length}": {
                "success": float(np.mean([s[:length].any() for s in played])),
                "success_at_end": float(np.mean([s[length - 1] for s in played])),
            }
            for who, played in (("ours", ours), ("meta_world", theirs))
            for length in (task.horizon, steps)
        },
        "steps_until_success": {"median": statistics.median(first), "most": max(first)} if first else None,
    }


def through_ours(row: MetaWorldRow, task: Task, seed: int, steps: int) -> tuple[Array, Array]:
    """Observations and successes of our row."""
    policy, observation = scripted(task), row.reset(seed)
    observations, successes = [observation], []
    for _ in range(steps):
        observation = row.step(act(policy, observation)).observation
        observations.append(observation)
        successes.append(row.state()[0])
    return np.array(observations), np.array(successes)


def through_theirs(env: Any, task: Task, seed: int, steps: int) -> tuple[Array, Array]:
    """The same of Meta-World's own environment."""
    policy = scripted(task)
    env.seed(seed)
    observation, _ = env.reset()
    observations, successes = [observation], []
    for _ in range(steps):
        observation, _, _, _, told = env.step(act(policy, observation))
        observations.append(observation)
        successes.append(float(told["success"]))
    return np.array(observations), np.array(successes)


def scripted(task: Task) -> Any:
    from metaworld.policies import ENV_POLICY_MAP

    return ENV_POLICY_MAP[environment(task)]()


def act(policy: Any, observation: Array) -> Array:
    # some of them write into the observation that they are given
    return np.asarray(np.clip(policy.get_action(observation.copy()), -1, 1), np.float64)


def environment(task: Task) -> str:
    return task.benchmark.removeprefix("Meta-World ")


def read_by_expert(task: Task) -> StateSchema:
    """Fields of the world that the expert reward reads, now or at reset."""
    assert task.expert is not None
    read = check(Program(task.expert.read_text(encoding="utf-8")), task_schema(task).visible()).fields
    paths = {path.removeprefix("start.") for path in read}
    schema = task.world.schema()
    return schema.select(path for path in schema.by_path if path in paths)


def speeds(task: Task, repeats: int) -> dict[str, Any]:
    """Steps a second with random actions, the best of `repeats` turns; and resets."""
    actions = np.random.default_rng(0).uniform(-1, 1, (TIMED, 4))
    row, env = MetaWorldRow(environment(task), read_by_expert(task)), make_native(environment(task))
    env.max_path_length = TIMED + 1

    def ours() -> None:
        for action in actions:
            row.step(action)
            row.state()

    def theirs() -> None:
        for action in actions:
            env.step(action)

    def reset_ours() -> None:
        row.reset(0)

    def reset_theirs() -> None:
        env.seed(0)
        env.reset()

    # a turn's reset is timed, then its steps
    turns = [[seconds(part) for part in (reset_theirs, theirs, reset_ours, ours)] for _ in range(repeats)]
    reset_own, own, reset, step = (min(turn[part] for turn in turns) for part in range(4))
    return {
        "steps_per_second": {
            "ours": round(TIMED / step),
            "meta_world": round(TIMED / own),
            "ratio": round(own / step, 2),
        },
        "reset_ms": {"ours": round(1e3 * reset, 2), "meta_world": round(1e3 * reset_own, 2)},
    }


def seconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
