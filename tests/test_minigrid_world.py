"""The world of MiniGrid's environments: stepped as theirs, seen as they show it, with a state that is true."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from minigrid_play import CORRIDOR, DOOR_KEY, ENVS, LAVA, PICKUP, actions, plays

from reward_agent.envs.minigrid.cells import ACTIONS, BOX, CLOSED, DOOR, EMPTY, KEY, KINDS, LOCKED, UNSEEN, kind_of
from reward_agent.envs.minigrid.level import after
from reward_agent.envs.minigrid.names import HORIZONS, SUCCESS
from reward_agent.envs.minigrid.native import Native, make_native
from reward_agent.envs.minigrid.row import MiniGridRow
from reward_agent.envs.minigrid.schema import derive
from reward_agent.envs.minigrid.view import SIDE, Observer, view
from reward_agent.envs.minigrid.world import MiniGrid
from reward_agent.errors import UsageError
from reward_agent.schema import Array
from reward_agent.task import Batch

pytestmark = pytest.mark.needs("minigrid")


def replay(batch: Batch, seed: int, taken: Iterable[int]) -> tuple[Array, Array]:
    """Observations `(T+1, O)` and states of one row that takes these actions."""
    observation, state = batch.reset(np.ones(1, bool), np.array([seed]))
    observations, states = [observation[0]], [state[0]]
    for action in taken:
        step = batch.step(np.array([[float(action)]]))
        observations.append(step.observations[0])
        states.append(step.states[0])
    return np.array(observations), np.array(states)


def test_numbers_are_minigrids() -> None:
    from minigrid.core.actions import Actions
    from minigrid.core.constants import OBJECT_TO_IDX

    assert {name: OBJECT_TO_IDX[name] for name in KINDS} == KINDS
    assert not {CLOSED, LOCKED} & set(OBJECT_TO_IDX.values())
    assert tuple(action.name for action in Actions)[:6] == ACTIONS


@pytest.mark.parametrize("env", ENVS)
def test_steps_and_views_are_minigrids_own(env: str) -> None:
    """What the agent sees, what ends an episode, success as its reward tells it, and the rules of `after`."""
    theirs, ours = make_native(env), Native(env)
    ends = []
    seen = 0
    for seed, taken in plays(env):
        observed, _ = theirs.reset(seed=seed)
        ours.reset(seed)
        reward, terminated = 0.0, False
        for action in (*taken, None):
            image = observed["image"].transpose(1, 0, 2).reshape(SIDE * SIDE, 3)
            codes = [
                {(DOOR, 1): CLOSED, (DOOR, 2): LOCKED}.get((kind, state), kind) for kind, _, state in image.tolist()
            ]
            assert view(ours.level).tolist() == codes
            assert ours.level.facing == observed["direction"]
            assert ours.level.success == (terminated and reward > 0)
            seen += codes.count(UNSEEN)
            if action is None:
                break
            foretold = after(ours.level, action)
            observed, reward, terminated, _, _ = theirs.step(action)
            assert ours.step(action) == terminated
            assert ours.level == foretold
        ends.append((terminated, ours.level.success))
    assert seen
    assert (True, True) in ends, "an episode that succeeded was compared"
    assert any(not success for _, success in ends), "and one that did not"


@pytest.mark.parametrize("env", ENVS)
def test_a_lock_has_one_key_that_fits(env: str) -> None:
    """What `after`, the ways to things and observations without colours count on."""
    native, walls = make_native(env), 0
    for seed in range(40):
        native.reset(seed=seed)
        things = [thing for thing in native.grid.grid if thing is not None]
        locks = [thing.color for thing in things if thing.type == "door" and thing.is_locked]
        assert len(locks) == ("Lava" not in env)
        assert [thing.color for thing in things if thing.type == "key"] == locks
        assert [thing.type for thing in things if thing.type in ("ball", "box")] in ([], ["ball"], ["box"])
        assert not any(thing.contains for thing in things)
        walls += len(things)
    assert walls


@pytest.mark.parametrize("env", ENVS)
def test_an_observation_tells_all_that_is_seen(env: str) -> None:
    kinds = derive(env).kinds
    native, observe = Native(env), Observer(kinds)
    doors = [DOOR, CLOSED, LOCKED] if DOOR in kinds else []
    channels = [0, 2, *sorted(kinds - {1, 2, DOOR}), *doors]
    carried = [kind for kind in (5, 6, 7) if kind in kinds]
    for seed, taken in plays(env):
        native.reset(seed)
        for action in taken:
            native.step(action)
            observation = observe(native.level)
            assert observe.space.contains(observation.astype(np.float32))
            assert set(np.unique(observation)) <= {0.0, 1.0}
            cells = observation[: 48 * len(channels)].reshape(48, -1)
            codes = [channels[cell.argmax()] if cell.any() else 1 for cell in cells]
            assert codes == np.delete(view(native.level), 45).tolist()
            facing, hand = np.split(observation[48 * len(channels) :], [4])
            assert facing.tolist() == np.eye(4)[native.level.facing].tolist()
            held = [kind for kind, flag in zip(carried, hand, strict=True) if flag]
            assert held == [native.level.carrying] * (native.level.carrying != EMPTY)


@pytest.mark.parametrize("env", ENVS)
def test_state_is_true(env: str) -> None:
    """All fields beside MiniGrid's own objects, over episodes that succeed and some that do not."""
    world = MiniGrid(env)
    schema, witness = world.schema(), world.witness()
    batch = world.make(1, schema)
    values: dict[str, set[float]] = {path: set() for path in schema.by_path}
    for seed, taken in plays(env):
        _, states = replay(batch, seed, taken)
        said = [witness.reset(seed)]
        assert not witness.secrets()
        for action in taken:
            said.append(witness.step(np.array([float(action)])))
            assert set(witness.secrets()) == {"native_reward", "success"}
        for state, told in zip(states, said, strict=True):
            assert set(told) == set(schema.by_path)
            for path, value in told.items():
                ours = state[schema.columns[path]]
                assert np.array_equal(ours, np.ravel(value).astype(float)), path
                values[path] |= set(ours.tolist())
    # what always is the same was compared with nothing
    always = {"goal.position", "other_door.locked"} | ({"agent.carrying"} if "Lava" in env else set())
    still = {path for path, different in values.items() if len(different) == 1 and not path.endswith("exists")}
    assert still <= always
    batch.close()


