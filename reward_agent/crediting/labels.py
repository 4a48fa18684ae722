"""Judgements of an agent's own transitions, asked for while its training goes on.

After ONI (Zheng et al., 2024): the training offers transitions and takes what labels there are; it never waits. A slow
or dead model only means fewer labels.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Condition, Thread
from types import MappingProxyType
from typing import Annotated, Any

from reward_agent.checked import Checked, Count, NotNegative, Range
from reward_agent.crediting import Glimpse, Reached, Reader
from reward_agent.errors import UsageError
from reward_agent.files import writing
from reward_agent.llm.base import LLMError
from reward_agent.program import Fault
from reward_agent.task import Screen

_LOG = logging.getLogger(__name__)
CLOSING_SECONDS = 1.0
"""That `Labeller.close` waits for a reader that is busy."""


@dataclass(frozen=True)
class Asking(Checked):
    """How a labeller asks.

    Raises:
        UsageError: a value is out of its range.
    """

    batch: Count = 16
    """Transitions of one question, at most."""
    queue: Count = 256
    """Transitions that wait to be asked, at most: the oldest are dropped."""
    failures: Count = 5
    """In a row, after which the model counts as dead."""
    first_pause: NotNegative = 1.0
    """Seconds after a failure; twice as many after each one more in a row."""
    longest_pause: Annotated[float, Range(0, 3600)] = 60.0


def content_key(glimpse: Glimpse) -> str:
    """What glimpses that look alike share."""
    return sha256(json.dumps([glimpse.before, glimpse.action, glimpse.after]).encode()).hexdigest()[:32]


class Labeller:
    """Asks a reader, in a thread of its own, which subgoals the offered transitions reached.

    A reader that fails is asked again after a pause; it is never asked again once it failed `Asking.failures` times in
    a row, or in a way that no repetition mends, which is said once. Each label is appended to a file, from which a
    resumed training has them.

    Args:
        reader: who is asked; in one thread, a batch at a time.
        path: of the labels, a line of JSON each; those that are there are taken over.
        asking: how.
        said: is told when no more will be asked, in that thread; the log unless given.

    Raises:
        UsageError: the file has labels of other subgoals, or a damaged line that is not its last.
        RewardAgentError: it cannot be written.
    """

    def __init__(
        self, reader: Reader, path: Path, asking: Asking | None = None, *, said: Callable[[str], None] = _LOG.warning
    ) -> None:
        self.names: tuple[str, ...] = tuple(reader.names)
        self.path, self.asking = path, asking or Asking()
        self.ended = ""
        """Why no more will be asked; empty while it may be."""
        self.batches = self.failures = 0
        """That were answered; that came to nothing."""
        self.faults = 0
        """Answers that could not be understood: no labels."""
        self._reader, self._said = reader, said
        # the asking thread alone replaces it, and never writes into it: reading takes no lock
        self._labels: Mapping[str, Reached] = MappingProxyType(_read(path, self.names))
        self._changed = Condition()
        self._waiting: dict[str, Glimpse] = {}
        self._asked: set[str] = set(self._labels)
        self._closing = False
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")
        self._thread = Thread(target=self._work, name="label", daemon=True)
        self._thread.start()

    def offer(self, before: Screen, action: str, after: Screen) -> str:
        """Ask about this transition when its turn comes; the key that `labels` will have it under. Never waits.

        One that looks like another is asked once. Where too many wait, the oldest is dropped, and may be offered again.
        """
        glimpse = Glimpse(before, action, after)
        key = content_key(glimpse)
        with self._changed:
            if key in self._asked or self.ended or self._closing:
                return key
            self._asked.add(key)
            self._waiting[key] = glimpse
            if len(self._waiting) > self.asking.queue:
                self._drop_oldest()
            self._changed.notify()
        return key

    def labels(self) -> Mapping[str, Reached]:
        """What is known by now, by key: all subgoals of each. Never waits."""
        return self._labels

    @property
    def waiting(self) -> int:
        """Transitions that are still to be asked, without those in the question under way."""
        return len(self._waiting)

    def close(self) -> None:
        """Ask no more. What a busy reader still says is lost. May be called twice."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSING_SECONDS)

    def _work(self) -> None:
        in_a_row = 0
        with self._file:
            while batch := self._next():
                try:
                    answers = self._reader.read(list(batch.values()))
                    self._keep(batch, answers)
                except LLMError as error:
                    self.failures += 1
                    in_a_row += 1
                    if in_a_row >= self.asking.failures:
                        self._end(f"The model failed {in_a_row} times in a row, at last so: {error}")
                        return
                    self._again(batch)
                    self._pause(min(self.asking.first_pause * 2 ** (in_a_row - 1), self.asking.longest_pause))
                except Exception as error:
                    # a spent budget, an answer that a person must give, a full disk: none of them passes by itself
                    self._end(f"{type(error).__name__}: {error}")
                    return
                else:
                    in_a_row = 0

    def _next(self) -> dict[str, Glimpse]:
        """The newest that wait, once some do; nothing when all is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if self._closing:
                return {}
            keys = list(self._waiting)[-self.asking.batch :]
            return {key: self._waiting.pop(key) for key in keys}

    def _again(self, batch: Mapping[str, Glimpse]) -> None:
        """Let them wait once more, as the oldest."""
        with self._changed:
            self._waiting = {**batch, **self._waiting}
            while len(self._waiting) > self.asking.queue:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        oldest = next(iter(self._waiting))
        del self._waiting[oldest]
        self._asked.discard(oldest)

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)

    def _keep(self, batch: Mapping[str, Glimpse], answers: Sequence[Reached | Fault]) -> None:
        if self._closing:
            return  # another labeller may have the file by now
        new = {}
        for (key, glimpse), answer in zip(batch.items(), answers, strict=True):
            if isinstance(answer, Fault):
                self.faults += 1
                continue
            new[key] = {name: bool(answer[name]) for name in self.names}
            line = {"key": key, "reached": new[key], "time": time.time(), **_told(glimpse)}
            self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.batches += 1
        self._labels = MappingProxyType({**self._labels, **new})

    def _end(self, why: str) -> None:
        with self._changed:
            self.ended = why
            self._waiting.clear()
            closing = self._closing
        if not closing:
            self._said(
                f"No more transitions are labelled: {why}\nThe training goes on with the {len(self._labels)} labels "
                f"of {self.path}."
            )


def _told(glimpse: Glimpse) -> dict[str, Any]:
    return {"before": glimpse.before._asdict(), "action": glimpse.action, "after": glimpse.after._asdict()}


def _read(path: Path, names: tuple[str, ...]) -> dict[str, Reached]:
    """Labels of a file, without a torn last line, which is cut off."""
    if not path.exists():
        return {}
    with writing(path):
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(path, len(whole))
    found: dict[str, Reached] = {}
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            said = json.loads(line)
            key, reached = str(said["key"]), {str(name): bool(value) for name, value in said["reached"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            shown = line[:80].decode(errors="replace")
            raise UsageError(
                f"{path}, line {number}, is no label: {shown!r}. Take that line out, or move the file away and begin "
                "with no labels."
            ) from error
        if set(reached) != set(names):
            raise UsageError(
                f"{path} has labels of the subgoals {', '.join(reached)}, but {', '.join(names)} are wanted. Move the "
                "file away, or name another."
            )
        found[key] = reached
    return found
