"""What a reward call costs: in process, in the locked cell, in an unlocked one, behind a pipe of bytes.

    python benchmarks/cell.py > cell.json

All ways run one program on the same rows, in turns within one run, so that their ratios hold on a busy machine too.
Times are in microseconds a call, of the best round and of the middle one; ratios are of the best rounds, which a busy
machine disturbs least.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from reward_agent.program import Fault, Program
from reward_agent.sandbox.cell import Cell
from reward_agent.sandbox.helpers import HELPERS
from reward_agent.sandbox.views import Rows
from reward_agent.schema import ActionSpec, Array, Entity, Field, StateSchema

SOURCE = """
import numpy as np

def compute_reward(state, action, next_state):
    forward = 5 * (next_state.body0.position[:, 0] - state.body0.position[:, 0])
    upright = np.exp(-np.square(next_state.body0.position[:, 2]))
    effort = -0.01 * np.square(action).sum(-1)
    alive = np.where(next_state.body1.position[:, 1] > 0.2, 1.0, 0.0)
    return forward + upright + effort + alive, {
        "forward": forward, "upright": upright, "effort": effort, "alive": alive,
    }
"""
SCHEMA = StateSchema(
    fields=tuple(Field(f"body{i}.position", "where it is", "m", (3,)) for i in range(9)),
    entities=tuple(Entity(f"body{i}", "Body", "a part") for i in range(9)),
    action=ActionSpec(tuple(f"motor{i}" for i in range(8)), (-1.0,) * 8, (1.0,) * 8),
)
TERMS = 4
Batch = tuple[Array, Array, Array]
Call = Callable[[Array, Array, Array], Any]


def compute(rows: Rows, entry: Callable[..., Any]) -> Array:
    """One call as the worker makes it: total and terms, `(1 + K, n)`."""
    rows.refresh()
    total, terms = entry(rows.state, rows.action, rows.next_state)
    results = np.empty((1 + TERMS, len(total)))
    results[0] = total
    for row, value in enumerate(terms.values(), 1):
        results[row] = value
    return results


def entry_point() -> Callable[..., Any]:
    space: dict[str, Any] = dict(HELPERS)
    exec(compile(SOURCE, "reward.py", "exec"), space)
    found: Callable[..., Any] = space["compute_reward"]
    return found


def in_process(n: int) -> Call:
    """The program called here, on rows copied to one place as any source of rewards has to."""
    entry, (state, action, following) = entry_point(), batch(n)
    rows = Rows(SCHEMA.to_json(), state, following, action)

    def call(new_state: Array, new_action: Array, new_following: Array) -> Array:
        state[...], action[...], following[...] = new_state, new_action, new_following
        return compute(rows, entry)

    return call


def answer(connection: Connection, n: int) -> None:
    """The other end of the pipe."""
    call, widths = in_process(n), (SCHEMA.width, SCHEMA.action.width, SCHEMA.width)
    cuts = np.cumsum([n * width for width in widths])[:-1]
    while data := connection.recv_bytes():
        parts = np.split(np.frombuffer(data), cuts)
        state, action, following = (part.reshape(n, width) for part, width in zip(parts, widths, strict=True))
        connection.send_bytes(call(state, action, following).tobytes())


def through_pipe(connection: Connection) -> Call:
    def call(*arrays: Array) -> Array:
        connection.send_bytes(np.concatenate([array.ravel() for array in arrays]).tobytes())
        return np.frombuffer(connection.recv_bytes()).reshape(1 + TERMS, -1)

    return call


def batch(n: int) -> Batch:
    rng = np.random.default_rng(n)
    return rng.normal(size=(n, SCHEMA.width)), rng.normal(size=(n, 8)), rng.normal(size=(n, SCHEMA.width))


def loaded(cell: Cell) -> Cell:
    names = cell.load(Program(SOURCE), SCHEMA, batch(4))
    if isinstance(names, Fault):
        raise SystemExit(names.message)
    return cell


def microseconds(call: Call, rows: Batch, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call(*rows)
    return (time.perf_counter() - start) / repeats * 1e6


def measure(n: int, locked: Cell, unlocked: Cell, rounds: int) -> dict[str, Any]:
    ours, theirs = multiprocessing.get_context("fork").Pipe()
    process = multiprocessing.get_context("fork").Process(target=answer, args=(theirs, n), daemon=True)
    process.start()
    calls = {"in_process": in_process(n), "locked_cell": locked, "unlocked_cell": unlocked, "pipe": through_pipe(ours)}
    rows, repeats = batch(n), 100 if n <= 256 else 20
    samples: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        microseconds(call, rows, 20)
    for _ in range(rounds):
        for name, call in calls.items():
            samples[name].append(microseconds(call, rows, repeats))
    ours.send_bytes(b"")
    process.join()
    best = {name: min(values) for name, values in samples.items()}
    return {
        "rows": n,
        "best_microseconds": {name: round(value, 1) for name, value in best.items()},
        "median_microseconds": {name: round(statistics.median(values), 1) for name, values in samples.items()},
        "over_in_process": {name: round(value / best["in_process"], 2) for name, value in best.items()},
        "crossing_microseconds": round(best["locked_cell"] - best["in_process"], 1),
        "locked_over_unlocked": round(best["locked_cell"] / best["unlocked_cell"], 2),
        "pipe_over_locked": round(best["pipe"] / best["locked_cell"], 2),
    }


def start_milliseconds(unsafe: bool, rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        with Cell(unsafe=unsafe):
            times.append((time.perf_counter() - start) * 1e3)
    return round(statistics.median(times), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--json", action="store_true", help="JSON on standard output, which is the default")
    arguments = parser.parse_args()
    with loaded(Cell()) as locked, loaded(Cell(unsafe=True)) as unlocked:
        calls = [measure(n, locked, unlocked, arguments.rounds) for n in (1, 16, 64, 4096)]
        layers = locked.layers
    result = {
        "layers": layers,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "calls": calls,
        "start_milliseconds": {
            "locked": start_milliseconds(False, 7),
            "unlocked": start_milliseconds(True, 7),
        },
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
