"""Inside the cell: takes requests, runs the program, writes what it gives. Standard library and numpy only.

Nothing here protects anything: the program shares this process and may do with it what the layers allow. The
checks are for honest mistakes, so that the model hears of them in its own terms; the parent checks again.
"""

from __future__ import annotations

import builtins
import contextlib
import difflib
import json
import mmap
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from reward_agent.sandbox import protocol
from reward_agent.sandbox.helpers import HELPERS
from reward_agent.sandbox.views import Rows, constants

FILENAME = "reward.py"
"""What the program's source is called in its own tracebacks."""
_CACHED_SIZES = 32
_CONTRACT = "Return the total and the dict of its terms: `return sum(terms.values()), terms`."
_SUBGOALS_CONTRACT = 'Return a dict of bool arrays (N,) by subgoal: `return {"name": reached, ...}`.'
_SUBGOALS = "subgoals"
"""The entry of a program that says which subgoals were reached; any other gives a reward."""
_HINTS = {
    "truth value of an array": "An array has one value for each environment and cannot decide an `if`, `and`, `or`, "
    "`not`, `max` or `a < b < c`: use `np.where(condition, a, b)`, `&`, `|`, `~`, `np.maximum`, `(a < b) & (b < c)`.",
    "read-only": "Inputs cannot be changed: make a new array (`z = z - 1.0`, `np.where`).",
    "can be converted to Python scalars": "`float()`, `int()` and `math` take one number, not an array: leave them "
    "out, or use numpy's function, as `np.exp`.",
    "'Namespace'": "A part of the state is no array: name one of its fields, as `next_state.torso.position`.",
    "too many indices": "A quantity `(N,)` has one value for each environment and no columns: leave out `[:, i]`.",
    "'numpy.ndarray' object has no attribute": "The fields are arrays: component 2 of a vector is `[:, 2]`.",
}
"""What to do instead, by what Python and numpy say."""


class ContractError(Exception):
    """The program ran, but gave something else than a total and named terms."""


@dataclass(frozen=True)
class Channels:
    """Descriptors and sizes the parent handed over."""

    requests: int
    replies: int
    inputs: int
    outputs: int
    input_bytes: int
    output_bytes: int


def serve(channels: Channels, report: int) -> None:
    """Say that all is ready (with `report`, the Landlock version in force) and answer until the parent hangs up."""
    worker = _Worker(
        mmap.mmap(channels.inputs, channels.input_bytes, mmap.MAP_SHARED, mmap.PROT_READ),
        mmap.mmap(channels.outputs, channels.output_bytes),
    )
    os.close(channels.inputs)
    os.close(channels.outputs)
    os.write(channels.replies, protocol.REPLY.pack(0, protocol.READY, report, 0))
    while len(request := os.read(channels.requests, protocol.REQUEST.size)) == protocol.REQUEST.size:
        sequence, kind, count = protocol.REQUEST.unpack(request)
        os.write(channels.replies, protocol.REPLY.pack(sequence, *worker.answer(kind, count)))


