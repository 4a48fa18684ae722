"""The world of Meta-World's environments: theirs to the last bit, with a state that is true at every instant."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from metaworld_play import ELEVEN, at_random, play, scripted

from reward_agent.envs.episodes import Episodes, prompt_schema
from reward_agent.envs.metaworld import tasks
from reward_agent.envs.metaworld.metrics import progress, success, success_at_end
from reward_agent.envs.metaworld.names import SCENES, SUCCESS
from reward_agent.envs.metaworld.world import MetaWorld
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
from reward_agent.schema import Array
from reward_agent.task import Batch, Episode

pytestmark = pytest.mark.needs("metaworld")


def replay(batch: Batch, seed: int, actions: Array) -> tuple[Array, Array]:
    """Observations `(T+1, 39)` and states of one row that plays these actions."""
    observation, state = batch.reset(np.ones(1, bool), np.array([seed]))
    observations, states = [observation[0]], [state[0]]
    for action in actions:
        step = batch.step(action[None])
        observations.append(step.observations[0])
        states.append(step.states[0])
    return np.array(observations), np.array(states)


@pytest.mark.parametrize("name", ELEVEN)
def test_observations_and_success_are_meta_worlds_own(name: str) -> None:
    """To the last bit, over episodes of the scripted policy, of the same with noise, and of random actions."""
    env = f"{name}-v3"
    world = MetaWorld(env)
    batch = world.make(1, world.schema().select([SUCCESS]))
    succeeded = []
    for seed, policy in enumerate((scripted(env), scripted(env, noise=0.6), at_random(2))):
        theirs = play(env, policy, seed, 130)
        observations, states = replay(batch, seed, theirs.actions)
        assert np.array_equal(observations, theirs.observations)
        assert np.array_equal(states[1:, 0], theirs.successes)
        assert states[0, 0] == 0
        succeeded.append(theirs.successes.mean())
    # both answers were compared
    assert 0 < np.mean(succeeded) < 1


@pytest.mark.parametrize("env", SCENES)
def test_state_is_true(env: str) -> None:
    """All fields of all fifty, beside Meta-World's own environment and other means of reading it."""
    world = MetaWorld(env)
    schema, witness = world.schema(), world.witness()
    batch = world.make(1, schema)
    rng = np.random.default_rng(0)
    _, states = batch.reset(np.ones(1, bool), np.array([5]))
    said = witness.reset(5)
    still = {f"{e.name}.position" for e in schema.entities if e.kind in ("Fixture", "Goal")}
    first = {path: states[0, schema.columns[path]] for path in still}
    assert set(said) == set(schema.by_path)
    assert not witness.secrets()
    for _ in range(12):
        for path, value in said.items():
            ours = states[0, schema.columns[path]]
            assert np.allclose(ours, np.ravel(value), rtol=0, atol=1e-9), path
        assert all(np.array_equal(states[0, schema.columns[path]], value) for path, value in first.items())
        action = np.clip(rng.uniform(-1, 1, 4) - (0, 0, 0.4, 0), -1, 1)
        states, said = batch.step(action[None]).states, witness.step(action)
        assert set(witness.secrets()) == {"native_reward", "success"}
    witness.close()


@pytest.mark.parametrize("env", ["button-press-v3", "hammer-v3", "stick-pull-v3", "plate-slide-v3", "assembly-v3"])
def test_all_that_moves_has_a_name(env: str) -> None:
    from reward_agent.envs.metaworld.native import make_native
    from reward_agent.envs.metaworld.schema import body_of, joint_of

    model, scene = make_native(env).model, SCENES[env]
    robot = {
        j for j in range(model.njnt) if model.joint(j).name.startswith("right_j") or "_close" in model.joint(j).name
    }
    named = {joint_of(model, source) for source, _, _ in scene.joints}
    objects = {body_of(model, part) for part in scene.parts if part.kind == "Object"}
    named |= {j for j in range(model.njnt) if int(model.jnt_bodyid[j]) in objects}
    assert len(robot) == 9
    assert named == set(range(model.njnt)) - robot


def test_seed_alone_decides_an_episode() -> None:
    world = MetaWorld("sweep-into-v3")
    used, fresh = (world.make(1, world.schema()) for _ in range(2))
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (20, 4))
    replay(used, 41, rng.uniform(-1, 1, (30, 4)))
    for ours, again in zip(replay(used, 7, actions), replay(fresh, 7, actions), strict=True):
        assert np.array_equal(ours, again)
    columns = world.schema().columns["object.position"]
    places = [replay(used, seed, actions[:0])[1][0, columns][:2] for seed in range(3)]
    assert len({tuple(place) for place in places}) == 3


def test_drawn_anew_are_layout_and_goal() -> None:
    world = MetaWorld("drawer-open-v3")
    schema = world.schema().select(["goal.position", "handle.position"])
    batch = world.make(8, schema)
    _, states = batch.reset(np.ones(8, bool), np.arange(8))
    goal, handle = states[:, schema.columns["goal.position"]], states[:, schema.columns["handle.position"]]
    assert len(np.unique(goal[:, 0])) == 8
    # the closed drawer's handle is 0.19 m behind its goal in every one of them
    assert np.allclose(handle - goal, [0, 0.19, 0], atol=1e-4)


