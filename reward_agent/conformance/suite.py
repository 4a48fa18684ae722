"""All checks by name, and what they say of a task together."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reward_agent.conformance.actions import actions
from reward_agent.conformance.endings import endings
from reward_agent.conformance.finding import Finding, failed
from reward_agent.conformance.fresh import fresh
from reward_agent.conformance.leaks import expert, leaks
from reward_agent.conformance.metrics import metrics
from reward_agent.conformance.motion import motion
from reward_agent.conformance.prompts import prompts
from reward_agent.conformance.saving import saving
from reward_agent.conformance.secrets import secrets
from reward_agent.conformance.seeds import seeds, threads
from reward_agent.conformance.selection import selection
from reward_agent.conformance.speed import speed
from reward_agent.conformance.subject import Subject
from reward_agent.conformance.truth import truth
from reward_agent.conformance.values import values
from reward_agent.errors import MissingComponentError
from reward_agent.task import Task

Check = Callable[[Subject], Iterator[Finding]]

CHECKS: Mapping[str, Check] = {
    "prompts": prompts,
    "truth": truth,
    "values": values,
    "motion": motion,
    "seeds": seeds,
    "threads": threads,
    "selection": selection,
    "saving": saving,
    "fresh": fresh,
    "actions": actions,
    "endings": endings,
    "metrics": metrics,
    "leaks": leaks,
    "secrets": secrets,
    "expert": expert,
    "speed": speed,
}
"""In the order they are told."""
PLAYS_TWICE = ("threads", "selection", "saving", "fresh", "actions")
"""These compare an episode with itself played again, which means something only where `seeds` found no fault."""


@dataclass(frozen=True)
class Report:
    """What the checks said of one task."""

    task: str
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        return not any(finding.level == "failed" for finding in self.findings)

    @property
    def closely(self) -> bool:
        """Whether the schema was held against the simulator itself: the world has a witness."""
        return not any(finding.check == "truth" and finding.level == "weaker" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        return {
            "task": self.task,
            "ok": self.ok,
            "closely": self.closely,
            "seconds": round(self.seconds, 2),
            "findings": [finding.to_json() for finding in self.findings],
        }


def conform(task: Task, *, checks: Iterable[str] = CHECKS, seed: int = 0, steps: int = 120) -> Report:
    """Check a task and its world.

    Args:
        task: of any world, one of a user's own as well.
        checks: names of `CHECKS`.
        seed: of actions and episodes.
        steps: that each of three rows is led through.

    Raises:
        MissingComponentError: this machine cannot run the world.
    """
    missing = task.world.missing()
    if missing is not None:
        raise MissingComponentError(f"The world of {task.id} cannot be checked here: {missing}")
    begun, subject = time.perf_counter(), Subject(task, seed=seed, steps=steps)
    findings: list[Finding] = []
    for name in checks:
        if name in PLAYS_TWICE and any(found.check == "seeds" and found.level == "failed" for found in findings):
            what = "Not looked at: it plays an episode twice, and `seeds` says that it then is another."
            findings.append(Finding(name, "weaker", what))
        else:
            findings += run(name, subject)
    return Report(task.id, tuple(findings), time.perf_counter() - begun)


def run(name: str, subject: Subject) -> list[Finding]:
    """One check; what it raises is a finding too, for the world's code raised it."""
    try:
        return list(CHECKS[name](subject))
    except MissingComponentError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        here = str(Path(__file__).parent)
        outside = [frame for frame in frames if not frame.filename.startswith(here)] or frames
        where = f"{outside[-1].filename}, line {outside[-1].lineno}, in {outside[-1].name}"
        return [
            failed(
                name,
                f"The check could not be made: {type(error).__name__}: {' '.join(str(error).split())} ({where}).",
                contract="A world makes any number of environments, with any selection of its fields, and steps them.",
                change="From Python, `from reward_agent.conformance import CHECKS, Subject` and "
                f"`list(CHECKS[{name!r}](Subject(task)))` raise it with its traceback.",
            )
        ]


def sample(tasks: Iterable[Task], at_most: int = 12) -> list[Task]:
    """Tasks that are worth checking where all would take long: one of each environment that is set up differently.

    Where there are more than `at_most` of these, as many as that, spread evenly over their order.
    """
    distinct: dict[str, Task] = {}
    for task in tasks:
        distinct.setdefault(repr(task.world), task)
    found: Sequence[Task] = list(distinct.values())
    if len(found) <= at_most:
        return list(found)
    return [found[int(at)] for at in np.linspace(0, len(found) - 1, at_most).round()]
