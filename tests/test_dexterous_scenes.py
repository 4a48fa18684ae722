"""The hand's scenes: what rests stays, what is to be reached can be, and nothing flies apart."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import mujoco
import numpy as np
import pytest
from metric_episodes import episode

from reward_agent.envs.dexterous import hand, metrics, native, scenes
from reward_agent.envs.dexterous.names import ROBOTS
from reward_agent.envs.dexterous.native import FRAME_SKIP, NATIVE, scene_of
from reward_agent.envs.mujoco.names import Part
from reward_agent.schema import Array

pytestmark = pytest.mark.needs("robotics")

every_env = pytest.mark.parametrize("env", NATIVE)
every_scene = pytest.mark.parametrize("scene", scenes.SPECS)
DRIVEN = len(hand.SERVOS)
COLUMN = {servo.joint: at for at, servo in enumerate(hand.SERVOS)}
THINGS = slice(DRIVEN, None)


@cache
def model_of(scene: str) -> Any:
    return scenes.SPECS[scene]().compile()


def begin(env: str, seed: int = 0) -> tuple[Any, Any]:
    """A model, and an episode's start in data of its own."""
    model = model_of(scene_of(env))
    data = mujoco.MjData(model)
    draw = NATIVE[env].draw(np.random.default_rng(seed), model.qpos0.copy(), np.zeros(model.nv))
    data.qpos[:], data.qvel[:] = draw.qpos, draw.qvel
    mujoco.mj_forward(model, data)
    return model, data


def hold(model: Any, data: Any, action: Array, steps: int) -> None:
    data.ctrl[:] = action
    for _ in range(steps * FRAME_SKIP):
        mujoco.mj_step(model, data)


def limits(model: Any, data: Any) -> float:
    """By how much the worst joint is past its end."""
    limited = model.jnt_limited.astype(bool)
    value, ends = data.qpos[model.jnt_qposadr[limited]], model.jnt_range[limited]
    return float(np.maximum(ends[:, 0] - value, value - ends[:, 1]).max())


def place(data: Any, part: Part) -> Array:
    found: Array = (data.site(part.site).xpos if part.site else data.body(part.body).xpos).copy()
    return found


@every_scene
def test_an_action_is_a_share_of_each_joints_range(scene: str) -> None:
    model = model_of(scene)
    assert [model.actuator(at).name for at in range(model.nu)] == [servo.joint for servo in hand.SERVOS]
    assert (model.actuator_ctrlrange == (-1, 1)).all()
    joints = model.actuator_trnid[:, 0]
    assert (joints == np.arange(DRIVEN)).all()  # the hand's coordinates come first: draws and observations count on it
    low, high = model.jnt_range[joints].T
    middle, half = model.actuator_biasprm[:, 0] / -model.actuator_biasprm[:, 1], (high - low) / 2
    np.testing.assert_allclose(middle, (low + high) / 2, atol=1e-12)
    np.testing.assert_allclose(model.actuator_gainprm[:, 0] / -model.actuator_biasprm[:, 1], half)


@every_scene
def test_only_simple_shapes_collide_and_the_hand_not_with_itself(scene: str) -> None:
    model = model_of(scene)
    collides = (model.geom_contype | model.geom_conaffinity) > 0
    assert not (model.geom_type[collides] == mujoco.mjtGeom.mjGEOM_MESH).any()
    assert (model.geom_type == mujoco.mjtGeom.mjGEOM_MESH).any()  # what is seen
    in_hand = collides & (model.body_rootid[model.geom_bodyid] == model.body("forearm").id)
    assert in_hand.sum() > 15
    assert not (model.geom_contype[in_hand][:, None] & model.geom_conaffinity[in_hand]).any()


