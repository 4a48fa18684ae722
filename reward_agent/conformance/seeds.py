"""Is an episode determined by its seed and its actions, and by nothing else?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from reward_agent.conformance.finding import Finding, failed, passed, warning
from reward_agent.conformance.subject import Subject
from reward_agent.conformance.tracing import Trace, follow, parting, same, write_script
from reward_agent.errors import RewardAgentError

NAME, THREADS = "seeds", "threads"
CONTRACT = (
    "A row's episode depends on its own seed and its own actions alone; `reset` touches the rows of its mask alone."
)
SEEDS = 4
"""How many of them must not all give the same episode."""


def seeds(subject: Subject) -> Iterator[Finding]:
    """The same scripts give the same traces: again, alone, after others, in other rows and company.

    Different seeds give different episodes, unless the world has a true attribute `deterministic`.
    """
    for tried in (_neighbours, _again, _alone, _elsewhere):
        problem = tried(subject)
        if problem:
            yield failed(NAME, problem[0], contract=CONTRACT, change=problem[1])
            return
    if not _all_alike(subject):
        ways = "The same again, alone, after other episodes, in other rows and company"
        yield passed(NAME, f"{ways}, over {subject.steps} steps of each row; other seeds give other episodes.")
    elif getattr(subject.task.world, "deterministic", False):
        yield warning(
            NAME,
            f"Episodes from {SEEDS} seeds are one and the same, as the world says (`deterministic`): an interval over "
            "episodes tells nothing here.",
        )
    else:
        yield failed(
            NAME,
            f"The same actions from {SEEDS} different seeds give the same states, step for step.",
            contract="Training, selection and report each have seeds of their own, which is worth something only where "
            "seeds make a difference.",
            change="Draw something of the start from the seed. Where every episode is meant to be the same, give the "
            "world the attribute `deterministic = True`.",
        )


def threads(subject: Subject) -> Iterator[Finding]:
    """The same scripts give the same traces on two threads, be they threads or processes."""
    try:
        played = _wider(subject, threads=2)
    except RewardAgentError as error:
        yield warning(
            THREADS,
            f"With two threads the world does not run. {error}",
            contract="`World.make` takes `threads`; a world may make no use of them.",
            change="For rows that step in workers, define what makes them in a module that can be imported.",
        )
        return
    found = _first(subject, subject.traces, played)
    if found:
        yield failed(
            THREADS,
            f"Played on two threads, {found}.",
            contract="Threads make a batch faster and change nothing else.",
            change="Look for what threads or workers share, and for what they set up otherwise than this process does.",
        )
    else:
        yield passed(THREADS, f"The same on two threads, over {subject.steps} steps of each row.")


Problem = tuple[str, str] | None
"""What was found, and what to change."""


def _neighbours(subject: Subject) -> Problem:
    for row, trace in enumerate(subject.traces):
        if len(trace.disturbed):
            return (
                f"After step {trace.disturbed[0]} another row was reset, and what row {row}, which was not, then shows "
                "is not what the step left.",
                "Reset and recompute the masked rows alone.",
            )
    return None


def _again(subject: Subject) -> Problem:
    with subject.batch() as batch:
        found = _first(subject, subject.traces, follow(batch, subject.scripts))
    return _told(
        found,
        f"Played again in a fresh batch, from the same seeds and with the same actions, {found}.",
        "Draw from a generator made from the row's seed, never from a global or an unseeded one.",
    )


def _alone(subject: Subject) -> Problem:
    """The last row's script in a batch of its own, and then the others in that same row."""
    with subject.batch(1) as batch:
        last, *before = [follow(batch, [script])[0] for script in reversed(subject.scripts)]
    found = _first(subject, subject.traces[-1:], [last])
    if found:
        return (
            f"Played alone, in a batch of one row, {found}.",
            "Look for a draw, a sum or an index over all rows where it should be over one.",
        )
    found = _first(subject, subject.traces[:-1], before[::-1])
    return _told(
        found,
        f"Played after other episodes in the same row, {found}.",
        "Reset all that an episode leaves behind: generators, counters, filters, warm starts, contacts, goals.",
    )


def _elsewhere(subject: Subject) -> Problem:
    found = _first(subject, subject.traces, _wider(subject, threads=1))
    return _told(
        found,
        f"Played in another order, in a batch of one row more, {found}.",
        "Look for numbers that rows share, or that depend on a row's place: a generator, a buffer, a counter.",
    )


def _wider(subject: Subject, threads: int) -> list[Trace]:
    """The scripts in reverse order behind a row that does something else; their traces in the usual order."""
    scripts = list(subject.scripts)
    other = write_script(subject.schema.action, subject.seed + len(scripts), subject.steps, scripts[0].every)
    with subject.batch(len(scripts) + 1, threads=threads) as batch:
        return follow(batch, [other, *reversed(scripts)])[:0:-1]


def _told(found: str, what: str, change: str) -> Problem:
    return (what, change) if found else None


def _first(subject: Subject, ours: Sequence[Trace], others: Sequence[Trace]) -> str:
    """Where the first two traces that differ do so; empty where none does."""
    for row, (one, two) in enumerate(zip(ours, others, strict=True)):
        found = parting(one, two, subject.schema)
        if found:
            return f"the episodes of row {row} are others: {found}"
    return ""


def _all_alike(subject: Subject) -> bool:
    """Whether the same actions from other seeds give the same episodes."""
    starts = np.concatenate([trace.states[trace.began] for trace in subject.traces])
    if not all(same(start, starts[0]) for start in starts):
        return False
    script = subject.scripts[0]
    with subject.batch(SEEDS) as batch:
        traces = follow(batch, [replace(script, seeds=script.seeds[number:]) for number in range(SEEDS)])
    shortest = min(len(trace.states) for trace in traces)
    return all(same(trace.states[:shortest], traces[0].states[:shortest]) for trace in traces)