class _Worker:
    """The loaded program and the arrays it works on."""

    def __init__(self, inputs: mmap.mmap, outputs: mmap.mmap) -> None:
        self._inputs, self._outputs = inputs, outputs
        self._entry: Callable[..., Any] | None = None
        self._says_subgoals = False
        self._names: tuple[str, ...] = ()
        self._rows: dict[int, tuple[Rows, Any]] = {}

    def answer(self, kind: int, count: int) -> tuple[int, int, int]:
        """Status, count and line of the reply."""
        try:
            if kind == protocol.CALL:
                self._call(count)
                return protocol.OK, len(self._names), 0
            if kind == protocol.LOAD:
                return protocol.OK, self._load(json.loads(self._inputs[:count])), 0
            return protocol.OK, self._sample(count), 0
        except BaseException as error:  # also SystemExit and KeyboardInterrupt: whatever a program raises is its fault
            line = self._return_line(count) if isinstance(error, ContractError) and kind != protocol.LOAD else 0
            return protocol.FAULT, self._say(_message(error)), line or _line(error)

    def _load(self, request: dict[str, Any]) -> int:
        self._schema = request["schema"]
        state, action = request["state_columns"], request["action_columns"]
        rows = protocol.capacity(len(self._inputs), len(self._outputs), state, action)
        self._packed = [
            np.ndarray((rows, columns), np.float64, self._inputs, protocol.FLOAT * rows * before)
            for columns, before in ((state, 0), (state, state), (action, 2 * state))
        ]
        self._results = np.ndarray((1 + protocol.MAX_TERMS, rows), np.float64, self._outputs)
        space: dict[str, Any] = {
            "__name__": "reward",
            "__builtins__": builtins,
            **HELPERS,
            "constants": constants(self._schema["constants"]),
        }
        exec(compile(request["source"], FILENAME, "exec", dont_inherit=True), space)
        self._says_subgoals = request["entry"] == _SUBGOALS
        entry = space.get(request["entry"])
        if not callable(entry):
            raise ContractError(f"The program defines no function {request['entry']!r}.")
        self._entry = entry
        return 0

    def _sample(self, n: int) -> int:
        """Learn the names of the terms from a first run."""
        _, terms = self._run(n)
        if not terms:
            if self._says_subgoals:
                raise ContractError(f"The dict of subgoals is empty. {_SUBGOALS_CONTRACT}")
            raise ContractError("The dict of terms is empty; give each summand of the total a name in it.")
        if len(terms) > protocol.MAX_TERMS:
            if self._says_subgoals:
                raise ContractError(f"There are {len(terms)} subgoals; at most {protocol.MAX_TERMS} are allowed.")
            most = f"at most {protocol.MAX_TERMS} are allowed. Sum some that belong together."
            raise ContractError(f"There are {len(terms)} terms; {most}")
        for name in terms:
            if self._says_subgoals and name == "goal":
                raise ContractError(
                    "No subgoal is named `goal`, which is the task's own and is paid beside: name it after what is "
                    "then so, and leave it out where it is the task's goal itself."
                )
            if not isinstance(name, str) or not name.isidentifier() or len(name) > protocol.MAX_NAME:
                raise ContractError(
                    f"A {'subgoal' if self._says_subgoals else 'term'} is named {name!r:.80}; "
                    f"names are identifiers of at most {protocol.MAX_NAME} characters."
                )
        self._names = tuple(terms)
        self._call(n)
        return self._say("\n".join(self._names))

    def _call(self, n: int) -> None:
        total, terms = self._run(n)
        results = self._rows[n][1]
        if tuple(terms) != self._names and set(terms) != set(self._names):
            changed = ", ".join(sorted(map(repr, set(terms) ^ set(self._names))))
            raise ContractError(f"The names of the terms changed between calls ({changed}); they must stay.")
        results[0] = _column("the total", total, n)
        for row, name in enumerate(self._names, 1):
            results[row] = _column(name, terms[name], n)

    def _run(self, n: int) -> tuple[Any, dict[Any, Any]]:
        if n not in self._rows:
            if len(self._rows) >= _CACHED_SIZES:
                self._rows.clear()
            arrays = [packed[:n] for packed in self._packed]
            self._rows[n] = Rows(self._schema, *arrays), self._results[:, :n]
        rows = self._rows[n][0]
        rows.refresh()
        assert self._entry is not None
        result = self._entry(rows.state, rows.action, rows.next_state)
        if self._says_subgoals:
            return _counted(result, n), result
        if not isinstance(result, tuple) or len(result) != 2:
            raise ContractError(f"The program returned {_kind(result)}; it must return (total, terms). {_CONTRACT}")
        total, terms = result
        if not isinstance(terms, dict):
            swapped = ", and the total the first" if isinstance(total, dict) else ""
            what = f"The second value returned is {_kind(terms)}; it must be a dict of terms by name{swapped}."
            raise ContractError(f"{what} {_CONTRACT}")
        return total, terms

    def _return_line(self, n: int) -> int:
        """Line of the entry's `return`, seen in one more call; 0 where it has none."""
        code, lines = getattr(self._entry, "__code__", None), [0]

        def watch(frame: FrameType, event: str, _: object) -> None:
            if event == "return" and frame.f_code is code:
                lines.append(frame.f_lineno)

        sys.setprofile(watch)
        with contextlib.suppress(BaseException):
            self._run(n)
        sys.setprofile(None)
        return lines[-1]

    def _say(self, text: str) -> int:
        data = text.encode("utf-8", "replace")[: protocol.MAX_TEXT]
        self._outputs[: len(data)] = data
        return len(data)


