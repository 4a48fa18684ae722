"""Where links are in an episode's first state.

PhysX moves rigid bodies as it simulates, all environments at once: after a reset of some rows the links of these
still lie where the last episode left them, and no call brings them up to date. So they are placed around the new root
of their actor as they lay around it in a reference: row 0, one step after a reset from seed 0. That is exact for an
actor of one link; elsewhere it leaves out what the reset drew for the joints. It is the same whatever the last
episode was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reward_agent.schema import Array, StateSchema

_WIDTH = 13  # position, quaternion xyzw, linear velocity, angular velocity


class LinksAtReset:
    """Places the links that are among the fields of a batch.

    Args:
        fields: what the batch packs.
        columns: of each field, among all of the worker's.
        links: a link's entity to the first of its columns and the first of its actor's root.
    """

    def __init__(
        self, fields: StateSchema, columns: Mapping[str, tuple[int, ...]], links: Mapping[str, tuple[int, int]]
    ) -> None:
        asked = [entity for entity in links if any(field.entity == entity for field in fields.fields)]
        self.columns: list[int] = []
        """What must be packed behind the fields: of each link, its root's columns and its own."""
        into: list[int] = []
        source: list[int] = []
        for number, entity in enumerate(asked):
            own, root = links[entity]
            self.columns += [*range(root, root + _WIDTH), *range(own, own + _WIDTH)]
            for field in fields.fields:
                if field.entity == entity:
                    at = fields.columns[field.path]
                    into += range(at.start, at.stop)
                    source += [number * _WIDTH + column - own for column in columns[field.path]]
        self._behind, self._count, self._into, self._source = fields.width, len(asked), into, source
        self._arrangement: tuple[Any, Array] | None = None

    def learn(self, states: Array) -> None:
        """Take the arrangement from the packed states `(N, D + 26 links)` of the reference."""
        roots, links = self._split(states[:1])
        back = _turns(roots[0]).inv()
        self._arrangement = back * _turns(links[0]), back.apply(links[0, :, :3] - roots[0, :, :3])

    def place(self, states: Array, rows: Sequence[int] | NDArray[np.intp]) -> None:
        """Overwrite the link fields of the rows that were just reset, in place."""
        if self._arrangement is None or not self._count:
            return
        turns, arms = self._arrangement
        for row in rows:
            roots, links = (part[0] for part in self._split(states[row : row + 1]))
            root = _turns(roots)
            arm = root.apply(arms)
            placed = np.empty_like(links)
            placed[:, :3], placed[:, 3:7] = roots[:, :3] + arm, (root * turns).as_quat(canonical=False)
            placed[:, 7:10], placed[:, 10:] = roots[:, 7:10] + np.cross(roots[:, 10:], arm), roots[:, 10:]
            states[row, self._into] = placed.reshape(-1)[self._source]

    def _split(self, states: Array) -> tuple[Array, Array]:
        """Roots and links `(N, links, 13)`."""
        both = states[:, self._behind :].reshape(len(states), self._count, 2, _WIDTH)
        return both[:, :, 0], both[:, :, 1]


def _turns(poses: Array) -> Any:
    from scipy.spatial.transform import Rotation

    return Rotation.from_quat(poses[:, 3:7])
