"""A task's episodes over a world's batch: horizon, the task's own termination, and the fields every world has.

Every schema gains `episode.time`, `episode.previous_action` and `start.<field>` (values where the episode began) here,
once for all worlds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.actions import actions_of
from reward_agent.errors import UsageError, unknown_name
from reward_agent.schema import Array, Entity, Field, StateSchema
from reward_agent.task import Bools, Forking, Ints, OnScreen, Posed, Screen, Step, Task, Termination

TIME, PREVIOUS_ACTION, START = "episode.time", "episode.previous_action", "start."


def task_schema(task: Task) -> StateSchema:
    """Everything a task's states can hold: the world's fields as the task edits them, and the episode's own."""
    schema = task.world.schema().edit(hide=task.hide, rename=task.rename)
    if schema.action.discrete:
        previous = Field(PREVIOUS_ACTION, "number of the action applied a step before, -1 at first", kind="int")
    else:
        what = "the action applied a step before, zeros at first"
        previous = Field(PREVIOUS_ACTION, what, shape=(schema.action.width,))
    episode = (Field(TIME, "time since the episode began", "s"), previous)
    start = [replace(field, path=START + field.path) for field in schema.fields]
    owners = [replace(e, name=START + e.name, doc=f"{e.doc}, at reset") for e in schema.entities]
    return replace(
        schema,
        fields=(*schema.fields, *episode, *start),
        entities=(*schema.entities, Entity("episode", "EpisodeInfo", "the episode so far"), *owners),
    )


def prompt_schema(task: Task) -> StateSchema:
    """What prompts show: visible fields, without the copies under `start.` (one sentence tells of those)."""
    schema = task_schema(task).visible()
    return schema.select(field.path for field in schema.fields if not field.path.startswith(START))


