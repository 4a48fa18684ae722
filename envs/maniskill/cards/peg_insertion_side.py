"""Insert a peg into a hole in a box's side: ManiSkill3's PegInsertionSide."""

from reward_agent.envs.maniskill.card import MANISKILL3, card
from reward_agent.envs.maniskill.metrics import distance, native, progress

task = card(
    "peg-insertion-side",
    "PegInsertionSide-v1",
    "pick up the peg and insert its head into the hole in the side of the box, as far as the hole's middle",
    *native(
        progress(
            "peg",
            lambda state, _: distance(state.peg_head.position, state.hole.position),
            "the way from the peg's head to the hole's middle",
            "peg_head.position",
            "hole.position",
        )
    ),
    horizon=100,
    budget=5_000_000,
    robot="panda_wristcam",
    reward_version=MANISKILL3,
)
