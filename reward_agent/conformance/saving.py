"""Does a batch that is saved, restored and gone on with go on as if nothing had happened?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from reward_agent.conformance.finding import Finding, failed, listed, passed
from reward_agent.conformance.subject import Subject
from reward_agent.conformance.tracing import Script, follow, parting

NAME = "saving"


def saving(subject: Subject) -> Iterator[Finding]:
    """Bit for bit, in the same batch and in another one that has played something else."""
    third = max(subject.steps // 3, 1)
    first, second, last = ([_part(script, number, third) for script in subject.scripts] for number in range(3))
    with subject.batch() as batch, subject.batch() as elsewhere:
        follow(batch, first)
        saved = batch.save()
        opaque = [f"`{name}`" for name, value in saved.items() if np.asarray(value).dtype == object]
        if opaque:
            yield failed(
                NAME,
                f"`save()` gives objects for {listed(opaque)}.",
                contract="`save()` gives plain arrays: checkpoints hold no pickles.",
                change="Save the numbers that the objects are made from.",
            )
            return
        expected = follow(batch, second, begun=True)
        follow(elsewhere, last)
        for where, restored in (("another batch", elsewhere), ("the same batch", batch)):
            restored.restore(saved)
            again = follow(restored, second, begun=True)
            for row, (one, two) in enumerate(zip(expected, again, strict=True)):
                found = parting(one, two, subject.schema)
                if not found:
                    continue
                yield failed(
                    NAME,
                    f"Saved after {third} steps, restored into {where} and gone on with, row {row} goes another way: "
                    f"{found}, without and with the restore.",
                    contract="`restore` takes a batch back to where `save` was called, to go on bit for bit.",
                    change="Save, as copies, all that the next steps depend on: solver warm starts, controllers' and "
                    "filters' memory, counters, the row's own generator.",
                )
                return
    rows = f"{subject.rows} rows, saved after {third} steps,"
    yield passed(NAME, f"{rows} go on bit for bit for {third} more, in another batch and in the same.")


def _part(script: Script, number: int, length: int) -> Script:
    """One of three parts of a script, with seeds that the parts before it did not use."""
    begin = number * length
    return replace(script, actions=script.actions[begin : begin + length], seeds=script.seeds[begin:])
