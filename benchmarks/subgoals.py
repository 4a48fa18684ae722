"""What it costs to have subgoals told: by a program in the cell, by other ways, from a cache; its share of training.

    python benchmarks/subgoals.py --json [--steps 40960] [--rounds 30]

Transitions are of `minihack/keyroom-s5` under random actions, in batches as PPO sends them: a rollout of the task's
preset. All ways judge the same ones, in turns within one run, so that their ratios hold on a busy machine too; rates
are of the best round. `cell` and `in_process` run the same program and must agree, or nothing is printed. The cache is
that of a reader of screens (`crediting.screens`) that judged them all before: each is put into words, hashed, found.

The share of training is of one training on the goal and the program's subgoals: seconds that the source of rewards
took, of all that it took to train. `packing` is what the program's fields cost beside: the rows that pack them step so
much longer than those that pack the goal alone, in CPU time, as a share of the training's.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, NamedTuple, cast

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from calm_online import BY_HAND
from jobs import whence

from reward_agent.crediting import Glimpse
from reward_agent.crediting.programs import subgoals_of
from reward_agent.crediting.screens import ScreenReader
from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.envs.registry import find_task
from reward_agent.errors import RewardAgentError
from reward_agent.messages import Key, Message, Reply
from reward_agent.optimise.ppo import PRESETS, optimise
from reward_agent.program import SUBGOALS, Program, Rewards
from reward_agent.sandbox.helpers import HELPERS
from reward_agent.sandbox.views import Rows
from reward_agent.schema import Array, StateSchema
from reward_agent.sources.cell import CellSource
from reward_agent.sources.shaping import ShapedSource, Shaping
from reward_agent.task import Bools, OnScreen, Screen, Task

TASK = "minihack/keyroom-s5"
AIM = 0.03
"""Of a training's time."""
LOOPED = 256
"""Transitions that the loop judges a round: it is slow."""


class Batch(NamedTuple):
    """A rollout of T steps of N rows."""

    state: Array
    """`(T, N, D)`."""
    action: Array
    """`(T, N, 1)`."""
    next_state: Array
    was_reset: Bools
    glimpses: list[Glimpse]


class Timed(ShapedSource):
    """Subgoals that pay, and how long it took."""

    seconds = 0.0

    def of_episodes(
        self, state: Array, action: Array, next_state: Array, was_reset: Bools, terminated: Bools
    ) -> Rewards:
        """See `sources.EpisodicSource`."""
        began = time.perf_counter()
        rewards = super().of_episodes(state, action, next_state, was_reset, terminated)
        self.seconds += time.perf_counter() - began
        return rewards


class TimedCell(CellSource):
    """The program's part of it."""

    seconds = 0.0

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        """See `sources.RewardSource`."""
        began = time.perf_counter()
        rewards = super().__call__(state, action, next_state, was_reset)
        self.seconds += time.perf_counter() - began
        return rewards


def rollout(task: Task, fields: Sequence[str], steps: int, rows: int) -> tuple[Batch, float]:
    """Played by random actions; and the seconds that one screen took to be read."""
    generator = np.random.default_rng(0)
    episodes = Episodes(task, rows, fields)
    screens = cast(OnScreen, episodes._batch)
    names = task.world.schema().action.names
    parts: list[tuple[Array, Array, Array, Bools]] = []
    glimpses: list[Glimpse] = []
    reading = 0.0
    with closing(episodes):
        began = np.ones(rows, bool)
        episodes.reset(began, generator.integers(1 << 40, size=rows))
        before = [screens.screen(row) for row in range(rows)]
        for _ in range(steps):
            state, action = episodes.states.copy(), episodes.actions.draw(generator, rows)
            step = episodes.step(action)
            since = time.perf_counter()
            after = [screens.screen(row) for row in range(rows)]
            reading += time.perf_counter() - since
            told = [names[int(number)] for number in action[:, 0]]
            glimpses += [Glimpse(*each) for each in zip(before, told, after, strict=True)]
            parts.append((state, action, step.states.copy(), began))
            began, before = step.terminated | step.truncated, after
            if began.any():
                episodes.reset(began, generator.integers(1 << 40, size=rows))
                before = [screens.screen(row) if began[row] else after[row] for row in range(rows)]
    state, action, following, was_reset = (np.stack(part) for part in zip(*parts, strict=True))
    return Batch(state, action, following, was_reset, glimpses), reading / (steps * rows)


def in_process(program: Program, schema: StateSchema, rows: int) -> Callable[[Array, Array, Array], Array]:
    """The program called here, on so many rows, as the cell's worker calls it: `(rows, K)`."""
    space: dict[str, Any] = dict(HELPERS) | {"np": np, "constants": schema.constants_view()}
    exec(compile(program.source, "subgoals.py", "exec"), space)
    entry = space[program.entry]
    state, following = np.zeros((2, rows, schema.width))
    action = np.zeros((rows, schema.action.width))
    view = Rows(schema.to_json(), state, following, action)

    def call(new_state: Array, new_action: Array, new_following: Array) -> Array:
        state[...], action[...], following[...] = new_state, new_action, new_following
        view.refresh()
        said = entry(view.state, view.action, view.next_state)
        return np.stack([np.asarray(each, np.float64) for each in said.values()], axis=-1)

    return call


def digest(glimpse: Glimpse) -> bytes:
    """What a transition is kept by."""
    return hashlib.sha256(
        "\0".join([*_texts(glimpse.before), glimpse.action, *_texts(glimpse.after)]).encode()
    ).digest()