@every_scene
def test_names_are_of_the_model(scene: str) -> None:
    model, robot = model_of(scene), ROBOTS[scene]
    for part in robot.parts:
        assert (model.site(part.site) if part.site else model.body(part.body)) is not None
    assert {"palm", "thumb_tip", "little_fingertip"} < {part.name for part in robot.parts}
    assert {model.joint(name).name for name in robot.joints} == set(robot.joints)
    assert ("faucet" in robot.joints, "drawer" in robot.joints) == (scene == "faucet", scene == "drawer")
    assert not [name for name in robot.joints if name.startswith("place")]


@every_env
@pytest.mark.parametrize("seed", range(3))
def test_what_rests_stays_while_the_hand_keeps_still(env: str, seed: int) -> None:
    model, data = begin(env, seed)
    assert data.ncon == 0 or data.contact.dist.min() > -1e-6
    before = data.qpos.copy()
    hold(model, data, np.zeros(model.nu), 50)
    np.testing.assert_allclose(data.qpos[THINGS], before[THINGS], atol=1e-3)
    np.testing.assert_allclose(data.qpos[3:DRIVEN], before[3:DRIVEN], atol=2e-3)  # its weight is carried
    np.testing.assert_allclose(data.qpos[:3], 0, atol=2e-3)
    assert np.abs(data.qvel).max() < 1e-2
    assert data.ncon == 0 or data.contact.dist.min() > -5e-4


@every_scene
def test_the_hand_goes_where_a_target_is_within_a_second(scene: str) -> None:
    model, data = begin(scene)
    action = np.zeros(model.nu)
    action[COLUMN["ARTy"]], action[COLUMN["ARRy"]] = 0.8, 0.5
    hold(model, data, action, 22)
    want = 0.8 * 0.35, 0.5 * 2.8
    np.testing.assert_allclose(data.qpos[[COLUMN["ARTy"], COLUMN["ARRy"]]], want, atol=0.03)
    hold(model, data, action, 22)
    np.testing.assert_allclose(data.qpos[[COLUMN["ARTy"], COLUMN["ARRy"]]], want, atol=2e-3)
    assert np.abs(data.qvel[:DRIVEN]).max() < 0.05


def reach(model: Any, data: Any, goal: Array, seconds: float = 2.0) -> Array:
    """Where the palm is after it was sent to `goal` by its arm's slides, the rest of the hand as at the start."""
    action = np.zeros(model.nu)
    slides = [COLUMN[name] for name in ("ARTx", "ARTy", "ARTz")]
    for _ in range(round(seconds / (FRAME_SKIP * scenes.TIMESTEP) / 5)):
        x, y, z = goal - data.site("S_grasp").xpos
        target = data.qpos[slides] + (-x, z, y)  # the arm's own axes
        action[slides] = target / model.jnt_range[slides, 1]
        hold(model, data, action.clip(-1, 1), 5)
    found: Array = data.site("S_grasp").xpos.copy()
    return found


@every_env
@pytest.mark.parametrize("seed", range(3))
def test_the_palm_gets_over_everything_and_half_a_metre_up(env: str, seed: int) -> None:
    model, data = begin(env, seed)
    for part in ROBOTS[scene_of(env)].parts[6:]:
        over = place(data, part) + np.array((0, 0, 0.045))
        np.testing.assert_allclose(reach(model, data, over), over, atol=0.03)
        up = np.array((over[0], over[1], 0.55))
        np.testing.assert_allclose(reach(model, data, up), up, atol=0.03)


def test_turning_the_arm_leaves_the_point_of_the_palm_where_it_is() -> None:
    model, data = begin("table")
    data.qpos[[COLUMN["WRJ0"], COLUMN["WRJ1"]]] = 0  # the wrist does move it
    mujoco.mj_kinematics(model, data)
    before = data.site("S_grasp").xpos.copy()
    np.testing.assert_allclose(before - (-data.qpos[0], data.qpos[2], data.qpos[1]), hand.GRASP, atol=1e-9)
    data.qpos[[COLUMN[name] for name in ("ARRx", "ARRy", "ARRz")]] += (0.4, -0.7, 1.2)
    mujoco.mj_kinematics(model, data)
    np.testing.assert_allclose(data.site("S_grasp").xpos, before, atol=1e-9)


