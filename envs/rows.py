"""Environments that each step on their own, as one batch (`task.Batch`): in this process, or shared out among workers.

A world whose simulator steps one environment at a time gives its `Row`; `RowBatch` does the rest. Observations and
packed states lie in memory that workers share: a step costs one short message each way and no pickle of arrays.

An episode is determined by its seed and its actions, so these are all that `save` keeps: `restore` plays them again.
"""

from __future__ import annotations

import multiprocessing
import pickle
import traceback
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, NamedTuple, Protocol, cast

import gymnasium
import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.task_files import pack
from reward_agent.errors import RewardAgentError, UsageError
from reward_agent.schema import Array, StateSchema
from reward_agent.task import ActionSpace as ActionSpace
from reward_agent.task import Bools, Ints, Screen, Step


class RowStep(NamedTuple):
    """What one step of one environment leaves behind."""

    observation: Array
    """`(O,)`."""
    terminated: bool
    truncated: bool
    """By a limit of the environment's own; the horizon is the task's."""


class Row(Protocol):
    """One environment. Nothing of an episode may depend on what came before its `reset`."""

    observation_space: gymnasium.spaces.Box
    """Of flat observations, `(O,)`."""
    action_space: ActionSpace

    def reset(self, seed: int) -> Array:
        """Begin an episode from `seed` alone; the observation `(O,)`."""
        ...

    def step(self, action: Array) -> RowStep:
        """Apply an action `(A,)` within the bounds; for a discrete space, `(1,)` holds its number."""
        ...

    def state(self) -> Array:
        """The fields that were asked for, exact at this instant and packed in their order, `(D,)`."""
        ...

    def render(self) -> NDArray[np.uint8]:
        """An image `(H, W, 3)`."""
        ...

    def close(self) -> None: ...


class TextRow(Row, Protocol):
    """A row that can be read as text."""

    def screen(self) -> Screen:
        """As it is now."""
        ...


