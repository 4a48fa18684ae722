"""A sweep as it happens: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reward_agent.history import Interval
from reward_agent.sweep.conduct import Agenda, Began, Ended, Moved, SweepEvent
from reward_agent.sweep.estimate import Estimate
from reward_agent.sweep.jobs import Job
from reward_agent.sweep.standing import Standing
from reward_agent.sweep.table import NUMBERS, Table
from reward_agent.wording import cost, count, duration, interval

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table as RichTable

EVERY = 30.0
"""Seconds between two plain lines on how far the whole is."""
ENDED = {
    "done": "done",
    "failed": "FAILED",
    "waiting": "waits for a person",
    "unpaid": "not paid for",
    "stopped": "stopped",
}


class Overview:
    """Where a sweep stands, from its events alone."""

    def __init__(self, jobs: int, left: Agenda, estimate: Estimate) -> None:
        self.jobs, self.estimate = jobs, estimate
        self.counts = {"done": len(left.done), "failed": len(left.failed)}
        self.running: dict[str, tuple[Job, Standing]] = {}
        """By the job's id."""
        self._steps = self._tokens = 0
        self._usd = 0.0

    def take(self, event: SweepEvent) -> None:
        match event:
            case Began(job=job):
                self.running[job.id] = job, Standing("starts")
            case Moved(job=job, standing=standing):
                self.running[job.id] = job, standing
            case Ended(job=job, end=end):
                last = self.standing(job)
                self.running.pop(job.id, None)
                self.counts[end.state] = self.counts.get(end.state, 0) + 1
                self._steps += last.steps
                self._tokens, self._usd = self._tokens + last.tokens, self._usd + last.usd

    def standing(self, job: Job) -> Standing:
        """The latest of a job under way."""
        return self.running.get(job.id, (job, Standing()))[1]

    @property
    def steps(self) -> int:
        """Trained since the sweep was started, or taken from what was done of its jobs before."""
        return self._steps + sum(at.steps for _, at in self.running.values())

    def caption(self) -> str:
        """Jobs by state, steps, cost and time left, in a line."""
        waiting = self.jobs - sum(self.counts.values()) - len(self.running)
        counted = {**self.counts, "running": len(self.running), "to do": waiting}
        told = [f"{number} {ENDED.get(state, state)}" for state, number in counted.items() if number]
        rate = sum(at.steps_per_second for _, at in self.running.values() if at.steps_per_second > 0)
        left = max(self.estimate.steps - self.steps, 0) / rate if rate else math.nan
        told.append(f"{self.steps:,} of {self.estimate.steps:,} steps" + (f" at {rate:,.0f}/s" if rate else ""))
        tokens = self._tokens + sum(at.tokens for _, at in self.running.values())
        usd = self._usd + sum(at.usd for _, at in self.running.values())
        told += [cost(tokens, usd)] if tokens else []
        told += [f"about {duration(left)} left"] if duration(left) else []
        return f"{count(self.jobs, 'job')}: {', '.join(told)}"


class Lines:
    """A line as a job begins and ends, and now and then one on the whole."""

    def __init__(self, overview: Overview, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic):
        self._overview, self._write, self._clock = overview, write, clock
        self._next = clock() + EVERY
        self._noted: set[str] = set()

    def __call__(self, event: SweepEvent) -> None:
        score = self._overview.standing(event.job).score
        self._overview.take(event)
        if text := line(event, score, self._noted):
            self._write(text)
        if self._clock() >= self._next:
            self._next = self._clock() + EVERY
            self._write(self._overview.caption())


@contextmanager
def following(jobs: int, left: Agenda, estimate: Estimate) -> Iterator[Callable[[SweepEvent], None]]:
    """The view that suits standard output."""
    from rich.console import Console

    console, overview = Console(), Overview(jobs, left, estimate)
    if not console.is_terminal:
        began = time.monotonic()
        yield Lines(overview, lambda text: print(f"{time.monotonic() - began:7.0f} s  {text}", flush=True))
        return
    from rich.live import Live

    noted: set[str] = set()

    def take(event: SweepEvent) -> None:
        score = overview.standing(event.job).score
        overview.take(event)
        if text := line(event, score, noted):
            console.print(text, markup=False, highlight=False, soft_wrap=True)

    with Live(console=console, refresh_per_second=4, get_renderable=lambda: live_table(overview)):
        yield take


def line(event: SweepEvent, score: tuple[str, Interval] | None, noted: set[str]) -> str:
    """An event in one line; empty where none need be said.

    Args:
        event: what happened.
        score: the job's latest.
        noted: what has been told of other jobs, which is told once; added to.
    """
    match event:
        case Began(job=job):
            return f"{job}: begins"
        case Moved(job=job, standing=Standing(note=note)) if note and note not in noted:
            noted.add(note)
            return f"{job}: {note}"
        case Ended(job=job, end=end):
            last = f", {score[0]} {interval(score[1])} on the select seeds" if score and end.state == "done" else ""
            return f"{job}: {ENDED[end.state]}{last}{f'. {end.told}' if end.told else ''}"
    return ""


def live_table(overview: Overview) -> RichTable:
    """A row a job under way."""
    from rich.table import Table as RichTable

    shown = RichTable(
        box=None,
        pad_edge=False,
        header_style="bold",
        caption=overview.caption(),
        caption_justify="left",
        show_header=bool(overview.running),
    )
    for heading in ("task", "reward", "seed", "stage", "steps", "steps/s", "score"):
        shown.add_column(heading, justify="right" if heading in ("seed", "steps", "steps/s") else "left")
    for job, at in overview.running.values():
        rate = f"{at.steps_per_second:,.0f}" if at.steps_per_second > 0 else ""
        score = f"{at.score[0]} {interval(at.score[1])}" if at.score else ""
        shown.add_row(job.task, job.label, str(job.seed), at.stage, f"{at.steps:,}", rate, score)
    return shown


def drawn(table: Table, below: Sequence[str]) -> Group:
    """The sweep's table on a terminal, with its notes."""
    from rich.console import Group
    from rich.table import Table as RichTable
    from rich.text import Text

    from reward_agent.sweep.table import LEGEND

    shown = RichTable(box=None, pad_edge=False, header_style="bold")
    for heading in table.headings:
        shown.add_column(heading, justify="right" if heading in NUMBERS else "left")
    for each in table.lines:
        shown.add_row(*map(Text, each))
    return Group("", shown, "", *(Text(text) for text in (*table.notes, LEGEND, *below)))
