"""Images of ManiSkill's scenes, drawn for real: by Mesa in software where there is no GPU."""

from __future__ import annotations

import numpy as np
import pytest

from reward_agent.envs.maniskill.world import ManiSkill

pytestmark = pytest.mark.needs("vulkan")


def test_a_row_is_drawn_as_it_is() -> None:
    world = ManiSkill("PickCube-v1")
    batch = world.make(2, world.schema().select([]))
    batch.reset(np.ones(2, bool), np.array([0, 1]))
    first, other = batch.render(0), batch.render(1)
    assert first.shape == (240, 320, 3) and first.dtype == np.uint8
    assert np.array_equal(first, batch.render(0)) and not np.array_equal(first, other)
    red = (first[..., 0] > 150) & (first[..., 1] < 60) & (first[..., 2] < 60)
    green = (first[..., 1] > 120) & (first[..., 0] < 90) & (first[..., 2] < 90)
    assert red.sum() > 20 and green.sum() > 5, "the cube and its goal are in the picture"
    for _ in range(5):
        batch.step(np.full((2, 8), 1.0))
    moved = np.abs(batch.render(0).astype(int) - first).max(axis=-1) > 40
    assert moved.sum() > 500, "the arm has moved"
    batch.close()
