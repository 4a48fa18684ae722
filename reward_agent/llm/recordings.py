"""Recorded sessions: replies (and a person's words) by key, out of a recording file or a run's own journal.

A recording is JSON lines, each with `key` `[iteration, candidate, attempt, stage]` and a reply's fields. A person's
words on a candidate have stage `words` and a `text`. Lines of a journal, where those fields are in `value`, do as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from reward_agent.codec import decode, encode, to_line
from reward_agent.errors import UsageError, unknown_name
from reward_agent.files import write_atomically
from reward_agent.messages import Key, Reply

JOURNAL = "journal.jsonl"
WORDS = "words"

_REPLY_FIELDS = frozenset(field.name for field in fields(Reply))


@dataclass(frozen=True)
class Recording:
    """What was said in a session."""

    path: Path
    replies: Mapping[Key, Reply]
    words: Mapping[tuple[int, int], str]
    """A person's, by (iteration, candidate)."""

    @property
    def turns(self) -> int:
        """Rounds that it holds replies of; in a chat, what was said."""
        return 1 + max(key.iteration for key in self.replies)


def find_recording(name: str) -> Path:
    """The file of a recording: a file, a run's folder, or the name of a shipped one.

    Shipped ones are named `world/task/name`, or in short by the task (its first one) or by the name alone where only
    one has it.

    Raises:
        UsageError: there is none, or several go by that name.
    """
    path = Path(name)
    if path.is_file():
        return path
    if (path / JOURNAL).is_file():
        return path / JOURNAL
    known = shipped()
    if name in known:
        return known[name]
    if of_task := [full for full in known if name in (full.rpartition("/")[0], full.split("/")[1])]:
        return known[of_task[0]]
    matching = [full for full in known if full.rpartition("/")[2] == name]
    if len(matching) > 1:
        raise UsageError(f"Several recordings are named {name!r}: say which, {' or '.join(matching)}.")
    if matching:
        return known[matching[0]]
    raise unknown_name(
        "recording",
        name,
        known,
        hint="`reward-agent tasks` has those of tasks. A file or a run's folder (with a journal.jsonl) will do.",
    )


def shipped() -> dict[str, Path]:
    """Recordings that come with the tasks, by `world/task/name`, in order."""
    from reward_agent.envs.registry import recordings, tasks

    return {f"{task}/{name}": path for task in tasks() for name, path in recordings(task).items()}


def shown_name(path: Path) -> str:
    """A recording as it is named to people: a shipped one as `world/task/name`, any other by its file."""
    return next((name for name, known in shipped().items() if known == path), str(path))


def read_recording(path: Path) -> Recording:
    """What a recording file or a journal holds.

    Raises:
        UsageError: the file cannot be read, a line is damaged, or it holds no reply.
    """
    try:
        # not splitlines: a reply may hold other ends of lines, as U+2028, which JSON leaves as they are
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The recording {path} cannot be read: {error}.") from error
    replies: dict[Key, Reply] = {}
    words: dict[tuple[int, int], str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            key, value = _key(entry), entry.get("value", entry)
            if key.stage == WORDS:
                words[key.iteration, key.candidate] = _words(value)
            elif isinstance(value, Mapping) and {"text", "model"} <= value.keys():
                known = {name: item for name, item in value.items() if name in _REPLY_FIELDS}
                replies[key] = decode(Reply, known)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if number == len(lines):
                # no end of line follows: a run killed while it wrote leaves a torn last line
                break
            raise UsageError(f"{path}, line {number}, is no line of a recording: {error!r:.200}.") from error
    if not replies:
        raise UsageError(f"{path} holds no reply of a model, so there is nothing to replay.")
    return Recording(path, replies, words)


def write_recording(run_folder: Path, path: Path) -> Path:
    """Make a recording out of a run's journal: its replies and a person's words, no more.

    Raises:
        UsageError: there is no journal, or no reply in it.
    """
    recording = read_recording(run_folder / JOURNAL)
    lines = [{"key": list(key), **encode(replace(reply, replayed=False))} for key, reply in recording.replies.items()]
    lines += [
        {"key": [iteration, candidate, 0, WORDS], "text": text}
        for (iteration, candidate), text in recording.words.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, "".join(to_line(line) + "\n" for line in sorted(lines, key=_order)).encode())
    return path


def _key(entry: Mapping[str, Any]) -> Key:
    if "key" in entry:
        iteration, candidate, attempt, stage = entry["key"]
    else:
        iteration, candidate, attempt, stage = (entry[name] for name in Key._fields)
    return Key(int(iteration), int(candidate), int(attempt), str(stage))


def _words(value: Any) -> str:
    text = value if isinstance(value, str) else value.get("text", value.get("words"))
    if not isinstance(text, str):
        raise ValueError("words without a text")
    return text


def _order(line: Mapping[str, Any]) -> tuple[int, int, bool, int, str]:
    """A candidate's words come after its replies, as they were said."""
    iteration, candidate, attempt, stage = line["key"]
    return iteration, candidate, stage == WORDS, attempt, stage
