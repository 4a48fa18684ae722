"""`replay:` and recordings: what was said in a session is said again, by key."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reward_agent.codec import encode
from reward_agent.errors import UsageError
from reward_agent.journal import Journal
from reward_agent.llm import Budget, LLMError, Metered, Spent, connect
from reward_agent.llm.recordings import find_recording, read_recording, write_recording
from reward_agent.llm.replay import Replay
from reward_agent.messages import Key, Message, Reply, Usage

PROMPT = (Message("user", "not what was asked then"),)


def reply(text: str) -> Reply:
    return Reply(text, "gpt-4o", Usage(10, 5, 0.25), "2026-01-31T10:00:00+00:00", {"temperature": 0.5}, "ab" * 32)


def journal(folder: Path) -> Path:
    """A run's own journal, with steps that are no replies among it."""
    folder.mkdir(parents=True, exist_ok=True)
    with Journal(folder / "journal.jsonl") as written:
        written.write(Key(0, 1, 0, "reply"), encode(reply("second")))
        written.write(Key(0, 0, 0, "reply"), encode(reply("first")))
        written.write(Key(0, 0, 0, "vet"), {"ok": True, "text": "no reply"})
        written.write(Key(0, 0, 0, "words"), "swing the leg")
        written.write(Key(1, 0, 0, "reply"), encode(reply("third")))
    return folder


def lines(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def test_a_run_replays_itself_whole(tmp_path: Path) -> None:
    run = journal(tmp_path / "run")
    llm = connect(f"replay:{run}")
    assert isinstance(llm, Replay)
    for key, text in ((Key(0, 0, 0), "first"), (Key(0, 1, 0), "second"), (Key(1, 0, 0), "third")):
        assert llm.complete(PROMPT, key) == replace(reply(text), replayed=True)
    assert llm.words(0, 0) == "swing the leg"
    assert llm.words(0, 1) is None


def test_a_recording_of_a_run_plays_as_the_run_does(tmp_path: Path) -> None:
    run = journal(tmp_path / "run")
    path = write_recording(run, tmp_path / "kept" / "first.jsonl")
    kept, original = read_recording(path), read_recording(run / "journal.jsonl")
    assert (kept.replies, kept.words) == (original.replies, original.words)
    keys = [json.loads(line)["key"] for line in path.read_text().splitlines()]
    assert keys == [[0, 0, 0, "reply"], [0, 0, 0, "words"], [0, 1, 0, "reply"], [1, 0, 0, "reply"]]


def test_a_replay_costs_nothing_and_its_recording_is_of_a_model(tmp_path: Path) -> None:
    llm = Metered(connect(f"replay:{journal(tmp_path / 'first')}"), Budget(tokens=1, usd=0.01))
    said = [llm.complete(PROMPT, key) for key in (Key(0, 0, 0), Key(0, 1, 0))]
    assert llm.spent == Spent(replies=2) == Spent.on(said)
    assert said[0].usage.cost_usd == 0.25, "what it cost then stays known"
    with Journal(tmp_path / "journal.jsonl") as second:
        second.write(Key(0, 0, 0), encode(said[0]))
    kept = read_recording(write_recording(tmp_path, tmp_path / "kept.jsonl"))
    assert kept.replies[Key(0, 0, 0)] == reply("first")


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\u0085", "\v", "\f", "\r", "\x1c"])
def test_other_ends_of_lines_are_part_of_a_reply(tmp_path: Path, end: str) -> None:
    with Journal(tmp_path / "journal.jsonl") as written:
        written.write(Key(0, 0, 0), encode(reply(f"one{end}two")))
        written.write(Key(0, 1, 0), encode(reply("second")))
    for path in (tmp_path / "journal.jsonl", write_recording(tmp_path, tmp_path / "kept.jsonl")):
        assert [each.text for each in read_recording(path).replies.values()] == [f"one{end}two", "second"]


def test_lines_with_a_key_and_a_value_do_too(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "session.jsonl",
        {"key": [0, 0, 0, "reply"], "stage": "reply", "value": {"text": "a", "model": "m"}},
        {"key": [0, 0, 0, "words"], "value": {"text": "higher"}},
        {"key": [0, 0, 1, "reply"], "text": "b", "model": "m", "note": "a field of a later release"},
    )
    recording = read_recording(path)
    assert {key: reply.text for key, reply in recording.replies.items()} == {Key(0, 0, 0): "a", Key(0, 0, 1): "b"}
    assert recording.words == {(0, 0): "higher"}


def test_a_missing_key_says_which_there_are(tmp_path: Path) -> None:
    llm = connect(f"replay:{journal(tmp_path)}")
    with pytest.raises(LLMError) as caught:
        llm.complete(PROMPT, Key(0, 0, 1))
    message = str(caught.value)
    assert "no reply for (iteration 0, candidate 0, attempt 1)" in message
    assert "(iteration 0, candidate 1, attempt 0)" in message
    assert "vet" not in message


def test_a_torn_last_line_is_left_out_and_another_is_damage(tmp_path: Path) -> None:
    path = journal(tmp_path) / "journal.jsonl"
    whole = path.read_text()
    path.write_text(whole + '{"iteration": 1, "cand')
    assert len(read_recording(path).replies) == 3
    path.write_text('{"iteration": 1, "cand\n' + whole)
    with pytest.raises(UsageError, match="line 1"):
        read_recording(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": [0, 0], "text": "a", "model": "m"},
        {"text": "a", "model": "m"},
        {"key": [0, 0, 0, "reply"], "text": 5, "model": "m"},
        {"key": [0, 0, 0, "words"], "value": 5},
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, wrong: dict[str, Any]) -> None:
    good = {"key": [0, 0, 0, "reply"], "text": "a", "model": "m"}
    with pytest.raises(UsageError, match="line 2"):
        read_recording(lines(tmp_path / "session.jsonl", good, wrong, good))


def test_nothing_to_replay_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no reply"):
        read_recording(lines(tmp_path / "session.jsonl", {"key": [0, 0, 0, "vet"], "value": {"ok": True}}))
    with pytest.raises(UsageError, match="no recording named 'no-such-session'"):
        find_recording("no-such-session")


@pytest.mark.parametrize(
    "name",
    ["line/walk/session", "line/walk", "walk", "session"],
)
def test_a_shipped_recording_goes_by_its_name_or_its_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    world(tmp_path, monkeypatch, "recordings/walk/session.jsonl", "recordings/walk/zero-shot.jsonl")
    assert find_recording(name) == tmp_path / "line_world" / "recordings/walk/session.jsonl"


def test_a_name_that_two_tasks_share_must_be_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world(tmp_path, monkeypatch, "recordings/walk/session.jsonl", "recordings/run/session.jsonl")
    with pytest.raises(UsageError, match="line/run/session or line/walk/session"):
        find_recording("session")


def world(folder: Path, monkeypatch: pytest.MonkeyPatch, *files: str) -> None:
    """A user's installed package with a world `line` that has two tasks and recordings."""
    package = folder / "line_world"
    for name in files:
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines(path, {"key": [0, 0, 0, "reply"], "text": "a", "model": "m"})
    (package / "__init__.py").write_text("def tasks():\n    return {'line/run': None, 'line/walk': None}\n")
    metadata = folder / "line_world-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: line-world\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[reward_agent.worlds]\nline = line_world\n")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "line_world", raising=False)
