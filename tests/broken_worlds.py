"""A sound world with a witness, and small variants of it with one defect each: what a conformance check must catch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
from pointmass import SCHEMA, PointMass, PointMassBatch, pointmass_task

from reward_agent.errors import UsageError
from reward_agent.schema import ActionSpec, Array, Entity, Field, StateSchema
from reward_agent.task import Bools, Episode, Ints, Metric, Step, Task


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


# what is saved and handed out


class Forgets(PointMassBatch):
    """Its velocity is not saved."""

    def restore(self, saved: Mapping[str, Any]) -> None:
        self._x[:, [0, 2]] = saved["x"][:, [0, 2]]


class SavesAView(PointMassBatch):
    def save(self) -> dict[str, Any]:
        return {"x": self._x}


class SavesObjects(PointMassBatch):
    def save(self) -> dict[str, Any]:
        return super().save() | {"generator": np.random.default_rng(0)}


class LiveViews(PointMassBatch):
    """Hands out its own array as observations."""

    def step(self, actions: Array) -> Step:
        return super().step(actions)._replace(observations=self._x)


class LiveStates(PointMassBatch):
    """Hands out the same buffer of states again and again."""

    def _pack(self) -> Array:
        fresh = super()._pack()
        buffer: Array = self.__dict__.setdefault("_buffer", np.empty(fresh.shape))
        buffer[:] = fresh
        return buffer


class Writes(PointMassBatch):
    """Uses the caller's array of actions for its own ends."""

    def step(self, actions: Array) -> Step:
        step = super().step(actions)
        actions[:] = self._x[:, :1]
        return step


# episodes


class StartsAnew(PointMassBatch):
    """Ends an episode at 0.2 m and begins the next within the step, as many environments' wrappers do."""

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        self.seeds = np.where(mask, seeds, getattr(self, "seeds", seeds))
        return super().reset(mask, seeds)

    def step(self, actions: Array) -> Step:
        step = super().step(actions)
        over = np.abs(self._x[:, 0]) > 0.2
        if over.any():
            super().reset(over, self.seeds + 1)
        return Step(self._x.copy(), self._pack(), over, step.truncated)

    def save(self) -> dict[str, Any]:
        return super().save() | {"seeds": self.seeds.copy()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        super().restore(saved)
        self.seeds = saved["seeds"].copy()


class OwnLimit(PointMassBatch):
    """Truncates after 45 steps, the task after 60."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.elapsed = np.zeros(num_envs)

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        self.elapsed[mask] = 0
        return super().reset(mask, seeds)

    def step(self, actions: Array) -> Step:
        self.elapsed += 1
        return super().step(actions)._replace(truncated=self.elapsed >= 45)

    def save(self) -> dict[str, Any]:
        return super().save() | {"elapsed": self.elapsed.copy()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        super().restore(saved)
        self.elapsed = saved["elapsed"].copy()


class Fails(PointMassBatch):
    def step(self, actions: Array) -> Step:
        raise ValueError("the simulator is gone")


def metric(
    score: Callable[[Episode], Any], kind: str = "fitness", fields: tuple[str, ...] = ("point.position",)
) -> Any:
    return (Metric("odd", kind, "an odd metric", fields, score),)  # type: ignore[arg-type]


def moody(episode: Episode) -> float:
    """Another score each time."""
    episode.state.point.position[:] += 1.0
    return float(episode.state.point.position.mean())


# actions


class Numb(PointMassBatch):
    """Goes its way whatever is done."""

    def step(self, actions: Array) -> Step:
        return super().step(np.full_like(actions, 0.3))


class HalfNumb(PointMassBatch):
    """Its second column moves nothing."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)


class Unbounded(PointMassBatch):
    """Its action space has no bounds where the schema has some, so that nothing is clipped."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.action_space = gymnasium.spaces.Box(-np.inf, np.inf, (1,), np.float32)


class Wide(PointMassBatch):
    """Its action space has other bounds than the schema's action."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.action_space = gymnasium.spaces.Box(-2.0, 2.0, (1,), np.float32)


class Numbered(PointMassBatch):
    """Pushed left, not at all, or right: actions are numbers `(N, 1)`."""

    def __init__(self, num_envs: int, fields: StateSchema) -> None:
        super().__init__(num_envs, fields)
        self.action_space = gymnasium.spaces.Discrete(3)  # type: ignore[assignment]

    def step(self, actions: Array) -> Step:
        return super().step(actions - 1.0)


NUMBERED = replace(SCHEMA, action=ActionSpec(("left", "wait", "right"), discrete=True))


# words


def fast_enough(state: Any) -> Bools:
    result: Bools = np.abs(state.point.velocity) > 1.0
    return result
