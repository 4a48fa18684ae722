"""Sessions in worlds that can be planned in: looks through the planner, conversations that set parameters, clips."""

from __future__ import annotations

import json
import math
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import chats_for_tests as chats
import numpy as np
import pytest
from chats_for_tests import Glance
from runs_for_tests import GOOD, Scripted

from reward_agent.chat import ChatSettings, Look, Session, start
from reward_agent.chat.clips import make_clip
from reward_agent.chat.looking import outcome_of
from reward_agent.chat.options import share_out
from reward_agent.chat.planner import PlannerLooker
from reward_agent.chat.showing import ACTIONS, START
from reward_agent.chat.talk import Said
from reward_agent.cli.chatting.commands import Chat, perform
from reward_agent.cli.chatting.screen import Screen
from reward_agent.config import RunConfig
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
from reward_agent.events import Looking
from reward_agent.history import Outcome
from reward_agent.messages import Key, Message, Reply
from reward_agent.program import Fault, Program, TrainingFault
from reward_agent.task import Task

SIT = find_task("quadruped/sit-down")
EXPERT = Program(SIT.expert.read_text()) if SIT.expert else None
FAILS = Program("def compute_reward(state, action, next_state):\n    near = 1 / 0\n    return near, {'near': near}\n")
QUICK = {"samples": 4, "seconds": 0.2, "threads": 1}
DESCRIPTION = "<description>\n1. The torso's middle should be {} m above the floor.\n</description>"
CALLS = "```python\nset_torso_targets(target_torso_height={})\nexecute_plan(4)\n```"


class Says:
    """A model that says just these."""

    name = "says:one"

    def __init__(self, *replies: str) -> None:
        self.replies, self.asked = list(replies), []

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        self.asked.append((key, messages))
        return Reply(self.replies.pop(0), model="says")


def looked(program: Program, **how: Any) -> Look | Fault:
    return PlannerLooker(1, 0.1, settings=QUICK, **how).look(SIT, program)


def talk(root: Path, model: Any, **changes: Any) -> Session:
    """A session in which a planner looks for 0.1 s, and quickly."""
    config = RunConfig("quadruped/sit-down", llm="x", iterations=1_000, candidates=1, jobs=1)
    settings = ChatSettings(seconds=0.1, planner=QUICK, **changes)
    return start(config, settings, llm=model, root=root, name="one", left_open=("method",))


def test_a_look_plays_the_reward_at_once() -> None:
    assert EXPERT is not None
    times: list[float] = []
    look = looked(EXPERT, watch=lambda episodes: times.append(episodes.elapsed[0]))
    assert isinstance(look, Look)
    steps = round(0.1 / SIT.world.dt)
    assert times == list(range(1, steps + 1)) and len(look.total) == steps
    assert look.actions is not None and look.actions.shape == (steps, 12)
    assert sum(values[0] for values in look.terms.values()) == pytest.approx(look.total[0])
    assert look.cut_short and not look.metrics, "of a part of an episode there is no score"
    assert look.real_time_factor is not None and look.real_time_factor > 0
    again = looked(EXPERT)
    assert isinstance(again, Look) and again.total == look.total


@pytest.mark.parametrize(("seconds", "cut_short"), [(0.1, True), (0.2, False), (9.0, False)])
def test_only_a_look_at_a_whole_episode_is_scored(seconds: float, cut_short: bool) -> None:
    assert EXPERT is not None
    brief = replace(SIT, horizon=10)
    look = PlannerLooker(1, seconds, settings=QUICK).look(brief, EXPERT)
    assert isinstance(look, Look) and look.cut_short == cut_short
    assert set(look.metrics) == (set() if cut_short else {metric.name for metric in SIT.metrics})
    outcome = outcome_of(brief, look)
    assert outcome.stopped_of == (pytest.approx(0.2) if cut_short else None)
    assert math.isnan(outcome.metrics["success"].mean) == cut_short