class RowBatch:
    """N rows that step together (`task.Batch`).

    Args:
        make: makes one row that packs `fields`; sent to workers where there are several.
        num_envs: N.
        fields: what rows pack.
        workers: processes that step them; 1 steps them here.

    Raises:
        UsageError: `make` cannot be sent to other processes.
        RewardAgentError: an environment failed in a worker (here, its own exception is raised).
    """

    def __init__(self, make: Callable[[], Row], num_envs: int, fields: StateSchema, *, workers: int = 1) -> None:
        self.num_envs, self.schema = num_envs, fields
        # the first row is made here in any case: it tells the spaces, and fails with its own exception if it must
        first = make()
        self.observation_space, self.action_space = first.observation_space, first.action_space
        self._groups: list[_Here | _Worker]
        width = self.observation_space.shape[0], fields.width
        if min(workers, num_envs) <= 1:
            rows = [first, *(make() for _ in range(num_envs - 1))]
            self._groups = [_Here(rows, _Memory.private(num_envs, *width))]
        else:
            first.close()  # nobody steps or draws it: what it holds is not kept beside the workers'
            shares = np.array_split(np.arange(num_envs), min(workers, num_envs))
            self._groups = [_Worker(make, len(share), *width) for share in shares]
        bounds = np.cumsum([0, *(group.memory.rows for group in self._groups)])
        self._slices = [slice(int(a), int(b)) for a, b in pairwise(bounds)]
        self._seeds: Ints = np.zeros(num_envs, np.int64)
        self._begun: Bools = np.zeros(num_envs, bool)
        self._played: list[list[Array]] = [[] for _ in range(num_envs)]

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        """See `task.Batch`."""
        for row in np.flatnonzero(mask).tolist():
            self._seeds[row], self._begun[row], self._played[row] = seeds[row], True, []
        self._ask([("reset", (np.asarray(mask)[part], np.asarray(seeds)[part])) for part in self._slices])
        return self._joined("observations"), self._joined("states")

    def step(self, actions: Array) -> Step:
        """See `task.Batch`."""
        for row, action in enumerate(actions):
            self._played[row].append(np.array(action, np.float64))
        self._ask([("step", actions[part]) for part in self._slices])
        ends = self._joined("ends").astype(bool)
        return Step(self._joined("observations"), self._joined("states"), ends[:, 0].copy(), ends[:, 1].copy())

    def render(self, row: int) -> NDArray[np.uint8]:
        """An image of one row; drawn where it lives."""
        image: NDArray[np.uint8] = self._call("render", row)
        return image

    def save(self) -> dict[str, NDArray[Any]]:
        """Seeds and actions of the running episodes, and what was observed last."""
        width = max((len(action) for played in self._played for action in played), default=1)
        lengths = np.array([len(played) for played in self._played])
        actions = np.zeros((self.num_envs, int(lengths.max(initial=0)), width))
        for row, played in enumerate(self._played):
            if played:
                actions[row, : len(played)] = played
        return {
            "seeds": self._seeds.copy(),
            "begun": self._begun.copy(),
            "lengths": lengths,
            "actions": actions,
            "observations": self._joined("observations"),
        }

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Play the saved episodes again, up to where they were.

        Raises:
            RewardAgentError: one has come out otherwise, for more than its seed and its actions decide it.
        """
        self._seeds, self._begun = saved["seeds"].copy(), saved["begun"].copy()
        self._played = [
            [action.copy() for action in actions[:length]]
            for actions, length in zip(saved["actions"], saved["lengths"], strict=True)
        ]
        self._ask([("replay", (self._begun[part], self._seeds[part], self._played[part])) for part in self._slices])
        # not the states: another selection of fields may be packed here
        now, then = self._joined("observations"), saved["observations"]
        same = ((now == then) | (np.isnan(now) & np.isnan(then))).all(axis=1)
        if not same[self._begun].all():
            row = int(np.flatnonzero(self._begun & ~same)[0])
            raise RewardAgentError(
                f"The episode of environment {row}, from seed {self._seeds[row]}, came out otherwise when it was "
                "played again, so a training cannot go on from where it was. More than its seed and its actions "
                "decide it: `reward-agent doctor --world TASK` finds where."
            )

    def close(self) -> None:
        """May be called twice."""
        groups, self._groups = self._groups, []
        for group in groups:
            group.close()

    def _call(self, what: str, row: int) -> Any:
        """One row, where it lives."""
        for group, part in zip(self._groups, self._slices, strict=True):
            if part.start <= row < part.stop:
                return group.call(what, row - part.start)
        raise IndexError(row)

    def _ask(self, requests: Sequence[tuple[str, Any]]) -> None:
        """All groups at once. Every answer is taken before an error is raised: none is left for the next question."""
        failed: list[RewardAgentError] = []
        try:
            for group, (what, argument) in zip(self._groups, requests, strict=True):
                group.begin(what, argument)
            for group in self._groups:
                try:
                    group.finish()
                except RewardAgentError as error:
                    failed.append(error)
        except KeyboardInterrupt:
            self.close()  # between question and answer, it can be asked nothing more
            raise
        if failed:
            raise failed[0]

    def _joined(self, what: str) -> Array:
        """A fresh array of all rows'."""
        return np.concatenate([getattr(group.memory, what) for group in self._groups])


class TextRowBatch(RowBatch):
    """Rows that can be read as text (`task.OnScreen`); `make` makes a `TextRow`."""

    def screen(self, row: int) -> Screen:
        """See `task.OnScreen`."""
        screen: Screen = self._call("screen", row)
        return screen


class _Memory:
    """What a group of rows leaves to be read: observations, packed states, and how the step ended."""

    def __init__(self, buffer: Any, rows: int, observed: int, packed: int) -> None:
        self.rows = rows
        table = np.frombuffer(buffer, np.float64).reshape(rows, observed + packed + 2)
        self.observations, self.states = table[:, :observed], table[:, observed : observed + packed]
        self.ends = table[:, observed + packed :]
        """Terminated, truncated."""

    @classmethod
    def private(cls, rows: int, observed: int, packed: int) -> _Memory:
        return cls(bytearray(8 * rows * (observed + packed + 2)), rows, observed, packed)


