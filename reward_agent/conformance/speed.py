"""How fast does the world step? Told, never judged."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from reward_agent.conformance.finding import Finding, passed
from reward_agent.conformance.subject import Subject
from reward_agent.conformance.tracing import write_script

NAME = "speed"
SECONDS = 0.5
STEPS = 200
WARM = 3
"""Steps before the clock runs."""


def speed(subject: Subject) -> Iterator[Finding]:
    """Steps a second of all rows together, every visible field packed, as many rows as the world finds worth it."""
    world = subject.task.world
    rows = world.parallel_envs
    scripts = [write_script(subject.schema.action, row, STEPS + WARM, STEPS) for row in range(rows)]
    actions = np.stack([script.actions for script in scripts], axis=1)
    seeds = np.arange(rows)
    with subject.batch(rows, subject.schema.select(subject.visible)) as batch:
        batch.reset(np.ones(rows, bool), seeds)
        taken, begun = 0, time.perf_counter()
        for number, action in enumerate(actions):
            if number == WARM:
                taken, begun = 0, time.perf_counter()
            step = batch.step(action)
            batch.reset(step.terminated | step.truncated, seeds)
            taken += 1
            if number > WARM and time.perf_counter() - begun > SECONDS:
                break
        rate = rows * taken / (time.perf_counter() - begun)
    yield passed(
        NAME,
        f"{rate:,.0f} steps a second with {rows} environments on one thread, {len(subject.visible)} fields packed and "
        "random actions, resets included; on this machine as busy as it is.",
    )
