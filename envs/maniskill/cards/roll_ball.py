"""Roll a ball to a disc at the table's other end: ManiSkill3's RollBall."""

from reward_agent.envs.maniskill.card import MANISKILL3, card
from reward_agent.envs.maniskill.metrics import distance, native, progress

task = card(
    "roll-ball",
    "RollBall-v1",
    "hit the ball so that it rolls over the table onto the goal disc at the other end",
    *native(
        progress(
            "ball",
            lambda state, _: distance(state.ball.position, state.goal.position, axes=2),
            "the way over the table from the ball to the goal's middle",
            "goal.position",
        )
    ),
    horizon=80,
    budget=1_500_000,
    reward_version=MANISKILL3,
)
