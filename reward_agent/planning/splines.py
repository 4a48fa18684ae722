"""Splines over the horizon: a plan is a few knots, its actions their interpolation, both linear maps."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from reward_agent.errors import unknown_name
from reward_agent.schema import Array

Order = Literal["zero", "linear", "cubic"]


def weights(times: Array, knots: int, order: str) -> Array:
    """The matrix `(T, P)` that turns `P` knots, evenly at 0 to 1, into values at `times` `(T,)`.

    `zero` holds each knot until the next, `linear` goes straight between them, `cubic` goes smoothly through them
    (Catmull-Rom, which stays close to its knots). After the last knot its value holds.

    Raises:
        UsageError: no such order.
    """
    if order not in get_args(Order):
        raise unknown_name("order of splines", order, get_args(Order))
    rows = np.arange(len(times))
    table = np.zeros((len(times), knots))
    if knots == 1:
        table[:, 0] = 1.0
        return table
    place = np.clip(times, 0.0, 1.0) * (knots - 1)
    first = np.minimum(place.astype(int), knots - 2)
    share = place - first
    if order == "zero":
        table[rows, np.minimum(place.astype(int), knots - 1)] = 1.0
    elif order == "linear":
        table[rows, first], table[rows, first + 1] = 1.0 - share, share
    else:
        for offset, part in zip((-1, 0, 1, 2), _catmull_rom(share), strict=True):
            np.add.at(table, (rows, np.clip(first + offset, 0, knots - 1)), part)
    return table


def _catmull_rom(share: Array) -> tuple[Array, Array, Array, Array]:
    """Weights of the knots before, at the begin, at the end and after."""
    t, t2, t3 = share, share**2, share**3
    return (
        0.5 * (-t + 2 * t2 - t3),
        0.5 * (2 - 5 * t2 + 3 * t3),
        0.5 * (t + 4 * t2 - 3 * t3),
        0.5 * (t3 - t2),
    )
