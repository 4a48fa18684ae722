"""Press a handle down."""

from reward_agent.envs.metaworld.setting import metaworld_task

task = metaworld_task(
    "handle-press-v3",
    "press the handle all the way down",
    measured=("handle", "z"),
    family="handle",
)