def test_lava_ends_an_episode_without_success() -> None:
    native = Native(LAVA)
    native.reset(0)
    for seed in range(20):
        native.reset(seed)
        taken = [native.step(action) for action in actions(LAVA, seed, 100, 1.0)]
        if taken[-1]:
            assert not native.level.success
            assert kind_of(native.level.cells[native.level.at]) == KINDS["lava"]
            return
    pytest.fail("no random episode ended in lava")


def test_seed_alone_decides_an_episode() -> None:
    world = MiniGrid(CORRIDOR)
    used, fresh = (world.make(1, world.schema()) for _ in range(2))
    taken = actions(CORRIDOR, 7, 60, 0.5)
    replay(used, 41, actions(CORRIDOR, 41, 30, 1.0))
    for ours, again in zip(replay(used, 7, taken), replay(fresh, 7, taken), strict=True):
        assert np.array_equal(ours, again)
    columns = world.schema().columns["other_door.position"]
    places = [tuple(replay(used, seed, ())[1][0, columns]) for seed in range(8)]
    assert len(set(places)) > 1


def test_workers_and_restored_rows_go_on_the_same() -> None:
    world = MiniGrid(DOOR_KEY)
    fields = world.schema().select(["key.path_length", "agent.carrying", SUCCESS])
    here, there = world.make(3, fields), world.make(3, fields, threads=2)
    taken = np.array([actions(DOOR_KEY, 1, 8, 0.4), actions(DOOR_KEY, 2, 8, 0.4), actions(DOOR_KEY, 3, 8, 0.4)], float)
    for batch in (here, there):
        batch.reset(np.ones(3, bool), np.array([1, 2, 3]))
    for step in range(7):
        ours, theirs = (batch.step(taken[:, step : step + 1]) for batch in (here, there))
        assert np.array_equal(ours.observations, theirs.observations)
        assert np.array_equal(ours.states, theirs.states)
    again = world.make(3, fields)
    again.restore(here.save())
    ours, theirs, replayed = (batch.step(taken[:, 7:8]) for batch in (here, there, again))
    assert np.array_equal(ours.states, theirs.states)
    assert np.array_equal(ours.states, replayed.states)
    assert np.array_equal(ours.observations, replayed.observations)
    assert [there.screen(row) for row in range(3)] == [again.screen(row) for row in range(3)]
    for batch in (here, there, again):
        batch.close()


