"""Language to Rewards on its 17 tasks: parameters by hand, and a real model's recorded replies, full and its baselines.

    python benchmarks/language_to_rewards.py --json --out l2r.jsonl

Every row is one reward program (of a hand, or of one recorded conversation) planned on for some seeds and judged by
the task's own success metric, a row a core: threads change no result. How fast the planner is on all cores is measured
afterwards, one episode of each task alone (`--methods speed`). A conversation that came to no program fails on every
seed. Replies are those of the recordings under `envs/*/recordings/<task>/<method>.jsonl`, one candidate a
conversation, answered by a model that saw each prompt alone; nothing of them was touched up. A line of `--out` is
written as each row ends; started again, it goes on from there. The paper's figures are in `PAPER`: another robot,
another planner, evaluators that were not released.

All of it takes some seven hours of one core; `--tasks quadruped/sit-down --methods hand --hand-seeds 1` half a minute.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jobs import whence

from reward_agent.envs.registry import find_task, recordings, tasks
from reward_agent.history import Attempt, Candidate, History
from reward_agent.llm.recordings import Recording, read_recording
from reward_agent.methods import Ask, Settings, find_method
from reward_agent.optimise.choice import choose_training
from reward_agent.planning.planner import PlannerSettings
from reward_agent.planning.policy import PlannedPolicy
from reward_agent.program import Fault, Program
from reward_agent.scoring import confidence_interval, roll_out
from reward_agent.task import Task
from reward_agent.templates import Templates

METHODS = ("l2r", "l2r_coder", "code_as_policies")
HAND = "hand"
SPEED = "speed"
"""One episode by hand, with nothing else on the machine."""
PAPER: Mapping[str, tuple[float, float, float]] = {
    "quadruped/face-sunrise": (1.0, 1.0, 1.0),
    "quadruped/face-sunset": (1.0, 0.8, 0.7),
    "quadruped/sit-down": (0.98, 0.18, 0.86),
    "quadruped/roll-over": (0.9, 0.42, 0.33),
    "quadruped/spin": (1.0, 1.0, 0.79),
    "quadruped/lift-paw": (1.0, 0.98, 0.47),
    "quadruped/lift-paw-higher": (0.99, 1.0, 0.16),
    "quadruped/spin-with-lifted-paws": (0.99, 0.55, 0.01),
    "quadruped/stand-on-hind-legs": (0.71, 0.07, 0.0),
    "dexterous/touch-box": (0.97, 1.0, 0.96),
    "dexterous/lift-box": (0.89, 0.33, 0.01),
    "dexterous/move-apple": (0.71, 0.58, 0.04),
    "dexterous/upright-box": (0.83, 0.11, 0.22),
    "dexterous/flip-box": (0.98, 0.33, 0.0),
    "dexterous/lift-both": (0.03, 0.0, 0.0),
    "dexterous/turn-on-faucet": (0.99, 0.06, 0.0),
    "dexterous/open-drawer": (1.0, 0.24, 0.04),
}
"""Success of the full method, of the coder alone and of code as policies (Yu et al., 2023, read off its figures)."""
FIRST_SEED = 5_000
"""Of the episodes that are scored; nothing was tuned on them but what `CHANGED` names."""
CHANGED = ("quadruped/lift-paw-higher", "quadruped/spin-with-lifted-paws", "dexterous/move-apple")
"""By hand, changed after something was scored on those seeds, which so say nothing of them any more."""
UNSEEN_SEED = 6_000
"""Of the episodes that are scored instead, once."""


class Reward(NamedTuple):
    task: str
    method: str
    conversation: int
    program: Program | None
    replies: int


def by_hand(task_id: str, method: str = HAND) -> Reward:
    task = find_task(task_id)
    assert task.expert
    return Reward(task_id, method, 0, Program(task.expert.read_text(encoding="utf-8")), 0)


def conversations(task_id: str, method: str) -> Iterator[Reward]:
    """The last program of each recorded conversation."""
    found = recordings(task_id).get(method)
    if found is None:
        return
    recording = read_recording(found)
    task = find_task(task_id)
    turns = 1 + len(task.corrections)
    for index in range(held(recording)):
        history = played_again(task, method, recording, index)
        last = history.candidates.get((turns - 1, index))
        replies = sum(key.candidate == index for key in recording.replies)
        yield Reward(task_id, method, index, last.program if last else None, replies)


def held(recording: Recording) -> int:
    """Conversations in a recording."""
    return 1 + max(key.candidate for key in recording.replies)


def played_again(task: Task, method: str, recording: Recording, index: int) -> History:
    """One conversation, as far as its recorded replies go."""
    made = find_method(method)(Settings(iterations=1, candidates=index + 1), Templates())
    history = History()
    while isinstance(action := made.next(task, history), Ask):
        prompts = [prompt for prompt in action.prompts if prompt.key in recording.replies]
        for prompt in prompts:
            reply = recording.replies[prompt.key]
            read = made.read(task, history, prompt, reply.text)
            program = read if isinstance(read, Program) else None
            faults = (read,) if isinstance(read, Fault) else ()
            at = prompt.key.iteration, prompt.key.candidate
            before = history.candidates.get(at, Candidate(*at))
            attempt = Attempt(prompt.key, prompt.messages, reply, program, faults)
            history = History({**history.candidates, at: replace(before, attempts=(*before.attempts, attempt))})
        if not prompts:
            break
    return history


def first_seed(reward: Reward) -> int:
    return UNSEEN_SEED if reward.method == HAND and reward.task in CHANGED else FIRST_SEED


def scored(reward: Reward, seeds: int) -> dict[str, Any]:
    """Success by seed."""
    task = find_task(reward.task)
    if reward.program is None:
        return {"success": [0.0] * seeds}
    policy = PlannedPolicy(reward.program, planner(task, threads=1), seed=0)
    first = first_seed(reward)
    scores = roll_out(task, policy, list(range(first, first + seeds)))
    graded = task.graded.name
    return {"success": scores[task.metrics[0].name].tolist(), graded: np.round(scores[graded], 4).tolist()}


def timed(reward: Reward) -> dict[str, Any]:
    """How fast the planner is where one episode is all that the machine does."""
    task, cores = find_task(reward.task), os.cpu_count() or 1
    assert reward.program
    policy = PlannedPolicy(reward.program, planner(task, threads=cores), seed=0)
    began = time.monotonic()
    roll_out(task, policy, [FIRST_SEED])
    factor = task.horizon * task.world.dt / (time.monotonic() - began)
    return {"real_time_factor": factor, "cores": cores, "load_before": round(os.getloadavg()[0], 1)}


def planner(task: Task, threads: int) -> PlannerSettings:
    settings = choose_training(task, "mpc").settings
    assert isinstance(settings, PlannerSettings)
    return replace(settings, threads=threads, rows=1)


IDENTITY = ("task", "method", "conversation", "replies", "program", "planner", "first_seed", "episodes")


def named(reward: Reward, episodes: Mapping[str, int]) -> dict[str, Any]:
    """What a row is of, by `IDENTITY`. Start a new file after a change of a world, a metric or the planner's code."""
    program = reward.program.id if reward.program else None
    how = settings_id(planner(find_task(reward.task), threads=1)), first_seed(reward), episodes[reward.method]
    of = reward.task, reward.method, reward.conversation, reward.replies, program, *how
    return dict(zip(IDENTITY, of, strict=True))


