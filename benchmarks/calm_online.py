"""How soon a policy learns a task with a sparse goal: by the goal alone, by subgoals, densely by hand, by novelty.

    python benchmarks/calm_online.py --markdown [--tasks minihack/keyroom-s5 ...] [--arms sparse code ...]
                                     [--program TASK=FILE] [--seeds 3] [--steps 2000000] [--until-solved] [--jobs 2]

Every training is PPO with the task's preset, on one core. At every 0.25 % of the steps its policy plays the same
episodes, none of which any training sees, twice: drawing its actions as it does while it learns, and taking the
likeliest, which in a grid may walk in circles long after the other succeeds. A level of success is reached at the
first of three measurements in a row that are at or above it; a training that never comes to that counts as more than
its steps. Intervals are the range over seeds, with the chance that it holds the median; a ratio's ends pair the seeds
least and most in its favour. What is done is kept in `benchmarks/results/calm_online.jsonl` and not run again; a
training that was killed goes on from its checkpoint in `--work`.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import sys
import tempfile
from argparse import SUPPRESS
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from calm_offline import DATA, read_sample
from calm_online_tables import (
    ARMS,
    CODE,
    DISTILLED,
    DRAWN,
    HAND,
    HOW,
    JUDGED,
    LEVELS,
    LIKELIEST,
    SPARSE,
    pages,
    reached,
    table,
)
from calm_replies import KEPT as REPLIES
from calm_replies import replies_of
from jobs import run_jobs
from replies import lay_replies

from reward_agent.crediting import Reached
from reward_agent.crediting.cache import Judgements
from reward_agent.crediting.distilling import distilled_from
from reward_agent.crediting.trajectories import Place, Trajectory, read_trajectories
from reward_agent.crediting.view import View
from reward_agent.envs.registry import find_task
from reward_agent.errors import RewardAgentError, UsageError
from reward_agent.files import write_atomically
from reward_agent.llm import Options, connect
from reward_agent.optimise import Measuring, Optimised, find_optimiser
from reward_agent.optimise.policy import Policy
from reward_agent.program import SUBGOALS, Fault, Program, read_program
from reward_agent.schema import Array
from reward_agent.scoring import SeedPlan, roll_out
from reward_agent.sources import RewardSource, SourceFaultError
from reward_agent.sources.cell import CellSource
from reward_agent.sources.making import source_of
from reward_agent.sources.novelty import Counts, NoveltySource, novelty_schema
from reward_agent.sources.sparse import GoalSource
from reward_agent.task import Task

HERE = Path(__file__).parent
KEPT, WORK = HERE / "results" / "calm_online.jsonl", HERE.parent / "runs" / "calm_online"
ROOM = HERE.parent / "envs" / "minihack" / "experts" / "keyroom_subgoals.py"
BY_HAND = {
    "minihack/keyroom-s5": ROOM,
    "minihack/keyroom-s15": ROOM,
    "minigrid/doorkey-8x8": HERE.parent / "envs" / "minigrid" / "experts" / "doorkey_subgoals.py",
}
"""Programs of the arm `hand`."""
FOUND = {
    "minihack/keyroom-s5": REPLIES / "found_by_claude.md",
    "minihack/keyroom-s15": REPLIES / "found_by_claude.md",
    "minigrid/doorkey-8x8": REPLIES / "found_by_claude_doorkey.md",
}
"""Programs of the arm `code` where no other is given: the first reply of a model to `--method calm` that came, as it
is. The larger key room has the smaller one's."""
TASKS = ("minihack/keyroom-s5", "minigrid/doorkey-8x8")
JUDGE, BATCH = "manual:claude", 20
"""Whose recorded judgements the arm `distilled` has, so many transitions a prompt (`calm_offline.py`)."""
JUDGED_TASK = "minihack/keyroom-s5"
POINTS = 400
"""Measurements of a training."""
PARTS = 40
"""Of a training; `--until-solved` looks after each."""


