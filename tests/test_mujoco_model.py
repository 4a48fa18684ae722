"""What worlds over MuJoCo models say in the same words, and motions by way of Jacobians."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from own_envs import Machine

from reward_agent.envs.gymnasium import GymnasiumWorld
from reward_agent.envs.metaworld.world import MetaWorld
from reward_agent.envs.metaworld.world import missing as metaworld_missing
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.envs.mujoco_model import axis_words, joint_doc, joint_kind, motion_by_jacobian
from reward_agent.task import World


def test_one_quantity_has_the_same_words_in_every_world() -> None:
    worlds: list[World] = [MujocoWorld("InvertedPendulum-v5"), MujocoWorld("Hopper-v5"), GymnasiumWorld("Hopper-v5")]
    worlds += [MetaWorld("door-open-v3"), MetaWorld("drawer-open-v3")] if metaworld_missing() is None else []
    told: dict[str, set[tuple[str, str, tuple[int, ...]]]] = {}
    for world in worlds:
        schema = world.schema()
        kinds = {entity.name: entity.kind for entity in schema.entities}
        for field in schema.fields:
            if kinds[field.entity] in ("Slide", "Hinge"):
                told.setdefault(f"{kinds[field.entity]} {field.name}", set()).add((field.doc, field.unit, field.shape))
            if field.name in ("orientation", "angular_velocity"):
                told.setdefault(field.name, set()).add((field.doc, field.unit, field.shape))
    assert {name: len(words) for name, words in told.items()} == dict.fromkeys(
        ("Slide position", "Slide velocity", "Hinge angle", "Hinge velocity", "orientation", "angular_velocity"), 1
    )


@pytest.mark.parametrize(
    ("axis", "words"), [((0, -1, 0), "-y"), ((1, 0.01, 0), "+x"), ((0.6, 0, -0.8), "(0.60, 0.00, -0.80)")]
)
def test_an_axis_that_is_none_of_the_worlds_is_told_by_its_numbers(axis: tuple[float, ...], words: str) -> None:
    assert axis_words(np.array(axis, float)) == words


def test_joints_are_told_with_their_ranges() -> None:
    model = Machine().model
    assert [joint_kind(model, joint) for joint in (0, 1)] == ["Hinge", "Slide"]
    assert joint_doc(model, 0, "+y") == "about +y, from -0.0349 to 0.0349 rad"  # its file has degrees
    assert joint_doc(model, 1, "+x") == "along +x"


def test_jacobians_give_the_rate_at_which_a_place_moves() -> None:
    model, small = Machine().model, 1e-6
    data, tip = mujoco.MjData(model), model.site("arm:tip")
    data.qpos[0], data.qvel[0] = 0.4, 1.5
    mujoco.mj_forward(model, data)
    linear, angular = motion_by_jacobian(model, data, int(tip.bodyid[0]), data.site_xpos[tip.id])
    before = data.site_xpos[tip.id].copy()
    data.qpos[0] += small * data.qvel[0]
    mujoco.mj_forward(model, data)
    np.testing.assert_allclose(linear, (data.site_xpos[tip.id] - before) / small, atol=1e-5)
    np.testing.assert_allclose(angular, (0, 1.5, 0), atol=1e-12)
