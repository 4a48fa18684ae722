"""`reward-agent play`: score a run's best policy again, or watch it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import add_run, find, natural, positive
from reward_agent.errors import UsageError
from reward_agent.invocation import command

HELP = "score a run's best policy on fresh episodes, or render a clip of it"


def add_arguments(parser: ArgumentParser) -> None:
    add_run(parser)
    parser.add_argument("--episodes", type=positive, default=20, metavar="N", help="how many to score (20)")
    parser.add_argument("--video", type=Path, metavar="FILE.mp4", help="render one episode instead of scoring")
    parser.add_argument(
        "--seed", type=natural, metavar="S", help="of the rendered episode; the report's first unless given"
    )


def run(args: Namespace) -> Answer:
    from reward_agent.codec import decode
    from reward_agent.config import RunConfig
    from reward_agent.envs.registry import find_again
    from reward_agent.optimise.policy import load_policy
    from reward_agent.scoring import SeedPlan, intervals_of, record_video, roll_out
    from reward_agent.store import read_manifest

    folder = find(args.name)
    manifest = read_manifest(folder)
    config: RunConfig = decode(RunConfig, manifest.config)
    instead = (
        "Score it from there: `reward_agent.scoring.roll_out(task, reward_agent.load_policy(result.best), seeds)`."
    )
    task, policy = find_again(manifest.task, instead), load_policy(folder / "best", unsafe=config.unsafe)
    if args.video is not None:
        seed = int(SeedPlan.report_seeds(config.seed, 1)[0]) if args.seed is None else args.seed
        record_video(task, policy, seed, args.video)
        return Answer({"video": str(args.video)}, f"{args.video} shows one episode of {manifest.id}.")
    if not task.metrics:
        raise UsageError(
            f"No metric scores what is done in {task.id}: watch it. `{command()} play {args.name} --video clip.mp4` "
            "renders an episode."
        )
    seeds = SeedPlan.further_seeds(config.seed, config.report_episodes, args.episodes)
    intervals = intervals_of([roll_out(task, policy, seeds)], task.metrics)
    value = {
        "run": manifest.id,
        "task": task.id,
        "episodes": args.episodes,
        "metrics": {name: interval._asdict() for name, interval in intervals.items()},
    }
    lines = [f"{manifest.id}, the kept policy on {args.episodes} fresh episodes of {task.id}:"]
    for name, score in intervals.items():
        within = "" if score.single else f" (95 % interval {score.low:.4g} to {score.high:.4g})"
        lines.append(f"  {name}: {score.mean:.4g}{within}")
    return Answer(value, "\n".join(lines))
