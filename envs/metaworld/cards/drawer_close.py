"""Push a drawer shut."""

from reward_agent.envs.metaworld.setting import metaworld_task

task = metaworld_task(
    "drawer-close-v3",
    "push the drawer in until it is closed",
    measured=("handle", "xyz"),
    family="drawer",
)
