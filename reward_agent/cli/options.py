"""Options that several commands share."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path

from reward_agent.errors import UsageError


def add_program(parser: ArgumentParser) -> None:
    """The options that name a reward program and its task."""
    parser.add_argument(
        "file", metavar="FILE", help="a file with `def compute_reward(state, action, next_state)`; - is standard input"
    )
    parser.add_argument("--task", required=True, metavar="TASK", help="a task's id, or path/to/file.py:variable")
    add_unsafe(parser)


def add_unsafe(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--unsafe", action="store_true", help="run reward programs without the sandbox; recorded in every result"
    )


def add_run_folder(parser: ArgumentParser) -> None:
    parser.add_argument("folder", metavar="RUN", type=run_folder, help="a run's folder, or its name under runs/")


def run_folder(name: str) -> Path:
    """The folder of a run given by path or by its name under `runs/`.

    Raises:
        UsageError: there is no such run.
    """
    from reward_agent.errors import unknown_name

    for folder in (Path(name), Path("runs", name)):
        if (folder / "run.json").is_file():
            return folder
    there = [str(found.parent) for found in Path("runs").glob("*/run.json")]
    raise unknown_name("run", name, there)


def read_text(location: str) -> str:
    """The text of a file, or of standard input for `-`.

    Raises:
        UsageError: it cannot be read as text.
    """
    try:
        return sys.stdin.read() if location == "-" else Path(location).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The reward program {location} cannot be read: {error}.") from error


def positive(text: str) -> int:
    """A count of at least 1, as `20`, `1_000_000` or `1e6`.

    Raises:
        UsageError: it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if number < 1 or number != int(number):
        raise UsageError(f"{text!r} is not a whole number of at least 1.")
    return int(number)
