"""A sound world with a witness, and small variants of it with one defect each: what a conformance check must catch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pointmass import SCHEMA, PointMass, PointMassBatch, pointmass_task

from reward_agent.errors import UsageError
from reward_agent.schema import Array, Entity, Field, StateSchema
from reward_agent.task import Bools, Ints, Step, Task


@dataclass(frozen=True)
class Untold(PointMass):
    """A point mass of any batch and schema, without a witness."""

    batch: Callable[[int, StateSchema], PointMassBatch] = PointMassBatch
    fields: StateSchema = SCHEMA

    def schema(self) -> StateSchema:
        return self.fields

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> PointMassBatch:
        return self.batch(num_envs, fields)


class PointWitness:
    """The same point by plain arithmetic, one number at a time."""

    misnamed = False

    def reset(self, seed: int) -> Mapping[str, Any]:
        generator = np.random.default_rng(seed)
        self.position, self.velocity = float(generator.uniform(-0.1, 0.1)), 0.0
        self.goal = float(generator.choice([-1.0, 1.0]))
        self.last = 0.0
        return self._told()

    def step(self, action: Array) -> Mapping[str, Any]:
        self.velocity = 0.9 * self.velocity + 0.2 * min(max(float(action[0]), -1.0), 1.0)
        self.position += 0.05 * self.velocity
        self.last = -abs(self.position - self.goal) - 0.1 * float(action[0]) ** 2
        return self._told()

    def secrets(self) -> Mapping[str, float]:
        return {"native_reward": self.last, "is_fast": float(abs(self.velocity) > 0.3)}

    def close(self) -> None:
        pass

    def _told(self) -> dict[str, Any]:
        return {
            "point.positon" if self.misnamed else "point.position": self.position,
            "point.velocity": [self.velocity],
            "point.moving": abs(self.velocity) > 0.1,
            "goal.position": self.goal,
        }


@dataclass(frozen=True)
class Told(Untold):
    """With a witness."""

    witness_of: Callable[[], PointWitness] = PointWitness

    def witness(self) -> PointWitness:
        return self.witness_of()


def sound(world: PointMass | None = None, **changes: Any) -> Task:
    """The task that every variant is one step away from."""
    return replace(pointmass_task(), world=world or Told(), **changes)


def with_fields(*fields: Field, entities: tuple[Entity, ...] = (), **changes: Any) -> StateSchema:
    return replace(SCHEMA, fields=(*SCHEMA.fields, *fields), entities=(*SCHEMA.entities, *entities), **changes)


def documented(path: str, doc: str) -> StateSchema:
    """The schema with another line for one field."""
    return replace(SCHEMA, fields=tuple(replace(f, doc=doc) if f.path == path else f for f in SCHEMA.fields))


# what is packed


class Stale(PointMassBatch):
    """Packs the position from before the step."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.before = np.zeros(num_envs)

    def step(self, actions: Array) -> Step:
        self.before = self._x[:, 0].copy()
        return super().step(actions)

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        observations, _ = super().reset(mask, seeds)
        self.before[mask] = self._x[mask, 0]
        return observations, self._pack()

    def _values(self) -> dict[str, Any]:
        return super()._values() | {"point.position": self.before}


class OtherStart(PointMassBatch):
    """Starts an episode elsewhere than the simulator does."""

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        super().reset(mask, seeds)
        self._x[mask, 0] *= 1.001
        return self._x.copy(), self._pack()


class Misnaming(PointWitness):
    misnamed = True


class Extra(PointMassBatch):
    """Packs further fields, each a function of position, velocity and goal `(N,)`."""

    extra: Mapping[str, Callable[[Array, Array, Array], Any]] = {}

    def _values(self) -> dict[str, Any]:
        return super()._values() | {path: of(*self._x.T) for path, of in self.extra.items()}


def packing(**extra: Callable[[Array, Array, Array], Any]) -> type[Extra]:
    """A batch that packs these, `__` standing for the dot of a path."""
    return type("Packing", (Extra,), {"extra": {name.replace("__", "."): of for name, of in extra.items()}})


