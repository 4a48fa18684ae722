"""Pull a drawer open."""

from reward_agent.envs.metaworld.setting import metaworld_task

task = metaworld_task(
    "drawer-open-v3",
    "pull the drawer out by its handle, to the goal",
    measured=("handle", "xyz"),
    family="drawer",
)
