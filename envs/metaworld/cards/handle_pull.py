"""Pull a handle up."""

from reward_agent.envs.metaworld.setting import metaworld_task

task = metaworld_task(
    "handle-pull-v3",
    "pull the handle all the way up",
    measured=("handle", "z"),
    family="handle",
)
