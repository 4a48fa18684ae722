"""What is said of a name that is unknown."""

from __future__ import annotations

from pathlib import Path

import pytest

from reward_agent.envs.registry import find_task
from reward_agent.errors import MOST_LISTED, UsageError, unknown_name
from reward_agent.program import read_program


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


def test_a_file_that_is_not_there_is_told_once_with_the_closest_beside_it(tmp_path: Path) -> None:
    (tmp_path / "my_reward.py").write_text("pass\n")
    for name, why in {
        "my_rewrad.py": f"there is no such file. Did you mean {tmp_path / 'my_reward.py'}?",
        "zzz": "there is no such file.",
        "no/reward.py": f"there is no folder {tmp_path / 'no'}.",
        ".": "is a directory.",
    }.items():
        with pytest.raises(UsageError) as said:
            read_program(tmp_path / name)
        assert str(said.value) == f"The reward program {tmp_path / name} cannot be read: {why}"
    with pytest.raises(UsageError, match=r"cannot be read: there is no such file\. Did you mean .*my_reward\.py\?"):
        find_task(str(tmp_path / "my_rewad.py"))