def _counted(result: Any, n: int) -> Any:
    """How many subgoals each row reached, which is the total of a program that gives them."""
    if not isinstance(result, dict):
        raise ContractError(f"The program returned {_kind(result)}; it must return a dict. {_SUBGOALS_CONTRACT}")
    total = np.zeros(n)
    for name, reached in result.items():
        if np.asarray(reached).dtype.kind != "b":
            raise ContractError(
                f"The subgoal {name!r:.80} is {_kind(reached)} of dtype {np.asarray(reached).dtype}, but must be bool: "
                "compare, as `next_state.key.distance == 0`, and combine with `&`, `|`, `~`."
            )
        total += _column(name, reached, n, "subgoal")
    return total


def _column(name: str, value: Any, n: int, kind: str = "term") -> Any:
    if type(value) is not np.ndarray:
        value = np.asarray(value)
    if value.shape != (n,):
        raise ContractError(
            f"{_quoted(name, kind)} has shape {value.shape}, but must be (N,), here ({n},): one value for each "
            "environment. Take components along the last axis (`field[:, 2]`) and reduce over it (`axis=-1`)."
        )
    if value.dtype.kind not in "fiub":
        raise ContractError(f"{_quoted(name, kind)} has dtype {value.dtype}; rewards are real numbers.")
    return value


def _quoted(name: str, kind: str) -> str:
    return "The total" if name == "the total" else f"The {kind} {name!r:.80}"


def _kind(value: Any) -> str:
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    known = {np.ndarray: "an array", dict: "a dictionary", list: "a list"}
    return "None" if value is None else known.get(type(value)) or f"a value of type {type(value).__name__}"


def _message(error: BaseException) -> str:
    if isinstance(error, ContractError):
        return str(error)
    if isinstance(error, SyntaxError) and error.filename == FILENAME:
        return f"{type(error).__name__}: {error.msg}"
    try:
        said = str(error)
    except BaseException as second:  # a program's own exception may fail even at this
        said = f"(its text could not be had: {type(second).__name__})"
    hint = _name_hint(error) if isinstance(error, NameError) else ""
    hint = hint or (_shapes(error) if isinstance(error, ValueError) and "broadcast" in said else "")
    hint = hint or next((hint for text, hint in _HINTS.items() if text in said), "")
    told = f"{type(error).__name__}: {said.rstrip()}" if said else type(error).__name__
    return f"{told}. {hint}" if hint else told


def _shapes(error: BaseException) -> str:
    """What the arrays in dictionaries were where it arose: a sum of terms fails far from the term of another shape."""
    trace, held = error.__traceback__, {}
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            held = trace.tb_frame.f_locals
        trace = trace.tb_next
    shapes = {
        name: value.shape
        for terms in held.values()
        if type(terms) is dict
        for name, value in terms.items()
        if type(name) is str and type(value) is np.ndarray
    }
    listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    return f"Each term must be (N,); here: {listed}." if len(set(shapes.values())) > 1 else ""


def _name_hint(error: NameError) -> str:
    if error.name in ("np", "numpy", "math"):
        return f"Add `import {'numpy as np' if error.name == 'np' else error.name}`."
    trace, names = error.__traceback__, set(dir(builtins))
    while trace is not None:
        names |= {*trace.tb_frame.f_locals, *trace.tb_frame.f_globals}
        trace = trace.tb_next
    close = difflib.get_close_matches(error.name or "", names, n=1)
    return f"Did you mean `{close[0]}`?" if close else ""


def _line(error: BaseException) -> int:
    """Line of the program where the error arose: of the innermost frame that is the program's; 0 when there is none."""
    line = error.lineno or 0 if isinstance(error, SyntaxError) and error.filename == FILENAME else 0
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line if 0 < line < 1 << 31 else 0
