"""Replies of models that read screens, recorded as they come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from reward_agent.codec import encode
from reward_agent.files import write_atomically
from reward_agent.llm import LLM
from reward_agent.llm.recordings import read_recording
from reward_agent.messages import Key, Message, Reply

KEPT = Path(__file__).parent / "results" / "calm"


class Recorder:
    """A model each of whose replies is added to a recording as it comes."""

    def __init__(self, llm: LLM, path: Path) -> None:
        self.name, self._llm, self._path, self._lock = llm.name, llm, path, Lock()
        path.parent.mkdir(parents=True, exist_ok=True)

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        reply = self._llm.complete(messages, key)
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps({"key": list(key), **encode(reply)}) + "\n")
        return reply


def replies_of(model: str) -> Path:
    """Where a model's replies are recorded."""
    return KEPT / f"{model.replace(':', '-').replace('/', '-')}.jsonl"


def keep_replies(said: Path, path: Path) -> None:
    """Add the replies of one recording to another."""
    replies = {
        key: reply for each in (path, said) if each.is_file() for key, reply in read_recording(each).replies.items()
    }
    lines = [json.dumps({"key": list(key), **encode(reply)}) + "\n" for key, reply in sorted(replies.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, "".join(lines).encode())
