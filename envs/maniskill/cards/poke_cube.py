"""Poke a cube onto a disc with a peg: ManiSkill3's PokeCube."""

from reward_agent.envs.maniskill.card import MANISKILL3, card
from reward_agent.envs.maniskill.metrics import distance, native, progress

task = card(
    "poke-cube",
    "PokeCube-v1",
    "grasp the peg and push the cube with its front end until the cube is on the goal disc, with the arm at rest",
    *native(
        progress(
            "peg",
            lambda state, _: distance(state.cube.position, state.goal.position, axes=2),
            "the way over the table from the cube to the goal's middle",
            "cube.position",
            "goal.position",
        )
    ),
    horizon=50,
    budget=3_000_000,
    reward_version=MANISKILL3,
)