class _Here:
    """Rows of this process."""

    def __init__(self, rows: Sequence[Row], memory: _Memory) -> None:
        self.rows, self.memory = rows, memory
        self._result: Any = None

    def begin(self, what: str, argument: Any) -> None:
        self._result = getattr(self, f"_{what}")(argument)

    def finish(self) -> Any:
        return self._result

    def call(self, what: str, argument: Any) -> Any:
        self.begin(what, argument)
        return self.finish()

    def close(self) -> None:
        for row in self.rows:
            row.close()

    def _reset(self, argument: tuple[Bools, Ints]) -> None:
        mask, seeds = argument
        for index in np.flatnonzero(mask).tolist():
            self.memory.observations[index] = self.rows[index].reset(int(seeds[index]))
            self.memory.states[index] = self.rows[index].state()

    def _step(self, actions: Array) -> None:
        for index, (row, action) in enumerate(zip(self.rows, actions, strict=True)):
            step = row.step(action)
            self.memory.observations[index], self.memory.states[index] = step.observation, row.state()
            self.memory.ends[index] = step.terminated, step.truncated

    def _replay(self, argument: tuple[Bools, Ints, Sequence[Sequence[Array]]]) -> None:
        begun, seeds, played = argument
        for index in np.flatnonzero(begun).tolist():
            row = self.rows[index]
            self.memory.observations[index] = row.reset(int(seeds[index]))
            for action in played[index]:
                step = row.step(action)
                self.memory.observations[index] = step.observation
                self.memory.ends[index] = step.terminated, step.truncated
            self.memory.states[index] = row.state()

    def _render(self, index: int) -> NDArray[np.uint8]:
        return self.rows[index].render()

    def _screen(self, index: int) -> Screen:
        return cast(TextRow, self.rows[index]).screen()


class _Worker:
    """Rows of another process. It ends when this one does, however that goes."""

    def __init__(self, make: Callable[[], Row], rows: int, observed: int, packed: int) -> None:
        context = multiprocessing.get_context("spawn")
        buffer = context.RawArray("d", rows * (observed + packed + 2))
        self.memory = _Memory(buffer, rows, observed, packed)
        self._ours, theirs = context.Pipe()
        try:
            packed_make = pack(make)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise UsageError(
                f"{error}. Several threads step environments in processes of their own, which must be able to import "
                "what makes them: define it in a module, or set `threads` to 1."
            ) from error
        self._process: SpawnProcess = context.Process(
            target=_serve, args=(theirs, packed_make, buffer, rows, observed, packed), daemon=True
        )
        self._process.start()
        theirs.close()

    def begin(self, what: str, argument: Any) -> None:
        try:
            self._ours.send((what, argument))
        except (BrokenPipeError, ConnectionResetError):
            return  # `finish` tells that it is gone

    def finish(self) -> Any:
        try:
            failed, value = self._ours.recv()
        except (EOFError, ConnectionResetError) as error:
            self._process.join()
            raise RewardAgentError(
                f"A process that steps environments ended with exit code {self._process.exitcode}. "
                "With `threads` set to 1 they step in the training's own process, which shows where it fails."
            ) from error
        if failed:
            raise RewardAgentError(f"An environment failed:\n{value}")
        return value

    def call(self, what: str, argument: Any) -> Any:
        self.begin(what, argument)
        return self.finish()

    def close(self) -> None:
        self._ours.close()
        self._process.join(5.0)
        self._process.kill()
        self._process.join()


def _serve(connection: Connection, make: bytes, buffer: Any, rows: int, observed: int, packed: int) -> None:
    """A worker's life: requests until the other end of the pipe is gone."""
    group: _Here | None = None
    while True:
        try:
            what, argument = connection.recv()
        except (EOFError, ConnectionResetError, KeyboardInterrupt):
            break
        try:
            if group is None:
                row_of: Callable[[], Row] = pickle.loads(make)
                group = _Here([row_of() for _ in range(rows)], _Memory(buffer, rows, observed, packed))
            answer = False, group.call(what, argument)
        except Exception:
            answer = True, traceback.format_exc()
        try:
            connection.send(answer)
        except (BrokenPipeError, ConnectionResetError):
            break
    if group:
        group.close()