class Telling(PointMassBatch):
    """Packs something of the last step as `point.load`."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.load: Array = np.zeros(num_envs)

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        self.load[mask] = 0
        return super().reset(mask, seeds)

    def save(self) -> dict[str, Any]:
        return super().save() | {"load": self.load.copy()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        super().restore(saved)
        self.load = saved["load"].copy()

    def _values(self) -> dict[str, Any]:
        return super()._values() | {"point.load": self.load}


class Late(Telling):
    """Whether it was fast a step ago."""

    def step(self, actions: Array) -> Step:
        self.load = (np.abs(self._x[:, 1]) > 0.3).astype(float)
        return super().step(actions)


class Rewarding(Telling):
    """The simulator's reward by another scale."""

    odd = 0.0

    def step(self, actions: Array) -> Step:
        velocity = 0.9 * self._x[:, 1] + 0.2 * actions[:, 0]
        reward = -np.abs(self._x[:, 0] + 0.05 * velocity - self._x[:, 2]) - 0.1 * actions[:, 0] ** 2
        self.load = 1.0 + 2.0 * reward + self.odd * velocity
        return super().step(actions)


class NearlyRewarding(Rewarding):
    odd = 0.01


class Backwards(PointMassBatch):
    """Its velocity has the wrong sign."""

    def _values(self) -> dict[str, Any]:
        return super()._values() | {"point.velocity": -self._x[:, 1]}


class BackwardsWitness(PointWitness):
    """Repeats that."""

    def _told(self) -> dict[str, Any]:
        return super()._told() | {"point.velocity": -self.velocity}


class Turning(PointMassBatch):
    """Packs a heading that turns about z with the velocity, as a quaternion."""

    order = (0, 1, 2, 3)

    def _pack(self) -> Array:
        position, velocity, _ = self._x.T
        angle = 40 * position
        nothing = np.zeros_like(angle)
        quaternion = np.stack([np.cos(angle / 2), nothing, nothing, np.sin(angle / 2)])[list(self.order)]
        values = {path: [value] for path, value in self._values().items()}
        values |= {"point.orientation": quaternion, "point.angular_velocity": [nothing, nothing, 40 * velocity]}
        rows = [row for f in self.schema.fields for row in values[f.path]]
        return np.array(rows, float).reshape(len(rows), self.num_envs).T


class LastComesFirst(Turning):
    """Its quaternions are xyzw."""

    order = (1, 2, 3, 0)


TURNING = with_fields(
    Field("point.orientation", "heading as a quaternion wxyz", shape=(4,)),
    Field("point.angular_velocity", "of the heading", "rad/s", (3,)),
)


class NeedsPosition(PointMassBatch):
    """Its velocity is only right where the position is packed too."""

    def _values(self) -> dict[str, Any]:
        values = super()._values()
        return values if "point.position" in self.schema else values | {"point.velocity": 0 * self._x[:, 1]}


class SlowUnseen(PointMassBatch):
    """Goes another way when its velocity is not packed."""

    def step(self, actions: Array) -> Step:
        return super().step(actions * (1.0 if "point.velocity" in self.schema else 0.99))


class PacksAll(PointMassBatch):
    """Packs every field whatever is asked for."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, SCHEMA)


# seeds


class Reseeded(PointMassBatch):
    """A start that may also depend on other things than the seed."""

    def shift(self, row: int) -> float:
        return 0.0

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        super().reset(mask, seeds)
        for row in np.flatnonzero(mask):
            self._x[row, 0] += self.shift(row)
        return self._x.copy(), self._pack()


class GlobalDraws(Reseeded):
    def shift(self, row: int) -> float:
        return float(np.random.uniform(-0.1, 0.1))


class ByRow(Reseeded):
    def shift(self, row: int) -> float:
        return 0.001 * row


class ByWidth(Reseeded):
    def shift(self, row: int) -> float:
        return 0.001 * self.num_envs


class Remembers(Reseeded):
    """Each reset of a row leaves something to the next."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.played = np.zeros(num_envs)

    def shift(self, row: int) -> float:
        self.played[row] += 1
        return float(0.001 * (self.played[row] > 5))


class Deaf(PointMassBatch):
    """The same start whatever the seed."""

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        return super().reset(mask, np.zeros_like(seeds))


class Disturbs(PointMassBatch):
    """A reset of one row stops all of them."""

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        if mask.any():
            self._x[:, 1] = 0
        return super().reset(mask, seeds)


@dataclass(frozen=True)
class OnThreads(Told):
    """Otherwise on two threads than on one."""

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> PointMassBatch:
        return (OtherStart if threads > 1 else PointMassBatch)(num_envs, fields)


@dataclass(frozen=True)
class NoThreads(Told):
    """Refuses a second thread."""

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> PointMassBatch:
        if threads > 1:
            raise UsageError("One thread is all there is.")
        return PointMassBatch(num_envs, fields)


@dataclass(frozen=True)
class Deterministic(Untold):
    """Every episode is meant to be the same, and it says so."""

    deterministic: bool = True
