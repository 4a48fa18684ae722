"""Recorded transitions that rewards are compared on: random actions, and what policies do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol, runtime_checkable

import numpy as np

from reward_agent.envs.disguise import DisguisedWorld
from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.epic import Origin
from reward_agent.probe import Battery
from reward_agent.schema import Array
from reward_agent.scoring import Act, Acting, Ready, play, random_policy, ready, rows_of
from reward_agent.task import Episode, Task

EPISODES = 16
"""Played by random actions, and as many by all the policies together."""
FEWEST = 8
"""Episodes played by each policy, however many there are: an interval draws them anew."""
STRANGE = 0.1
"""Share of a policy's steps in which it acts at random."""
HELD = 8
"""Steps for which half the random actions are held: what trembles about one place sees little."""


@runtime_checkable
class Demonstrates(Protocol):
    """A world that has a policy by hand: what it reaches, random actions may never."""

    def demonstrator(self) -> Act:
        """The policy, on the world's own observations and actions."""
        ...


@dataclass(frozen=True)
class Coverage(Battery):
    """Recorded transitions, and which episode each is of."""

    origin: Origin
    """Its parts are 0 for random actions, held ones and others together, then the policies in order."""


def record_coverage(task: Task, policies: Sequence[tuple[Task, Acting]], *, rows: int, seed: int) -> Coverage:
    """Transitions of the undisguised task, spread evenly over whole episodes.

    Half (all, without policies) is by random actions, every other episode's held for some steps at a time; the rest is
    by the policies, in equal parts, each with random actions in a tenth of its steps.

    Args:
        task: whose; where it is disguised, what comes back is of the task as it is known.
        policies: with the task that each is for: this one, or it in disguise.
        rows: how many.
        seed: of episodes, actions and which transitions are kept.
    """
    generator = np.random.default_rng(seed)
    known = task.undisguised
    played = [_play(known, _Held(known, seed), EPISODES, generator)]
    for index, (of, act) in enumerate(policies):
        count = max(FEWEST, EPISODES // len(policies))
        battery, lengths = _play(of, _Mixed(of, act, seed + 1 + index), count, generator)
        played.append((as_known(of, battery), lengths))
    parts, episodes = [], 0
    for (battery, lengths), count in zip(played, _shares(rows, len(policies)), strict=True):
        chosen = np.sort(generator.choice(len(battery), min(count, len(battery)), replace=False))
        numbers = np.repeat(np.arange(len(lengths)) + episodes, lengths)
        arrays = (battery.state, battery.action, battery.next_state, numbers)
        parts.append([array[chosen] for array in arrays])
        episodes += len(lengths)
    state, action, next_state, episode = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    part = np.repeat(np.arange(len(parts)), [len(of_part[-1]) for of_part in parts])
    return Coverage(task_schema(known).visible(), state, action, next_state, Origin(episode, part))


def as_known(task: Task, battery: Battery) -> Battery:
    """Transitions of a task, or of one in disguise, as those of the task as it is known."""
    return _moved(task, battery, back=True)


def as_disguised(task: Task, battery: Battery) -> Battery:
    """Transitions of a task as it is known as those of the task: the other way."""
    return _moved(task, battery, back=False)


def _moved(task: Task, battery: Battery, *, back: bool) -> Battery:
    world = task.world
    if not isinstance(world, DisguisedWorld):
        return battery
    known = task_schema(task.undisguised).visible()
    columns, actions = world.columns(known), np.array(world.actions)
    if back:
        columns, actions = np.argsort(columns), np.argsort(actions)
    schema = known if back else task_schema(task).visible()
    state, next_state = (array.take(columns, axis=1) for array in (battery.state, battery.next_state))
    return Battery(schema, state, battery.action.take(actions, axis=1), next_state)


def _shares(rows: int, policies: int) -> list[int]:
    """How many rows come from random actions, and from each policy."""
    if not policies:
        return [rows]
    return [rows - rows // 2, *(part.size for part in np.array_split(np.arange(rows // 2), policies))]


def _play(task: Task, act: Acting, count: int, generator: np.random.Generator) -> tuple[Battery, list[int]]:
    """All transitions of some whole episodes, one after another, and how many each has."""
    schema = task_schema(task).visible()
    found: dict[int, tuple[Array, Array]] = {}

    def keep(index: int, episode: Episode) -> None:
        packed = np.empty((len(episode.action) + 1, schema.width))
        for path, columns in schema.columns.items():
            packed[:, columns] = attrgetter(path)(episode.state).reshape(len(packed), -1)
        found[index] = packed, episode.action

    seeds = generator.integers(2**31, size=count)
    play(task, act, seeds, set(schema.by_path), keep, num_envs=min(count, rows_of(act, task)))
    episodes = [found[index] for index in range(count)]
    battery = Battery(
        schema,
        np.concatenate([states[:-1] for states, _ in episodes]),
        np.concatenate([actions for _, actions in episodes]),
        np.concatenate([states[1:] for states, _ in episodes]),
    )
    return battery, [len(actions) for _, actions in episodes]


class _Held:
    """Random actions; in every other row each is held for some steps."""

    def __init__(self, task: Task, seed: int) -> None:
        self._draw, self._calls = random_policy(task, seed), 0
        self._last: Array = np.zeros((0, 0))

    def __call__(self, observations: Array) -> Array:
        fresh = self._draw(observations)
        if self._calls % HELD == 0 or len(self._last) != len(fresh):
            self._last = fresh.copy()
        self._calls += 1
        fresh[::2] = self._last[::2]
        return fresh


class _Mixed:
    """A policy that now and then acts at random."""

    def __init__(self, task: Task, act: Acting, seed: int) -> None:
        self.observe_time = bool(getattr(act, "observe_time", False))
        self.rows = rows_of(act, task)
        self._act, self._draw, self._generator = act, random_policy(task, seed), np.random.default_rng(seed)

    @contextmanager
    def ready(self, task: Task, rows: int) -> Iterator[Ready]:
        """See `scoring.Planning`."""
        with ready(self._act, task, rows) as acting:

            def choose(episodes: Episodes, observations: Array) -> Array:
                strange = self._generator.random((len(observations), 1)) < STRANGE
                return np.where(strange, self._draw(observations), acting.choose(episodes, observations))

            yield Ready(acting.fields, choose)
