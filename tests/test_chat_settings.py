"""How a session looks at rewards: what can be meant, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import chats_for_tests as chats
import pytest
from chats_for_tests import Scripted

from reward_agent.chat import ChatSettings, start
from reward_agent.errors import UsageError


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"look": "plan"}, "way to look at a reward named 'plan'. Did you mean 'planner'"),
        ({"budget": 0}, "at least 1 step, not 0"),
        ({"seconds": 0.0}, "more than 0 s, not 0"),
        ({"seconds": float("inf")}, "more than 0 s, not inf"),
    ],
)
def test_settings_that_cannot_be_meant(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        ChatSettings(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"carry_on": True}, "--carry-on is for looks by the planner"),
        ({"seconds": 2.0, "look": "training"}, "--look-seconds is for looks by the planner"),
        ({"planner": {"samples": 8}, "look": "none"}, "A setting of the planner is for looks by the planner"),
        ({"preset": "dexterity"}, "A preset of the planner is for looks by the planner"),
        ({"budget": 512, "look": "planner"}, "--look-budget is for looks by a training"),
    ],
)
def test_an_option_of_the_other_way_to_look_is_refused(tmp_path: Path, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        chats.begin(tmp_path, Scripted(), settings=ChatSettings(**wrong))
    assert not list(tmp_path.iterdir())


def test_a_planner_trains_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"mpc trains nothing.*`--look planner`"):
        start(replace(chats.config(optimiser="mpc"), settings={}), llm=Scripted(), root=tmp_path)
    assert not list(tmp_path.iterdir())
