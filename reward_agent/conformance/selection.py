"""Does a batch that packs some of the fields pack the same numbers as one that packs all, and step no differently?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from reward_agent.conformance.finding import Finding, counted, failed, listed, passed
from reward_agent.conformance.subject import Subject
from reward_agent.conformance.tracing import Trace, follow, parting

NAME = "selection"


def selection(subject: Subject) -> Iterator[Finding]:
    """Of any two fields each is packed once without the other; and no field at all."""
    paths = np.array(list(subject.schema.by_path))
    script = subject.scripts[0]
    with subject.batch(1) as batch:
        (whole,) = follow(batch, [replace(script, actions=script.actions[: script.every])])
    number = np.arange(len(paths))
    halves = [number >> bit & 1 == side for bit in range((len(paths) - 1).bit_length()) for side in (0, 1)]
    for chosen in (*halves, np.zeros(len(paths), bool)):
        problem = _problem(subject, paths[chosen].tolist(), whole)
        if problem:
            left = [f"`{path}`" for path in paths[~chosen]]
            yield failed(
                NAME,
                f"Packing {chosen.sum()} of {counted(len(paths), 'field')} (without {listed(left, 3)}): {problem}.",
                contract="`World.make` packs just the `fields` it is given, in their order; each has the same numbers "
                "as among all, and asking for fewer never changes the simulation.",
                change="Go by the schema given to `make`. Look for an offset counted over all fields, and for "
                "something computed only when another field is asked for too.",
            )
            return
    selections = f"{counted(len(halves), 'selection')} that part any two of {counted(len(paths), 'field')}"
    yield passed(NAME, f"{selections}, and none of them, equal the same columns of all.")


def _problem(subject: Subject, paths: list[str], whole: Trace) -> str:
    """What is wrong with a batch of one row that packs just these; empty where nothing is.

    Args:
        whole: the same row, packing all.
    """
    fields = subject.schema.select(paths)
    with subject.batch(1, fields) as batch:
        if [field.path for field in batch.schema.fields] != list(fields.by_path):
            return "the batch's `schema` has other fields, or another order"
        (some,) = follow(batch, [whole.script])
    if some.states.shape[1] != fields.width:
        return f"states have {counted(some.states.shape[1], 'column')}, and these fields have {fields.width}"
    among_all = whole.states[:, subject.schema.indices(fields.by_path)]
    found = parting(replace(whole, states=among_all), some, fields)
    return f"{found}, packing all and packing these" if found else ""