def test_a_look_that_was_cut_short_is_told_as_such_and_not_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    description, calls = DESCRIPTION.format(0.2), CALLS.format(0.2)
    with talk(tmp_path, Says(description, calls, description, calls)) as session:
        chat = Chat(session, Screen())
        perform(chat, "sit")
        perform(chat, "/score")
        shown = capsys.readouterr().out
        assert "the planner, 0.1 s, " in shown and "real time: stopped after 0.1 of 6 s; not scored; terms" in shown
        assert "The last look was stopped after 0.1 of 6 s; not scored." in shown and "success" not in shown
        assert "stopped after 0.1 of 6 s; not scored" in (session.run.folder / "transcript.md").read_text()
        told = json.loads(json.dumps(session.to_json(), allow_nan=False))["turns"][0]
        (look,) = told["looks"]
        assert told["metrics"] == {} and look["real_time_factor"] > 0
        assert (look["by"], look["seconds"], look["stopped_of"]) == ("planner", pytest.approx(0.1), 6.0)
        words = session.go().words
    assert "The planner acted on the reward; no policy was trained." in words
    assert "It was stopped after 0.1 of 6 s of the episode" in words
    false = (" %", "episodes", "fall", "early", "task_score", "number", "nan")
    assert not any(each in words for each in false), words


def test_one_episode_has_a_score_and_no_interval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with talk(tmp_path, Says(DESCRIPTION.format(0.2), CALLS.format(0.2))) as session:
        session.showing.make_looker = lambda turn, number: Sits()
        chat = Chat(session, Screen())
        perform(chat, "sit")
        perform(chat, "/score")
        shown = capsys.readouterr().out.splitlines()
        assert "  success 1" in shown and "  progress 0.75" in shown
        assert session.to_json()["turns"][0]["metrics"]["progress"] == {"mean": 0.75, "low": None, "high": None}


def test_a_look_tells_of_each_second_that_it_plays(tmp_path: Path) -> None:
    told: list[Looking] = []
    config = RunConfig("quadruped/sit-down", llm="x", iterations=1_000, candidates=1, jobs=1)
    model = Says(DESCRIPTION.format(0.2), CALLS.format(0.2))
    with start(
        config,
        ChatSettings(seconds=0.1, planner=QUICK),
        llm=model,
        root=tmp_path,
        name="one",
        left_open=("method",),
        events=lambda event: told.append(event) if isinstance(event, Looking) else None,
    ) as session:
        session.say("sit")
    assert [event.seconds for event in told] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])
    assert {event.of for event in told} == {0.1}


def test_a_look_that_is_stopped_tells_what_was_played() -> None:
    assert EXPERT is not None
    look = looked(EXPERT, watch=lambda episodes: os.kill(os.getpid(), signal.SIGINT))
    assert isinstance(look, Look) and len(look.total) == 1 and look.cut_short and not look.metrics
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.needs("rendering")
@pytest.mark.parametrize("carry_on", [False, True])
def test_what_the_planner_played_is_filmed(tmp_path: Path, carry_on: bool) -> None:
    model = Says(DESCRIPTION.format(0.2), CALLS.format(0.2), DESCRIPTION.format(0.3), CALLS.format(0.3))
    with talk(tmp_path, model, carry_on=carry_on) as session:
        session.say("sit")
        turn = session.say("stand")
        assert isinstance(turn.outcome, Outcome) and turn.outcome.by == "planner"
        look = session.run.folder / turn.folder / "look_00"
        assert (look / START).is_file() == carry_on and np.load(look / ACTIONS).shape[1] == 12
        assert make_clip(session).read_bytes()[4:8] == b"ftyp"


@pytest.mark.needs("view")
def test_a_look_is_drawn_in_the_browser_as_it_is_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = Says(DESCRIPTION.format(0.2), CALLS.format(0.2))
    with talk(tmp_path, model) as session:
        chat = Chat(session, Screen(), wants_view=True)
        perform(chat, "sit")
        view = chat.view
        shown = capsys.readouterr().out
        assert view is not None and view.url in shown and view.caption == "sit" and "stand still" not in shown
        with urlopen(view.url) as page:
            assert page.status == 200
        assert view.live.settle() and view.live.shown == pytest.approx(0.1)
        view.close()


@pytest.mark.needs("view")
def test_the_view_says_the_words_that_the_planner_acts_on(tmp_path: Path) -> None:
    model = Says(DESCRIPTION.format(0.28), CALLS.format(0.28), DESCRIPTION.format(0.3), CALLS.format(0.3))
    config = RunConfig("quadruped/lift-paw-higher", llm="x", iterations=1_000, candidates=1, jobs=1)
    settings = ChatSettings(seconds=0.1, planner=QUICK)
    with start(config, settings, llm=model, root=tmp_path, name="one", left_open=("method",)) as session:
        chat = Chat(session, Screen(), wants_view=True)
        perform(chat, "/go")
        view = chat.view
        assert view is not None and view.caption == session.task.instruction
        perform(chat, "/go")
        assert view.caption == "now lift it much higher", "the task's own correction"
        perform(chat, "/undo")
        perform(chat, "/look")
        assert view.caption == session.task.instruction
        view.close()


