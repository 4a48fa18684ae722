"""What `reward-agent doctor --world NAME` does: which tasks that means, and what their checks say."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reward_agent.cli.answer import Answer
from reward_agent.errors import MissingComponentError, UsageError, unknown_name

if TYPE_CHECKING:
    from reward_agent.conformance import Report
    from reward_agent.task import Task

SIGNS = {"passed": "ok", "weaker": "weaker", "warning": "warning", "failed": "FAILED"}


@dataclass(frozen=True)
class Chosen:
    """The tasks to check."""

    tasks: tuple[Task, ...]
    of: int
    """Tasks that the name stands for."""
    unready: tuple[str, ...] = ()
    """What this machine cannot run of them, and why."""


def examine(name: str, *, every: bool) -> Answer:
    """Check what `name` stands for.

    Raises:
        UsageError: it stands for nothing, with the closest name that does; or a file of tasks fails.
        MissingComponentError: this machine can run none of it.
    """
    from reward_agent.conformance import conform

    chosen = choose(name, every=every)
    reports = []
    for task in chosen.tasks:
        print(f"checking {task.id}", file=sys.stderr, flush=True)
        reports.append(conform(task))
    ok = all(report.ok for report in reports)
    value = {
        "name": name,
        "ok": ok,
        "of": chosen.of,
        "unready": list(chosen.unready),
        "tasks": [report.to_json() for report in reports],
    }
    return Answer(value, "\n".join(_lines(name, chosen, reports)), exit_code=0 if ok else 1)


def choose(name: str, *, every: bool) -> Chosen:
    """The task of this name; of a world every task that can run here, or one of each of its environments."""
    from reward_agent.conformance import sample
    from reward_agent.envs.registry import find_task, tasks, worlds

    known = worlds()
    if name not in known:
        shipped = tasks()
        short = [task_id.partition("/")[2] for task_id in shipped]
        if ".py" not in name and name not in shipped and short.count(name) != 1:
            raise unknown_name(
                "world or task", name, [*known, *shipped], hint="A file of yours: `path/to/file.py:task`."
            )
        task = find_task(name)
        missing = task.world.missing()
        if missing is not None:
            raise MissingComponentError(f"{task.id} cannot be checked here: {missing}")
        return Chosen((task,), 1)
    cards, missing = known[name].tasks(), known[name].missing()
    if missing is not None:
        raise MissingComponentError(f"The world {name} cannot be checked here: {missing}")
    if not cards:
        raise UsageError(f"The world {name} has no tasks of its own. Name one of yours: `path/to/file.py:task`.")
    lacking = {task_id: task.world.missing() for task_id, task in cards.items()}
    ready = [task for task_id, task in cards.items() if lacking[task_id] is None]
    unready = tuple(f"{task_id}: {why}" for task_id, why in lacking.items() if why is not None)
    if not ready:
        raise MissingComponentError(f"No task of the world {name} can be checked here. {unready[0]}")
    return Chosen(tuple(ready if every else sample(ready)), len(cards), unready)


def _lines(name: str, chosen: Chosen, reports: list[Report]) -> Iterator[str]:
    """A task a line with what it did not pass; all of it where there is only one."""
    for report in reports:
        verdict = "conforms" if report.ok else "DOES NOT CONFORM"
        closely = "" if report.closely else ", its schema by the weaker checks alone"
        yield f"{report.task}  {verdict}{closely}  ({report.seconds:.1f} s)"
        for finding in report.findings:
            if len(reports) == 1 or finding.level not in ("passed", "weaker"):
                yield f"    {finding.check:10} {SIGNS[finding.level]:8} {finding.text}"
    if chosen.of == 1:
        return
    for why in chosen.unready:
        yield f"not checked: {why}"
    good = sum(report.ok for report in reports)
    told = f"{name}: {good} of {len(reports)} tasks that were checked conform"
    left = chosen.of - len(reports) - len(chosen.unready)
    if left:
        told += f"; {left} more are set in the same environments, or left out of the sample: --all checks every one"
    yield f"{told}."
