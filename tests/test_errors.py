"""What is said of a name that is unknown."""

from __future__ import annotations

import pytest

from reward_agent.envs.registry import find_task
from reward_agent.errors import MOST_LISTED, UsageError, unknown_name


def test_a_few_names_are_all_listed() -> None:
    message = str(unknown_name("preset", "tabeltop", ("tabletop", "swim")))
    assert message == "There is no preset named 'tabeltop'. Did you mean 'tabletop'? Available: swim, tabletop."


def test_of_many_names_only_the_closest_are_listed() -> None:
    known = [f"world/task-{number:03d}" for number in range(MOST_LISTED)] + ["world/reach"]
    message = str(unknown_name("task", "world/raech", known, hint="`reward-agent tasks` describes them."))
    assert "Did you mean 'world/reach'?" in message and message.endswith("`reward-agent tasks` describes them.")
    assert f"The closest of {len(known)}: world/reach, " in message and message.count("world/task-") == 4


def test_a_name_that_is_like_none_gets_no_suggestion() -> None:
    assert str(unknown_name("task", "x", [f"{n:03d}" for n in range(99)])) == "There is no task named 'x'."


def test_a_task_named_in_short_is_told_the_closest_in_short() -> None:
    with pytest.raises(UsageError, match="Did you mean 'hopper-forward'"):
        find_task("hopper-foward")
    with pytest.raises(UsageError, match="Did you mean 'metaworld/button-press'"):
        find_task("metaworld/buton-press")
