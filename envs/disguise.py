"""A task in disguise: its things under other names, its world turned, its scores the same to the last bit.

The rewards of benchmarks are public, and models know them. What a model writes for the disguised task it cannot recite:
the names are others, and so are the axes. The components of every vector change places (a turn of the frame by 120°
about its diagonal: nothing is mirrored; quaternions, angular velocities and sizes along a body's own axes turn by the
same permutation), and so do columns of actions along x, y and z. Nothing is computed, so nothing is rounded: metrics,
terminations and the simulator are handed exactly what they would have had.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.episodes import PREVIOUS_ACTION, START, task_schema
from reward_agent.envs.registry import DISGUISE, worlds
from reward_agent.envs.turning import action_order, along_axes, field_order
from reward_agent.envs.wording import TURNS, Wording, read_words
from reward_agent.errors import UsageError
from reward_agent.schema import ActionSpec, Array, Constant, Entity, StateSchema
from reward_agent.task import Batch, Bools, Episode, Ints, Metric, Step, Task, Termination, World

FILE = "disguise.toml"
"""Beside a world's cards: the words that give its tasks away, and what stands for them."""
PIN = "#"
_PINNED = re.compile(rf"(.+){PIN}([0-9a-f]{{8}})", re.DOTALL)


def disguise(task: Task, how: int | Path = 0) -> Task:
    """The task in other words and other axes, with the same scores for the same seeds and (turned) actions.

    Args:
        task: one that is not disguised.
        how: a seed, of which way the frame is turned, with the words of the task's world; or a file of words (TOML): a
            table `[words]` and, if wished, `instruction`, `control` and `axes` (`yzx` or `zxy`).

    Raises:
        UsageError: the task is disguised, or its world has no words, or they give a name twice or leave a word in.
    """
    if task.disguised_from is not None:
        raise UsageError(f"{task.id} is disguised already.")
    wording = _wording(task, how)
    world = DisguisedWorld(task.world, wording, task.hide, dict(task.rename))
    rule = task.terminates
    if isinstance(rule, Termination):
        rule = Termination(wording.prose(rule.doc), world.paths(rule.fields), _Ends(rule, world))
    made = replace(
        task,
        id=f"{task.id}{DISGUISE}{wording.name}",
        instruction=wording.instruction or wording.prose(task.instruction),
        control=wording.control or wording.prose(task.control),
        world=world,
        metrics=tuple(
            replace(m, doc=wording.prose(m.doc), fields=world.paths(m.fields), score=_Score(m, world))
            for m in task.metrics
        ),
        terminates=rule,
        goal=world.paths((task.goal,))[0] if task.goal else "",
        subgoals=(),
        hide=(),
        rename={},
        expert=None,
        benchmark="",
        disguised_from=task,
    )
    _check(made, wording)
    return made


