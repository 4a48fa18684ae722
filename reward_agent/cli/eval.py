"""`reward-agent eval`: what is a reward worth? Trains on it, then scores by the task's metrics. No model."""

from __future__ import annotations

import math
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import add_program, add_training, natural, optimiser_of, positive, read_program

if TYPE_CHECKING:
    from reward_agent.api import Evaluation
    from reward_agent.history import Outcome

HELP = "train on a reward of your own, then score it with the task's metrics"


def add_arguments(parser: ArgumentParser) -> None:
    add_program(parser)
    add = parser.add_argument
    add(
        "--budget",
        type=positive,
        metavar="STEPS",
        help="environment steps of each training; the task's own unless given",
    )
    add("--seeds", type=positive, metavar="N", help="trainings, which the interval is over (3; 1 of a planner)")
    add("--episodes", type=positive, metavar="N", help="that each policy is scored on (50; 10 of a planner)")
    add("--seed", type=natural, default=0, metavar="S", help="of everything random (0)")
    what = "of a program that tells subgoals: how they pay, as of `run`; may be given again"
    add("--shape", action="append", default=[], metavar="NAME=VALUE", help=what)
    add_training(parser)
    add("--jobs", type=positive, metavar="J", help="trainings side by side; one a core unless given")
    add("--out", type=Path, metavar="DIR", help="keep policies and curves there")


def run(args: Namespace) -> Answer:
    from reward_agent.api import evaluate
    from reward_agent.cli.run import read_shaping
    from reward_agent.cli.view import following
    from reward_agent.envs.registry import find_task
    from reward_agent.optimise.choice import read_changes, usual
    from reward_agent.program import Fault

    optimiser = optimiser_of(args)
    settings, seeds = read_changes(optimiser, args.changes), args.seeds or usual(optimiser).trainings
    task, program = find_task(args.task), read_program(args.file)
    if isinstance(program, Fault):
        return _unfit([asdict(program)], args.file)
    with following((args.budget or task.budget) * seeds) as view:
        found = evaluate(
            program,
            args.task,
            budget=args.budget,
            seeds=seeds,
            episodes=args.episodes,
            seed=args.seed,
            optimiser=optimiser,
            preset=args.preset,
            settings=settings,
            shaping=read_shaping(args.shape),
            jobs=args.jobs,
            folder=args.out,
            events=view,
            unsafe=args.unsafe,
        )
    if not found.verdict.ok:
        return _unfit(found.verdict.to_json()["faults"], args.file)
    return Answer(_value(found, args.task), _text(found, args.file), exit_code=0 if found.ok else 1)


def _unfit(faults: list[dict[str, Any]], location: str) -> Answer:
    lines = [f"{location}:{fault['line'] or ''}: {fault['stage']} fault: {fault['message']}" for fault in faults]
    return Answer({"ok": False, "faults": faults}, "\n".join([*lines, "Nothing was trained."]), exit_code=1)


def _value(found: Evaluation, task: str) -> dict[str, Any]:
    from reward_agent.program import Fault

    faults = [asdict(outcome) for outcome in found.outcomes if isinstance(outcome, Fault)]
    trained = [outcome for outcome in found.outcomes if not isinstance(outcome, Fault)]
    return {
        "ok": found.ok,
        "task": task,
        "program_sha256": found.program.id,
        "metrics": {name: interval._asdict() for name, interval in found.metrics.items()},
        "floors": {
            whose: {name: interval._asdict() for name, interval in scores.items()}
            for whose, scores in found.floors.items()
        },
        "optimiser": found.choice.optimiser,
        "preset": found.choice.preset,
        "settings": dict(found.choice.changes),
        "budget": found.budget,
        "trainings": len(found.outcomes),
        "seeds": list(found.seeds),
        "episodes": found.episodes,
        "steps_per_second": [outcome.steps / outcome.seconds for outcome in trained],
        "real_time_factor": list(found.real_time_factors),
        "bad_rewards": [outcome.bad_rewards for outcome in trained],
        "terms": [{name: _finite(values) for name, values in outcome.terms.items()} for outcome in trained],
        "episode_length": [_finite(outcome.episode_length) for outcome in trained],
        "faults": faults,
        "warnings": list(found.verdict.warnings),
        "policies": [str(folder) for folder in found.policies],
        "unsafe": found.unsafe,
    }


def _finite(values: tuple[float, ...]) -> list[float | None]:
    return [value if math.isfinite(value) else None for value in values]


def _text(found: Evaluation, location: str) -> str:
    from reward_agent.cli.board import count
    from reward_agent.cli.results import scores
    from reward_agent.cli.view import fault
    from reward_agent.program import Fault

    trained, scored = count(len(found.seeds), "training"), count(found.episodes, "episode")
    each = f", {scored} each" if found.metrics else ""
    lines = [f"{location}: {found.budget:,} steps, {trained}{each}, by {found.choice}"]
    counted = ", and counts as doing nothing" if found.metrics else ""
    failed = [outcome for outcome in found.outcomes if isinstance(outcome, Fault)]
    courses = [_course(outcome) for outcome in found.outcomes if not isinstance(outcome, Fault)]
    lines += scores({"this reward": found.metrics, **found.floors}) if found.floors else _unscored(courses)
    lines += [f"  one training failed{counted}: {fault(outcome)}" for outcome in failed]
    for index, factor in enumerate(found.real_time_factors):
        seed = f"seed {index}: " if len(found.seeds) > 1 else ""
        lines += [f"  {seed}planned at {factor:.2g} times real time"] if factor is not None else []
    lines += [f"  {folder}" for folder in found.policies]
    lines += ["  UNSAFE: it ran without the sandbox"] if found.unsafe else []
    return "\n".join(lines)


def _unscored(courses: list[str]) -> list[str]:
    """What stands in place of scores where the task has no metric."""
    told = "  no metric scores what is done in this task. From start to end, means a step:"
    return [told, *(f"  {course}" for course in courses)] if courses else []


def _course(outcome: Outcome) -> str:
    """Terms and episode length, first and last."""
    from reward_agent.cli.board import number

    courses = {**outcome.terms, "episode length": outcome.episode_length}
    known = {name: [value for value in values if math.isfinite(value)] for name, values in courses.items()}
    return ", ".join(f"{name} {number(values[0])} to {number(values[-1])}" for name, values in known.items() if values)
