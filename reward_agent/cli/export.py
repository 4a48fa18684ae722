"""`reward-agent export`: a run's best reward as one file that needs nothing of this package."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import add_run, find

HELP = "write a run's best reward as one file, with its provenance and a Gymnasium wrapper"


def add_arguments(parser: ArgumentParser) -> None:
    add_run(parser)
    what = "where to write it (reward.py)"
    parser.add_argument("-o", "--out", type=Path, default=Path("reward.py"), metavar="FILE", help=what)
    parser.add_argument("--force", action="store_true", help="replace a file that is there already")


def run(args: Namespace) -> Answer:
    from reward_agent.export import export_run

    written = export_run(find(args.name), args.out, force=args.force)
    return Answer({"file": str(written)}, f"{written} needs nothing of this package; its head says how to use it.")