def source_for(arm: str, task: Task, program: Program | None, seed: int) -> RewardSource:
    """The reward of an arm."""
    if arm == SPARSE:
        return GoalSource(task)
    if arm == "novelty":
        return NoveltySource(task, Counts())
    if arm == "rnd":
        from reward_agent.sources.random_network import RandomNetwork

        return NoveltySource(task, RandomNetwork(novelty_schema(task).width, seed))
    if arm == DISTILLED:
        return distilled_from(*recorded_judgements(task), task)
    if arm in (CODE, HAND):
        assert program is not None
        return source_of(program, task)
    assert task.expert is not None
    return CellSource(Program(task.expert.read_text(encoding="utf-8")), task)


def recorded_judgements(task: Task) -> tuple[list[Trajectory], dict[Place, Reached]]:
    """What a model said, as the replies are recorded, of a balanced sample of the task's recorded trajectories.

    Raises:
        UsageError: nothing was recorded of the task, or not all of the sample.
    """
    trajectories = read_trajectories(DATA)
    if task.id != trajectories[0].task:
        raise UsageError(f"No judgements of {task.id} are recorded: the arm `{DISTILLED}` has {trajectories[0].task}.")
    with tempfile.TemporaryDirectory() as folder:
        lay_replies(replies_of(JUDGE), Path(folder))
        llm, kept = connect(JUDGE, Options(temperature=0.0, folder=Path(folder), wait=0.0)), Judgements()
        said = read_sample(llm, task.subgoals, View(), trajectories, kept, sample=JUDGED, batch=BATCH)
    return trajectories, {place: each for place, each in said.items() if not isinstance(each, Fault)}


def run_job(job: Mapping[str, Any], work: Path, program: Program | None) -> dict[str, Any]:
    """Train, from where the folder's checkpoint is; the success curve."""
    name = f"{job['task'].replace('/', '-')}-{job['arm']}-{job['seed']}-{_digest(json.dumps(job, sort_keys=True))}"
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    finished = folder / "row.json"
    with alone_in(folder):
        if not finished.exists():
            write_atomically(finished, json.dumps(train(job, folder, program)).encode())
        row: dict[str, Any] = json.loads(finished.read_text())
        return row


def train(job: Mapping[str, Any], folder: Path, program: Program | None) -> dict[str, Any]:
    """All of the steps; where the job says so, only as many 40ths as it takes to be solved for sure."""
    task, steps = find_task(job["task"]), job["steps"]
    seed = SeedPlan.final_seed(0, job["seed"])
    episodes = SeedPlan.select_seeds(0, job["episodes"])

    def success(policy: Any) -> dict[str, float]:
        return {
            how: float(roll_out(task, act, episodes, task.metrics[:1])[task.metrics[0].name].mean())
            for how, act in ((DRAWN, drawing(policy, job["seed"])), (LIKELIEST, policy))
        }

    points = [round(steps * (index + 1) / job["points"]) for index in range(job["points"])]
    try:
        with closing(source_for(job["arm"], task, program, seed)) as source:
            for part in range(1, PARTS + 1):
                until = steps * part // PARTS
                measuring = Measuring(tuple(point for point in points if point <= until), success)
                optimised = find_optimiser("ppo")(
                    task, source, until, seed, settings={"threads": 1}, checkpoint=folder, measuring=measuring
                )
                if job["until_solved"] and all(reached(curve_of(optimised, how), LEVELS[-1]) for how in HOW):
                    break
    except SourceFaultError as error:
        return {"failed": error.fault.message, **{how: [] for how in HOW}}
    return {
        **{how: curve_of(optimised, how) for how in HOW},
        "steps": optimised.steps,
        "seconds": round(optimised.seconds, 1),
    }


def drawing(policy: Policy, seed: int) -> Callable[[Array], Array]:
    """Acts by drawing from what a policy of numbered actions thinks of them (Gumbel, 1954)."""
    generator = np.random.default_rng(seed)

    def act(observations: Array) -> Array:
        logits = policy.output(observations)
        return np.argmax(logits + generator.gumbel(size=logits.shape), axis=1)[:, None].astype(float)

    return act


