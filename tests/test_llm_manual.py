"""`manual`: prompts and replies as files."""

from __future__ import annotations

import io
import stat
import sys
import threading
import time
from pathlib import Path

import pytest
from hearing import Listener
from rich.console import Console
from rich.live import Live

from reward_agent.errors import UsageError, WaitingForPersonError
from reward_agent.llm import Options, ask_many, connect
from reward_agent.llm.manual import Manual, as_text, copy_to_clipboard
from reward_agent.messages import Key, Message, Reply

PROMPT = (Message("system", "You write rewards."), Message("user", "Hop.\n"), Message("assistant", "No."))
KEY = Key(1, 2, 3)


def test_without_a_person_it_leaves_the_prompt_and_says_what_to_do(tmp_path: Path) -> None:
    llm = connect("manual:claude-web", Options(folder=tmp_path, wait=0.0))
    with pytest.raises(WaitingForPersonError) as caught:
        llm.complete(PROMPT, KEY)
    assert caught.value.exit_code == 4
    folder = tmp_path / "iter_01/cand_02/attempt_03"
    for part in (str(folder / "prompt.md"), str(folder / "reply.md"), "reward-agent resume"):
        assert part in str(caught.value)
    assert (folder / "prompt.md").read_text() == as_text(PROMPT, KEY)
    assert as_text(PROMPT, KEY).startswith("===== SYSTEM =====\n\nYou write rewards.\n\n===== USER =====\n\nHop.\n")


def test_a_reply_left_meanwhile_is_taken_with_the_name_given(tmp_path: Path) -> None:
    llm = Manual("claude-web", tmp_path, wait=0.0, settle=0.05)
    with pytest.raises(WaitingForPersonError):
        llm.complete(PROMPT, KEY)
    _, path = llm.paths(KEY)
    path.write_bytes("\ufeffthe answer é\r\n".encode())
    reply = llm.complete(PROMPT, KEY)
    assert reply.text == "the answer é\n"
    assert reply.model == "claude-web"
    assert reply.usage.cost_usd is None
    assert len(reply.prompt_sha256) == 64


def test_a_blank_reply_is_none(tmp_path: Path) -> None:
    llm = Manual("", tmp_path, wait=0.0, settle=0.05)
    assert llm.name == "manual"
    _, path = llm.paths(KEY)
    path.parent.mkdir(parents=True)
    path.write_text(" \n")
    with pytest.raises(WaitingForPersonError):
        llm.complete(PROMPT, KEY)


def test_a_reply_that_is_being_written_is_not_taken_before_it_is_whole(tmp_path: Path) -> None:
    llm = Manual("m", tmp_path, wait=30.0, settle=1.5)
    replies: list[Reply] = []
    waiting = threading.Thread(target=lambda: replies.append(llm.complete(PROMPT, KEY)))
    waiting.start()
    _, path = llm.paths(KEY)
    while not path.parent.exists():
        time.sleep(0.01)
    with path.open("w") as file:
        for part in "abcdef":
            file.write(part)
            file.flush()
            time.sleep(0.15)
    waiting.join(30)
    assert [reply.text for reply in replies] == ["abcdef"]


def test_several_prompts_wait_side_by_side(tmp_path: Path) -> None:
    llm = Manual("m", tmp_path, wait=30.0, settle=0.05)
    keys = [Key(0, candidate, 0) for candidate in range(4)]

    def person() -> None:
        # answers only once all are asked, and the last first
        while not all(llm.paths(key)[0].exists() for key in keys):
            time.sleep(0.01)
        for key in reversed(keys):
            llm.paths(key)[1].write_text(f"answer {key.candidate}")

    threading.Thread(target=person, daemon=True).start()
    replies = dict(ask_many(llm, [(key, PROMPT) for key in keys], concurrency=4))
    assert {key: reply.text for key, reply in replies.items() if isinstance(reply, Reply)} == {
        key: f"answer {key.candidate}" for key in keys
    }


