"""What a sweep would take, told before it starts: jobs, steps, hours on this machine, tokens and their cost."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reward_agent.codec import encode, to_line
from reward_agent.envs.registry import find_task
from reward_agent.plan import Plan, known_rate, make_plan, measured_rate
from reward_agent.sweep.jobs import Job


@dataclass(frozen=True)
class Estimate:
    """At most: a run that was begun needs less."""

    jobs: int
    """To do."""
    trainings: int
    steps: int
    seconds: float | None
    """On so many cores; None where the speed of a job is not known."""
    cores: int
    requests: int
    """To models, of which `paid` are neither replayed nor a person's to answer."""
    paid: int
    tokens: int
    """Of what is paid."""
    usd: float | None
    """None where a price is not known."""

    def to_json(self) -> dict[str, Any]:
        plain: dict[str, Any] = encode(self)
        return plain


def estimate(jobs: Sequence[Job], cores: int, roots: Sequence[Path], *, measure: bool = True) -> Estimate:
    """What these jobs would take.

    Args:
        jobs: still to do.
        cores: to share among them.
        roots: folders of runs whose speed may be gone by.
        measure: train for some seconds where no earlier run tells the speed: once for each task and its optimiser.
    """
    rates: dict[str, float | None] = {}
    plans = [_plan(job, rates, roots, measure) for job in jobs]
    paid = [plan for plan in plans if plan.requests and not plan.llm.startswith(("replay:", "manual"))]
    prices = [plan.usd for plan in paid]
    return Estimate(
        jobs=len(jobs),
        trainings=sum(plan.trainings for plan in plans),
        steps=sum(plan.steps for plan in plans),
        seconds=_lasting(zip(jobs, plans, strict=True), cores),
        cores=cores,
        requests=sum(plan.requests for plan in plans),
        paid=sum(plan.requests for plan in paid),
        tokens=sum(plan.tokens for plan in paid),
        usd=None if None in prices else sum(price for price in prices if price is not None),
    )


def _plan(job: Job, rates: dict[str, float | None], roots: Sequence[Path], measure: bool) -> Plan:
    config, task = replace(job.config, jobs=job.config.jobs or 1), find_task(job.config.task)
    key = to_line(encode({"task": config.task, "optimiser": config.optimiser, "settings": config.settings}))
    if key not in rates:
        known = (known_rate(root, config, task) for root in roots)
        rates[key] = next((rate for rate in known if rate), None) or (measured_rate(config, task) if measure else None)
    return make_plan(config, task=task, root=roots[0], measure=False, rate=rates[key])


def _lasting(plans: Iterable[tuple[Job, Plan]], cores: int) -> float | None:
    """Until the last of them ends, each begun as soon as a core is free."""
    free = [0.0] * cores
    for job, plan in plans:
        if plan.seconds is None:
            return None
        taken = [heapq.heappop(free) for _ in range(min(job.config.jobs or cores, cores))]
        for _ in taken:
            heapq.heappush(free, max(taken) + plan.seconds)
    return max(free)
