"""Judgements by content, in a file of JSON lines that outlives whoever writes it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reward_agent.errors import RewardAgentError, UsageError


def content_sha256(*parts: str) -> str:
    """Of texts in order; no two lists of texts run together to the same."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class Judgements:
    """What was judged so far, by the SHA-256 of all that a judgement hangs on.

    Args:
        path: the file, made where there is none; one process writes it. None keeps them in memory alone.

    Raises:
        UsageError: a line other than the last is damaged.
        RewardAgentError: another process writes it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._values: dict[str, Mapping[str, Any]] = {}
        self._file = None
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise RewardAgentError(
                f"The judgements {path} are being written by another process. Wait for it to end, stop it, or name "
                "another file."
            ) from error
        # a process that was killed while it wrote leaves a torn last line at most
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        os.ftruncate(self._file.fileno(), len(whole))
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                entry = json.loads(line)
                self._values[entry["sha256"]] = dict(entry["judged"])
            except (ValueError, KeyError, TypeError) as error:
                self._file.close()
                raise UsageError(
                    f"{path}, line {number}, is damaged ({error!r:.80}). Delete that line, and what it said is asked "
                    "again."
                ) from error

    def __len__(self) -> int:
        return len(self._values)

    def get(self, sha256: str) -> Mapping[str, Any] | None:
        """What was judged of that content; None where nothing was."""
        return self._values.get(sha256)

    def add(self, judged: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep judgements by SHA-256; on the disk when this returns."""
        self._values |= judged
        if self._file is not None and judged:
            lines = [json.dumps({"sha256": sha256, "judged": dict(said)}) for sha256, said in judged.items()]
            self._file.write(("\n".join(lines) + "\n").encode())
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let another process write it. May be called twice."""
        if self._file is not None:
            self._file.close()