def asked(
    task_ids: Collection[str] = PAPER.keys(),
    methods: Collection[str] = (HAND, *METHODS, SPEED),
    hand_seeds: int = 10,
    seeds: int = 3,
) -> dict[Reward, dict[str, Any]]:
    """What to measure, with its identity."""
    episodes = {**dict.fromkeys(METHODS, seeds), HAND: hand_seeds, SPEED: 1}
    found: list[Reward] = []
    for task_id in task_ids:
        for method in methods:
            found += [by_hand(task_id, method)] if method in (HAND, SPEED) else conversations(task_id, method)
    return {reward: named(reward, episodes) for reward in found}


def rows_of(identities: Collection[dict[str, Any]], path: Path) -> list[dict[str, Any]]:
    """What a file says of them."""
    written = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [row for row in written if {name: row.get(name) for name in IDENTITY} in identities]


def settings_id(settings: PlannerSettings) -> str:
    return hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode()).hexdigest()[:8]


def measure(rewards: Mapping[Reward, dict[str, Any]], write: Callable[[dict[str, Any]], None]) -> None:
    """Score, then time, what is asked, by its identity; each row is written as it is there.

    Conversations that came to the same program are scored once: an episode depends on its program and its seed alone.
    The first of every task come first, so that a table which is not finished has something of each.
    """
    by_program: dict[tuple[str, str | None, int, int], list[Reward]] = {}
    for reward, identity in rewards.items():
        if reward.method != SPEED:
            key = identity["task"], identity["program"], identity["first_seed"], identity["episodes"]
            by_program.setdefault(key, []).append(reward)
    in_order = sorted(by_program.items(), key=lambda item: item[1][0].conversation)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(scored, same[0], key[-1]): same for key, same in in_order}
        for future in as_completed(running):
            for reward in running[future]:
                write(rewards[reward] | future.result())
    for reward, identity in rewards.items():
        if reward.method == SPEED:
            write(identity | timed(reward))


