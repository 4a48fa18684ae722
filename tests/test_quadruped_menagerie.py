"""Robots of MuJoCo Menagerie: found, given our names, and told of; nothing is downloaded, files are as theirs are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import menagerie as files
import numpy as np
import pytest

from reward_agent.conformance import conform
from reward_agent.envs import registry
from reward_agent.envs.mujoco.model import base_model
from reward_agent.envs.quadruped import metrics
from reward_agent.envs.quadruped.menagerie import ROBOTS, VARIABLE, menagerie_machine
from reward_agent.envs.quadruped.names import DRIVEN, LEGS
from reward_agent.envs.quadruped.sized import sized
from reward_agent.envs.quadruped.stance import posed
from reward_agent.envs.quadruped.world import QuadrupedWorld
from reward_agent.envs.registry import find_task, tasks
from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.program import Program
from reward_agent.schema import Array
from reward_agent.task import Episode, Task
from reward_agent.trial import reference
from reward_agent.vet import vet

EXPERTS = Path(metrics.__file__).parent / "experts"
OURS = QuadrupedWorld()
MADE = ("unitree_go2", "anymal_c", "google_barkour_v0")
"""Robots that the checkout has."""


@pytest.fixture(scope="module", autouse=True)
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = files.checkout(tmp_path_factory.mktemp("mujoco_menagerie"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        yield folder


def settled(world: QuadrupedWorld, actions: Array, steps: int = 100) -> SimpleNamespace:
    """The last state of robots that hold an action `(N, 12)`."""
    batch = world.make(len(actions), world.schema())
    batch.reset(np.ones(len(actions), bool), np.arange(len(actions)))
    for _ in range(steps):
        step = batch.step(actions)
    batch.close()
    return batch.schema.view(step.states)


@pytest.mark.parametrize("robot", MADE)
def test_it_stands_on_legs_that_are_where_their_names_say(robot: str) -> None:
    world = QuadrupedWorld(robot=robot)
    state = settled(world, np.zeros((2, 12)))
    height = world.schema().constants_view().torso_height
    np.testing.assert_allclose(state.torso.position[:, 2], height, atol=0.005)
    assert not state.torso.contact.any()
    for leg in LEGS:
        foot, hip = getattr(state, f"{leg}_foot"), getattr(state, f"{leg}_hip")
        assert foot.contact.all() and (foot.air_time == 0).all()
        place = hip.position - state.torso.position
        assert (place[:, 0] > 0.1).all() if leg.startswith("front") else (place[:, 0] < -0.1).all()
        assert (place[:, 1] > 0.1).all() if leg.endswith("left") else (place[:, 1] < -0.1).all()
        np.testing.assert_allclose(foot.position[:, :2], hip.position[:, :2], atol=0.04)


@pytest.mark.parametrize("robot", MADE)
def test_rewards_find_what_they_find_on_our_robot(robot: str) -> None:
    theirs, ours = QuadrupedWorld(robot=robot).schema(), OURS.schema()
    assert {(entity.name, entity.kind) for entity in theirs.entities} == {(e.name, e.kind) for e in ours.entities}
    assert theirs.by_path.keys() == ours.by_path.keys()
    assert theirs.action.names == ours.action.names == DRIVEN
    program = Program((EXPERTS / "lift_paw.py").read_text())
    verdict = vet(program, find_task(f"quadruped/lift-paw@robot={robot}"))
    assert verdict.ok, verdict.faults


def test_our_robot_under_other_names_moves_as_ours() -> None:
    actions = np.random.default_rng(0).uniform(-0.2, 0.2, (4, 12))
    actions[0] = 0
    theirs, ours = settled(QuadrupedWorld(robot="unitree_go2"), actions), settled(OURS, actions)
    np.testing.assert_allclose(theirs.joints.angles, ours.joints.angles, atol=0.03)
    np.testing.assert_allclose(theirs.torso.position[:, 2], ours.torso.position[:, 2], atol=0.005)
    np.testing.assert_allclose(theirs.actuators.force, ours.actuators.force, atol=2.0)


def test_the_model_is_theirs_and_its_physics_ours() -> None:
    theirs, ours = base_model(menagerie_machine("unitree_go2")), base_model(OURS.machine)
    assert theirs.opt.timestep == 0.005 and theirs.opt.cone == ours.opt.cone and theirs.opt.impratio == 1.0
    assert theirs.nu == 12 and theirs.nkey == 0
    for name in DRIVEN:
        np.testing.assert_allclose(theirs.joint(name).range, ours.joint(name).range)
        np.testing.assert_allclose(
            theirs.jnt_actfrcrange[theirs.joint(name).id], ours.jnt_actfrcrange[ours.joint(name).id]
        )
        np.testing.assert_allclose(theirs.actuator(name).gainprm, ours.actuator(name).gainprm)
        np.testing.assert_allclose(theirs.actuator(name).biasprm, ours.actuator(name).biasprm)
    robot = np.arange(theirs.ngeom) != theirs.geom("floor").id
    assert not theirs.geom_contype[robot].any(), "it must touch the floor alone"
    assert (theirs.geom_condim == 3).all()
    order = [theirs.jnt_qposadr[theirs.joint(name).id] for name in DRIVEN]
    assert order != sorted(order), "the files of this test are to have legs in another order"


def test_an_action_turns_its_own_joint() -> None:
    actions = np.zeros((13, 12))
    actions[1:] += 0.1 * np.eye(12)
    angles = settled(QuadrupedWorld(robot="unitree_go2"), actions).joints.angles
    for at in range(12):
        moved = angles[at + 1] - angles[0]
        assert moved[at] > 0.03 and np.abs(np.delete(moved, at)).max() < moved[at]


def test_without_a_key_frame_a_robot_stands_as_it_is_known_to() -> None:
    machine = menagerie_machine("anymal_c")
    constants = QuadrupedWorld(robot="anymal_c").schema().constants_view()
    np.testing.assert_allclose(constants.joint_standing, [0, 0.4, -0.8] * 2 + [0, -0.4, 0.8] * 2)
    model = base_model(machine)
    np.testing.assert_allclose(model.qpos0[3:7], [1, 0, 0, 0])
    assert (model.jnt_actfrcrange[1:] == [-80, 80]).all()
    np.testing.assert_allclose(model.dof_armature[6:], 0.01, err_msg="servos on joints without rotors never rest")
    reach = {name: float(model.actuator(name).gainprm[0] / -model.actuator(name).biasprm[1]) for name in DRIVEN}
    assert reach["front_left_knee"] == pytest.approx(2.6), "a joint that goes round must not be out of control"


def test_a_leg_that_ends_in_no_sphere_gets_one() -> None:
    machine = menagerie_machine("google_barkour_v0")
    model = base_model(machine)
    data = posed(model, machine.constants.args[0])  # type: ignore[attr-defined]
    for leg in LEGS:
        foot = model.geom(f"{leg}_foot")
        assert foot.size[0] == pytest.approx(0.022) and foot.conaffinity[0] and not foot.contype[0]
        boots = [g for g in range(model.ngeom) if model.geom_bodyid[g] == foot.bodyid[0] and model.geom_dataid[g] >= 0]
        assert boots and not model.geom_conaffinity[boots].any(), "the shape it stands in for must not touch as well"
        calf = data.body(f"{leg}_calf")
        down = calf.xmat.reshape(3, 3)[2]
        corner = calf.xpos[2] + down @ [0, 0, -0.2] - np.abs(down) @ files.BOOT
        assert data.geom(f"{leg}_foot").xpos[2] - 0.022 == pytest.approx(corner)


def test_prompts_tell_of_the_robot() -> None:
    world = QuadrupedWorld(robot="anymal_c")
    api, height = world.reward_api(), round(world.schema().constants_view().torso_height, 2)
    assert height > 0.35, "it is to stand higher than ours"
    assert f"middle {height:g} m high" in api.robot and "0.2 m each" in api.robot and "13 kg" in api.robot
    assert f"above the floor; {height:g} standing; a number" in api.render()
    assert api.motion.startswith(f"1. The torso's middle should be [{height:g}] m above the floor.")
    (pose,) = (f for f in world.primitives().functions if f.name == "set_torso_pose")
    assert pose.by_name["height"].default == height
    (turn,) = (f for f in world.primitives().functions if f.name == "head_towards")
    assert any(f"position[:, 2] - {height:g}" in term.expression for term in turn.terms({"heading": 1.0}))
    assert "0.28" not in api.robot + api.render() + api.motion + world.primitives().render()


def test_a_variant_is_a_task_like_any_other() -> None:
    task = find_task("spin@robot=unitree_go2")
    assert task.id == "quadruped/spin@robot=unitree_go2" and task.world == QuadrupedWorld(robot="unitree_go2")
    assert find_task(task.id) is task and reference(task, task.id) == task.id
    assert task.expert is None and task.instruction == find_task("quadruped/spin").instruction
    assert task.id not in tasks()


def test_any_world_may_have_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    task = replace(find_task("quadruped/spin"), id="hall/spin")
    asked: list[tuple[str, str, str]] = []

    def variant(task: Task, key: str, value: str) -> Task:
        asked.append((task.id, key, value))
        return replace(task, instruction=f"{task.instruction} on {value}")

    world = SimpleNamespace(tasks=lambda: {task.id: task}, variant=variant)
    monkeypatch.setattr(registry, "worlds", lambda: {"hall": world})
    made = find_task("hall/spin@floor=ice@light=0.5")
    assert (made.id, made.instruction[-14:]) == ("hall/spin@floor=ice@light=0.5", " on ice on 0.5")
    assert asked == [("hall/spin", "floor", "ice"), ("hall/spin@floor=ice", "light", "0.5")]


def test_it_conforms() -> None:
    report = conform(find_task("quadruped/lift-paw@robot=unitree_go2"))
    assert report.ok, [finding for finding in report.findings if finding.level == "failed"]
    assert report.closely


@pytest.mark.parametrize(("lifted", "counts"), [(0.11, 1.0), (0.09, 0.0)])
def test_lengths_of_metrics_grow_with_the_robot(lifted: float, counts: float) -> None:
    still = np.tile([1.0, 0, 0, 0], (101, 1))
    state: Any = SimpleNamespace(
        torso=SimpleNamespace(position=np.tile([0, 0, 0.56], (101, 1)), orientation=still, contact=np.zeros(101, bool)),
        **{f"{leg}_foot": SimpleNamespace(position=np.tile([0.0, 0, 0.044], (101, 1))) for leg in LEGS},
    )
    state.front_right_foot.position[:, 2] += lifted
    constants = SimpleNamespace(torso_height=0.56, foot_radius=0.044)
    success, _ = sized(metrics.lifts("front_right", metrics.LIFTED))
    assert success.score(Episode(state, np.zeros((100, 12)), False, constants, 0.02)) == counts
    assert "lengths are of a robot that stands 0.28 m high" in success.doc


def test_what_cannot_be_is_told_in_one_paragraph() -> None:
    for wrong, said in (
        ("quadruped/spin@robot=unitree_g02", "There is no quadruped of MuJoCo Menagerie named 'unitree_g02'. Did you "
         "mean 'unitree_go2'?"),
        ("quadruped/spin@robo=unitree_go2", "named 'robo='. Did you mean 'robot='?"),
        ("quadruped/spinn@robot=unitree_go2", "There is no task named 'quadruped/spinn'. Did you mean"),
        ("mujoco/ant-forward@robot=unitree_go2", "Tasks of the world mujoco have no variants, so `@robot=unitree_go2`"),
    ):  # fmt: skip
        with pytest.raises(UsageError) as told:
            find_task(wrong)
        assert said in str(told.value) and "\n" not in str(told.value)
    with pytest.raises(UsageError, match="Did you mean 'anymal_c'"):
        QuadrupedWorld(robot="anymal-c")


def test_files_that_are_not_there_are_told_with_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    world = QuadrupedWorld(robot="unitree_a1")
    assert (world.missing() or "").startswith("unitree_a1/a1.xml in ")
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setitem(sys.modules, "robot_descriptions", None)  # as if not installed
    for robot in ROBOTS:
        assert find_task(f"quadruped/sit-down@robot={robot}").world.missing()
    with pytest.raises(MissingComponentError) as told:
        world.schema()
    for way in ("git clone", f"export {VARIABLE}=", "pip install robot_descriptions"):
        assert way in str(told.value)
    assert QuadrupedWorld().missing() is None


def test_the_package_of_descriptions_is_asked_where_there_is_no_checkout(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(VARIABLE)
    package = tmp_path / "robot_descriptions"
    package.mkdir()
    (package / "__init__.py").write_text("")
    path = checkout / ROBOTS["unitree_go2"].file
    (package / "go2_mj_description.py").write_text(f"MJCF_PATH = {str(path)!r}")
    (package / "spot_mj_description.py").write_text("raise OSError('could not resolve host github.com')")
    for name in [name for name in sys.modules if name.partition(".")[0] == "robot_descriptions"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    assert QuadrupedWorld(robot="unitree_go2").missing() is None
    assert menagerie_machine("unitree_go2") is menagerie_machine("unitree_go2")
    spot = QuadrupedWorld(robot="boston_dynamics_spot")
    assert spot.missing() is None, "asking what is missing must download nothing"
    with pytest.raises(MissingComponentError, match=r"OSError: could not resolve host github\.com.*git clone"):
        spot.schema()
    for name in [name for name in sys.modules if name.partition(".")[0] == "robot_descriptions"]:
        del sys.modules[name]


def broken(text: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    """What is said of a robot whose file is that."""
    files.write(folder, ROBOTS["unitree_go1"].file, text)
    monkeypatch.setenv(VARIABLE, str(folder))
    with pytest.raises(UsageError) as told:
        menagerie_machine("unitree_go1")
    return str(told.value)


def test_models_that_are_no_quadruped_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = files.unitree(files.plain())
    arm = '<body name="arm"><joint name="more" axis="0 0 1"/><geom size="0.1" mass="1"/></body><body name="FR_hip"'
    for number, (text, said) in enumerate(
        (
            (whole.replace('<body name="FR_hip"', arm), "needs a free body with four legs of three hinges"),
            (files.plain(), "has no key frame, so nothing says how it stands"),
            (whole.replace(" 0 0.8 -1.6", " 0.75 0.8 -1.6"), "falls over in its home pose"),
            (whole.replace(" 0 0.8 -1.6", " 0 -1.4 -0.7"), "falls over in its home pose"),
            (whole.replace("<worldbody>", "<wordbody>"), "MuJoCo cannot read"),
        )
    ):
        assert said in broken(text, monkeypatch, tmp_path / str(number))


def test_an_untouched_task_keeps_its_metrics() -> None:
    plain, other = find_task("quadruped/lift-paw"), find_task("quadruped/lift-paw@robot=unitree_go2")
    assert plain.world == replace(plain.world, robot="")  # type: ignore[type-var]
    assert [m.doc for m in plain.metrics] != [m.doc for m in other.metrics]
    assert [m.name for m in plain.metrics] == [m.name for m in other.metrics]