@pytest.mark.parametrize("env", ENVS)
def test_the_horizon_is_minigrids_and_the_row_has_none(env: str) -> None:
    assert make_native(env).max_steps == HORIZONS[env]
    row = MiniGridRow(env, MiniGrid(env).schema().select([]))
    row.reset(0)
    steps = [row.step(np.array([0.0])) for _ in range(HORIZONS[env] + 5)]
    assert not any(step.truncated or step.terminated for step in steps)


def test_a_picture_shows_the_grid() -> None:
    row = MiniGridRow(DOOR_KEY, MiniGrid(DOOR_KEY).schema().select([]))
    row.reset(0)
    before = row.render()
    row.step(np.array([0.0]))
    assert before.shape == (6 * 32, 6 * 32, 3)
    changed = (before != row.render()).any(axis=2)
    x, y = row.level.place(row.level.at)
    assert changed[32 * y : 32 * y + 32, 32 * x : 32 * x + 32].any()


def test_names_are_checked() -> None:
    with pytest.raises(UsageError, match=r"DoorKey-9x9.*DoorKey-.x.-v0"):
        MiniGrid("MiniGrid-DoorKey-9x9-v0")
    other = MiniGrid(PICKUP).schema().select(["box.position"])
    with pytest.raises(UsageError, match=r"box\.position"):
        MiniGrid(DOOR_KEY).make(1, other)


def test_fields_are_of_what_the_task_has() -> None:
    told = {env: {entity.name for entity in MiniGrid(env).schema().entities} for env in ENVS}
    assert told[DOOR_KEY] == {"agent", "key", "goal", "door", "outcome"}
    assert told[CORRIDOR] == {"agent", "key", "ball", "door", "other_door", "outcome"}
    assert told[PICKUP] == {"agent", "key", "box", "door", "outcome"}
    assert told[LAVA] == {"agent", "goal", "lava", "outcome"}
    for env in ENVS:
        schema = MiniGrid(env).schema()
        assert [field.path for field in schema.fields if field.hidden] == [SUCCESS]
        assert not any(word in schema.render().lower() for word in ("success", "reward", "minigrid", "outcome"))
        constants = schema.constants_view()
        assert (constants.empty, constants.wall) == (1, 2)
        assert ("key" in told[env]) == hasattr(constants, "key")


def test_idle_does_nothing_until_something_is_carried() -> None:
    schema = MiniGrid(PICKUP).schema()
    assert schema.action.names[schema.action.idle] == "drop"
    _, states = replay(MiniGrid(PICKUP).make(1, schema), 0, [schema.action.idle] * 20)
    assert (states == states[0]).all()


def test_an_opened_box_is_gone() -> None:
    native = Native(PICKUP)
    native.reset(0)
    # beside the box, by MiniGrid's own hands
    at = native.level.holding(BOX)[0]
    x, y = native.level.place(at)
    native.env.agent_pos, native.env.agent_dir = (x - 1, y), 0
    native.level = native.level._replace(at=at - 1, facing=0)
    assert not native.step(ACTIONS.index("toggle"))
    read = {path: quantity.read(native.level) for path, quantity in derive(PICKUP).quantities.items()}
    assert not read["box.exists"] and read["box.position"] == (-1, -1)
    assert read["box.distance"] == read["box.path_length"] == native.level.no_path == 11 * 6
    assert read["key.exists"] and native.level.holding(KEY)