def test_workers_and_restored_rows_go_on_the_same() -> None:
    world = MetaWorld("door-unlock-v3")
    fields = world.schema().select(["joints.lock.angle", "gripper.linear_velocity", SUCCESS])
    here, there = world.make(3, fields), world.make(3, fields, threads=2)
    rng = np.random.default_rng(0)
    for batch in (here, there):
        batch.reset(np.ones(3, bool), np.array([1, 2, 3]))
    for _ in range(6):
        actions = rng.uniform(-1, 1, (3, 4))
        ours, theirs = here.step(actions), there.step(actions)
        assert np.array_equal(ours.observations, theirs.observations)
        assert np.array_equal(ours.states, theirs.states)
    saved = here.save()
    again = world.make(3, fields)
    again.restore(saved)
    actions = rng.uniform(-1, 1, (3, 4))
    ours, theirs, replayed = here.step(actions), there.step(actions), again.step(actions)
    assert np.array_equal(ours.states, theirs.states)
    assert np.array_equal(ours.states, replayed.states)
    assert np.array_equal(ours.observations, replayed.observations)
    for batch in (here, there, again):
        batch.close()


def test_an_episode_may_be_longer_than_meta_worlds() -> None:
    world = MetaWorld("reach-v3")
    observations, _ = replay(world.make(1, world.schema().select([])), 0, np.zeros((510, 4)))
    assert len(observations) == 511


@pytest.mark.needs("rendering")
def test_the_robot_is_in_its_picture() -> None:
    batch = MetaWorld("drawer-open-v3").make(2, MetaWorld("drawer-open-v3").schema().select([]))
    batch.reset(np.ones(2, bool), np.zeros(2, int))
    for _ in range(15):
        batch.step(np.array([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]]))
    one, other = (batch.render(row).astype(int) for row in range(2))
    assert one.shape == (240, 320, 3)
    changed = (np.abs(one - other) > 20).any(axis=2)
    assert changed[40:220, 60:260].sum() > 200
    batch.close()


def test_names_are_checked() -> None:
    with pytest.raises(UsageError, match=r"drawer-opn.*drawer-open-v3"):
        MetaWorld("drawer-opn")
    other = MetaWorld("door-close-v3").schema().select(["joints.door.angle"])
    with pytest.raises(UsageError, match=r"joints\.door\.angle"):
        MetaWorld("window-open-v3").make(1, other)


def test_nothing_tells_a_reward_of_success() -> None:
    """Success is the one hidden field, no visible one is a flag, and no word of a schema names the benchmark."""
    for env in SCENES:
        schema = MetaWorld(env).schema()
        assert [field.path for field in schema.fields if field.hidden] == [SUCCESS]
        assert {field.kind for field in schema.visible().fields} == {"float"}
        words = schema.render().lower()
        assert not any(word in words for word in ("success", "reward", "meta", "outcome"))


def test_all_fifty_are_tasks() -> None:
    known = tasks()
    assert {task.benchmark for task in known.values()} == {f"Meta-World {env}" for env in SCENES}
    assert {name for name in ELEVEN if known[f"metaworld/{name}"].expert} == set(ELEVEN)
    for task in known.values():
        assert [metric.name for metric in task.metrics[:2]] == ["success", "success_at_end"]
        wanted = {path for metric in task.metrics for path in metric.fields}
        assert wanted <= set(task.world.schema().by_path)
        assert "outcome" not in str(prompt_schema(task).to_json())
    assert find_task("metaworld/window-open").family == find_task("metaworld/window-close").family
    assert find_task("metaworld/handle-press").family == find_task("metaworld/handle-press-side").family


def test_episodes_of_a_card_end_at_its_horizon() -> None:
    task = tasks()["metaworld/handle-press"]
    episodes = Episodes(task, 1, [SUCCESS, "start.handle.position"])
    episodes.reset(np.ones(1, bool), np.zeros(1, int))
    ends = [bool(episodes.step(np.zeros((1, 4))).truncated[0]) for _ in range(task.horizon)]
    assert ends == [False] * 199 + [True]


def episode(passed: list[bool], handle: list[tuple[float, float, float]]) -> Episode:
    states = SimpleNamespace(
        outcome=SimpleNamespace(success=np.array(passed)),
        handle=SimpleNamespace(position=np.array(handle)),
        goal=SimpleNamespace(position=np.zeros((len(handle), 3))),
    )
    return Episode(states, np.zeros((len(handle) - 1, 4)), False, SimpleNamespace(), 0.0125)


def test_metrics() -> None:
    once = episode([False, True, False], [(0.4, 0, 0), (0.0, 0, 0), (0.1, 0, 0)])
    assert (success().score(once), success_at_end().score(once)) == (1.0, 0.0)
    assert progress("handle").score(once) == pytest.approx(0.75)
    at_reset = episode([True, False], [(0.3, 0.4, 0.0), (0.3, 0.0, 0.0)])
    assert (success().score(at_reset), success_at_end().score(at_reset)) == (0.0, 0.0)
    assert progress("handle").score(at_reset) == pytest.approx(0.4)
    assert progress("handle", "y").score(at_reset) == pytest.approx(1.0)
    assert progress("handle", "x").score(at_reset) == pytest.approx(0.0)
    away = episode([False, False], [(0.1, 0, 0), (5.0, 0, 0)])
    assert progress("handle").score(away) == -1.0