@dataclass(frozen=True)
class DisguisedWorld:
    """A world under other names and turned (`task.World`); `hide` and `rename` are those of the task."""

    inner: World
    wording: Wording
    hide: tuple[str, ...]
    rename: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def dt(self) -> float:
        return self.inner.dt

    @property
    def parallel_envs(self) -> int:
        return self.inner.parallel_envs

    @cached_property
    def known(self) -> StateSchema:
        """What an episode's state was before, with the fields that every episode has."""
        return task_schema(Task("known", "", self.inner, 1, (), hide=self.hide, rename=self.rename))

    @property
    def actions(self) -> tuple[int, ...]:
        """Columns of actions: the disguised one is `action[:, actions]`."""
        return action_order(self.known.action, self.wording.order)

    def schema(self) -> StateSchema:
        """Every field, in the order of the world's own."""
        plain, said = self.inner.schema().edit(hide=self.hide, rename=self.rename), self.wording
        return StateSchema(
            fields=tuple(replace(f, path=said.path(f.path), doc=said.prose(f.doc)) for f in plain.fields),
            entities=tuple(Entity(said.path(e.name), said.kind(e.kind), said.prose(e.doc)) for e in plain.entities),
            action=_action(plain.action, said, self.actions),
            constants=tuple(_constant(constant, said) for constant in plain.constants),
            up=cast(Literal["x", "y", "z"], said.up),
        )

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> DisguisedBatch:
        """A batch that packs just `fields`, a selection of `schema()`."""
        native = self.inner.schema()
        wanted = [n.path for n, f in zip(native.fields, self.schema().fields, strict=True) if f.path in fields]
        selected = native.select(wanted)
        return DisguisedBatch(
            self.inner.make(num_envs, selected, threads=threads), fields, self.columns(selected), self.actions
        )

    def missing(self) -> str | None:
        return self.inner.missing()

    def paths(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """The new paths of fields of an episode."""
        return tuple(self._path(path) for path in known)

    def columns(self, schema: StateSchema) -> NDArray[np.int64]:
        """Of states packed by some of `known`'s (or of the world's own) fields: the disguised are `[:, columns]`."""
        found: list[int] = []
        for field, columns in zip(schema.fields, schema.columns.values(), strict=True):
            own = self.actions if field.path == PREVIOUS_ACTION else field_order(field, self.wording.order)
            found += [columns.start + column for column in own]
        return np.array(found, np.int64)

    def undone(self, state: SimpleNamespace, paths: tuple[str, ...]) -> SimpleNamespace:
        """A view of a state as it was before, of the fields of these (known) paths."""
        schema = self.known.select(paths)
        values = [np.asarray(attrgetter(self._path(field.path))(state)) for field in schema.fields]
        leading = values[0].shape[: values[0].ndim - len(schema.fields[0].shape)] if values else ()
        packed = np.empty((*leading, schema.width))
        flat = [value.reshape(*leading, field.width) for value, field in zip(values, schema.fields, strict=True)]
        packed[..., self.columns(schema)] = np.concatenate(flat, axis=-1) if flat else packed
        return schema.view(packed)

    def _path(self, path: str) -> str:
        start = START if path.startswith(START) else ""
        bare = path.removeprefix(start)
        return path if bare.startswith("episode.") else start + self.wording.path(bare)


class DisguisedBatch:
    """N environments whose states and actions are turned (`task.Batch`). What a policy observes stays as it is."""

    def __init__(self, inner: Batch, fields: StateSchema, index: NDArray[np.int64], actions: tuple[int, ...]) -> None:
        self.num_envs, self.schema = inner.num_envs, fields
        space: Any = inner.action_space
        self.observation_space, order = inner.observation_space, list(actions)
        self.action_space: Any = space
        """Its columns turned; one of numbers stays as it is."""
        if isinstance(space, gymnasium.spaces.Box):
            self.action_space = gymnasium.spaces.Box(space.low[order], space.high[order], dtype=np.float32)
        self._inner, self._index, self._back = inner, index, np.argsort(actions)

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        observations, states = self._inner.reset(mask, seeds)
        return observations, states.take(self._index, axis=1)

    def step(self, actions: Array) -> Step:
        step = self._inner.step(actions.take(self._back, axis=1))
        return step._replace(states=step.states.take(self._index, axis=1))

    def render(self, row: int) -> NDArray[np.uint8]:
        return self._inner.render(row)

    def save(self) -> dict[str, NDArray[Any]]:
        return self._inner.save()

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        self._inner.restore(saved)

    def close(self) -> None:
        self._inner.close()


@dataclass(frozen=True)
class _Score:
    """A metric that is handed the episode as it would have been."""

    metric: Metric
    world: DisguisedWorld

    def __call__(self, episode: Episode) -> float:
        return self.metric.score(
            episode._replace(
                state=self.world.undone(episode.state, self.metric.fields),
                # row by row in memory, as it was: sums over columns would else round in another order
                action=episode.action.take(np.argsort(self.world.actions), axis=1),
                constants=self.world.known.constants_view(),
            )
        )


@dataclass(frozen=True)
class _Ends:
    """A termination likewise."""

    rule: Termination
    world: DisguisedWorld

    def __call__(self, state: SimpleNamespace) -> Bools:
        return self.rule.ends(self.world.undone(state, self.rule.fields))


def _action(action: ActionSpec, wording: Wording, order: tuple[int, ...]) -> ActionSpec:
    # columns that are turned keep their letters, which number them
    along = {column for columns in along_axes(action) for column in columns}
    names = (wording.said(n) if i in along else wording.prose(n) for i, n in enumerate(action.names))
    low, high = (tuple(bound[i] for i in order) if bound else () for bound in (action.low, action.high))
    return replace(action, names=tuple(names), low=low, high=high)


def _constant(constant: Constant, wording: Wording) -> Constant:
    value = constant.value
    if constant.is_spatial and isinstance(value, tuple):
        value = tuple(value[index] for index in wording.order)
    return replace(constant, name=wording.identifier(constant.name), value=value, doc=wording.prose(constant.doc))


def _wording(task: Task, how: int | Path) -> Wording:
    if isinstance(how, Path):
        file, pinned = unpinned(how)
        given, turn, name = read_words(file), TURNS[0], f"{file.stem}-{_digest(file)}"
        if pinned and pinned != _digest(file):
            raise UsageError(
                f"The words of {file} are others than when this was begun ({pinned} then, {_digest(file)} now), so it "
                "would be another task. Bring the file back as it was, or begin anew."
            )
    else:
        path = words_of(task.world.name)
        if path is None or not path.is_file():
            raise UsageError(
                f"The world of {task.id} has no words to disguise it with. Give a file of your own, `--disguise FILE`: "
                'a table `[words]` of lines as `drawer = "slider A"` and, if wished, an `instruction`.'
            )
        given, turn, name = read_words(path), TURNS[how % len(TURNS)], str(how)
    return Wording(given.words, given.axes or turn, given.instruction, given.control, name)


def pinned(how: str | Path) -> str:
    """A file of words by its whole path and what it holds, as `/home/me/beads.toml#0123abcd`: so it is kept in a run.

    Raises:
        UsageError: it cannot be read.
    """
    file, digest = unpinned(how)
    file = file.resolve()
    read_words(file)
    return f"{file}{PIN}{digest or _digest(file)}"


def unpinned(how: str | Path) -> tuple[Path, str]:
    """The file, and the digest that it is kept with; empty where there is none. What is a file as it stands is one."""
    found = None if Path(how).is_file() else _PINNED.fullmatch(str(how))
    return (Path(found[1]), found[2]) if found else (Path(how), "")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:8]


def words_of(world: str) -> Path | None:
    """Where a world's words are, if it has any; None where no world is found by that name."""
    module = worlds().get(world)
    return Path(module.__file__).parent / FILE if module is not None and module.__file__ else None


def _check(task: Task, wording: Wording) -> None:
    """Raises `UsageError` where the disguise would not hold."""
    schema = task_schema(task)
    named = {
        "fields": [field.path for field in schema.fields],
        "entities": [entity.name for entity in schema.entities],
        "constants": [constant.name for constant in schema.constants],
    }
    for what, names in named.items():
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise UsageError(f"The disguise of {task.id} gives several {what} the name {twice!r}: use other words.")
    ending = task.terminates.doc if isinstance(task.terminates, Termination) else ""
    for text in (task.instruction, task.control, ending, schema.visible().render()):
        if (left := wording.left_in(text)) is not None:
            raise UsageError(f"The disguise of {task.id} leaves {left!r} in what is said of it: use other words.")
