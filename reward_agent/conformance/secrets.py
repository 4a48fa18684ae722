"""Does any readable number give away what no reward may read: success flags, the native reward, goal checks?

By values: a column that is, over all that was played, the secret itself but for an offset and a scale. What is read
one step late gives it away as well.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reward_agent.conformance.finding import Finding, failed, listed, warning
from reward_agent.conformance.subject import Subject
from reward_agent.conformance.tracing import Trace
from reward_agent.schema import Array

NAME = "secrets"
ALIKE, EQUAL = 0.9999, 0.999999
"""Correlations above which a signal of many values is nearly another, and is it but for rounding."""
FEWEST = 5
"""Times that a signal must leave its commonest value, and that it must have it, to be compared."""


def secrets(subject: Subject) -> Iterator[Finding]:
    """No visible field equals a secret of the witness or a hidden flag, or is an affine function of one."""
    signals = dict(_signals(subject))
    varying = {name: values for name, values in signals.items() if _varies(values)}
    near = False
    for name, signal in varying.items():
        flag = len(np.unique(signal[np.isfinite(signal)])) == 2
        path, correlation, late = max((_closest(subject, signal, late) for late in (0, 1)), key=lambda found: found[1])
        if correlation <= ALIKE:
            continue
        steps = int(np.isfinite(signal).sum())
        what = (
            f"over {steps} steps it is the same signal{' one step late' if late else ''} but for an offset and a scale "
            f"(correlation {correlation:.7f})."
        )
        if flag or correlation > EQUAL:
            yield failed(
                NAME,
                f"`{path}` gives away {name}: {what}",
                contract="Success flags, native rewards and goal checks are never readable by a reward.",
                change="Take the field away or make it `Field(…, hidden=True)`. Where it is a plain quantity that the "
                "native reward happens to be, as a speed, that is no secret: leave it out of `secrets()`.",
            )
            return
        near = True
        yield warning(
            NAME,
            f"`{path}` is nearly {name}: {what}",
            contract="Native rewards are never readable by a reward.",
            change="See that it is a plain quantity of its own, of which the native reward mostly consists.",
        )
    if near:
        return
    still = [name for name in signals if name not in varying]
    told = f"No visible field is an affine function of {listed(list(varying))}." if varying else "Nothing to compare."
    if still:
        told += f" Not to be told, for they hardly changed in what was played: {listed(still)}."
    if not subject.testimony:
        told += " Without a witness the native reward and the success flags of the simulator are not compared."
    yield Finding(NAME, "passed" if subject.testimony else "weaker", told)


def _signals(subject: Subject) -> Iterator[tuple[str, Array]]:
    """Name and values over all traces, nan at resets."""
    for name in sorted({name for testimony in subject.testimony for name in testimony.secrets}):
        told = [
            testimony.secrets.get(name, np.full(len(trace.steps), np.nan))
            for trace, testimony in zip(subject.traces, subject.testimony, strict=True)
        ]
        yield f"the secret `{name}`", np.concatenate(told)
    for field in subject.schema.fields:
        if field.kind == "bool" and field.path not in subject.visible:
            columns = subject.schema.columns[field.path]
            for part, values in enumerate(subject.states[:, columns].T):
                index = f"[{part}]" if field.width > 1 else ""
                yield f"the hidden flag `{field.path}`{index}", values


def _varies(values: Array) -> bool:
    known = values[np.isfinite(values)]
    if not len(known):
        return False
    _, counts = np.unique(known, return_counts=True)
    return bool(len(counts) > 1 and len(known) - counts.max() >= FEWEST and len(known) >= 2 * FEWEST)


def _closest(subject: Subject, signal: Array, late: int) -> tuple[str, float, int]:
    """The visible column most like a signal, read `late` steps after it, and how alike the two are."""
    paired = [_paired(trace, part, late) for trace, part in zip(subject.traces, _parts(subject, signal), strict=True)]
    values = np.concatenate([part for part, _ in paired])
    states = np.concatenate([rows for _, rows in paired])
    kept = np.isfinite(values)
    values, states = values[kept], states[kept]
    best = ("", 0.0, late)
    for path, columns in subject.schema.columns.items():
        if path not in subject.visible:
            continue
        for part, column in enumerate(states[:, columns].T):
            alike = _correlation(values, column) if _varies(column) else 0.0
            if alike > best[1]:
                best = (path if subject.schema.by_path[path].width == 1 else f"{path}[{part}]", alike, late)
    return best


def _parts(subject: Subject, signal: Array) -> list[Array]:
    """A signal over all traces, trace by trace."""
    return np.split(signal, np.cumsum([len(trace.steps) for trace in subject.traces])[:-1])


def _paired(trace: Trace, signal: Array, late: int) -> tuple[Array, Array]:
    """A signal and the states `late` steps after it, within episodes."""
    at = np.flatnonzero(~trace.began) if late else np.arange(len(signal))
    return signal[at - late], trace.states[at]


def _correlation(a: Array, b: Array) -> float:
    """Of two signals that vary, without its sign; 0 where numbers are not finite."""
    if not np.isfinite(b).all() or len(a) < 2 or a.std() == 0 or b.std() == 0:
        return 0.0
    return abs(float(((a - a.mean()) * (b - b.mean())).mean() / (a.std() * b.std())))
