"""A witness led through what a row of a batch did: the same seeds, the same actions, one moment after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reward_agent.conformance.tracing import Trace
from reward_agent.schema import Array
from reward_agent.task import Witness

SINGLE, DOUBLE = 1e-5, 1e-9
"""How closely values must agree, as a share of a field's largest, in single and in double precision."""


@dataclass(frozen=True)
class Testimony:
    """What a witness told of one trace of M moments."""

    told: dict[str, Array]
    """By path, `(M, width)`."""
    tolerance: dict[str, float]
    """By path, as a share of the field's largest value; 0 for what must be equal."""
    secrets: dict[str, Array]
    """By name, `(M,)`; nan where there was none, as after a reset."""


def lead(witness: Witness, trace: Trace) -> Testimony:
    """Have the witness tell of every moment of a trace.

    Raises:
        ValueError: it does not tell the same fields at every moment.
    """
    own = getattr(witness, "tolerance", None)
    told: list[Mapping[str, Any]] = []
    secrets: list[Mapping[str, float]] = []
    begun = 0
    for steps, began in zip(trace.steps.tolist(), trace.began.tolist(), strict=True):
        if began:
            values = witness.reset(int(trace.script.seeds[begun]))
            begun += 1
        else:
            values = witness.step(trace.script.actions[steps - 1].copy())
        # copies, for a witness may well tell of arrays that it goes on writing to
        told.append({path: np.array(as_numpy(value)) for path, value in values.items()})
        secrets.append({} if began else dict(witness.secrets()))
        if told[0].keys() != told[-1].keys():
            odd = sorted(told[0].keys() ^ told[-1].keys())
            raise ValueError(f"the witness tells {odd} at some moments and not at others (first after step {steps})")
    names = sorted({name for moment in secrets for name in moment})
    return Testimony(
        told={path: np.stack([np.ravel(moment[path]) for moment in told]).astype(float) for path in told[0]},
        tolerance={path: _tolerance(value, trace.states.dtype.itemsize, own) for path, value in told[0].items()},
        secrets={name: np.array([float(moment.get(name, np.nan)) for moment in secrets]) for name in names},
    )


def as_numpy(value: Any) -> Any:
    """A tensor as an array of this machine's memory; anything else as it is."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _tolerance(value: Any, packed: int, own: float | None) -> float:
    """Of what is told in the precision of `value` and packed in numbers of so many bytes."""
    kind = np.asarray(value).dtype
    if kind.kind in "bui":
        return 0.0
    return own if own is not None else SINGLE if min(kind.itemsize, packed) < 8 else DOUBLE
