"""Which files of the runs folder the page may reach: runs by name, clips by place; no link leads out of a run."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from reward_agent.search import folder_of
from reward_agent.store import MANIFEST
from reward_agent.trial import VIDEO

MOST = 99
"""The highest number of a round or a candidate that a folder's name has."""


class NothingThereError(Exception):
    """What was asked for is not there: a paragraph for whoever asked."""


def runs_in(root: Path) -> dict[str, Path]:
    """Folders of runs by name; what is a link is none of them."""
    if not root.is_dir():
        return {}
    with os.scandir(root) as entries:
        folders = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    return {each.name: Path(each.path) for each in folders if _is_plain(Path(each.path) / MANIFEST)}


def run_folder(root: Path, name: str) -> Path:
    """The folder of a run. Only names that are there are looked at.

    Raises:
        NothingThereError: there is no run of that name.
    """
    found = runs_in(root).get(name)
    if found is None:
        raise NothingThereError("There is no such run here. The list of runs has those that there are.")
    return found


def candidate_folder(run: Path, iteration: int, index: int) -> Path:
    """Of a candidate that is there.

    Raises:
        NothingThereError: there is none.
    """
    if not (0 <= iteration <= MOST and 0 <= index <= MOST):
        raise NothingThereError("This run has no such candidate.")
    folder = run / folder_of(iteration, index)
    if not _is_within(folder, run) or not folder.is_dir():
        raise NothingThereError("This run has no such candidate.")
    return folder


def judging_folder(run: Path, iteration: int) -> Path:
    """Of a round's question.

    Raises:
        NothingThereError: there is none.
    """
    folder = run / f"iter_{iteration:02d}" / "judging"
    if not 0 <= iteration <= MOST or not _is_within(folder, run) or not folder.is_dir():
        raise NothingThereError("There is nothing to judge in this round.")
    return folder


def open_video(folder: Path, run: Path, name: str = VIDEO) -> tuple[BinaryIO, int]:
    """A clip in a folder of a run, and its size [bytes].

    Raises:
        NothingThereError: there is none, or it is no plain file of this run's.
    """
    path = folder / name
    missing = NothingThereError("There is no clip of it.")
    if not _is_within(path, run):
        raise missing
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError):
        raise missing from None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise missing
    return os.fdopen(descriptor, "rb"), found.st_size


def _is_within(path: Path, run: Path) -> bool:
    """It lies in the run's folder also when all links are followed."""
    try:
        return path.resolve().is_relative_to(run.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()
