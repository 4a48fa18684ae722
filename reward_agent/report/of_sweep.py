"""The report of a sweep: its table, its learning curves, and its runs, with links to their own reports."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from urllib.parse import quote as in_address

from markupsafe import Markup

from reward_agent.drawing import Series, line_chart
from reward_agent.errors import UsageError
from reward_agent.files import write_atomically, writing
from reward_agent.invocation import command
from reward_agent.report import MEGABYTES
from reward_agent.report.of_run import REPORT, report_run
from reward_agent.report.page import render
from reward_agent.store import MANIFEST
from reward_agent.sweep.components import require_all
from reward_agent.sweep.curves import mean_curve
from reward_agent.sweep.finished import Finished
from reward_agent.sweep.folder import Manifest, jobs_of, read_sweep, status, unended
from reward_agent.sweep.groups import gather, merged
from reward_agent.sweep.jobs import Job
from reward_agent.sweep.rows import make_rows
from reward_agent.sweep.table import LEGEND, NUMBERS, make_table


@dataclass(frozen=True)
class Line:
    """One job in the list."""

    job: Job
    folder: Path
    state: str
    told: str
    """Why it has no result, where that is known."""
    link: str
    """To the report of its run, relative to the file; empty where there is none."""


@dataclass(frozen=True)
class SweepReport:
    path: Path
    bytes: int
    jobs: int
    done: int
    reports: tuple[Path, ...]
    """Of its runs, that were written with it."""


def report_sweep(
    folder: Path, to: Path | None = None, *, each: bool = False, videos: str = "best", megabytes: int = MEGABYTES
) -> SweepReport:
    """Write the report of the sweep in `folder`, by default into it; over one that is there.

    Args:
        folder: of the sweep, which may go on meanwhile.
        to: the file to write.
        each: write the reports of its runs as well, each into its own folder.
        videos, megabytes: of these; see `report_run`.

    Raises:
        UsageError: no sweep is there, or a file of it is damaged.
        MissingComponentError: what sweeps need is not installed.
        RewardAgentError: the file cannot be written.
    """
    manifest = read_sweep(folder)
    if manifest is None:
        raise UsageError(f"{folder} is no sweep: it holds no sweep.json. `{command()} sweep FILE` starts one.")
    require_all()
    jobs, path = jobs_of(manifest), to or folder / REPORT
    begun = [folder / job.folder for job in jobs if (folder / job.folder / MANIFEST).is_file()]
    written = tuple(report_run(run, videos=videos, megabytes=megabytes).path for run in begun if each)
    content = _page(folder, manifest, jobs, path).encode()
    with writing(path):
        write_atomically(path, content)
    done = sum(status(folder, job) in ("done", "short") for job in jobs)
    return SweepReport(path, len(content), len(jobs), done, written)


def _page(folder: Path, manifest: Manifest, jobs: Sequence[Job], to: Path) -> str:
    groups = gather(folder, jobs)
    rows = make_rows(groups)
    lines = [_line(folder, job, to) for job in jobs]
    return render(
        "sweep.html.jinja",
        sweep=manifest,
        folder=folder,
        table=make_table(rows),
        legend=LEGEND,
        numbers=NUMBERS,
        charts=list(_charts(merged(list(groups.values())).finished)),
        lines=lines,
        done=sum(line.state in ("done", "short") for line in lines),
        goes_on=f"{command()} sweep {quote(manifest.file)}",
        report=f"{command()} report {quote(str(folder))} --each",
    )


def _line(folder: Path, job: Job, to: Path) -> Line:
    run, end = folder / job.folder, unended(folder, job)
    report = run / REPORT
    link = ""
    if report.is_file():
        relative = os.path.relpath(report.resolve(), to.resolve().parent)
        link = in_address(Path(relative).as_posix())
    state = end.state if end and status(folder, job) != "failed" else status(folder, job)
    return Line(job, run, state, end.told if end else "", link)


def _charts(finished: Sequence[Finished]) -> Iterator[Markup]:
    """A figure a task: each training faint, and the mean of a label's over them."""
    drawn = [each for each in finished if any(len(curve.steps) > 1 for curve in each.curves)]
    labels = list(dict.fromkeys(each.job.label for each in drawn))
    for task in dict.fromkeys(each.job.task for each in drawn):
        own = [each for each in drawn if each.job.task == task]
        series = []
        for label in dict.fromkeys(each.job.label for each in own):
            colour = labels.index(label)
            curves = [curve for each in own if each.job.label == label for curve in each.curves]
            if len(curves) > 1:
                series += [Series(label, curve.steps, curve.values, colour=colour, faint=True) for curve in curves]
            series.append(Series(label, *mean_curve([(c.steps, c.values) for c in curves]), colour=colour))
        yield line_chart(task, series, x_label="environment steps", y_label=own[0].judged.metric, wide=True)