def table(rows: list[dict[str, Any]], task_ids: Collection[str] = PAPER.keys()) -> dict[str, Any]:
    """Success by task and method beside the paper's; with a 95 % interval over episodes where a hand wrote the reward.

    Where a model did, success is told by conversation. There is no interval: all of them are scored on the same seeds,
    and those that came to the same program are the same episodes.
    """
    found: dict[str, Any] = {}
    for task_id in task_ids:
        entry: dict[str, Any] = {"paper": dict(zip(METHODS, PAPER[task_id], strict=True))}
        for method in (HAND, *METHODS):
            own = [row for row in rows if row["task"] == task_id and row["method"] == method]
            own.sort(key=lambda row: int(row["conversation"]))
            if own and method == HAND:
                entry[method] = confidence_interval(own[0]["success"], "success")._asdict()
                entry[method]["episodes"] = own[0]["episodes"]
            elif own:
                each = [float(np.mean(row["success"])) for row in own]
                programs = len({row["program"] for row in own})
                entry[method] = {"mean": float(np.mean(each)), "conversations": each, "programs": programs}
                entry[method]["episodes"] = programs * own[0]["episodes"]
                entry[method]["whole"] = len(own) == held(read_recording(recordings(task_id)[method]))
        factors = [row["real_time_factor"] for row in rows if row["task"] == task_id and row["method"] == SPEED]
        if factors:
            entry["real_time_factor"] = factors[-1]
        found[task_id] = entry
    return found


def markdown(found: Mapping[str, Any]) -> str:
    """The two tables of `docs/results.md`."""
    by_hand = ["| task | success | times real time |", "| --- | --- | --- |"]
    by_model = [
        f"| task | {' | '.join(f'`{method}`' for method in METHODS)} | paper |",
        "| --- | --- | --- | --- | --- |",
    ]
    for task_id, entry in found.items():
        if hand := entry.get(HAND):
            factor = f"{entry['real_time_factor']:.2f}" if "real_time_factor" in entry else ""
            by_hand.append(
                f"| `{task_id}` | {_short(hand['mean'])} ({_short(hand['low'])} to {_short(hand['high'])}) | {factor} |"
            )
        cells = [_cell(entry.get(method)) for method in METHODS]
        by_model.append(f"| `{task_id}` | {' | '.join(cells)} | {', '.join(map(_short, entry['paper'].values()))} |")
    cells = []
    for method in METHODS:
        means = [entry[method]["mean"] for entry in found.values() if entry.get(method, {}).get("whole")]
        whole = len(means) == len(found)  # a mean over the conversations that happen to be scored would say nothing
        cells.append(f"**{_short(np.mean(means))}**, {sum(mean > 0.5 for mean in means)} tasks" if whole else "")
    papers = np.array([list(entry["paper"].values()) for entry in found.values()])
    paper = ", ".join(f"{_short(column.mean())} ({(column > 0.5).sum()})" for column in papers.T)
    by_model.append(f"| mean, and how many above one half | {' | '.join(cells)} | {paper} |")
    return "\n".join([*by_hand, "", *by_model])


def _cell(entry: Mapping[str, Any] | None) -> str:
    return f"**{_short(entry['mean'])}** ({', '.join(map(_short, entry['conversations']))})" if entry else ""


def _short(share: float) -> str:
    return f"{share:.2f}".rstrip("0").rstrip(".")


def _some(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no number of episodes: at least 1.")
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON (unless --markdown)")
    parser.add_argument("--markdown", action="store_true", help="print the tables of docs/results.md instead")
    every = [HAND, *METHODS, SPEED]
    parser.add_argument("--tasks", nargs="+", choices=PAPER, default=list(PAPER), metavar="TASK", help="some of the 17")
    parser.add_argument("--methods", nargs="+", choices=every, default=every, metavar="METHOD", help=", ".join(every))
    parser.add_argument("--hand-seeds", type=_some, default=10, help="episodes of each set of parameters by hand (10)")
    parser.add_argument("--seeds", type=_some, default=3, help="episodes of each conversation (3)")
    parser.add_argument(
        "--out", type=Path, default=Path("language_to_rewards.jsonl"), help="of the rows, kept and added to"
    )
    args = parser.parse_args()
    assert PAPER.keys() <= tasks().keys()
    wanted = asked(args.tasks, args.methods, args.hand_seeds, args.seeds)
    rows = rows_of(list(wanted.values()), args.out)
    done = [{name: row[name] for name in IDENTITY} for row in rows]
    rewards = {reward: identity for reward, identity in wanted.items() if identity not in done}
    begun = whence()

    def write(row: dict[str, Any]) -> None:
        row |= begun
        rows.append(row)
        with args.out.open("a") as file:
            file.write(json.dumps(row) + "\n")

    measure(rewards, write)
    found = table(rows, args.tasks)
    print(markdown(found) if args.markdown else json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
