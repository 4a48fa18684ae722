"""`reward-agent doctor --world`: what a name stands for, what is said, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reward_agent.cli import main
from reward_agent.cli.conforming import choose
from reward_agent.conformance import CHECKS
from reward_agent.envs.registry import worlds

TESTS = Path(__file__).parent
OWN = """
import sys
sys.path.insert(0, {tests!r})
import broken_worlds as w

sound = w.sound()
stale = w.sound(w.Told(batch=w.Stale))


class Missing(w.Untold):
    def missing(self):
        return "no simulator here: pip install one"


absent = w.sound(Missing())
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own_world.py"
    path.write_text(OWN.format(tests=str(TESTS)))
    return path


def doctor(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["doctor", "--world", *words])
    return code, *capfd.readouterr()


def test_a_world_of_ones_own_that_conforms(own: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = doctor(capfd, f"{own}:sound")
    assert code == 0
    assert out.startswith("pointmass/reach  conforms  (")
    assert all(f"\n    {name:10} ok " in out for name in CHECKS)
    assert err == "checking pointmass/reach\n"


def test_a_world_of_ones_own_that_does_not(own: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = doctor(capfd, f"{own}:stale", "--json")
    assert code == 1
    value: dict[str, Any] = json.loads(out)
    (task,) = value["tasks"]
    assert (value["ok"], task["ok"], task["task"], task["closely"]) == (False, False, "pointmass/reach", True)
    (bad,) = [finding for finding in task["findings"] if finding["level"] == "failed"]
    assert bad["check"] == "truth"
    assert "`point.position` differs from the simulator after step 1 (row 0, episode 1)" in bad["what"]
    assert bad["contract"] and bad["change"]
    code, out, _ = doctor(capfd, f"{own}:stale")
    assert code == 1
    assert "DOES NOT CONFORM" in out and "    truth      FAILED   `point.position` differs" in out


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("{own}:stael", 2, "Did you mean 'stale'"),
        ("nowhere.py:task", 2, "there is no such file"),
        ("{first}x", 2, "no world or task named '{first}x'. Did you mean '{first}"),
        ("{own}:absent", 3, "pointmass/reach cannot be checked here: no simulator here: pip install one"),
    ],
)
def test_a_name_that_cannot_be_checked(
    name: str, code: int, says: str, own: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = next(iter(worlds()))
    ended, out, err = doctor(capfd, name.format(own=own, first=first))
    assert (ended, out) == (code, "")
    assert says.format(first=first) in err


@pytest.mark.parametrize("world", worlds())
def test_a_worlds_name_stands_for_its_tasks(world: str) -> None:
    tasks = worlds()[world].tasks()
    if worlds()[world].missing() is not None or not tasks:
        pytest.skip("this machine cannot run it, or it has no tasks of its own")
    every, some = choose(world, every=True), choose(world, every=False)
    assert len(every.tasks) + len(every.unready) == len(tasks) == every.of
    assert {task.id for task in some.tasks} <= {task.id for task in every.tasks} <= set(tasks)
    assert 0 < len(some.tasks) <= 12
    assert len({repr(task.world) for task in some.tasks}) == len(some.tasks)
    one = some.tasks[0]
    assert [task.id for task in choose(one.id, every=False).tasks] == [one.id]
