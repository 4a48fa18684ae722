"""The session's state and the journal it is a fold of, kept in step: a line is durable before it counts."""

from __future__ import annotations

from reward_agent.chat.talk import Folding, Talk, Turn
from reward_agent.messages import Key
from reward_agent.store import Run
from reward_agent.task import Task


class Ledger:
    """Holds `talk`, to which every line is added by the function that reads them all when a session goes on."""

    def __init__(self, run: Run, folding: Folding) -> None:
        self.run, self.folding = run, folding
        self.talk: Talk = folding.fold(run.journal.values)

    @property
    def task(self) -> Task:
        """With the instruction that was given."""
        return self.folding.task_of(self.talk)

    def record(self, key: Key, value: object) -> None:
        """Journal a line, and bring the state up to date."""
        self.run.record(key, value)
        self.talk = self.folding.step(self.talk, key, self.run.journal[key])

    def mark(self, at: tuple[int, int], stage: str) -> None:
        """Journal that something happened, however often it may."""
        self.record(Key(*at, len(self.run.journal.values), stage), True)

    def turn(self, at: tuple[int, int]) -> Turn:
        """A turn as it is now."""
        found = self.talk.turn(at)
        assert found is not None, "turns are never removed"
        return found