class Episodes:
    """N running episodes of a task. `step` never resets; call `reset` for the rows that ended.

    Args:
        task: whose episodes.
        num_envs: N.
        fields: paths to pack, of `task_schema(task)`; a batch pays only for what is asked.
        threads: for the physics.
        observe_time: append the share of the horizon that has passed to observations (a reward that reads
            time needs a policy that sees it).
    """

    def __init__(
        self,
        task: Task,
        num_envs: int,
        fields: Iterable[str],
        *,
        threads: int = 1,
        observe_time: bool = False,
    ) -> None:
        self.task, self.num_envs, self.observe_time = task, num_envs, observe_time
        full = task_schema(task)
        wanted = set(fields)
        rule = task.terminates if isinstance(task.terminates, Termination) else None
        if rule:
            wanted |= set(rule.fields)
        for path in sorted(wanted - full.by_path.keys()):
            raise unknown_name("state field", path, full.by_path)
        self.schema = full.select(wanted)
        self._rule = rule
        self._start_paths = [f.path for f in self.schema.fields if f.path.startswith(START)]
        world_schema = task.world.schema().edit(hide=task.hide, rename=task.rename)
        world_paths = {p for p in wanted if p in world_schema} | {p.removeprefix(START) for p in self._start_paths}
        native = task.world.schema()
        keep = [n.path for n, e in zip(native.fields, world_schema.fields, strict=True) if e.path in world_paths]
        selected = native.select(keep)
        renamed = self._renamed = world_schema.select(world_paths)
        self._batch = task.world.make(num_envs, selected, threads=threads)
        self.action_space = self._batch.action_space
        self.actions = actions_of(self.action_space, full.action)
        self.observation_space = self._batch.observation_space
        if observe_time:
            low, high = self.observation_space.low, self.observation_space.high
            self.observation_space = gymnasium.spaces.Box(
                np.append(low, 0).astype(np.float32), np.append(high, 1).astype(np.float32)
            )
        self._world_into = [
            (self.schema.columns[f.path], renamed.columns[f.path]) for f in renamed.fields if f.path in self.schema
        ]
        self._start_from = [(self.schema.columns[p], renamed.columns[p.removeprefix(START)]) for p in self._start_paths]
        self._plain = self.schema.fields == renamed.fields
        self.elapsed: Ints = np.zeros(num_envs, np.int64)
        self.seeds: Ints = np.zeros(num_envs, np.int64)
        """Of the episodes that were begun here."""
        self._previous: Array = np.full((num_envs, full.action.width), self.actions.before_any)
        self._start: Array = np.zeros((num_envs, renamed.width))
        self._states: Array = np.zeros((num_envs, self.schema.width))

    @property
    def states(self) -> Array:
        """The packed states `(N, D)` as they are now."""
        return self._states

    def reset(self, mask: Bools, seeds: Ints) -> Array:
        """Begin new episodes in the rows of `mask`; row i from `seeds[i]` alone. Returns all observations."""
        return self._begin(mask, seeds, *self._batch.reset(mask, seeds))

    def begin_from(self, saved: Mapping[str, NDArray[Any]], seeds: Ints) -> Array:
        """Begin new episodes in all rows, where saved ones were; these packed at least our fields of the world.

        Only the world's own state is taken over: the clock is at 0, `start` is what is there now, and no action came
        before. Returns all observations.
        """
        self._batch.restore(saved)
        told = self._batch.reset(np.zeros(self.num_envs, bool), seeds)  # of none: it tells how things are
        return self._begin(np.ones(self.num_envs, bool), seeds, *told)

    def step(self, actions: Array) -> Step:
        """One step of every row; see `task.Batch.step`. `states` is a fresh array."""
        applied = self.actions.applied(actions)
        observations, states, terminated, truncated = self._batch.step(applied)
        self.elapsed += 1
        self._previous[:] = applied
        self._states = self._pack(states)
        if self.task.terminates != "native":
            terminated = np.zeros(self.num_envs, bool)
            if self._rule:
                terminated = np.asarray(self._rule.ends(self.schema.view(self._states)), bool)
        truncated = (truncated | (self.elapsed >= self.task.horizon)) & ~terminated
        return Step(self._observe(observations), self._states, terminated, truncated)

    def render(self, row: int) -> NDArray[np.uint8]:
        return self._batch.render(row)

    def screen(self, row: int) -> Screen:
        """What a person sees of one row as it is now.

        Raises:
            UsageError: the world is not one of characters.
        """
        if not isinstance(self._batch, OnScreen):
            raise UsageError(f"{self.task.id} has no screen of characters, so nobody can be shown it in words.")
        return self._batch.screen(row)

    @property
    def posed(self) -> Posed:
        """What a live view shows of these episodes.

        Raises:
            UsageError: the world has no MuJoCo model.
        """
        if not isinstance(self._batch, Posed):
            raise UsageError(
                f"{self.task.id} cannot be watched live, for its world ({self.task.world.name}) gives no MuJoCo model "
                "to show; have a clip instead: `reward-agent play RUN --video FILE.mp4`."
            )
        return self._batch

    def save(self) -> dict[str, NDArray[Any]]:
        """Everything `restore` needs to go on bit for bit."""
        own = {
            "elapsed": self.elapsed,
            "previous": self._previous,
            "start": self._start,
            "states": self._states,
        }
        return {f"episodes.{k}": v.copy() for k, v in own.items()} | self._batch.save()

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        self.elapsed = saved["episodes.elapsed"].copy()
        self._previous = saved["episodes.previous"].copy()
        self._start = saved["episodes.start"].copy()
        self._states = saved["episodes.states"].copy()
        self._batch.restore(saved)

    def fork(self, others: Episodes, rows: Ints) -> None:
        """Go on from where others of the task are: row i from their `rows[i]`. They pack at least our fields.

        Raises:
            UsageError: the world's episodes cannot be copied.
        """
        world = self.task.world
        if not isinstance(world, Forking):
            raise UsageError(f"Running episodes of {self.task.id} cannot be copied.")
        self._batch.restore(world.fork(others._batch.save(), rows))
        self.elapsed, self._previous = others.elapsed[rows], others._previous[rows]
        self._start = others._start[np.ix_(rows, others._renamed.indices(self._renamed.by_path))]
        self._states = others.states[np.ix_(rows, others.schema.indices(self.schema.by_path))]

    def close(self) -> None:
        self._batch.close()

    def _begin(self, mask: Bools, seeds: Ints, observations: Array, states: Array) -> Array:
        self.elapsed[mask] = 0
        self.seeds[mask] = seeds[mask]
        self._previous[mask] = self.actions.before_any
        self._start[mask] = states[mask]
        self._states = self._pack(states)
        return self._observe(observations)

    def _observe(self, observations: Array) -> Array:
        if not self.observe_time:
            return observations
        return np.concatenate([observations, (self.elapsed / self.task.horizon)[:, None]], axis=1)

    def _pack(self, states: Array) -> Array:
        if self._plain:
            return states
        packed = np.empty((self.num_envs, self.schema.width))
        for into, source in self._world_into:
            packed[:, into] = states[:, source]
        for into, source in self._start_from:
            packed[:, into] = self._start[:, source]
        columns = self.schema.columns
        if TIME in columns:
            packed[:, columns[TIME]] = (self.elapsed * self.task.world.dt)[:, None]
        if PREVIOUS_ACTION in columns:
            packed[:, columns[PREVIOUS_ACTION]] = self._previous
        return packed
