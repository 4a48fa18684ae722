"""The turn of a frame: which column of a state or an action goes where when x, y and z change places."""

from __future__ import annotations

import re

import numpy as np

from reward_agent.schema import ActionSpec, Field

Order = tuple[int, int, int]
"""Of the components of a vector: the new one is `vector[order]`."""

# a letter on its own, as in `move in x` or `hand_x`, or after one that says what changes, as in `dx` or `rx`
_LETTER = re.compile(r"(?:(?<![A-Za-z])|(?<=\b[A-Za-z])|(?<=_[A-Za-z]))[xyz](?![A-Za-z])", re.IGNORECASE)


def field_order(field: Field, order: Order) -> list[int]:
    """Columns of a field, from 0 on, in their new order: the new value is `value[field_order]`, laid flat."""
    columns = np.arange(field.width).reshape(field.shape)
    if field.is_spatial:
        vector = list(order)
        # of a quaternion wxyz both frames, the world's and the body's, are turned: its last three are a vector's
        quaternion = [0, *(1 + index for index in order)]
        after = [3 + index for index in order]
        of_last = {3: vector, 4: quaternion, 6: vector + after, 7: vector + [3 + index for index in quaternion]}
        columns = columns[..., of_last[field.shape[-1]]]
    return [int(column) for column in columns.reshape(-1)]


def action_order(action: ActionSpec, order: Order) -> tuple[int, ...]:
    """Columns of an action in their new order, those of `along_axes` being turned."""
    columns = list(range(action.width))
    for along in along_axes(action):
        for new, old in enumerate(order):
            columns[along[new]] = along[old]
    return tuple(columns)


def along_axes(action: ActionSpec) -> list[list[int]]:
    """Columns along x, y and z of each quantity that has all three: their names differ by that letter alone."""
    found: dict[str, dict[str, int]] = {}
    for column, name in enumerate(() if action.discrete else action.names):
        for letter in _LETTER.finditer(name):
            around = f"{name[: letter.start()]}?{name[letter.end() :]}"
            found.setdefault(around, {})[letter[0].lower()] = column
    return [[columns[letter] for letter in "xyz"] for columns in found.values() if len(columns) == 3]
