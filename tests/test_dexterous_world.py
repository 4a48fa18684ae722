"""The hand as a world: what a reward may read of it, and that batches tell the truth."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from reward_agent.envs.dexterous import metrics
from reward_agent.envs.dexterous.names import TIPS
from reward_agent.envs.dexterous.native import NATIVE, scene_of
from reward_agent.envs.dexterous.scenes import SPECS
from reward_agent.envs.dexterous.world import DexterousWorld
from reward_agent.errors import UsageError
from reward_agent.task import Metric

pytestmark = pytest.mark.needs("robotics")

OF_SCENES: dict[str, tuple[tuple[Metric, Metric], ...]] = {
    "table": (
        metrics.touched(),
        metrics.touched("apple"),
        metrics.lifted("box", "apple"),
        metrics.moved(),
        metrics.upright(),
        metrics.flipped(),
    ),
    "faucet": (metrics.turned_on(),),
    "drawer": (metrics.opened(),),
}
OWN = {
    "table": {"box", "apple"},
    "faucet": {"faucet_handle", "joints.faucet"},
    "drawer": {"drawer_handle", "joints.drawer"},
}


@pytest.mark.parametrize("scene", SPECS)
def test_a_scene_has_its_own_entities_and_all_that_its_metrics_read(scene: str) -> None:
    schema = DexterousWorld(scene).schema()
    entities = {entity.name for entity in schema.entities}
    assert {"palm", *TIPS} < entities
    for other, own in OWN.items():
        assert entities & own == (own if other == scene else set())
    paths = {field.path for field in schema.fields}
    assert {"palm.orientation", "thumb_tip.linear_velocity"} < paths
    for pair in OF_SCENES[scene]:
        for metric in pair:
            assert set(metric.fields) <= paths
    assert not [path for path in paths if "place" in path]


@pytest.mark.parametrize("env", NATIVE)
def test_a_batch_tells_what_the_simulation_has(env: str) -> None:
    world = DexterousWorld(env)
    batch = world.make(2, world.schema(), threads=1)
    seeds, everything = np.array([7, 8]), np.ones(2, bool)
    batch.reset(everything, seeds)
    action = np.random.default_rng(0).uniform(-0.3, 0.3, (2, batch.action_space.shape[0]))
    for _ in range(5):
        packed = batch.step(action).states
    state = batch.schema.view(packed)
    model = SPECS[scene_of(env)]().compile()
    data = mujoco.MjData(model)
    for row, seed in enumerate(seeds):
        mujoco.mj_resetData(model, data)
        draw = NATIVE[env].draw(np.random.Generator(np.random.PCG64(int(seed))), model.qpos0.copy(), np.zeros(model.nv))
        data.qpos[:], data.qvel[:], data.ctrl[:] = draw.qpos, draw.qvel, action[row]
        mujoco.mj_forward(model, data)
        mujoco.mj_step(model, data, nstep=5 * world.machine.native.frame_skip)
        mujoco.mj_forward(model, data)
        np.testing.assert_allclose(state.palm.position[row], data.site("S_grasp").xpos, atol=1e-7)
        np.testing.assert_allclose(state.thumb_tip.position[row], data.site("S_thtip").xpos, atol=1e-7)
        if scene_of(env) == "table":
            np.testing.assert_allclose(state.box.position[row], data.body("box").xpos, atol=1e-7)
        elif env == "faucet":
            np.testing.assert_allclose(state.joints.faucet.angle[row], data.joint("faucet").qpos[0], atol=1e-7)
    batch.close()


def test_the_palms_axes_are_as_they_are_described() -> None:
    world = DexterousWorld("table")
    batch = world.make(1, world.schema())
    _, packed = batch.reset(np.ones(1, bool), np.zeros(1, np.int64))
    state = batch.schema.view(packed)
    axes = np.zeros(9)
    mujoco.mju_quat2Mat(axes, state.palm.orientation[0])
    thumb, back, ahead = axes.reshape(3, 3).T
    tips = np.stack([getattr(state, tip).position[0] for tip in TIPS]) - state.palm.position[0]
    assert back[2] > 0.9
    assert (tips[:4] @ ahead > 0).all()
    assert tips[4] @ thumb > max(tips[:4] @ thumb) - 0.02
    batch.close()


def test_a_scene_that_there_is_not_is_told_the_closest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'drawer'"):
        DexterousWorld("drawers")
