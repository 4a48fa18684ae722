"""Sessions that a kill or a Ctrl-C breaks off: the state is what the journal says, and they go on."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import chats_for_tests as chats
import pytest
from chats_for_tests import Scripted, Slow, prompt
from runs_for_tests import BROKEN, GOOD, TIMID

from reward_agent.chat import Session
from reward_agent.chat.keeping import scores
from reward_agent.chat.talk import Talk
from reward_agent.cli.chatting.commands import Chat
from reward_agent.cli.chatting.loop import catch_up
from reward_agent.cli.chatting.screen import Screen
from reward_agent.errors import Terminated, UsageError
from reward_agent.events import TrainingProgress
from reward_agent.store import read_steps
from reward_agent.trial import Trained


def whole_session(root: Path) -> tuple[Path, Talk, list[Talk]]:
    """One with a repair, an undo, a second look and a fault for good; its state at the end and after each line."""
    model = Scripted(BROKEN, GOOD, TIMID, GOOD + "\n# again\n", BROKEN, BROKEN)
    with chats.begin(root, model, repairs=1) as session:
        session.say("reach it")
        session.say("softer")
        session.undo()
        session.say("much softer")
        session.look()
        session.say("perfectly")
        states = [session.ledger.folding.start()]
        for key, value in session.run.journal.values.items():
            states.append(session.ledger.folding.step(states[-1], key, value))
        return session.run.folder, session.talk, states


def test_the_state_is_what_the_journal_says(tmp_path: Path) -> None:
    folder, talk, states = whole_session(tmp_path)
    assert chats.same(states[-1], talk)
    with chats.again(folder, Scripted()) as session:
        assert chats.same(session.talk, talk)
        assert session.talk.in_force[0].attempts[1].messages[-1].text.startswith("That cannot be used.")


def test_a_session_killed_at_any_line_goes_on_to_the_same_state(tmp_path: Path) -> None:
    folder, talk, states = whole_session(tmp_path)
    lines = (folder / "journal.jsonl").read_text().splitlines(keepends=True)
    before = list(read_steps(folder).items())
    for cut in range(len(lines) + 1):
        copy = tmp_path / f"cut{cut}"
        shutil.copytree(folder, copy)
        # the kill came while the next line was written
        (copy / "journal.jsonl").write_text("".join(lines[:cut]) + (lines[cut][:20] if cut < len(lines) else ""))
        left = [value["text"] for key, value in before[cut:] if key.stage == "reply"]
        model = Scripted(*[text.removeprefix("```python\n").removesuffix("\n```") for text in left])
        with chats.again(copy, model) as session:
            assert chats.same(session.talk, states[cut]), cut
            if session.unfinished:
                session.go()
            for words in ("reach it", "softer", "UNDO", "much softer", "LOOK", "perfectly")[_done(session) :]:
                step: Callable[[], object] = {"UNDO": session.undo, "LOOK": session.look}.get(
                    words, lambda words=words: session.say(words)
                )
                step()
            assert chats.same(session.talk, talk), cut
            assert len(model.asked) == len(left), "no reply was asked for twice"


def _done(session: Session) -> int:
    """How many of the steps of `whole_session` were taken."""
    words = [turn.words for turn in session.talk.turns]
    undone = any(turn.undone for turn in session.talk.turns)
    looks = sum(len(turn.looks) for turn in session.talk.in_force[1:2]) > 1
    return len(words) + undone + looks


def test_ctrl_c_ends_a_slow_reply_and_no_more(tmp_path: Path) -> None:
    slow = Slow()
    with chats.begin(tmp_path, slow) as session:
        interrupt_when(lambda: slow.asked == 1)
        turn = session.say("anything")
        assert turn.stopped and turn.program is None and session.unfinished
        session.asker.llm.llm = Scripted(GOOD)
        assert session.say("something else").program is not None
        assert [each.words for each in session.talk.in_force] == ["something else"]
    with chats.again(tmp_path / "one", Scripted()) as session:
        assert [turn.undone for turn in session.talk.turns] == [True, False] and not session.unfinished


def test_a_stopped_turn_is_tried_again_by_go(tmp_path: Path) -> None:
    slow = Slow()
    with chats.begin(tmp_path, slow) as session:
        interrupt_when(lambda: slow.asked == 1)
        session.say("anything")
        model = session.asker.llm.llm = Scripted(GOOD)
        turn = session.go()
        assert turn.words == "anything" and turn.program is not None and not turn.stopped
    assert "anything" in prompt(model)


def test_a_kill_is_no_ctrl_c(tmp_path: Path) -> None:
    class Killed:
        name = "killed:one"

        def complete(self, messages: object, key: object) -> None:
            raise Terminated

    with chats.begin(tmp_path, Killed()) as session, pytest.raises(Terminated):
        session.say("anything")
    with chats.again(tmp_path / "one", Scripted(GOOD)) as session:
        assert session.unfinished and session.go().words == "anything"


def test_what_goes_wrong_in_catching_up_ends_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "one"
    with chats.begin(tmp_path, Scripted(Terminated())) as session, pytest.raises(Terminated):
        session.say("anything")
    for error, code in ((OSError("No space left on device"), 1), (UsageError("no such thing"), 2)):
        with chats.again(folder, Scripted(error)) as session:
            assert catch_up(Chat(session, Screen())) == code
            assert str(error) in capsys.readouterr().out
    with chats.again(folder, Scripted(GOOD)) as session:
        assert catch_up(Chat(session, Screen())) == 0 and session.with_program().words == "anything"


def test_a_training_that_is_stopped_leaves_the_session_and_goes_on_later(tmp_path: Path) -> None:
    with chats.begin(tmp_path, Scripted(GOOD)) as session:
        session.go()
        steps: list[int] = []

        def stop(event: object) -> None:
            if isinstance(event, TrainingProgress):
                steps.append(event.steps)
                if len(steps) == 1:
                    os.kill(os.getpid(), signal.SIGINT)

        session.trainings = replace(session.trainings, events=stop)
        assert session.train(8_192) is None
        assert session.talk.last is not None and not session.talk.last.trained
        turn = session.train(8_192)
        assert turn is not None and isinstance(turn.trained[0], Trained) and turn.trained[0].outcome.steps == 8_192
        assert steps[1] > steps[0], "from its checkpoint"
        assert turn.outcome == turn.trained[0].outcome, "what the method hears of next"
        assert scores(turn)[0] == turn.trained[0]


def interrupt_when(true: Callable[[], bool]) -> None:
    """Ctrl-C, once something has happened."""

    def wait() -> None:
        while not true():
            threading.Event().wait(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()
