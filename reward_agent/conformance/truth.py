"""Is the packed state what the simulator's own environment says, at every step?"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

import numpy as np

from reward_agent.conformance.finding import Finding, counted, failed, listed, passed
from reward_agent.conformance.subject import Subject
from reward_agent.schema import Array
from reward_agent.task import Bools

NAME = "truth"
FLOOR = 1e-2
"""A field whose largest value is below this is compared as if it were this."""
CONTRACT = "Packed states are the exact kinematics of their own instant, after a reset as after a step."


def truth(subject: Subject) -> Iterator[Finding]:
    """Every field that the world's witness tells equals the packed one at every moment of every trace."""
    if not subject.testimony:
        yield Finding(
            NAME,
            "weaker",
            "Not compared: the world has no `witness()`, so nothing but its own packing tells of the simulator. The "
            "checks `values` and `motion` stand in for this one; they are weaker.",
        )
        return
    told = list(subject.testimony[0].told)
    for path in told:
        if path not in subject.schema:
            close = get_close_matches(path, list(subject.schema.by_path), n=1, cutoff=0.5)
            yield failed(
                NAME,
                f"The witness tells of `{path}`, which is no field of the schema.",
                contract="A witness tells of fields by their paths in `World.schema()`.",
                change=f"Did you mean `{close[0]}`?" if close else "Rename it, or leave it out.",
            )
            return
    differences = {path: found for path in told if (found := _difference(subject, path))}
    if differences:
        others = [f"`{path}`" for path in list(differences)[1:]]
        yield failed(
            NAME,
            next(iter(differences.values())) + (f" So do {listed(others)}." if others else ""),
            contract=CONTRACT,
            change="Look for values of an older instant (read before the kinematics were brought up to date), of "
            "another body or frame, in another unit, or for a reset or a step that differs from the simulator's own.",
        )
        return
    untold = [f"`{path}`" for path in subject.schema.by_path if path not in told]
    moments = sum(len(trace.steps) for trace in subject.traces)
    closeness = max((subject.testimony[0].tolerance[path] for path in told), default=0.0)
    yield passed(
        NAME,
        f"{len(told)} of {len(subject.schema.fields)} fields are the simulator's own at each of {moments} moments"
        f" (to {closeness:.0e} of a field's largest value)."
        + (f" The witness does not tell of {listed(untold)}." if untold else ""),
    )


def _difference(subject: Subject, path: str) -> str:
    """The first moment of the first row at which a field is not what the witness tells; empty where there is none."""
    columns, field = subject.schema.columns[path], subject.schema.by_path[path]
    for row, (trace, testimony) in enumerate(zip(subject.traces, subject.testimony, strict=True)):
        ours, theirs = trace.states[:, columns], testimony.told[path]
        if theirs.shape != ours.shape:
            return f"`{path}` has {counted(field.width, 'number')} and the witness tells {theirs.shape[1]} of it."
        wrong = ~_close(ours, theirs, testimony.tolerance[path])
        if wrong.any():
            at, part = (int(index[0]) for index in np.nonzero(wrong))
            when = "at reset" if trace.began[at] else f"after step {trace.steps[at]}"
            episode = int(trace.began[: at + 1].sum())
            return (
                f"`{path}`{f'[{part}]' if field.width > 1 else ''} differs from the simulator {when} (row {row}, "
                f"episode {episode}): {ours[at, part]:.9g} is packed and {theirs[at, part]:.9g} is so; it differs in "
                f"{wrong.any(axis=1).mean():.0%} of this row's {len(wrong)} moments."
            )
    return ""


def _close(ours: Array, theirs: Array, tolerance: float) -> Bools:
    known = np.abs(theirs[np.isfinite(theirs)])
    allowed = tolerance * max(FLOOR, float(known.max(initial=0.0)))
    with np.errstate(invalid="ignore"):
        near = np.abs(ours - theirs) <= allowed
    result: Bools = near | (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    return result
