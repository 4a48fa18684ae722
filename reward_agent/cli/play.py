"""`reward-agent play`: score a run's best policy again, or watch it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import add_run, find, positive

HELP = "score a run's best policy on fresh episodes, or render a clip of it"


def add_arguments(parser: ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("--episodes", type=positive, default=20, metavar="N", help="how many to score (20)")
    parser.add_argument("--video", type=Path, metavar="FILE.mp4", help="render one episode instead of scoring")
    parser.add_argument(
        "--seed", type=int, metavar="S", help="of the rendered episode; the report's first unless given"
    )


def run(args: Namespace) -> Answer:
    from reward_agent.envs.registry import find_task
    from reward_agent.evaluate import SeedPlan, evaluate, record_video
    from reward_agent.optimise.policy import load_policy
    from reward_agent.store import read_manifest

    folder = find(args.name)
    manifest = read_manifest(folder)
    task, policy = find_task(manifest.task), load_policy(folder / "best")
    seeds = SeedPlan.report_seeds(int(manifest.config["seed"]), args.episodes)
    if args.video is not None:
        record_video(task, policy, int(seeds[0]) if args.seed is None else args.seed, args.video)
        return Answer({"video": str(args.video)}, f"{args.video} shows one episode of {manifest.id}.")
    scores = evaluate(task, [(0, policy)], seeds)
    intervals = scores.intervals()
    value = {
        "run": manifest.id,
        "task": task.id,
        "episodes": args.episodes,
        "metrics": {name: interval._asdict() for name, interval in intervals.items()},
    }
    lines = [f"{manifest.id}, {args.episodes} report episodes of {task.id}:"]
    lines += [f"  {name}: {i.mean:.4g} (95 % interval {i.low:.4g} to {i.high:.4g})" for name, i in intervals.items()]
    return Answer(value, "\n".join(lines))
