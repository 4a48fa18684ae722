"""The MuJoCo worlds against Gymnasium's own environments, step by step and to the last bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest

from reward_agent.conformance import Subject
from reward_agent.conformance.suite import run
from reward_agent.envs.mujoco import tasks
from reward_agent.envs.mujoco.model import site_name
from reward_agent.envs.mujoco.names import ROBOTS
from reward_agent.envs.mujoco.native import NATIVE
from reward_agent.envs.mujoco.schema import body_of
from reward_agent.envs.mujoco.world import MujocoBatch, MujocoWorld
from reward_agent.errors import UsageError

ENVS = sorted(NATIVE)
INTEGRATION = mujoco.mjtState.mjSTATE_INTEGRATION
WITH_FORCES = ["Ant-v5", "Humanoid-v5", "HumanoidStandup-v5"]


def gymnasium_env(env: str, contact_forces: bool) -> Any:
    options = {"include_cfrc_ext_in_observation": contact_forces} if env in WITH_FORCES else {}
    return gymnasium.make(env, **options).unwrapped


def integration_state(env: Any) -> np.ndarray:
    """All that the next step depends on, as MuJoCo packs it."""
    state = np.zeros(mujoco.mj_stateSize(env.model, INTEGRATION))
    mujoco.mj_getState(env.model, env.data, state, INTEGRATION)
    return state


def one_row(world: MujocoWorld, paths: list[str] | None = None, num_envs: int = 1) -> MujocoBatch:
    schema = world.schema()
    return world.make(num_envs, schema if paths is None else schema.select(paths))


def actions_of(batch: MujocoBatch, steps: int, seed: int = 0) -> np.ndarray:
    low, high = batch.action_space.low, batch.action_space.high
    return np.random.default_rng(seed).uniform(low, high, (steps, batch.num_envs, low.size))


@pytest.mark.parametrize("fields", ["none", "all"])
@pytest.mark.parametrize("env", ENVS)
def test_a_thousand_random_steps_are_gymnasiums_exactly(env: str, fields: str) -> None:
    """Row 2 of 3, so that rows mixed up show; with fields that need kinematics of the new state, and with none."""
    theirs, ours = gymnasium_env(env, False), one_row(MujocoWorld(env), [] if fields == "none" else None, num_envs=3)
    assert ours.observation_space.shape == theirs.observation_space.shape
    assert np.array_equal(ours.action_space.low, theirs.action_space.low)
    assert np.array_equal(ours.action_space.high, theirs.action_space.high)
    seed, ends = 7, 0
    expected, _ = theirs.reset(seed=seed)
    observations, _ = ours.reset(np.ones(3, bool), np.array([1, 2, seed]))
    assert np.array_equal(observations[2], expected)
    for number, action in enumerate(actions_of(ours, 1000)):
        expected, _, terminated, _, _ = theirs.step(action[2])
        step = ours.step(action)
        assert np.array_equal(step.observations[2], expected)
        # time, positions, velocities, controls and the solver's warm start
        assert np.array_equal(ours.save()["state"][2], integration_state(theirs))
        assert step.terminated[2] == terminated
        assert not step.truncated.any()
        if terminated or number % 250 == 249:
            seed, ends = seed + 1, ends + bool(terminated)
            expected, _ = theirs.reset(seed=seed)
            observations, _ = ours.reset(np.array([False, False, True]), np.array([0, 0, seed]))
            assert np.array_equal(observations[2], expected)
            assert np.array_equal(observations[:2], step.observations[:2])
    if NATIVE[env].terminated:
        assert ends > 0, "random actions never ended an episode, so terminations were not compared"


@pytest.mark.parametrize("env", WITH_FORCES)
def test_contact_forces_are_gymnasiums_exactly(env: str) -> None:
    theirs, ours = gymnasium_env(env, True), one_row(MujocoWorld(env, contact_forces=True), num_envs=2)
    assert ours.observation_space.shape == theirs.observation_space.shape
    expected, _ = theirs.reset(seed=3)
    observations, _ = ours.reset(np.ones(2, bool), np.array([8, 3]))
    assert np.array_equal(observations[1], expected)
    touched, columns = 0, ours.schema.columns["contact_forces.raw"]
    for action in actions_of(ours, 300):
        expected, _, terminated, _, _ = theirs.step(action[1])
        step = ours.step(action)
        assert np.array_equal(step.observations[1], expected)
        assert np.array_equal(step.states[1, columns], theirs.data.cfrc_ext[1:].ravel())
        touched += bool(theirs.data.cfrc_ext.any())
        if terminated:
            expected, _ = theirs.reset(seed=3)
            observations, states = ours.reset(np.array([False, True]), np.array([0, 3]))
            assert np.array_equal(observations[1], expected)
            assert not states[1, columns].any()
    assert touched > 20


@pytest.mark.parametrize("env", ENVS)
def test_the_table_agrees_with_gymnasium(env: str) -> None:
    theirs, native = gymnasium_env(env, False), NATIVE[env]
    assert native.timestep == theirs.model.opt.timestep
    assert native.frame_skip == theirs.frame_skip
    assert MujocoWorld(env).dt == theirs.dt
    assert native.horizon == gymnasium.spec(env).max_episode_steps


def fresh_data(batch: MujocoBatch, row: int) -> Any:
    """Data of our own at the state of a row, everything computed for that instant."""
    data = mujoco.MjData(batch.model)
    mujoco.mj_setState(batch.model, data, batch.save()["state"][row], INTEGRATION)
    mujoco.mj_forward(batch.model, data)
    mujoco.mj_subtreeVel(batch.model, data)
    return data


def floor_contacts(model: Any, data: Any) -> set[int]:
    """Shapes that touch the floor."""
    floor = model.geom("floor").id
    pairs = {tuple(int(g) for g in contact.geom) for contact in data.contact}
    return {a if b == floor else b for a, b in pairs if floor in (a, b)}


@pytest.mark.parametrize("env", ENVS)
def test_fields_are_the_kinematics_of_their_own_instant(env: str) -> None:
    ours, robot = one_row(MujocoWorld(env), num_envs=2), ROBOTS[env]
    model = ours.model
    _, states = ours.reset(np.ones(2, bool), np.array([4, 5]))
    contacts = 0
    for number, action in enumerate([None, *actions_of(ours, 60)]):
        if action is not None:
            states = ours.step(action).states
        view, data = ours.schema.view(states[1]), fresh_data(ours, 1)
        touching = floor_contacts(model, data) if robot.floor else set()
        for part in robot.parts:
            at, body, site = getattr(view, part.name), body_of(model, part), site_name(part)
            place = data.site(site).xpos if site else data.xpos[body]
            assert np.array_equal(at.position, place), (number, part.name)
            kind = mujoco.mjtObj.mjOBJ_SITE if site else mujoco.mjtObj.mjOBJ_XBODY
            velocity = np.zeros(6)
            mujoco.mj_objectVelocity(model, data, kind, model.site(site).id if site else body, velocity, 0)
            assert np.array_equal(at.linear_velocity, velocity[3:]), (number, part.name)
            if part.kind != "Point":
                assert np.array_equal(at.orientation, data.xquat[body])
                assert np.array_equal(at.angular_velocity, velocity[:3])
            if robot.floor:
                geoms = {model.geom(part.geom).id} if part.geom else set(np.flatnonzero(model.geom_bodyid == body))
                assert at.contact == bool(geoms & touching), (number, part.name)
                contacts += bool(at.contact)
        if robot.centre_of_mass:
            # Gymnasium's own formula for Humanoid
            mass = model.body_mass[:, None]
            expected = (mass * data.xipos).sum(0) / mass.sum()
            np.testing.assert_allclose(view.center_of_mass.position, expected, rtol=0, atol=1e-14)
            root = model.body(robot.root).id
            assert np.array_equal(view.center_of_mass.velocity, data.subtree_linvel[root])
    assert contacts > 0 or not robot.floor


def test_velocities_are_rates_of_positions() -> None:
    """Told by the positions alone: over one step of 8 ms the mean of the end velocities is the difference quotient."""
    ours = one_row(MujocoWorld("Hopper-v5"))
    _, states = ours.reset(np.ones(1, bool), np.array([0]))
    for action in actions_of(ours, 5):  # still in the air: nothing jumps
        after = ours.step(0.2 * action).states
        a, b = ours.schema.view(states[0]), ours.schema.view(after[0])
        for name in ("torso", "thigh", "leg", "foot", "center_of_mass"):
            before, now = getattr(a, name), getattr(b, name)
            rate = (now.position - before.position) / 0.008
            velocity = "velocity" if name == "center_of_mass" else "linear_velocity"
            mean = (getattr(now, velocity) + getattr(before, velocity)) / 2
            np.testing.assert_allclose(rate, mean, atol=0.02)
        states = after


def test_pitch_grows_when_the_hopper_leans_forward() -> None:
    ours = one_row(MujocoWorld("Hopper-v5"))
    ours.reset(np.ones(1, bool), np.array([0]))
    saved = ours.save()
    saved["state"][0, 1 + 2] = 0.5  # time first, then x, z and pitch
    ours.restore(saved)
    _, states = ours.reset(np.zeros(1, bool), np.array([0]))
    state = ours.schema.view(states[0])
    assert state.joints.root_pitch.angle == 0.5
    assert state.thigh.position[0] < state.torso.position[0], "the torso's lower end should be behind its middle"
    assert "leans forward" in next(e.doc for e in ours.schema.entities if e.name == "joints.root_pitch")


def test_ant_legs_are_where_their_names_say() -> None:
    ours = one_row(MujocoWorld("Ant-v5"))
    _, states = ours.reset(np.ones(1, bool), np.array([0]))
    state = ours.schema.view(states[0])
    for name, (ahead, left) in {
        "front_left": (1, 1),
        "front_right": (1, -1),
        "back_left": (-1, 1),
        "back_right": (-1, -1),
    }.items():
        foot = getattr(state, f"{name}_foot").position - state.torso.position
        thigh = getattr(state, f"{name}_thigh").position - state.torso.position
        assert np.sign(foot[:2]).tolist() == [ahead, left]
        assert np.linalg.norm(foot[:2]) > np.linalg.norm(thigh[:2])
    assert ours.schema.action.names[0] == "front_right_hip", "motors keep the model's order"


def test_a_motor_moves_the_joint_it_is_named_after() -> None:
    for env in ENVS:
        ours = one_row(MujocoWorld(env))
        sign = -1 if env == "Pusher-v5" else 1  # its elbow and wrist start at their upper limits
        for column, name in enumerate(ours.schema.action.names):
            ours.reset(np.ones(1, bool), np.array([0]))
            action = np.zeros((1, len(ours.schema.action.names)))
            action[0, column] = sign * ours.action_space.high[column]
            still, pushed = ours.save(), ours.step(action)
            ours.restore(still)
            idle = ours.step(np.zeros_like(action))
            speed = ours.schema.columns[f"joints.{name}.velocity"]
            assert (sign * (pushed.states[0, speed] - idle.states[0, speed]) > 0).all(), (env, name)
            force = ours.schema.view(pushed.states[0]).actuators.force
            np.testing.assert_allclose(force, ours.schema.constants_view().gear * action[0], rtol=1e-7)


def test_air_time_counts_from_the_last_touch() -> None:
    ours = one_row(MujocoWorld("Hopper-v5"), ["foot.contact", "foot.air_time"])
    _, states = ours.reset(np.ones(1, bool), np.array([0]))
    assert states.tolist() == [[0.0, 0.0]], "starts in the air, which counts from the reset"
    expected, seen = 0.0, set()
    for action in actions_of(ours, 200):
        contact, air_time = ours.step(action).states[0]
        expected = 0.0 if contact else expected + 0.008
        seen.add(contact)
        assert air_time == pytest.approx(expected, abs=1e-12)
    assert seen == {0.0, 1.0}
    _, states = ours.reset(np.ones(1, bool), np.array([0]))
    assert states.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize(("env", "forces"), [("Hopper-v5", False), ("Humanoid-v5", False), ("Ant-v5", True)])
def test_restore_goes_on_bit_for_bit(env: str, forces: bool) -> None:
    ours = one_row(MujocoWorld(env, contact_forces=forces), num_envs=3)
    ours.reset(np.ones(3, bool), np.arange(3))
    actions = actions_of(ours, 80)
    for action in actions[:30]:
        ours.step(action)
    saved = ours.save()

    def play(batch: MujocoBatch) -> list[np.ndarray]:
        steps = [batch.step(action) for action in actions[30:]]
        again = batch.reset(np.array([True, False, False]), np.array([9, 9, 9]))
        return [array for step in steps for array in step] + list(again)

    first = play(ours)
    # the same action before and after: a batch that compares actions across the restore would keep a stale one
    ours.step(actions[30])
    ours.restore(saved)
    assert all(np.array_equal(a, b) for a, b in zip(first, play(ours), strict=True))
    elsewhere = one_row(MujocoWorld(env, contact_forces=forces), num_envs=3)
    elsewhere.restore(saved)
    assert all(np.array_equal(a, b) for a, b in zip(first, play(elsewhere), strict=True))


def test_a_row_reset_after_restore_leaves_the_others_alone() -> None:
    ours = one_row(MujocoWorld("Humanoid-v5"), num_envs=2)
    ours.reset(np.ones(2, bool), np.arange(2))
    for action in actions_of(ours, 5):
        step = ours.step(action)
    saved = ours.save()
    ours.reset(np.ones(2, bool), np.arange(2))
    ours.restore(saved)
    observations, states = ours.reset(np.array([True, False]), np.array([5, 5]))
    assert np.array_equal(observations[1], step.observations[1])
    assert np.array_equal(states[1], step.states[1])
    assert not np.array_equal(states[0], step.states[0])


def test_selected_fields_are_the_same_columns_of_all() -> None:
    world = MujocoWorld("HalfCheetah-v5")
    paths = ["torso.linear_velocity", "front_foot.contact", "joints.angles", "front_foot.air_time", "head.contact"]
    whole, few = one_row(world, num_envs=4), one_row(world, paths, num_envs=4)
    seeds = np.arange(4)
    _, all_states = whole.reset(np.ones(4, bool), seeds)
    _, few_states = few.reset(np.ones(4, bool), seeds)
    for action in [None, *actions_of(whole, 100)]:
        if action is not None:
            all_states, few_states = whole.step(action).states, few.step(action).states
        for path, columns in few.schema.columns.items():
            assert np.array_equal(few_states[:, columns], all_states[:, whole.schema.columns[path]]), path


def test_what_is_handed_out_is_the_callers() -> None:
    ours = one_row(MujocoWorld("Ant-v5"), num_envs=2)
    ours.reset(np.ones(2, bool), np.arange(2))
    first = ours.step(np.zeros((2, 8)))
    kept = [array.copy() for array in first]
    second = ours.step(np.ones((2, 8)))
    assert all(np.array_equal(a, b) for a, b in zip(first, kept, strict=True))
    second.observations[:] = np.nan
    second.states[:] = np.nan
    observations, states = ours.reset(np.array([True, False]), np.arange(2))
    assert np.isfinite(observations).all()
    assert np.isfinite(states).all()


def test_threads_and_batch_size_change_nothing() -> None:
    world = MujocoWorld("Walker2d-v5")
    wide, alone = world.make(5, world.schema(), threads=3), one_row(world)
    _, wide_states = wide.reset(np.ones(5, bool), np.arange(5))
    _, alone_states = alone.reset(np.ones(1, bool), np.array([3]))
    assert np.array_equal(wide_states[3], alone_states[0])
    for action in actions_of(wide, 50):
        assert np.array_equal(wide.step(action).states[3], alone.step(action[3:4]).states[0])


def test_kinds_of_entities_have_the_same_fields() -> None:
    """The prompt shows each kind once, so its entities must not differ."""
    for env in ENVS:
        schema = MujocoWorld(env).schema()
        by_kind: dict[str, list[tuple[str, ...]]] = {}
        for entity in schema.entities:
            fields = tuple(f"{f.name} {f.shape} {f.doc}" for f in schema.fields if f.entity == entity.name)
            by_kind.setdefault(entity.kind, []).append(fields)
        assert all(len(set(fields)) == 1 for fields in by_kind.values()), env
        assert all(field.unit or field.kind == "bool" or "quaternion" in field.doc for field in schema.fields)


@pytest.mark.parametrize("env", WITH_FORCES)
def test_the_witness_tells_every_field_contact_forces_too(env: str) -> None:
    """Gymnasium's environment, read by itself, against what is packed; and its reward is told as a secret."""
    world = MujocoWorld(env, contact_forces=True)
    task = next(task for task in tasks().values() if task.world == MujocoWorld(env))
    subject = Subject(replace(task, world=world), steps=60)
    (finding,) = run("truth", subject)
    assert finding.level == "passed", finding.text
    assert all(set(testimony.told) == set(world.schema().by_path) for testimony in subject.testimony)
    rewards = np.concatenate([testimony.secrets["native_reward"] for testimony in subject.testimony])
    assert len(np.unique(rewards[np.isfinite(rewards)])) == 3 * 60


def test_wrong_names_are_told_with_the_closest() -> None:
    with pytest.raises(UsageError, match=r"Did you mean 'Hopper-v5'\?"):
        MujocoWorld("Hoper-v5")
    with pytest.raises(UsageError, match=r"Hopper-v5 has no contact forces.*Ant-v5"):
        MujocoWorld("Hopper-v5", contact_forces=True)
    world = MujocoWorld("Hopper-v5")
    with pytest.raises(UsageError, match=r"no state field of Hopper-v5 named .cart\.position.\. Did you mean"):
        world.make(1, MujocoWorld("InvertedPendulum-v5").schema())