@every_scene
def test_nothing_flies_apart_under_random_targets(scene: str) -> None:
    model, data = begin(scene)
    rng, worst, fastest = np.random.default_rng(5), 0.0, 0.0
    for step in range(500):
        if step % 4 == 0:
            action = rng.uniform(-1, 1, model.nu)
            action[COLUMN["ARTy"]] = rng.uniform(-1, 0)  # among the things
        hold(model, data, action, 1)
        worst, fastest = max(worst, limits(model, data)), max(fastest, float(np.abs(data.qvel).max()))
    assert np.isfinite(data.qpos).all()
    assert not any(warning.number for warning in data.warning)
    assert worst < 0.35
    assert fastest < 120
    if "place_x" in {model.joint(at).name for at in range(model.njnt)}:
        moved = data.qpos[THINGS][:3] - begin(scene)[1].qpos[THINGS][:3]
        assert np.abs(moved).max() < 5e-3


def closed(**thumb: float) -> Array:
    action = np.zeros(DRIVEN)
    for name, at in COLUMN.items():
        if name[:2] in ("FF", "MF", "RF", "LF") and name[-1] in "210":
            action[at] = 0.7
    for name, value in thumb.items():
        action[COLUMN[name]] = value
    return action


def take(thing: str) -> tuple[Any, Any]:
    """The hand closed about a thing in the air."""
    model, data = begin("table")
    turn = (1, 0, 0, 0) if thing == "apple" else (0.5**0.5, 0, 0.5**0.5, 0)  # the box lies across the fingers
    at, rate = model.jnt_qposadr[model.joint(thing).id], model.jnt_dofadr[model.joint(thing).id]
    palm = data.site("S_grasp").xpos.copy()
    data.ctrl[:] = closed(THJ3=1.0, THJ0=-0.5)
    for _ in range(40):  # it is held there while the fingers close
        data.qpos[at : at + 7], data.qvel[rate : rate + 6] = (*palm, *turn), 0
        mujoco.mj_step(model, data)
    return model, data


def rise(model: Any, data: Any, thing: str, states: int) -> SimpleNamespace:
    """Raise the hand to 0.6 m; what `metrics.lifted` reads of the thing in the states on the way."""
    action = data.ctrl.copy()
    action[COLUMN["ARTy"]] = 0.8
    seen = []
    for _ in range(states):
        hold(model, data, action, 1)
        velocity = data.joint(thing).qvel[:3]
        seen.append((data.site("S_grasp").xpos.copy(), data.body(thing).xpos.copy(), velocity.copy()))
    palm, place, velocity = (np.array(values) for values in zip(*seen, strict=True))
    moved = SimpleNamespace(position=place, linear_velocity=velocity)
    return SimpleNamespace(palm=SimpleNamespace(position=palm), **{thing: moved})


@pytest.mark.parametrize("thing", ["apple", "box"])
def test_a_closed_hand_keeps_what_is_in_it(thing: str) -> None:
    model, data = take(thing)
    hold(model, data, data.ctrl.copy(), 50)
    assert np.linalg.norm(data.body(thing).xpos - data.site("S_grasp").xpos) < 0.03
    open_hand = data.ctrl.copy()
    open_hand[8:] = -1.0
    hold(model, data, open_hand, 25)
    assert data.body(thing).xpos[2] < 0.1  # and an open one lets it fall


@pytest.mark.parametrize("thing", ["apple", "box"])
def test_what_a_closed_hand_raises_is_lifted(thing: str) -> None:
    model, data = take(thing)
    success, fitness = metrics.lifted(thing)
    made = episode(rise(model, data, thing, 40), 39, FRAME_SKIP * scenes.TIMESTEP)
    assert success.score(made) == 1.0
    assert 0.5 < fitness.score(made) < 0.65


