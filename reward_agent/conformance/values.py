"""Are the numbers of a state of the kind that the schema says? What can be told without a witness."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reward_agent.conformance.finding import Finding, counted, failed, listed, passed
from reward_agent.conformance.subject import Subject
from reward_agent.schema import Array, Field
from reward_agent.task import Bools

NAME = "values"
UNIT_NORM = 1e-3


def values(subject: Subject) -> Iterator[Finding]:
    """Finite; 0 or 1 where bool, whole where int, of norm 1 where a quaternion; observations finite too."""
    broken = [problem for field in subject.schema.fields for problem in _problems(subject, field)]
    for row, trace in enumerate(subject.traces):
        bad = np.argwhere(~np.isfinite(trace.observations))
        if len(bad):
            at, component = bad[0]
            value = trace.observations[at, component]
            broken.append(
                f"Component {component} of the observation is {value} after step {trace.steps[at]} (row {row})."
            )
            break
    if broken:
        yield failed(
            NAME,
            broken[0] + (f" Also: {listed(broken[1:], 3)}" if broken[1:] else ""),
            contract="Every field is finite at every instant; a bool field is packed as 0 or 1, an int field as a "
            "whole number, an orientation as a unit quaternion (wxyz).",
            change="Pack the quantity so, or give the field the kind that its numbers have. What may be absent gets a "
            "finite stand-in and a bool field `exists` beside it.",
        )
        return
    kinds = [field.kind for field in subject.schema.fields]
    quaternions = sum(map(is_quaternion, subject.schema.fields))
    yield passed(
        NAME,
        f"All of {counted(len(kinds), 'field')} finite at each of {len(subject.states)} moments; "
        f"{kinds.count('bool')} are 0 or 1, {kinds.count('int')} whole, {quaternions} unit quaternions.",
    )


def is_quaternion(field: Field) -> bool:
    """Whether its name or its line of meaning says so."""
    return field.shape == (4,) and (field.name == "orientation" or "quat" in f"{field.name} {field.doc}".lower())


def _problems(subject: Subject, field: Field) -> Iterator[str]:
    """The first number of a field that is not of its kind."""
    columns = subject.schema.columns[field.path]
    for row, trace in enumerate(subject.traces):
        packed = trace.states[:, columns]
        said, wrong = _wrong(field, packed)
        if wrong.any():
            at, part = np.argwhere(wrong)[0]
            when = "at reset" if trace.began[at] else f"after step {trace.steps[at]}"
            component = f"[{part}]" if field.width > 1 and wrong.shape == packed.shape else ""
            value = float(np.linalg.norm(packed[at])) if said == "has norm" else float(packed[at, part])
            yield f"`{field.path}`{component}, of kind {field.kind}, {said} {value:.9g} {when} (row {row})."
            return


def _wrong(field: Field, packed: Array) -> tuple[str, Bools]:
    finite = np.isfinite(packed)
    if not finite.all():
        return "is", ~finite
    if field.kind == "bool":
        return "is", (packed != 0) & (packed != 1)
    if field.kind == "int":
        return "is", packed != np.round(packed)
    if is_quaternion(field):
        norm = np.linalg.norm(packed, axis=1, keepdims=True)
        return "has norm", np.abs(norm - 1) > UNIT_NORM
    return "", np.zeros(packed.shape, bool)
