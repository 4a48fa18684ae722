"""Is what a batch hands out the caller's to keep and to write into, and what it is handed left alone?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from reward_agent.conformance.finding import Finding, counted, failed, listed, passed
from reward_agent.conformance.subject import Subject
from reward_agent.conformance.tracing import differing, same
from reward_agent.schema import Array
from reward_agent.task import Batch, Step

NAME = "fresh"
STEPS = 20
CONTRACT = (
    "Arrays that a batch hands out are the caller's to keep: fresh, not live views; those it is given stay as given."
)


class _Kept(NamedTuple):
    name: str
    array: Array
    copy: Array


def fresh(subject: Subject) -> Iterator[Finding]:
    """Nothing handed out changes later, and writing into it, or into actions once applied, changes nothing here."""
    with subject.batch() as batch:
        kept: list[_Kept] = []
        problem = _play(subject, batch, kept) or _scribble(subject, batch, kept)
    if problem:
        yield failed(NAME, problem, contract=CONTRACT, change="Return copies, and make a copy of what is to be kept.")
    else:
        yield passed(NAME, f"{counted(len(kept), 'array')} of {min(STEPS, subject.steps)} steps stayed as handed out.")


def _play(subject: Subject, batch: Batch, kept: list[_Kept]) -> str:
    """Some steps, after which all that they gave is as it was; fills `kept`."""
    observations, states = batch.reset(np.ones(subject.rows, bool), subject.first_seeds)
    given = {"observations": observations, "states": states}
    kept.extend(_Kept(f"`{name}` of the reset", array, np.array(array)) for name, array in given.items())
    for number in range(min(STEPS, subject.steps)):
        actions = subject.actions_at(number)
        before = actions.copy()
        step = batch.step(actions)
        if not same(actions, before):
            return f"Step {number + 1} wrote into the array of actions that it was given."
        actions[:] = 0  # whoever keeps them must have made a copy
        kept.extend(_Kept(f"`{k}` of step {number + 1}", array, np.array(array)) for k, array in step._asdict().items())
        batch.reset(step.terminated | step.truncated, subject.first_seeds)
    changed = [name for name, array, copy in kept if not same(array, copy)]
    return f"Arrays that were handed out changed later: {listed(changed, 3)}." if changed else ""


def _scribble(subject: Subject, batch: Batch, kept: list[_Kept]) -> str:
    """A second step is the same whether or not all that was handed out is overwritten before it."""
    plain, spoilt = (_second_step(subject, batch, spoil) for spoil in ([], [array for _, array, _ in kept]))
    for row, (one, two) in enumerate(zip(plain.states, spoilt.states, strict=True)):
        if not same(one, two):
            what = differing(subject.schema, one, two)
            return f"Writing into arrays that were handed out changes the next step: {what} (row {row})."
    if not same(plain.observations, spoilt.observations):
        return "Writing into arrays that were handed out changes the observations of the next step."
    return ""


def _second_step(subject: Subject, batch: Batch, spoil: list[Array]) -> Step:
    begun = batch.reset(np.ones(subject.rows, bool), subject.first_seeds)
    first = batch.step(subject.actions_at(0))
    for array in (*begun, *first, *spoil) if spoil else ():
        if array.flags.writeable and array.dtype.kind == "f":
            array[:] = np.nan
    return batch.step(subject.actions_at(1))
