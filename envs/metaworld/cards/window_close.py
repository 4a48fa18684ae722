"""Slide a window shut."""

from reward_agent.envs.metaworld.setting import metaworld_task

task = metaworld_task(
    "window-close-v3",
    "slide the window shut: push its handle to the left, to the goal",
    measured=("handle", "x"),
    family="window",
)
