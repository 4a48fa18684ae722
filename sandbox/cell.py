"""The trusted side of a cell: gives a program and packed rows, takes numbers, believes nothing."""

from __future__ import annotations

import json
import warnings
from types import TracebackType
from typing import NamedTuple

import numpy as np

from reward_agent.errors import UsageError
from reward_agent.program import Fault, Program, Rewards
from reward_agent.sandbox import launch, protocol
from reward_agent.sandbox.launch import Layers
from reward_agent.sandbox.limits import Limits
from reward_agent.sandbox.process import CellDiedError, CellProcess, Reply
from reward_agent.sandbox.text import clean
from reward_agent.schema import Array, StateSchema

__all__ = ["Cell", "Limits"]

_CACHED_SIZES = 32


class _Chunk(NamedTuple):
    """Our views of the shared memories for a number of rows."""

    state: Array
    action: Array
    next_state: Array
    results: Array
    """Total and terms, `(1 + K, n)`."""
    cpu_seconds: float
    """Limit of one call."""


class Cell:
    """A locked process that runs one reward program.

    Start it ahead of need: without a program a cell is warm, and `load` then takes milliseconds. The process ends
    with the *thread* that made the cell, so make it in one that lives as long.

        with Cell() as cell:
            names = cell.load(program, schema, sample=(state, action, next_state))
            rewards = cell(state, action, next_state)

    Args:
        limits: what the program may take.
        unsafe: run a plain process without layers, at the user's word.

    Raises:
        MissingComponentError: this machine lacks what would lock the process, or a layer did not take.
    """

    def __init__(self, *, limits: Limits | None = None, unsafe: bool = False, _layers: Layers | None = None) -> None:
        self.limits = limits or Limits()
        layers = _layers or (launch.UNSAFE if unsafe else launch.choose_layers())
        self._process = CellProcess(layers, self.limits)
        self.layers = ("unsafe",) if unsafe else _names(layers, self._process)
        """The layers in force, outermost first; `("unsafe",)` when there is none."""
        self._program: Program | None = None
        self._terms: tuple[str, ...] = ()
        self._chunks: dict[int, _Chunk] = {}

    @property
    def alive(self) -> bool:
        """It can still answer: neither closed nor killed nor crashed."""
        return self._process.alive

    @property
    def output(self) -> str:
        """What the program printed, cleaned and bounded: data, to be marked as such wherever it goes."""
        return clean(self._process.printed)

    def load(
        self, program: Program, schema: StateSchema, sample: tuple[Array, Array, Array]
    ) -> tuple[str, ...] | Fault:
        """Compile and import the program for rows packed by `schema`, and run it once to learn its terms.

        Args:
            program: the only one this cell takes, as nothing can clean up after it.
            schema: fields in packing order, constants and action.
            sample: state `(n, D)`, action `(n, A)` and next state `(n, D)` of a few real rows.

        Returns:
            The names of its terms in their order, or what is wrong with the program.

        Raises:
            UsageError: the cell has had a program, a sample of another shape, or a row larger than its memory.
        """
        if self._program is not None:
            raise UsageError("This cell has had its program; make a new Cell for the next one.")
        request = {
            "source": program.source,
            "entry": program.entry,
            "schema": schema.to_json(),
            "state_columns": schema.width,
            "action_columns": schema.action.width,
        }
        data = json.dumps(request).encode()
        inputs, outputs = self._process.inputs, self._process.outputs
        self._columns = schema.width, schema.action.width
        self._capacity = protocol.capacity(len(inputs), len(outputs), *self._columns)
        if self._capacity == 0 or len(data) > len(inputs):
            raise UsageError(f"A row of {schema.width} columns, or the program, is larger than the cell's memory.")
        self._program = program
        inputs[: len(data)] = data
        loaded = self._ask(protocol.LOAD, len(data), self.limits.load_seconds)
        if isinstance(loaded, Fault):
            return loaded
        state, action, next_state = (array[: self._capacity] for array in sample)
        chunk = self._fill(state, action, next_state)
        learnt = self._ask(protocol.SAMPLE, len(state), chunk.cpu_seconds + self.limits.load_seconds)
        if isinstance(learnt, Fault):
            return learnt
        names = tuple(self._text(learnt).split("\n")) if learnt.size else ()
        if len(names) > protocol.MAX_TERMS or len(set(names)) != len(names) or not all(map(_is_name, names)):
            return self._distrust("the names it gave its terms are not valid")
        self._terms = names
        self._chunks.clear()
        return names

    def __call__(self, state: Array, action: Array, next_state: Array) -> Rewards | Fault:
        """Rewards of n transitions: `state` `(n, D)`, `action` `(n, A)`, `next_state` `(n, D)`.

        Numbers are as the program gave them, finite or not. After a fault the cell may be dead (`alive`); a dead
        one gives its last fault again.

        Raises:
            UsageError: the cell has no program, or an array has another shape.
        """
        n = len(state)
        if self._program is None:
            raise UsageError("This cell has no program yet; call load first.")
        if n > self._capacity or n == 0:
            return self._in_chunks(state, action, next_state)
        chunk = self._fill(state, action, next_state)
        answer = self._ask(protocol.CALL, n, chunk.cpu_seconds)
        if isinstance(answer, Fault):
            return answer
        if answer.size != len(self._terms):
            return self._distrust("its reply has another number of terms")
        # copied, as the program can change what lies there at any time
        results = chunk.results.copy()
        return Rewards(results[0], results[1:].T)

    def close(self) -> None:
        """End the process. May be called twice."""
        self._process.close()

    def __enter__(self) -> Cell:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, kind: int, count: int, cpu_seconds: float) -> Reply | Fault:
        try:
            reply = self._process.ask(kind, count, cpu_seconds)
        except CellDiedError as died:
            return _ended(str(died))
        if reply.status == protocol.OK:
            return reply
        if reply.size > protocol.MAX_TEXT:
            return self._distrust("the text of its fault is too long")
        assert self._program is not None
        lines = self._program.source.count("\n") + 1
        return Fault("probe", clean(self._text(reply)), reply.line if 0 < reply.line <= lines else None)

    def _distrust(self, reason: str) -> Fault:
        """It gave what no worker gives: something tampers with it."""
        self._process.kill(reason)
        return _ended(reason)

    def _text(self, reply: Reply) -> str:
        return self._process.outputs[: min(reply.size, protocol.MAX_TEXT)].decode("utf-8", "replace")

    def _fill(self, state: Array, action: Array, next_state: Array) -> _Chunk:
        n = len(state)
        chunk = self._chunks.get(n) or self._make_chunk(n)
        if state.shape != chunk.state.shape or next_state.shape != state.shape or action.shape != chunk.action.shape:
            shapes = f"{state.shape}, {action.shape} and {next_state.shape}"
            expected = f"({n}, {self._columns[0]}), ({n}, {self._columns[1]}) and ({n}, {self._columns[0]})"
            raise UsageError(f"State, action and next state have shapes {shapes}; this program takes {expected}.")
        chunk.state[...] = state
        chunk.action[...] = action
        chunk.next_state[...] = next_state
        return chunk

    def _make_chunk(self, n: int) -> _Chunk:
        (state, action), rows = self._columns, self._capacity
        if len(self._chunks) >= _CACHED_SIZES:
            self._chunks.clear()
        packed = [
            np.ndarray((rows, columns), np.float64, self._process.inputs, protocol.FLOAT * rows * before)[:n]
            for columns, before in ((state, 0), (state, state), (action, 2 * state))
        ]
        results = np.ndarray((1 + protocol.MAX_TERMS, rows), np.float64, self._process.outputs)
        seconds = self.limits.call_seconds + n * self.limits.row_seconds
        chunk = _Chunk(packed[0], packed[2], packed[1], results[: 1 + len(self._terms), :n], seconds)
        self._chunks[n] = chunk
        return chunk

    def _in_chunks(self, state: Array, action: Array, next_state: Array) -> Rewards | Fault:
        total, terms = np.empty(len(state)), np.empty((len(state), len(self._terms)))
        for at in range(0, len(state), self._capacity):
            part = slice(at, at + self._capacity)
            rewards = self(state[part], action[part], next_state[part])
            if isinstance(rewards, Fault):
                return rewards
            total[part], terms[part] = rewards
        return Rewards(total, terms)


def _ended(reason: str) -> Fault:
    return Fault("probe", f"The program's process was ended: {reason}.")


def _is_name(text: str) -> bool:
    return text.isidentifier() and len(text) <= protocol.MAX_NAME


def _names(layers: Layers, process: CellProcess) -> tuple[str, ...]:
    if layers.landlock and not layers.bubblewrap and process.landlock < launch.GOOD_LANDLOCK:
        warnings.warn(
            f"Reward programs are locked without bubblewrap by Landlock version {process.landlock}, "
            f"which does not hold signals. Better: `{launch.INSTALL_BUBBLEWRAP}`.",
            RuntimeWarning,
            stacklevel=3,
        )
    have = {
        "bubblewrap": layers.bubblewrap,
        f"landlock {process.landlock}": layers.landlock,
        "seccomp": layers.seccomp,
        "rlimits": layers.rlimits,
        "sealed memory": layers.sealed,
        "watchdog": process.watched,
    }
    return tuple(name for name, in_force in have.items() if in_force)
