"""Files that are whole or not there: written under a temporary name, synced, renamed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reward_agent.errors import RewardAgentError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary name beside `path` to write to; it becomes `path` when the block ends without an exception.

    A process killed at any instant leaves the old file or the new one, never a part.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around what writes a file or a folder that a person named.

    Raises:
        RewardAgentError: it cannot be written there, and why.
    """
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise RewardAgentError(
            f"{path} cannot be written ({why[:1].lower()}{why[1:]}). {_mended(path, error)}"
        ) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file at `path` by `content`, whole."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def _mended(path: Path, error: OSError) -> str:
    """What to do, by why a file that a person named could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "Make room there, or name one on another disk."
    if error.errno == errno.ENAMETOOLONG:
        return "Name a shorter one."
    if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR):
        return "Name another."
    alone = f"; {path.name} alone is one in this folder" if path.name != str(path) else ""
    return f"Name one in a folder that you can write to{alone}."


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; a folder cannot be opened for that on every platform."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
