"""What a sweep is told of before it starts: jobs, what is new or gone, what it takes; and what each job is."""

from __future__ import annotations

from typing import Any

from reward_agent.sweep.conduct import Agenda
from reward_agent.sweep.estimate import Estimate
from reward_agent.sweep.jobs import Job
from reward_agent.sweep.session import Sweep
from reward_agent.wording import cost, count, duration


def opening(sweep: Sweep, takes: Estimate) -> str:
    """Some lines for a person: how many jobs, what is left of them, and what that takes."""
    spec, jobs, left, change = sweep.spec, sweep.jobs, sweep.left, sweep.change
    lines = [f"{spec.name}: {count(len(jobs), 'job')} in {sweep.folder}, {len(left.todo)} to do"]
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
    lasting = f", about {duration(takes.seconds)} on {count(takes.cores, 'core')}" if takes.seconds else ""
    lines.append(f"  steps      {takes.steps:,} in {count(takes.trainings, 'training')}{lasting}")
    price = "price not known" if takes.usd is None else f"about ${takes.usd:.2f}"
    asked = f"about {count(takes.requests, 'reply')}"
    if takes.paid:
        asked += f", {takes.paid:,} of them paid for: {cost(takes.tokens, 0)}, {price}"
    lines.append(f"  models     {asked if takes.requests else 'none is asked'}")
    limits = {"tokens": spec.budget.tokens, "US$": spec.budget.usd}
    told_limits = [f"{amount:,} {what}" for what, amount in limits.items() if amount is not None]
    lines += [f"  budget     {' and '.join(told_limits)} over the whole sweep"] if told_limits else []
    return "\n".join(lines)


def listing(sweep: Sweep) -> list[str]:
    """A line a job."""
    return ["", *(f"  {_state(job, sweep.left):8} {job}" for job in sweep.jobs), "", "Nothing was run."]


def described(job: Job, left: Agenda) -> dict[str, Any]:
    """A job as plain data."""
    plain = {"id": job.id, "task": job.task, "reward": job.label, "seed": job.seed, "folder": job.folder}
    return plain | {"state": _state(job, left)}


def _state(job: Job, left: Agenda) -> str:
    return "done" if job in left.done else "failed" if job in left.failed else "to do"
