"""A policy learned from preferences over segments, beside PPO on the true reward: what ICPL is compared with.

    python benchmarks/preference_baseline.py --setup          once: a virtual environment for the imitation package
    python benchmarks/preference_baseline.py --markdown [--queries 49 150 1500] [--seeds 3] [--steps 300000] [--cores 2]

The teacher is synthetic and without noise: asked for a pair of segments, it prefers the one with the larger sum of
native rewards, which is what the task's metric sums. The reward is learned by `preference_learner.py` (an ensemble and
the Bradley-Terry model, of the imitation package 1.0.1) in a virtual environment of its own, on our task lent over
pipes; PPO has the settings of our own trainings. Steps played to be compared count among `--steps`. `true_reward` is
our own PPO on the native reward itself, for as many steps: what a reward learned without a flaw would come to. Scores
are of the final policy on 20 episodes of the report seeds. ICPL has 30 trainings for its 49 queries: with 300,000 steps
each, `--steps 9000000` gives the same number to one learner.

Every row is one training, a process and a core each. `--out` is written as each row ends; started again, it goes on
from there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import tempfile
import time
from argparse import SUPPRESS
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from jobs import run_jobs, whence
from preference_bridge import Learned, lend
from preference_venv import make, require

from reward_agent.envs.registry import find_task
from reward_agent.errors import RewardAgentError, UsageError
from reward_agent.optimise.policy import Policy
from reward_agent.optimise.ppo import PRESETS as PPO_PRESETS
from reward_agent.optimise.ppo import PPOSettings
from reward_agent.optimise.presets import choose
from reward_agent.program import Program
from reward_agent.scoring import Act, SeedPlan, confidence_interval, no_op, roll_out
from reward_agent.sources.cell import CellSource
from reward_agent.task import Task

HERE = Path(__file__).resolve().parent
TASKS = ("mujoco/halfcheetah-run", "mujoco/hopper-forward")
QUERIES = (49, 150, 1500)
PREFERENCES, TRUE_REWARD = "preferences", "true_reward"
EPISODES = 20
TOO_SHORT = "No trajectories are long enough for the desired fragment length"
"""Said by `imitation`."""
LEARNER: Mapping[str, Any] = {
    "segment": 50,  # steps
    "rounds": 10,  # of comparing, fitting and training, after a first one
    "first_segments": 4,  # of each environment are at least played before the first comparison
    "initial_share": 0.1,  # of the comparisons come before any training
    "ensemble": 3,
    "pool": 4,  # pairs drawn for each that is asked for
    "batch_size": 32,
    "learning_rate": 1e-3,
    "initial_epochs": 4,  # times as many in the first round
}
"""How the reward is learned; what is not here has the package's defaults."""


