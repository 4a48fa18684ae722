"""Shut a door."""

from reward_agent.envs.metaworld.setting import metaworld_task

task = metaworld_task(
    "door-close-v3",
    "swing the open door shut, until its handle is at the goal",
    measured=("handle", "xyz"),
    family="door",
)
