"""Pull a cube onto a disc behind it: ManiSkill3's PullCube."""

from reward_agent.envs.maniskill.card import MANISKILL3, card
from reward_agent.envs.maniskill.metrics import distance, native, progress

task = card(
    "pull-cube",
    "PullCube-v1",
    "pull the cube back, along -x on the table, until it is on the goal disc",
    *native(
        progress(
            "cube",
            lambda state, _: distance(state.cube.position, state.goal.position, axes=2),
            "the way over the table from the cube to the goal's middle",
            "goal.position",
        )
    ),
    horizon=50,
    budget=500_000,
    family="slide-cube",
    reward_version=MANISKILL3,
)
