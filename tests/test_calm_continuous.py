"""CALM where states and actions are continuous: the same path, with the task's own success as goal, or with none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pointmass
import pytest
from runs_for_tests import recording
from test_calm import asked, calm

from reward_agent.agent import synthesize
from reward_agent.chronicle import read_chronicle
from reward_agent.config import RunConfig
from reward_agent.envs.disguise import disguise
from reward_agent.envs.registry import find_task
from reward_agent.history import History, Outcome
from reward_agent.messages import Key
from reward_agent.methods import Ask
from reward_agent.program import SUBGOALS, Program
from reward_agent.sources.making import source_of
from reward_agent.vet import vet

DRAWER = Path(__file__).parents[1] / "envs" / "metaworld" / "experts" / "drawer_open_subgoals.py"
HOPS = """
def subgoals(state, action, next_state):
    forward = next_state.torso.position[:, 0] - next_state.start.torso.position[:, 0]
    return {"moved_on": forward > 0.05, "went_a_metre": forward > 1.0}
"""


def paid(config: RunConfig, root: Path) -> Mapping[str, Sequence[float]]:
    """What the terms of a run's only candidate paid, over its training."""
    result = synthesize(config, root=root)
    assert result.program.entry == SUBGOALS
    outcome = read_chronicle(result.folder).candidates[0].outcome
    assert isinstance(outcome, Outcome)
    return outcome.terms


def test_a_task_without_a_goal_of_its_own_is_said_to_have_none() -> None:
    assert not pointmass.task.goal
    text = asked(History())
    assert "has no reward of its own" in text and "and nothing else" in text and "paid already" not in text
    action = calm().next(replace(pointmass.task, goal="secret.reached"), History())
    assert isinstance(action, Ask)
    text = action.prompts[0].messages[0].text
    assert "whose own reward comes only at the very end" in text and "it is paid already" in text


@pytest.mark.needs("metaworld")
def test_meta_worlds_own_success_is_the_goal_that_subgoals_are_paid_beside() -> None:
    task, program = find_task("metaworld/drawer-open"), Program(DRAWER.read_text(), SUBGOALS)
    verdict = vet(program, task)
    assert verdict.ok, verdict.faults
    with_goal = source_of(program, task)
    assert with_goal.term_names == ("goal", "near_handle", "at_handle", "pulled_a_little", "pulled_halfway")
    assert task.goal in with_goal.fields and task.goal not in {
        field.path for field in task.world.schema().visible().fields
    }
    with_goal.close()


@pytest.mark.needs("metaworld")
def test_a_whole_run_on_meta_world(tmp_path: Path) -> None:
    config = RunConfig(
        task="metaworld/drawer-open",
        method="calm",
        llm=recording(tmp_path / "s.jsonl", {Key(0, 0, 0): DRAWER.read_text()}),
        iterations=1,
        candidates=1,
        budget=2048,
        final_seeds=1,
        video=False,
    )
    assert set(paid(config, tmp_path)) == {"goal", "near_handle", "at_handle", "pulled_a_little", "pulled_halfway"}


def test_a_whole_run_on_mujoco(tmp_path: Path) -> None:
    config = RunConfig(
        task="mujoco/hopper-forward",
        method="calm",
        llm=recording(tmp_path / "s.jsonl", {Key(0, 0, 0): HOPS}),
        iterations=1,
        candidates=1,
        budget=4096,
        final_seeds=1,
        video=False,
    )
    terms = paid(config, tmp_path)
    assert set(terms) == {"moved_on", "went_a_metre"}
    assert max(terms["moved_on"]) > 0.0, "falling forward moves on"


@pytest.mark.needs("metaworld")
def test_a_goal_goes_by_its_new_name_in_disguise() -> None:
    task = find_task("metaworld/drawer-open")
    other = disguise(task, 0)
    assert other.goal and other.goal in other.world.schema() and not other.subgoals
    program = Program("def subgoals(state, action, next_state):\n    return {'acts': action[:, 0] > -2.0}\n", SUBGOALS)
    rewards = []
    for each in (task, other):
        source = source_of(program, each)
        states = np.zeros((2, 1, sum(f.width for f in each.world.schema().fields if f.path in source.fields)))
        states[1] = 1.0
        paid = source(states[:1], np.zeros((1, 1, 4)), states[1:], np.ones((1, 1), bool))
        rewards.append(paid.terms[0, 0].tolist())
        source.close()
    assert rewards == [[1.0, 0.1]] * 2