def push(scene: str, path: list[tuple[float, float, float]], action: Array, held: int = 15) -> Any:
    """Take the palm along places (m, from the handle as it was), the rest of the hand as in `action`; the data."""
    model, data = begin(scene)
    handle = data.site(f"{scene}_handle").xpos.copy()
    slides = [COLUMN[name] for name in ("ARTx", "ARTy", "ARTz")]
    for offset in path:
        x, y, z = handle + offset - data.site("S_grasp").xpos
        action = action.copy()
        action[slides] = ((data.qpos[slides] + (-x, z, y)) / model.jnt_range[slides, 1]).clip(-1, 1)
        hold(model, data, action, held)
    return data


def test_the_hand_can_turn_the_faucet() -> None:
    flat = np.zeros(DRIVEN)
    beside = [(-0.12, 0.0, 0.1), (-0.12, 0.0, 0.0), (0.05, 0.02, 0.0), (0.12, 0.1, 0.0)]
    data = push("faucet", beside, flat)
    assert data.joint("faucet").qpos[0] > 0.75 * scenes.FAUCET_RANGE[1]


def test_the_hand_can_hook_the_drawer_open() -> None:
    hook = np.zeros(DRIVEN)
    for name, at in COLUMN.items():
        if name[:2] in ("FF", "MF", "RF", "LF") and name[-1] in "210":
            hook[at] = 0.8 if name[-1] == "2" else -0.6  # straight down from the knuckles
    over = [(0.0, -0.005, 0.12), (0.0, -0.005, 0.02), (0.0, -0.12, 0.02), (0.0, -0.24, 0.02)]
    data = push("drawer", over, hook)
    assert data.joint("drawer").qpos[0] > 0.75 * scenes.DRAWER_RANGE[1]


def test_episodes_start_as_they_are_told_to() -> None:
    model = model_of("table")
    at = {name: int(model.jnt_qposadr[model.joint(name).id]) for name in ("box", "apple")}
    axes: dict[str, list[Array]] = {}
    for env in ("table", "table-lying", "table-together"):
        for seed in range(40):
            _, data = begin(env, seed)
            box, apple = (data.qpos[at[name] : at[name] + 7] for name in ("box", "apple"))
            low, high = native.PLACES
            assert ((box[:2] >= low) & (box[:2] <= high) & (apple[:2] >= low) & (apple[:2] <= high)).all()
            apart = np.linalg.norm(box[:2] - apple[:2])
            assert (
                apart >= native.APART if env != "table-together" else native.TOGETHER[0] <= apart <= native.TOGETHER[1]
            )
            assert np.linalg.norm(box[3:]) == pytest.approx(1)
            axes.setdefault(env, []).append(data.body("box").xmat.reshape(3, 3)[:, 2].copy())
    up = {env: np.array(found) for env, found in axes.items()}
    np.testing.assert_allclose(up["table"], np.tile((0, 0, 1), (40, 1)), atol=1e-12)
    np.testing.assert_allclose(up["table-lying"][:, 2], 0, atol=1e-12)
    quarters = np.arctan2(*up["table-lying"][:, :2].T) // (np.pi / 2)
    assert len(set(quarters)) == 4  # its lid may point anywhere


@every_env
def test_a_draw_is_of_its_seed_alone(env: str) -> None:
    first, again, other = (begin(env, seed)[1].qpos.copy() for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first[:3] != other[:3]).all()
    assert (first[THINGS][:2] != other[THINGS][:2]).all()


@every_scene
def test_constants_are_the_models(scene: str) -> None:
    model = model_of(scene)
    values = {constant.name: constant.value for constant in scenes.constants(scene)}
    if scene == "table":
        np.testing.assert_allclose(model.geom("box").size, values["box_half_size"])
        assert model.geom("apple").size[0] == values["apple_radius"]
    else:
        assert tuple(model.joint(scene).range) == (values[f"{scene}_low"], values[f"{scene}_high"])