def test_with_no_person_every_prompt_is_left_before_it_stops(tmp_path: Path) -> None:
    llm = Manual("m", tmp_path, wait=0.0, settle=0.05)
    keys = [Key(0, candidate, 0) for candidate in range(5)]
    _, answered = llm.paths(keys[2])
    answered.parent.mkdir(parents=True)
    answered.write_text("early")
    got: list[Key] = []
    with pytest.raises(WaitingForPersonError) as caught:
        got.extend(key for key, _ in ask_many(llm, [(key, PROMPT) for key in keys], concurrency=2))
    assert got == [keys[2]]
    for key in keys:
        prompt, _ = llm.paths(key)
        assert prompt.exists()
        assert (str(prompt) in str(caught.value)) == (key != keys[2])


def test_another_stage_of_a_key_has_files_of_its_own(tmp_path: Path) -> None:
    llm = Manual("m", tmp_path, wait=0.0)
    assert llm.paths(KEY)[0] != llm.paths(KEY._replace(stage="motion"))[0]


def test_it_needs_a_folder() -> None:
    with pytest.raises(UsageError, match="folder"):
        connect("manual")


def test_the_clipboard_is_used_where_a_tool_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not copy_to_clipboard("text")
    broken, works = tmp_path / "wl-copy", tmp_path / "xclip"
    broken.write_text("#!/bin/sh\nexit 1\n")
    works.write_text(f"#!/bin/sh\n/bin/cat > {tmp_path}/clipboard\n")
    for tool in (broken, works):
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    assert copy_to_clipboard("text é")
    assert (tmp_path / "clipboard").read_text() == "text é"


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


def test_a_person_is_told_where_something_is_drawn_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "stderr", Terminal())
    console = Console(file=io.StringIO(), force_terminal=True, width=2000)
    llm = Manual("m", tmp_path, wait=0.2, settle=0.05)
    with Live("a table", console=console), pytest.raises(WaitingForPersonError):
        llm.complete(PROMPT, KEY)
    prompt, reply = llm.paths(KEY)
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert f"give {prompt} to a model" in told and f"as {reply}: it goes on" in told


def test_whoever_listens_is_told_what_to_do_and_hears_the_reply(tmp_path: Path) -> None:
    llm, heard = Manual("m", tmp_path, wait=30.0, settle=0.05), Listener()
    prompt, path = llm.paths(KEY)

    def person() -> None:
        while not heard.awaited:
            time.sleep(0.01)
        path.write_text("the answer")

    threading.Thread(target=person, daemon=True).start()
    assert llm.stream(PROMPT, KEY, heard).text == heard.text == "the answer"
    assert str(prompt) in heard.awaited[0] and str(path) in heard.awaited[0]
    again = Listener()
    assert llm.stream(PROMPT, KEY, again).text == "the answer" and not again.awaited


def test_a_prompt_that_is_asked_for_again_is_answered_once(tmp_path: Path) -> None:
    llm = Manual("m", tmp_path, wait=30.0, settle=0.05)
    replies: list[Reply] = []
    asking = [threading.Thread(target=lambda: replies.append(llm.complete(PROMPT, KEY)), daemon=True) for _ in range(2)]
    for number, thread in enumerate(asking, 1):
        thread.start()
        while len(llm._open) < number and thread.is_alive():
            time.sleep(0.01)
    llm.paths(KEY)[1].write_text("one")
    for thread in asking:
        thread.join(30)
    assert [reply.text for reply in replies] == ["one", "one"]


def test_the_clipboard_has_what_is_asked_now_after_another_was_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clipboard, tool = tmp_path / "clipboard", tmp_path / "wl-copy"
    tool.write_text(f"#!/bin/sh\n/bin/cat > {clipboard}.new && /bin/mv {clipboard}.new {clipboard}\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "stderr", Terminal())
    llm, later = Manual("m", tmp_path, wait=30.0, settle=0.05), Key(2, 0, 0)
    words = (Message("user", "Slower."),)

    def copied(text: str) -> bool:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not (clipboard.exists() and clipboard.read_text() == text):
            time.sleep(0.01)
        return clipboard.read_text() == text

    asking = [
        threading.Thread(target=llm.stream, args=(messages, key, Listener()), daemon=True)
        for messages, key in ((PROMPT, KEY), (words, later))
    ]
    asking[0].start()
    assert copied(as_text(PROMPT, KEY))
    asking[1].start()
    assert copied(as_text(words, KEY))
    llm.paths(later)[1].write_text("answer")
    asking[1].join(30)
    assert clipboard.read_text() == as_text(words, KEY), "what was given up does not come back"
    llm.paths(KEY)[1].write_text("too late")
    asking[0].join(30)