def curve_of(optimised: Optimised, how: str) -> list[list[float]]:
    """Steps and success; points of one rollout are one measurement."""
    measured = dict(zip(optimised.measured_at, optimised.measured, strict=True))
    return [[at, values[how]] for at, values in measured.items()]


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder: a training whose parent was killed may still be at it, and is waited for."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def jobs_of(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Every training, the first seed of all before the second of any."""
    for seed in range(args.seeds):
        for task in args.tasks:
            for arm in args.arms:
                if arm == DISTILLED and task != JUDGED_TASK:
                    continue  # nothing was judged of it
                program = program_of(arm, task, dict(args.program))
                yield {
                    "task": task,
                    "arm": arm,
                    "seed": seed,
                    "steps": args.steps,
                    "episodes": args.episodes,
                    "points": POINTS,
                    "until_solved": args.until_solved,
                    "program": program and _digest(program.source),
                }


def program_of(arm: str, task: str, given: Mapping[str, Path]) -> Program | None:
    """What tells subgoals in this arm: by hand, or a file that is given, or what a model wrote.

    Raises:
        UsageError: it has none, or a file holds none.
    """
    if arm == HAND and task in BY_HAND:
        return Program(BY_HAND[task].read_text(encoding="utf-8"), SUBGOALS)
    path = (FOUND | dict(given)).get(task)
    if arm == CODE and path:
        found = read_program(path)
        if isinstance(found, Fault):
            raise UsageError(f"{path} holds no program: {found.message}")
        return found
    if arm in (CODE, HAND):
        raise UsageError(
            f"{task} has no program of subgoals for the arm `{arm}`: give one for `code`, --program {task}=FILE."
        )
    return None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _assignment(text: str) -> tuple[str, Path]:
    task, separator, path = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text} names no task: minihack/keyroom-s5=FILE.")
    return task, Path(path).resolve()


def _at_least(least: int, text: str) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text} must be a whole number of at least {least}.")
    return int(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/results.md instead")
    parser.add_argument("--only-tell", action="store_true", help="say what would be trained, and end")
    parser.add_argument("--table", action="store_true", help="tell of all that was trained, and train nothing")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), metavar="TASK", help="that name a goal")
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument(
        "--program", action="append", default=[], type=_assignment, metavar="TASK=FILE", help="of the arm `code`"
    )
    some = partial(_at_least, 1)
    parser.add_argument("--seeds", type=some, default=3, help="trainings of each (3)")
    parser.add_argument("--steps", type=partial(_at_least, POINTS), default=2_000_000, help="of a training (2000000)")
    parser.add_argument("--episodes", type=some, default=20, help="that measure success (20)")
    parser.add_argument(
        "--until-solved", action="store_true", help="end a training at the first 40th after 90 %% was reached"
    )
    parser.add_argument("--jobs", type=some, default=2, help="trainings at once, a core each (2)")
    parser.add_argument("--out", type=Path, default=KEPT, help="of the rows")
    parser.add_argument("--work", type=Path, default=WORK, help="of what a training needs to go on")
    parser.add_argument("--job", type=json.loads, help=SUPPRESS)
    args = parser.parse_args()
    try:
        if args.job:
            program = program_of(args.job["arm"], args.job["task"], dict(args.program))
            print(json.dumps(run_job(args.job, args.work, program)))
        else:
            measure(args)
    except RewardAgentError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def measure(args: argparse.Namespace) -> None:
    """Train what is not among the rows yet, and print."""
    if args.table:
        tell(kept_rows(args.out), args)
        return
    jobs = list(jobs_of(args))
    if args.only_tell:
        done = [row["job"] for row in kept_rows(args.out)]
        left = [job for job in jobs if job not in done]
        print(f"{len(left)} of {len(jobs)} trainings are left, {args.jobs} at once:")
        print("\n".join(json.dumps(job) for job in left))
        return
    told = ["--work", str(args.work.resolve())]
    told += [text for task, path in args.program for text in ("--program", f"{task}={path}")]
    tell(run_jobs(HERE / "calm_online.py", jobs, args.out, cores=args.jobs, told=told), args)


def tell(rows: Sequence[Mapping[str, Any]], args: argparse.Namespace) -> None:
    """Print the tables of these trainings."""
    if args.markdown:
        print(pages(rows))
    else:
        print(json.dumps([entry for how in HOW for entry in table(rows, how)], indent=None if args.json else 2))


def kept_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
