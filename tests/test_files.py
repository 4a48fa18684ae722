"""What a person is told of a file that cannot be written: why, and what would help with that."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from reward_agent.errors import RewardAgentError
from reward_agent.files import writing


def told(path: Path) -> str:
    """Of writing there."""
    with pytest.raises(RewardAgentError) as said, writing(path), path.open("w") as file:
        file.write("x" * 100_000)
    return str(said.value)


def test_of_a_folder_that_is_not_there_another_place_is_told(tmp_path: Path) -> None:
    path = tmp_path / "no" / "reward.py"
    assert told(path) == (
        f"{path} cannot be written (no such file or directory). Name one in a folder that you can write to; reward.py "
        "alone is one in this folder."
    )


def test_of_what_no_other_folder_mends_none_is_told(tmp_path: Path) -> None:
    full, long = Path("/dev/full"), tmp_path / ("x" * 300)
    assert told(full) == "/dev/full cannot be written (no space left on device). Make room there, or name one on " + (
        "another disk."
    )
    assert told(long) == f"{long} cannot be written (file name too long). Name a shorter one."
    assert told(tmp_path) == f"{tmp_path} cannot be written (is a directory). Name another."


def test_the_name_that_was_typed_is_not_told_as_the_way_out() -> None:
    with pytest.raises(RewardAgentError) as said, writing(Path("reward.py")):
        raise PermissionError(errno.EACCES, "Permission denied")
    assert str(said.value) == (
        "reward.py cannot be written (permission denied). Name one in a folder that you can write to."
    )
