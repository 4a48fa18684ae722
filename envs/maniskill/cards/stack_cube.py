"""Stack one cube on another: ManiSkill3's StackCube, Text2Reward's task of that name."""

import numpy as np

from reward_agent.envs.maniskill.card import MANISKILL3, card
from reward_agent.envs.maniskill.metrics import distance, native, progress

task = card(
    "stack-cube",
    "StackCube-v1",
    "pick up the red cube, put it on top of the green one and let go, so that it rests there",
    *native(
        progress(
            "cube_a",
            lambda state, constants: distance(
                state.cube_a.position,
                state.cube_b.position + np.array([0.0, 0.0, 2 * constants.cube_b_half_size[2]]),
            ),
            "the way from the red cube to its place on the green one",
            "cube_b.position",
        )
    ),
    horizon=50,
    budget=4_000_000,
    robot="panda_wristcam",
    reward_version=MANISKILL3,
)