def _texts(screen: Screen) -> tuple[str, ...]:
    return (screen.full, screen.message, *screen.inventory)


class Nobody:
    """Answers that nothing was reached: a reader that was asked once has it all in its cache."""

    name = "nobody"

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        shown = messages[-1].text.count("\nAction: ")
        none = dict.fromkeys(("pick_up_key", "open_door"), False)
        said = {str(number): none for number in range(1, shown + 1)} if shown > 1 else none
        return Reply(json.dumps(said), model=self.name)


def rates(task: Task, program: Program, rounds: int) -> dict[str, Any]:
    """Transitions a second, by way."""
    settings = PRESETS[task.preset].settings
    with closing(CellSource(program, task)) as source:
        batch, reading = rollout(task, source.fields, settings.rollout, settings.num_envs)
        schema = task_schema(task).select(source.fields)
        count = batch.was_reset.size
        flat = [array.reshape(count, -1) for array in (batch.state, batch.action, batch.next_state)]
        whole, single = in_process(program, schema, count), in_process(program, schema, 1)
        some = [array[:LOOPED, None] for array in flat]

        def loop() -> Array:
            return np.concatenate([single(*each) for each in zip(*some, strict=True)])

        own = source(batch.state, batch.action, batch.next_state, batch.was_reset).terms.reshape(count, -1)
        if not (np.array_equal(own, whole(*flat)) and np.array_equal(own[:LOOPED], loop())):
            raise RewardAgentError("The cell and the program in process do not agree: a defect here.")
        reader = ScreenReader(Nobody(), task, subgoals_of(program, task), batch=64)
        reader.read(batch.glimpses)
        ways: dict[str, tuple[int, Callable[[], Any]]] = {
            "cell": (count, lambda: source(batch.state, batch.action, batch.next_state, batch.was_reset)),
            "in_process": (count, lambda: whole(*flat)),
            "loop": (LOOPED, loop),
            "cache": (count, lambda: reader.read(batch.glimpses)),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, (_, way) in ways.items():
                began = time.perf_counter()
                way()
                seconds[name].append(time.perf_counter() - began)
    best = {name: ways[name][0] / min(each) for name, each in seconds.items()}
    middle = {name: ways[name][0] / statistics.median(each) for name, each in seconds.items()}
    return {
        "batch": count,
        "per_second": {name: round(rate) for name, rate in best.items()},
        "per_second_median": {name: round(rate) for name, rate in middle.items()},
        "cell_over": {name: round(best["cell"] / rate, 2) for name, rate in best.items() if name != "cell"},
        "distinct_transitions": len({digest(glimpse) for glimpse in batch.glimpses}),
        "reading_a_screen_microseconds": round(1e6 * reading, 1),
        "reached": {name: int(column.sum()) for name, column in zip(source.term_names, own.T, strict=True)},
    }


def share(task: Task, program: Program, steps: int) -> dict[str, Any]:
    """Of a training's time, what rewards for subgoals took."""
    cell = TimedCell(program, task)
    with closing(Timed(cell, task, Shaping())) as source:
        began = time.process_time()
        trained = optimise(task, source, steps, 0, settings={"threads": 1})
        spent = time.process_time() - began
        fields = source.fields
    return {
        "steps": trained.steps,
        "steps_per_second": round(trained.steps / trained.seconds),
        "steps_per_cpu_second": round(trained.steps / spent),
        "share": round(source.seconds / trained.seconds, 4),
        "share_of_cell": round(cell.seconds / trained.seconds, 4),
        "share_of_latch": round((source.seconds - cell.seconds) / trained.seconds, 4),
        "packing": round(packing(task, fields) / (spent / trained.steps), 4),
        "aim": AIM,
    }


def packing(task: Task, fields: Sequence[str], steps: int = 20, rounds: int = 40) -> float:
    """CPU seconds a step that a row takes longer for these fields than for the goal alone, of the best rounds."""
    rows = PRESETS[task.preset].settings.num_envs
    best = [math.inf, math.inf]
    with closing(Episodes(task, rows, fields)) as all_fields, closing(Episodes(task, rows, (task.goal,))) as goal:
        generator = np.random.default_rng(0)
        for episodes in (all_fields, goal):
            episodes.reset(np.ones(rows, bool), np.arange(rows))
        for _ in range(rounds):
            moves = [_moves(generator, rows) for _ in range(steps)]
            for which, episodes in enumerate((all_fields, goal)):
                began = time.process_time()
                for move in moves:
                    episodes.step(move)
                best[which] = min(best[which], (time.process_time() - began) / (steps * rows))
    return best[0] - best[1]


def _moves(generator: np.random.Generator, rows: int) -> Array:
    """Along the four ways, which begin the list of a key room's actions: who just walks never gets to its stairs."""
    return generator.integers(4, size=(rows, 1)).astype(np.float64)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one line")
    parser.add_argument("--steps", type=int, default=40_960, help="of the training (40960)")
    parser.add_argument("--rounds", type=int, default=30)
    args = parser.parse_args()
    task = find_task(TASK)
    program = Program(BY_HAND[TASK].read_text(encoding="utf-8"), SUBGOALS)
    try:
        found = {"judging": rates(task, program, args.rounds), "training": share(task, program, args.steps)}
    except RewardAgentError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    found |= {"load": round(os.getloadavg()[0], 2), **whence()}
    print(json.dumps(found, indent=None if args.json else 2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
