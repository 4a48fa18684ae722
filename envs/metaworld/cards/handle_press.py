"""Press a handle down."""

from reward_agent.envs.metaworld.setting import metaworld_task

task = metaworld_task(
    "handle-press-v3",
    "press the handle down to the height of the goal",
    measured=("handle", "z"),
    family="handle",
    expert=True,
)
