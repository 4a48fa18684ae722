"""`reward-agent chat` as a person at a terminal meets it: real keys, a real process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest
from loopback import Loopback, hang
from runs_for_tests import GOOD, TASK, recording
from terminals import LOOK, Terminal, plain, replies
from test_cli_runs import SMALL, call
from test_shaping import PROGRAM
from waiting import until

from reward_agent.cli.chatting.lines import _history, state_file
from reward_agent.messages import Key
from reward_agent.program import read_program


@pytest.fixture
def opened() -> Iterator[list[Terminal]]:
    found: list[Terminal] = []
    yield found
    for terminal in found:
        terminal.child.close(force=True)


def test_a_whole_session_at_a_terminal(tmp_path: Path, opened: list[Terminal]) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    chat = Terminal(tmp_path, TASK, "--llm", llm, *LOOK)
    opened.append(chat)
    shown = chat.say("push it to the goal, and rest there")
    assert "Faulty: check fault, line 2" in shown and "Passed check and probe." in shown
    assert "def compute_reward" in shown and "a short training of 2,048 steps" in shown and "near" in shown
    assert "Do nothing at all" in chat.say("do less")
    told = chat.say("/diff")
    assert "-    near = np.exp" in told and "+    rest = -(action" in told
    assert "Taken back: “do less”. 1 turn is left." in chat.say("/undo")
    assert "effort = -0.01" in chat.say("/reward")
    assert "# calmer" in chat.say("rest more")
    assert "Did you mean '/reward'?" in chat.say("/rewrad")
    assert "success" in chat.say("/score") and "4 replies" in chat.say("/cost")

    chat.child.send("/train 1e7\r")
    chat.child.expect("of 10,000,000 steps")
    chat.child.sendintr()
    assert "goes on from its last checkpoint" in chat.ready()
    shown = chat.say("/export mine.py")
    assert "mine.py needs nothing of this package" in shown
    assert "# calmer" in (tmp_path / "mine.py").read_text()
    assert "rest there" in (tmp_path / "mine.py").read_text()

    chat.child.send("half a line")
    chat.child.sendintr()
    assert "Ctrl-C again" in chat.ready()
    assert "list the commands" in chat.say("/help"), "a word between two Ctrl-C takes the first one back"
    chat.child.sendintr()
    chat.ready()
    chat.child.sendintr()
    chat.child.expect(pexpect.EOF)
    chat.child.close()
    assert chat.child.exitstatus == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert f"resume runs/{folder.name}` goes on from here" in plain(chat.child.before)

    chat = Terminal(tmp_path, "--resume", "last")
    opened.append(chat)
    before = chat.greeting
    assert "> push it to the goal, and rest there" in before and "> rest more" in before and "do less" not in before
    assert "# calmer" in chat.say("/reward")
    exported = chat.say("/export again.py")
    assert "again.py needs" in exported
    assert read_program(tmp_path / "again.py") == read_program(tmp_path / "mine.py")
    chat.quit("\x04")
    assert chat.child.exitstatus == 0
    typed = (folder / "history").read_text()
    assert "+rest more" in typed and "+rest more" in (tmp_path / "state/reward-agent/history").read_text()


def test_ctrl_c_during_a_look_keeps_the_reward(tmp_path: Path, opened: list[Terminal]) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    chat = Terminal(tmp_path, TASK, "--llm", llm, *LOOK, "--look-budget", "1e7")
    opened.append(chat)
    chat.child.send("push it\r")
    chat.child.expect("of 10,000,000 steps")
    chat.child.sendintr()
    assert "Not looked at: stopped." in chat.ready()
    assert "near = np.exp" in chat.say("/reward")
    assert "`reward-agent" in chat.quit() or "resume runs/" in plain(chat.child.before)


def test_a_line_may_have_several(tmp_path: Path, opened: list[Terminal]) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    chat = Terminal(tmp_path, TASK, "--llm", llm, *LOOK, "--look", "none")
    opened.append(chat)
    chat.child.send("first\\\rsecond\x1b\rthird\r")
    chat.child.expect("Passed")
    chat.ready()
    chat.quit()
    (folder,) = (tmp_path / "runs").iterdir()
    (line, *_) = (folder / "journal.jsonl").read_text().splitlines()
    assert json.loads(line)["value"]["text"] == "first\nsecond\nthird"


def test_a_command_is_completed(tmp_path: Path, opened: list[Terminal]) -> None:
    llm = replies(tmp_path / "replies.jsonl")
    chat = Terminal(tmp_path, TASK, "--llm", llm, *LOOK, "--look", "none")
    opened.append(chat)
    chat.child.send("/co\t")
    chat.child.expect("/cost")
    chat.child.send("\r")
    assert "0 replies" in chat.ready()
    chat.quit()


def test_a_history_that_cannot_be_read_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "history").write_text("\n# then\n+do less\n")
    state_file().mkdir(parents=True)  # no more to be read than a file of somebody else's, whoever runs this
    assert list(_history(tmp_path).load_history_strings()) == ["do less"]


def test_ctrl_c_while_the_model_writes(tmp_path: Path, opened: list[Terminal]) -> None:
    with Loopback() as server:
        server.script(hang())
        words = ("--llm", "openai:m", "--base-url", server.openai_url, "--look", "none", "--method", "text2reward")
        chat = Terminal(tmp_path, TASK, *words, keys={"OPENAI_API_KEY": "k"})
        opened.append(chat)
        chat.child.send("push it\r")
        chat.child.expect("the model writes")
        until(lambda: bool(server.requests))
        chat.child.sendintr()
        assert "`/go` tries again" in chat.ready()
        assert "0 replies" in chat.say("/cost")
        chat.quit()
        assert chat.child.exitstatus == 0


def test_a_person_who_is_the_model_is_told_which_file_to_answer(tmp_path: Path, opened: list[Terminal]) -> None:
    chat = Terminal(tmp_path, TASK, "--llm", "manual", "--look", "none", "--method", "text2reward")
    opened.append(chat)
    chat.child.send("push it\r")
    chat.child.expect("it goes on as soon as the file is there.")
    told = plain(chat.child.before)
    chat.child.expect("waiting for the answer .Ctrl-C stops it")
    found = re.search(r"give (\S+prompt\.md) to a model .* save the whole answer as (\S+reply\.md):", told)
    assert found is not None, told
    assert "push it" in Path(found[1]).read_text()
    chat.child.sendintr()
    stopped = told + chat.ready()
    assert "`/go` tries again" in stopped and "the model writes" not in stopped
    chat.child.send("/go\r")
    chat.child.expect("as soon as the file is there")
    Path(found[2]).write_text(f"```python\n{GOOD}\n```\n")
    chat.child.expect("Passed check and probe.")
    assert "the model writes" not in chat.ready()
    assert "near = np.exp" in chat.say("/reward")
    chat.quit()


def test_found_subgoals_are_reviewed_in_words(tmp_path: Path, opened: list[Terminal]) -> None:
    found = PROGRAM.replace("< 0.2", "< 0.2  # within a fifth of a metre")
    mended = found.replace('"moves"', '"sets_off"').replace("0.2", "0.1").replace("a fifth", "a tenth")
    llm = recording(tmp_path / "s.jsonl", {Key(0, 0, 0): found, Key(1, 0, 0): mended})
    chat = Terminal(tmp_path, TASK, "--llm", llm, "--method", "calm", "--look", "none")
    opened.append(chat)
    shown = chat.say("/go")
    assert "Passed check and probe. Its subgoals:\n  moves: moves\n  near: within a fifth of a metre\n" in shown
    shown = chat.say("closer than that, and call the first one what it is")
    assert "  sets_off: sets off\n  near: within a tenth of a metre\n" in shown
    assert "reviewed.py needs nothing" in chat.say("/export reviewed.py")
    chat.quit()
    (folder,) = (tmp_path / "runs").iterdir()
    asked = (folder / "iter_01/cand_00/attempt_00/messages.json").read_text()
    assert "closer than that" in asked and "within a fifth" in asked

    accepted = ("--method", "calm", "--init", "reviewed.py", "--iterations", "0")
    told = json.loads(call("run", TASK, *accepted, *SMALL, "--json", cwd=tmp_path).stdout)
    assert "sets_off" in (tmp_path / told["best"] / "reward.py").read_text()
