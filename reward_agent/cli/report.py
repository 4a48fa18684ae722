"""`reward-agent report`: a run or a sweep in one HTML file that needs nothing else."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import RUNS, find, natural
from reward_agent.errors import UsageError

if TYPE_CHECKING:
    from reward_agent.report.of_run import Report

HELP = "tell a run or a sweep in one HTML file: programs, curves, videos, judgements, scores, cost"
SWEEP = "sweep.json"


def add_arguments(parser: ArgumentParser) -> None:
    from reward_agent.report import MEGABYTES

    add = parser.add_argument
    what = f"a run's or a sweep's folder, its name in {RUNS}/, or `last` for the newest run"
    add("name", metavar="RUN|SWEEP", help=what)
    add("-o", "--output", type=Path, metavar="FILE", help="where it goes (report.html in the folder)")
    what = "which clips go into it: `all`, the `best` of each round, or `none` (best)"
    add("--videos", default="best", choices=("all", "best", "none"), metavar="WHICH", help=what)
    what = f"of clips that the file may hold ({MEGABYTES})"
    add("--megabytes", type=natural, default=MEGABYTES, metavar="N", help=what)
    add("--each", action="store_true", help="with a sweep: write the reports of its runs as well, each into its folder")


def run(args: Namespace) -> Answer:
    from reward_agent.report.of_run import report_run
    from reward_agent.report.of_sweep import report_sweep

    sweep = next((path for path in (Path(args.name), RUNS / args.name) if (path / SWEEP).is_file()), None)
    if sweep is None:
        if args.each:
            raise UsageError(f"--each is for sweeps, and {args.name} is none. Leave it out.")
        return _answer(report_run(find(args.name), args.output, args.videos, args.megabytes))
    made = report_sweep(sweep, args.output, each=args.each, videos=args.videos, megabytes=args.megabytes)
    value = {"report": made.path, "bytes": made.bytes, "jobs": made.jobs, "done": made.done, "reports": made.reports}
    reports = f", and {len(made.reports)} reports of its runs" if made.reports else ""
    return Answer(value, f"{made.path}: {made.done} of {made.jobs} jobs done, {_size(made.bytes)}{reports}")


def _answer(made: Report) -> Answer:
    from reward_agent.cli.board import count

    value = {
        "report": made.path,
        "bytes": made.bytes,
        "state": made.state,
        "videos": made.videos,
        "left_out": made.left_out,
    }
    lines = [f"{made.path}: {_size(made.bytes)}, {count(made.videos, 'video')}"]
    if made.state != "finished":
        stands = {"running": "still at work", "waiting": "waiting for people", "stopped": "stopped before its end"}
        lines.append(f"The run is {stands[made.state]}: the report tells what it did so far.")
    if made.left_out:
        lines.append(
            f"No room for {', '.join(map(str, made.left_out))}: `--megabytes N` makes more, `--videos none` needs none."
        )
    return Answer(value, "\n".join(lines))


def _size(number: int) -> str:
    return f"{number / 1e6:.1f} MB" if number >= 100_000 else f"{number / 1e3:.0f} kB"
