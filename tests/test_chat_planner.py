"""Sessions in worlds that can be planned in: looks through the planner, conversations that set parameters, clips."""

from __future__ import annotations

import os
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

from reward_agent.chat import ChatSettings, Look, start
from reward_agent.chat.clips import make_clip
from reward_agent.chat.planner import PlannerLooker
from reward_agent.chat.showing import ACTIONS, START
from reward_agent.cli.chatting.commands import Chat, perform
from reward_agent.cli.chatting.screen import Screen
from reward_agent.config import RunConfig
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
from reward_agent.history import Outcome
from reward_agent.messages import Key, Message, Reply
from reward_agent.program import Fault, Program

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


def looked(looker: PlannerLooker, program: Program, **how: Any) -> Look | Fault:
    told: dict[str, Any] = {"seconds": 0.1, "start": None, "watch": lambda seen: None, "stop": lambda: False} | how
    return looker.look(SIT, program, **told)


def test_a_look_plays_the_reward_at_once() -> None:
    assert EXPERT is not None
    times: list[float] = []
    look = looked(PlannerLooker(1, QUICK), EXPERT, watch=lambda episodes: times.append(episodes.elapsed[0]))
    assert isinstance(look, Look)
    steps = round(0.1 / SIT.world.dt)
    assert times == list(range(1, steps + 1)) and len(look.total) == steps
    assert look.actions is not None and look.actions.shape == (steps, 12)
    assert sum(values[0] for values in look.terms.values()) == pytest.approx(look.total[0])
    assert set(look.metrics) == {metric.name for metric in SIT.metrics}
    assert look.real_time_factor is not None and look.real_time_factor > 0
    again = looked(PlannerLooker(1, QUICK), EXPERT)
    assert isinstance(again, Look) and again.total == look.total


def test_a_look_that_is_stopped_tells_what_was_played() -> None:
    assert EXPERT is not None
    look = looked(PlannerLooker(1, QUICK), EXPERT, watch=lambda episodes: os.kill(os.getpid(), signal.SIGINT))
    assert isinstance(look, Look) and len(look.total) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_look_goes_on_from_where_another_program_left_the_robot() -> None:
    assert EXPERT is not None
    looker = PlannerLooker(1, QUICK, carry_on=True)
    first = looked(looker, EXPERT)
    assert isinstance(first, Look) and first.end is not None
    other = Program(EXPERT.source + "\n# another\n")
    begun: list[Any] = []
    second = looked(looker, other, start=first.end, watch=lambda episodes: begun.append(episodes.elapsed[0]))
    assert isinstance(second, Look) and begun[0] == 1, "with an episode's time before it"
    assert second.total[0] != first.total[0]


@pytest.mark.needs("rendering")
def test_a_look_that_went_on_is_filmed_from_where_it_began(tmp_path: Path) -> None:
    assert EXPERT is not None
    model = Says(DESCRIPTION.format(0.2), CALLS.format(0.2), DESCRIPTION.format(0.3), CALLS.format(0.3))
    config = RunConfig("quadruped/sit-down", method="l2r", llm="x", iterations=1_000, candidates=1, jobs=1)
    settings = ChatSettings(seconds=0.1, carry_on=True)
    with start(config, settings, llm=model, root=tmp_path, name="one", left_open=("optimiser",)) as session:
        session.showing.make_looker = lambda turn, number: PlannerLooker(session.seed, QUICK, carry_on=True)
        session.say("sit")
        turn = session.say("stand")
        assert (session.run.folder / turn.folder / "look_00" / START).is_file()
        assert make_clip(session).read_bytes()[4:8] == b"ftyp"


@pytest.mark.needs("view")
def test_a_look_is_drawn_in_the_browser_as_it_is_played(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = Says(DESCRIPTION.format(0.2), CALLS.format(0.2))
    config = RunConfig("quadruped/sit-down", method="l2r", llm="x", iterations=1_000, candidates=1, jobs=1)
    settings = ChatSettings(seconds=0.1)
    with start(config, settings, llm=model, root=tmp_path, name="one", left_open=("optimiser",)) as session:
        session.showing.make_looker = lambda turn, number: PlannerLooker(session.seed, QUICK)
        chat = Chat(session, Screen(), wants_view=True)
        perform(chat, "sit")
        view = chat.view
        assert view is not None and view.url in capsys.readouterr().out and view.caption == "sit"
        with urlopen(view.url) as page:
            assert page.status == 200
        assert view.live.settle() and view.live.shown == pytest.approx(0.1)
        view.close()


def test_a_program_that_fails_at_work_is_a_fault() -> None:
    found = looked(PlannerLooker(1, QUICK), FAILS)
    assert isinstance(found, Fault) and "ZeroDivisionError" in found.message


def test_a_task_of_the_planner_is_talked_of_by_parameters(tmp_path: Path) -> None:
    model, glance = Says(), Glance()
    config = RunConfig("quadruped/lift-paw-higher", llm="x", iterations=1_000, candidates=1, jobs=1)
    with start(config, llm=model, root=tmp_path, name="one", left_open=("method", "optimiser")) as session:
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


def test_a_world_that_cannot_be_planned_in_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        chats.begin(tmp_path, Says(), settings=ChatSettings(look="planner"))
    assert not list(tmp_path.iterdir())


def test_the_planner_shows_and_films(tmp_path: Path) -> None:
    """On the tiny world's terms: actions that were played are played again for the clip."""

    class Moves(Glance):
        def look(self, *given: Any, **how: Any) -> Look | Fault:
            found = super().look(*given, **how)
            assert isinstance(found, Look)
            return replace(found, actions=np.ones((20, 1)))

    with chats.begin(tmp_path, Scripted(GOOD), looker=Moves()) as session:
        with pytest.raises(UsageError, match="no reward yet"):
            make_clip(session)
        turn = session.go()
        assert isinstance(turn.outcome, Outcome) and turn.outcome.by == "planner"
        assert (session.run.folder / turn.folder / "look_00" / ACTIONS).exists()
        clip = make_clip(session, tmp_path / "clips/mine.mp4")
        assert clip.read_bytes()[4:8] == b"ftyp"
        with pytest.raises(UsageError, match="is there already"):
            make_clip(session, clip)