@pytest.mark.needs("view")
def test_a_view_of_what_only_trains_says_that_it_stands_still(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with talk(tmp_path, Says()) as session:
        session.showing.settings = session.settings = ChatSettings(look="training")
        chat = Chat(session, Screen())
        perform(chat, "/view")
        assert chat.view is not None and "It will stand still" in capsys.readouterr().out
        chat.view.close()


def test_a_program_that_fails_at_work_is_a_fault() -> None:
    found = looked(FAILS)
    assert isinstance(found, Fault) and "ZeroDivisionError" in found.message


def test_a_task_of_the_planner_is_talked_of_by_parameters(tmp_path: Path) -> None:
    model, glance = Says(), Glance()
    config = RunConfig("quadruped/lift-paw-higher", llm="x", iterations=1_000, candidates=1, jobs=1)
    with start(config, llm=model, root=tmp_path, name="one", left_open=("method",)) as session:
        assert (session.method.name, session.settings.look) == ("l2r", "planner")
        session.showing.make_looker = lambda turn, number: glance
        model.replies = [DESCRIPTION.format(0.28), CALLS.format(0.28)]
        first = session.go()
        model.replies = [DESCRIPTION.format(0.3), CALLS.format("'high'"), CALLS.format(0.3)]
        second = session.go()
        assert second.words == "now lift it much higher", "the task's own correction"
        assert [bool(attempt.faults) for attempt in second.attempts] == [False, True, False]
        model.replies = [DESCRIPTION.format(0.2)] + [CALLS.format("'low'")] * 4
        failed = session.say("lower")
        assert failed.program is None and not session.unfinished
        model.replies = [DESCRIPTION.format(0.2), CALLS.format(0.2)]
        third = session.say("lower, please")
        assert third.program is not None and third.at == (2, 1)
        talk = session.talk
    keys = [key for key, _ in model.asked]
    assert keys[:4] == [Key(0, 0, 0, "motion"), Key(0, 0, 0), Key(1, 0, 0, "motion"), Key(1, 0, 0)]
    assert "lift your front right paw" in model.asked[2][1][1].text
    assert "now lift it much higher" in model.asked[2][1][-1].text
    last = "\n".join(message.text for message in model.asked[-2][1])
    assert "lower, please" in last and "lower\n" not in last, "a turn that came to nothing is not told"
    assert "0.3" in model.asked[-1][1][-1].text, "what is in force"
    assert first.program != second.program
    with chats.again(tmp_path / "one", Says()) as again:
        assert chats.same(again.talk, talk)


def test_go_says_again_what_a_correction_that_failed_said(tmp_path: Path) -> None:
    faulty = [DESCRIPTION.format(0.2)] + [CALLS.format("'low'")] * 4
    model = Says(
        DESCRIPTION.format(0.3), CALLS.format(0.3), *faulty, *faulty, DESCRIPTION.format(0.2), CALLS.format(0.2)
    )
    with talk(tmp_path, model) as session:
        session.showing.make_looker = lambda turn, number: Glance()
        session.say("sit")
        assert session.say("lower").program is None
        again = session.go()
        assert again.words == "lower" and again.program is None and len(model.asked) == 12
        turn = session.go()
        assert turn.words == "lower" and turn.program is not None and not model.replies
        assert [each.words for each in session.talk.in_force] == ["sit", "lower"]
        assert "lower" in model.asked[-2][1][-1].text


class Sits:
    """A look at a whole episode that did what was asked."""

    def look(self, task: Task, program: Program) -> Look | Fault:
        seconds = task.horizon * task.world.dt
        return Look({"low": (0.5, 1.0)}, (0.5, 1.0), {"success": 1.0, "progress": 0.75}, seconds, 0.5)


class Fails:
    """A look at a reward that fails at work."""

    def look(self, task: Task, program: Program) -> Look | Fault:
        return TrainingFault("optimise", "it divides by zero")


def test_what_a_method_cannot_go_on_with_changes_nothing(tmp_path: Path) -> None:
    model = Says(DESCRIPTION.format(0.3), CALLS.format(0.3))
    with talk(tmp_path, model) as session:
        session.showing.make_looker = lambda turn, number: Fails()
        assert isinstance(session.say("sit").outcome, Fault)
        before = dict(session.run.journal.values)
        with pytest.raises(UsageError, match="l2r goes by your words"):
            session.go()
        assert dict(session.run.journal.values) == before
        model.replies = [DESCRIPTION.format(0.2)] + [CALLS.format("'low'")] * 4
        session.say("lower")
        before = dict(session.run.journal.values)
        with pytest.raises(UsageError, match="l2r goes by your words"):
            session._begin(Said("", automatic=True))
        assert dict(session.run.journal.values) == before, "nothing is taken back for nothing"


@pytest.mark.parametrize("look", ["planner", "training", "none"])
@pytest.mark.parametrize("optimiser", ["ppo", "sac"])
def test_looks_and_method_follow_the_task_whatever_trains(tmp_path: Path, look: Any, optimiser: str) -> None:
    config = RunConfig("quadruped/sit-down", llm="x", iterations=1_000, candidates=1, jobs=1, optimiser=optimiser)
    with start(config, ChatSettings(), llm=Says(), root=tmp_path, name="one", left_open=("method",)) as session:
        assert (session.method.name, session.settings.look) == ("l2r", "planner")
    with start(config, ChatSettings(look), llm=Says(), root=tmp_path, name="two", left_open=("method",)) as session:
        assert (session.method.name, session.settings.look) == ("l2r", look)
        assert session.trainings.config.optimiser == optimiser


def test_a_setting_goes_to_whichever_has_it() -> None:
    changes = ["samples=8", "learning_rate=1e-3", "threads=1"]
    shares = share_out(ChatSettings(), SIT, "ppo", preset="dexterity", changes=changes)
    assert shares.settings.planner == {"samples": 8, "threads": 1} and shares.settings.preset == "dexterity"
    assert shares.changes == {"learning_rate": 1e-3, "threads": 1}
    assert shares.preset == "dexterity"
    trained_alone = share_out(ChatSettings(), SIT, "ppo", preset="posture")
    assert (trained_alone.preset, trained_alone.settings.preset) == ("posture", None)
    trains = share_out(ChatSettings(look="training"), SIT, "ppo", changes=["learning_rate=1e-3", "threads=1"])
    assert trains.changes == {"learning_rate": 1e-3, "threads": 1} and not trains.settings.planner


@pytest.mark.parametrize(
    ("look", "words", "message"),
    [
        (None, {"changes": ["sampels=8"]}, "setting named 'sampels'. Did you mean 'samples'"),
        (None, {"changes": ["learning_rat=8"]}, "Did you mean 'learning_rate'"),
        (None, {"changes": ["samples=many"]}, "'samples' wants a whole number"),
        (None, {"changes": ["samples"]}, "'samples' sets nothing"),
        (None, {"preset": "dextrity"}, "preset of ppo or mpc named 'dextrity'. Did you mean 'dexterity'"),
        ("training", {"changes": ["samples=8"]}, "one of the planner's, which looks at rewards with `--look planner`"),
        ("training", {"preset": "dextrity"}, "preset of ppo named 'dextrity'"),
    ],
)
def test_a_setting_that_is_nobodys_is_refused(look: Any, words: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        share_out(ChatSettings(look=look), SIT, "ppo", **words)


def test_a_look_plans_with_the_preset_and_the_settings_that_were_named() -> None:
    assert EXPERT is not None
    usual, dexterity = looked(EXPERT), looked(EXPERT, preset="dexterity")
    assert isinstance(usual, Look) and isinstance(dexterity, Look) and usual.total != dexterity.total


def test_a_world_that_cannot_be_planned_in_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot copy running episodes.*`--look training`"):
        chats.begin(tmp_path, Says(), settings=ChatSettings(look="planner"))
    assert not list(tmp_path.iterdir())


def test_actions_that_were_played_are_played_again_for_the_clip(tmp_path: Path) -> None:
    class Moves(Glance):
        def look(self, *given: Any) -> Look | Fault:
            found = super().look(*given)
            assert isinstance(found, Look)
            return replace(found, actions=np.ones((20, 1)))

    with chats.begin(tmp_path, Scripted(GOOD), looker=Moves()) as session:
        with pytest.raises(UsageError, match="no reward yet"):
            make_clip(session)
        turn = session.go()
        assert (session.run.folder / turn.folder / "look_00" / ACTIONS).exists()
        clip = make_clip(session, tmp_path / "clips/mine.mp4")
        assert clip.read_bytes()[4:8] == b"ftyp"
        with pytest.raises(UsageError, match="is there already"):
            make_clip(session, clip)
