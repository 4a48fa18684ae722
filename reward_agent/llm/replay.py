"""Plays recorded replies: a shipped recording, a file, or any run's own record. By key, never by the prompt's text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reward_agent.llm.base import Heard, LLMError, Options
from reward_agent.llm.recordings import Recording, find_recording, read_recording, shown_name
from reward_agent.messages import Key, Message, Reply

EXAMPLE = "replay:RUN_FOLDER"


def missing() -> str | None:
    """Nothing: it needs no key."""
    return None


def connect(model: str, options: Options) -> Replay:
    """Plays the recording named `model`, a file, a run's folder, or a shipped one's name.

    Raises:
        UsageError: there is none, or it cannot be read.
    """
    return Replay(f"replay:{model}", read_recording(find_recording(model)))


class NotRecordedError(LLMError):
    """A recording holds no such reply."""

    def __init__(self, message: str, recording: Recording) -> None:
        super().__init__(message)
        self.recording = recording


class Replay:
    """A model that says again what was recorded, with the date, model, settings and usage of then."""

    def __init__(self, name: str, recording: Recording) -> None:
        self.name = name
        self.recording = recording

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        """The recorded reply, marked as replayed.

        Raises:
            NotRecordedError: there is none for this key, with those there are.
        """
        if key not in self.recording.replies:
            raise NotRecordedError(
                f"The recording {shown_name(self.recording.path)} holds no reply for {_show(key)}. It holds "
                f"{', '.join(_show(known) for known in _nearest(key, self.recording))}. A replay goes no further than "
                "its recording: ask for as many iterations and candidates as it has, with the method it was made with, "
                "or resume with another `--llm`.",
                self.recording,
            )
        return replace(self.recording.replies[key], replayed=True)

    def stream(self, messages: Sequence[Message], key: Key, heard: Heard) -> Reply:
        """The same, heard line by line.

        Raises:
            NotRecordedError: as `complete` does.
        """
        reply = self.complete(messages, key)
        for line in reply.text.splitlines(keepends=True):
            heard.piece(line)
        return reply

    def words(self, iteration: int, candidate: int) -> str | None:
        """What a person said of a candidate then, if anything."""
        return self.recording.words.get((iteration, candidate))


def _show(key: Key) -> str:
    stage = "" if key.stage == "reply" else f", {key.stage}"
    return f"(iteration {key.iteration}, candidate {key.candidate}, attempt {key.attempt}{stage})"


def _nearest(key: Key, recording: Recording, most: int = 12) -> list[Key]:
    """Up to `most` recorded keys, those nearest to `key`, in order."""

    def distance(known: Key) -> tuple[int, int, int]:
        return (
            abs(known.iteration - key.iteration),
            abs(known.candidate - key.candidate),
            abs(known.attempt - key.attempt),
        )

    return sorted(sorted(recording.replies, key=distance)[:most])