def epochs(queries: int) -> int:
    """Passes over all comparisons a round: few over many, many over few."""
    return int(np.clip(3000 // queries, 5, 50))


def learner_of(queries: int) -> dict[str, Any]:
    return {**LEARNER, "epochs": epochs(queries)}


def settings_of(task: Task) -> PPOSettings:
    return choose(PPO_PRESETS, task.preset, {"threads": 1})


def least_steps(settings: PPOSettings, queries: int) -> int:
    """Of a training: every round must play segments that can be compared."""
    segment, rollout = LEARNER["segment"], settings.rollout
    first = max(LEARNER["first_segments"], 2 * int(queries * LEARNER["initial_share"]) / settings.num_envs) * segment
    a_round = math.ceil(segment / rollout) * rollout
    return int(settings.num_envs * (math.ceil(first) + (LEARNER["rounds"] + 1) * a_round))


def native(task_id: str) -> Task:
    """Raises `UsageError` for a task whose metric is no sum of rewards by step."""
    task = find_task(task_id)
    if task.metrics[0].name != "native_return" or task.expert is None:
        raise UsageError(
            f"{task_id} is judged by {task.metrics[0].name}, of whole episodes. The teacher compares segments by what "
            f"the metric sums step by step: name tasks that are judged by native_return, as {' and '.join(TASKS)}."
        )
    return task


def jobs_of(task_ids: Sequence[str], queries: Sequence[int], seeds: int, steps: int) -> Iterator[dict[str, Any]]:
    """What makes a row; a row of the same is not made again."""
    for task_id in task_ids:
        settings = settings_of(native(task_id))
        if steps < (least := least_steps(settings, max(queries))):
            raise UsageError(
                f"{steps:,} steps are too few to compare {max(queries):,} pairs in {LEARNER['rounds'] + 1} rounds: "
                f"{task_id} needs {least:,} at least (`--steps {least}`)."
            )
        # a seed of everything first, so that a table which is not finished has something of each
        for seed in range(seeds):
            for method, asked in [(TRUE_REWARD, 0), *((PREFERENCES, count) for count in queries)]:
                whole = [asdict(settings), learner_of(asked) if asked else {}]
                digest = hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:8]
                job = {"task": task_id, "method": method, "queries": asked, "steps": steps, "seed": seed}
                yield {**job, "settings": digest}


def run_job(job: Mapping[str, Any]) -> dict[str, Any]:
    """Train, and score on the report seeds.

    A learner whose latest policy plays no episode as long as a segment can compare no more and ends without a policy:
    a failed training, which counts as doing nothing, as everywhere here.
    """
    begun, began = whence(), time.monotonic()
    task = native(job["task"])
    policy: Act
    if job["method"] == TRUE_REWARD:
        policy, found = on_true_reward(task, job["steps"], job["seed"])
    else:
        try:
            policy, found = on_preferences(task, job["queries"], job["steps"], job["seed"])
        except RewardAgentError as error:
            if TOO_SHORT not in str(error):
                raise
            policy, found = no_op(task), {"failed": "no episode as long as a segment", "queries": job["queries"]}
    found["seconds"] = round(time.monotonic() - began, 1)
    scores = roll_out(task, policy, SeedPlan.report_seeds(0, EPISODES))
    return {**found, "scores": {name: np.round(values, 3).tolist() for name, values in scores.items()}, **begun}


def true_source(task: Task) -> CellSource:
    assert task.expert
    return CellSource(Program(task.expert.read_text(encoding="utf-8")), task)


def on_true_reward(task: Task, steps: int, seed: int) -> tuple[Policy, dict[str, Any]]:
    from reward_agent.optimise.ppo import optimise

    with closing(true_source(task)) as source:
        done = optimise(task, source, steps, SeedPlan.final_seed(0, seed), settings={"threads": 1})
    assert isinstance(done.policy, Policy)
    return done.policy, {"steps": done.steps}


def on_preferences(task: Task, queries: int, steps: int, seed: int) -> tuple[Policy, dict[str, Any]]:
    """Raises `RewardAgentError` where the learner failed."""
    settings = settings_of(task)
    told = {"queries": queries, "steps": steps, "ppo": asdict(settings), "learner": learner_of(queries)}
    command = [str(require()), "-u", str(HERE / "preference_learner.py")]
    with tempfile.TemporaryDirectory() as folder, closing(true_source(task)) as source:
        log = Path(folder) / "learner.log"
        seeded = SeedPlan.final_seed(0, seed)
        learned = lend(task, source, command, told, rows=settings.num_envs, seed=seeded, log=log)
    return policy_of(learned, task, settings), {"steps": learned.steps, **learned.facts}


def policy_of(learned: Learned, task: Task, settings: PPOSettings) -> Policy:
    """As our own policies are; raises `RewardAgentError` where it acts otherwise than it did where it was trained."""
    arrays = learned.arrays
    layers = sum(name.startswith("weight.") for name in arrays)
    action = task.world.schema().action
    size = arrays["observations"].shape[1]
    policy = Policy(
        weights=tuple(arrays[f"weight.{index}"] for index in range(layers)),
        biases=tuple(arrays[f"bias.{index}"] for index in range(layers)),
        activation=settings.activation,
        squash=False,
        low=np.array(action.low, np.float64),
        high=np.array(action.high, np.float64),
        mean=arrays.get("mean", np.zeros(size)),
        variance=arrays.get("variance", np.ones(size)),
    )
    if not np.allclose(policy.act(arrays["observations"]), arrays["actions"], atol=1e-4):
        raise RewardAgentError("The policy that came back acts otherwise than the one that was trained: a defect here.")
    return policy


def table(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By task, method, queries and steps: each metric's mean over trainings, with its 95 % interval."""
    found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        job = row["job"]
        found.setdefault((job["task"], job["method"], job["queries"], job["steps"]), []).append(row)
    entries = []
    for (task_id, method, queries, steps), own in sorted(found.items()):
        entry = {"task": task_id, "method": method, "queries": queries, "steps": steps, "trainings": len(own)}
        entry["failed"] = sum("failed" in row for row in own)
        for name in own[0]["scores"]:
            entry[name] = confidence_interval([row["scores"][name] for row in own])._asdict()
        if method == PREFERENCES:
            known = [row["fresh_agreement"] for row in own if "fresh_agreement" in row]
            entry["fresh_agreement"] = float(np.mean(known)) if known else None
        entries.append(entry)
    return entries


def markdown(entries: Sequence[Mapping[str, Any]]) -> str:
    """The table of `docs/results.md`."""
    metrics = list(dict.fromkeys(name for entry in entries for name, value in entry.items() if isinstance(value, dict)))
    titles = ["task", "reward", "queries", "steps", "trainings"]
    titles += [*(f"`{name}`" for name in metrics), "pairs in true order"]
    lines = [f"| {' | '.join(titles)} |", "|" + " --- |" * len(titles)]
    for entry in entries:
        learned = entry["method"] == PREFERENCES
        cells = [f"`{entry['task']}`", "learned from pairs" if learned else "the native one, our PPO"]
        cells += [f"{entry['queries']:,}" if learned else "–", f"{entry['steps']:,}", _trainings(entry)]
        cells += [_interval(entry[name]) if name in entry else "" for name in metrics]
        cells.append(f"{entry['fresh_agreement']:.0%}" if learned and entry["fresh_agreement"] is not None else "–")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _trainings(entry: Mapping[str, Any]) -> str:
    return str(entry["trainings"]) + (f", {entry['failed']} failed" if entry["failed"] else "")


def _interval(interval: Mapping[str, float | None]) -> str:
    mean, low, high = interval["mean"], interval["low"], interval["high"]
    assert mean is not None
    digits = 0 if abs(mean) >= 100 else 1
    return f"{mean:,.{digits}f}" + ("" if low is None else f" [{low:,.{digits}f}, {high:,.{digits}f}]")


def _some(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of them: at least 1.")
    return int(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/results.md instead")
    parser.add_argument("--setup", action="store_true", help="make the virtual environment (IMITATION_VENV) and end")
    parser.add_argument("--only-tell", action="store_true", help="say what would be trained, and end")
    parser.add_argument("--tasks", nargs="+", default=TASKS, metavar="TASK", help="judged by native_return")
    parser.add_argument("--queries", nargs="+", type=_some, default=QUERIES, metavar="N", help="pairs compared")
    parser.add_argument("--seeds", type=_some, default=3, help="trainings of each (3)")
    parser.add_argument("--steps", type=_some, default=300_000, help="environment steps of a training (300000)")
    parser.add_argument("--cores", type=_some, default=2)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "preference_baseline.jsonl", help="of the rows")
    parser.add_argument("--job", type=json.loads, help=SUPPRESS)
    args = parser.parse_args()
    try:
        if args.setup:
            make()
        elif args.job:
            print(json.dumps(run_job(args.job)))
        else:
            measure(args)
    except RewardAgentError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def measure(args: argparse.Namespace) -> None:
    """Train what is not among the rows yet, and print."""
    jobs = list(jobs_of(args.tasks, args.queries, args.seeds, args.steps))
    if args.only_tell:
        kept = args.out.read_text().splitlines() if args.out.exists() else []
        done = [json.loads(line)["job"] for line in kept]
        left = [job for job in jobs if job not in done]
        print(f"{len(left)} of {len(jobs)} trainings of {args.steps:,} steps are left, {args.cores} at once:")
        print("\n".join(json.dumps(job) for job in left))
        return
    require()
    entries = table(run_jobs(HERE / "preference_baseline.py", jobs, args.out, cores=args.cores))
    print(markdown(entries) if args.markdown else json.dumps(entries, indent=None if args.json else 2))


if __name__ == "__main__":
    sys.exit(main())
