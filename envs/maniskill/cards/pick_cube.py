"""Pick up a cube and hold it at a point: ManiSkill3's PickCube, Text2Reward's task of that name."""

from reward_agent.envs.maniskill.card import MANISKILL3, card
from reward_agent.envs.maniskill.metrics import distance, native, progress

task = card(
    "pick-cube",
    "PickCube-v1",
    "pick up the cube and hold it at the goal position, with the arm at rest",
    *native(
        progress(
            "cube",
            lambda state, _: distance(state.cube.position, state.goal.position),
            "the way from the cube to the goal",
            "goal.position",
        )
    ),
    horizon=50,
    budget=2_000_000,
    family="pick-cube",
    reward_version=MANISKILL3,
)
