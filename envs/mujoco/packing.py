"""Packs the fields that were asked for, and nothing else, from a batch's arrays into states `(N, D)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.mujoco.model import Reading
from reward_agent.envs.mujoco.schema import Columns, Quantity
from reward_agent.schema import Array
from reward_agent.task import Bools

Index = slice | NDArray[np.intp]

# what an `mj_step` leaves in line with the new state; all else needs an `mj_forward` to be of the same instant
# (motors are the exception among derived fields: their force depends on the action alone)
_CURRENT = {"qpos", "qvel", "qfrc_actuator", "cfrc_ext"}


@dataclass(frozen=True)
class Plan:
    """What must be computed for a selection of fields."""

    readings: tuple[Reading, ...]
    """The sensors the model needs, in their order."""
    sources: frozenset[str]
    """MuJoCo fields to read beside the sensors."""
    needs_forward: bool
    """Some of it must be brought up to date with the new state after a step."""


def plan(quantities: Iterable[Quantity], *, servos: bool = False) -> Plan:
    """The least that gives `quantities`; the force of servos depends on the state as well as on the action."""
    current = _CURRENT - {"qfrc_actuator"} if servos else _CURRENT
    origins = [quantity.origin for quantity in quantities]
    readings = tuple(dict.fromkeys(origin for origin in origins if isinstance(origin, Reading)))
    sources = frozenset(origin.source for origin in origins if isinstance(origin, Columns))
    return Plan(readings, sources, needs_forward=bool(readings) or not sources <= current)


@dataclass(frozen=True)
class _Group:
    """Columns that are copied together."""

    source: str
    columns: Index
    into: Index


class Packer:
    """Copies a few groups of columns a step; keeps the air times.

    Args:
        quantities: in packing order.
        sensor_columns: where each reading is in `sensordata`.
        arrays: a flat view `(N, …)` of each source, `sensordata` among them, as it is now.
        dt: seconds a step.
    """

    def __init__(
        self,
        num_envs: int,
        quantities: Sequence[Quantity],
        sensor_columns: Mapping[Reading, Sequence[int]],
        arrays: Callable[[str], Array],
        dt: float,
    ) -> None:
        self.num_envs, self.width, self.dt = num_envs, sum(q.field.width for q in quantities), dt
        copied: dict[str, tuple[list[int], list[int]]] = {}
        touches: tuple[list[int], list[int]] = ([], [])
        airborne: tuple[list[int], list[int]] = ([], [])
        at = 0
        for quantity in quantities:
            if isinstance(quantity.origin, Columns):
                source, columns = quantity.origin.source, quantity.origin.indices
            else:
                source, columns = "sensordata", tuple(sensor_columns[quantity.origin])
            pair = {"touches": touches, "air time": airborne}.get(quantity.use)
            columns_of, into = copied.setdefault(source, ([], [])) if pair is None else pair
            columns_of.extend(columns)
            into.extend(range(at, at + quantity.field.width))
            at += quantity.field.width
        self._copied = [_Group(s, _index(c), _index(i)) for s, (c, i) in copied.items()]
        self._touches, self._airborne = (
            _Group("sensordata", _index(c), _index(i)) if c else None for c, i in (touches, airborne)
        )
        self._sources = {name: arrays(name) for name in {*copied, *(["sensordata"] if sensor_columns else [])}}
        self.air_time: Array = np.zeros((num_envs, len(airborne[0])))

    def advance(self) -> None:
        """A step went by: feet off the floor have been so for longer."""
        if self._airborne:
            self.air_time += self.dt
            self._land()

    def begin(self, mask: Bools) -> None:
        """Episodes began in these rows."""
        self.air_time[mask] = 0

    def pack(self) -> Array:
        """The states as they are now, a fresh `(N, D)`."""
        packed = np.empty((self.num_envs, self.width))
        for group in self._copied:
            packed[:, group.into] = self._sources[group.source][:, group.columns]
        if self._touches:
            packed[:, self._touches.into] = self._sources["sensordata"][:, self._touches.columns] > 0
        if self._airborne:
            packed[:, self._airborne.into] = self.air_time
        return packed

    def _land(self) -> None:
        assert self._airborne is not None
        self.air_time[self._sources["sensordata"][:, self._airborne.columns] > 0] = 0


def _index(columns: list[int]) -> Index:
    """A slice where the columns follow each other: numpy then copies in one go."""
    first, past = columns[0], columns[0] + len(columns)
    return slice(first, past) if columns == list(range(first, past)) else np.array(columns, np.intp)
