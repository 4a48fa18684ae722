"""Lift a cube: ManiSkill2's LiftCube and Text2Reward's task of that name, set in ManiSkill3's PickCube."""

import numpy as np

from reward_agent.envs.maniskill.card import card
from reward_agent.envs.maniskill.metrics import lifted, progress

HEIGHT, SLOW = 0.2, 0.2
once, at_end = lifted(HEIGHT, SLOW)

task = card(
    "lift-cube",
    "PickCube-v1",
    "pick up the cube and lift it by 0.2 m, with the arm at rest in the end",
    once,
    progress(
        "cube",
        lambda state, constants: np.maximum(HEIGHT + constants.cube_half_size[2] - state.cube.position[:, 2], 0.0),
        "the 0.2 m that the cube must rise",
    ),
    at_end,
    horizon=50,
    budget=2_000_000,
    hide=("goal", "constants.goal_radius"),
    family="pick-cube",
    benchmark="ManiSkill2 LiftCube-v0, in ManiSkill3 PickCube-v1",
    reward_version="ManiSkill2 LiftCube-v0",
)
