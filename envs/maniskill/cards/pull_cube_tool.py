"""Pull a cube that is out of reach with an L-shaped tool: ManiSkill3's PullCubeTool."""

import numpy as np

from reward_agent.envs.maniskill.card import MANISKILL3, card
from reward_agent.envs.maniskill.metrics import distance, native, progress

NEAR = 0.6
"""How near the robot's base the cube must be, in the horizontal plane [m]: ManiSkill's."""

task = card(
    "pull-cube-tool",
    "PullCubeTool-v1",
    "grasp the L-shaped tool and pull the cube with its hook to within 0.6 m of the robot's base",
    *native(
        progress(
            "tool",
            lambda state, constants: np.maximum(
                distance(state.cube.position, constants.base_position, axes=2) - NEAR, 0.0
            ),
            "the way that the cube must come nearer the base",
            "cube.position",
        )
    ),
    horizon=100,
    budget=3_000_000,
    reward_version=MANISKILL3,
)
