"""What a sweep is told of before it starts: jobs, what is new or gone, what it takes; and what each job is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reward_agent.sweep.conduct import Agenda
from reward_agent.sweep.estimate import Estimate
from reward_agent.sweep.folder import Change
from reward_agent.sweep.jobs import Job
from reward_agent.sweep.spec import Spec
from reward_agent.wording import cost, count, duration


def opening(spec: Spec, folder: Path, jobs: Sequence[Job], left: Agenda, change: Change, told: Estimate) -> str:
    """Some lines for a person: how many jobs, what is left of them, and what that takes."""
    lines = [f"{spec.name}: {count(len(jobs), 'job')} in {folder}, {len(left.todo)} to do"]
    lines[0] += f", {len(left.done)} done" if left.done else ""
    lines[0] += f", {len(left.failed)} failed before (left alone)" if left.failed else ""
    if change.added and len(change.added) < len(jobs):
        lines.append(f"  new        {count(len(change.added), 'job')} that the sweep did not have before")
    if change.dropped:
        lines.append(
            f"  dropped    {count(len(change.dropped), 'job')}, no longer in the file: out of the table, still on disk"
        )
    if not left.todo:
        return "\n".join(lines)
    lasting = f", about {duration(told.seconds)} on {count(told.cores, 'core')}" if told.seconds else ""
    lines.append(f"  steps      {told.steps:,} in {count(told.trainings, 'training')}{lasting}")
    price = "price not known" if told.usd is None else f"about ${told.usd:.2f}"
    asked = f"about {count(told.requests, 'reply')}"
    if told.paid:
        asked += f", {told.paid:,} of them paid for: {cost(told.tokens, 0)}, {price}"
    lines.append(f"  models     {asked if told.requests else 'none is asked'}")
    limits = {"tokens": spec.budget.tokens, "US$": spec.budget.usd}
    told_limits = [f"{amount:,} {what}" for what, amount in limits.items() if amount is not None]
    lines += [f"  budget     {' and '.join(told_limits)} over the whole sweep"] if told_limits else []
    return "\n".join(lines)


def listing(jobs: Sequence[Job], left: Agenda) -> list[str]:
    """A line a job."""
    return ["", *(f"  {_state(job, left):8} {job}" for job in jobs), "", "Nothing was run."]


def described(job: Job, left: Agenda) -> dict[str, Any]:
    """A job as plain data."""
    plain = {"id": job.id, "task": job.task, "reward": job.label, "seed": job.seed, "folder": job.folder}
    return plain | {"state": _state(job, left)}


def changed(change: Change, folder: Path) -> str:
    """Why a sweep whose file lost jobs does not just go on, and what can be done."""
    some = ", ".join(f"{kept.task} {kept.label} seed {kept.seed}" for kept in change.dropped[:4])
    some += ", …" if len(change.dropped) > 4 else ""
    differ = f" They differ from those in the file now in {'; '.join(change.told)}." if change.told else ""
    return (
        f"The sweep in {folder} had {count(len(change.dropped), 'job')} that the file no longer asks for ({some})."
        f"{differ} Put them back, give the changed sweep a `name:` of its own, or go on without them with `--drop`: "
        "what they did stays on disk, and what the file adds is run."
    )


def _state(job: Job, left: Agenda) -> str:
    return "done" if job in left.done else "failed" if job in left.failed else "to do"
