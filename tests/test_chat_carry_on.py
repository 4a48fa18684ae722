"""Sessions whose looks carry on: each begins a new episode where the one before it left the robot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import chats_for_tests as chats
import numpy as np
import pointmass
import pytest
from runs_for_tests import Scripted
from test_chat_planner import CALLS, DESCRIPTION, EXPERT, SIT, Says, looked, talk

from reward_agent.chat import ChatSettings, Look, Session
from reward_agent.chat.planner import PlannerLooker
from reward_agent.chat.showing import END, START, load
from reward_agent.chat.transcript import look_in_words, transcript
from reward_agent.envs.episodes import Episodes
from reward_agent.program import Program

TASK = pointmass.forking
REFERENCE = f"{pointmass.__file__}:forking"
PLANNER = {"samples": 16, "seconds": 0.5, "threads": 1}
AWAY = """
import numpy as np

def compute_reward(state, action, next_state):
    \"\"\"Leave the line, and be done.\"\"\"
    away = np.abs(next_state.point.position) - 4.0
    return away, {"away": away}
""".strip()
REST = """
def compute_reward(state, action, next_state):
    \"\"\"Be slow, with little force.\"\"\"
    slow = -(next_state.point.velocity ** 2)
    little = -(action ** 2).sum(-1)
    return slow + little, {"slow": slow, "little": little}
""".strip()
TELLS = """
def compute_reward(state, action, next_state):
    \"\"\"Go on along the line, and tell of the episode.\"\"\"
    moved = next_state.point.position - next_state.start.point.position
    began = state.episode.time
    previous = state.episode.previous_action[:, 0]
    return moved + began + previous, {"moved": moved, "began": began, "previous": previous}
""".strip()


def begin(root: Path, *replies: str) -> Session:
    """A session on the line, in which a planner looks for 2.5 s: long enough to leave it."""
    settings = ChatSettings("planner", seconds=2.5, carry_on=True, planner=PLANNER)
    return chats.begin(root, Scripted(*replies), settings=settings, task=REFERENCE, repairs=0)


def same_state(left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    return set(left) == set(right) and all(np.array_equal(left[name], right[name]) for name in left)


def test_a_look_goes_on_from_where_another_program_left_the_robot() -> None:
    assert EXPERT is not None
    first = looked(EXPERT, carry_on=True)
    assert isinstance(first, Look) and first.end is not None
    other = Program(EXPERT.source + "\n# another\n")
    begun: list[Any] = []
    second = looked(other, carry_on=True, start=first.end, watch=lambda episodes: begun.append(episodes.elapsed[0]))
    assert isinstance(second, Look) and begun[0] == 1, "with an episode's time before it"
    assert second.total[0] != first.total[0]


def test_a_look_may_go_on_from_where_the_last_one_ended(tmp_path: Path) -> None:
    model = Says(DESCRIPTION.format(0.2), CALLS.format(0.2), DESCRIPTION.format(0.3), CALLS.format(0.3))
    with talk(tmp_path, model, carry_on=True) as session:
        first = session.run.folder / session.say("sit").folder / "look_00"
        second = session.run.folder / session.say("stand").folder / "look_00"
    assert not (first / START).exists() and same_state(load(second / START), load(first / END))
    assert not same_state(load(second / END), load(second / START))


@pytest.mark.needs("bubblewrap")
def test_a_look_that_carries_on_begins_an_episode_of_its_own() -> None:
    looker = PlannerLooker(1, 0.5, settings=PLANNER, carry_on=True)
    first = looker.look(TASK, Program(TELLS))
    assert isinstance(first, Look) and first.end is not None and abs(first.terms["moved"][-1]) > 0.2
    second = PlannerLooker(1, 0.5, settings=PLANNER, carry_on=True, start=first.end).look(TASK, Program(TELLS))
    assert isinstance(second, Look)
    assert abs(second.terms["moved"][0]) <= 0.1, "places are counted from where it carried on: 2 m/s for 0.05 s at most"
    assert second.terms["began"] == first.terms["began"] and second.terms["began"][0] == 0.0
    assert second.terms["previous"][0] == 0.0


def test_what_carried_on_is_played_again_to_the_last_bit() -> None:
    assert EXPERT is not None
    first = looked(EXPERT, carry_on=True)
    assert isinstance(first, Look) and first.end is not None
    second = looked(EXPERT, carry_on=True, start=first.end)
    assert isinstance(second, Look) and second.end is not None and second.actions is not None
    episodes = Episodes(SIT, 1, ())  # as for a clip
    episodes.begin_from(first.end, np.array([1]))
    for action in second.actions:
        episodes.step(action[None])
    np.testing.assert_array_equal(episodes.save()["state"], second.end["state"])


@pytest.mark.needs("bubblewrap")
def test_after_a_termination_the_next_look_begins_with_a_reset(tmp_path: Path) -> None:
    with begin(tmp_path, REST, AWAY, REST, REST) as session:
        turns = [session.say(words) for words in ("rest", "leave", "rest again", "and again")]
        folders = [session.run.folder / turn.folder / "look_00" for turn in turns]
        told = [look_in_words(turn.looks[0]) for turn in turns]
        lengths = [turn.looks[0].outcome.steps for turn in turns]
        known = session.talk
    assert [(folder / START).exists() for folder in folders] == [False, True, False, True]
    assert [(folder / END).exists() for folder in folders] == [True, False, True, True]
    assert same_state(load(folders[3] / START), load(folders[2] / END))
    assert lengths[0] == lengths[2] == lengths[3] == 50 and 1 < lengths[1] < 50
    line = "The episode ended there, so the next look begins with a reset."
    assert [line in each.splitlines() for each in told] == [False, True, False, False]
    assert transcript(known).splitlines().count(line) == 1
    with chats.again(tmp_path / "one", Scripted(), settings=ChatSettings("planner")) as again:
        assert chats.same(again.talk, known)


@pytest.mark.needs("bubblewrap")
def test_a_termination_that_is_taken_back_ended_nothing(tmp_path: Path) -> None:
    with begin(tmp_path, REST, AWAY, REST) as session:
        first = session.run.folder / session.say("rest").folder / "look_00"
        session.say("leave")
        session.undo()
        last = session.run.folder / session.say("rest again").folder / "look_00"
    assert same_state(load(last / START), load(first / END))


@pytest.mark.needs("bubblewrap")
def test_where_nothing_is_carried_on_nothing_is_said_of_it(tmp_path: Path) -> None:
    settings = ChatSettings("planner", seconds=2.5, planner=PLANNER)
    with chats.begin(tmp_path, Scripted(AWAY), settings=settings, task=REFERENCE) as session:
        turn = session.say("leave")
        assert turn.looks[0].outcome.steps < 50 and "reset" not in look_in_words(turn.looks[0])
