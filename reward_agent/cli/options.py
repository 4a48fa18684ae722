"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from reward_agent.errors import UsageError

if TYPE_CHECKING:
    from reward_agent.program import Fault, Program

RUNS = Path("runs")
"""Where runs go and are looked for by name."""

NO_LIMIT = "none"
"""Said of a budget, there is none."""


def add_program(parser: ArgumentParser) -> None:
    """The options that name a reward program and its task."""
    what = "a file that defines `compute_reward(state, action, next_state)`; - is standard input"
    parser.add_argument("file", metavar="FILE", help=what)
    parser.add_argument("--task", required=True, help="a task's id, or path/to/file.py:variable")
    add_unsafe(parser)


def add_unsafe(parser: ArgumentParser) -> None:
    what = "run reward programs without the sandbox; every result says so"
    parser.add_argument("--unsafe", action="store_true", help=what)


def add_labels(parser: ArgumentParser) -> None:
    """The options that say what a program that tells subgoals is held to."""
    add = parser.add_argument
    what = "recorded trajectories with labels, which a program that tells subgoals of the same names must tell too"
    add("--labels", type=Path, metavar="FILE", help=what)
    what = "of the transitions that reach a subgoal, by label or program, the share on which they may differ (0)"
    add("--label-errors", type=float, metavar="SHARE", help=what)


def add_training(parser: ArgumentParser) -> None:
    """The options that say what a reward is trained on with."""
    from reward_agent.plugins import OPTIMISERS

    add = parser.add_argument
    add("--optimiser", metavar="NAME", help=f"{OPTIMISERS.choices()} (the task's own; mostly ppo)")
    what = "the optimiser's settings for a class of tasks, or as somebody published them; the task's own unless given"
    add("--preset", metavar="NAME", help=what)
    what = "change one of these settings, as learning_rate=1e-3; may be given again"
    add("--set", action="append", default=[], dest="changes", metavar="NAME=VALUE", help=what)


def optimiser_of(args: Namespace) -> str:
    """The one named, else the task's own.

    Raises:
        UsageError: there is no such task.
    """
    from reward_agent.envs.registry import find_task

    return args.optimiser or find_task(args.task).optimiser


def add_run(parser: ArgumentParser) -> None:
    """The run a command is about."""
    parser.add_argument("name", metavar="RUN", help=f"a run's folder, its name in {RUNS}/, or `last`")


def given(args: Namespace, but: Collection[str] = ()) -> list[str]:
    """What was given, as it is typed; `but` do not count. What was not given must be None, False or an empty list."""
    absent = [name for name, value in vars(args).items() if value is None or value is False or value == []]
    return [as_typed(name) for name in vars(args) if name not in {*absent, *but}]


def as_typed(name: str) -> str:
    """An option, or TASK, by its name among what was parsed."""
    return {"task": "TASK", "changes": "--set"}.get(name, f"--{name.replace('_', '-')}")


def find(name: str, begins: str = "run") -> Path:
    """The folder of a run. Raises `UsageError` when there is none, with the command that `begins` one."""
    from reward_agent.store import find_run

    return find_run(name, RUNS, begins=begins)


def read_program(location: str) -> Program | Fault:
    """The program in a file: Python, or text with a fenced block of it as a model writes.

    Raises:
        UsageError: the file cannot be read as text.
    """
    from reward_agent import program

    if location != "-":
        return program.read_program(Path(location))
    try:
        return program.program_in(sys.stdin.read())
    except UnicodeDecodeError as error:
        raise UsageError(f"The reward program on standard input cannot be read: {error}.") from error


def positive(text: str) -> int:
    """A count of at least 1, as `20`, `1_000_000` or `1e6`. Raises `ArgumentTypeError` when it is none."""
    return _whole(text, 1)


def natural(text: str) -> int:
    """A count of at least 0. Raises `ArgumentTypeError` when it is none."""
    return _whole(text, 0)


def amount(text: str) -> float:
    """An amount of money of at least 0. Raises `ArgumentTypeError` when it is none."""
    number = _number(text)
    if not 0 <= number < float("inf"):
        raise ArgumentTypeError(f"{text!r} is no amount of money, as 2.50.")
    return number


def limit(text: str) -> int | None:
    """A count of at least 1, or None for `none`. Raises `ArgumentTypeError` when it is neither."""
    return None if text == NO_LIMIT else positive(text)


def money_limit(text: str) -> float | None:
    """An amount of money, or None for `none`. Raises `ArgumentTypeError` when it is neither."""
    return None if text == NO_LIMIT else amount(text)


def _whole(text: str, least: int) -> int:
    number = _number(text)
    if not least <= number < 1e15 or number != int(number):
        raise ArgumentTypeError(f"{text!r} is not a whole number of at least {least}.")
    return int(number)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
