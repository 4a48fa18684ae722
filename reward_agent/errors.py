"""What can go wrong that is our fault or the user's. Faults of generated code are values (`program.Fault`)."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class RewardAgentError(Exception):
    """Root of every error this package raises on purpose: one paragraph a user can act on.

    `exit_code` is what the command line ends with.
    """

    exit_code = 1


class UsageError(RewardAgentError):
    """The caller asked for something that cannot be: a wrong name, value or file."""

    exit_code = 2


class MissingComponentError(RewardAgentError):
    """Something this machine lacks; the message carries the command that installs it."""

    exit_code = 3


class WaitingForPersonError(RewardAgentError):
    """The run can only go on when a person has answered; everything so far is saved."""

    exit_code = 4


class InterruptedRunError(RewardAgentError):
    """The user stopped the run; everything so far is saved and can be resumed."""

    exit_code = 130


class Terminated(KeyboardInterrupt):
    """The process is to end (`kill`): unlike a Ctrl-C, which may mean just what is under way."""


class NoResultError(RewardAgentError):
    """A run came to its end, and no program of it could be trained: what was asked for has been done, and failed."""


MOST_LISTED = 24
"""Valid names that a message lists whole; of more it tells the closest."""


def unknown_name(kind: str, name: str, known: Iterable[str], *, hint: str = "") -> UsageError:
    """A `UsageError` for `name`, which is no known `kind`, with the closest valid one."""
    choices = sorted(known)
    close = get_close_matches(name, choices, n=5, cutoff=0.5)
    suggestion = f" Did you mean {close[0]!r}?" if close else ""
    if len(choices) > MOST_LISTED:
        listing = f" The closest of {len(choices)}: {', '.join(close)}." if close[1:] else ""
    else:
        listing = f" Available: {', '.join(choices)}." if choices else ""
    return UsageError(f"There is no {kind} named {name!r}.{suggestion}{listing}{' ' + hint if hint else ''}")


def closest(name: str, known: Iterable[str]) -> str | None:
    """The valid name that is most like `name`; None where none is like it."""
    return next(iter(get_close_matches(name, list(known), n=1)), None)


def no_such_file(path: Path) -> str:
    """What is said of a file that is not there, with the closest name of those in its folder."""
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}."
    close = closest(path.name, sorted(beside.name for beside in path.parent.iterdir() if beside.is_file()))
    return f"there is no such file.{f' Did you mean {path.with_name(close)}?' if close else ''}"


def raised(error: BaseException) -> str:
    """An exception in a line, after the file and line of the user's own code (or a package's) that it comes from."""
    ours, installed = (str(Path(__file__).parent), "<"), tuple(sysconfig.get_paths().values())
    outside = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)]
    own = [frame for frame in outside if not frame.filename.startswith(installed)]
    where = f"{frame.filename}, line {frame.lineno}: " if (frame := next(iter((own or outside)[-1:]), None)) else ""
    return f"{where}{type(error).__name__}: {' '.join(str(error).split()).rstrip('.')}"
