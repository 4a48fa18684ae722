"""Episodes that begin where others were saved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pointmass import numbered_task, pointmass_task

from reward_agent.envs.episodes import PREVIOUS_ACTION, START, TIME, Episodes, task_schema
from reward_agent.envs.registry import find_task
from reward_agent.task import Task

TASKS = ["quadruped/sit-down", "mujoco/ant-wave-leg", "dexterous/lift-box"]


def played(task: Task, fields: list[str], steps: int) -> Episodes:
    """Two episodes after some steps."""
    episodes, generator = Episodes(task, 2, fields), np.random.default_rng(0)
    episodes.reset(np.ones(2, bool), np.array([3, 4]))
    for _ in range(steps):
        episodes.step(episodes.actions.draw(generator, 2))
    return episodes


@pytest.mark.parametrize("task", [pointmass_task(), numbered_task(), *map(find_task, TASKS)], ids=lambda task: task.id)
def test_an_episode_that_begins_from_another_has_a_clock_and_a_start_of_its_own(task: Task) -> None:
    fields = list(task_schema(task).by_path)
    before, after = played(task, fields, 9), Episodes(task, 2, fields)
    after.begin_from(before.save(), np.array([7, 8]))
    assert after.elapsed.tolist() == [0, 0] and after.seeds.tolist() == [7, 8]
    columns, own = after.schema.columns, [path for path in fields if START + path in fields]
    assert not after.states[:, columns[TIME]].any()
    assert (after.states[:, columns[PREVIOUS_ACTION]] == after.actions.before_any).all()
    for path in own:
        np.testing.assert_array_equal(after.states[:, columns[path]], before.states[:, columns[path]])
        np.testing.assert_array_equal(after.states[:, columns[START + path]], before.states[:, columns[path]])
    generator = np.random.default_rng(1)
    for number in range(1, 6):
        action = after.actions.draw(generator, 2)
        going_on, begun = before.step(action), after.step(action)
        for path in own:
            np.testing.assert_array_equal(begun.states[:, columns[path]], going_on.states[:, columns[path]])
        np.testing.assert_array_equal(begun.observations, going_on.observations)
        assert after.elapsed.tolist() == [number] * 2
        np.testing.assert_allclose(begun.states[:, columns[TIME]], number * task.world.dt)
        np.testing.assert_array_equal(begun.states[:, columns[PREVIOUS_ACTION]], after.actions.applied(action))
    before.close()
    after.close()


@pytest.mark.parametrize("task", map(find_task, TASKS), ids=lambda task: task.id)
def test_it_is_the_same_to_the_last_bit_with_other_fields(task: Task) -> None:
    saved = played(task, list(task_schema(task).by_path), 9).save()
    all_fields, none = Episodes(task, 2, task_schema(task).by_path), Episodes(task, 2, ())
    generator = np.random.default_rng(1)
    actions = [none.actions.draw(generator, 2) for _ in range(8)]
    for episodes in (all_fields, none):
        episodes.begin_from(saved, np.array([7, 8]))
        for action in actions:
            episodes.step(action)
    np.testing.assert_array_equal(none.save()["state"], all_fields.save()["state"])


def test_it_lasts_for_a_whole_horizon() -> None:
    task = replace(pointmass_task(), horizon=12)
    saved = played(task, [], 9).save()
    episodes = Episodes(task, 2, ())
    episodes.begin_from(saved, np.array([7, 8]))
    ends = [episodes.step(np.zeros((2, 1))).truncated.all() for _ in range(12)]
    assert ends == [False] * 11 + [True]
