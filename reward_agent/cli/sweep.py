"""`reward-agent sweep`: tasks by methods by models by seeds out of one file, as runs side by side."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import RUNS, positive
from reward_agent.errors import NoResultError, UsageError, WaitingForPersonError
from reward_agent.invocation import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reward_agent.sweep.jobs import Job
    from reward_agent.sweep.rows import Row
    from reward_agent.sweep.work import End

HELP = "run every combination that a file names, side by side, and compare what came out"


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("file", metavar="FILE", type=Path, help="what to run, as YAML (docs/sweeps.md)")
    add("--dry-run", action="store_true", help="check all of it and say what it would take; run nothing")
    add("--table", action="store_true", help="only show what is done so far, also while it runs")
    add("--retry-failed", action="store_true", help="try jobs again that failed before")
    what = (
        "go on though jobs that the sweep had are no longer in the file; what they did stays on disk, out of the table"
    )
    add("--drop", action="store_true", help=what)
    add("--jobs", type=positive, metavar="J", help="cores to use, and so runs side by side; all there are unless given")
    add("--out", type=Path, default=RUNS, metavar="DIR", help=f"where the sweep's folder goes ({RUNS}/)")
    what = "do not train for some seconds on each task to say how long it will take"
    add("--no-measure", dest="measure", action="store_false", help=what)
    add("--yes", action="store_true", help="ask nothing: start at once")


def run(args: Namespace) -> Answer:
    from reward_agent.cli import sweep_words as words
    from reward_agent.cli.running import confirm
    from reward_agent.cli.sweep_view import following
    from reward_agent.sweep.estimate import estimate
    from reward_agent.sweep.executor import LocalExecutor
    from reward_agent.sweep.session import prepare_sweep, run_sweep

    again = _again(args)
    if args.table:
        return _table(args, again)
    sweep = prepare_sweep(args.file, args.out, retry_failed=args.retry_failed, drop=args.drop, again=again)
    executor = LocalExecutor(args.jobs, sweep.folder / "logs")
    takes = estimate(sweep.left.todo, executor.cores, (sweep.folder, args.out), measure=args.measure)
    text = words.opening(sweep, takes)
    if args.dry_run:
        value = {"sweep": sweep.spec.name, "folder": str(sweep.folder), "dry_run": True, "estimate": takes.to_json()}
        listed = [words.described(job, sweep.left) for job in sweep.jobs]
        return Answer(value | {"jobs": listed}, "\n".join([text, *words.listing(sweep)]))
    print(text, flush=True)
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not (args.yes or args.json)
    if sweep.left.todo and asks and not confirm("Start?"):
        return Answer({"started": False}, "Nothing was started.")
    with following(len(sweep.jobs), sweep.left, takes) as view:
        run_sweep(sweep, executor, view)
    return _answer(sweep.folder, sweep.jobs, again)


def _table(args: Namespace, again: str) -> Answer:
    """Of what there is, also while another process works on it."""
    from reward_agent.sweep.components import require_all
    from reward_agent.sweep.folder import jobs_of, read_sweep
    from reward_agent.sweep.spec import read_spec

    require_all()
    folder = args.out / read_spec(args.file).name
    started = read_sweep(folder)
    if started is None:
        raise UsageError(f"There is nothing to show yet: no sweep was started in {folder}. `{command()} {again}` does.")
    return replace(_answer(folder, jobs_of(started), again), exit_code=0)


def _answer(folder: Path, jobs: Sequence[Job], again: str) -> Answer:
    """The table of what there is, written into the sweep's folder as well, and how the jobs ended."""
    from reward_agent.sweep.folder import unended
    from reward_agent.sweep.report import write_report
    from reward_agent.sweep.table import to_records

    rows, files = write_report(folder, jobs)
    ends = [(job, end) for job in jobs if (end := unended(folder, job)) is not None]
    failed = [(job, end) for job, end in ends if end.state == "failed"]
    left = [(job, end) for job, end in ends if end.state != "failed"]
    value: dict[str, Any] = {"sweep": folder.name, "folder": str(folder), "rows": to_records(rows)}
    value["failed"] = [_ended(folder, job, end) for job, end in failed]
    value["waiting"] = [_ended(folder, job, end) for job, end in left]
    value["files"] = [str(path) for path in files]
    unpaid = any(end.state == "unpaid" for _, end in left)
    code = 1 if failed or unpaid else WaitingForPersonError.exit_code if left else 0
    below = [f"{job}: failed. {end.told}" for job, end in failed]
    below += [f"{job}: {end.told}" for job, end in left]
    if any(end.kind != NoResultError.__name__ for _, end in failed):
        below.append(f"`{command()} {again} --retry-failed` tries what failed again.")
    if left:
        below.append(f"`{command()} {again}` goes on with what waits.")
    return Answer(value, _shown(rows, [*below, *(str(path) for path in files)]), exit_code=code)


def _shown(rows: Sequence[Row], below: Sequence[str]) -> object:
    """As a drawn table on a terminal, else as Markdown, which is as readable and goes into any file."""
    from reward_agent.cli.sweep_view import drawn
    from reward_agent.sweep.table import make_table, to_markdown

    if not rows:
        return "\n".join(below) or "Nothing to show."
    table = make_table(rows)
    if sys.stdout.isatty():
        return drawn(table, below)
    return "\n" + "\n".join([to_markdown(table), *below])


def _ended(folder: Path, job: Job, end: End) -> dict[str, Any]:
    return {
        "id": job.id,
        "task": job.task,
        "reward": job.label,
        "seed": job.seed,
        "folder": str(folder / job.folder),
        "state": end.state,
        "error": end.kind,
        "message": end.message,
    }


def _again(args: Namespace) -> str:
    """The arguments that go on with this sweep."""
    options = [f"--jobs {args.jobs}"] if args.jobs else []
    options += [f"--out {quote(str(args.out))}"] if args.out != RUNS else []
    return " ".join(["sweep", quote(str(args.file)), *options])
