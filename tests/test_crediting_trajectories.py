"""Files of labelled trajectories, which of their transitions are judged, and labels of other origin laid over them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from crediting_for_tests import screen

from reward_agent.crediting import Reached
from reward_agent.crediting.trajectories import (
    Trajectory,
    balanced,
    lay_over,
    read_trajectories,
    write_trajectories,
)
from reward_agent.errors import UsageError


def trajectory(name: str, keys: Sequence[int | None], doors: Sequence[int] = ()) -> Trajectory:
    """With a step for each of `keys`: 1 where the key was reached, None where nobody says."""
    reached: list[Reached | None] = [
        None if key is None else {"has_key": bool(key), "opened": step in doors} for step, key in enumerate(keys)
    ]
    return Trajectory(
        id=name,
        task="own/lettered",
        seed=7,
        by="random",
        actions=("north",) * len(keys),
        screens=tuple(screen(number, "hm" if number == 2 else "") for number in range(len(keys) + 1)),
        fields=("a.x", "a.y"),
        states=np.stack([np.arange(len(keys) + 1) / 8, np.full(len(keys) + 1, -1.0)], axis=1),
        reached=tuple(reached),
    )


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "some.jsonl.gz"
    written = [trajectory("one", [0, 1, 0], doors=(2,)), trajectory("two", [None, 0]), trajectory("three", [0] * 30)]
    write_trajectories(path, written)
    found = read_trajectories(path)
    assert found == written
    for before, after in zip(written, found, strict=True):
        np.testing.assert_array_equal(before.states, after.states)
    assert found[0].reached[2] == {"has_key": False, "opened": True} and found[1].reached[0] is None
    assert found[2].glimpse(4).action == "north" and found[2].glimpses[0].after == screen(1)
    content = path.read_bytes()
    write_trajectories(path, written)
    assert path.read_bytes() == content


def test_what_is_no_trajectory_is_told(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl.gz"
    write_trajectories(path, [trajectory("one", [0])])
    whole = gzip.decompress(path.read_bytes()).decode()
    path.write_text(whole + whole.replace('"north"', '"north","south"'))
    with pytest.raises(UsageError, match="line 2, is no trajectory"):
        read_trajectories(path)
    path.write_bytes(gzip.compress(whole.encode())[:-12])
    with pytest.raises(UsageError, match="cannot be read"):
        read_trajectories(path)
    with pytest.raises(UsageError, match=r"Did you mean .*some"):
        read_trajectories(tmp_path / "som.jsonl.gz")


def test_as_many_that_reached_something_as_did_not() -> None:
    played = [trajectory(f"t{number}", [0, 1, 0, 0, None, 0], doors=(3,)) for number in range(4)]
    found = balanced(played)
    kinds = [any((played[place.trajectory].reached[place.step] or {}).values()) for place in found]
    assert len(found) == len(set(found)) == 16 and sum(kinds) == 8
    assert found == sorted(found, key=lambda place: (place.trajectory, place.step)) and found == balanced(played)
    assert all(place.step != 4 for place in found), "what has no label is not judged"
    assert found != balanced(played, seed=1)


def test_a_sample_is_of_as_many_trajectories_as_can_be() -> None:
    played = [trajectory(f"t{number}", [0] * 9 + [1], doors=(5,)) for number in range(6)]
    found = balanced(played, count=12)
    reached = [place for place in found if place.step in (5, 9)]
    assert len(found) == 12 and len(reached) == 6
    assert len({place.trajectory for place in reached}) == 6
    assert len({place.trajectory for place in found if place not in reached}) == 6
    with pytest.raises(UsageError, match="ask for 24 or fewer"):
        balanced(played, count=100)


def labels(path: Path, *lines: Mapping[str, object]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_labels_of_other_origin(tmp_path: Path) -> None:
    played = [trajectory("one", [0, 1]), trajectory("two", [0, 0])]
    said = {"lit": True}
    first, second = lay_over(played, labels(tmp_path / "a", {"trajectory": "two", "step": 1, "reached": said}))
    assert first.reached == (None, None) and second.reached == (None, said)
    assert balanced([first, second], count=0) == [] and first.glimpse(0) == played[0].glimpse(0)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"trajectory": "on", "step": 0, "reached": {"lit": True}}, "Did you mean 'one'"),
        ({"trajectory": "one", "step": 2, "reached": {"lit": True}}, "steps 0 to 1"),
        ({"trajectory": "one", "step": True, "reached": {"lit": True}}, "no label"),
        ({"trajectory": "one", "step": 1, "reached": {"lit": 1}}, "no label"),
        ({"trajectory": "one", "step": 1, "reached": {}}, "no label"),
        ({"trajectory": "one", "step": 1}, "no label"),
        ({"trajectory": "one", "step": 0, "reached": {"lit": True}}, "for the second time"),
        ({"trajectory": "one", "step": 1, "reached": {"dark": True}}, "lines before tell lit"),
    ],
)
def test_wrong_labels_are_told_with_their_line(line: Mapping[str, object], said: str, tmp_path: Path) -> None:
    good = {"trajectory": "one", "step": 0, "reached": {"lit": False}}
    with pytest.raises(UsageError, match=said) as error:
        lay_over([trajectory("one", [0, 1])], labels(tmp_path / "a", good, line))
    assert "line 2" in str(error.value)
